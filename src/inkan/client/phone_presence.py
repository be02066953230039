"""Requests that the platform answers only when the phone's owner was verified in the last ten minutes (design §5.6)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeVar

import msgspec

from inkan.client.exchange import CallRefused
from inkan.client.phone_api import Empty
from inkan.client.phone_parts import PhoneParts
from inkan.crypto import base64url

T = TypeVar("T")
PRESENCE_REQUIRED: Final = "verification_stale"


class _Challenge(msgspec.Struct, frozen=True):
    challenge: str


async def show_presence(parts: PhoneParts) -> None:
    """Verify the person and tell the platform, which remembers it for ten minutes.

    Raises:
        UserNotVerified: the person was not recognised.
    """
    begun = await parts.api.post("/phone/v1/assertions/begin", {}, _Challenge)
    assertion = parts.assert_person(base64url.decode(begun.challenge))
    await parts.api.post("/phone/v1/assertions", msgspec.structs.asdict(assertion), Empty)


async def get_with_presence(parts: PhoneParts, path: str, kind: type[T]) -> T:
    """Read something, verifying the person first where the platform asks for it."""
    return await _with_presence(parts, lambda: parts.api.get(path, kind))


async def post_with_presence(
    parts: PhoneParts, path: str, body: Mapping[str, Any], kind: type[T]
) -> T:
    """Send something, verifying the person first where the platform asks for it."""
    return await _with_presence(parts, lambda: parts.api.post(path, body, kind))


async def _with_presence(parts: PhoneParts, call: Callable[[], Awaitable[T]]) -> T:
    try:
        return await call()
    except CallRefused as refused:
        if refused.problem.code != PRESENCE_REQUIRED:
            raise
    await show_presence(parts)
    return await call()
