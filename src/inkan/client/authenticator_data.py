"""The bytes an authenticator makes: client data, authenticator data, COSE keys, attestation objects.

Sources: WebAuthn Level 3 §5.8.1.1, §6.1, §6.5; CTAP 2.1 §8 (canonical CBOR).
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from enum import IntFlag, StrEnum
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec

from inkan.crypto import base64url

ES256: Final = -7


class Ceremony(StrEnum):
    """What the person is asked to confirm with fingerprint, face or PIN."""

    CREATE = "webauthn.create"
    GET = "webauthn.get"


class Flag(IntFlag):
    """Bits of the authenticator data (WebAuthn §6.1)."""

    USER_PRESENT = 0x01
    USER_VERIFIED = 0x04
    BACKUP_ELIGIBLE = 0x08
    BACKED_UP = 0x10
    ATTESTED_CREDENTIAL = 0x40
    EXTENSIONS = 0x80


def client_data(ceremony: Ceremony, challenge: bytes, origin: str) -> bytes:
    """Return the JSON that binds ceremony, challenge and origin, members in the fixed order of §5.8.1.1."""
    members = {
        "type": str(ceremony),
        "challenge": base64url.encode(challenge),
        "origin": origin,
        "crossOrigin": False,
    }
    return json.dumps(members, separators=(",", ":"), ensure_ascii=False).encode()


def authenticator_data(
    rp_id: str,
    flags: Flag,
    *,
    sign_count: int,
    attested: bytes = b"",
    extensions: dict[str, bool] | None = None,
) -> bytes:
    """Return hash of the RP ID ‖ flags ‖ counter ‖ attested credential ‖ extensions (WebAuthn §6.1).

    The flags that announce the two last parts are set here.
    """
    flags |= Flag.ATTESTED_CREDENTIAL if attested else Flag(0)
    flags |= Flag.EXTENSIONS if extensions else Flag(0)
    head = hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", int(flags), sign_count)
    return head + attested + (cbor(extensions) if extensions else b"")


def attested_credential(aaguid: bytes, credential_id: bytes, cose_key: bytes) -> bytes:
    """Return AAGUID ‖ length of the id ‖ id ‖ COSE key (WebAuthn §6.5.1)."""
    return aaguid + struct.pack(">H", len(credential_id)) + credential_id + cose_key


def attestation_object(authenticator_data: bytes, self_signature: bytes | None) -> bytes:
    """Return the CBOR map of format, statement and authenticator data (WebAuthn §6.5.4).

    With a signature of the credential key itself the format is ``packed`` (§8.2, self attestation), without
    one it is ``none`` (§8.7).
    """
    statement = {} if self_signature is None else {"alg": ES256, "sig": self_signature}
    members = {
        "fmt": "none" if self_signature is None else "packed",
        "attStmt": statement,
        "authData": authenticator_data,
    }
    return cbor(members)


def cose_key(public_key: ec.EllipticCurvePublicKey) -> bytes:
    """Return the COSE_Key of a P-256 key for ES256, CTAP2 canonical (RFC 9053 §7.1.1, WebAuthn §5.8.5)."""
    numbers = public_key.public_numbers()
    members = {
        1: 2,  # kty: EC2
        3: ES256,
        -1: 1,  # crv: P-256
        -2: numbers.x.to_bytes(32),
        -3: numbers.y.to_bytes(32),
    }
    return cbor(members)


def signed_message(authenticator_data: bytes, client_data_json: bytes) -> bytes:
    """Return what attestations and assertions sign: authenticator data ‖ SHA-256(client data)."""
    return authenticator_data + hashlib.sha256(client_data_json).digest()


def cbor(value: object) -> bytes:
    """Return the CTAP2 canonical CBOR of a value (CTAP 2.1 §8): shortest heads, maps ordered by encoded name.

    Authenticators write booleans, integers, bytes, texts and maps of them; nothing else is needed here.
    """
    match value:
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case bytes():
            return _head(2, len(value)) + value
        case str():
            text = value.encode()
            return _head(3, len(text)) + text
        case Mapping():
            encoded = {cbor(name): cbor(member) for name, member in value.items()}
            # A longer head or a longer text sorts after a shorter one of its type: (length, bytes) says it.
            names = sorted(encoded, key=lambda name: (name[0] >> 5, len(name), name))
            return _head(5, len(names)) + b"".join(name + encoded[name] for name in names)
        case _:
            raise TypeError(f"authenticators do not write {type(value).__name__}")


def _head(major: int, argument: int) -> bytes:
    """Major type and argument in its shortest form (RFC 8949 §3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    size = next(size for size in (1, 2, 4, 8) if argument < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + argument.to_bytes(size)
