"""The second half of a binding: the card's signature is checked, the slot taken, the certificates issued.

Numbered plan (design §5.2 steps 4 and 5):

1. the same bytes as accepted before get the stored answer; other bytes for an accepted request are refused
   (threat 5: one `auth` and one `sign` certificate, whatever the number of tries);
2. the message was signed by a card of the scheme: intact, valid, trusted, content type, policy, key usage,
   term, revocation; an unreachable status source accepts nothing;
3. what was signed is this request's content: nonce, audience, purpose, keys, credential, channel key; a
   changed key is named as such (threat 6);
4. the card's subject serial number finds a person, who is eligible on the scheme's local day (TW-08);
5. one transaction: the nonce is consumed (prepared → accepted), no phone of the person is young, a free slot
   is taken by its key, the phone is written down, the certificates are ordered, the notices queued;
6. the certificates are issued, and the phone becomes active; a crash leaves a job that goes on from there.
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
    EnrolmentExpired,
    EnrolmentNotFound,
    EnrolmentOutOfOrder,
    KeySubstituted,
    NoFreeSlot,
    NonceUsed,
    PersonUnknown,
    Phone,
    PhoneBound,
    PhoneState,
    PhoneYoung,
    Request,
    RequestState,
)
from inkan.enrolment.service.binding import state_at
from inkan.enrolment.service.parts import (
    NO_CERTIFICATES,
    PLATFORM,
    Certificates,
    Parts,
    encode_certificates,
    phone_certificate,
    phones_of,
    read_phone,
    read_request,
    scheme_of,
    topic,
)
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PhoneID, new_id
from inkan.people import Identity, Person, verify_eligible
from inkan.pki import CardRequest, CertificateOrder, SubjectName
from inkan.schemes import Scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.store.outbox import cancel, enqueue
from inkan.wire import enrolment_request as wire

FINISH_JOB = "enrolment.finish"
MAKE_UP_AFTER = timedelta(seconds=10)
KEY_USAGES = {
    "digital_signature": KeyUsage.DIGITAL_SIGNATURE,
    "content_commitment": KeyUsage.CONTENT_COMMITMENT,
}


class Accepted(msgspec.Struct, frozen=True):
    """The answer to a signed request.

    Attributes:
        certificates: id of the certificate per use, once issued.
    """

    state: RequestState
    phone: str
    certificates: dict[str, str]


class _Case(msgspec.Struct, frozen=True):
    """A signed request that passed every check that needs no lock, on its way into the database."""

    request: Request
    scheme: Scheme
    card: CardRequest
    person: Person
    identity: Identity


class FinishJob(msgspec.Struct, frozen=True):
    """The job :data:`FINISH_JOB`."""

    request: str


async def submit(parts: Parts, request: Request, cms: bytes) -> Accepted:
    """Take the card's signature over a request; see the plan of this module.

    Raises:
        NonceUsed, EnrolmentExpired, EnrolmentOutOfOrder: 1.
        the refusals of :meth:`inkan.pki.PKI.verify_request`: 2.
        ContentDiffers, KeySubstituted: 3.
        PersonUnknown, NotEligible: 4.
        PhoneYoung, NoFreeSlot, ChannelKeyTaken, KeyShared: 5.
    """
    digest = base64url.encode(hashlib.sha256(cms).digest())
    if request.state in (RequestState.ACCEPTED, RequestState.ISSUED):  # 1
        if request.cms_sha256 != digest:
            raise NonceUsed()
        return await finish(parts, request.id)
    _require_prepared(request, parts.db.now())
    scheme = scheme_of(request)
    card = await parts.pki.verify_request(  # 2
        cms,
        content_type=wire.CONTENT_TYPES[wire.Purpose.BIND],
        profile=profile_of_card(scheme),
        key_usage=KEY_USAGES[scheme.card.key_usage],
    )
    _verify_content(request, card.content)  # 3
    person, identity = await parts.db.read(_person, parts, card)  # 4
    verify_eligible(scheme, identity, now=parts.db.now())
    case = _Case(request=request, scheme=scheme, card=card, person=person, identity=identity)
    await parts.db.transact(_accept, parts, case)  # 5
    return await finish(parts, request.id)  # 6


def profile_of_card(scheme: Scheme) -> str:
    """The profile of the card certificates that sign the scheme's requests; named like their policy."""
    return scheme.card.policy.replace("_", "-")


def _require_prepared(request: Request, now: datetime) -> None:
    state = state_at(request, now)
    if state in (RequestState.EXPIRED, RequestState.REFUSED):
        raise EnrolmentExpired()
    if state is not RequestState.PREPARED:
        raise EnrolmentOutOfOrder(state=str(state))


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


def _person(parts: Parts, card: CardRequest) -> Step[tuple[Person, Identity]]:
    person = yield from parts.people.find_by_serial(card.subject_serial)
    if person is None:
        raise PersonUnknown()
    identity = yield from parts.people.get_identity(person.id)
    return person, identity


def _accept(parts: Parts, case: _Case) -> Step[None]:
    request, scheme, card, person = case.request, case.scheme, case.card, case.person
    moment = yield MOMENT
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
    touched = yield store.ACCEPT.run(
        key=request.id,
        seen=request.version,
        event=event,
        new_cms_sha256=card.cms_sha256,
        new_phone=phone_id,
    )
    if not touched:
        yield from _lost_race(request, card)
        return
    others = yield from phones_of(person.id, scheme.name)
    _require_no_young(others, moment)
    slot = yield from _take_slot(person, scheme, phone_id)
    yield from _write_phone(case, phone_id, slot=slot, event=event)
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
        key=_job_key(request.id),
        due=moment + MAKE_UP_AFTER,
    )
    yield Wake(topic(request.id))


def _lost_race(request: Request, card: CardRequest) -> Step[None]:
    """A rival submission was first: the same bytes are fine, anything else is a second use."""
    current = read_request((yield store.REQUEST_BY_ID.one(key=request.id)))
    if current is None:
        raise EnrolmentNotFound()
    if current.cms_sha256 == card.cms_sha256:
        return
    if current.cms_sha256 is not None:
        raise NonceUsed()
    raise EnrolmentExpired()


def _require_no_young(phones: list[Phone], now: datetime) -> None:
    for phone in phones:
        if phone.young_until > now:
            raise PhoneYoung(until=rfc3339(phone.young_until))


def _take_slot(person: Person, scheme: Scheme, phone_id: PhoneID) -> Step[int]:
    """Take the first free slot by its key (TW-29): no count, so no race (threat 9)."""
    for number in scheme.slots:
        taken = yield store.TAKE_SLOT.run(
            person=person.id, scheme=scheme.name, slot=number, phone=phone_id
        )
        if taken:
            return number
    raise NoFreeSlot(slots=scheme.phone.slots)


def _write_phone(case: _Case, phone_id: PhoneID, *, slot: int, event: str) -> Step[None]:
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


def _order(parts: Parts, case: _Case, phone_id: PhoneID) -> Step[None]:
    request, scheme = case.request, case.scheme
    moment = yield MOMENT
    prepared = request.prepared
    assert prepared is not None
    binding = binding_value(prepared.credential_id, prepared.cose_key, phone_id)
    for key in prepared.keys:
        yield from parts.pki.order(
            CertificateOrder(
                order_key=order_key(request.id, key.use),
                profile=f"phone-{key.use}",
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


def order_key(request_id: str, use: str) -> str:
    """The order of one certificate of a request; it names it for ever."""
    return f"{request_id}:{use}"


async def finish(parts: Parts, request_id: str) -> Accepted:
    """Issue what was accepted and make the phone active; called again it goes on, or answers what is.

    Raises:
        EnrolmentNotFound: unknown request.
        CertificateNotIssued, LintRefused: the issue is not possible now.
    """
    request = await parts.db.read(_request, request_id)
    prepared = request.prepared
    assert prepared is not None
    issued: Certificates = {}
    for key in prepared.keys:
        certificate = await parts.pki.complete(order_key(request.id, key.use))
        issued[key.use] = phone_certificate(certificate, key.spki)
    if request.state is RequestState.ACCEPTED:
        request = await parts.db.transact(_activate, parts, request_id, issued)
    assert request.phone is not None
    return Accepted(
        state=request.state,
        phone=request.phone,
        certificates={use: certificate.id for use, certificate in issued.items()},
    )


async def make_up(parts: Parts, request_id: str) -> None:
    """The outbox's :data:`FINISH_JOB`: finish what a crash interrupted."""
    try:
        await finish(parts, request_id)
    except EnrolmentNotFound:
        return


def _activate(parts: Parts, request_id: str, issued: Certificates) -> Step[Request]:
    request = yield from _request(request_id)
    if request.state is not RequestState.ACCEPTED:
        return request
    phone = read_phone((yield store.PHONE_BY_ID.one(key=request.phone)))
    if phone is None:
        raise EnrolmentNotFound()
    event = yield from parts.audit.record(
        "enrolment.bound",
        actor=PLATFORM,
        subject=phone.person,
        object=phone.id,
        details={"certificates": {use: each.sha256 for use, each in issued.items()}},
    )
    yield store.ACTIVATE.run(
        key=phone.id, seen=phone.version, event=event, new_certificates=encode_certificates(issued)
    )
    yield store.ISSUE.run(key=request.id, seen=request.version, event=event)
    yield from enqueue(PhoneBound.kind, PhoneBound(phone=phone.id, person=phone.person))
    yield from cancel(_job_key(request_id))
    yield Wake(topic(request_id))
    return (yield from _request(request_id))


def _request(request_id: str) -> Step[Request]:
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    if request is None:
        raise EnrolmentNotFound()
    return request


def _job_key(request_id: str) -> str:
    return f"{FINISH_JOB}:{request_id}"


async def refuse(parts: Parts, request: Request, refusal: InkanError) -> None:
    """Write a final refusal down, so that the phone and the page hear why."""
    await parts.db.transact(_refuse, parts, request.id, refusal.code)


def _refuse(parts: Parts, request_id: str, code: str) -> Step[None]:
    request = yield from _request(request_id)
    event = yield from parts.audit.record(
        "enrolment.refused", actor=PLATFORM, object=request_id, details={"code": code}
    )
    yield store.REFUSE.run(key=request_id, seen=request.version, event=event, new_refusal=code)
    yield Wake(topic(request_id))
