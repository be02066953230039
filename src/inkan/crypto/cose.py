"""Public keys of FIDO2 credentials (COSE_Key, RFC 9052 §7, RFC 9053) and their signatures.

One key has one accepted encoding, the canonical CBOR that CTAP2 demands, so that the hash of the bytes names the
key: a phone certificate carries that hash (design §5.2), and an offline verifier compares it. With one encoding
each key type is a fixed template around its numbers, and reading one needs no CBOR decoder.
"""

from enum import IntEnum
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto.keys import verify_key_strength
from inkan.kernel.errors import Malformed

CredentialKey: TypeAlias = EllipticCurvePublicKey | Ed25519PublicKey | RSAPublicKey

# The members kty, alg, crv, x and y; x and y as 32 bytes.
_ES256_HEAD: Final = bytes.fromhex("a5010203262001215820")
_ES256_Y: Final = bytes.fromhex("225820")
_ES256_SIZE: Final = 77
# The members kty, alg, crv and x.
_EDDSA_HEAD: Final = bytes.fromhex("a4010103272006215820")
_EDDSA_SIZE: Final = 42
# The members kty, alg, n and e; n of 256 bytes and more has a length of two bytes.
_RS256_HEAD: Final = bytes.fromhex("a40103033901002059")
_RS256_TAIL: Final = bytes.fromhex("2143010001")
_RSA_EXPONENT: Final = 65537
_RSA_MODULUS_SIZES: Final = range(256, 512 + 1)


class COSEAlgorithm(IntEnum):
    """The signature algorithms that a credential may have (IANA COSE Algorithms)."""

    ES256 = -7
    EDDSA = -8
    RS256 = -257


class COSEKeyMalformed(Malformed):
    """Not the canonical COSE_Key of an ES256, Ed25519 or RS256 key."""

    code = "cose_key_malformed"
    title = "The key of the credential cannot be read"
    public = ()


def cose_key_size(data: bytes) -> int:
    """Return how many bytes at the beginning of ``data`` are a COSE_Key, judged by its template.

    Raises:
        COSEKeyMalformed: ``data`` begins with none of the three.
    """
    if data.startswith(_ES256_HEAD):
        return _ES256_SIZE
    if data.startswith(_EDDSA_HEAD):
        return _EDDSA_SIZE
    if data.startswith(_RS256_HEAD):
        start = len(_RS256_HEAD)
        modulus = int.from_bytes(data[start : start + 2], "big")
        return start + 2 + modulus + len(_RS256_TAIL)
    raise COSEKeyMalformed("not the canonical COSE_Key of an ES256, Ed25519 or RS256 key")


def load_cose_key(cose_key: bytes) -> tuple[CredentialKey, COSEAlgorithm]:
    """Return the public key and the algorithm of a COSE_Key.

    Raises:
        COSEKeyMalformed: other bytes than the template of its type, or a point off the curve.
        WeakKey: an RSA key below the accepted strength.
    """
    if len(cose_key) != cose_key_size(cose_key):
        raise COSEKeyMalformed("truncated, or bytes after the key")
    try:
        if cose_key.startswith(_ES256_HEAD):
            return _load_es256(cose_key), COSEAlgorithm.ES256
        if cose_key.startswith(_EDDSA_HEAD):
            key = Ed25519PublicKey.from_public_bytes(cose_key[len(_EDDSA_HEAD) :])
            return key, COSEAlgorithm.EDDSA
        return _load_rs256(cose_key), COSEAlgorithm.RS256
    except (ValueError, UnsupportedAlgorithm) as error:
        raise COSEKeyMalformed(f"no such key: {error}") from None


def verify_cose_signature(cose_key: bytes, signature: bytes, data: bytes) -> None:
    """Check a signature under a COSE_Key; ECDSA signatures are DER (WebAuthn §6.5.5).

    Raises:
        COSEKeyMalformed: the key.
        cryptography.exceptions.InvalidSignature: the signature.
    """
    key, _ = load_cose_key(cose_key)
    if isinstance(key, EllipticCurvePublicKey):
        key.verify(signature, data, _ECDSA_SHA256)
    elif isinstance(key, Ed25519PublicKey):
        key.verify(signature, data)
    else:
        key.verify(signature, data, _PKCS1, _SHA256)


def _load_es256(cose_key: bytes) -> EllipticCurvePublicKey:
    x, separator, y = cose_key[10:42], cose_key[42:45], cose_key[45:]
    if separator != _ES256_Y:
        raise COSEKeyMalformed("not the canonical COSE_Key of an ES256 key")
    return EllipticCurvePublicKey.from_encoded_point(_P256, b"\x04" + x + y)


def _load_rs256(cose_key: bytes) -> RSAPublicKey:
    modulus = cose_key[len(_RS256_HEAD) + 2 : -len(_RS256_TAIL)]
    is_canonical = modulus[:1] != b"\0" and cose_key.endswith(_RS256_TAIL)
    if not is_canonical or len(modulus) not in _RSA_MODULUS_SIZES:
        raise COSEKeyMalformed("not the canonical COSE_Key of an RS256 key with exponent 65537")
    key = RSAPublicNumbers(_RSA_EXPONENT, int.from_bytes(modulus, "big")).public_key()
    verify_key_strength(key)
    return key


_P256: Final = SECP256R1()
_ECDSA_SHA256: Final = ECDSA(SHA256())
_PKCS1: Final = PKCS1v15()
_SHA256: Final = SHA256()
