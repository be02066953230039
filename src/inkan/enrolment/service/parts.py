"""What the use cases of enrolment share: the features below, the readings of rows, the request's QR secret."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import base64url
from inkan.crypto.activation.port import ActivatedKeys
from inkan.crypto.aead import hmac_sha256
from inkan.enrolment import store
from inkan.enrolment.model import (
    Phone,
    PhoneCertificate,
    PhoneFacts,
    PhoneState,
    Prepared,
    Request,
    RequestState,
)
from inkan.enrolment.model.kiosk import Kiosk, KioskRegistration, SignedCard
from inkan.kernel.ids import EnrolmentID, PersonID, PhoneID
from inkan.kernel.sensitive import Secret
from inkan.notices import Notices
from inkan.people import People
from inkan.pki import PKI, IssuedCertificate
from inkan.schemes import Scheme, get_scheme
from inkan.store.database import Database, Step
from inkan.store.sealing import SealedColumn, Sealer
from inkan.wire.binding import BackEnd

PLATFORM = Actor(ActorKind.PLATFORM, "enrolment")
PHOTO = SealedColumn("enrolment_photo", "sha256")
Certificates = dict[str, PhoneCertificate]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature.

    Attributes:
        activated: the holder of keys of back end B; None where there is none, so that it is not offered.
        networks: where such keys are made and used from, as CIDR blocks; nowhere if empty (HCA-39).
        kiosks: the terminals at which phones are bound; no other browser is shown a visit (WAT-51).
    """

    db: Database
    audit: Audit
    people: People
    pki: PKI
    notices: Notices
    issuer: str
    wallet_origin: str
    rp_id: str
    qr_master: Secret[bytes]
    sealer: Sealer
    activated: ActivatedKeys | None = None
    networks: tuple[str, ...] = ()
    kiosks: tuple[Kiosk, ...] = ()

    def qr_secret(self, request_id: str) -> Secret[bytes]:
        """The 32-byte secret of a request's rotating code; derived, so that nothing is stored."""
        message = f"inkan-enrolment-qr-v1\x00{request_id}".encode()
        return Secret(hmac_sha256(self.qr_master, message))


def qr_seconds(request: Request, now: datetime) -> int:
    """Whole seconds since the request began, by the platform's clock."""
    return int((now - request.created_at).total_seconds())


def read_request(row: Any) -> Request | None:
    """The request of a row, or None."""
    if row is None:
        return None
    return Request(
        id=EnrolmentID(row.id),
        state=RequestState(row.state),
        scheme=row.scheme,
        nonce=row.nonce,
        challenge=row.challenge,
        handle=row.handle,
        secret_sha256=row.secret_sha256,
        terms_version=row.terms_version,
        phone_name=row.phone_name,
        channel_jkt=row.channel_jkt,
        back_end=BackEnd(row.back_end) if row.back_end else None,
        prepared=msgspec.msgpack.decode(row.prepared, type=Prepared) if row.prepared else None,
        content=row.content,
        cms_sha256=row.cms_sha256,
        phone=PhoneID(row.phone) if row.phone else None,
        refusal=row.refusal,
        created_at=row.created_at,
        expires_at=row.expires_at,
        version=row.version,
    )


def read_registration(row: Any) -> KioskRegistration | None:
    """What is known of a registration at a kiosk, or None."""
    if row is None:
        return None
    return KioskRegistration(
        request=EnrolmentID(row.request),
        key_sha256=row.key_sha256,
        kiosk=row.kiosk,
        visit_sha256=row.visit_sha256,
        card=msgspec.msgpack.decode(row.card, type=SignedCard) if row.card else None,
        number_at=row.number_at,
        tries=row.tries,
        typed_at=row.typed_at,
    )


def read_phone(row: Any) -> Phone | None:
    """The phone of a row, or None."""
    if row is None:
        return None
    return Phone(
        id=PhoneID(row.id),
        person=PersonID(row.person),
        scheme=row.scheme,
        slot=row.slot,
        name=row.name,
        state=PhoneState(row.state),
        version=row.version,
        channel_jkt=row.channel_jkt,
        credential_id=row.credential_id,
        cose_key=row.cose_key,
        sign_count=row.sign_count,
        backup_eligible=row.backup_eligible,
        attested=row.attested,
        back_end=BackEnd(row.back_end),
        certificates=_decode_certificates(row.certificates),
        pending=_decode_certificates(row.pending),
        parent_authority=row.parent_authority,
        parent_serial=row.parent_serial,
        bound_at=row.bound_at,
        young_until=row.young_until,
        asserted_at=row.asserted_at,
    )


_encode = msgspec.msgpack.Encoder().encode
_decode_certificates = msgspec.msgpack.Decoder(Certificates).decode
NO_CERTIFICATES = _encode({})


def encode_certificates(certificates: Mapping[str, PhoneCertificate]) -> bytes:
    """Certificates of a phone as they rest in its row."""
    return _encode(dict(certificates))


def phone_certificate(issued: IssuedCertificate, spki: bytes) -> PhoneCertificate:
    """What a decision needs of an issued certificate."""
    return PhoneCertificate(
        id=issued.id,
        sha256=base64url.encode(hashlib.sha256(issued.der).digest()),
        spki=spki,
        not_after=issued.not_after,
    )


def facts_of(phone: Phone, scheme: Scheme) -> PhoneFacts:
    """What the answer of a phone is judged by."""
    return PhoneFacts(
        phone=phone.id,
        person=phone.person,
        version=phone.version,
        certificates=phone.certificates,
        credential_id=phone.credential_id,
        cose_key=phone.cose_key,
        sign_count=phone.sign_count,
        backup_eligible=phone.backup_eligible,
        attested=phone.attested,
        back_end=phone.back_end,
        young_until=phone.young_until,
        jws_algs=scheme.phone.jws_algs,
        single_key=scheme.phone.single_key,
    )


def phones_of(person: PersonID, scheme: str) -> Step[list[Phone]]:
    """Step: the person's phones under a scheme, revoked ones left out."""
    rows = yield store.PHONES_OF.all(person=person)
    phones = [read_phone(row) for row in rows]
    return [phone for phone in phones if phone is not None and phone.scheme == scheme]


def scheme_of(phone: Phone | Request) -> Scheme:
    """The rule set that a phone or request lives under."""
    return get_scheme(phone.scheme)


def phone_topic(phone: PhoneID) -> str:
    """The bus topic that is called when something waits for a phone, and when the phone ends."""
    return f"phone:{phone}"


def topic(request_id: str) -> str:
    """The bus topic that is called after every change of a request."""
    return f"enrolment:{request_id}"
