"""From the keys in the card to the card in the hand (JPKI-21 steps 3 to 5).

Numbered plan:

1. the card answered with requests for its keys: the case takes the card, and the certificates are ordered, in the
   transaction that takes the answer (:func:`keys_made`);
2. the certificates are signed outside of any transaction, and the case says so (:func:`order`); after a crash in
   between the same call, by the clerk or by the sweep, goes on from there;
3. the card answered with the hashes of what it holds, which are those of the certificates (:func:`written`);
4. the fee is paid, the certificates are still good: the card is handed over, and the person's older card ends
   (:func:`hand_over`).

A change of the person's facts in between holds the person's row as each of these steps does: it comes before, and the
order names the new facts, or after, and the case is withdrawn with its certificates.
"""

import hashlib
import hmac
from collections.abc import Mapping

from inkan.audit import Actor
from inkan.counter.model import (
    CardAnswerRefused,
    CardState,
    CardTaken,
    Case,
    CaseOpenElsewhere,
    CaseOutOfOrder,
    CaseState,
    CaseStep,
    Clerk,
    FeeMissing,
)
from inkan.counter.rules import KINDS, PROFILES, UTC_OFFSET, VALID_YEARS
from inkan.counter.service import holding, reading
from inkan.counter.service.parts import Parts
from inkan.counter.service.reading import PLATFORM, actor_of, object_of
from inkan.counter.service.revoking import end_cards
from inkan.counter.store import cards as card_store
from inkan.counter.store import cases as store
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.kernel.calendar import last_instant
from inkan.kernel.sensitive import Personal
from inkan.pki import (
    CertificateNotIssued,
    CertificateOrder,
    CertificateState,
    HolderFacts,
    LintRefused,
    RevocationReason,
    SubjectName,
)
from inkan.store.database import MOMENT, Step

NAMED_KEY = "signature"
"""The key whose certificate names its holder; the other's holds the number only (WAT-59)."""


def order_key(case: Case, key: str) -> str:
    """The order of one certificate of a case; it names it for ever."""
    return f"{case.id}:{key}"


def proven_keys(requests: Mapping[str, str]) -> dict[str, bytes]:
    """SubjectPublicKeyInfo (DER) by key of PKCS #10 requests (base64url DER), each proved by its own signature.

    Raises:
        CardAnswerRefused: not one request for each key of a card, or one key for both.
        CSRTooLarge, CSRMalformed, CSRSignatureWrong, WeakKey, Base64URLMalformed: see
            :mod:`inkan.crypto.certificate_requests`.
    """
    if set(requests) != set(PROFILES):
        raise CardAnswerRefused(field="requests")
    keys = {
        key: verify_csr(parse_csr(base64url.decode(request))).spki
        for key, request in requests.items()
    }
    if len(set(keys.values())) != len(keys):
        raise CardAnswerRefused(field="requests")
    return keys


# --- 1 -------------------------------------------------------------------------------------------


def keys_made(
    parts: Parts, case: Case, card: str, keys: Mapping[str, bytes], *, actor: Actor = PLATFORM
) -> Step[Case]:
    """Step: the card made its keys; the case takes the card and orders its certificates.

    Raises:
        CaseOutOfOrder, SecondClerkNeeded: see :func:`inkan.counter.service.holding.verify_step`.
        OutsideJurisdiction, NotEligible: the person has moved, or has died, since the case was opened.
        CardTaken, CaseOpenElsewhere: see :func:`_claim`.
        KeyShared, OrderOutsideProfile, WeakKey: see :meth:`inkan.pki.PKI.order`.
    """
    holding.verify_step(case, CaseStep.MAKE_KEYS)
    yield from holding.verify_jurisdiction(parts, case.office, case.person)
    event = yield from parts.audit.record(
        "counter.card_keyed",
        actor=actor,
        subject=case.person,
        object=object_of(card),
        details={"case": case.id},
    )
    version = yield from _claim(parts, case, card, event)
    certificates = yield from _order(parts, case, card, keys)
    facts = yield from reading.facts_hashes(parts, case.person)
    yield card_store.KEY.run(
        key=card,
        seen=version,
        event=event,
        new_facts=facts[0],
        new_certificates=certificates,
        new_case=case.id,
    )
    yield store.MAKE_KEYS.run(
        key=case.id, seen=case.version, event=event, new_card=card, new_certificates=certificates
    )
    return (yield from holding.again(parts, case.id))


def verify_claim(parts: Parts, case: Case, card: str) -> Step[None]:
    """Step: whether a card may be used in this case: any blank one at first, only that one afterwards.

    Raises:
        CardTaken: it was made for somebody else, its certificates are still good, or the case has another.
        CaseOpenElsewhere: another case is making it at this moment.
    """
    if case.card is not None:
        if case.card != card:
            raise CardTaken()
        return
    row = yield card_store.HELD.one(key=card)
    known = reading.read_card(row)
    if known is None:
        return
    if known.person != case.person:
        raise CardTaken()
    if known.state is CardState.KEYED and known.case != case.id:
        raise CaseOpenElsewhere()
    moment = yield MOMENT
    for certificate in known.certificates.values():
        status = yield from parts.pki.find_status(certificate)
        if status is None or status.state is not CertificateState.VALID:
            continue
        if status.not_after >= moment:
            raise CardTaken()


def _claim(parts: Parts, case: Case, card: str, event: str) -> Step[int]:
    """Step: take a card for a case, its row held until COMMIT; returns the row's version."""
    moment = yield MOMENT
    made: int = yield card_store.INSERT.run(
        number=card,
        person=case.person,
        state=CardState.KEYED,
        facts=b"",
        certificates={},
        case=case.id,
        made_at=moment,
        version=1,
        event_id=event,
    )
    if made == 0:
        yield from verify_claim(parts, case, card)
    row = yield card_store.HELD.one(key=card)
    version: int = row.version
    return version


def _order(parts: Parts, case: Case, card: str, keys: Mapping[str, bytes]) -> Step[dict[str, str]]:
    """Step: order one certificate for each key; returns their ids by key."""
    moment = yield MOMENT
    person = yield from reading.living(parts, case.person)
    identity = yield from parts.people.get_identity(case.person)
    resident = yield from reading.resident(parts, case.person)
    number = person.subject_serial
    holder = HolderFacts(birth_date=identity.birth_date, sex=resident.sex, address=resident.address)
    certificates: dict[str, str] = {}
    for key, profile in PROFILES.items():
        is_named = key == NAMED_KEY
        name = identity.name if is_named else Personal(number)
        certificates[key] = yield from parts.pki.order(
            CertificateOrder(
                order_key=order_key(case, key),
                profile=profile,
                owner=object_of(card),
                subject=SubjectName(common_name=name, serial_number=number),
                spki=keys[key],
                not_after=last_instant(moment, years=VALID_YEARS, utc_offset=UTC_OFFSET),
                holder=holder if is_named else None,
            )
        )
    return certificates


# --- 2 -------------------------------------------------------------------------------------------


async def order(parts: Parts, case: Case) -> Case:
    """Sign what was ordered for a case; called again it goes on, or answers what is.

    Raises:
        CaseOutOfOrder: no keys were made, or the case has ended.
        LintRefused: a certificate cannot be issued; the case was withdrawn.
    """
    if case.state is CaseState.ORDERED:
        return case
    holding.verify_step(case, CaseStep.ORDER)
    try:
        for key in PROFILES:
            await parts.pki.complete(order_key(case, key))
    except (LintRefused, CertificateNotIssued) as refusal:
        await parts.db.transact(_give_up, parts, case, refusal.code)
        if isinstance(refusal, LintRefused):
            raise
        raise CaseOutOfOrder(state=CaseState.WITHDRAWN.value) from refusal
    return await parts.db.transact(_ordered, parts, case)


def _ordered(parts: Parts, known: Case) -> Step[Case]:
    case = yield from holding.held_open(parts, known.person, known.id)
    if case.state is CaseState.ORDERED:
        return case
    holding.verify_step(case, CaseStep.ORDER)
    event = yield from parts.audit.record(
        "counter.certificates_issued",
        actor=PLATFORM,
        subject=case.person,
        object=case.id,
        details={"certificates": case.certificates},
    )
    yield store.ORDER.run(key=case.id, seen=case.version, event=event)
    return (yield from holding.again(parts, case.id))


def _give_up(parts: Parts, known: Case, code: str) -> Step[None]:
    case = yield from holding.held_open(parts, known.person, known.id)
    if case.state is CaseState.KEYED:
        yield from holding.withdraw(parts, case, actor=PLATFORM, cause=code)


# --- 3 -------------------------------------------------------------------------------------------


def written(
    parts: Parts, case: Case, card: str, digests: Mapping[str, str], *, actor: Actor = PLATFORM
) -> Step[Case]:
    """Step: the card says what it holds (base64url SHA-256 by key), and that is what was issued for it.

    Raises:
        CaseOutOfOrder: another step is next.
        CardAnswerRefused: another card, or other certificates.
    """
    holding.verify_step(case, CaseStep.WRITE)
    if card != case.card:
        raise CardAnswerRefused(field="card")
    if set(digests) != set(case.certificates):
        raise CardAnswerRefused(field="certificates")
    for key, certificate in case.certificates.items():
        der = yield from parts.pki.certificate_der(certificate)
        issued = base64url.encode(hashlib.sha256(der).digest())
        if not hmac.compare_digest(issued.encode(), digests[key].encode()):
            raise CardAnswerRefused(field=key)
    event = yield from parts.audit.record(
        "counter.card_written",
        actor=actor,
        subject=case.person,
        object=object_of(card),
        details={"case": case.id, "sha256": dict(digests)},
    )
    yield store.WRITE.run(key=case.id, seen=case.version, event=event)
    return (yield from holding.again(parts, case.id))


# --- 4 -------------------------------------------------------------------------------------------


def hand_over(parts: Parts, clerk: Clerk, case_id: str) -> Step[Case]:
    """Step: card, copy and handbook are in the person's hands; the card works from now on, an older one no more.

    Raises:
        the refusals of :func:`inkan.counter.service.holding.held`.
        CaseOutOfOrder: the card is not written, or its certificates were revoked since.
        FeeMissing: nothing was paid (JPKI-19).
    """
    case = yield from holding.held(parts, clerk, case_id)
    holding.verify_step(case, CaseStep.HAND_OVER)
    if KINDS[case.kind].needs_fee and case.paid is None:
        raise FeeMissing()
    yield from reading.living(parts, case.person)
    assert case.card is not None
    row = yield card_store.HELD.one(key=case.card)
    for certificate in case.certificates.values():
        status = yield from parts.pki.hold_status(certificate)
        if status.state is not CertificateState.VALID:
            raise CaseOutOfOrder(state=case.state.value)
    yield from end_cards(
        parts,
        case.person,
        reason=RevocationReason.SUPERSEDED,
        actor=actor_of(clerk),
        states=frozenset({CardState.LIVE}),
    )
    event = yield from parts.audit.record(
        "counter.card_handed_over",
        actor=actor_of(clerk),
        subject=case.person,
        object=object_of(case.card),
        details={"case": case.id},
    )
    yield card_store.SET_STATE.run(
        key=case.card, seen=row.version, event=event, new_state=CardState.LIVE
    )
    yield store.HAND_OVER.run(key=case.id, seen=case.version, event=event)
    yield from parts.notices.notify(case.person, "card_handed_over", {})
    return (yield from holding.again(parts, case.id))
