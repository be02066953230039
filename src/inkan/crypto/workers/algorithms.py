"""The platform's accepted algorithms in the form that certvalidator asks for them: SHA-2 with RSA or ECDSA.

The library holds certificates against an algorithm policy, but not CRLs and OCSP responses; the signature validator
closes that.
"""

from datetime import datetime
from typing import Final

from asn1crypto import algos, keys
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint, AlgorithmUsagePolicy
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
)

from inkan.crypto.signatures import ACCEPTED

_ACCEPTED: Final = frozenset(oid.dotted_string for oid in ACCEPTED)
_PSS: Final = "1.2.840.113549.1.1.10"
_DIGESTS: Final = frozenset({"sha256", "sha384", "sha512"})


def is_accepted(algorithm: algos.SignedDigestAlgorithm) -> bool:
    """Whether a signature algorithm is RSA or ECDSA with SHA-2."""
    oid = algorithm["algorithm"].dotted
    return oid in _ACCEPTED or (oid == _PSS and algorithm.hash_algo in _DIGESTS)


class AcceptedAlgorithms(AlgorithmUsagePolicy):
    """Certificates of a path: SHA-2 only. Key sizes were the structural gate's."""

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        """SHA-256 and longer, at any time."""
        del moment
        return AlgorithmUsageConstraint(allowed=algo["algorithm"].native in _DIGESTS)

    def signature_algorithm_allowed(
        self,
        algo: algos.SignedDigestAlgorithm,
        moment: datetime | None,
        public_key: keys.PublicKeyInfo | None,
    ) -> AlgorithmUsageConstraint:
        """RSA and ECDSA with SHA-2, at any time."""
        del moment, public_key
        return AlgorithmUsageConstraint(allowed=is_accepted(algo))


class AcceptedSignatures(DefaultSignatureValidator):
    """CRLs and OCSP responses too, which the library does not hold against its algorithm policy."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: keys.PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        """Check a signature, unless its algorithm does not count at all.

        Raises:
            cryptography.exceptions.InvalidSignature: either way.
        """
        if not is_accepted(signature_algorithm):
            raise InvalidSignature("an algorithm that is not accepted")
        super().validate_signature(
            signature, signed_data, public_key_info, signature_algorithm, context
        )
