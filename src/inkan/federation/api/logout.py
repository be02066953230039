"""``POST /openid/logout``: the form of another site's page, without cookies.

RP-Initiated Logout 1.0 §2 asks for GET and POST alike. A form that comes from another site is nobody's act here, so it
is turned into the GET, which the browser then sends itself and where every check stands.
"""

from datetime import timedelta
from typing import Final
from urllib.parse import urlencode

import msgspec

from inkan.federation.model.logout import LogoutWish
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface

PATH: Final = "/openid/logout"
_LIMIT: Final = RateLimit(name="openid-logout-form", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("leads to the page, which checks everything and asks the person")


def logout_routes() -> Group:
    """The group of the endpoint's POST."""

    async def post(exchange: Exchange) -> Response:
        wish = await exchange.form(LogoutWish)
        said = {name: value for name, value in msgspec.structs.asdict(wish).items() if value}
        return see_other(f"{PATH}?{urlencode(said)}" if said else PATH)

    return Group(
        surface=Surface.API,
        limit=_LIMIT,
        bare={("POST", PATH): Bare(endpoint=post, access=_OPEN)},
    )
