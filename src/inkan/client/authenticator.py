"""A software WebAuthn authenticator: what the passkey of a phone does, without a phone.

It plays both halves that the platform sees as one: the browser's (client data, RP ID against origin) and the
authenticator's (credential keys, user verification, counter, PRF). Registrations carry a true self attestation
and assertions are true signatures, so that no verifier needs a special door for tests, the demo or the command
line. Sources: WebAuthn Level 3, CTAP 2.1 (§6.1, §6.2, hmac-secret §12.7).
"""

import hashlib
import hmac
from collections.abc import Callable
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.client import authenticator_data
from inkan.client.authenticator_data import ES256, Ceremony, Flag
from inkan.crypto import keys
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import Conflict, Forbidden, NotFound
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

# Names the model of this authenticator in registrations; it promises nothing about any hardware.
AAGUID: Final = hashlib.sha256(b"inkan software authenticator").digest()[:16]
_NO_AAGUID: Final = bytes(16)


class UserNotVerified(Forbidden):
    """The person did not prove to be the owner of the phone."""

    code = "authenticator_user_not_verified"
    title = "The phone did not recognise its owner"


class OriginRefused(Forbidden):
    """A page asks for credentials of another domain, or does not come from a secure origin."""

    code = "authenticator_origin_refused"
    title = "This address may not use passkeys of that domain"


class CredentialUnknown(NotFound):
    """The authenticator holds none of the credentials that are asked for."""

    code = "authenticator_credential_unknown"
    title = "This phone has no such passkey"


class CredentialExcluded(Conflict):
    """The authenticator holds a credential already that the new one must not stand beside."""

    code = "authenticator_credential_excluded"
    title = "This phone is registered already"


class AlgorithmUnsupported(Conflict):
    """None of the offered algorithms is ES256."""

    code = "authenticator_algorithm_unsupported"
    title = "The passkey cannot use any of the offered algorithms"


class Attestation(StrEnum):
    """What a registration says about its authenticator: nothing, or a statement by the credential key."""

    NONE = "none"
    SELF = "packed"


class Backup(StrEnum):
    """Where a credential may live (WebAuthn §6.1.3): on this device only, or in a synchronised store."""

    DEVICE_BOUND = "device_bound"
    ELIGIBLE = "eligible"
    SYNCED = "synced"


_BACKUP_FLAGS: Final = {
    Backup.DEVICE_BOUND: Flag(0),
    Backup.ELIGIBLE: Flag.BACKUP_ELIGIBLE,
    Backup.SYNCED: Flag.BACKUP_ELIGIBLE | Flag.BACKED_UP,
}

VerifyUser = Callable[[Ceremony], bool]


class StoredCredential(msgspec.Struct, kw_only=True):
    """One passkey as its authenticator keeps it."""

    id: bytes
    rp_id: str
    user_handle: bytes
    private_key: bytes
    prf_secret: bytes
    sign_count: int = 0
    backup: Backup = Backup.DEVICE_BOUND


class AuthenticatorState(msgspec.Struct, kw_only=True):
    """Everything an authenticator remembers; the owner of the state stores it after every ceremony."""

    credentials: list[StoredCredential] = msgspec.field(default_factory=list)


class CreationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a page asks for at registration; the part of PublicKeyCredentialCreationOptions that is used here."""

    rp_id: str
    challenge: bytes
    user_handle: bytes
    algorithms: tuple[int, ...] = (ES256,)
    exclude: tuple[bytes, ...] = ()
    user_verification: bool = True
    prf_input: bytes | None = None


class RequestOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a page asks for at an assertion; an empty ``allow`` means any credential of the RP ID."""

    rp_id: str
    challenge: bytes
    allow: tuple[bytes, ...] = ()
    user_verification: bool = True
    prf_input: bytes | None = None


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """A new credential and the proof that goes to the platform; ``prf`` stays on the phone."""

    credential_id: bytes
    client_data_json: bytes
    attestation_object: bytes
    cose_key: bytes
    prf_enabled: bool
    prf: Secret[bytes] | None


class SignedAssertion(msgspec.Struct, frozen=True, kw_only=True):
    """An assertion that goes to the platform; ``prf`` stays on the phone."""

    credential_id: bytes
    client_data_json: bytes
    authenticator_data: bytes
    signature: bytes
    user_handle: bytes
    prf: Secret[bytes] | None


class SoftwareAuthenticator:
    """An authenticator whose keys are numbers in ``state``.

    Args:
        state: its memory, changed in place.
        verify_user: asked once a ceremony; True sets the UV flag.
        attestation: what registrations say.
        backup: the flags of credentials made from now on.
        prf_at_creation: whether PRF gives its value at registration already; authenticators that only enable
            it there give the first value at the first assertion.
    """

    def __init__(
        self,
        state: AuthenticatorState,
        *,
        verify_user: VerifyUser,
        attestation: Attestation = Attestation.SELF,
        backup: Backup = Backup.DEVICE_BOUND,
        prf_at_creation: bool = True,
    ) -> None:
        self.state = state
        self._verify_user = verify_user
        self._attestation = attestation
        self._backup = backup
        self._prf_at_creation = prf_at_creation

    def create(self, options: CreationOptions, *, origin: str) -> Registration:
        """Make a credential for a page (WebAuthn §5.1.3, CTAP 2.1 §6.1).

        Raises:
            OriginRefused: the RP ID does not belong to the origin.
            CredentialExcluded: one of ``exclude`` lives here.
            AlgorithmUnsupported: ES256 is not offered.
            UserNotVerified: verification was demanded and failed.
        """
        _verify_rp_id(options.rp_id, origin)
        if any(held.id in options.exclude for held in self._held(options.rp_id)):
            raise CredentialExcluded
        if ES256 not in options.algorithms:
            raise AlgorithmUnsupported
        flags = self._ask(Ceremony.CREATE, demanded=options.user_verification)
        credential = self._new_credential(options)
        self.state.credentials.append(credential)
        cose_key = authenticator_data.cose_key(_load_key(credential).public_key())
        aaguid = AAGUID if self._attestation is Attestation.SELF else _NO_AAGUID
        client_data = authenticator_data.client_data(Ceremony.CREATE, options.challenge, origin)
        data = authenticator_data.authenticator_data(
            options.rp_id,
            flags | _BACKUP_FLAGS[credential.backup],
            sign_count=credential.sign_count,
            attested=authenticator_data.attested_credential(aaguid, credential.id, cose_key),
            extensions=None if options.prf_input is None else {"hmac-secret": True},
        )
        signature = _sign(credential, data, client_data)
        return Registration(
            credential_id=credential.id,
            client_data_json=client_data,
            attestation_object=authenticator_data.attestation_object(
                data, signature if self._attestation is Attestation.SELF else None
            ),
            cose_key=cose_key,
            prf_enabled=options.prf_input is not None,
            prf=_prf(credential, options.prf_input, flags) if self._prf_at_creation else None,
        )

    def get(self, options: RequestOptions, *, origin: str) -> SignedAssertion:
        """Sign a challenge for a page (WebAuthn §5.1.4, CTAP 2.1 §6.2); raises the counter by one.

        Raises:
            OriginRefused: the RP ID does not belong to the origin.
            CredentialUnknown: none of ``allow`` lives here.
            UserNotVerified: verification was demanded and failed.
        """
        _verify_rp_id(options.rp_id, origin)
        credential = self._find(options)
        flags = self._ask(Ceremony.GET, demanded=options.user_verification)
        credential.sign_count += 1
        client_data = authenticator_data.client_data(Ceremony.GET, options.challenge, origin)
        data = authenticator_data.authenticator_data(
            options.rp_id,
            flags | _BACKUP_FLAGS[credential.backup],
            sign_count=credential.sign_count,
        )
        return SignedAssertion(
            credential_id=credential.id,
            client_data_json=client_data,
            authenticator_data=data,
            signature=_sign(credential, data, client_data),
            user_handle=credential.user_handle,
            prf=_prf(credential, options.prf_input, flags),
        )

    def forget(self, credential_id: bytes) -> None:
        """Remove a credential and its secrets; an unknown one changes nothing."""
        self.state.credentials = [c for c in self.state.credentials if c.id != credential_id]

    def _held(self, rp_id: str) -> list[StoredCredential]:
        return [held for held in self.state.credentials if held.rp_id == rp_id]

    def _find(self, options: RequestOptions) -> StoredCredential:
        for held in reversed(self._held(options.rp_id)):
            if not options.allow or held.id in options.allow:
                return held
        raise CredentialUnknown

    def _ask(self, ceremony: Ceremony, *, demanded: bool) -> Flag:
        verified = self._verify_user(ceremony)
        if demanded and not verified:
            raise UserNotVerified
        return Flag.USER_PRESENT | (Flag.USER_VERIFIED if verified else Flag(0))

    def _new_credential(self, options: CreationOptions) -> StoredCredential:
        return StoredCredential(
            id=random_bytes(32),
            rp_id=options.rp_id,
            user_handle=options.user_handle,
            private_key=keys.private_der(keys.generate(KeySpec.P256)).reveal(),
            prf_secret=random_bytes(32),
            backup=self._backup,
        )


def _verify_rp_id(rp_id: str, origin: str) -> None:
    """Refuse an RP ID that is not the origin's host or a parent domain of it (WebAuthn §5.1.3 step 8).

    Without a list of public suffixes a parent of one label is refused; ``localhost`` stands for itself.
    """
    parts = urlsplit(origin)
    host = parts.hostname or ""
    local = host == "localhost" or host.endswith(".localhost")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise OriginRefused(f"{origin} is not a secure origin")
    if origin != f"{parts.scheme}://{parts.netloc}":
        raise OriginRefused(f"{origin} is not an origin")
    if host != rp_id and not ("." in rp_id and host.endswith(f".{rp_id}")):
        raise OriginRefused(f"{origin} has no claim to {rp_id}")


def _load_key(credential: StoredCredential) -> ec.EllipticCurvePrivateKey:
    key = keys.load_private(Secret(credential.private_key))
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError("credentials are P-256 keys")
    return key


def _sign(credential: StoredCredential, data: bytes, client_data: bytes) -> bytes:
    """ECDSA over authenticator data and hash of the client data, as DER (WebAuthn §6.3.3)."""
    message = authenticator_data.signed_message(data, client_data)
    return _load_key(credential).sign(message, ec.ECDSA(SHA256()))


def _prf(
    credential: StoredCredential, prf_input: bytes | None, flags: Flag
) -> Secret[bytes] | None:
    """HMAC-SHA-256 of the credential's secret over SHA-256("WebAuthn PRF" ‖ 0x00 ‖ input) (WebAuthn §10.1.4).

    The secret is the one for verified users: without verification there is no value.
    """
    if prf_input is None or Flag.USER_VERIFIED not in flags:
        return None
    salt = hashlib.sha256(b"WebAuthn PRF\x00" + prf_input).digest()
    return Secret(hmac.digest(credential.prf_secret, salt, "sha256"))
