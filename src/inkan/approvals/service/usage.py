"""Usage records: what a person reads about each answer (TW-38, DOC-06).

The detail rests sealed. Beside it stands a keyed hash of person and system, so that the uses of one asker are found
without opening the others; both are erased together.
"""

from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import store
from inkan.approvals.model import (
    RecordNotFound,
    ReportedUse,
    UsageFilter,
    UsageRecord,
    UsageResult,
)
from inkan.approvals.rules import RECORDS_PAGE
from inkan.approvals.service.rows import (
    Opener,
)
from inkan.kernel.ids import EventID, PersonID, new_id
from inkan.store.database import MOMENT, Step
from inkan.store.plan import Row
from inkan.store.sealing import SealedColumn, Sealer
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome

DETAIL = SealedColumn("approvals_record", "detail")
ASKER = "approvals_record.asker"
EVERY = UsageFilter()


class Asker(msgspec.Struct, frozen=True):
    """A relying party's system that has asked a person.

    Attributes:
        name, domain: as the newest use has them.
        uses: how many records there are.
    """

    system: str
    name: str
    domain: str
    uses: int


class UsageRecords:
    """Usage records of one instance; the detail is sealed and erasable."""

    def __init__(self, *, sealer: Sealer) -> None:
        """Seal the details of records with ``sealer``."""
        self._sealer = sealer

    def note_use(
        self,
        *,
        opener: Opener,
        outcome: Outcome,
        detail: dict[str, Any],
        event: EventID,
        logged: dict[str, Any] | None = None,
    ) -> Step[str]:
        """Step: write the person's usage record (TW-38, DOC-06); its detail is sealed and erasable.

        A use that was answered with "I did not start this" is reported from its first moment.

        Args:
            opener: whose use, and by which phone.
            outcome: how it ended.
            detail: what the person reads.
            event: the audit event of the use.
            logged: the details that this event commits to, where the person may know them all.
        """
        record_id = new_id("use")
        plain = msgspec.json.encode(detail | {"logged": logged})
        sealed = self._sealer.seal(DETAIL, record_id, plain)
        moment = yield MOMENT
        system = detail.get("system")
        is_reported = detail.get("reason") == Reason.USER_REPORTED_FRAUD
        yield store.INSERT_RECORD.run(
            id=record_id,
            person=opener.person,
            phone=opener.phone,
            at=moment,
            outcome=outcome,
            detail=sealed,
            event_id=event,
            asker=self._sealer.lookup(ASKER, _asker(opener.person, system)) if system else None,
            reported_at=moment if is_reported else None,
            report_event=event if is_reported else None,
        )
        return record_id

    def records(
        self,
        person: PersonID,
        *,
        before: datetime,
        only: UsageFilter = EVERY,
        count: int = RECORDS_PAGE,
    ) -> Step[list[UsageRecord]]:
        """Step: the person's newest usage records before that moment, newest first."""
        return (yield from self._listed(person, only, count, at=before))

    def records_below(
        self,
        person: PersonID,
        record_id: str,
        *,
        only: UsageFilter = EVERY,
        count: int = RECORDS_PAGE,
    ) -> Step[list[UsageRecord]]:
        """Step: the usage records that follow one of the person's in the list; none below an unknown one."""
        mark = yield store.RECORD_OF.one(key=person, record_id=record_id)
        if mark is None:
            return []
        return (yield from self._listed(person, only, count, at=mark.at, record_id=record_id))

    def record(self, person: PersonID, record_id: str) -> Step[UsageRecord]:
        """Step: one of the person's usage records.

        Raises:
            RecordNotFound: unknown, or another person's: one answer.
        """
        row = yield store.RECORD_OF.one(key=person, record_id=record_id)
        if row is None:
            raise RecordNotFound()
        return self._record(row)

    def held_record(self, person: PersonID, record_id: str) -> Step[UsageRecord]:
        """Step: :meth:`record`, held until COMMIT so that it is reported once."""
        row = yield store.HELD_RECORD.one(key=person, record_id=record_id)
        if row is None:
            raise RecordNotFound()
        return self._record(row)

    def report(self, record: UsageRecord, person: PersonID, *, event: EventID) -> Step[UsageRecord]:
        """Step: write down that the person did not start this use.

        Raises:
            RecordNotFound: it was reported before, or is not the person's; hold it first.
        """
        touched = yield store.REPORT.run(key=person, record_id=record.id, event=event)
        if not touched:
            raise RecordNotFound()
        moment = yield MOMENT
        return msgspec.structs.replace(record, reported_at=moment)

    def reported(self, *, count: int) -> Step[list[ReportedUse]]:
        """Step: the uses that anybody reported, the latest report first; for staff (threat 2)."""
        rows = yield store.REPORTED.all(count=count)
        return [ReportedUse(self._record(row), PersonID(row.person)) for row in rows]

    def reported_use(self, record_id: str) -> Step[ReportedUse]:
        """Step: one use that was reported.

        Raises:
            RecordNotFound: unknown, or never reported: one answer.
        """
        row = yield store.REPORTED_ONE.one(key=record_id)
        if row is None:
            raise RecordNotFound()
        return ReportedUse(self._record(row), PersonID(row.person))

    def askers(self, person: PersonID) -> Step[list[Asker]]:
        """Step: who has asked the person, the latest first, at most 200; what was erased names nobody."""
        rows = yield store.ASKERS_OF.all(key=person)
        found: dict[str, Asker] = {}
        for row in rows:
            detail = self._record(row).detail
            if detail is not None and detail["system"] not in found:
                system = detail["system"]
                found[system] = Asker(
                    system=system,
                    name=detail["relying_party"],
                    domain=detail["domain"],
                    uses=row.uses,
                )
        return list(found.values())

    def erase_records(self, person: PersonID) -> Step[int]:
        """Step: drop the sealed details; the commitments in the audit stay verifiable."""
        touched: int = yield store.ERASE_RECORDS.run(key=person)
        return touched

    def _listed(
        self, person: PersonID, only: UsageFilter, count: int, **start: Any
    ) -> Step[list[UsageRecord]]:
        """Step: one page; while keys change, an asker's rows stand under each of them."""
        reported = only.result is UsageResult.REPORTED
        pick = store.Pick(
            is_below="record_id" in start,
            has_asker=only.system is not None,
            result="reported" if reported else "outcome" if only.result else "any",
        )
        parameters = {"key": person, "count": count, **start}
        if pick.result == "outcome":
            parameters["outcome"] = str(only.result)
        if only.system is None:
            rows = yield store.RECORDS[pick].all(**parameters)
        else:
            rows = []
            for asker in self._sealer.lookups(ASKER, _asker(person, only.system)):
                rows += yield store.RECORDS[pick].all(**parameters, asker=asker)
            rows.sort(key=lambda row: row.id)
            rows.sort(key=lambda row: row.at, reverse=True)
        return [self._record(row) for row in rows[:count]]

    def _record(self, row: Row) -> UsageRecord:
        detail, logged = None, None
        if row.detail is not None:
            plain = self._sealer.open(DETAIL, row.id, row.detail)
            detail = msgspec.json.decode(plain.reveal())
            logged = detail.pop("logged", None)
        return UsageRecord(
            id=row.id,
            at=row.at,
            phone=row.phone,
            outcome=row.outcome,
            event_id=row.event_id,
            detail=detail,
            reported_at=row.reported_at,
            logged=logged,
        )


def _asker(person: PersonID, system: str) -> str:
    """Of this person and this system: two persons of one asker share no hash."""
    return f"{person}/{system}"
