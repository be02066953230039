"""The second half of a binding: the card's signature is checked, the slot taken, the certificates issued.

Numbered plan (design §5.2 steps 4 and 5):

1. the same bytes as accepted before get the stored answer; other bytes for an accepted request are refused
   (threat 5: one `auth` and one `sign` certificate, whatever the number of tries);
2. the message was signed by a card of the scheme: intact, valid, trusted, content type, policy, key usage,
   term, revocation; an unreachable status source accepts nothing;
3. what was signed is this request's content: nonce, audience, purpose, keys, credential, channel key; a
   changed key is named as such (threat 6);
4. the card's subject serial number finds a person, who lives and is eligible on the scheme's local day
   (TW-08);
5. one transaction: the nonce is consumed (prepared → accepted), no phone of the person is young, a free slot
   is taken by its key (or a suspended phone gives up its own), the phone is written down, the certificates are
   ordered, the notices queued;
   At a kiosk the card's signature (1 to 4) comes first and the phone's word about it later; see
   :mod:`inkan.enrolment.service.kiosk` and :mod:`inkan.enrolment.service.registering`;
6. the certificates are issued, and the phone becomes active; a crash leaves a job that goes on from there.
   What can never be issued gives the slot back and ends the request.
"""

import hashlib
from datetime import datetime, timedelta

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.crypto.path import KeyUsage
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.enrolment import store
from inkan.enrolment.model import (
    ChannelKeyTaken,
    ContentDiffers,
    KeySubstituted,
    NoFreeSlot,
    NonceUsed,
    PersonUnknown,
    Phone,
    PhoneState,
    PhoneYoung,
    Request,
    RequestState,
)
from inkan.enrolment.model.kiosk import SignedCard
from inkan.enrolment.rules import profile_of_key
from inkan.enrolment.service import phones
from inkan.enrolment.service.finishing import (
    FINISH_JOB,
    Accepted,
    FinishJob,
    finish,
    job_key,
    order_key,
)
from inkan.enrolment.service.parts import (
    NO_CERTIFICATES,
    Parts,
    phones_of,
    scheme_of,
    topic,
)
from inkan.enrolment.service.requests import held, require
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PhoneID, new_id
from inkan.people import Identity, NotEligible, Person, PersonState, verify_eligible
from inkan.pki import (
    CertificateOrder,
    RevocationReason,
    SubjectName,
)
from inkan.schemes import Scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.outbox import enqueue
from inkan.wire import enrolment_request as wire

MAKE_UP_AFTER = timedelta(seconds=10)


KEY_USAGES = {
    "digital_signature": KeyUsage.DIGITAL_SIGNATURE,
    "content_commitment": KeyUsage.CONTENT_COMMITMENT,
}


class Case(msgspec.Struct, frozen=True):
    """A signed request that passed every check that needs no lock, on its way into the database."""

    request: Request
    scheme: Scheme
    card: SignedCard
    person: Person
    identity: Identity


async def submit(parts: Parts, request: Request, cms: bytes) -> Accepted:
    """Take the card's signature over a request; see the plan of this module.

    Raises:
        NonceUsed, EnrolmentExpired, EnrolmentOutOfOrder: 1.
        the refusals of :meth:`inkan.pki.PKI.verify_request`: 2.
        ContentDiffers, KeySubstituted: 3.
        PersonUnknown, NotEligible: 4.
        PhoneYoung, NoFreeSlot, ChannelKeyTaken, KeyShared: 5.
        LintRefused: 6.
    """
    digest = base64url.encode(hashlib.sha256(cms).digest())
    if request.state in (RequestState.ACCEPTED, RequestState.ISSUED):  # 1
        if request.cms_sha256 != digest:
            raise NonceUsed()
        return await finish(parts, request.id)
    case = await judge(parts, request, cms)  # 2, 3, 4
    await parts.db.transact(accept, parts, case, RequestState.PREPARED)  # 5
    return await finish(parts, request.id)  # 6


async def judge(parts: Parts, request: Request, cms: bytes) -> Case:
    """Steps 2 to 4 of the plan: what a card signed for a prepared request, and whose card it is.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder: the request is over or stands elsewhere.
        the refusals of :meth:`inkan.pki.PKI.verify_request`: 2.
        ContentDiffers, KeySubstituted: 3.
        PersonUnknown, NotEligible: 4.
    """
    require(request, RequestState.PREPARED, parts.db.now())
    scheme = scheme_of(request)
    card = await parts.pki.verify_request(  # 2
        cms,
        content_type=wire.CONTENT_TYPES[wire.Purpose.BIND],
        profile=profile_of_card(scheme),
        key_usage=KEY_USAGES[scheme.card.key_usage],
    )
    _verify_content(request, card.content)  # 3
    signed = SignedCard(
        authority=card.authority,
        serial=card.serial,
        subject_serial=card.subject_serial,
        cms_sha256=card.cms_sha256,
    )
    return await case_of(parts, request, signed)


async def case_of(parts: Parts, request: Request, card: SignedCard) -> Case:
    """Step 4: the person of a verified card, who lives and is eligible now.

    Raises:
        PersonUnknown, NotEligible.
    """
    person, identity = await parts.db.read(_person, parts, card)
    scheme = scheme_of(request)
    verify_eligible(scheme, identity, now=parts.db.now())
    return Case(request=request, scheme=scheme, card=card, person=person, identity=identity)


def profile_of_card(scheme: Scheme) -> str:
    """The profile of the card certificates that sign the scheme's requests; named like their policy."""
    return scheme.card.policy.replace("_", "-")


def _verify_content(request: Request, content: bytes) -> None:
    """Compare what the card signed with what it was given, and name the difference."""
    assert request.content is not None
    if content == request.content.encode():
        return
    signed = wire.parse_bind(content)
    given = wire.parse_bind(request.content.encode())
    names = given.__struct_fields__
    field = next(name for name in names if getattr(signed, name) != getattr(given, name))
    if field == "keys":
        raise KeySubstituted()
    raise ContentDiffers(field=field)


def _person(parts: Parts, card: SignedCard) -> Step[tuple[Person, Identity]]:
    person = yield from parts.people.find_by_serial(card.subject_serial)
    if person is None:
        raise PersonUnknown()
    verify_alive(person)
    identity = yield from parts.people.get_identity(person.id)
    return person, identity


def verify_alive(person: Person) -> None:
    """Nobody binds or renews with the card or the phone of somebody who died.

    Raises:
        NotEligible: the person is recorded as deceased.
    """
    if person.state is PersonState.DECEASED:
        raise NotEligible(rule="deceased")


def accept(parts: Parts, case: Case, stands: RequestState) -> Step[None]:
    """Step: 5, for a request that stands at ``stands``.

    Raises:
        NonceUsed, EnrolmentExpired, EnrolmentOutOfOrder, PhoneYoung, NoFreeSlot, ChannelKeyTaken.
    """
    scheme, card, person = case.scheme, case.card, case.person
    moment = yield MOMENT
    request = yield from held(case.request.id)
    if request.cms_sha256 == card.cms_sha256:
        return  # a rival submission of the same bytes was first
    if request.cms_sha256 is not None:
        raise NonceUsed()
    require(request, stands, moment)
    phone_id = PhoneID(new_id("phn"))
    event = yield from parts.audit.record(
        "enrolment.accepted",
        actor=Actor(ActorKind.PERSON, person.id),
        subject=person.id,
        object=phone_id,
        details={
            "request": request.id,
            "cms_sha256": card.cms_sha256,
            "card": {"authority": card.authority, "serial": card.serial},
        },
    )
    yield store.ACCEPT.run(
        key=request.id,
        seen=request.version,
        stands=stands,
        event=event,
        new_cms_sha256=card.cms_sha256,
        new_phone=phone_id,
    )
    # The slot first: a rival of the same person waits here, and then sees the young phone.
    slot = yield from _take_slot(parts, person, scheme, phone_id)
    others = yield from phones_of(person.id, scheme.name)
    require_no_young(others, moment)
    yield from _write_phone(case, phone_id, slot=slot, event=event)
    yield store.PHOTO_OF_PHONE.run(key=request.id, new_phone=phone_id, event=event)
    yield from _order(parts, case, phone_id)
    yield from parts.notices.notify(
        person.id,
        "phone_bound",
        {"phone": request.phone_name or ""},
        phones=[other.id for other in others],
        contacts_before=request.created_at,
    )
    yield from enqueue(
        FINISH_JOB,
        FinishJob(request=request.id),
        key=job_key(request.id),
        due=moment + MAKE_UP_AFTER,
    )
    yield Wake(topic(request.id))


def require_no_young(others: list[Phone], now: datetime) -> None:
    """Raises PhoneYoung while one of a person's phones is new (design §5.2 step 6)."""
    for phone in others:
        if phone.young_until > now:
            raise PhoneYoung(until=rfc3339(phone.young_until))


def _take_slot(parts: Parts, person: Person, scheme: Scheme, phone_id: PhoneID) -> Step[int]:
    """Take the first free slot by its key (TW-29): no count, so no race (threat 9).

    When none is free, the oldest suspended phone is revoked for it: whoever froze or lost everything proves
    themself with the card again (design §5.2 step 9).
    """
    for number in scheme.slots:
        if (yield from _take(person, scheme, phone_id, number)):
            return number
    moment = yield MOMENT
    held = yield from phones_of(person.id, scheme.name)
    require_no_young(held, moment)
    for phone in held:
        if phone.state is not PhoneState.SUSPENDED:
            continue
        yield from phones.revoke(
            parts,
            phone,
            reason=RevocationReason.SUPERSEDED,
            actor=Actor(ActorKind.PERSON, person.id),
        )
        if (yield from _take(person, scheme, phone_id, phone.slot)):
            return phone.slot
    raise NoFreeSlot(slots=scheme.phone.slots)


def _take(person: Person, scheme: Scheme, phone_id: PhoneID, number: int) -> Step[bool]:
    """Step: take one slot; False when it holds a phone."""
    taken: int = yield store.TAKE_SLOT.run(
        person=person.id, scheme=scheme.name, slot=number, phone=phone_id
    )
    return taken == 1


def _write_phone(case: Case, phone_id: PhoneID, *, slot: int, event: str) -> Step[None]:
    request, scheme, card, person = case.request, case.scheme, case.card, case.person
    moment = yield MOMENT
    prepared = request.prepared
    assert prepared is not None
    made = yield store.INSERT_PHONE.run(
        id=phone_id,
        person=person.id,
        scheme=scheme.name,
        slot=slot,
        name=request.phone_name,
        state=PhoneState.ISSUING,
        version=1,
        channel_jkt=request.channel_jkt,
        credential_id=prepared.credential_id,
        cose_key=prepared.cose_key,
        sign_count=prepared.sign_count,
        backup_eligible=prepared.backup_eligible,
        attested=prepared.attested,
        back_end=request.back_end,
        certificates=NO_CERTIFICATES,
        pending=NO_CERTIFICATES,
        parent_authority=card.authority,
        parent_serial=card.serial,
        parent_checked_at=moment,
        bound_at=moment,
        young_until=scheme.young_until(moment),
        asserted_at=moment,
        event_id=event,
    )
    if not made:
        raise ChannelKeyTaken()


def _order(parts: Parts, case: Case, phone_id: PhoneID) -> Step[None]:
    request, scheme = case.request, case.scheme
    moment = yield MOMENT
    prepared = request.prepared
    assert prepared is not None
    assert request.back_end is not None
    binding = binding_value(prepared.credential_id, prepared.cose_key, phone_id)
    for key in prepared.keys:
        yield from parts.pki.order(
            CertificateOrder(
                order_key=order_key(request.id, key.use),
                profile=profile_of_key(request.back_end, key.use),
                owner=phone_id,
                subject=SubjectName(
                    common_name=case.identity.name,
                    serial_number=case.person.subject_serial,
                ),
                spki=key.spki,
                not_after=scheme.term_end(moment),
                binding=binding,
            )
        )


def binding_value(credential_id: bytes, cose_key: bytes, phone_id: PhoneID) -> bytes:
    """The value of the certificates' binding extension (design §5.2 step 3)."""
    digest = hashlib.sha256(credential_id + cose_key).digest()
    return encode_phone_binding(PhoneBinding(credential_sha256=digest, binding_id=phone_id))
