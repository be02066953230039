"""What a push message says: an opaque handle, and nothing else (design §5.4, threat 28).

The phone asks the platform over its own channel what waits; a push service, which may keep messages and tell who
is woken when, learns neither who asks nor what for. The JSON is padded inside the encryption, so that every message
has one length.
"""

import re
from typing import Final

import msgspec

from inkan.kernel.errors import Malformed

PADDED: Final = 128
"""Octets of the record before encryption; every wake-up fills them exactly."""
HANDLE_LIMIT: Final = 64

_HANDLE: Final = re.compile(rf"[A-Za-z0-9_-]{{16,{HANDLE_LIMIT}}}")


class WakeUpMalformed(Malformed):
    """Not ``{"h": handle}``."""

    code = "wake_up_malformed"
    title = "The push message is not one of this service"
    public = ()


class _WakeUp(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    h: str


def is_handle(text: str) -> bool:
    """Whether a text can be sent as a handle: 16 to 64 letters of base64url."""
    return _HANDLE.fullmatch(text) is not None


def wake_up_bytes(handle: str) -> bytes:
    """Return the message of a handle.

    Raises:
        ValueError: not a handle, a mistake of the caller.
    """
    if not is_handle(handle):
        raise ValueError("a handle is 16 to 64 letters of base64url")
    return msgspec.json.encode(_WakeUp(handle))


def parse_wake_up(data: bytes) -> str:
    """Return the handle of a message.

    Raises:
        WakeUpMalformed: another form.
    """
    try:
        handle = msgspec.json.decode(data, type=_WakeUp).h
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise WakeUpMalformed from None
    if not is_handle(handle) or msgspec.json.encode(_WakeUp(handle)) != data:
        raise WakeUpMalformed
    return handle
