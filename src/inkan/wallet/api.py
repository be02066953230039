"""The association files: which native apps may take the wallet's addresses (threat 3)."""

from datetime import timedelta
from typing import Final

import msgspec

from inkan.wallet.model import NativeApps
from inkan.wallet.rules import FILES
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import JSON, Response
from inkan.web.routes import Bare, Group, Surface

_LIFE_S: Final = int(timedelta(hours=1).total_seconds())
_OPEN: Final = open_to_all("phones ask for it before they have anybody")


def routes(apps: NativeApps) -> Group:
    """The group of the association files; they are made once, and never by a redirect (both systems refuse one)."""

    def serving(body: bytes) -> Bare:
        async def serve(_: Exchange) -> Response:
            cached = f"public, max-age={_LIFE_S}"
            return Response(200, body, media_type=JSON).with_header("cache-control", cached)

        return Bare(endpoint=serve, access=_OPEN)

    files = {path: msgspec.json.encode(made(apps)) for path, made in FILES.items()}
    bare = {("GET", path): serving(body) for path, body in files.items()}
    return Group(surface=Surface.API, bare=bare)
