"""A visit at a kiosk (WAT-09 steps 3 to 6): the registration key is taken, the card signs, the number is shown.

A visit is one person at one kiosk with one registration. Its secret lies in the kiosk's browser and nowhere else, and
ends with the visit. What the platform gives out to a visit it gives out once: the content, the masked identity, the
number. So nothing comes back after a wipe, whatever the browser kept.
"""

import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.enrolment import store
from inkan.enrolment.model import EnrolmentOutOfOrder, Request, RequestState
from inkan.enrolment.model.kiosk import (
    Kiosk,
    KioskLeft,
    KioskRegistration,
    KioskUnknown,
    KioskVisitOver,
    RegistrationTaken,
    RegistrationUnknown,
    SignedCard,
)
from inkan.enrolment.rules import KIOSK_IDLE, NUMBER_LIFE
from inkan.enrolment.service import accepting
from inkan.enrolment.service.desk import content_to_sign
from inkan.enrolment.service.parts import PHOTO, Parts, phones_of, read_registration, topic
from inkan.enrolment.service.registering import device_number
from inkan.enrolment.service.requests import get, held, require, state_at
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import random_bytes
from inkan.people import MaskedIdentity
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire.enrolment_request import parse_bind
from inkan.wire.registration_key import key_of, parse_key

_SECRET_BYTES = 32


class Taken(msgspec.Struct, frozen=True):
    """What the kiosk needs for the card, once it has taken a registration.

    Attributes:
        visit: base64url secret of the visit; it goes into a cookie and into no page.
        content, content_type: as :class:`inkan.enrolment.service.desk.ToSign`.
    """

    visit: str
    scheme: str
    phone_name: str
    content: str
    content_type: str
    expires_at: str


class Shown(msgspec.Struct, frozen=True):
    """Whose card signed, masked (WAT-09 step 4, HCA-48)."""

    name: str
    birth_year: int
    expires_at: str


class NumberShown(msgspec.Struct, frozen=True):
    """The device number (WAT-09 step 6), and until when the phone may say it."""

    number: str
    expires_at: str


def kiosk_of(kiosks: Iterable[Kiosk], key: str) -> Kiosk:
    """The kiosk whose browser holds ``key``: ``name.secret``, the secret base64url of 32 bytes.

    Raises:
        KioskUnknown: none does.
    """
    name, _, secret = key.partition(".")
    try:
        digest = base64url.encode(hashlib.sha256(base64url.decode(secret, size=32)).digest())
    except Base64URLMalformed:
        raise KioskUnknown() from None
    for kiosk in kiosks:
        if kiosk.name == name and hmac.compare_digest(kiosk.secret_sha256, digest):
            return kiosk
    raise KioskUnknown()


async def take(parts: Parts, kiosk: Kiosk, text: str) -> Taken:
    """A kiosk takes the registration whose key was typed or scanned.

    1. the key has its form, and one phone waits with it, prepared and in time;
    2. the content that the card will sign is that phone's: its key is the one that was scanned;
    3. no other kiosk holds it; the same one may begin a new visit, and the old one is over.

    Raises:
        RegistrationKeyMalformed, RegistrationUnknown: 1, 2.
        RegistrationTaken: 3.
    """
    key = parse_key(text)
    visit = random_bytes(_SECRET_BYTES)
    request = await parts.db.transact(_take, parts, kiosk, key, hashlib.sha256(visit).digest())
    wanted = content_to_sign(request, parts.db.now())
    return Taken(
        visit=base64url.encode(visit),
        scheme=request.scheme,
        phone_name=request.phone_name or "",
        content=wanted.content,
        content_type=wanted.content_type,
        expires_at=rfc3339(request.expires_at),
    )


def _take(parts: Parts, kiosk: Kiosk, key: bytes, visit_sha256: bytes) -> Step[Request]:
    moment = yield MOMENT
    digest = base64url.encode(hashlib.sha256(key).digest())
    known = read_registration((yield store.KIOSK_BY_KEY.one(key=digest)))
    if known is None:
        raise RegistrationUnknown()
    request = yield from held(known.request)
    if state_at(request, moment) is not RequestState.PREPARED:  # 1
        raise RegistrationUnknown()
    assert request.content is not None
    if key_of(parse_bind(request.content.encode())) != key:  # 2
        raise RegistrationUnknown()
    event = yield from _record(parts, kiosk, "enrolment.registration_taken", request)
    taken = yield store.TAKE_REGISTRATION.run(  # 3
        key=request.id, event=event, new_kiosk=kiosk.name, new_visit=visit_sha256
    )
    if not taken:
        raise RegistrationTaken()
    return request


async def sign(
    parts: Parts, kiosk: Kiosk, visit: bytes, cms: bytes, photo_sha256: bytes | None = None
) -> Shown:
    """Take the card's signature; the person is shown, and the phone is bound to nobody yet.

    1. steps 2 to 4 of :mod:`inkan.enrolment.service.accepting`;
    2. no phone of the person is young: told here, where the person stands;
    3. compare-and-set: prepared → signed. Whether it is them has to be said within the 60 s of a wipe;
    4. the SHA-256 of the photo in the card is kept under seal, of kiosks that register it (WAT-50). It is the word of
       the managed terminal: the card does not sign it.

    Raises:
        KioskVisitOver: another visit, or none.
        the refusals of :func:`inkan.enrolment.service.accepting.judge`: 1.
        PhoneYoung: 2.
    """
    request, _ = await parts.db.read(_of_visit, kiosk, visit)
    case = await accepting.judge(parts, request, cms)  # 1
    photo = photo_sha256 if kiosk.photo else None
    request = await parts.db.transact(_sign, parts, kiosk, visit, case, photo)  # 2, 3, 4
    shown: MaskedIdentity = case.identity.masked
    return Shown(
        name=shown.name, birth_year=shown.birth_year, expires_at=rfc3339(request.expires_at)
    )


def _sign(
    parts: Parts, kiosk: Kiosk, visit: bytes, case: accepting.Case, photo: bytes | None
) -> Step[Request]:
    moment = yield MOMENT
    request, _ = yield from _held_of_visit(kiosk, visit)
    require(request, RequestState.PREPARED, moment)
    others = yield from phones_of(case.person.id, case.scheme.name)
    accepting.require_no_young(others, moment)
    event = yield from _record(
        parts,
        kiosk,
        "enrolment.registration_signed",
        request,
        cms_sha256=case.card.cms_sha256,
        card={"authority": case.card.authority, "serial": case.card.serial},
    )
    yield store.NOTE_CARD.run(
        key=request.id, event=event, new_card=msgspec.msgpack.encode(case.card)
    )
    yield store.SIGN.run(
        key=request.id, seen=request.version, event=event, until=moment + KIOSK_IDLE
    )
    if photo is not None:
        sealed = parts.sealer.seal(PHOTO, request.id, photo)
        yield store.INSERT_PHOTO.run(request=request.id, phone=None, sha256=sealed, event_id=event)
    yield Wake(topic(request.id))
    return (yield from get(request.id))


async def show_number(parts: Parts, kiosk: Kiosk, visit: bytes) -> NumberShown:
    """The person said that it is them: the number, once, good for five minutes from now (WAT-09 step 6).

    Raises:
        KioskVisitOver: another visit, or none.
        EnrolmentExpired, EnrolmentOutOfOrder: nothing was signed in time, or the number was shown before.
    """
    request, card = await parts.db.transact(_show_number, parts, kiosk, visit)
    return NumberShown(
        number=device_number(parts, request.id, card.cms_sha256),
        expires_at=rfc3339(request.expires_at),
    )


def _show_number(parts: Parts, kiosk: Kiosk, visit: bytes) -> Step[tuple[Request, SignedCard]]:
    moment = yield MOMENT
    request, known = yield from _held_of_visit(kiosk, visit)
    require(request, RequestState.SIGNED, moment)
    event = yield from _record(parts, kiosk, "enrolment.number_shown", request)
    first = yield store.SHOW_NUMBER.run(key=request.id, event=event)
    if not first or known.card is None:
        raise EnrolmentOutOfOrder(state=str(RequestState.SIGNED))
    yield store.EXTEND.run(
        key=request.id, seen=request.version, event=event, until=moment + NUMBER_LIFE
    )
    yield Wake(topic(request.id))
    return (yield from get(request.id)), known.card


async def leave(parts: Parts, kiosk: Kiosk, visit: bytes) -> None:
    """End a visit: the person left, pulled the card, or did nothing for 60 s. Twice is once.

    Before the card has signed, the registration may be taken again. After it has, and before anybody said that it is
    them, the registration ends: the next person at the kiosk must not find somebody else's signature. Once the number
    was shown, the registration goes on without the kiosk.
    """
    await parts.db.transact(_leave, parts, kiosk, visit)


def _leave(parts: Parts, kiosk: Kiosk, visit: bytes) -> Step[None]:
    moment = yield MOMENT
    try:
        request, known = yield from _held_of_visit(kiosk, visit)
    except KioskVisitOver:
        return
    event = yield from _record(parts, kiosk, "enrolment.registration_left", request)
    yield store.LEAVE_REGISTRATION.run(key=request.id, event=event)
    unsaid = known.number_at is None and state_at(request, moment) is RequestState.SIGNED
    if unsaid:
        yield store.REFUSE.run(
            key=request.id, seen=request.version, event=event, new_refusal=KioskLeft.code
        )
        yield Wake(topic(request.id))


async def state(parts: Parts, kiosk: Kiosk, visit: bytes) -> RequestState:
    """Where the registration of a visit stands: the page goes on when the phone is bound.

    Raises:
        KioskVisitOver: another visit, or none.
    """
    request, _ = await parts.db.read(_of_visit, kiosk, visit)
    return state_at(request, parts.db.now())


def _of_visit(kiosk: Kiosk, visit: bytes) -> Step[tuple[Request, KioskRegistration]]:
    digest = hashlib.sha256(visit).digest()
    known = read_registration((yield store.KIOSK_BY_VISIT.one(visit=digest)))
    if known is None or known.kiosk != kiosk.name:
        raise KioskVisitOver()
    return (yield from get(known.request)), known


def _held_of_visit(kiosk: Kiosk, visit: bytes) -> Step[tuple[Request, KioskRegistration]]:
    """As :func:`_of_visit`, the request's row held; then what is known is read, so that it is the present."""
    request, _ = yield from _of_visit(kiosk, visit)
    request = yield from held(request.id)
    _, known = yield from _of_visit(kiosk, visit)
    return request, known


def _record(
    parts: Parts, kiosk: Kiosk, use_case: str, request: Request, **details: object
) -> Step[str]:
    return (
        yield from parts.audit.record(
            use_case,
            actor=Actor(ActorKind.PLATFORM, f"kiosk:{kiosk.name}"),
            object=request.id,
            details=details,
        )
    )
