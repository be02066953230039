"""Which algorithms count on X.509 artefacts."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.x509.oid import SignatureAlgorithmOID

from inkan.crypto.signatures import ACCEPTED, digest_for, verify_signature
from support.keyring import ec_key, rsa_key

DIGESTS = {"SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


@pytest.mark.parametrize("digest", DIGESTS)
def test_rsa_and_ecdsa_with_sha2_are_verified(digest):
    rsa, ecdsa = rsa_key(), ec_key()
    rows = {
        f"RSA_WITH_{digest}": (rsa, rsa.sign(b"data", PKCS1v15(), DIGESTS[digest])),
        f"ECDSA_WITH_{digest}": (ecdsa, ecdsa.sign(b"data", ec.ECDSA(DIGESTS[digest]))),
    }
    for name, (key, signature) in rows.items():
        algorithm = getattr(SignatureAlgorithmOID, name)
        verify_signature(key.public_key(), signature, b"data", algorithm=algorithm)
        with pytest.raises(InvalidSignature):
            verify_signature(key.public_key(), signature, b"other", algorithm=algorithm)
        other = rsa if key is ecdsa else ecdsa
        with pytest.raises(InvalidSignature):
            verify_signature(other.public_key(), signature, b"data", algorithm=algorithm)


@pytest.mark.parametrize("name", ["RSA_WITH_SHA1", "ECDSA_WITH_SHA1", "RSA_WITH_MD5", "ED25519"])
def test_other_algorithms_do_not_count(name):
    algorithm = getattr(SignatureAlgorithmOID, name)
    assert algorithm not in ACCEPTED
    for key in (rsa_key(), ec_key()):
        with pytest.raises(InvalidSignature, match="not accepted"):
            verify_signature(key.public_key(), b"signature", b"data", algorithm=algorithm)


def test_the_digest_goes_with_the_curve():
    assert digest_for(ec_key()).name == digest_for(rsa_key()).name == "sha256"
    assert digest_for(ec_key(curve=ec.SECP384R1)).name == "sha384"
