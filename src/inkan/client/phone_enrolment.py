"""Binding, the phone's side (design §5.2 steps 1 and 2): join, make everything, show the digits, collect.

What the card signs names what this phone made, by hashes; the phone compares that content with its own memory
before it shows the digits, and the certificates with its keys before it believes that it is bound (threat 6).
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from inkan.client.authenticator import CreationOptions, Registration, RequestOptions
from inkan.client.certificate_keys import PRF_INPUT, WrappedKey, certificate_request, wrap
from inkan.client.enrolment import EnrolmentEnded
from inkan.client.phone_certificates import fetch_certificates
from inkan.client.phone_parts import PhoneParts, PRFUnavailable
from inkan.client.phone_state import (
    Bound,
    Enrolment,
    HeldCredential,
    Keys,
    Prepared,
)
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec, generate, key_spec, load_public
from inkan.kernel.errors import Conflict, Forbidden, InkanError, Malformed, TooLarge
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request as requests
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import BindContent, KeyUse

# How long one question for the outcome waits at the platform, in seconds.
WAIT_S: Final = 25


class NothingToBind(Conflict):
    """The phone has joined no enrolment."""

    code = "phone_nothing_to_bind"
    title = "Scan the code of the enrolment page first"


class PhoneBound(Conflict):
    """The phone is bound already; a new binding begins with a new phone file."""

    code = "phone_bound"
    title = "This phone is bound already"


class EnrolmentSubstituted(Forbidden):
    """The platform's content names something else than this phone made; ``member`` says what."""

    code = "phone_enrolment_substituted"
    title = "The request does not belong to this phone"
    public = ("member",)


class _PreparedAnswer(msgspec.Struct, frozen=True):
    content: str
    csrs: dict[KeyUse, str] = {}


class EnrolmentReading(msgspec.Struct, frozen=True):
    """Where a binding stands, as the platform says."""

    state: str
    phone: str | None = None
    certificates: dict[KeyUse, str] = {}
    refusal: str | None = None


async def join(parts: PhoneParts, frame: str) -> Enrolment:
    """Join the enrolment whose code was scanned; the page's secret never comes here.

    Raises:
        PhoneBound: the phone has a binding.
        EnrolmentSubstituted: another platform or another RP ID answers.
        CallRefused: a stale or foreign frame, among others.
    """
    state = parts.state
    if state.bound is not None:
        raise PhoneBound
    body = {"frame": frame, "name": state.name, "back_end": state.back_end}
    enrolment = await parts.api.post("/phone/v1/enrolments", body, Enrolment, again=True)
    return begun(parts, enrolment)


def begun(parts: PhoneParts, enrolment: Enrolment) -> Enrolment:
    """Remember a binding under way; what an earlier attempt made is forgotten.

    Raises:
        EnrolmentSubstituted: another platform or another RP ID answered.
    """
    state = parts.state
    _compare("issuer", enrolment.issuer, state.platform)
    _compare("rp_id", enrolment.rp_id, host_of(state.wallet_origin))
    if enrolment.uses not in requests.KEY_SETS:
        raise EnrolmentSubstituted(member="uses")
    _forget_prepared(parts)
    state.enrolment = enrolment
    parts.save()
    return enrolment


async def prepare(parts: PhoneParts) -> str:
    """Make passkey, keys and requests, send them, and return the 8 digits for the card's dialog.

    Plan:
        1. Passkey with PRF: its value at creation, or by one more assertion.
        2. Certificate keys; each signs its request while it is held, and is then wrapped. With back end B the
           platform's signer makes them for this passkey, and its requests come with the answer.
        3. Everything is on the disk before anything is sent.
        4. The content that the platform made of it names exactly these things.
        5. The digits are computed from the phone's own values, not from the content.

    Calling it again sends the same bytes.

    Raises:
        NothingToBind: join first.
        UserNotVerified, PRFUnavailable: step 1.
        EnrolmentSubstituted: step 4, with the member that differs.
        CallRefused: the platform refuses keys or registration.
    """
    enrolment = under_way(parts)
    is_remote = parts.state.back_end is BackEnd.B
    if parts.state.prepared is None:
        registration, keys, csrs = (_without_keys if is_remote else _with_keys)(parts, enrolment)
        parts.state.prepared = Prepared(
            keys=keys,
            credential=_credential(registration),
            body=msgspec.json.encode({"csrs": csrs, "registration": _registration(registration)}),
        )
        parts.save()  # 3
    path = f"/phone/v1/enrolments/{enrolment.id}/csr"
    body = parts.state.prepared.body
    answer = await parts.api.post(path, body, _PreparedAnswer, again=True)
    if is_remote:
        _note_made(parts, enrolment, answer.csrs)
    verify_content(parts, base64url.decode(answer.content))  # 4
    return digits(parts)  # 5


def digits(parts: PhoneParts) -> str:
    """Return the 8 digits, computed from what this phone made.

    Raises:
        NothingToBind: nothing was prepared.
    """
    return requests.digits_of(**own_hashes(parts))


def verify_content(parts: PhoneParts, content: bytes) -> BindContent:
    """Return the content that the card will sign, if it says what this phone knows.

    Raises:
        EnrolmentSubstituted: with the first member that differs, or that the content cannot be read.
    """
    try:
        bind = requests.parse_bind(content)
    except Malformed as error:
        raise EnrolmentSubstituted(error.detail, member="content") from None
    enrolment, own = under_way(parts), own_hashes(parts)
    _compare("keys", [key.spki_sha256 for key in bind.keys], own.pop("keys"))
    _compare("keys", tuple(key.use for key in bind.keys), enrolment.uses)
    expected = own | {
        "aud": enrolment.issuer,
        "scheme": enrolment.scheme,
        "rp_id": enrolment.rp_id,
        "back_end": parts.state.back_end,
        "terms_version": enrolment.terms_version,
        "phone_name": parts.state.name,
    }
    for member, value in expected.items():
        _compare(member, getattr(bind, member), value)
    return bind


async def collect(parts: PhoneParts, *, wait_s: int = WAIT_S) -> Bound | None:
    """Fetch and check the certificates; None when the card has not signed yet.

    Raises:
        NothingToBind: nothing was prepared.
        EnrolmentEnded: refused or expired; the made keys are forgotten.
        CertificateNotOurs: a certificate does not fit this phone.
    """
    enrolment, prepared = under_way(parts), prepared_of(parts)
    path = f"/phone/v1/enrolments/{enrolment.id}"
    reading = await parts.api.get(path, EnrolmentReading, wait_s=wait_s)
    if reading.state in {"refused", "expired"}:
        _forget_prepared(parts)
        parts.state.enrolment = None
        parts.save()
        raise EnrolmentEnded(refusal=reading.refusal or reading.state)
    if reading.state != "issued" or reading.phone is None:
        return None
    binding_id, certificates = await fetch_certificates(
        parts, reading.certificates, keys=prepared.keys, credential=prepared.credential
    )
    parts.state.bound = Bound(
        phone=reading.phone,
        binding_id=binding_id,
        scheme=enrolment.scheme,
        rp_id=enrolment.rp_id,
        credential=prepared.credential,
        keys=prepared.keys,
        certificates=certificates,
    )
    parts.state.enrolment = parts.state.prepared = None
    parts.save()
    return parts.state.bound


def host_of(origin: str) -> str:
    """Return the host of an origin, without its port."""
    return origin.partition("://")[2].partition(":")[0]


def under_way(parts: PhoneParts) -> Enrolment:
    """The binding under way; raises NothingToBind."""
    if parts.state.enrolment is None:
        raise NothingToBind
    return parts.state.enrolment


def prepared_of(parts: PhoneParts) -> Prepared:
    """What was made for it; raises NothingToBind."""
    if parts.state.prepared is None:
        raise NothingToBind
    return parts.state.prepared


def _create(parts: PhoneParts, enrolment: Enrolment, *, prf_input: bytes | None) -> Registration:
    return parts.authenticator.create(
        CreationOptions(
            rp_id=enrolment.rp_id,
            challenge=base64url.decode(enrolment.challenge),
            user_handle=random_bytes(32),  # names nobody: the platform finds the phone by its keys
            algorithms=enrolment.algorithms,
            prf_input=prf_input,
        ),
        origin=parts.state.wallet_origin,
    )


def _register(parts: PhoneParts, enrolment: Enrolment) -> tuple[Registration, Secret[bytes]]:
    registration = _create(parts, enrolment, prf_input=PRF_INPUT)
    if registration.prf is not None:
        return registration, registration.prf
    try:
        return registration, _first_prf(parts, enrolment, registration)
    except InkanError:
        parts.authenticator.forget(registration.credential_id)
        raise


def _first_prf(
    parts: PhoneParts, enrolment: Enrolment, registration: Registration
) -> Secret[bytes]:
    signed = parts.authenticator.get(
        RequestOptions(
            rp_id=enrolment.rp_id,
            challenge=random_bytes(32),  # never leaves the phone: only the PRF value is wanted
            allow=(registration.credential_id,),
            prf_input=PRF_INPUT,
        ),
        origin=parts.state.wallet_origin,
    )
    if signed.prf is None:
        raise PRFUnavailable
    return signed.prf


def _with_keys(
    parts: PhoneParts, enrolment: Enrolment
) -> tuple[Registration, Keys, dict[str, str]]:
    registration, prf = _register(parts, enrolment)  # 1
    return registration, *_make_keys(enrolment, prf)  # 2


def _without_keys(
    parts: PhoneParts, enrolment: Enrolment
) -> tuple[Registration, Keys, dict[str, str]]:
    return _create(parts, enrolment, prf_input=None), {}, {}


def _note_made(parts: PhoneParts, enrolment: Enrolment, csrs: dict[KeyUse, str]) -> None:
    """Remember the keys that were made for this phone, each proved by its own request; they stay what they are."""
    prepared = prepared_of(parts)
    keys = remote_keys(enrolment.uses, enrolment.key_spec, csrs)
    if prepared.keys not in ({}, keys):
        raise EnrolmentSubstituted("other keys than before", member="keys")
    parts.state.prepared = msgspec.structs.replace(prepared, keys=keys)
    parts.save()


def remote_keys(uses: Sequence[KeyUse], spec: str, csrs: Mapping[KeyUse, str]) -> Keys:
    """The keys behind requests (base64url DER) that the platform's signer made, in the order of their uses.

    Raises:
        EnrolmentSubstituted: other uses, another kind of key, one key twice, or one that does not prove itself.
    """
    try:
        made = {
            use: WrappedKey(spki=verify_csr(parse_csr(base64url.decode(csrs[use]))).spki)
            for use in uses
        }
    except (KeyError, Malformed, TooLarge) as error:
        raise EnrolmentSubstituted(str(error), member="keys") from None
    specs = {str(key_spec(load_public(key.spki))) for key in made.values()}
    if (
        set(csrs) != set(uses)
        or specs != {spec}
        or len({k.spki for k in made.values()}) != len(made)
    ):
        raise EnrolmentSubstituted("not the keys that were asked for", member="keys")
    return made


def _make_keys(enrolment: Enrolment, prf: Secret[bytes]) -> tuple[Keys, dict[str, str]]:
    made = {use: generate(KeySpec(enrolment.key_spec)) for use in enrolment.uses}
    csrs = {str(use): base64url.encode(certificate_request(key)) for use, key in made.items()}
    return {use: wrap(key, prf) for use, key in made.items()}, csrs


def _credential(registration: Registration) -> HeldCredential:
    return HeldCredential(
        id=registration.credential_id,
        cose_key=registration.cose_key,
        attestation_sha256=hashlib.sha256(registration.attestation_object).digest(),
    )


def _registration(registration: Registration) -> dict[str, str]:
    return {
        "credential_id": base64url.encode(registration.credential_id),
        "client_data_json": base64url.encode(registration.client_data_json),
        "attestation_object": base64url.encode(registration.attestation_object),
    }


def own_hashes(parts: PhoneParts) -> dict[str, Any]:
    """The arguments of the digits, from this phone's memory alone."""
    prepared, credential = prepared_of(parts), prepared_of(parts).credential
    return {
        "nonce": under_way(parts).nonce,
        "keys": [base64url.encode(key.spki_sha256) for key in prepared.keys.values()],
        "credential_id_sha256": _sha256(credential.id),
        "cose_key_sha256": _sha256(credential.cose_key),
        "channel_jkt": parts.api.channel_jkt,
        "attestation_sha256": base64url.encode(credential.attestation_sha256),
    }


def _sha256(data: bytes) -> str:
    return base64url.encode(hashlib.sha256(data).digest())


def _compare(member: str, theirs: object, ours: object) -> None:
    if theirs != ours:
        raise EnrolmentSubstituted(f"{member} is not what this phone knows", member=member)


def _forget_prepared(parts: PhoneParts) -> None:
    """Drop what an earlier attempt made: its passkey and its keys."""
    prepared, parts.state.prepared = parts.state.prepared, None
    if prepared is not None:
        parts.authenticator.forget(prepared.credential.id)
