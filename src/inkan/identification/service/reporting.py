"""The person says of a use: I did not start this (threat 2).

The report feeds what later prompts are judged by: this system's messages to this person stay silent for a day, and to
everybody when enough persons reported it. It is taken once per record, whatever door the use came by, and undoes
nothing: what was given was given.
"""

from inkan.approvals import UsageRecord
from inkan.audit import Actor
from inkan.identification.rules import PromptResult
from inkan.identification.service import prompts
from inkan.identification.service.parts import Parts
from inkan.kernel.ids import PersonID, SystemID
from inkan.store.database import Step


async def report(parts: Parts, person: PersonID, record_id: str, *, actor: Actor) -> UsageRecord:
    """Take the person's report; the record as it stands then. A second one changes nothing.

    Raises:
        RecordNotFound: unknown, or another person's: one answer.
    """
    return await parts.db.transact(_report, parts, person, record_id, actor)


def _report(parts: Parts, person: PersonID, record_id: str, actor: Actor) -> Step[UsageRecord]:
    record = yield from parts.approvals.held_record(person, record_id)
    if record.reported_at is not None:
        return record
    event = yield from parts.audit.record(
        "identification.use_reported",
        actor=actor,
        subject=person,
        object=record_id,
        details={"event": record.event_id},
    )
    reported = yield from parts.approvals.report(record, person, event=event)
    if record.detail is not None:
        yield from prompts.note(
            record.detail["session"],
            SystemID(record.detail["system"]),
            person,
            is_sent=False,
            is_paired=False,
            event=event,
            result=PromptResult.REPORTED,
        )
    return reported
