"""The terms that a person accepts before keys are made (JPKI-07): every version that was ever in force, in three languages.

A version is never changed: whoever accepted it accepted these words. A new one is a new entry at the end of the file.
"""

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import Final

import msgspec

from inkan.counter.model import TermsNotAccepted

LANGUAGES: Final = frozenset({"en", "ja", "zh-Hant"})


class Terms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version.

    Attributes:
        version: as it is kept with the case.
        text: by language, one paragraph a line.
    """

    version: str
    text: Mapping[str, str]


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    terms: list[Terms]


def _load() -> tuple[Terms, ...]:
    text = resources.files("inkan.counter").joinpath("terms.toml").read_text(encoding="utf-8")
    return tuple(msgspec.convert(tomllib.loads(text), _File).terms)


VERSIONS: Final = _load()
"""Every version, the oldest first."""

TERMS: Final = VERSIONS[-1]
"""The version in force."""


def terms_of(version: str) -> Terms:
    """The terms that were accepted under this version.

    Raises:
        TermsNotAccepted: there never was such a version.
    """
    for terms in VERSIONS:
        if terms.version == version:
            return terms
    raise TermsNotAccepted()
