"""The phone joins by scanning the page's rotating code, never the other way round (design §5.2 step 1).

Whoever shows a code to a victim gets a phone of the victim's choosing, not the victim's card.
"""

from datetime import datetime

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import webauthn
from inkan.enrolment import store
from inkan.enrolment.model import (
    BackEndRefused,
    Request,
    RequestState,
)
from inkan.enrolment.service import remote_keys
from inkan.enrolment.service.parts import Parts, qr_seconds, read_request, scheme_of, topic
from inkan.enrolment.service.preparing import uses_of
from inkan.enrolment.service.requests import get, held, require
from inkan.kernel.clock import rfc3339
from inkan.people import verify_free_text
from inkan.schemes import Scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire import qr, wallet_paths
from inkan.wire.binding import BackEnd
from inkan.wire.forms import verify_line


class Joined(msgspec.Struct, frozen=True):
    """What the phone needs to make its keys.

    Attributes:
        key_backends: the places for them that a phone might declare here, from this address; should the declared one
            turn out not to work on this phone, it can offer another one.
    """

    id: str
    nonce: str
    issuer: str
    scheme: str
    rp_id: str
    origin: str
    key_spec: str
    uses: list[str]
    challenge: str
    algorithms: list[int]
    terms_version: str
    expires_at: str
    now: str
    key_backends: list[str]


async def join(
    parts: Parts,
    *,
    jkt: str,
    frame: str,
    name: str,
    back_end: BackEnd,
    arrived: datetime,
    address: str,
) -> Joined:
    """A phone joins by the code of the page.

    1. the code is one of this wallet's, known, made with the request's secret, and current: −1 ≤ now − t ≤ 3;
       an unknown and a forged one get one answer (stale: scan on);
    2. the scheme allows the declared place of the keys (TW-26), there is such a place, and keys outside the phone
       are asked for from the institution's own network (HCA-39);
    3. the phone's name is one plain line without a My Number;
    4. compare-and-set: started → joined, in time. The same phone may ask again.

    Raises:
        QRFrameMalformed, QRFrameStale, BackEndRefused, OutsideNetwork, UnsafeText, MyNumberRefused,
            EnrolmentExpired, EnrolmentOutOfOrder.
    """
    scanned = qr.parse_frame(
        frame, origin=parts.wallet_origin, path=wallet_paths.ENROLMENT_PATH
    )  # 1
    request = await parts.db.read(_by_handle, scanned.handle)
    if request is None:
        raise qr.QRFrameStale()
    key = qr.qr_key(parts.qr_secret(request.id))
    try:
        qr.verify_frame(scanned, key, t_now=qr_seconds(request, arrived))
    except qr.QRFrameForged:
        raise qr.QRFrameStale() from None
    scheme = scheme_of(request)
    verify_phone(parts, scheme, name=name, back_end=back_end, address=address)  # 2, 3
    request = await parts.db.transact(enter, parts, request, jkt, name, back_end)  # 4
    return joined(parts, request, scheme, address=address, now=parts.db.now())


def verify_phone(
    parts: Parts, scheme: Scheme, *, name: str, back_end: BackEnd, address: str
) -> None:
    """Steps 2 and 3 of :func:`join`.

    Raises:
        BackEndRefused, OutsideNetwork, UnsafeText, MyNumberRefused.
    """
    if back_end not in remote_keys.offered(parts, scheme):
        raise BackEndRefused(allowed=remote_keys.offered(parts, scheme))
    if back_end is BackEnd.B:
        remote_keys.verify_inside(parts, address)
    verify_free_text(verify_line(name, where="/name", limit=64), where="/name")


def enter(parts: Parts, request: Request, jkt: str, name: str, back_end: BackEnd) -> Step[Request]:
    """Step: compare-and-set, started → joined, in time; the same phone may ask again.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder.
    """
    moment = yield MOMENT
    current = yield from held(request.id)
    if current.state is RequestState.JOINED and current.channel_jkt == jkt:
        return current
    require(current, RequestState.STARTED, moment)
    event = yield from parts.audit.record(
        "enrolment.joined",
        actor=Actor(ActorKind.PLATFORM, "wallet"),
        object=request.id,
        details={"channel_jkt": jkt, "back_end": str(back_end)},
    )
    yield store.JOIN.run(
        key=request.id,
        seen=current.version,
        event=event,
        new_phone_name=name,
        new_channel_jkt=jkt,
        new_back_end=back_end,
    )
    yield Wake(topic(request.id))
    return (yield from get(request.id))


def joined(
    parts: Parts, request: Request, scheme: Scheme, *, address: str, now: datetime
) -> Joined:
    """What the phone is told."""
    return Joined(
        id=request.id,
        nonce=request.nonce,
        issuer=parts.issuer,
        scheme=scheme.name,
        rp_id=parts.rp_id,
        origin=parts.wallet_origin,
        key_spec=scheme.phone.key_spec,
        uses=uses_of(scheme),
        challenge=request.challenge,
        algorithms=[int(each) for each in webauthn.DEFAULT_POLICY.algorithms],
        terms_version=request.terms_version,
        expires_at=rfc3339(request.expires_at),
        now=rfc3339(now),
        key_backends=remote_keys.offered_at(parts, scheme, address),
    )


def _by_handle(handle: str) -> Step[Request | None]:
    return read_request((yield store.REQUEST_BY_HANDLE.one(key=handle)))
