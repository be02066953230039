"""Faults, injected where a relying party's request has been admitted and not yet answered.

Composed in a sandbox only. Every answer that was touched says so in ``inkan-sandbox-fault``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from inkan.kernel.ids import SystemID
from inkan.sandbox.service import Faults, Hit
from inkan.web.asgi import Send
from inkan.web.exchange import Around, Exchange
from inkan.web.principal import PrincipalKind
from inkan.web.response import Response

PREFIX: Final = "/v1/"
OWN_PREFIX: Final = "/v1/sandbox/"
HEADER: Final = b"inkan-sandbox-fault"


class Severed(Response):
    """An answer whose head arrives and whose body does not: the server closes the connection after it."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status, headers=answer.headers)
        self._answer = answer

    __slots__ = ("_answer",)

    async def send(self, send: Send, *, head: bool = False) -> None:
        """Send the head, and promise a body that never comes."""
        body = self._answer.body
        if not isinstance(body, bytes):
            await body.aclose()
        length = max(1, len(body)) if isinstance(body, bytes) else 1
        lines = [*self.headers, (b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": self.status, "headers": lines})


def around(faults: Faults) -> Around:
    """What stands around the endpoints of an instance with these faults."""

    async def carry_out(
        exchange: Exchange, endpoint: Callable[[Exchange], Awaitable[Response]]
    ) -> Response:
        hit = await _hit(exchange, faults)
        if hit is None or not hit.kinds:
            return await endpoint(exchange)
        exchange.response_headers.append((HEADER, ",".join(hit.kinds).encode()))
        await asyncio.sleep(hit.latency_s)
        if hit.refusal is not None:
            raise hit.refusal
        answer = await endpoint(exchange)
        return Severed(answer) if hit.drop else answer

    return carry_out


async def _hit(exchange: Exchange, faults: Faults) -> Hit | None:
    """What happens to this request; nothing to those of phones, persons and the sandbox's own routes."""
    template: str = exchange.route.template
    if not template.startswith(PREFIX) or template.startswith(OWN_PREFIX):
        return None
    principal = await exchange.find_principal()
    if principal is None or principal.kind is not PrincipalKind.SYSTEM:
        return None
    return faults.draw(SystemID(principal.id))
