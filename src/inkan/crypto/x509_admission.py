"""What of X.509 is admitted at all: signature algorithms, digests, keys; and what the library raises otherwise."""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.utils import CryptographyDeprecationWarning
from cryptography.x509.oid import SignatureAlgorithmOID

from inkan.crypto.keys import CURVES, RSA_SIZES, PublicKey

_SIGNATURE_ALGORITHMS: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.RSASSA_PSS,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
_DIGESTS: Final = frozenset({"sha256", "sha384", "sha512"})
# Whatever cryptography raises for bytes that it does not read; the warning stands for a serial below 1.
LIBRARY_REFUSALS: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
    CryptographyDeprecationWarning,
)


def check_signature_algorithm(parsed: x509.Certificate | x509.CertificateSigningRequest) -> None:
    """Raise ValueError unless it is signed by RSA or ECDSA over SHA-256 or longer."""
    digest = parsed.signature_hash_algorithm
    if parsed.signature_algorithm_oid not in _SIGNATURE_ALGORITHMS:
        raise ValueError("this signature algorithm is not admitted")
    if digest is None or digest.name not in _DIGESTS:
        raise ValueError("this digest is not admitted")


def check_signature_octets(der: bytes, signature: bytes) -> None:
    """Raise ValueError unless the BIT STRING that ends ``der`` holds ``signature`` in whole octets.

    Its first octet counts the unused bits of the last one. The library passes over it, so that a signature which
    ends in a 0 bit would have several encodings, and a document several hashes, under one valid signature.
    """
    if der[-len(signature) - 1] != 0:
        raise ValueError("the signature is not whole octets")


def admitted_key(parsed: x509.Certificate | x509.CertificateSigningRequest) -> PublicKey:
    """Return its key, or raise UnsupportedAlgorithm if it is neither RSA nor elliptic-curve."""
    key = parsed.public_key()
    if not isinstance(key, (EllipticCurvePublicKey, RSAPublicKey)):
        raise UnsupportedAlgorithm("neither an RSA nor an elliptic-curve key")
    return key


def check_key_size(key: PublicKey) -> None:
    """Raise ValueError unless it is RSA of 2048 to 8192 bits or on a NIST prime curve."""
    if isinstance(key, EllipticCurvePublicKey):
        is_admitted = key.curve.name in CURVES
    else:
        is_admitted = key.key_size in RSA_SIZES
    if not is_admitted:
        raise ValueError("a key of another size or on another curve")
