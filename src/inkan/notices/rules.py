"""Lives, limits, the form of a mail address, and how a template and its facts become a text.

A template is data in three languages. Its facts are named: one too few, one too many or a misspelt one is a
mistake of the program and shows in its first test, never as a gap in what somebody reads.
"""

import hashlib
import re
import string
import tomllib
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from importlib import resources
from typing import Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from inkan.kernel.identifiers import holds_my_number
from inkan.notices.model import (
    EndReason,
    MailAddress,
    MailAddressMalformed,
    NewsRefused,
    NewsTexts,
    Outcome,
    Template,
)
from inkan.web.languages import Formats, Language
from inkan.web.principal import Permission

NOTICE_LIFE: Final = timedelta(days=366)
"""A notice can be read for as long as the certificate lives that it may be about (TW-31)."""

ENDED_CONTACT_LIFE: Final = timedelta(days=30)
"""A replaced address is kept this long, so that mails to those known before a change still arrive."""

PURGE_EVERY: Final = timedelta(hours=6)
NEWS_TOPIC: Final = "news"
"""The bus topic that is called when an announcement is published or taken back."""

INBOX_SIZE: Final = 50
NEWS_SIZE: Final = 50
NEWS_KEPT_IN_SIGHT: Final = 200
"""How many announcements their writers see, withdrawn ones included."""
TITLE_LIMIT: Final = 120
TEXT_LIMIT: Final = 4000
FACT_LIMIT: Final = 400
"""Characters of one fact; a longer one is cut, because a notice must not fail for its length."""

WHEN: Final = {
    Language.EN: "Time: {moment}",
    Language.JA: "日時：{moment}",
    Language.ZH_HANT: "時間：{moment}",
}
"""The last line of a mail: when it happened."""

PERMISSIONS: Final = (
    Permission(
        use_case="notices.read",
        roles=frozenset({"phone", "person"}),
        source="TW-39, HCA-10",
    ),
    Permission(
        use_case="notices.publish",
        roles=frozenset({"administrator", "operator"}),
        source="TW-39; design §1, operator",
    ),
    # A service worker renews a subscription while nobody looks (pushsubscriptionchange), so the channel key is
    # enough; who takes it over learns handles, and nothing by them.
    Permission(
        use_case="notices.push", roles=frozenset({"phone"}), source="design §5.6 PUT push; TW-47"
    ),
)

# RFC 5321 §4.1.2 Mailbox without quoted strings, address literals and comments: what people really have.
_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL = re.compile(rf"(?P<local>{_LOCAL})@(?P<domain>{_LABEL}(?:\.{_LABEL})*)")
_MAIL_LIMIT: Final = 254
_LOCAL_LIMIT: Final = 64

# Trojan Source, threat 22: they would let a name on one line change how another line reads.
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LINE_BREAKING: Final = frozenset({"Cc", "Zl", "Zp"})


class Wording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template in one language: the title holds no facts, the text holds each of them."""

    title: str
    text: str


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"zh_hant": "zh-Hant"}):
    """A template.

    Attributes:
        facts: names of the facts, shown as they are.
        moments: names of facts that are moments (RFC 3339), shown as the reader writes dates.
    """

    en: Wording
    ja: Wording
    zh_hant: Wording
    facts: tuple[str, ...] = ()
    moments: tuple[str, ...] = ()

    def in_language(self, language: Language) -> Wording:
        """The words in that language."""
        return {Language.EN: self.en, Language.JA: self.ja, Language.ZH_HANT: self.zh_hant}[
            language
        ]


class Rendered(NamedTuple):
    """A notice as it is read."""

    title: str
    text: str


@cache
def templates() -> Mapping[Template, Words]:
    """Every template, checked: total, and each language names exactly the declared facts.

    Raises:
        ValueError: the file does not hold what it has to.
    """
    source = resources.files("inkan.notices").joinpath("templates.toml")
    tree = tomllib.loads(source.read_text(encoding="utf-8"))
    loaded = msgspec.convert(tree, dict[str, Words])
    if set(loaded) != set(Template):
        raise ValueError(f"templates.toml and Template differ: {set(loaded) ^ set(Template)}")
    for name, words in loaded.items():
        _verify_words(name, words)
    return {Template(name): words for name, words in loaded.items()}


def _verify_words(name: str, words: Words) -> None:
    declared = {*words.facts, *words.moments}
    for language in Language:
        wording = words.in_language(language)
        if _fields(wording.text) != declared or _fields(wording.title):
            raise ValueError(f"{name}.{language}: the text names other facts than {declared}")


def _fields(text: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}


def verify_facts(template: Template, facts: Mapping[str, str]) -> None:
    """Make sure that the facts are those that the template names.

    Raises:
        ValueError: they are not, a mistake of the program.
    """
    words = templates()[template]
    if set(facts) != {*words.facts, *words.moments}:
        raise ValueError(f"{template} takes the facts {words.facts + words.moments}")
    for name in words.moments:
        datetime.fromisoformat(facts[name])


def render(template: Template, facts: Mapping[str, str], formats: Formats) -> Rendered:
    """Return the notice in the language of ``formats``; facts cannot break its lines or their order."""
    words = templates()[template]
    shown = {name: show_fact(facts[name]) for name in words.facts}
    for name in words.moments:
        shown[name] = formats.moment(datetime.fromisoformat(facts[name]))
    wording = words.in_language(formats.language)
    return Rendered(wording.title, wording.text.format_map(shown).strip())


def show_fact(value: str) -> str:
    """A fact on one line: line ends and controls become spaces, marks of writing direction go away."""
    cut = value if len(value) <= FACT_LIMIT else f"{value[:FACT_LIMIT]}…"
    kept = (char for char in cut if char not in _BIDI)
    return "".join(" " if unicodedata.category(c) in _LINE_BREAKING else c for c in kept)


def parse_mail_address(text: str) -> MailAddress:
    """Return the address, its domain in lower case.

    Raises:
        MailAddressMalformed: not ``name@domain``, or longer than RFC 5321 §4.5.3.1 allows.
    """
    found = _MAIL.fullmatch(text) if len(text) <= _MAIL_LIMIT else None
    if found is None or len(found["local"]) > _LOCAL_LIMIT:
        raise MailAddressMalformed("expected name@domain")
    return MailAddress(f"{found['local']}@{found['domain'].lower()}")


def verify_news(title: NewsTexts, text: NewsTexts) -> None:
    """Make sure that an announcement can be published.

    Raises:
        NewsRefused: a text is empty, too long, or holds a My Number (WAT-62).
    """
    for name, texts, limit in (("title", title, TITLE_LIMIT), ("text", text, TEXT_LIMIT)):
        for language in Language:
            where = f"/{name}/{language}"
            given = texts.in_language(language)
            if not given.strip() or len(given) > limit:
                raise NewsRefused(where=where, expected=f"1 to {limit} characters")
            if holds_my_number(given):
                raise NewsRefused(where=where, expected="no My Number")


# --- push --------------------------------------------------------------------------------------------

WAKE_LIMIT_S: Final = 86_400
"""The longest that a wake-up may be worth delivering."""

ENDED_SUBSCRIPTION_LIFE: Final = timedelta(days=30)
"""An ended subscription is kept this long without its endpoint and keys, to say why no push came."""

VAPID_LIFE: Final = timedelta(hours=12)
"""Of a token; RFC 8292 §2 admits a day, and the clocks of push services are not ours."""

VAPID_RENEWED_BEFORE: Final = timedelta(hours=1)

_OUTCOMES: Final[Mapping[int, Outcome]] = {
    404: Outcome.GONE,  # RFC 8030 §7.3
    408: Outcome.LATER,
    410: Outcome.GONE,  # RFC 8030 §7.3, and what most services send
    425: Outcome.LATER,
    429: Outcome.LATER,  # RFC 8030 §8.4
}
"""Answers of push services that are neither a success (2xx) nor the service's own trouble (5xx)."""

ENDS: Final[Mapping[Outcome, EndReason | None]] = {
    Outcome.ACCEPTED: None,
    Outcome.GONE: EndReason.GONE,
    Outcome.UNCALLABLE: EndReason.UNCALLABLE,
    Outcome.LATER: None,
    Outcome.REFUSED: None,
}
"""Which outcomes end a subscription. A refusal may be the platform's own mistake, so it ends none."""

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_SECONDS: Final = re.compile(r"[0-9]{1,9}")


def outcome_of(status: int, *, asks_to_wait: bool) -> Outcome:
    """What an HTTP status of a push service means (RFC 8030 §5, §7, §8.4).

    Args:
        status: a redirect is a refusal; it is never followed.
        asks_to_wait: the answer has a usable Retry-After, which makes a 413 a passing condition (RFC 9110 §15.5.14).
    """
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    if status >= 500 or (status == 413 and asks_to_wait):
        return Outcome.LATER
    return _OUTCOMES.get(status, Outcome.REFUSED)


def read_retry_after(value: str | None, now: datetime) -> int | None:
    """Seconds that a Retry-After (RFC 9110 §10.2.3) asks for; None when there is none that can be read."""
    if value is None:
        return None
    text = value.strip()
    if _SECONDS.fullmatch(text):
        return int(text)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0, int((moment - now).total_seconds()))


def push_origin(endpoint: str) -> str:
    """The origin of an endpoint that was admitted (RFC 6454 §6.2): the audience of a token (RFC 8292 §2)."""
    parts = urlsplit(endpoint)
    host, port = parts.hostname or "", parts.port
    shown = "" if port is None or port == _DEFAULT_PORTS.get(parts.scheme) else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def is_push_host(endpoint: str, hosts: Collection[str]) -> bool:
    """Whether the operator admits the endpoint's host.

    Args:
        endpoint: of the plain form that the way out admits.
        hosts: exact names, or ``.push.example`` for every name under it; empty admits every public host.
    """
    host = urlsplit(endpoint).hostname or ""
    return not hosts or any(
        host.endswith(each) if each.startswith(".") else host == each for each in hosts
    )


def topic_of(subscription: str, handle: str) -> str:
    """The topic of a wake-up: 32 letters of base64url (RFC 8030 §5.4).

    A repeated wake-up replaces the first; two phones of one person share no topic, and it does not tell the handle.
    """
    digest = hashlib.sha256(f"inkan-push-topic-v1\x00{subscription}\x00{handle}".encode()).digest()
    return urlsafe_b64encode(digest[:24]).decode("ascii")
