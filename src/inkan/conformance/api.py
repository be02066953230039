"""The RP API of the hostile platform: the routes that a relying party's back end calls, and no others.

Whoever proves himself is believed: how a relying party authenticates is tried in the sandbox, which refuses wrong proofs.
"""

from collections.abc import AsyncGenerator
from http import HTTPStatus
from typing import Final

import msgspec

from inkan.conformance.service import HostilePlatform, Order, Play, etag
from inkan.kernel.errors import Forbidden, Malformed
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.principal import open_to_all
from inkan.web.response import Response, created, ok
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.web.sse import ServerEvent, event_stream
from inkan.wire.binding import Door

LONGEST_WAIT_S: Final = 120
_ANYBODY: Final = open_to_all("the kit's platform holds nothing of anybody")


class Redemption(msgspec.Struct, frozen=True):
    """What the browser kept and brought back."""

    verifier: str
    return_code: str | None = None


class Routes:
    """The endpoints over one platform."""

    def __init__(self, platform: HostilePlatform) -> None:
        self._platform = platform

    def group(self) -> Group:
        """The rows of the route table."""
        session = "/v1/sessions/{id}"
        places: dict[tuple[str, str], Endpoint] = {
            ("POST", "/token"): self.token,
            ("POST", "/v1/sessions"): self.create,
            ("GET", session): self.read,
            ("GET", f"{session}/events"): self.events,
            ("POST", f"{session}/doors/{{door}}"): self.door,
            ("POST", f"{session}/redeem"): self.redeem,
            ("POST", f"{session}/cancel"): self.cancel,
            ("GET", f"{session}/receipt"): self.receipt,
            ("GET", f"{session}/evidence"): self.evidence,
            ("GET", "/v1/jwks.json"): self.keys,
        }
        bare = {
            place: Bare(endpoint=endpoint, access=_ANYBODY) for place, endpoint in places.items()
        }
        return Group(surface=Surface.API, bare=bare)

    async def token(self, exchange: Exchange) -> Response:
        """A token for whoever asks."""
        await exchange.body()
        value = random_bytes(24).hex()
        return ok({"access_token": value, "token_type": "DPoP", "expires_in": 600})

    async def create(self, exchange: Exchange) -> Response:
        """Open a session."""
        play, doors = self._platform.create(await exchange.json(Order))
        return created({"session": play.view(), "doors": doors})

    async def read(self, exchange: Exchange) -> Response:
        """The reading, held back up to ``wait`` seconds while it is the known one."""
        play = self._play(exchange)
        known = exchange.header("if-none-match")
        wait = exchange.query("wait") or "0"
        if not wait.isascii() or not wait.isdigit() or len(wait) > 3:
            raise Malformed("wait is seconds", where="/wait", expected="0 to 120")
        await self._platform.wait(play, seconds=min(int(wait), LONGEST_WAIT_S), known=known)
        if known == etag(play):
            return Response(HTTPStatus.NOT_MODIFIED).with_header("etag", etag(play))
        return ok(play.view()).with_header("etag", etag(play))

    async def events(self, exchange: Exchange) -> Response:
        """The readings as they come."""
        return event_stream(exchange, _events(self._play(exchange)))

    async def door(self, exchange: Exchange) -> Response:
        """A door, made or given again."""
        play = self._play(exchange)
        try:
            door = Door(exchange.parameters["door"])
        except ValueError:
            raise Malformed("no such door", where="/door", expected="a door") from None
        return ok(self._platform.door(play, door))

    async def redeem(self, exchange: Exchange) -> Response:
        """The withheld answer, for the browser that began."""
        play, brought = self._play(exchange), await exchange.json(Redemption)
        self._platform.redeem(play, brought.verifier, brought.return_code)
        return ok(play.view())

    async def cancel(self, exchange: Exchange) -> Response:
        """End a session."""
        return ok(self._platform.cancel(self._play(exchange)).view())

    async def receipt(self, exchange: Exchange) -> Response:
        """The receipt."""
        jws = self._platform.receipt(self._play(exchange))
        return Response(HTTPStatus.OK, jws.encode(), media_type="application/jose")

    async def evidence(self, exchange: Exchange) -> Response:
        """There is none: every purpose of the kit has evidence ``platform``."""
        self._play(exchange)
        raise Forbidden("the evidence stays with the platform")

    async def keys(self, _: Exchange) -> Response:
        """The public keys of webhooks."""
        return ok(self._platform.key_set())

    def _play(self, exchange: Exchange) -> Play:
        return self._platform.find(exchange.parameters["id"])


async def _events(play: Play) -> AsyncGenerator[ServerEvent, None]:
    while True:
        changed = play.changed
        yield ServerEvent(data=msgspec.json.encode(play.view()).decode(), name="session")
        if play.is_final:
            return
        await changed.wait()


def application(platform: HostilePlatform) -> Application:
    """The platform as an application under its issuer's origin."""
    site = Site(name="Conformance", origin=platform.issuer, groups=[Routes(platform).group()])
    equipment = Equipment(clock=platform.clock, csrf_key=Secret(random_bytes(32)))
    return build_app([site], equipment)
