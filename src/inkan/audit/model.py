"""What the audit log is made of besides the bytes that leave it: heads, proofs, and what a verification finds.

Events and the payloads of heads are wire formats (``wire.audit_log``): whoever holds a proof reads them elsewhere.
"""

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeAlias, get_args

import msgspec

from inkan.kernel.errors import Malformed, NotFound, Unavailable
from inkan.kernel.ids import EventID
from inkan.wire.forms import OpaqueID, UseCase

NO_HEAD: Final = bytes(32)
"""What the first head names as the hash of the head before it."""

GENESIS: Final = bytes(32)
"""The chain value before the first event."""

_OPAQUE = re.compile(get_args(OpaqueID)[1].pattern)
_USE_CASE = re.compile(get_args(UseCase)[1].pattern)


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


class Recorded(msgspec.Struct, frozen=True):
    """An event just written, with the leaf hash under which proofs will show it (RFC 9162 §2.1.1)."""

    id: EventID
    leaf_hash: bytes


class Head(msgspec.Struct, frozen=True):
    """A signed statement of how the log looked; ``jws`` is what others keep and compare.

    ``is_certified`` says whether it carries its signer's chain (``x5c``): there is none before the ceremony.
    """

    number: int
    size: int
    root: bytes
    at: datetime
    previous: bytes
    jws: str
    is_certified: bool


class LogState(msgspec.Struct, frozen=True):
    """How far the log has come, without any verification.

    Attributes:
        size: events with an index.
        unsequenced: committed events without one.
        oldest: when the oldest of these happened; None when there is none.
        head: the newest signed head; None before the first.
    """

    size: int
    unsequenced: int
    oldest: datetime | None
    head: Head | None


class Inclusion(msgspec.Struct, frozen=True):
    """Proof that an event is in the log (RFC 9162 §2.1.3).

    Attributes:
        event: the leaf's bytes: canonical JSON of an event.
        salt: with the details it opens the event's ``details``.
        index: position of the leaf, from 0.
        tree_size: size under ``head``.
        path: sibling hashes from the leaf upwards.
        head: compact JWS of the head.
        is_certified: whether the head carries its signer's chain, so that others can check it.
    """

    event: bytes
    salt: bytes
    index: int
    tree_size: int
    path: list[bytes]
    head: str
    is_certified: bool


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
