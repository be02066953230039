"""The phone's side of a binding at a kiosk (WAT-09): it begins, and later says the number that the kiosk shows.

At the desk the page begins and the phone joins by the page's code. A kiosk is a shared machine without a code that
could be bound to one person's browser; there the phone begins, makes its keys, and shows their registration key
(decision 0025). What the page's code does at the desk, the device number does here: it comes from the machine that the
person stands at, and only the phone in their hand can use it.
"""

import hashlib
import hmac
from typing import NamedTuple

from inkan.audit import Actor, ActorKind
from inkan.crypto import webauthn
from inkan.crypto.aead import hmac_sha256
from inkan.enrolment import store
from inkan.enrolment.model import (
    EnrolmentNotFound,
    EnrolmentOutOfOrder,
    Request,
    RequestState,
)
from inkan.enrolment.model.kiosk import DeviceNumberWrong, KioskRegistration, SignedCard
from inkan.enrolment.rules import NUMBER_TRIES
from inkan.enrolment.service import accepting
from inkan.enrolment.service.desk import insert, verify_terms
from inkan.enrolment.service.finishing import Accepted, finish
from inkan.enrolment.service.joining import Joined, enter, joined, verify_phone
from inkan.enrolment.service.parts import Parts, read_registration, topic
from inkan.enrolment.service.requests import for_phone, held, require
from inkan.kernel.ids import random_bytes
from inkan.pki import CardExpired, CardRevoked, CardState
from inkan.schemes import Scheme, get_scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire.binding import BackEnd
from inkan.wire.registration_key import NUMBER_DIGITS, number_challenge

WALLET = Actor(ActorKind.PLATFORM, "wallet")
_SECRET_BYTES = 32


class Typed(NamedTuple):
    """What came of a typed number: the card that signed, or how many tries are left."""

    card: SignedCard | None
    tries_left: int


async def begin(
    parts: Parts,
    *,
    jkt: str,
    scheme: str,
    terms_version: str,
    name: str,
    back_end: BackEnd,
    address: str,
) -> Joined:
    """A phone begins a registration that is finished at a kiosk; ten minutes, one use.

    1. the scheme binds phones at kiosks, and the person accepted its present terms (WAT-51, JPKI-07);
    2. as step 2 and 3 of :func:`inkan.enrolment.service.joining.join`;
    3. the request is written down with this phone in it; nobody holds a secret of a page for it.

    Raises:
        UnknownScheme, PlaceRefused, TermsOutdated: 1.
        BackEndRefused, OutsideNetwork, UnsafeText: 2.
    """
    rules = get_scheme(scheme)
    verify_terms(rules, terms_version, place="kiosk")  # 1
    verify_phone(parts, rules, name=name, back_end=back_end, address=address)  # 2
    request = await parts.db.transact(_begin, parts, rules, jkt, name, back_end)  # 3
    return joined(parts, request, rules, address=address, now=parts.db.now())


def _begin(parts: Parts, scheme: Scheme, jkt: str, name: str, back_end: BackEnd) -> Step[Request]:
    # The hash of a secret that is thrown away: no page can ever go on with this request.
    nobody = hashlib.sha256(random_bytes(_SECRET_BYTES)).digest()
    request = yield from insert(parts, scheme, nobody, WALLET)
    request = yield from enter(parts, request, jkt, name, back_end)
    event = yield from parts.audit.record(
        "enrolment.registration_begun", actor=WALLET, object=request.id
    )
    yield store.INSERT_KIOSK.run(
        request=request.id,
        key_sha256=None,
        kiosk=None,
        visit_sha256=None,
        card=None,
        number_at=None,
        tries=0,
        typed_at=None,
        event_id=event,
    )
    return request


def device_number(parts: Parts, request_id: str, cms_sha256: str) -> str:
    """The six digits of one signed registration; derived, so that they stand nowhere (WAT-10)."""
    message = f"inkan-device-number-v1\x00{request_id}\x00{cms_sha256}".encode()
    drawn = int.from_bytes(hmac_sha256(parts.qr_master, message), "big")
    return str(drawn % 10**NUMBER_DIGITS).zfill(NUMBER_DIGITS)


async def hand_in_number(
    parts: Parts, request_id: str, *, jkt: str, number: str, assertion: webauthn.Assertion
) -> Accepted:
    """The phone says the number that the kiosk shows, confirmed with its passkey (WAT-09 steps 7 to 9).

    1. the request is one that this channel key began; after the end the same answer again;
    2. the kiosk shows a number for it, and its five minutes are not over;
    3. the passkey of this registration signed for this very number, with user verification: whoever guesses needs
       the person for every try;
    4. the number is compared under the row's lock: the third wrong one ends the registration, whoever sends them at
       once included;
    5. the card is asked for again: it may have been revoked since it signed (fail closed);
    6. steps 4 to 6 of :mod:`inkan.enrolment.service.accepting`.

    Raises:
        EnrolmentNotFound, EnrolmentExpired, EnrolmentOutOfOrder: 1, 2.
        DeviceNumberMalformed, AssertionRefused and its like: 3.
        DeviceNumberWrong: 4, with the tries that are left.
        StatusUnavailable, CardRevoked, CardExpired: 5.
        PersonUnknown, NotEligible, PhoneYoung, NoFreeSlot, ChannelKeyTaken, LintRefused: 6.
    """
    request = await parts.db.read(for_phone, request_id, jkt)  # 1
    if request.state in (RequestState.ACCEPTED, RequestState.ISSUED):
        return await finish(parts, request.id)
    require(request, RequestState.SIGNED, parts.db.now())  # 2
    _verify_person(parts, request, number, assertion)  # 3
    typed = await parts.db.transact(_compare, parts, request.id, number)  # 4
    if typed.card is None:
        raise DeviceNumberWrong(tries_left=typed.tries_left)
    await _require_good(parts, typed.card)  # 5
    case = await accepting.case_of(parts, request, typed.card)  # 6
    await parts.db.transact(accepting.accept, parts, case, RequestState.SIGNED)
    return await finish(parts, request.id)


def _verify_person(
    parts: Parts, request: Request, number: str, assertion: webauthn.Assertion
) -> None:
    prepared = request.prepared
    assert prepared is not None
    webauthn.verify_assertion(
        assertion,
        known=webauthn.KnownCredential(
            id=prepared.credential_id,
            cose_key=prepared.cose_key,
            backup_eligible=prepared.backup_eligible,
            sign_count=prepared.sign_count,
        ),
        challenge=number_challenge(request.nonce, number),
        origin=parts.wallet_origin,
        rp_id=parts.rp_id,
    )


def _compare(parts: Parts, request_id: str, number: str) -> Step[Typed]:
    """Step 4. It returns what a refusal needs, because a try that is refused has to be counted and committed."""
    moment = yield MOMENT
    request = yield from held(request_id)
    require(request, RequestState.SIGNED, moment)
    known = yield from registration_of(request_id)
    if known.number_at is None or known.card is None:
        raise EnrolmentOutOfOrder(state=str(RequestState.SIGNED))
    right = device_number(parts, request_id, known.card.cms_sha256)
    if hmac.compare_digest(right.encode(), number.encode()):
        event = yield from parts.audit.record(
            "enrolment.number_typed", actor=WALLET, object=request_id
        )
        yield store.NOTE_TYPED.run(key=request_id, event=event)
        return Typed(known.card, NUMBER_TRIES - known.tries)
    return (yield from _count(parts, request, known))


def _count(parts: Parts, request: Request, known: KioskRegistration) -> Step[Typed]:
    left = NUMBER_TRIES - known.tries - 1
    event = yield from parts.audit.record(
        "enrolment.number_wrong", actor=WALLET, object=request.id, details={"left": left}
    )
    yield store.COUNT_TRY.run(key=request.id, event=event)
    if left <= 0:
        code = DeviceNumberWrong.code
        yield store.REFUSE.run(key=request.id, seen=request.version, event=event, new_refusal=code)
    yield Wake(topic(request.id))
    return Typed(None, left)


async def _require_good(parts: Parts, card: SignedCard) -> None:
    status = await parts.pki.card_status(card.authority, card.serial)
    if status.state is CardState.EXPIRED:
        raise CardExpired()
    if status.state is not CardState.GOOD:
        raise CardRevoked()


def registration_of(request_id: str) -> Step[KioskRegistration]:
    """Step: what is known of a registration.

    Raises:
        EnrolmentNotFound: the request was begun at the desk.
    """
    known = read_registration((yield store.KIOSK_BY_REQUEST.one(key=request_id)))
    if known is None:
        raise EnrolmentNotFound()
    return known
