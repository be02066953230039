"""Push: a question reaches the phones of the person whom the relying party named (TW-46 to TW-50).

Creating a session only leaves a job: the work is the same for every person, known or not (threat 15). The worker
finds person and phones, writes down which phones may see the question, and has them woken, unless a quota or a
mute keeps this prompt silent. Sending again is the same job once more, with the same code and the same end.

Numbered plan of the job:

1. the session still waits: nobody has ended or withdrawn it, nor opened it within the last minute;
2. the person of the hint, if there is one;
3. the person's active phones, or the one that was named (TW-47, TW-48);
4. quotas and mutes decide whether a message goes out; the question waits in the wallet in any case;
5. one transaction: targets, the prompt's row, the audit event, and the messages in the outbox.
"""

import msgspec

from inkan.approvals import state_at
from inkan.audit import Actor, ActorKind
from inkan.enrolment import Phone, PhoneState, phone_topic
from inkan.identification import store
from inkan.identification.model import Session
from inkan.identification.rules import comparable
from inkan.identification.service import browsers, prompts
from inkan.identification.service.opening import release_stale
from inkan.identification.service.parts import Parts, read_session
from inkan.kernel.ids import PersonID, PhoneID
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.outbox import enqueue
from inkan.wire.session import SessionState

PUSH_JOB = "identification.push"


class PushJob(msgspec.Struct, frozen=True):
    """Which session's question is to be sent."""

    session: str


def order(session_id: str) -> Step[None]:
    """Step: leave the job that sends the question, the same for everybody."""
    yield from enqueue(PUSH_JOB, PushJob(session=session_id))


async def push(parts: Parts, job: PushJob) -> None:
    """Send the question of a session; see the plan of this module."""
    await parts.db.transact(_push, parts, job.session)


def _push(parts: Parts, session_id: str) -> Step[None]:
    moment = yield MOMENT
    session = read_session((yield store.BY_ID.one(key=session_id)))
    if session is None or session.is_withdrawn:
        return
    approval = yield from parts.approvals.get(session.approval)
    approval = yield from release_stale(parts, session, approval)
    if state_at(approval, moment) is not SessionState.PRESENTED:  # 1
        return
    person, only = yield from _person(parts, session)  # 2
    if person is None:
        return
    phones = yield from _phones(parts, session, person, only)  # 3
    if not phones:
        return
    yield from parts.people.hold(person)
    is_paired = yield from browsers.is_paired(session.terms.browser, person)
    is_sent = yield from prompts.may_send(session.system, person, is_paired=is_paired)  # 4
    event = yield from parts.audit.record(  # 5
        "identification.prompt_sent" if is_sent else "identification.prompt_kept_silent",
        actor=Actor(ActorKind.PLATFORM, "identification"),
        subject=person,
        object=session.id,
        details={"approval": approval.id, "phones": sorted(phones)},
    )
    yield from parts.approvals.aim(approval, phones)
    yield from prompts.note(
        session.id, session.system, person, is_sent=is_sent, is_paired=is_paired, event=event
    )
    for phone in phones:
        yield Wake(phone_topic(phone))
    if is_sent:
        left = max(1, int((approval.expires_at - moment).total_seconds()))
        yield from parts.notices.wake(phones=phones, handle=approval.id, ttl_s=left)


def _person(parts: Parts, session: Session) -> Step[tuple[PersonID | None, str | None]]:
    """Step: whom the hint names, and the one phone if it names a phone."""
    hint = session.hint or b""
    match session.hint_type:
        case "none":
            return None, None
        case "national_id":
            person = yield from parts.people.find_by_lookup(hint)
            return (person.id if person else None), None
        case "person_ref":
            found = yield from parts.people.find_by_reference(
                hint.decode(errors="replace"), sector=session.sector
            )
            return found, None
        case "phone_ref":
            pair = yield from parts.people.find_by_phone_reference(
                hint.decode(errors="replace"), sector=session.sector
            )
            return pair or (None, None)


def _phones(
    parts: Parts, session: Session, person: PersonID, only: str | None
) -> Step[list[PhoneID]]:
    phones: list[Phone] = yield from parts.enrolment.phones_of(person)
    wanted = session.terms.phone_name
    return [
        phone.id
        for phone in phones
        if phone.state is PhoneState.ACTIVE
        and only in (None, phone.id)
        and (not wanted or comparable(phone.name) == wanted)
    ]
