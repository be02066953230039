"""The audit log: who did what to what, written with the act itself and provable afterwards.

A use case joins ``Audit.record`` in its own transaction. One sequencer gives committed events their index, chains
their MACs and grows a Merkle tree (RFC 9162) whose heads are signed. ``docs/audit.md`` tells what that proves and
what it does not. Start with :class:`Audit`.
"""

from inkan.audit.model import (
    AuditLogBroken,
    EventNotCovered,
    EventUnknown,
    Finding,
    FindingKind,
    Head,
    Inclusion,
    LogState,
    Recorded,
    Report,
    SizeNotCovered,
)
from inkan.audit.rules import HEAD_KEY, SEQUENCE_EVERY
from inkan.audit.service import Audit
from inkan.wire.audit_log import Actor, ActorKind, Event

__all__ = [
    "HEAD_KEY",
    "SEQUENCE_EVERY",
    "Actor",
    "ActorKind",
    "Audit",
    "AuditLogBroken",
    "Event",
    "EventNotCovered",
    "EventUnknown",
    "Finding",
    "FindingKind",
    "Head",
    "Inclusion",
    "LogState",
    "Recorded",
    "Report",
    "SizeNotCovered",
]
