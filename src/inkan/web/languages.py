"""The three languages: which one a reader wants, and the texts and dates in it.

English is the source: message ids are the English sentences, so a page reads like a page, and a missing
translation shows English instead of a key. Catalogues are plain ``.po`` files, parsed at start. Every
package may bring its own ``locale`` folder; they are joined, and two packages that translate one sentence
differently are refused.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime, tzinfo
from enum import StrEnum
from functools import cached_property
from gettext import NullTranslations
from pathlib import Path
from typing import Any, Final

from babel import Locale
from babel.dates import format_date as babel_date
from babel.dates import format_datetime as babel_datetime
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

from inkan.kernel.calendar import japanese_date, roc_date
from inkan.kernel.errors import Malformed


class CatalogueRefused(Malformed):
    """A translation file is incomplete, contradicts another one, or cannot be read."""

    code = "translations_refused"
    title = "The translations are not usable"
    public = ()


class Language(StrEnum):
    """A language of the platform, by its BCP 47 tag; ``lang`` of a page and key of every text table."""

    EN = "en"
    JA = "ja"
    ZH_HANT = "zh-Hant"

    @property
    def own_name(self) -> str:
        """How the language calls itself, for the language switch."""
        return _OWN_NAMES[self]


_OWN_NAMES: Final = {Language.EN: "English", Language.JA: "日本語", Language.ZH_HANT: "繁體中文"}
_LOCALES: Final = {
    Language.EN: Locale("en"),
    Language.JA: Locale("ja"),
    Language.ZH_HANT: Locale("zh", "TW", "Hant"),
}
_FOLDERS: Final = {Language.JA: "ja", Language.ZH_HANT: "zh_Hant"}
_ERAS: Final = {Language.JA: japanese_date, Language.ZH_HANT: roc_date}
_RANGE = re.compile(
    r"(?P<tag>[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)(?:\s*;\s*q=(?P<q>[01](?:\.\d{0,3})?))?"
)


def negotiate(accept_language: str | None, default: Language) -> Language:
    """The language of an ``Accept-Language`` header (RFC 9110 §12.5.4), or ``default``.

    Any Chinese is answered in traditional characters: better than in a language the reader did not ask for.
    """
    best, best_quality = default, 0.0
    for part in (accept_language or "")[:256].split(","):
        found = _RANGE.fullmatch(part.strip())
        if found is None:
            continue
        language = _BY_PRIMARY.get(found["tag"].split("-")[0].lower())
        quality = float(found["q"] or 1)
        if language is not None and quality > best_quality:
            best, best_quality = language, quality
    return best


_BY_PRIMARY: Final = {"en": Language.EN, "ja": Language.JA, "zh": Language.ZH_HANT}


def find_language(tag: str | None) -> Language | None:
    """The language with exactly this tag."""
    return next((language for language in Language if language == tag), None)


class Translations(NullTranslations):
    """The texts of one language; an unknown msgid is its own English text."""

    def __init__(self, language: Language) -> None:
        super().__init__()
        self.language = language
        self._texts: dict[tuple[str | None, str], str] = {}

    def add(self, message: Message, source: Path) -> None:
        """Take over one message of a catalogue.

        Raises:
            CatalogueRefused: it is marked fuzzy, empty, or another catalogue says otherwise.
        """
        msgid = message.id if isinstance(message.id, str) else message.id[0]
        string = message.string if isinstance(message.string, str) else (message.string or [""])[0]
        known = self._texts.setdefault((message.context, msgid), string)
        if message.fuzzy or not string or known != string:
            raise CatalogueRefused(
                f"{source}: {msgid!r} is fuzzy, empty or contradicts another file"
            )

    @property
    def plain(self) -> dict[str, str]:
        """Every msgid without a context, and its text: for pages that put their words in themselves."""
        return {msgid: text for (context, msgid), text in self._texts.items() if context is None}

    def __contains__(self, msgid: str) -> bool:
        return (None, msgid) in self._texts

    def _find(self, context: str | None, msgid: str) -> str | None:
        return self._texts.get((context, msgid))

    def gettext(self, message: str) -> str:
        """The text of a msgid."""
        return self._find(None, message) or message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """The text for ``n`` things; Chinese and Japanese have one form for every number."""
        return self._find(None, msgid1) or (msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:
        """The text of a msgid that means different things in different places."""
        return self._find(context, message) or message

    def npgettext(self, context: str, msgid1: str, msgid2: str, n: int) -> str:
        """Both."""
        return self._find(context, msgid1) or (msgid1 if n == 1 else msgid2)


class Languages:
    """All texts of the platform."""

    def __init__(self, folders: Iterable[Path], *, default: Language = Language.EN) -> None:
        """Read ``{folder}/{ja,zh_Hant}/messages.po`` of every folder.

        Raises:
            CatalogueRefused: a file is missing or incomplete, or two files contradict each other.
        """
        self.default = default
        self.translations: Mapping[Language, Translations] = {
            language: Translations(language) for language in Language
        }
        for folder in folders:
            for language, name in _FOLDERS.items():
                _read(folder / name / "messages.po", self.translations[language])

    def gettext(self, language: Language, msgid: str) -> str:
        """The text of an English msgid."""
        return self.translations[language].gettext(msgid)


def _read(path: Path, into: Translations) -> None:
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, locale=path.parent.name, abort_invalid=True)
    except (OSError, ValueError) as fault:
        raise CatalogueRefused(f"{path} cannot be read") from fault
    for message in catalogue:
        if message.id:
            into.add(message, path)


class Formats:
    """Dates and times as a reader of one language writes them."""

    def __init__(self, language: Language, zone: tzinfo) -> None:
        self.language = language
        self.zone = zone

    @cached_property
    def _locale(self) -> Locale:
        return _LOCALES[self.language]

    def day(self, day: date | datetime) -> str:
        """``November 21, 2026`` · ``2026年11月21日``; a datetime is shown in the instance's zone."""
        return babel_date(self._local(day), format="long", locale=self._locale)

    def era_day(self, day: date | datetime) -> str:
        """The date in the reader's own era: 民國 in Taiwan, 令和 in Japan, the common one in English."""
        local = self._local(day)
        plain = local.date() if isinstance(local, datetime) else local
        era = _ERAS.get(self.language)
        return era(plain) if era else self.day(plain)

    def moment(self, moment: datetime, *, seconds: bool = False) -> str:
        """Date and time of an aware moment in the instance's zone."""
        clock = "HH:mm:ss" if seconds else "HH:mm"
        time = babel_datetime(self._local(moment), clock, locale=self._locale)
        return f"{self.day(moment)} {time}"

    def _local(self, day: date | datetime) -> Any:
        if not isinstance(day, datetime):
            return day
        try:
            return day.astimezone(self.zone)
        except OverflowError:
            # A certificate "without end" ends in the last second of 9999 (RFC 5280 §4.1.2.5): no day follows.
            return day
