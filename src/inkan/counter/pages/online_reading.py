"""The pages of the online window that are read: what to prepare, readers, inquiries, and the PIN (JPKI-17, 18, 29, 41).

The list of readers is a file of data. What it says was tried was tried; the rest is somebody else's word and says so.
"""

import tomllib
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from inkan.counter.pages.online_parts import (
    CARD_PATH,
    INQUIRIES_PATH,
    LOOKING,
    ONLINE_PATH,
    PIN_PATH,
    PREPARE_PATH,
    READERS_PATH,
    REVOKE_PATH,
    TERMS_PATH,
    VALIDITY_PATH,
    OnlineWindow,
    card_page,
    page,
)
from inkan.counter.rules.terms import TERMS
from inkan.web.exchange import Exchange
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

CA_PATH: Final = "/ca"
HANDBOOK_PATH: Final = "/ca/handbook"
HELP_PATH: Final = "/help"


class Tried(StrEnum):
    """How much is known of a reader."""

    YES = "yes"
    NO = "no"


TRIED: Final = {
    Tried.YES: "Tried by us",
    Tried.NO: "Not tried by us",
}
"""English msgids."""


class ReaderRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``readers.toml``.

    Attributes:
        name: of the model or the kind, as its maker writes it.
        connection: how it is connected, and how it reads the card; English msgid.
        driver: what the computer needs for it; English msgid.
        tried: whether it was tried with this platform.
        source: who says that it works, where it was not tried; English msgid.
    """

    name: str
    connection: str
    driver: str
    tried: Tried
    source: str


class _Readers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    as_of: str
    reader: list[ReaderRow]


@lru_cache(maxsize=1)
def readers() -> _Readers:
    """The list of readers."""
    text = (files("inkan.counter") / "readers.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _Readers)


def routes(window: OnlineWindow) -> Group:
    """The menu of the window, and the pages that are read."""

    def shown(template: str, **facts: Any) -> Bare:
        async def endpoint(exchange: Exchange) -> Response:
            return card_page(exchange, window, template, **_PLACES, **facts)

        return page(endpoint)

    async def inquiries(exchange: Exchange) -> Response:
        offices = await window.counter.offices.offices()
        return card_page(
            exchange, window, "counter/online_inquiries.html", offices=offices, **_PLACES
        )

    async def terms(exchange: Exchange) -> Response:
        text = TERMS.text[exchange.language.value]
        return card_page(
            exchange,
            window,
            "counter/online_terms.html",
            version=TERMS.version,
            clauses=[_clause(line) for line in text.split("\n") if line.strip()],
        )

    listed = readers()
    return Group(
        surface=Surface.PAGES,
        limit=LOOKING,
        policy=window.policy,
        bare={
            ("GET", ONLINE_PATH): shown("counter/online.html"),
            ("GET", PREPARE_PATH): shown("counter/online_prepare.html"),
            ("GET", PIN_PATH): shown("counter/online_pin.html"),
            ("GET", READERS_PATH): shown(
                "counter/online_readers.html",
                readers=listed.reader,
                as_of=listed.as_of,
                tried=TRIED,
            ),
            ("GET", TERMS_PATH): page(terms),
            ("GET", INQUIRIES_PATH): page(inquiries),
        },
    )


def _clause(line: str) -> tuple[str, str, str]:
    """What stands before the first colon of a line of the terms, the colon, and the rest."""
    sign = "：" if "：" in line else ":"
    name, found, text = line.strip().partition(sign)
    return name, found, text.strip()


_PLACES: Final[dict[str, Any]] = {
    "revoke_path": REVOKE_PATH,
    "validity_path": VALIDITY_PATH,
    "card_path": CARD_PATH,
    "pin_path": PIN_PATH,
    "readers_path": READERS_PATH,
    "terms_path": TERMS_PATH,
    "inquiries_path": INQUIRIES_PATH,
    "ca_path": CA_PATH,
    "handbook_path": HANDBOOK_PATH,
    "help_path": HELP_PATH,
}
