"""Renewal without the card: new keys under the same slot, signed for by the old `auth` key (TW-32, TW-33).

Numbered plan (design §5.2 step 7):

1. the phone is active and its term near its end: from sixty days before to the last day;
2. the card that it was bound with is good now, asked freshly: expired, revoked, suspended or unreachable
   renews nothing (threat 8); the certificates that the phone holds keep their term (TW-34);
3. the nonce was given to this phone and is unused and in time; the same bytes again get the same answer;
4. the CMS of purpose renew is signed by the phone's present `auth` certificate: intact, valid, trusted;
5. its content is the one that this renewal demands, with the hashes of exactly the keys in the CSRs;
6. each CSR proves possession of a strong key of the scheme's kind;
7. the assertion over the content's challenge holds, with user verification;
8. one transaction uses the nonce and orders the certificates; they become the phone's when it confirms, and
   only then are the old ones superseded.
"""

import hashlib
from datetime import datetime

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, webauthn
from inkan.crypto.path import KeyUsage
from inkan.enrolment import store
from inkan.enrolment.model import (
    KeySubstituted,
    Phone,
    PhoneNotFound,
    PhonePrincipal,
    PhoneState,
    PreparedKey,
    RenewalProofRefused,
    RenewalRefused,
    RenewalTooEarly,
    RenewalTooLate,
    RenewalUnknown,
)
from inkan.enrolment.rules import RENEWAL_LIFE, profile_of_key
from inkan.enrolment.service import remote_keys, renewing_remote
from inkan.enrolment.service.accepting import binding_value, verify_alive
from inkan.enrolment.service.parts import (
    NO_CERTIFICATES,
    PLATFORM,
    Certificates,
    Parts,
    encode_certificates,
    facts_of,
    phone_certificate,
    read_phone,
    scheme_of,
)
from inkan.enrolment.service.phones import known_credential
from inkan.enrolment.service.preparing import certified_keys, spkis_of, uses_of
from inkan.enrolment.service.renewing_remote import Brought
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import PhoneID, random_bytes
from inkan.people import Identity, Person
from inkan.pki import CardState, CertificateOrder, RevocationReason, SubjectName
from inkan.schemes import Scheme
from inkan.store.database import MOMENT, Step
from inkan.wire import enrolment_request as wire
from inkan.wire.binding import BackEnd

OLD_PROFILES = {"auth": "phone-auth", "single": "phone-auth"}


class Begun(msgspec.Struct, frozen=True):
    """What the phone needs to make its new keys and the request.

    Attributes:
        csrs, spkis: requests and keys (base64url DER) that were made for it (back end B); empty when it makes them.
    """

    nonce: str
    aud: str
    scheme: str
    binding_id: str
    old_certificate_sha256: str
    key_spec: str
    uses: list[str]
    expires_at: str
    now: str
    csrs: dict[str, str] = {}
    spkis: dict[str, str] = {}


class Renewed(msgspec.Struct, frozen=True):
    """The new certificates by use; the phone confirms when it holds them."""

    certificates: dict[str, str]
    not_after: str


class _Case(msgspec.Struct, frozen=True):
    """A renewal that passed every check that needs no lock."""

    phone: Phone
    scheme: Scheme
    nonce: str
    cms_sha256: str
    keys: list[PreparedKey]
    person: Person
    identity: Identity


async def begin(parts: Parts, sender: PhonePrincipal, *, address: str) -> Begun:
    """Give the phone a nonce, if it may be renewed at all.

    Raises:
        PhoneNotFound, RenewalTooEarly, RenewalTooLate: 1.
        RenewalRefused, StatusUnavailable: 2.
        OutsideNetwork, PhoneKeysUnavailable: of back end B.
    """
    phone = await parts.db.read(_active, sender)
    scheme = scheme_of(phone)
    if phone.back_end is BackEnd.B:
        remote_keys.verify_inside(parts, address)
    _require_open(phone, scheme, parts.db.now())
    await _require_good_card(parts, phone)
    nonce = base64url.encode(random_bytes(32))
    expires_at = await parts.db.transact(_begin, phone.id, nonce)
    csrs = await renewing_remote.new_keys(parts, phone, scheme, nonce)
    return Begun(
        nonce=nonce,
        aud=parts.issuer,
        scheme=phone.scheme,
        binding_id=phone.id,
        old_certificate_sha256=_old(phone, scheme)[1],
        key_spec=scheme.phone.key_spec,
        uses=uses_of(scheme),
        expires_at=rfc3339(expires_at),
        now=rfc3339(parts.db.now()),
        csrs=csrs,
        spkis=spkis_of(certified_keys(scheme, csrs)) if csrs else {},
    )


async def submit(
    parts: Parts,
    sender: PhonePrincipal,
    *,
    brought: Brought,
    csrs: dict[str, str],
    assertion: webauthn.Assertion,
) -> Renewed:
    """Take a renewal; see the plan of this module.

    Raises:
        as :func:`begin`; NotEligible: the person died; RenewalUnknown: 3;
        RenewalProofRefused: 4, 5 or 7; KeySubstituted: 5; the refusals of CSRs: 6;
        OutsideNetwork, ActivationRefused, ActivationUsed, PhoneKeysUnavailable: of back end B.
    """
    phone = await parts.db.read(_active, sender)
    scheme = scheme_of(phone)
    _require_open(phone, scheme, parts.db.now())  # 1
    await _require_good_card(parts, phone)  # 2
    cms = brought.cms
    if phone.back_end is BackEnd.B:
        cms, csrs = await _by_holder(parts, phone, scheme, brought, assertion)
    content = await _signed_content(parts, phone, scheme, cms)  # 4
    renew = wire.parse_renew(content)
    keys = certified_keys(scheme, csrs)  # 6
    _verify_content(parts, phone, scheme, renew, keys)  # 5
    _verify_assertion(parts, phone, scheme, assertion, content)  # 7
    person, identity = await parts.db.read(_person, parts, phone)
    case = _Case(
        phone=phone,
        scheme=scheme,
        nonce=renew.nonce,
        cms_sha256=base64url.encode(hashlib.sha256(cms).digest()),
        keys=keys,
        person=person,
        identity=identity,
    )
    await parts.db.transact(_order, parts, case)  # 3, 8
    issued: Certificates = {}
    for key in keys:
        certificate = await parts.pki.complete(_order_key(renew.nonce, key.use))
        issued[key.use] = phone_certificate(certificate, key.spki)
    if not await parts.db.transact(_pend, parts, phone.id, issued):
        raise PhoneNotFound()
    return Renewed(
        certificates={use: each.id for use, each in issued.items()},
        not_after=rfc3339(next(iter(issued.values())).not_after),
    )


async def _by_holder(
    parts: Parts,
    phone: Phone,
    scheme: Scheme,
    brought: Brought,
    assertion: webauthn.Assertion,
) -> tuple[bytes, dict[str, str]]:
    """The CMS and the requests of a phone whose keys lie with their holder."""
    remote_keys.verify_inside(parts, brought.address)
    renew = wire.parse_renew(brought.content)
    csrs = await renewing_remote.new_keys(parts, phone, scheme, renew.nonce)
    _verify_content(parts, phone, scheme, renew, certified_keys(scheme, csrs))
    use, _ = _old(phone, scheme)
    old = phone.certificates[use]
    cms = await renewing_remote.signed(
        parts, old, scheme, content=brought.content, assertion=assertion
    )
    return cms, csrs


async def confirm(parts: Parts, sender: PhonePrincipal) -> Renewed:
    """The phone holds its new certificates: they become its own, and the old ones are superseded.

    Raises:
        PhoneNotFound: it is not active any more.
        RenewalUnknown: nothing waits for a confirmation.
    """
    return await parts.db.transact(_confirm, parts, sender)


def _active(sender: PhonePrincipal) -> Step[Phone]:
    phone = read_phone((yield store.PHONE_BY_ID.one(key=sender.phone)))
    if phone is None or phone.state is not PhoneState.ACTIVE:
        raise PhoneNotFound()
    return phone


def _old(phone: Phone, scheme: Scheme) -> tuple[str, str]:
    """Use and SHA-256 of the certificate whose key signs a renewal."""
    use = "single" if scheme.phone.single_key else "auth"
    return use, phone.certificates[use].sha256


def _require_open(phone: Phone, scheme: Scheme, now: datetime) -> None:
    use, _ = _old(phone, scheme)
    not_after = phone.certificates[use].not_after
    if now > not_after:
        raise RenewalTooLate()
    opens = scheme.renewal_opens(not_after)
    # A young binding is not renewed (step 6); its term has just begun, so the window says so already.
    if now < opens or now < phone.young_until:
        raise RenewalTooEarly(**{"from": rfc3339(max(opens, phone.young_until))})


async def _require_good_card(parts: Parts, phone: Phone) -> None:
    status = await parts.pki.card_status(phone.parent_authority, phone.parent_serial)
    if status.state is not CardState.GOOD:
        raise RenewalRefused(card=str(status.state))


def _begin(phone_id: PhoneID, nonce: str) -> Step[datetime]:
    moment = yield MOMENT
    expires_at: datetime = moment + RENEWAL_LIFE
    yield store.INSERT_RENEWAL.run(
        nonce=nonce, phone=phone_id, cms_sha256=None, expires_at=expires_at
    )
    return expires_at


async def _signed_content(parts: Parts, phone: Phone, scheme: Scheme, cms: bytes) -> bytes:
    use, sha256 = _old(phone, scheme)
    request = await parts.pki.verify_request(
        cms,
        content_type=wire.CONTENT_TYPES[wire.Purpose.RENEW],
        profile=OLD_PROFILES[use],
        key_usage=KeyUsage.DIGITAL_SIGNATURE,
    )
    if base64url.encode(hashlib.sha256(request.certificate).digest()) != sha256:
        raise RenewalProofRefused("not signed by this phone's certificate", proof="cms")
    return request.content


def _verify_content(
    parts: Parts, phone: Phone, scheme: Scheme, renew: wire.RenewContent, keys: list[PreparedKey]
) -> None:
    demanded = {
        "aud": parts.issuer,
        "scheme": phone.scheme,
        "binding_id": phone.id,
        "old_certificate_sha256": _old(phone, scheme)[1],
        "credential_id_sha256": _sha256(phone.credential_id),
        "back_end": phone.back_end,
    }
    for field, value in demanded.items():
        if getattr(renew, field) != value:
            raise RenewalProofRefused(f"another {field}", proof="cms")
    signed = [(key.use, key.spki_sha256) for key in renew.keys]
    if signed != [(key.use, _sha256(key.spki)) for key in keys]:
        raise KeySubstituted()


def _verify_assertion(
    parts: Parts, phone: Phone, scheme: Scheme, assertion: webauthn.Assertion, content: bytes
) -> None:
    try:
        webauthn.verify_assertion(
            assertion,
            known=known_credential(facts_of(phone, scheme)),
            challenge=wire.renew_challenge(content),
            origin=parts.wallet_origin,
            rp_id=parts.rp_id,
        )
    except webauthn.AssertionRefused as refused:
        raise RenewalProofRefused(str(refused), proof="assertion") from None


def _person(parts: Parts, phone: Phone) -> Step[tuple[Person, Identity]]:
    person = yield from parts.people.get(phone.person)
    verify_alive(person)
    identity = yield from parts.people.get_identity(phone.person)
    return person, identity


def _order(parts: Parts, case: _Case) -> Step[None]:
    phone, scheme = case.phone, case.scheme
    moment = yield MOMENT
    used = yield store.USE_RENEWAL.run(key=case.nonce, phone_id=phone.id, cms=case.cms_sha256)
    if not used:
        raise RenewalUnknown()
    yield from parts.audit.record(
        "enrolment.renewal_accepted",
        actor=Actor(ActorKind.PHONE, phone.id),
        subject=phone.person,
        object=phone.id,
        details={"cms_sha256": case.cms_sha256},
    )
    for key in case.keys:
        yield from parts.pki.order(
            CertificateOrder(
                order_key=_order_key(case.nonce, key.use),
                profile=profile_of_key(phone.back_end, key.use),
                owner=phone.id,
                subject=SubjectName(
                    common_name=case.identity.name,
                    serial_number=case.person.subject_serial,
                ),
                spki=key.spki,
                not_after=scheme.term_end(moment),
                binding=binding_value(phone.credential_id, phone.cose_key, phone.id),
            )
        )


def _pend(parts: Parts, phone_id: PhoneID, issued: Certificates) -> Step[bool]:
    """Let the certificates wait for the phone's confirmation; False, and they end, when it ended meanwhile."""
    phone = read_phone((yield store.HELD_PHONE.one(key=phone_id)))
    if phone is None or phone.state is not PhoneState.ACTIVE:
        yield from _end(parts, issued, RevocationReason.CESSATION_OF_OPERATION)
        return False
    if issued in (phone.pending, phone.certificates):
        return True
    # Of two renewals that began, the later one counts; nobody will ever confirm the earlier one.
    yield from _end(parts, phone.pending, RevocationReason.SUPERSEDED)
    event = yield from parts.audit.record(
        "enrolment.renewal_issued",
        actor=Actor(ActorKind.PHONE, phone.id),
        subject=phone.person,
        object=phone.id,
    )
    yield store.SET_PENDING.run(
        key=phone.id, seen=phone.version, event=event, new_pending=encode_certificates(issued)
    )
    return True


def _end(parts: Parts, certificates: Certificates, reason: RevocationReason) -> Step[None]:
    for certificate in certificates.values():
        yield from parts.pki.revoke(certificate.id, reason=reason, actor=PLATFORM)


def _confirm(parts: Parts, sender: PhonePrincipal) -> Step[Renewed]:
    phone = read_phone((yield store.HELD_PHONE.one(key=sender.phone)))
    if phone is None or phone.state is not PhoneState.ACTIVE:
        raise PhoneNotFound()
    if not phone.pending:
        raise RenewalUnknown()
    actor = Actor(ActorKind.PHONE, phone.id)
    event = yield from parts.audit.record(
        "enrolment.renewed", actor=actor, subject=phone.person, object=phone.id
    )
    yield store.CONFIRM.run(
        key=phone.id,
        seen=phone.version,
        event=event,
        new_certificates=encode_certificates(phone.pending),
        new_pending=NO_CERTIFICATES,
    )
    for old in phone.certificates.values():
        yield from parts.pki.revoke(old.id, reason=RevocationReason.SUPERSEDED, actor=actor)
    yield from parts.notices.notify(phone.person, "phone_renewed", {"phone": phone.name}, phones=())
    return Renewed(
        certificates={use: each.id for use, each in phone.pending.items()},
        not_after=rfc3339(next(iter(phone.pending.values())).not_after),
    )


def _order_key(nonce: str, use: str) -> str:
    return f"renew:{nonce}:{use}"


def _sha256(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())
