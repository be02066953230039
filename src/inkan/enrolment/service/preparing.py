"""The phone hands in its keys: CSRs and registration; then there is something for the card to sign (design §5.2 steps 2, 3)."""

import hashlib
from datetime import datetime

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url, webauthn
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import key_spec, load_public
from inkan.enrolment import store
from inkan.enrolment.model import (
    KeyOutsideScheme,
    Prepared,
    PreparedKey,
    Request,
    RequestState,
)
from inkan.enrolment.service import remote_keys
from inkan.enrolment.service.parts import Parts, scheme_of, topic
from inkan.enrolment.service.requests import for_phone, get, held, require, state_at
from inkan.kernel.clock import rfc3339
from inkan.schemes import Scheme
from inkan.store.database import MOMENT, Step, Wake
from inkan.wire import enrolment_request as wire
from inkan.wire.binding import BackEnd
from inkan.wire.registration_key import key_of


class Registration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The parts of a WebAuthn registration, each base64url."""

    credential_id: str
    client_data_json: str
    attestation_object: str


class Handed(msgspec.Struct, frozen=True):
    """What the phone hears after handing in its keys: the content that the card is about to sign.

    Attributes:
        csrs: requests (base64url DER) by use for keys that were made for it (back end B); empty when it made them.
        spkis: their SubjectPublicKeyInfos (base64url DER), for a phone that reads no DER; it checks them by the csrs.
    """

    state: RequestState
    content: str
    csrs: dict[str, str] = {}
    spkis: dict[str, str] = {}


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
    5. for back end B, which hands in none, the CSRs come from the holder of the keys, who pins them to this passkey;
    6. the content is written down; compare-and-set: joined → prepared. The same keys again get it again.

    Raises:
        EnrolmentNotFound, EnrolmentExpired, EnrolmentOutOfOrder, KeyOutsideScheme, CSRMalformed,
        CSRSignatureWrong, WeakKey, RegistrationRefused and its like, PhoneKeysUnavailable.
    """
    request = await parts.db.read(for_phone, request_id, jkt)  # 1
    scheme = scheme_of(request)
    made: dict[str, str] = {}
    credential = _credential(parts, request, scheme, registration)  # 4
    if request.back_end is BackEnd.B:
        made = await _made(parts, request, scheme, csrs, registration)  # 5
    keys = certified_keys(scheme, made or csrs)  # 2, 3
    prepared = Prepared(
        keys=keys,
        credential_id=credential.id,
        cose_key=credential.cose_key,
        sign_count=credential.sign_count,
        backup_eligible=credential.backup_eligible,
        attested=credential.attested,
        attestation_sha256=credential.attestation_sha256,
    )
    request = await parts.db.transact(_prepare, parts, request, prepared)  # 6
    assert request.content is not None
    content = base64url.encode(request.content.encode())
    spkis = spkis_of(keys) if made else {}
    return Handed(state=request.state, content=content, csrs=made, spkis=spkis)


async def _made(
    parts: Parts,
    request: Request,
    scheme: Scheme,
    csrs: dict[str, str],
    registration: Registration,
) -> dict[str, str]:
    """The requests of keys that are made for a joined phone, once its registration has been verified."""
    if csrs:
        raise KeyOutsideScheme("back end B makes the keys", expected="no requests")
    if state_at(request, parts.db.now()) is not RequestState.PREPARED:
        require(request, RequestState.JOINED, parts.db.now())
    return await remote_keys.make(
        parts,
        request.id,
        scheme=scheme,
        uses=uses_of(scheme),
        registration=registration_json(registration),
        challenge=base64url.decode(request.challenge),
    )


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


def spkis_of(keys: list[PreparedKey]) -> dict[str, str]:
    """The SubjectPublicKeyInfos of keys, base64url DER by use."""
    return {key.use: base64url.encode(key.spki) for key in keys}


def registration_json(registration: Registration) -> bytes:
    """A registration as a browser writes it (WebAuthn §5.1, RegistrationResponseJSON)."""
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
    return msgspec.json.encode(response)


def _credential(
    parts: Parts, request: Request, scheme: Scheme, registration: Registration
) -> webauthn.Credential:
    policy = webauthn.RegistrationPolicy(
        require_device_bound=not scheme.fido.allow_synced,
        require_attested=scheme.fido.attestation == "direct",
    )
    return webauthn.verify_registration(
        registration_json(registration),
        challenge=base64url.decode(request.challenge),
        origins=(parts.wallet_origin,),
        rp_id=parts.rp_id,
        policy=policy,
    )


def _prepare(parts: Parts, request: Request, prepared: Prepared) -> Step[Request]:
    moment = yield MOMENT
    current = yield from held(request.id)
    if current.state is RequestState.PREPARED and current.prepared == prepared:
        return current
    require(current, RequestState.JOINED, moment)
    event = yield from parts.audit.record(
        "enrolment.prepared",
        actor=Actor(ActorKind.PLATFORM, "wallet"),
        object=request.id,
        details={"keys": [_sha256(key.spki) for key in prepared.keys]},
    )
    bind = bind_content(parts, current, prepared, at=moment)
    content = wire.content_bytes(bind)
    yield store.PREPARE.run(
        key=request.id,
        seen=current.version,
        event=event,
        new_prepared=msgspec.msgpack.encode(prepared),
        new_content=content.decode(),
    )
    # Of a request that was begun at the desk nobody needs the key, and no row is changed.
    yield store.SET_KEY.run(key=request.id, event=event, new_key=_sha256(key_of(bind)))
    yield Wake(topic(request.id))
    return (yield from get(request.id))


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


def _sha256(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())
