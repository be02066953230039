"""Usage records: what a person reads about each answer (TW-38, DOC-06)."""

from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import store
from inkan.approvals.model import UsageRecord
from inkan.approvals.service.rows import (
    Opener,
)
from inkan.kernel.ids import EventID, PersonID, new_id
from inkan.store.database import MOMENT, Step
from inkan.store.sealing import SealedColumn, Sealer
from inkan.wire.session import Outcome

DETAIL = SealedColumn("approvals_record", "detail")


class UsageRecords:
    """Usage records of one instance; the detail is sealed and erasable."""

    def __init__(self, *, sealer: Sealer) -> None:
        """Seal the details of records with ``sealer``."""
        self._sealer = sealer

    def note_use(
        self, *, opener: Opener, outcome: Outcome, detail: dict[str, Any], event: EventID
    ) -> Step[str]:
        """Step: write the person's usage record (TW-38, DOC-06); its detail is sealed and erasable."""
        record_id = new_id("use")
        sealed = self._sealer.seal(DETAIL, record_id, msgspec.json.encode(detail))
        moment = yield MOMENT
        yield store.INSERT_RECORD.run(
            id=record_id,
            person=opener.person,
            phone=opener.phone,
            at=moment,
            outcome=outcome,
            detail=sealed,
            event_id=event,
        )
        return record_id

    def records(self, person: PersonID, *, before: datetime) -> Step[list[UsageRecord]]:
        """Step: the person's 50 newest usage records before that moment, newest first."""
        rows = yield store.RECORDS_OF.all(key=person, before=before)
        return [self._record(row) for row in rows]

    def records_below(self, person: PersonID, record_id: str) -> Step[list[UsageRecord]]:
        """Step: the 50 usage records that follow one of the person's in the list; none below an unknown one."""
        mark = yield store.RECORD_OF.one(key=person, record_id=record_id)
        if mark is None:
            return []
        rows = yield store.RECORDS_BELOW.all(key=person, at=mark.at, record_id=record_id)
        return [self._record(row) for row in rows]

    def erase_records(self, person: PersonID) -> Step[int]:
        """Step: drop the sealed details; the commitments in the audit stay verifiable."""
        touched: int = yield store.ERASE_RECORDS.run(key=person)
        return touched

    def _record(self, row: Any) -> UsageRecord:
        detail = None
        if row.detail is not None:
            plain = self._sealer.open(DETAIL, row.id, row.detail)
            detail = msgspec.json.decode(plain.reveal())
        return UsageRecord(
            id=row.id,
            at=row.at,
            phone=row.phone,
            outcome=row.outcome,
            event_id=row.event_id,
            detail=detail,
        )
