"""Private keys that sign elsewhere: in a token, in another process, behind a guard.

cryptography's builders, and everything else here that signs, take any object of the two private-key classes. A
foreign key is such an object over one function; it holds no key material, so every other operation is refused.
The bytes to be signed are always the whole message: a bare digest would hide what is being signed.
"""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from enum import StrEnum
from typing import Any, Final, NoReturn, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    EllipticCurveSignatureAlgorithm,
)
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, AsymmetricPadding, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm

from inkan.crypto.keys import PrivateKey, PublicKey
from inkan.kernel.errors import Forbidden

T = TypeVar("T")


class SignatureScheme(StrEnum):
    """How a message is signed; the only ways that foreign keys know."""

    ECDSA_SHA256 = "ecdsa-sha256"
    ECDSA_SHA384 = "ecdsa-sha384"
    RSA_PKCS1_SHA256 = "rsa-pkcs1-sha256"
    RSA_PKCS1_SHA384 = "rsa-pkcs1-sha384"
    RSA_PKCS1_SHA512 = "rsa-pkcs1-sha512"
    RSA_PSS_SHA256 = "rsa-pss-sha256"


class SignatureSchemeRefused(Forbidden):
    """Another padding, digest or salt, a digest instead of a message, or a scheme of another kind of key."""

    code = "signature_scheme_refused"
    title = "This key does not sign in this way"


# Signs a message by a scheme; answers as cryptography does: ECDSA in DER, RSA as the bare octets.
SignMessage: TypeAlias = Callable[[bytes, SignatureScheme], bytes]

DIGESTS: Final[Mapping[SignatureScheme, type[SHA256 | SHA384 | SHA512]]] = {
    SignatureScheme.ECDSA_SHA256: SHA256,
    SignatureScheme.ECDSA_SHA384: SHA384,
    SignatureScheme.RSA_PKCS1_SHA256: SHA256,
    SignatureScheme.RSA_PKCS1_SHA384: SHA384,
    SignatureScheme.RSA_PKCS1_SHA512: SHA512,
    SignatureScheme.RSA_PSS_SHA256: SHA256,
}
ECDSA_SCHEMES: Final = frozenset({SignatureScheme.ECDSA_SHA256, SignatureScheme.ECDSA_SHA384})
_EC: Final[Mapping[str, SignatureScheme]] = {
    "sha256": SignatureScheme.ECDSA_SHA256,
    "sha384": SignatureScheme.ECDSA_SHA384,
}
_PKCS1: Final[Mapping[str, SignatureScheme]] = {
    "sha256": SignatureScheme.RSA_PKCS1_SHA256,
    "sha384": SignatureScheme.RSA_PKCS1_SHA384,
    "sha512": SignatureScheme.RSA_PKCS1_SHA512,
}
_PSS_SALTS: Final = frozenset({SHA256.digest_size})


def foreign_key(
    public: PublicKey, sign: SignMessage, *, executor: Executor | None = None
) -> PrivateKey:
    """Return a private key that signs by ``sign``.

    Args:
        public: the public half, whose kind and size the key takes.
        sign: called with the whole message.
        executor: where a caller in an event loop should run what signs; None if ``sign`` does not wait for
            anything. See :func:`signing`.
    """
    if isinstance(public, EllipticCurvePublicKey):
        return _ForeignEC(public, sign, executor)
    return _ForeignRSA(public, sign, executor)


async def signing(key: PrivateKey, work: Callable[[], T]) -> T:
    """Return what ``work`` returns, which signs with ``key``; run off the event loop if the key waits for a device."""
    executor = executor_of(key)
    if executor is None:
        return work()
    return await asyncio.get_running_loop().run_in_executor(executor, work)


def executor_of(key: PrivateKey) -> Executor | None:
    """Return the threads in which a waiting key wants to be used; None for a key in memory."""
    return key.executor if isinstance(key, (_ForeignEC, _ForeignRSA)) else None


def sign_message(key: PrivateKey, message: bytes, scheme: SignatureScheme) -> bytes:
    """Return the signature of a message by any private key.

    Raises:
        SignatureSchemeRefused: the scheme is not one of this kind of key.
    """
    digest = DIGESTS[scheme]()
    if isinstance(key, EllipticCurvePrivateKey) and scheme in ECDSA_SCHEMES:
        return key.sign(message, ECDSA(digest))
    if isinstance(key, RSAPrivateKey) and scheme not in ECDSA_SCHEMES:
        return key.sign(message, _padding(scheme), digest)
    raise SignatureSchemeRefused(f"{scheme} does not go with this key")


def verify_message(
    public: PublicKey, signature: bytes, message: bytes, scheme: SignatureScheme
) -> None:
    """Check a signature that :func:`sign_message` made.

    Raises:
        cryptography.exceptions.InvalidSignature: it does not hold.
        SignatureSchemeRefused: the scheme is not one of this kind of key.
    """
    digest = DIGESTS[scheme]()
    if isinstance(public, EllipticCurvePublicKey) and scheme in ECDSA_SCHEMES:
        public.verify(signature, message, ECDSA(digest))
    elif isinstance(public, RSAPublicKey) and scheme not in ECDSA_SCHEMES:
        public.verify(signature, message, _padding(scheme), digest)
    else:
        raise SignatureSchemeRefused(f"{scheme} does not go with this key")


def _padding(scheme: SignatureScheme) -> AsymmetricPadding:
    if scheme is SignatureScheme.RSA_PSS_SHA256:
        return PSS(MGF1(SHA256()), SHA256.digest_size)
    return PKCS1v15()


def _no_material(*_: Any, **__: Any) -> NoReturn:
    raise SignatureSchemeRefused("a foreign key signs, and does nothing else")


class _ForeignEC(EllipticCurvePrivateKey):
    """An elliptic-curve key that signs elsewhere."""

    def __init__(
        self, public: EllipticCurvePublicKey, sign: SignMessage, executor: Executor | None
    ) -> None:
        self._public = public
        self._sign = sign
        self.executor = executor

    def sign(self, data: Any, signature_algorithm: EllipticCurveSignatureAlgorithm) -> bytes:
        """See :meth:`EllipticCurvePrivateKey.sign`."""
        # A prehashed algorithm has no name in the table, and neither has deterministic signing a place in a token.
        digest = signature_algorithm.algorithm
        scheme = _EC.get(digest.name) if isinstance(digest, (SHA256, SHA384)) else None
        if scheme is None:
            raise SignatureSchemeRefused("ECDSA over SHA-256 or SHA-384 of the whole message only")
        return self._sign(bytes(data), scheme)

    def public_key(self) -> EllipticCurvePublicKey:
        """The public half."""
        return self._public

    @property
    def curve(self) -> EllipticCurve:
        """The curve of the public half."""
        return self._public.curve

    @property
    def key_size(self) -> int:
        """The bits of the curve."""
        return self._public.key_size

    def __copy__(self) -> "_ForeignEC":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "_ForeignEC":
        return self

    exchange = private_numbers = private_bytes = _no_material


class _ForeignRSA(RSAPrivateKey):
    """An RSA key that signs elsewhere."""

    def __init__(self, public: RSAPublicKey, sign: SignMessage, executor: Executor | None) -> None:
        self._public = public
        self._sign = sign
        self.executor = executor

    def sign(self, data: Any, padding: AsymmetricPadding, algorithm: Any) -> bytes:
        """See :meth:`RSAPrivateKey.sign`."""
        scheme = _rsa_scheme(padding, algorithm)
        if scheme is None:
            raise SignatureSchemeRefused("PKCS #1 v1.5, or PSS with SHA-256, of the whole message")
        return self._sign(bytes(data), scheme)

    def public_key(self) -> RSAPublicKey:
        """The public half."""
        return self._public

    @property
    def key_size(self) -> int:
        """The bits of the modulus."""
        return self._public.key_size

    def __copy__(self) -> "_ForeignRSA":
        return self

    def __deepcopy__(self, memo: dict[Any, Any]) -> "_ForeignRSA":
        return self

    decrypt = private_numbers = private_bytes = _no_material


def _rsa_scheme(padding: AsymmetricPadding, digest: Any) -> SignatureScheme | None:
    if not isinstance(digest, HashAlgorithm):
        return None
    if isinstance(padding, PKCS1v15):
        return _PKCS1.get(digest.name)
    if not isinstance(padding, PSS) or not isinstance(digest, SHA256):
        return None
    # The library names no public attributes of a PSS object; its own back end reads these.
    salt: Any = padding._salt_length  # noqa: SLF001
    mask = padding.mgf._algorithm  # noqa: SLF001
    is_ours = isinstance(mask, SHA256) and (salt is PSS.DIGEST_LENGTH or salt in _PSS_SALTS)
    return SignatureScheme.RSA_PSS_SHA256 if is_ours else None
