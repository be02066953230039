"""What a page asks of a counter's card program: *look* and *run*, and what it may ask of any agent.

The forms are those of :mod:`inkan.client.card_agent.messages`.
"""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from inkan.client.card_agent.messages import Hello, Request, Status, Watch
from inkan.client.card_agent.refusals import AgentRequestMalformed, AgentRequestTooLarge
from inkan.client.card_manager.admission import TOKEN_LIMIT
from inkan.wire.documents import fault

LIMIT: Final = TOKEN_LIMIT + 1024
"""Octets of a request."""
COMMANDS: Final = frozenset({"look", "run"})


class Look(Request, frozen=True, kw_only=True, tag="look"):
    """The number of the card in the reader, and this terminal's id."""


class Run(Request, frozen=True, kw_only=True, tag="run"):
    """Carry out a command.

    Attributes:
        jws: the command, a compact JWS of the platform.
    """

    jws: Annotated[str, Meta(max_length=TOKEN_LIMIT)]


ManageRequest = Hello | Status | Watch | Look | Run

_decode = msgspec.json.Decoder(ManageRequest).decode


def parse_request(data: bytes) -> ManageRequest:
    """Return a page's request.

    Raises:
        AgentRequestTooLarge: longer than the longest command with its wrapping.
        AgentRequestMalformed: anything but the declared members of a known command.
    """
    if len(data) > LIMIT:
        raise AgentRequestTooLarge(limit_bytes=LIMIT)
    try:
        request: ManageRequest = _decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise fault(AgentRequestMalformed, error) from None
    return request


class _Named(msgspec.Struct):
    command: str


def is_managing(data: bytes) -> bool:
    """Whether a request, malformed or not, is one that only this program knows."""
    if len(data) > LIMIT:
        return False
    try:
        return msgspec.json.decode(data, type=_Named).command in COMMANDS
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
