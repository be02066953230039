"""The first half of a binding: start at the desk, join by the phone, hand in keys (design §5.2 steps 1 to 3).

The phone joins by scanning the page's rotating code, never the other way round: whoever shows a code to a
victim gets a phone of the victim's choosing, not the victim's card.
"""

import hashlib
from datetime import datetime

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, webauthn
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import key_spec, load_public
from inkan.enrolment import store
from inkan.enrolment.model import (
    BackEndRefused,
    EnrolmentExpired,
    EnrolmentNotFound,
    EnrolmentOutOfOrder,
    KeyOutsideScheme,
    Prepared,
    PreparedKey,
    Request,
    RequestState,
    TermsOutdated,
)
from inkan.enrolment.rules import REQUEST_LIFE
from inkan.enrolment.service.parts import Parts, qr_seconds, read_request, scheme_of, topic
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import EnrolmentID, new_id, random_bytes
from inkan.schemes import Scheme, get_scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire import enrolment_request as wire
from inkan.wire import qr
from inkan.wire.binding import BackEnd
from inkan.wire.forms import verify_line


class Started(msgspec.Struct, frozen=True):
    """The answer to a start: the page keeps the secret, nobody else may go on with the request."""

    id: str
    secret: str
    state: RequestState
    scheme: str
    terms_version: str
    expires_at: str


class Progress(msgspec.Struct, frozen=True):
    """Where a request stands, for the page."""

    id: str
    state: RequestState
    phone_name: str | None
    refusal: str | None
    phone: str | None
    expires_at: str


class ToSign(msgspec.Struct, frozen=True):
    """What the card has to sign: canonical JSON as base64url, and the eContentType it goes under."""

    content: str
    content_type: str


class Joined(msgspec.Struct, frozen=True):
    """What the phone needs to make its keys."""

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


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts of a WebAuthn registration, each base64url."""

    credential_id: str
    client_data_json: str
    attestation_object: str


class Handed(msgspec.Struct, frozen=True):
    """What the phone hears after handing in its keys: the content that the card is about to sign."""

    state: RequestState
    content: str


# --- the desk --------------------------------------------------------------------------------------


async def start(parts: Parts, *, scheme: str, terms_version: str) -> Started:
    """Begin a request at the desk.

    Raises:
        UnknownScheme: no such rule set.
        TermsOutdated: the person accepted another version of the terms (JPKI-07).
    """
    rules = get_scheme(scheme)
    if terms_version != rules.terms.version:
        raise TermsOutdated(version=rules.terms.version)
    secret = random_bytes(32)
    request = await parts.db.transact(_start, parts, rules, hashlib.sha256(secret).digest())
    return Started(
        id=request.id,
        secret=base64url.encode(secret),
        state=request.state,
        scheme=scheme,
        terms_version=terms_version,
        expires_at=rfc3339(request.expires_at),
    )


def _start(parts: Parts, scheme: Scheme, secret_sha256: bytes) -> Step[Request]:
    moment = yield MOMENT
    request_id = EnrolmentID(new_id("enr"))
    event = yield from parts.audit.record(
        "enrolment.started",
        actor=Actor(ActorKind.PLATFORM, "desk"),
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
    return (yield from _get(request_id))


def for_desk(request_id: str, secret: bytes) -> Step[Request]:
    """Step: the request of the page that holds its secret.

    Raises:
        EnrolmentNotFound: unknown, or another page's: one answer.
    """
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    given = hashlib.sha256(secret).digest()
    # Compared by hash, so that neither timing nor an unknown id tells anything.
    if request is None or request.secret_sha256 != given:
        raise EnrolmentNotFound()
    return request


def progress(request: Request, now: datetime) -> Progress:
    """Where the request stands at ``now``; its time is over by itself, not by a sweeper."""
    return Progress(
        id=request.id,
        state=state_at(request, now),
        phone_name=request.phone_name,
        refusal=request.refusal,
        phone=request.phone,
        expires_at=rfc3339(request.expires_at),
    )


def state_at(request: Request, now: datetime) -> RequestState:
    """The state that holds at ``now``."""
    open_states = (RequestState.STARTED, RequestState.JOINED, RequestState.PREPARED)
    if request.state in open_states and request.expires_at <= now:
        return RequestState.EXPIRED
    return request.state


def draw_code(parts: Parts, request: Request, now: datetime) -> str:
    """The rotating code of this second, for the phone to scan.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder: nobody can join any more.
    """
    _require(request, RequestState.STARTED, now)
    key = qr.qr_key(parts.qr_secret(request.id))
    t = qr_seconds(request, now)
    return qr.frame(
        parts.wallet_origin, handle=request.handle, t=t, key=key, path=qr.ENROLMENT_PATH
    )


def content_to_sign(request: Request, now: datetime) -> ToSign:
    """What the card has to sign.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder: the phone has not handed in its keys.
    """
    _require(request, RequestState.PREPARED, now)
    assert request.content is not None
    return ToSign(
        content=base64url.encode(request.content.encode()),
        content_type=wire.CONTENT_TYPES[wire.Purpose.BIND],
    )


# --- the phone -------------------------------------------------------------------------------------


async def join(
    parts: Parts, *, jkt: str, frame: str, name: str, back_end: BackEnd, arrived: datetime
) -> Joined:
    """A phone joins by the code of the page.

    1. the code is one of this wallet's, known, made with the request's secret, and current: −1 ≤ now − t ≤ 3;
       an unknown and a forged one get one answer (stale: scan on);
    2. the scheme allows the declared place of the keys (TW-26);
    3. the phone's name is one plain line;
    4. compare-and-set: started → joined, in time. The same phone may ask again.

    Raises:
        QRFrameMalformed, QRFrameStale, BackEndRefused, UnsafeText, EnrolmentExpired, EnrolmentOutOfOrder.
    """
    scanned = qr.parse_frame(frame, origin=parts.wallet_origin, path=qr.ENROLMENT_PATH)  # 1
    request = await parts.db.read(_by_handle, scanned.handle)
    if request is None:
        raise qr.QRFrameStale()
    key = qr.qr_key(parts.qr_secret(request.id))
    try:
        qr.verify_frame(scanned, key, t_now=qr_seconds(request, arrived))
    except qr.QRFrameForged:
        raise qr.QRFrameStale() from None
    scheme = scheme_of(request)
    if back_end not in scheme.key_backends:  # 2
        raise BackEndRefused(allowed=list(scheme.key_backends))
    verify_line(name, where="/name", limit=64)  # 3
    request = await parts.db.transact(_join, parts, request, jkt, name, back_end)  # 4
    return _joined(parts, request, scheme, now=parts.db.now())


def _join(parts: Parts, request: Request, jkt: str, name: str, back_end: BackEnd) -> Step[Request]:
    moment = yield MOMENT
    current = yield from _get(request.id)
    if current.state is RequestState.JOINED and current.channel_jkt == jkt:
        return current
    _require(current, RequestState.STARTED, moment)
    event = yield from parts.audit.record(
        "enrolment.joined",
        actor=Actor(ActorKind.PLATFORM, "wallet"),
        object=request.id,
        details={"channel_jkt": jkt, "back_end": str(back_end)},
    )
    touched = yield store.JOIN.run(
        key=request.id,
        seen=current.version,
        event=event,
        new_phone_name=name,
        new_channel_jkt=jkt,
        new_back_end=back_end,
    )
    return (yield from _after(request.id, touched=touched, step=RequestState.STARTED))


def _joined(parts: Parts, request: Request, scheme: Scheme, *, now: datetime) -> Joined:
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
    )


def uses_of(scheme: Scheme) -> list[str]:
    """The uses of the certificate keys that one slot of the scheme holds (design §5.1)."""
    return ["single"] if scheme.phone.single_key else ["auth", "sign"]


async def prepare(
    parts: Parts,
    request_id: str,
    *,
    jkt: str,
    csrs: dict[str, str],
    registration: Registration,
) -> Handed:
    """Take the phone's CSRs and registration; only now is there something for the card to sign.

    1. the request is one that this channel key joined, in time;
    2. one CSR for each use of the scheme; each proves possession of a strong key of the scheme's kind;
    3. the keys differ from each other;
    4. the registration holds for this challenge, origin and RP ID, with user verification, under the
       scheme's policy;
    5. the content is written down; compare-and-set: joined → prepared. The same keys again get it again.

    Raises:
        EnrolmentNotFound, EnrolmentExpired, EnrolmentOutOfOrder, KeyOutsideScheme, CSRMalformed,
        CSRSignatureWrong, WeakKey, RegistrationRefused and its like.
    """
    request = await parts.db.read(for_phone, request_id, jkt)  # 1
    scheme = scheme_of(request)
    keys = certified_keys(scheme, csrs)  # 2, 3
    credential = _credential(parts, request, scheme, registration)  # 4
    prepared = Prepared(
        keys=keys,
        credential_id=credential.id,
        cose_key=credential.cose_key,
        sign_count=credential.sign_count,
        backup_eligible=credential.backup_eligible,
        attested=credential.attested,
        attestation_sha256=credential.attestation_sha256,
    )
    request = await parts.db.transact(_prepare, parts, request, prepared)  # 5
    assert request.content is not None
    return Handed(state=request.state, content=base64url.encode(request.content.encode()))


def for_phone(request_id: str, jkt: str) -> Step[Request]:
    """Step: the request that this channel key joined.

    Raises:
        EnrolmentNotFound: unknown, or another phone's: one answer.
    """
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    if request is None or request.channel_jkt != jkt:
        raise EnrolmentNotFound()
    return request


def certified_keys(scheme: Scheme, csrs: dict[str, str]) -> list[PreparedKey]:
    """The keys of CSRs (base64url DER by use), each proved and of the scheme's kind, in the scheme's order.

    Raises:
        KeyOutsideScheme, CSRMalformed, CSRSignatureWrong, WeakKey.
    """
    uses = uses_of(scheme)
    if sorted(csrs) != sorted(uses):
        raise KeyOutsideScheme(expected=uses)
    keys = []
    for use in uses:
        csr = verify_csr(parse_csr(base64url.decode(csrs[use])))
        if key_spec(load_public(csr.spki)) != scheme.phone.key_spec:
            raise KeyOutsideScheme(expected=scheme.phone.key_spec)
        keys.append(PreparedKey(use=use, spki=csr.spki))
    if len({key.spki for key in keys}) != len(keys):
        raise KeyOutsideScheme("each use has a key of its own", expected=uses)
    return keys


def _credential(
    parts: Parts, request: Request, scheme: Scheme, registration: Registration
) -> webauthn.Credential:
    response = {
        "id": registration.credential_id,
        "rawId": registration.credential_id,
        "type": "public-key",
        "response": {
            "clientDataJSON": registration.client_data_json,
            "attestationObject": registration.attestation_object,
        },
        "clientExtensionResults": {},
    }
    policy = webauthn.RegistrationPolicy(
        require_device_bound=not scheme.fido.allow_synced,
        require_attested=scheme.fido.attestation == "direct",
    )
    return webauthn.verify_registration(
        msgspec.json.encode(response),
        challenge=base64url.decode(request.challenge),
        origins=(parts.wallet_origin,),
        rp_id=parts.rp_id,
        policy=policy,
    )


def _prepare(parts: Parts, request: Request, prepared: Prepared) -> Step[Request]:
    moment = yield MOMENT
    current = yield from _get(request.id)
    if current.state is RequestState.PREPARED and current.prepared == prepared:
        return current
    _require(current, RequestState.JOINED, moment)
    event = yield from parts.audit.record(
        "enrolment.prepared",
        actor=Actor(ActorKind.PLATFORM, "wallet"),
        object=request.id,
        details={"keys": [_sha256(key.spki) for key in prepared.keys]},
    )
    content = wire.content_bytes(bind_content(parts, current, prepared, at=moment))
    touched = yield store.PREPARE.run(
        key=request.id,
        seen=current.version,
        event=event,
        new_prepared=msgspec.msgpack.encode(prepared),
        new_content=content.decode(),
    )
    yield Wake(topic(request.id))
    return (yield from _after(request.id, touched=touched, step=RequestState.JOINED))


def bind_content(
    parts: Parts, request: Request, prepared: Prepared, *, at: datetime
) -> wire.BindContent:
    """What the card signs: every key by its hash, the place it is kept, and the terms."""
    assert request.channel_jkt is not None
    assert request.back_end is not None
    assert request.phone_name is not None
    return wire.BindContent(
        v=1,
        purpose="bind",
        aud=parts.issuer,
        scheme=request.scheme,
        nonce=request.nonce,
        keys=tuple(
            wire.RequestedKey(use=wire.KeyUse(key.use), spki_sha256=_sha256(key.spki))
            for key in prepared.keys
        ),
        credential_id_sha256=_sha256(prepared.credential_id),
        cose_key_sha256=_sha256(prepared.cose_key),
        channel_jkt=request.channel_jkt,
        rp_id=parts.rp_id,
        back_end=request.back_end,
        attestation_sha256=base64url.encode(prepared.attestation_sha256),
        scope=(),
        terms_version=request.terms_version,
        phone_name=request.phone_name,
        at=rfc3339(at),
    )


def _by_handle(handle: str) -> Step[Request | None]:
    return read_request((yield store.REQUEST_BY_HANDLE.one(key=handle)))


def _get(request_id: str) -> Step[Request]:
    request = read_request((yield store.REQUEST_BY_ID.one(key=request_id)))
    if request is None:
        raise EnrolmentNotFound()
    return request


def _require(request: Request, state: RequestState, now: datetime) -> None:
    """Refuse when the request is over or stands elsewhere.

    Raises:
        EnrolmentExpired, EnrolmentOutOfOrder.
    """
    stands = state_at(request, now)
    if stands in (RequestState.EXPIRED, RequestState.REFUSED):
        raise EnrolmentExpired()
    if stands is not state:
        raise EnrolmentOutOfOrder(state=str(stands))


def _after(request_id: str, *, touched: int, step: RequestState) -> Step[Request]:
    """Read the row back; say why when the compare-and-set found another state."""
    request = yield from _get(request_id)
    if not touched:
        moment = yield MOMENT
        _require(request, step, moment)
        raise EnrolmentOutOfOrder(state=str(request.state))
    return request


def _sha256(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())
