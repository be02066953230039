"""WebAuthn ceremonies of the verifier: registration (Level 3 §7.1) and assertion (§7.2).

Every check is named by :class:`inkan.crypto.ceremony.Check` and has one negative test (``security.md``, WebAuthn table).
Assertions are verified by this module alone, because each approval pays for one; py_webauthn is the second opinion
in the tests. Registrations hand their attestation statement to :mod:`inkan.crypto.attestation`.
"""

import hashlib
from collections.abc import Collection, Sequence
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature

from inkan.crypto import attestation as attestations
from inkan.crypto import base64url, cose
from inkan.crypto.attestation import AttestationFormat
from inkan.crypto.authenticator_data import (
    AttestedCredential,
    AuthenticatorData,
    parse_authenticator_data,
)
from inkan.crypto.ceremony import (
    AssertionRefused,
    Check,
    RegistrationRefused,
    refused,
    verify_client_data,
    verify_flags,
)
from inkan.crypto.cose import COSEAlgorithm
from inkan.kernel.errors import Malformed, TooLarge

__all__ = [
    "ALGORITHMS",
    "DEFAULT_POLICY",
    "MAX_REGISTRATION_SIZE",
    "Assertion",
    "AssertionRefused",
    "AssertionResult",
    "Check",
    "Credential",
    "KnownCredential",
    "RegistrationMalformed",
    "RegistrationPolicy",
    "RegistrationRefused",
    "RegistrationTooLarge",
    "verify_assertion",
    "verify_registration",
]

MAX_REGISTRATION_SIZE: Final = 32 * 1024
CREDENTIAL_ID_SIZES: Final = range(16, 1023 + 1)
ALGORITHMS: Final = tuple(COSEAlgorithm)

_CREATE: Final = "webauthn.create"
_GET: Final = "webauthn.get"
_MAX_SIGNATURE_SIZE: Final = 1024


class RegistrationMalformed(Malformed):
    """Not the JSON of a new credential (WebAuthn §5.1, RegistrationResponseJSON)."""

    code = "registration_malformed"
    title = "The new credential cannot be read"
    public = ()


class RegistrationTooLarge(TooLarge):
    """More bytes than any registration has."""

    code = "registration_too_large"
    title = "The new credential is larger than allowed"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """A verified new credential.

    Attributes:
        id: credential id, 16 to 1023 bytes.
        cose_key: canonical COSE_Key, the bytes that the authenticator made.
        algorithm: of its signatures.
        aaguid: 16 bytes, the model as the authenticator says; proved only when ``attested``.
        sign_count: at registration; 0 when the authenticator does not count.
        backup_eligible: may be copied to other devices ("synced" passkey).
        backed_up: has been.
        user_verified: the user was verified at registration.
        fmt: format of the attestation statement.
        attestation_sha256: SHA-256 of the attestation object.
        attested: the statement's chain ends at an accepted root.
        transports: hints for later requests, as the browser gave them.
    """

    id: bytes
    cose_key: bytes
    algorithm: COSEAlgorithm
    aaguid: bytes
    sign_count: int
    backup_eligible: bool
    backed_up: bool
    user_verified: bool
    fmt: AttestationFormat
    attestation_sha256: bytes
    attested: bool
    transports: tuple[str, ...]


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator answers to a challenge; bytes as received, nothing verified."""

    credential_id: bytes
    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes | None = None


class KnownCredential(msgspec.Struct, frozen=True, kw_only=True):
    """What the verifier knows of the credential that it asked for, and compares with the assertion.

    A verifier of evidence has no record: it takes id and key from the evidence, after a certificate has proved
    them, and says None for the rest.

    Attributes:
        id: the credential that was asked for.
        cose_key: its key.
        backup_eligible: as registered; it never changes.
        sign_count: of the last accepted assertion.
        user_handle: the user id given at registration; None when none was kept.
    """

    id: bytes
    cose_key: bytes
    backup_eligible: bool | None
    sign_count: int | None
    user_handle: bytes | None = None


class AssertionResult(msgspec.Struct, frozen=True, kw_only=True):
    """A verified assertion.

    Attributes:
        sign_count: to be remembered, after everything else of the use case has succeeded.
        user_verified: UV.
        backup_eligible: BE.
        backed_up: BS; may change from one assertion to the next.
        sign_count_suspect: the counter did not rise, so the credential may have been cloned: a risk signal, not a
            refusal (WebAuthn §7.2, signCount).
    """

    sign_count: int
    user_verified: bool
    backup_eligible: bool
    backed_up: bool
    sign_count_suspect: bool


class RegistrationPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What a scheme demands of a new credential.

    Attributes:
        algorithms: accepted, in the order of preference.
        require_user_verification: UV.
        require_device_bound: refuse credentials that may be copied (BE).
        require_attested: refuse authenticators that do not prove their model.
        anchors: accepted roots, PEM, by format.
    """

    algorithms: Sequence[COSEAlgorithm] = ALGORITHMS
    require_user_verification: bool = True
    require_device_bound: bool = False
    require_attested: bool = False
    anchors: dict[AttestationFormat, tuple[bytes, ...]] = {}


DEFAULT_POLICY: Final = RegistrationPolicy()


class _Response(msgspec.Struct, frozen=True, rename="camel"):
    client_data_json: str = msgspec.field(name="clientDataJSON")
    attestation_object: str
    transports: list[str] = []


class _Registration(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    raw_id: str
    type: Literal["public-key"]
    response: _Response


_decode_registration = msgspec.json.Decoder(_Registration).decode


def verify_registration(
    response_json: bytes,
    *,
    challenge: bytes,
    origins: Collection[str],
    rp_id: str,
    policy: RegistrationPolicy = DEFAULT_POLICY,
) -> Credential:
    """Return the credential of a registration (WebAuthn Level 3 §7.1).

    That nobody else has the credential id is the caller's to check, by the unique key of its table.

    Plan:
        1. Size, JSON, canonical base64url, ``id`` equal to ``rawId``.
        2. Client data: type, challenge, origin, not in a frame.
        3. Attestation object: known format; authenticator data with a credential.
        4. RP ID hash, user present, user verified, backup flags consistent.
        5. Credential id: the one of the response, 16 to 1023 bytes.
        6. Key: canonical, strong, of an offered algorithm.
        7. Attestation statement; device-bound and attested where the policy demands it.

    Args:
        response_json: ``PublicKeyCredential.toJSON()`` of the browser.
        challenge: the bytes that were sent.
        origins: accepted origins, compared exactly.
        rp_id: host name.
        policy: what the scheme demands.

    Raises:
        RegistrationTooLarge, RegistrationMalformed, Base64URLMalformed, AuthenticatorDataMalformed, CBORMalformed,
        AttestationMalformed, COSEKeyMalformed, WeakKey: step 1, 3 or 6.
        RegistrationRefused: with the check that failed.
        AttestationRefused: step 7.
    """
    received = _parse_registration(response_json)  # 1
    client_data_json = base64url.decode(received.response.client_data_json)
    verify_client_data(  # 2
        client_data_json, _CREATE, challenge, origins, RegistrationRefused
    )
    attestation_object = base64url.decode(received.response.attestation_object)
    parsed = attestations.parse_attestation_object(attestation_object)  # 3
    data = parse_authenticator_data(parsed.auth_data)
    verify_flags(  # 4
        data, rp_id, RegistrationRefused, require_uv=policy.require_user_verification
    )
    new = _verify_new_credential(data, base64url.decode(received.raw_id))  # 3, 5
    _, algorithm = cose.load_cose_key(new.cose_key)  # 6
    if algorithm not in policy.algorithms:
        raise refused(RegistrationRefused, Check.ALGORITHM)
    is_attested = attestations.verify_attestation(  # 7
        parsed,
        attestation_object=attestation_object,
        client_data_json=client_data_json,
        credential_id=new.credential_id,
        anchors=policy.anchors,
        expected={"challenge": challenge, "origin": list(origins), "rp_id": rp_id},
    )
    if policy.require_device_bound and data.backup_eligible:
        raise refused(RegistrationRefused, Check.DEVICE_BOUND)
    if policy.require_attested and not is_attested:
        raise refused(RegistrationRefused, Check.ATTESTED)
    return Credential(
        id=new.credential_id,
        cose_key=new.cose_key,
        algorithm=algorithm,
        aaguid=new.aaguid,
        sign_count=data.sign_count,
        backup_eligible=data.backup_eligible,
        backed_up=data.backed_up,
        user_verified=data.user_verified,
        fmt=parsed.fmt,
        attestation_sha256=hashlib.sha256(attestation_object).digest(),
        attested=is_attested,
        transports=tuple(received.response.transports),
    )


def verify_assertion(
    assertion: Assertion,
    *,
    known: KnownCredential,
    challenge: bytes,
    origin: str,
    rp_id: str,
    require_uv: bool = True,
) -> AssertionResult:
    """Verify an assertion (WebAuthn Level 3 §7.2).

    Plan:
        1. The credential asked for, and its owner when the authenticator names one.
        2. Client data: type, challenge, origin, not in a frame.
        3. Authenticator data without a credential: RP ID hash, user present, user verified, backup flags consistent.
        4. Backup eligibility as registered.
        5. Signature over authenticator data ‖ SHA-256(client data).
        6. Sign count: risen, or 0 on both sides; else a risk signal.

    Args:
        assertion: as received.
        known: the credential that was asked for.
        challenge: the bytes that were sent.
        origin: accepted origin, compared exactly.
        rp_id: host name.
        require_uv: whether the user must have been verified.

    Raises:
        AuthenticatorDataMalformed, CBORMalformed, COSEKeyMalformed: what cannot be read.
        AssertionRefused: with the check that failed.
    """
    _verify_owner(assertion, known)  # 1
    verify_client_data(  # 2
        assertion.client_data_json, _GET, challenge, (origin,), AssertionRefused
    )
    data = parse_authenticator_data(assertion.authenticator_data)
    if data.credential is not None:
        raise refused(AssertionRefused, Check.CREDENTIAL_DATA)
    verify_flags(data, rp_id, AssertionRefused, require_uv=require_uv)  # 3
    if known.backup_eligible not in {None, data.backup_eligible}:  # 4
        raise refused(AssertionRefused, Check.BACKUP_ELIGIBILITY)
    _verify_signature(assertion, known.cose_key)  # 5
    return AssertionResult(
        sign_count=data.sign_count,
        user_verified=data.user_verified,
        backup_eligible=data.backup_eligible,
        backed_up=data.backed_up,
        sign_count_suspect=_is_suspect(data.sign_count, known.sign_count),  # 6
    )


def _parse_registration(response_json: bytes) -> _Registration:
    if len(response_json) > MAX_REGISTRATION_SIZE:
        raise RegistrationTooLarge(limit_bytes=MAX_REGISTRATION_SIZE)
    try:
        received = _decode_registration(response_json)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RegistrationMalformed(str(error)) from None
    if received.id != received.raw_id:
        raise RegistrationMalformed("id is not rawId")
    return received


def _verify_new_credential(data: AuthenticatorData, raw_id: bytes) -> AttestedCredential:
    if data.credential is None:
        raise refused(RegistrationRefused, Check.CREDENTIAL_DATA)
    if data.credential.credential_id != raw_id or len(raw_id) not in CREDENTIAL_ID_SIZES:
        raise refused(RegistrationRefused, Check.CREDENTIAL_ID)
    return data.credential


def _verify_owner(assertion: Assertion, known: KnownCredential) -> None:
    if assertion.credential_id != known.id:
        raise refused(AssertionRefused, Check.CREDENTIAL_ID)
    if assertion.user_handle and assertion.user_handle != known.user_handle:
        raise refused(AssertionRefused, Check.USER_HANDLE)


def _is_suspect(sign_count: int, last: int | None) -> bool:
    """Whether a counter that counts did not rise; unknown or never started says nothing."""
    return last is not None and (sign_count, last) != (0, 0) and sign_count <= last


def _verify_signature(assertion: Assertion, cose_key: bytes) -> None:
    signed = assertion.authenticator_data + hashlib.sha256(assertion.client_data_json).digest()
    if len(assertion.signature) > _MAX_SIGNATURE_SIZE:
        raise refused(AssertionRefused, Check.SIGNATURE)
    try:
        cose.verify_cose_signature(cose_key, assertion.signature, signed)
    except InvalidSignature:
        raise refused(AssertionRefused, Check.SIGNATURE) from None
