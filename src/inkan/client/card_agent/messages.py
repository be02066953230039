"""What a page asks of the card agent and what it answers: the same members natively and over loopback.

A request is an object with ``id`` (the page's own number), ``command`` and the members of that command, and no other.
The answer names the id and holds ``answer`` or ``refusal``. Who asks is never a member of a page's request: natively the
extension wraps the request in an object that names the origin, over loopback the browser sends it as a header.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from inkan.client.card_agent.refusals import AgentRequestMalformed, AgentRequestTooLarge
from inkan.client.piv_layout import KeyUse
from inkan.kernel.errors import InkanError
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose
from inkan.wire.documents import fault
from inkan.wire.forms import Blob, Origin

REQUEST_LIMIT: Final = 8 * 1024
"""Octets of a request."""
SUBMISSION_LIMIT: Final = 68 * 1024
"""Octets of a request to sign a form: its content of at most 48 KiB takes 64 KiB in base64url."""
FRAME_LIMIT: Final = SUBMISSION_LIMIT + 1024
"""Octets of a request in the extension's wrapping."""

RequestId = Annotated[int, Meta(ge=1, le=2**31 - 1)]
ContentType = Annotated[str, Meta(max_length=64, pattern=r"^[0-9]+(?:\.[0-9]+)+\Z")]


class Request(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, tag_field="command"
):
    """What all requests have.

    Attributes:
        id: the page's number; the answer repeats it.
    """

    id: RequestId


class Hello(Request, frozen=True, kw_only=True, tag="hello"):
    """Is there an agent, and of which kind."""


class Status(Request, frozen=True, kw_only=True, tag="status"):
    """The readers, and which of them hold a card."""


class Watch(Request, frozen=True, kw_only=True, tag="watch"):
    """From now on tell of cards that come and go; natively only."""


class Certificates(Request, frozen=True, kw_only=True, tag="certificates"):
    """The certificate of a key and the authorities' certificates in the card."""

    key: KeyUse


class Sign(Request, frozen=True, kw_only=True, tag="sign"):
    """Sign a typed content.

    Attributes:
        content: base64url, the canonical bytes.
        content_type: dotted OID of its purpose.
        key: which key signs.
        photo: whether the SHA-256 of the photo in the card comes along; only a kiosk's pages get it (WAT-50).
    """

    content: Blob
    content_type: ContentType
    key: KeyUse
    photo: bool = False


class Tries(Request, frozen=True, kw_only=True, tag="tries"):
    """How many wrong PINs the card still forgives."""

    key: KeyUse


class ChangePIN(Request, frozen=True, kw_only=True, tag="change_pin"):
    """Have the person replace the PIN of a key, in the agent's dialog."""

    key: KeyUse


UseRequest = Hello | Status | Watch | Certificates | Sign | Tries | ChangePIN

_submission: Final = CONTENT_TYPES[CardPurpose.SUBMISSION]
_decode = msgspec.json.Decoder(UseRequest).decode


class Wrapped(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A native message: what the extension adds, and the page's request as it is.

    Attributes:
        origin: of the page, as the browser told the extension.
        request: its bytes.
    """

    origin: Origin
    request: msgspec.Raw


_decode_wrapped = msgspec.json.Decoder(Wrapped).decode


def parse_wrapped(data: bytes) -> tuple[str, bytes]:
    """Return origin and request of a native message.

    Raises:
        AgentRequestMalformed: it is none.
    """
    try:
        wrapped = _decode_wrapped(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise fault(AgentRequestMalformed, error) from None
    return wrapped.origin, bytes(wrapped.request)


def parse_request(data: bytes) -> UseRequest:
    """Return a page's request.

    Raises:
        AgentRequestTooLarge: more than 68 KiB, or more than 8 KiB and not the signature of a form.
        AgentRequestMalformed: anything but the declared members of a known command.
    """
    if len(data) > SUBMISSION_LIMIT:
        raise AgentRequestTooLarge(limit_bytes=SUBMISSION_LIMIT)
    try:
        request: UseRequest = _decode(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise fault(AgentRequestMalformed, error) from None
    is_form = isinstance(request, Sign) and request.content_type == _submission
    if len(data) > REQUEST_LIMIT and not is_form:
        raise AgentRequestTooLarge(limit_bytes=REQUEST_LIMIT)
    return request


class _Numbered(msgspec.Struct):
    id: RequestId


def request_id(data: bytes) -> int:
    """The number of a request that may be malformed otherwise; 0 when it has none that can be read."""
    if len(data) > SUBMISSION_LIMIT:
        return 0
    try:
        return msgspec.json.decode(data, type=_Numbered).id
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return 0


def answer(number: int, members: Mapping[str, Any]) -> bytes:
    """The answer to request ``number``."""
    return msgspec.json.encode({"id": number, "answer": members})


def refusal(number: int, error: InkanError) -> bytes:
    """The refusal of request ``number`` (0: of whatever was asked) with the facts that callers may see."""
    said = {"code": error.code, "facts": error.public_facts}
    return msgspec.json.encode({"id": number, "refusal": said})


def event(name: str, reader: str) -> bytes:
    """A card came (``inserted``) or went (``removed``)."""
    return msgspec.json.encode({"event": name, "reader": reader})
