"""The person's uses: the list, one of them, its place in the audit log, and all of them for taking away (TW-38)."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import msgspec

from inkan.approvals import UsageFilter, UsageRecord
from inkan.audit import EventNotCovered, Inclusion
from inkan.crypto import base64url, jose
from inkan.identification.service.parts import Parts
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PersonID
from inkan.wire.audit_log import HEAD_TYP, parse_head
from inkan.wire.forms import parse_moment
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome
from inkan.wire.use_proof import LoggedDetails, UsedRecord, UseProof, use_proof_bytes

EXPORT_PAGE = 200
_EVERY = UsageFilter()


class LogEntry(msgspec.Struct, frozen=True):
    """Where a use stands in the audit log, as the person reads it.

    Attributes:
        event: id of the audit event.
        index: position in the log, from 0; None until a head is signed over it, a minute at most.
        tree_size: events under that head.
        head_at: when it was signed.
        is_provable: whether the head carries its signer's chain, so that others can check the proof.
    """

    event: str
    index: int | None = None
    tree_size: int | None = None
    head_at: datetime | None = None
    is_provable: bool = False


async def newest(
    parts: Parts, person: PersonID, *, before: datetime | None, only: UsageFilter | None
) -> list[UsageRecord]:
    """The person's 50 newest usage records before that moment; by default all up to now."""
    until = before or parts.db.now() + timedelta(microseconds=1)
    return await parts.db.read(parts.approvals.records, person, before=until, only=only or _EVERY)


async def below(
    parts: Parts, person: PersonID, record_id: str, *, only: UsageFilter | None
) -> list[UsageRecord]:
    """The 50 usage records that follow one of the person's in the list."""
    return await parts.db.read(
        parts.approvals.records_below, person, record_id, only=only or _EVERY
    )


async def every(parts: Parts, person: PersonID) -> AsyncIterator[list[UsageRecord]]:
    """All usage records of the person, newest first, some at a time; what comes meanwhile is left out."""
    until = parts.db.now() + timedelta(microseconds=1)
    page = await parts.db.scan(parts.approvals.records, person, before=until, count=EXPORT_PAGE)
    while page:
        yield page
        page = await parts.db.scan(
            parts.approvals.records_below, person, page[-1].id, count=EXPORT_PAGE
        )


async def log_entry(parts: Parts, record: UsageRecord) -> LogEntry:
    """Where a use stands in the log."""
    try:
        found = await parts.audit.inclusion(record.event_id)
    except EventNotCovered:
        return LogEntry(event=record.event_id)
    head = parse_head(jose.parse_compact(found.head, typ=HEAD_TYP, optional=("x5c",)).payload)
    return LogEntry(
        event=record.event_id,
        index=found.index,
        tree_size=found.tree_size,
        head_at=parse_moment(head.at),
        is_provable=found.is_certified,
    )


async def use_proof(parts: Parts, person: PersonID, record_id: str) -> bytes:
    """What the person can show elsewhere: canonical JSON of :class:`inkan.wire.use_proof.UseProof`.

    Raises:
        RecordNotFound: unknown, or another person's: one answer.
        EventNotCovered: no head that others can check stands over it yet.
    """
    record = await parts.db.read(parts.approvals.record, person, record_id)
    found = await parts.audit.inclusion(record.event_id)
    if not found.is_certified:
        raise EventNotCovered(retry_after_s=60)
    return use_proof_bytes(_proof(record, found))


def _proof(record: UsageRecord, found: Inclusion) -> UseProof:
    detail = record.detail or {}
    details = msgspec.convert(record.logged, LoggedDetails) if record.logged else None
    reason = detail.get("reason")
    return UseProof(
        v=1,
        record=UsedRecord(
            id=record.id,
            at=rfc3339(record.at),
            session=detail.get("session"),
            relying_party=detail.get("relying_party"),
            domain=detail.get("domain"),
            outcome=Outcome(record.outcome),
            reason=Reason(reason) if reason else None,
        ),
        details=details,
        salt=base64url.encode(found.salt) if details else None,
        event=base64url.encode(found.event),
        index=found.index,
        tree_size=found.tree_size,
        path=tuple(base64url.encode(node) for node in found.path),
        head_jws=found.head,
    )
