"""What somebody sees who opens an address of the wallet where no wallet takes it."""

from typing import Final

from inkan.wallet.rules import ADDRESSES
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

_OPEN: Final = open_to_all("the page says what the address is for, and never sees its fragment")


def routes() -> Group:
    """The group of the wallet's addresses; a phone's wallet takes them before a browser asks."""

    async def explain(exchange: Exchange) -> Response:
        return exchange.page("wallet/address.html")

    return Group(
        surface=Surface.PAGES,
        bare={("GET", path): Bare(endpoint=explain, access=_OPEN) for path in ADDRESSES},
    )
