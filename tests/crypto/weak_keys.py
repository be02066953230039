"""Really weak RSA moduli, built the way the flawed generators built them, and keys that no library would load."""

from math import prod

from asn1crypto import keys as asn1_keys
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey, RSAPublicNumbers

from inkan.crypto import keys
from inkan.kernel.ids import random_below, random_bytes

SIEVE = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p**0.5) + 1, 2))]
# The first 126 primes: what the flawed card library used for keys of 2048 bits.
ROCA_PRIMES = [2, *[p for p in SIEVE if p < 702]]


def spki(modulus: int, exponent: int = 65537) -> bytes:
    """The DER SubjectPublicKeyInfo of any two numbers, however absurd."""
    key = asn1_keys.RSAPublicKey({"modulus": modulus, "public_exponent": exponent})
    return asn1_keys.PublicKeyInfo.wrap(key, "rsa").dump()


def is_probable_prime(number: int) -> bool:
    return all(number % p for p in SIEVE) and pow(2, number - 1, number) == 1


def next_prime(number: int) -> int:
    number |= 1
    while not is_probable_prime(number):
        number += 2
    return number


def random_prime(bits: int = 1024) -> int:
    """A prime with its two highest bits set, so that two of them make a modulus of exactly twice the bits."""
    return next_prime(int.from_bytes(random_bytes(bits // 8), "big") | 3 << bits - 2)


def close_primes_modulus() -> int:
    """p times the prime after next: Fermat's method factors it at once."""
    prime = random_prime()
    return prime * next_prime(prime + 2 + 2 * random_below(2**200))


def square_modulus() -> int:
    return random_prime() ** 2


def small_factor_modulus(factor: int) -> int:
    rough = int.from_bytes(random_bytes(256), "big") | 3 << 2046
    return factor * (rough // factor | 1)


def roca_modulus() -> int:
    """Two primes of the form k·M + (65537^a mod M), M the product of the first 126 primes."""
    return roca_prime() * roca_prime()


def roca_prime() -> int:
    primorial = prod(ROCA_PRIMES)
    low, high = (3 << 1022) // primorial + 1, (1 << 1024) // primorial - 1
    while True:
        residue = pow(65537, random_below(2**200), primorial)
        candidate = (low + random_below(high - low)) * primorial + residue
        if is_probable_prime(candidate):
            return candidate


class UncheckedKey(RSAPublicKey):
    """An RSA key object as a lenient provider might hand it out: any numbers at all."""

    def __init__(self, modulus: int, exponent: int) -> None:
        self._modulus, self._exponent = modulus, exponent

    @property
    def key_size(self) -> int:
        return self._modulus.bit_length()

    def public_numbers(self) -> RSAPublicNumbers:
        return RSAPublicNumbers(self._exponent, self._modulus)

    def _unused(self, *args: object, **kwargs: object) -> object:
        raise NotImplementedError

    encrypt = public_bytes = verify = recover_data_from_signature = _unused
    __eq__ = __copy__ = __deepcopy__ = _unused
    __hash__ = None


def good_modulus() -> int:
    return keys.generate(keys.KeySpec.RSA2048).public_key().public_numbers().n
