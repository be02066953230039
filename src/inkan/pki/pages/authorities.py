"""The authorities with their thumbprints (JPKI-36 to JPKI-39), the sheet to be printed, and the check of a file.

A thumbprint is worth as much as the way on which it was learned. So there are two ways that one attacker does not
hold at once: this site, and the printed handbook that is handed out at the counter (JPKI-37).
"""

from typing import Final

from inkan.kernel.errors import InkanError
from inkan.pki.pages.parts import (
    CHECKING,
    LOOKING,
    answer,
    form,
    page,
    sent_certificate,
    told,
)
from inkan.pki.pages.texts import PLACES, ROLES
from inkan.pki.service.forest import Place, Tree
from inkan.pki.service.showing import Showing
from inkan.web.exchange import Exchange
from inkan.web.response import Response
from inkan.web.routes import Group, Surface
from inkan.web.uploads import read_upload

PATH: Final = "/ca"
HANDBOOK_PATH: Final = "/ca/handbook"
CHECK_PATH: Final = "/ca/check"
_PRINTED: Final = frozenset({Place.ROOT, Place.AUTHORITY, Place.CROSS})


def routes(showing: Showing) -> Group:
    """The picture and the printed sheet."""

    async def authorities(exchange: Exchange) -> Response:
        return _page(exchange, showing)

    async def handbook(exchange: Exchange) -> Response:
        everyone = showing.authorities().all()
        return exchange.page(
            "pki/handbook.html",
            roots=[each for each in everyone if each.place is Place.ROOT],
            others=[each for each in everyone if each.place in _PRINTED - {Place.ROOT}],
            places=PLACES,
            ca_path=PATH,
        )

    return Group(
        surface=Surface.PAGES,
        limit=LOOKING,
        bare={("GET", PATH): page(authorities), ("GET", HANDBOOK_PATH): page(handbook)},
    )


def check_routes(showing: Showing) -> Group:
    """The check of a file for browsers without scripts; with them the file never leaves the browser."""

    async def begin(exchange: Exchange) -> Response:
        return _page(exchange, showing)

    async def check(exchange: Exchange) -> Response:
        try:
            found = showing.find_own(sent_certificate(await read_upload(exchange)))
        except InkanError as refusal:
            return _page(exchange, showing, refusal=told(refusal))
        return _page(exchange, showing, found=found, outcome="ours" if found else "stranger")

    return Group(
        surface=Surface.PAGES,
        limit=CHECKING,
        bare={("GET", CHECK_PATH): page(begin), ("POST", CHECK_PATH): form(check)},
    )


def _page(
    exchange: Exchange,
    showing: Showing,
    *,
    found: Tree | None = None,
    outcome: str = "",
    refusal: InkanError | None = None,
) -> Response:
    return answer(
        exchange,
        "pki/authorities.html",
        refusal,
        forest=showing.authorities(),
        found=found,
        outcome=outcome,
        roles=ROLES,
        places=PLACES,
        check_path=CHECK_PATH,
        handbook_path=HANDBOOK_PATH,
    )
