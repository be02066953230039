"""Signatures of certificates, lists and answers: which are accepted under which ceiling, and whether one holds."""

from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.dsa import DSAPublicKey
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import HashAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key

from inkan.crypto.keys import CURVES
from inkan.crypto.validation.budget import Budget, Recent
from inkan.crypto.validation.settings import AlgorithmCeiling
from inkan.crypto.validation.verdict import Reason, Refused

_DIGESTS: Final = {
    AlgorithmCeiling.MODERN: frozenset({"sha256", "sha384", "sha512"}),
    AlgorithmCeiling.LEGACY: frozenset({"sha1", "sha224", "sha256", "sha384", "sha512"}),
}
_RSA_BITS: Final = {AlgorithmCeiling.MODERN: 2048, AlgorithmCeiling.LEGACY: 1024}
_EDWARDS: Final = {"1.3.101.112": Ed25519PublicKey, "1.3.101.113": Ed448PublicKey}

MEMORY: Final = 4096


def verify_key(key: PublicKeyTypes | None, ceiling: AlgorithmCeiling) -> None:
    """Check that a certified key may be used at all.

    Raises:
        Refused: too small, on another curve, or of another kind.
    """
    match key:
        case RSAPublicKey():
            is_accepted = key.key_size >= _RSA_BITS[ceiling]
        case EllipticCurvePublicKey():
            is_accepted = key.curve.name in CURVES
        case Ed25519PublicKey() | Ed448PublicKey():
            is_accepted = True
        case DSAPublicKey():
            is_accepted = ceiling is AlgorithmCeiling.LEGACY
        case _:
            is_accepted = False
    if not is_accepted:
        raise Refused(Reason.ALGORITHM_REFUSED, "a key of a kind or size that is not accepted")


class Signed:
    """What was signed, how, and with which result.

    Args:
        artefact: a certificate or list of the library.
        signed: the bytes that were signed.
    """

    __slots__ = ("algorithm", "artefact", "digest", "signature", "signed")

    def __init__(self, artefact: Any, signed: bytes) -> None:
        self.artefact = artefact
        self.signed = signed
        self.digest = sha256(signed).digest()
        self.signature: bytes = artefact.signature
        self.algorithm: str = artefact.signature_algorithm_oid.dotted_string


class Signatures:
    """Verifies signatures within a budget; whoever keeps it keeps what was verified before.

    A signature over given bytes by a given key holds for ever, so that the memory can only save work.
    """

    def __init__(self) -> None:
        self._known: Recent[tuple[bytes, bytes, bytes, str], bool] = Recent(MEMORY)
        self._keys: Recent[bytes, PublicKeyTypes | None] = Recent(256)

    def verify(
        self, signed: Signed, spki: bytes, ceiling: AlgorithmCeiling, budget: Budget
    ) -> None:
        """Check one signature.

        Raises:
            Refused: it does not hold, or its algorithm or key is not accepted.
        """
        key = self._key(spki)
        verify_key(key, ceiling)
        check = _check_for(signed, key, ceiling)
        name = (signed.signature, signed.digest, spki, signed.algorithm)
        holds = self._known.get(name)
        if holds is None:
            budget.signature()
            holds = self._known.put(name, _holds(check))
        if not holds:
            raise Refused(Reason.SIGNATURE_INVALID, "a signature does not hold")

    def _key(self, spki: bytes) -> PublicKeyTypes | None:
        key = self._keys.get(spki)
        if key is None:
            try:
                key = self._keys.put(spki, load_der_public_key(spki))
            except (ValueError, UnsupportedAlgorithm):
                return None
        return key


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except (InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _check_for(signed: Signed, key: Any, ceiling: AlgorithmCeiling) -> Callable[[], None]:
    """The call that verifies, once algorithm, digest and key are known to go together."""
    edwards: Any = _EDWARDS.get(signed.algorithm)
    if edwards is not None:
        if not isinstance(key, edwards):
            raise Refused(Reason.SIGNATURE_INVALID, "the algorithm does not go with the key")
        return lambda: key.verify(signed.signature, signed.signed)
    digest, parameters = _parameters(signed)
    if digest.name not in _DIGESTS[ceiling]:
        raise Refused(Reason.ALGORITHM_REFUSED, f"a signature over {digest.name}")
    if isinstance(parameters, (PKCS1v15, PSS)) and isinstance(key, RSAPublicKey):
        return lambda: key.verify(signed.signature, signed.signed, parameters, digest)
    if isinstance(parameters, ECDSA) and isinstance(key, EllipticCurvePublicKey):
        return lambda: key.verify(signed.signature, signed.signed, parameters)
    is_dsa = parameters is None and isinstance(key, DSAPublicKey)
    if is_dsa and ceiling is AlgorithmCeiling.LEGACY:
        return lambda: key.verify(signed.signature, signed.signed, digest)
    raise Refused(Reason.SIGNATURE_INVALID, "the algorithm does not go with the key")


def _parameters(signed: Signed) -> tuple[HashAlgorithm, Any]:
    try:
        digest = signed.artefact.signature_hash_algorithm
        parameters = signed.artefact.signature_algorithm_parameters
    except (ValueError, TypeError, UnsupportedAlgorithm):
        digest = parameters = None
    if digest is None:
        raise Refused(Reason.ALGORITHM_REFUSED, "a signature algorithm that is not known")
    return digest, parameters
