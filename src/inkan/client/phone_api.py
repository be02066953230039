"""The Phone API as a phone calls it: JSON bodies, a DPoP proof by the channel key on every request.

Times inside one instance are the platform's: each answer that says ``now`` sets how far the platform is ahead of
this machine, which matters where an instance has travelled forward.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client.exchange import (
    TIMEOUT_S,
    Answer,
    Conversation,
    Request,
    ask,
    joined,
    verify_success,
)
from inkan.client.http import AsyncTransport
from inkan.client.repeating import repeated
from inkan.crypto import dpop, jwk
from inkan.kernel.clock import Clock
from inkan.wire.forms import parse_moment
from inkan.wire.shown import Language

T = TypeVar("T")
WAIT_MARGIN_S: Final = 15.0
# The platform's heartbeat comes every fifteen seconds.
STREAM_TIMEOUT_S: Final = 40.0


class Empty(msgspec.Struct, frozen=True):
    """An answer whose members nobody needs."""


class _Now(msgspec.Struct, frozen=True):
    now: str | None = None


class PhoneAPI:
    """One phone's way to the platform.

    Args:
        platform: origin of the platform.
        channel_key: signs the proofs.
        lang: the language of refusals.
        ahead_s: how far the platform was ahead of this machine when it last told its time.
    """

    def __init__(
        self,
        platform: str,
        channel_key: EllipticCurvePrivateKey,
        *,
        lang: Language,
        ahead_s: int,
        transport: AsyncTransport,
        clock: Clock,
    ) -> None:
        self.transport = transport
        self.clock = clock
        self._platform = platform
        self._channel_key = channel_key
        self._lang = lang
        self.ahead_s = ahead_s

    @property
    def channel_jkt(self) -> str:
        """The thumbprint of the channel key (RFC 7638)."""
        return jwk.thumbprint(self._channel_key.public_key())

    def now(self) -> datetime:
        """The platform's time, as far as its answers have told it; aware UTC."""
        return self.clock.wire_now() + timedelta(seconds=self.ahead_s)

    async def get(self, path: str, kind: type[T], *, wait_s: int = 0) -> T:
        """Read something; with ``wait_s`` the platform may hold the answer back so long.

        Raises:
            CallRefused: and its subclasses.
            PlatformUnreachable: also after repeating.
            AnswerMalformed: not of this kind.
        """
        query = f"?wait={wait_s}" if wait_s else ""
        conversation = repeated(
            lambda: self._call("GET", path + query, timeout_s=wait_s + WAIT_MARGIN_S)
        )
        return (await self.transport.run(conversation)).read(kind)

    async def post(
        self, path: str, body: Mapping[str, Any] | bytes, kind: type[T], *, again: bool = False
    ) -> T:
        """Send something; refusals as :meth:`get`.

        Args:
            path: under the platform's origin.
            body: JSON members, or the very bytes.
            kind: of the answer.
            again: the platform recognises the same bytes, so a lost answer may be asked for again.
        """
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        attempt = partial(self._call, "POST", path, body=data)
        answer = await self.transport.run(repeated(attempt) if again else attempt())
        return kind() if kind is Empty else answer.read(kind)

    def stream(self, path: str) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Open an event stream and hand out its bytes as they arrive; refusals as :meth:`get`."""
        request = self._request("GET", path, timeout_s=STREAM_TIMEOUT_S)
        return self.transport.stream(request)

    async def put(self, path: str, body: Mapping[str, Any]) -> None:
        """Set something; a lost answer is asked for again, since the same again changes nothing."""
        await self._set("PUT", path, msgspec.json.encode(body))

    async def delete(self, path: str) -> None:
        """Take something away; a lost answer is asked for again."""
        await self._set("DELETE", path, None)

    async def _set(self, method: str, path: str, body: bytes | None) -> None:
        await self.transport.run(repeated(partial(self._call, method, path, body=body)))

    def _call(
        self, method: str, path: str, *, body: bytes | None = None, timeout_s: float = TIMEOUT_S
    ) -> Conversation[Answer]:
        request = self._request(method, path, body=body, timeout_s=timeout_s)
        answer = yield from ask(request)
        self._learn_time(verify_success(answer))
        return answer

    def _request(
        self, method: str, path: str, *, body: bytes | None = None, timeout_s: float = TIMEOUT_S
    ) -> Request:
        url = joined(self._platform, path)
        proof = dpop.build_proof(
            self._channel_key, method=method, url=url, at=self.clock.wire_now()
        )
        headers = {"dpop": proof, "accept-language": str(self._lang)}
        if body is not None:
            headers["content-type"] = "application/json"
        return Request(method=method, url=url, headers=headers, body=body, timeout_s=timeout_s)

    def _learn_time(self, answer: Answer) -> None:
        told = answer.read(_Now).now if answer.body else None
        if told is not None:
            ahead = parse_moment(told) - self.clock.wire_now()
            self.ahead_s = max(round(ahead.total_seconds()), 0)
