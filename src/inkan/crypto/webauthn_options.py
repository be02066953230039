"""What a wallet is asked in a WebAuthn ceremony: the options of ``navigator.credentials.create()`` and ``get()``.

The PRF extension (WebAuthn Level 3 §10.1.4) is always asked for, because back end A wraps the certificate keys
under its output; the output itself never leaves the phone.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from inkan.crypto import base64url
from inkan.crypto.cose import COSEAlgorithm


class RegistrationOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the wallet is asked to create: a discoverable credential with user verification.

    Attributes:
        rp_id: host name.
        rp_name: shown by the phone.
        user_id: at most 64 random bytes; never a personal value.
        user_name: shown by the phone.
        challenge: at least 16 random bytes, used once.
        algorithms: offered, in the order of preference.
        exclude: credential ids that this authenticator must not hold already.
        attested: whether a statement is asked for.
        prf_salt: 32 bytes; when given, the PRF secret is evaluated at creation (back end A).
        timeout_ms: how long the phone waits for the user.
    """

    rp_id: str
    rp_name: str
    user_id: bytes
    user_name: str
    challenge: bytes
    algorithms: Sequence[COSEAlgorithm] = tuple(COSEAlgorithm)
    exclude: Sequence[bytes] = ()
    attested: bool = False
    prf_salt: bytes | None = None
    timeout_ms: int = 120_000

    def to_json(self) -> dict[str, Any]:
        """PublicKeyCredentialCreationOptionsJSON (WebAuthn §5.1.9), ready for ``parseCreationOptionsFromJSON``."""
        return {
            "rp": {"id": self.rp_id, "name": self.rp_name},
            "user": {
                "id": base64url.encode(self.user_id),
                "name": self.user_name,
                "displayName": self.user_name,
            },
            "challenge": base64url.encode(self.challenge),
            "pubKeyCredParams": [
                {"type": "public-key", "alg": int(algorithm)} for algorithm in self.algorithms
            ],
            "timeout": self.timeout_ms,
            "excludeCredentials": _descriptors(self.exclude),
            "authenticatorSelection": {
                "residentKey": "required",
                "requireResidentKey": True,
                "userVerification": "required",
            },
            "attestation": "direct" if self.attested else "none",
            "extensions": _prf(self.prf_salt),
        }


class AssertionOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the wallet is asked to sign with one of the named credentials.

    Attributes:
        rp_id: host name.
        challenge: at least 16 bytes, used once.
        allow: credential ids; empty asks for any discoverable credential.
        prf_salt: 32 bytes; when given, the PRF secret is evaluated in the same ceremony.
        timeout_ms: how long the phone waits for the user.
    """

    rp_id: str
    challenge: bytes
    allow: Sequence[bytes] = ()
    prf_salt: bytes | None = None
    timeout_ms: int = 120_000

    def to_json(self) -> dict[str, Any]:
        """PublicKeyCredentialRequestOptionsJSON (WebAuthn §5.1.10), ready for ``parseRequestOptionsFromJSON``."""
        return {
            "rpId": self.rp_id,
            "challenge": base64url.encode(self.challenge),
            "timeout": self.timeout_ms,
            "allowCredentials": _descriptors(self.allow),
            "userVerification": "required",
            "extensions": _prf(self.prf_salt),
        }


def _descriptors(ids: Sequence[bytes]) -> list[dict[str, str]]:
    return [{"type": "public-key", "id": base64url.encode(identifier)} for identifier in ids]


def _prf(salt: bytes | None) -> dict[str, Any]:
    if salt is None:
        return {"prf": {}}
    return {"prf": {"eval": {"first": base64url.encode(salt)}}}
