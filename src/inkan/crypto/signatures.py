"""Signatures on X.509 artefacts: which digest goes with which key, and which algorithms are accepted at all.

One table decides for certificates, CRLs and OCSP responses. The libraries verify SHA-1 where they are not told
otherwise; here it is never told apart from a wrong signature.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP384R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.x509.oid import SignatureAlgorithmOID

from inkan.crypto.keys import PrivateKey, PublicKey

_DIGESTS: Final[dict[x509.ObjectIdentifier, hashes.HashAlgorithm]] = {
    SignatureAlgorithmOID.RSA_WITH_SHA256: hashes.SHA256(),
    SignatureAlgorithmOID.RSA_WITH_SHA384: hashes.SHA384(),
    SignatureAlgorithmOID.RSA_WITH_SHA512: hashes.SHA512(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA256: hashes.SHA256(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA384: hashes.SHA384(),
    SignatureAlgorithmOID.ECDSA_WITH_SHA512: hashes.SHA512(),
}
_RSA: Final = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
    }
)
ACCEPTED: Final = frozenset(_DIGESTS)


def digest_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    """Return the digest that a key signs X.509 artefacts with: SHA-384 for P-384, else SHA-256."""
    is_p384 = isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1)
    return hashes.SHA384() if is_p384 else hashes.SHA256()


def verify_signature(
    public_key: PublicKey, signature: bytes, data: bytes, *, algorithm: x509.ObjectIdentifier
) -> None:
    """Check an RSA PKCS #1 v1.5 or ECDSA signature with SHA-2.

    Raises:
        cryptography.exceptions.InvalidSignature: it does not hold, the algorithm is none of these, or the key is of
            another kind than the algorithm.
    """
    digest = _DIGESTS.get(algorithm)
    if digest is None:
        raise InvalidSignature(f"{algorithm.dotted_string} is not accepted")
    if algorithm in _RSA and isinstance(public_key, RSAPublicKey):
        public_key.verify(signature, data, PKCS1v15(), digest)
    elif algorithm not in _RSA and isinstance(public_key, EllipticCurvePublicKey):
        public_key.verify(signature, data, ECDSA(digest))
    else:
        raise InvalidSignature("the algorithm does not go with the key")
