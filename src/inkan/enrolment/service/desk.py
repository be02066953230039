"""The desk: a request is begun, its rotating code shown, and the content given to the card (design §5.2 step 1)."""

import hashlib
from datetime import datetime

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.enrolment import store
from inkan.enrolment.model import (
    Request,
    RequestState,
    TermsOutdated,
)
from inkan.enrolment.model.kiosk import PlaceRefused
from inkan.enrolment.rules import REQUEST_LIFE
from inkan.enrolment.service.parts import Parts, qr_seconds
from inkan.enrolment.service.requests import get, require
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import EnrolmentID, new_id, random_bytes
from inkan.schemes import PlaceName, Scheme, get_scheme
from inkan.store.database import MOMENT, Step
from inkan.wire import enrolment_request as wire
from inkan.wire import qr, wallet_paths


class Started(msgspec.Struct, frozen=True):
    """The answer to a start: the page keeps the secret, nobody else may go on with the request."""

    id: str
    secret: str
    state: RequestState
    scheme: str
    terms_version: str
    expires_at: str


class ToSign(msgspec.Struct, frozen=True):
    """What the card has to sign: canonical JSON as base64url, and the eContentType it goes under."""

    content: str
    content_type: str


async def start(parts: Parts, *, scheme: str, terms_version: str) -> Started:
    """Begin a request at the desk.

    Raises:
        UnknownScheme: no such rule set.
        PlaceRefused: its phones are bound elsewhere.
        TermsOutdated: the person accepted another version of the terms (JPKI-07).
    """
    rules = get_scheme(scheme)
    verify_terms(rules, terms_version, place="desk")
    secret = random_bytes(32)
    request = await parts.db.transact(
        insert, parts, rules, hashlib.sha256(secret).digest(), Actor(ActorKind.PLATFORM, "desk")
    )
    return Started(
        id=request.id,
        secret=base64url.encode(secret),
        state=request.state,
        scheme=scheme,
        terms_version=terms_version,
        expires_at=rfc3339(request.expires_at),
    )


def verify_terms(scheme: Scheme, terms_version: str, *, place: PlaceName) -> None:
    """Check that a scheme binds phones at a place, and that the person accepted its present terms (JPKI-07).

    Raises:
        PlaceRefused, TermsOutdated.
    """
    if place not in scheme.places:
        raise PlaceRefused(places=list(scheme.places))
    if terms_version != scheme.terms.version:
        raise TermsOutdated(version=scheme.terms.version)


def insert(parts: Parts, scheme: Scheme, secret_sha256: bytes, actor: Actor) -> Step[Request]:
    """Step: write a new request down, in its first state."""
    moment = yield MOMENT
    request_id = EnrolmentID(new_id("enr"))
    event = yield from parts.audit.record(
        "enrolment.started",
        actor=actor,
        object=request_id,
        details={"scheme": scheme.name, "terms": scheme.terms.version},
    )
    yield store.INSERT_REQUEST.run(
        id=request_id,
        state=RequestState.STARTED,
        scheme=scheme.name,
        nonce=base64url.encode(random_bytes(32)),
        challenge=base64url.encode(random_bytes(32)),
        handle=new_id("qr"),
        secret_sha256=secret_sha256,
        terms_version=scheme.terms.version,
        phone_name=None,
        channel_jkt=None,
        back_end=None,
        prepared=None,
        content=None,
        cms_sha256=None,
        phone=None,
        refusal=None,
        created_at=moment,
        expires_at=moment + REQUEST_LIFE,
        version=1,
        event_id=event,
    )
    return (yield from get(request_id))


def draw_code(parts: Parts, request: Request, now: datetime) -> str:
    """The rotating code of this second, for the phone to scan.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder: nobody can join any more.
    """
    require(request, RequestState.STARTED, now)
    key = qr.qr_key(parts.qr_secret(request.id))
    t = qr_seconds(request, now)
    return qr.frame(
        parts.wallet_origin, handle=request.handle, t=t, key=key, path=wallet_paths.ENROLMENT_PATH
    )


def content_to_sign(request: Request, now: datetime) -> ToSign:
    """What the card has to sign.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder: the phone has not handed in its keys.
    """
    require(request, RequestState.PREPARED, now)
    assert request.content is not None
    return ToSign(
        content=base64url.encode(request.content.encode()),
        content_type=wire.CONTENT_TYPES[wire.Purpose.BIND],
    )
