"""The error catalogue: for every code its cause, its owner, whether to try again, and its text for people.

One TOML file per package, three languages per entry, nothing optional: the loader refuses an entry that
says less, and a code without an entry keeps the application from starting.
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import msgspec

from inkan.kernel.errors import InkanError, Malformed, all_errors
from inkan.web.languages import Language

_FOLDER: Final = Path(__file__).parent / "catalogue"
_CARD_CODES: Final = "card_"


class CatalogueIncomplete(Malformed):
    """An entry of the error catalogue lacks something, stands twice, or is missing."""

    code = "catalogue_incomplete"
    title = "The error catalogue is not complete"
    public = ()


class Owner(StrEnum):
    """Who can do something about it."""

    PERSON = "person"
    RELYING_PARTY = "relying_party"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Retry(StrEnum):
    """Whether sending it again can help."""

    NO = "no"
    NOW = "now"
    LATER = "later"
    NEW_SESSION = "new_session"
    FIX = "fix"


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hant": "zh-Hant"}):
    """What the catalogue says of one code."""

    cause: str
    owner: Owner
    retry: Retry
    en: str
    ja: str
    zh_hant: str

    def text(self, language: Language) -> str:
        """What was wrong and what to do, for people."""
        return {Language.EN: self.en, Language.JA: self.ja, Language.ZH_HANT: self.zh_hant}[
            language
        ]


@lru_cache(maxsize=1)
def entries() -> dict[str, Entry]:
    """All entries by code.

    Raises:
        CatalogueIncomplete: see :func:`read_entries`.
    """
    return read_entries(_FOLDER)


def card_texts(language: Language) -> list[tuple[str, str]]:
    """Code and text of everything that cards and card agents refuse, for pages whose script hears codes only."""
    return [
        (code, entry.text(language))
        for code, entry in entries().items()
        if code.startswith(_CARD_CODES)
    ]


def read_entries(folder: Path) -> dict[str, Entry]:
    """Read every ``*.toml`` of a folder.

    Raises:
        CatalogueIncomplete: a field is missing, empty, unknown or of no known value; a code stands in
            two files.
    """
    found: dict[str, Entry] = {}
    for path in sorted(folder.glob("*.toml")):
        for code, fields in tomllib.loads(path.read_text("utf-8")).items():
            if code in found:
                raise CatalogueIncomplete(f"{path.name}: {code} stands twice")
            found[code] = _entry(fields, f"{path.name}: {code}")
    return found


def _entry(fields: Any, place: str) -> Entry:
    try:
        entry = msgspec.convert(fields, Entry)
    except msgspec.ValidationError as fault:
        raise CatalogueIncomplete(f"{place}: {fault}") from fault
    if not all(text.strip() for text in (entry.cause, *map(entry.text, Language))):
        raise CatalogueIncomplete(f"{place}: an empty text")
    return entry


def entry(code: str) -> Entry:
    """The entry of a code.

    Raises:
        CatalogueIncomplete: there is none.
    """
    try:
        return entries()[code]
    except KeyError:
        raise CatalogueIncomplete(f"{code} has no entry") from None


def verify_complete(errors: Iterable[type[InkanError]] | None = None) -> None:
    """Check that every error class that is imported has its entry.

    Raises:
        CatalogueIncomplete: the first one that has none.
    """
    for error in all_errors() if errors is None else errors:
        entry(error.code)
