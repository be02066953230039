"""What a clerk does with a visit beside the card itself: open, identify, confirm, take the fee, end."""

from datetime import timezone

from inkan.counter.model import (
    CardNumberUnknown,
    Case,
    CaseKind,
    CaseOpenElsewhere,
    CaseOutOfOrder,
    CaseState,
    CaseStep,
    Clerk,
    FeeMissing,
    PhotoDocument,
    ReportCause,
    ResidentUnknown,
    SameClerk,
    TermsNotAccepted,
)
from inkan.counter.rules import (
    CASE_LIFE,
    FEE,
    KINDS,
    MACHINE,
    REASON_OF_CAUSE,
    TERMS,
    UTC_OFFSET,
    is_hidden_my_number,
    verify_document,
)
from inkan.counter.service import holding, reading, shifts
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import actor_of
from inkan.counter.service.revoking import end_cards
from inkan.counter.store import cases as store
from inkan.kernel.identifiers import NationalID
from inkan.kernel.ids import new_id
from inkan.people import Identity, MyNumberRefused, verify_free_text
from inkan.store.database import MOMENT, Step


def open_case(parts: Parts, clerk: Clerk, kind: CaseKind, national_id: NationalID) -> Step[Case]:
    """Step: open a case for a resident of the clerk's municipality.

    Raises:
        ClerkNotOnDuty: the clerk's shift has not begun, or has ended.
        ResidentUnknown: nobody has this number, or nobody recorded where the person lives.
        NotEligible: the person is recorded as deceased.
        OutsideJurisdiction: the person lives elsewhere (JPKI-08).
        SameClerk: it would be the clerk's own.
        CaseOpenElsewhere: the person has an open case, at this office or another.
    """
    present = yield from shifts.on_duty(clerk.account)
    person = yield from parts.people.find_by_national_id(national_id)
    if person is None:
        raise ResidentUnknown()
    if person.id == present.person:
        raise SameClerk()
    yield from parts.people.hold(person.id)
    yield from reading.living(parts, person.id)
    yield from holding.verify_jurisdiction(parts, present.office, person.id)
    moment = yield MOMENT
    case_id = new_id("cas")
    event = yield from parts.audit.record(
        "counter.case_opened",
        actor=actor_of(present),
        subject=person.id,
        object=case_id,
        details={"kind": kind.value, "office": present.office},
    )
    made = yield store.INSERT.run(
        id=case_id,
        kind=kind,
        state=MACHINE.start,
        office=present.office,
        clerk=present.account,
        person=person.id,
        live=store.LIVE,
        card=None,
        document=None,
        confirmed_by=None,
        terms_version=None,
        paid=None,
        cause=None,
        certificates={},
        command_sha256=None,
        command_act=None,
        command_terminal=None,
        command_expires_at=None,
        created_at=moment,
        expires_at=moment + CASE_LIFE,
        closed_at=None,
        version=1,
        event_id=event,
    )
    if made == 0:
        raise CaseOpenElsewhere()
    return (yield from holding.again(parts, case_id))


def listed(parts: Parts, clerk: Clerk) -> Step[list[Case]]:
    """Step: the open cases of the clerk's office, the newest first."""
    rows = yield store.OPEN_OF_OFFICE.all(office=clerk.office)
    cases = (reading.read_case(parts, row) for row in rows)
    return [case for case in cases if case is not None]


async def holder(parts: Parts, clerk: Clerk, case_id: str) -> Identity:
    """Who the person of an open case is, to be compared with the document; the person can read who looked (HCA-48)."""
    case = await parts.db.transact(holding.held, parts, clerk, case_id)
    reason = f"counter case {case.id}"
    return await parts.people.reveal(case.person, actor=actor_of(clerk), reason=reason)


def identify(
    parts: Parts, clerk: Clerk, case_id: str, document: PhotoDocument, terms_version: str | None
) -> Step[Case]:
    """Step: the person showed a document with a photo, and accepted the terms where the kind of case needs that.

    The case is from now on the clerk's who looked, whoever opened it: the second pair of eyes is somebody else's.

    Raises:
        MyNumberRefused: the document's number is a My Number, which the counter must not keep (WAT-62).
        PhotoDocumentMissing: the document has ended today, or its number has no form that documents have.
        TermsNotAccepted: not the present terms (JPKI-07).
    """
    number = document.number.reveal()
    verify_free_text(number, where="number")
    if is_hidden_my_number(number):
        raise MyNumberRefused(where="number")
    case = yield from holding.held(parts, clerk, case_id)
    holding.verify_step(case, CaseStep.IDENTIFY)
    moment = yield MOMENT
    today = moment.astimezone(timezone(UTC_OFFSET)).date()
    verify_document(document, today=today)
    needs_terms = KINDS[case.kind].needs_terms
    if needs_terms and terms_version != TERMS.version:
        raise TermsNotAccepted()
    accepted = terms_version if needs_terms else None
    event = yield from parts.audit.record(
        "counter.person_identified",
        actor=actor_of(clerk),
        subject=case.person,
        object=case.id,
        details={
            "document": document.kind.value,
            "chip_read": document.chip_read,
            "terms": accepted,
        },
    )
    yield store.IDENTIFY.run(
        key=case.id,
        seen=case.version,
        event=event,
        new_clerk=clerk.account,
        new_document=reading.seal_document(parts, case.id, document),
        new_terms_version=accepted,
    )
    return (yield from holding.again(parts, case.id))


def confirm(parts: Parts, clerk: Clerk, case_id: str) -> Step[Case]:
    """Step: a second clerk of the office, on duty, looked at person and document as well.

    Raises:
        SameClerk: the clerk who identified the person.
        CaseOutOfOrder: the person is not identified, keys were made already, or somebody confirmed before.
    """
    case = yield from holding.held(parts, clerk, case_id)
    present = yield from shifts.on_duty(clerk.account)
    if present.account == case.clerk:
        raise SameClerk()
    if case.state is not CaseState.IDENTIFIED or not holding.needs_second_clerk(case):
        raise CaseOutOfOrder(state=case.state.value)
    event = yield from parts.audit.record(
        "counter.person_confirmed", actor=actor_of(present), subject=case.person, object=case.id
    )
    yield store.CONFIRM.run(key=case.id, seen=case.version, event=event, new_clerk=present.account)
    return (yield from holding.again(parts, case.id))


def pay(parts: Parts, clerk: Clerk, case_id: str, amount: int) -> Step[Case]:
    """Step: the fee was taken (JPKI-19); recorded once.

    Raises:
        FeeMissing: another amount than the table's.
        CaseOutOfOrder: nothing is to pay for this kind of case, or it is paid.
    """
    case = yield from holding.held(parts, clerk, case_id)
    if not KINDS[case.kind].needs_fee or case.paid is not None:
        raise CaseOutOfOrder(state=case.state.value)
    if amount != FEE:
        raise FeeMissing()
    event = yield from parts.audit.record(
        "counter.fee_paid",
        actor=actor_of(clerk),
        subject=case.person,
        object=case.id,
        details={"amount": amount},
    )
    yield store.PAY.run(key=case.id, seen=case.version, event=event, new_paid=amount)
    return (yield from holding.again(parts, case.id))


def withdraw(parts: Parts, clerk: Clerk, case_id: str) -> Step[Case]:
    """Step: end an open case; its certificates are revoked, and its card counts as ended."""
    case = yield from holding.held(parts, clerk, case_id)
    return (yield from holding.withdraw(parts, case, actor=actor_of(clerk), cause="withdrawn"))


def revoke(parts: Parts, clerk: Clerk, case_id: str, cause: ReportCause) -> Step[Case]:
    """Step: end every card of the person, whether it lies on the desk or not (JPKI-24, JPKI-25).

    Raises:
        CaseOutOfOrder: the person is not identified, or the case is of another kind.
        CardNumberUnknown: the person has no card in use.
    """
    case = yield from holding.held(parts, clerk, case_id)
    holding.verify_step(case, CaseStep.REVOKE)
    ended = yield from end_cards(
        parts, case.person, reason=REASON_OF_CAUSE[cause], actor=actor_of(clerk)
    )
    if not ended:
        raise CardNumberUnknown()
    event = yield from parts.audit.record(
        "counter.revocation_accepted",
        actor=actor_of(clerk),
        subject=case.person,
        object=case.id,
        details={"cause": cause.value, "cards": [card.number for card in ended]},
    )
    certificates = ended[0].certificates  # the newest card's: what the acceptance notice names
    yield store.REVOKE.run(
        key=case.id,
        seen=case.version,
        event=event,
        new_cause=cause,
        new_certificates=certificates,
    )
    return (yield from holding.again(parts, case.id))
