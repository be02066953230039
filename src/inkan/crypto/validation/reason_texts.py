"""What a reason says to people, in three languages."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

from inkan.crypto.validation.verdict import Reason


def reason_text(reason: Reason, language: str) -> str:
    """Return one sentence; ``language`` is ``en``, ``ja`` or ``zh-Hant``."""
    return texts()[reason][language]


@cache
def texts() -> Mapping[Reason, Mapping[str, str]]:
    """Every reason with its sentence in every language."""
    file = files("inkan.crypto.validation").joinpath("texts", "reasons.toml")
    table = tomllib.loads(file.read_text("utf-8"))
    return {Reason(code): languages for code, languages in table.items()}
