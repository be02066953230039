"""What the audit log is made of: actors, events, heads, proofs, and what a verification finds.

An event says who did what to what, in opaque ids only. Names, national IDs and free text have no field here;
what describes the act besides (a reason, a digest, a code) goes in as a salted hash of its details.
"""

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, Literal, TypeAlias

import msgspec

from inkan.kernel.errors import Malformed, NotFound, Unavailable
from inkan.kernel.ids import EventID

HEAD_TYPE: Final = "inkan-audit-head+jws"
"""``typ`` of a signed head."""

NO_HEAD: Final = bytes(32)
"""What the first head names as the hash of the head before it."""

GENESIS: Final = bytes(32)
"""The chain value before the first event."""

_OPAQUE = re.compile(r"[a-z][a-z0-9_.:/-]{0,95}")
_USE_CASE = re.compile(r"[a-z][a-z_]*\.[a-z][a-z_]*")


class EventUnknown(NotFound):
    """No event has this id."""

    code = "event_unknown"
    title = "There is no such audit event"


class EventNotCovered(Unavailable):
    """The event is in no signed head yet; that takes a minute at most."""

    code = "event_not_covered"
    title = "The proof for this entry is not ready yet"


class SizeNotCovered(Malformed):
    """A consistency proof leads from one size to an equal or larger one that the log has reached."""

    code = "audit_size_not_covered"
    title = "The audit log has no proof between these sizes"
    public = ("size",)


class AuditLogBroken(Unavailable):
    """The log's stored state contradicts itself; nothing more is put into it until an operator has looked."""

    code = "audit_log_broken"
    title = "The audit log is damaged"


class ActorKind(StrEnum):
    """Who acts. ``operator`` is somebody at the command line, ``platform`` a schedule or a reaction."""

    PERSON = "person"
    PHONE = "phone"
    SYSTEM = "system"
    STAFF = "staff"
    OPERATOR = "operator"
    PLATFORM = "platform"


class Actor(msgspec.Struct, frozen=True):
    """Who acts, by an opaque id: ``Actor(ActorKind.PHONE, phone_id)``."""

    kind: ActorKind
    id: str


class Event(msgspec.Struct, frozen=True):
    """One act as it stands in the tree; its canonical JSON (RFC 8785) is the leaf.

    Attributes:
        v: version of this form.
        id: the event's id.
        at: microseconds since 1970 by the instance's time.
        use_case: ``feature.use_case``.
        actor: who acted.
        subject: the person that it is about, if any.
        object: the thing that it was done to, if any.
        details: base64url of SHA-256(salt ‖ canonical JSON of the details).
    """

    v: Literal[1]
    id: EventID
    at: int
    use_case: str
    actor: Actor
    subject: str | None
    object: str | None
    details: str


class Recorded(msgspec.Struct, frozen=True):
    """An event just written, with the leaf hash under which proofs will show it (RFC 9162 §2.1.1)."""

    id: EventID
    leaf_hash: bytes


class HeadPayload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is signed in a head, as canonical JSON.

    Attributes:
        number: 0 for the first head, then without gaps.
        size: events under the head.
        root: base64url of the Merkle tree hash of the first ``size`` events (RFC 9162 §2.1.1).
        at: RFC 3339, seconds, UTC.
        previous: base64url of SHA-256 over the compact JWS of the head before, zeros for the first.
    """

    v: Literal[1]
    number: int
    size: int
    root: str
    at: str
    previous: str


class Head(msgspec.Struct, frozen=True):
    """A signed statement of how the log looked; ``jws`` is what others keep and compare."""

    number: int
    size: int
    root: bytes
    at: datetime
    previous: bytes
    jws: str


class Inclusion(msgspec.Struct, frozen=True):
    """Proof that an event is in the log (RFC 9162 §2.1.3).

    Attributes:
        event: the leaf's bytes: canonical JSON of :class:`Event`.
        index: position of the leaf, from 0.
        tree_size: size under ``head``.
        path: sibling hashes from the leaf upwards.
        head: compact JWS of the head.
    """

    event: bytes
    index: int
    tree_size: int
    path: list[bytes]
    head: str


class FindingKind(StrEnum):
    """What a verification can find wrong."""

    EVENT = "event"
    TIP = "tip"
    TREE = "tree"
    HEAD = "head"
    FORGED = "forged"
    UNSEQUENCED = "unsequenced"
    STATE_WITHOUT_EVENT = "state_without_event"


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong.

    Attributes:
        kind: where it was seen.
        where: index, head number, tile, event id, or ``feature: row``.
        what: one English sentence for the operator.
        index: the first event that it touches, where there is one.
    """

    kind: FindingKind
    where: str
    what: str
    index: int | None = None


class Report(msgspec.Struct, frozen=True):
    """What ``audit verify`` found; ``pending`` are events so young that the sequencer may not have come by."""

    events: int
    heads: int
    pending: int
    findings: list[Finding]

    @property
    def is_intact(self) -> bool:
        """Whether nothing at all was found."""
        return not self.findings

    @property
    def broken_at(self) -> int | None:
        """The first index whose chain, tree or head does not hold."""
        return min((f.index for f in self.findings if f.index is not None), default=None)


def verify_opaque(text: str | None) -> str | None:
    """Return an id that may stand in an event: it starts with a lower-case letter and is ASCII without blanks.

    Names, national IDs (upper case) and My Numbers (digits) do not have this form, so that a caller's slip
    fails in its first test and not in an inspection.

    Raises:
        ValueError: another form, a mistake of the program.
    """
    if text is not None and _OPAQUE.fullmatch(text) is None:
        raise ValueError("an audit event holds opaque ids only")
    return text


@lru_cache(maxsize=1024)
def verify_use_case(text: str) -> str:
    """Return ``feature.use_case``.

    Raises:
        ValueError: another form, a mistake of the program.
    """
    if _USE_CASE.fullmatch(text) is None:
        raise ValueError("a use case is written feature.use_case")
    return text


Details: TypeAlias = dict[str, Any]
"""What describes an act besides its ids: canonical JSON values; only its salted hash is kept."""
