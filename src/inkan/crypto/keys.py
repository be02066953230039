"""Asymmetric keys: the kinds that Inkan uses, their encodings, and what makes a key weak.

A key that somebody else made is loaded from one spelling only and tested before anything is built on it
(threat 7); a key that Inkan makes has one of the four kinds of :class:`KeySpec`.
"""

import hashlib
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cache
from math import gcd, isqrt, prod
from typing import Final, TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as generate_ec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
    load_pem_private_key,
)

from inkan.kernel.errors import Malformed
from inkan.kernel.sensitive import Secret

PublicKey: TypeAlias = EllipticCurvePublicKey | RSAPublicKey
PrivateKey: TypeAlias = EllipticCurvePrivateKey | RSAPrivateKey

MAX_SPKI_SIZE: Final = 1200
RSA_SIZES: Final = range(2048, 8192 + 1)
MIN_RSA_EXPONENT: Final = 65537
MAX_RSA_EXPONENT: Final = 2**256
CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
FERMAT_ROUNDS: Final = 100


class KeySpec(StrEnum):
    """The kinds of key that Inkan makes and certifies."""

    P256 = "P-256"
    P384 = "P-384"
    RSA2048 = "RSA-2048"
    RSA3072 = "RSA-3072"


class Weakness(StrEnum):
    """Why a public key is refused."""

    SIZE = "size"
    EXPONENT = "exponent"
    SMALL_FACTOR = "small_factor"
    CLOSE_PRIMES = "close_primes"
    ROCA = "roca"
    CURVE = "curve"


class KeyMalformed(Malformed):
    """The bytes are not one RSA or elliptic-curve key in its one DER spelling."""

    code = "key_malformed"
    title = "This is not a valid key"


class KeyUnsupported(Malformed):
    """A well-formed key of a kind that is not used here."""

    code = "key_unsupported"
    title = "Keys of this kind are not supported"


class WeakKey(Malformed):
    """A public key whose private key can be found, or that is below the accepted size."""

    code = "weak_key"
    title = "This key is too weak to be certified"
    public = ("weakness",)


_CURVE_SPECS: Final[Mapping[str, KeySpec]] = {
    SECP256R1.name: KeySpec.P256,
    SECP384R1.name: KeySpec.P384,
}
_RSA_SPECS: Final[Mapping[int, KeySpec]] = {2048: KeySpec.RSA2048, 3072: KeySpec.RSA3072}
_MAKERS: Final[Mapping[KeySpec, EllipticCurve | int]] = {
    KeySpec.P256: SECP256R1(),
    KeySpec.P384: SECP384R1(),
    KeySpec.RSA2048: 2048,
    KeySpec.RSA3072: 3072,
}


def generate(spec: KeySpec) -> PrivateKey:
    """Return a fresh private key; RSA takes some 50 ms (2048) to 200 ms (3072)."""
    kind = _MAKERS[spec]
    return generate_rsa(MIN_RSA_EXPONENT, kind) if isinstance(kind, int) else generate_ec(kind)


def key_spec(key: PublicKey | PrivateKey) -> KeySpec:
    """Return which of the four kinds a key is.

    Raises:
        KeyUnsupported: another curve or another RSA size.
    """
    if isinstance(key, (EllipticCurvePublicKey, EllipticCurvePrivateKey)):
        spec = _CURVE_SPECS.get(key.curve.name)
    else:
        spec = _RSA_SPECS.get(key.key_size)
    if spec is None:
        raise KeyUnsupported("neither P-256, P-384, RSA-2048 nor RSA-3072")
    return spec


def load_public(spki: bytes) -> PublicKey:
    """Return the key of a DER SubjectPublicKeyInfo (RFC 5280 §4.1.2.7).

    One key has one accepted encoding, so that the hash of the SPKI identifies the key: explicit curve
    parameters, compressed points and BER are refused, and so are points off the curve.

    Raises:
        KeyMalformed: not such an encoding.
        KeyUnsupported: neither RSA nor elliptic curve.
    """
    if len(spki) > MAX_SPKI_SIZE:
        raise KeyMalformed("larger than any accepted key")
    try:
        key = load_der_public_key(spki)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyMalformed(f"no public key: {error}") from None
    if not isinstance(key, (EllipticCurvePublicKey, RSAPublicKey)):
        raise KeyUnsupported("neither RSA nor elliptic curve")
    if spki_der(key) != spki:
        raise KeyMalformed("not the DER encoding with a named curve")
    return key


def load_private(pkcs8: Secret[bytes]) -> PrivateKey:
    """Return the key of an unencrypted DER PKCS #8 structure.

    Raises:
        KeyMalformed: not such an encoding.
        KeyUnsupported: neither RSA nor elliptic curve.
    """
    try:
        key = load_der_private_key(pkcs8.reveal(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words might quote key material.
        raise KeyMalformed("no private key") from None
    if not isinstance(key, (EllipticCurvePrivateKey, RSAPrivateKey)):
        raise KeyUnsupported("neither RSA nor elliptic curve")
    return key


def load_private_pem(pem: bytes, *, passphrase: Secret[str] | None = None) -> PrivateKey:
    """Return the key of a PEM file (RFC 7468; PKCS #8, or the older forms that OpenSSL writes).

    Raises:
        KeyMalformed: not such a file, or it needs another passphrase.
        KeyUnsupported: neither RSA nor elliptic curve.
    """
    password = passphrase.reveal().encode() if passphrase is not None else None
    try:
        key = load_pem_private_key(pem, password=password)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # The library's words might quote key material.
        raise KeyMalformed("no private key, or another passphrase") from None
    if not isinstance(key, (EllipticCurvePrivateKey, RSAPrivateKey)):
        raise KeyUnsupported("neither RSA nor elliptic curve")
    return key


def private_der(key: PrivateKey) -> Secret[bytes]:
    """Return the unencrypted DER PKCS #8 encoding of a key that is held in memory."""
    return Secret(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def spki_der(key: PublicKey) -> bytes:
    """Return the DER SubjectPublicKeyInfo."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def spki_sha256(key: PublicKey) -> bytes:
    """Return the 32-byte SHA-256 of the DER SubjectPublicKeyInfo: the name of the key in every Inkan format."""
    return hashlib.sha256(spki_der(key)).digest()


def verify_key_strength(key: PublicKey) -> None:
    """Refuse a public key whose private key is known to be findable (threat 7).

    Plan:
        1. Elliptic curve: a NIST prime curve. (That the point lies on it was checked when it was loaded.)
        2. RSA size: 2048 to 8192 bits; above that a verification becomes a denial of service.
        3. RSA exponent: odd, from 65537 to 2^256 (CA/Browser BR 6.1.6).
        4. RSA modulus: no prime factor below 2^12.
        5. RSA modulus: not within 100 Fermat rounds of a square (BR 6.1.1.3: close primes).
        6. RSA modulus: without the ROCA fingerprint (CVE-2017-15361).

    Not covered: keys that are weak because somebody published them, above all those of Debian's OpenSSL of 2006 to
    2008 (CVE-2008-0166; BR 6.1.1.3). They show in no test on the key, only in a list of their hashes, and no package
    carries one: Debian 12 has no ``openssl-blacklist``, and ``badkeys`` fetches its list over the network. A key
    that a second holder presents is refused elsewhere (``KeyShared``).

    Takes some 50 µs for RSA-2048 and 1 µs for an elliptic curve.

    Raises:
        WeakKey: with the fact ``weakness``, a :class:`Weakness`.
    """
    if isinstance(key, EllipticCurvePublicKey):
        if key.curve.name not in CURVES:  # 1
            raise _weak(Weakness.CURVE)
        return
    if key.key_size not in RSA_SIZES:  # 2
        raise _weak(Weakness.SIZE)
    numbers = key.public_numbers()
    if numbers.e % 2 == 0 or not MIN_RSA_EXPONENT <= numbers.e < MAX_RSA_EXPONENT:  # 3
        raise _weak(Weakness.EXPONENT)
    for weakness, is_weak in _MODULUS_TESTS.items():  # 4, 5, 6
        if is_weak(numbers.n):
            raise _weak(weakness)


def _weak(weakness: Weakness) -> WeakKey:
    return WeakKey(f"weakness: {weakness}", weakness=str(weakness))


def _primes_below(limit: int) -> list[int]:
    sieve = bytearray([1]) * limit
    for number in range(2, isqrt(limit) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit, number)))
    return [number for number in range(2, limit) if sieve[number]]


@cache
def _small_primorial() -> int:
    return prod(_primes_below(2**12))


def _has_small_factor(modulus: int) -> bool:
    return gcd(_small_primorial() % modulus, modulus) != 1


# A square is one modulo these too: together they leave about one of 250 rounds to the expensive test.
_FILTER, _SECOND_FILTER = 5040, 2431


@cache
def _square_residues(divisor: int) -> frozenset[int]:
    return frozenset(root * root % divisor for root in range(divisor))


def _has_close_primes(modulus: int) -> bool:
    """Whether Fermat's method factors the modulus: with p and q close, some a² − n is a square.

    The candidates a start at ⌈√n⌉. Residues of a² − n decide nearly all rounds without large numbers.
    """
    start = isqrt(modulus - 1) + 1
    residues, second_residues = _square_residues(_FILTER), _square_residues(_SECOND_FILTER)
    a, n = start % _FILTER, modulus % _FILTER
    b, m = start % _SECOND_FILTER, modulus % _SECOND_FILTER
    for step in range(FERMAT_ROUNDS):
        if ((a + step) ** 2 - n) % _FILTER not in residues:
            continue
        if ((b + step) ** 2 - m) % _SECOND_FILTER not in second_residues:
            continue
        difference = (start + step) ** 2 - modulus
        if isqrt(difference) ** 2 == difference:
            return True
    return False


@cache
def _roca_subgroups() -> tuple[tuple[int, frozenset[int]], ...]:
    """The powers of 65537 modulo each prime of the primorial behind the flawed keys of 2048 bits and more.

    Primes whose every residue is such a power tell nothing and are left out.
    """
    found = []
    for prime in _primes_below(702)[1:]:
        powers, power = set(), 1
        while power not in powers:
            powers.add(power)
            power = power * 65537 % prime
        if len(powers) < prime - 1:
            found.append((prime, frozenset(powers)))
    return tuple(found)


def _has_roca_fingerprint(modulus: int) -> bool:
    """Whether the modulus is a power of 65537 modulo every telling prime; a random one is never found so."""
    return all(modulus % prime in powers for prime, powers in _roca_subgroups())


_MODULUS_TESTS: Final[Mapping[Weakness, Callable[[int], bool]]] = {
    Weakness.SMALL_FACTOR: _has_small_factor,
    Weakness.CLOSE_PRIMES: _has_close_primes,
    Weakness.ROCA: _has_roca_fingerprint,
}
