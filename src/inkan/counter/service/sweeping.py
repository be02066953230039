"""What nobody goes on with is finished or ended; what a change of facts or a death ends."""

from inkan.audit import Actor
from inkan.counter.model import Case, CaseKind
from inkan.counter.service import holding, issuing, reading
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import PLATFORM
from inkan.counter.service.revoking import end_card, end_cards
from inkan.counter.store import cards as card_store
from inkan.counter.store import cases as store
from inkan.counter.store.residents import RESIDENT
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PersonID
from inkan.pki import CertificateRevoked, RevocationReason
from inkan.store.database import Step
from inkan.store.query import Query


async def sweep(parts: Parts) -> None:
    """End every case that has run out, and issue what a crash left ordered.

    A card whose case has run out stays behind with keys: its certificates are revoked, it is marked, and the card
    program finds it by its number and clears it. Each case is a transaction of its own; one that fails waits for
    nobody and is tried again at the next sweep.
    """
    for case_id in await parts.db.scan(_ids, store.EXPIRED):
        try:
            await parts.db.transact(_expire, parts, case_id)
        except InkanError:
            continue  # a clerk was faster, or the next sweep is
    for case_id in await parts.db.scan(_ids, store.UNORDERED):
        try:
            case = await parts.db.read(holding.again, parts, case_id)
            await issuing.order(parts, case)
        except InkanError:
            continue


def _ids(query: Query) -> Step[list[str]]:
    rows = yield query.all()
    return [row.id for row in rows]


def _expire(parts: Parts, case_id: str) -> Step[None]:
    known = yield from holding.again(parts, case_id)
    case = yield from holding.held_open(parts, known.person, case_id)
    yield from holding.withdraw(parts, case, actor=PLATFORM, cause="expired")


def purge() -> Step[None]:
    """Step: forget the photo documents of cases that were closed long enough ago (``DOCUMENT_LIFE``)."""
    yield store.PURGE_DOCUMENTS.run()


def end_of_certificate(parts: Parts, revoked: CertificateRevoked) -> Step[None]:
    """Step: somebody revoked a certificate by itself: its card ends with it, and an issue under way is withdrawn.

    A certificate on hold may become good again, and ends nothing. Neither does one of the keys that the card had
    before: a card is made anew under its old number.
    """
    number = reading.number_of(revoked.owner)
    card = reading.read_card((yield card_store.CARD.one(key=number))) if number else None
    reason = RevocationReason(revoked.reason)
    if card is None or reason is RevocationReason.CERTIFICATE_HOLD:
        return
    yield from parts.people.hold(card.person)
    card = reading.read_card((yield card_store.CARD.one(key=card.number)))
    if card is None or revoked.certificate not in card.certificates.values():
        return
    if (yield from end_card(parts, card.number, reason=reason, actor=PLATFORM)) is None:
        return
    for case in (yield from _open_cases(parts, card.person)):
        if case.kind is CaseKind.ISSUE and case.card == card.number:
            yield from holding.withdraw(parts, case, actor=PLATFORM, cause="certificate_revoked")


def end_of_facts(parts: Parts, person: PersonID, *, actor: Actor) -> Step[int]:
    """Step: end every card of a person whose certificates name what is no longer true (JPKI-12).

    Called after the facts were changed, in their transaction or after it, and as often as one likes: a card that
    names the present facts stays. An issue under way is withdrawn once its certificates were ordered; before that
    it goes on with the new facts.

    Returns:
        How many cards ended.
    """
    yield from parts.people.hold(person)
    ended = yield from end_cards(
        parts,
        person,
        reason=RevocationReason.AFFILIATION_CHANGED,
        actor=actor,
        true_facts=(yield from reading.facts_hashes(parts, person)),
    )
    numbers = {card.number for card in ended}
    for case in (yield from _open_cases(parts, person)):
        if case.kind is CaseKind.ISSUE and case.card in numbers:
            yield from holding.withdraw(parts, case, actor=actor, cause="facts_changed")
    return len(ended)


def end_of_identity(parts: Parts, person: PersonID, *, actor: Actor = PLATFORM) -> Step[None]:
    """Step: the name or birth date of somebody changed a moment ago; who is no resident has no card."""
    if (yield RESIDENT.one(person=person)) is not None:
        yield from end_of_facts(parts, person, actor=actor)


def end_of_person(parts: Parts, person: PersonID) -> Step[None]:
    """Step: somebody died: their cards and their open case end."""
    yield from parts.people.hold(person)
    yield from end_cards(
        parts, person, reason=RevocationReason.CESSATION_OF_OPERATION, actor=PLATFORM
    )
    for case in (yield from _open_cases(parts, person)):
        yield from holding.withdraw(parts, case, actor=PLATFORM, cause="deceased")


def _open_cases(parts: Parts, person: PersonID) -> Step[list[Case]]:
    rows = yield store.OPEN_OF_PERSON.all(person=person)
    cases = (reading.read_case(parts, row) for row in rows)
    return [case for case in cases if case is not None]
