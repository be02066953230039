"""What travels between the pool and a child: msgpack messages behind a four-byte length (big-endian).

A refusal travels as code, detail and facts and is raised again on the other side as the same leaf of the error
tree; anything else that a job raises is a failure of the job and says only where it happened.
"""

import struct
from collections.abc import Callable
from typing import Any, BinaryIO, Final

import msgspec

MAX_FRAME_SIZE: Final = 32 * 1024 * 1024
HEADER: Final = struct.Struct(">I")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One job for a child.

    Attributes:
        job: its name in the table of contracts.
        arguments: msgpack of the contract's argument struct.
        seconds: after how long the child ends itself, should the pool not do it.
    """

    job: str
    arguments: msgspec.Raw
    seconds: float


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The child has imported its libraries and waits for calls."""


class Done(msgspec.Struct, frozen=True, kw_only=True, tag="done"):
    """The job's result, msgpack of the contract's result struct."""

    value: msgspec.Raw


class Refused(msgspec.Struct, frozen=True, kw_only=True, tag="refused"):
    """The job refused, with a leaf of the error tree."""

    code: str
    detail: str
    facts: dict[str, Any]


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """The job broke; ``detail`` names exception, file and line, never data."""

    detail: str


Reply = Ready | Done | Refused | Failed

encode: Final = msgspec.msgpack.Encoder().encode
decode_call: Final[Callable[[bytes], Call]] = msgspec.msgpack.Decoder(Call).decode
decode_reply: Final[Callable[[bytes], Reply]] = msgspec.msgpack.Decoder(Reply).decode


def frame(message: Call | Reply) -> bytes:
    """Return the bytes of one message, its length in front."""
    data = encode(message)
    return HEADER.pack(len(data)) + data


def read_frame(stream: BinaryIO) -> bytes | None:
    """Return the next message's bytes, or None at the end of the stream (blocking; for a child)."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    (size,) = HEADER.unpack(header)
    data = stream.read(size)
    return data if len(data) == size else None
