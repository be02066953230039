"""Shared Signals: streams, their configuration on the wire, what is signalled, and the refusals.

Names of members are those of the OpenID Shared Signals Framework 1.0 (SSF).
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from inkan.kernel.errors import Conflict, Malformed, NotFound, TooMany
from inkan.kernel.ids import SystemID

PUSH_METHOD: Final = "urn:ietf:rfc:8935"
REQUESTED_LIMIT: Final = 32


class SignalType(StrEnum):
    """The event types that this transmitter sends, by their URI."""

    SESSION_REVOKED = "https://schemas.openid.net/secevent/caep/event-type/session-revoked"
    CREDENTIAL_CHANGE = "https://schemas.openid.net/secevent/caep/event-type/credential-change"
    CREDENTIAL_COMPROMISE = (
        "https://schemas.openid.net/secevent/risc/event-type/credential-compromise"
    )
    VERIFICATION = "https://schemas.openid.net/secevent/ssf/event-type/verification"


class StreamStatus(StrEnum):
    """SSF, Stream Status."""

    ENABLED = "enabled"
    PAUSED = "paused"  # events are kept and sent later
    DISABLED = "disabled"  # events are dropped


class Stream(msgspec.Struct, frozen=True):
    """One row: where the signals of one system go.

    Attributes:
        audience: the system's code, which the tokens name as ``aud``.
        events_requested: None when the receiver named none: it gets all.
        authorization: the sealed ``Authorization`` field of deliveries; None without one.
        verified_at: when the receiver last asked for a verification.
    """

    id: str
    system: SystemID
    audience: str
    status: StreamStatus
    endpoint_url: str
    authorization: bytes | None
    events_requested: list[str] | None
    description: str
    created_at: datetime
    verified_at: datetime | None
    version: int


class Signal(msgspec.Struct, frozen=True):
    """One event for one stream.

    Attributes:
        jti: of its token, the same at every try.
        subject: pairwise reference of the person; empty for the stream itself.
        sid: session that it is about; empty for all of the person's.
        claims: members of the event besides its time.
    """

    jti: str
    type: SignalType
    subject: str
    sid: str
    claims: dict[str, Any]
    occurred_at: datetime


# --- on the wire -----------------------------------------------------------------------------------------

_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_EventType = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
_EventTypes = Annotated[list[_EventType], msgspec.Meta(max_length=REQUESTED_LIMIT)]
_Line = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\Z")]
_FieldValue = Annotated[str, msgspec.Meta(max_length=1000, pattern=r"^[!-~][ -~]*\Z")]
_StreamID = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class Delivery(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a stream is delivered: by push (RFC 8935), to an address within the system's domain.

    Attributes:
        authorization_header: the ``Authorization`` field to send along; it is never read back.
    """

    method: Literal["urn:ietf:rfc:8935"]
    endpoint_url: _Address
    authorization_header: _FieldValue | UnsetType = UNSET


class StreamOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a receiver supplies to create a stream."""

    delivery: Delivery
    events_requested: _EventTypes | UnsetType = UNSET
    description: _Line = ""


class _Supplied(msgspec.Struct, frozen=True, kw_only=True):
    """The members that the transmitter supplies: where they stand in a request they must be as they are."""

    stream_id: _StreamID
    iss: str | UnsetType = UNSET
    aud: str | UnsetType = UNSET
    events_supported: list[str] | UnsetType = UNSET
    events_delivered: list[str] | UnsetType = UNSET
    min_verification_interval: int | UnsetType = UNSET


class StreamChange(_Supplied, frozen=True, kw_only=True):
    """A PATCH: what is absent stays."""

    delivery: Delivery | UnsetType = UNSET
    events_requested: _EventTypes | UnsetType = UNSET
    description: _Line | UnsetType = UNSET


class StreamReplacement(_Supplied, frozen=True, kw_only=True):
    """A PUT: what is absent falls back to its default."""

    delivery: Delivery
    events_requested: _EventTypes | UnsetType = UNSET
    description: _Line = ""


class StreamView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A stream's configuration as its receiver reads it."""

    stream_id: str
    iss: str
    aud: str
    delivery: Delivery
    events_supported: list[str]
    events_requested: list[str] | UnsetType = UNSET
    events_delivered: list[str]
    min_verification_interval: int
    description: str = ""


class StatusView(msgspec.Struct, frozen=True):
    """A stream's status as its receiver reads it."""

    stream_id: str
    status: StreamStatus


class StatusOrder(msgspec.Struct, frozen=True):
    """A receiver's wish for a status; the reason is for its own records."""

    stream_id: _StreamID
    status: StreamStatus
    reason: _Line = ""


class VerificationOrder(msgspec.Struct, frozen=True):
    """A receiver's wish for a verification event."""

    stream_id: _StreamID
    state: Annotated[str, msgspec.Meta(max_length=500)] | UnsetType = UNSET


class StreamNotFound(NotFound):
    """No stream of this system has this id."""

    code = "signals_stream_not_found"
    title = "There is no such stream"


class StreamExists(Conflict):
    """A system has one stream."""

    code = "signals_stream_exists"
    title = "The system has a stream already"


class StreamMoved(Conflict):
    """A rival changed the stream at this very moment."""

    code = "signals_stream_moved"
    title = "The stream was changed at this very moment"


class StreamRefused(Malformed):
    """The address is not one of the system's domain, or a member says something else than the stream."""

    code = "signals_stream_refused"
    title = "The configuration of the stream is not usable"


class StreamDisabled(Conflict):
    """Nothing is sent over a disabled stream, verification included."""

    code = "signals_stream_disabled"
    title = "The stream is disabled"


class VerificationTooOften(TooMany):
    """Sooner than ``min_verification_interval`` after the last request."""

    code = "signals_verification_too_often"
    title = "A verification was asked for a short while ago"
