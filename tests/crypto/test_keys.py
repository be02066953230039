"""Keys: one encoding each, and a corpus of really weak ones that is refused whole (threat 7)."""

import hashlib
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from crypto import weak_keys
from inkan.crypto import keys
from inkan.crypto.keys import KeyMalformed, KeySpec, KeyUnsupported, WeakKey, Weakness
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret


@pytest.mark.parametrize("spec", KeySpec)
def test_fresh_keys_are_of_their_kind_and_strong(spec: KeySpec) -> None:
    key = keys.generate(spec)
    public = key.public_key()
    assert keys.key_spec(key) is keys.key_spec(public) is spec
    keys.verify_key_strength(public)
    assert keys.spki_sha256(public) == hashlib.sha256(keys.spki_der(public)).digest()
    assert keys.load_public(keys.spki_der(public)) == public


@pytest.mark.parametrize("round_", range(8))
def test_good_moduli_pass_again_and_again(round_: int) -> None:
    del round_  # another key each time
    keys.verify_key_strength(keys.load_public(weak_keys.spki(weak_keys.good_modulus())))


@pytest.mark.parametrize("spec", [KeySpec.P256, KeySpec.RSA2048])
def test_private_keys_travel_as_secrets(spec: KeySpec) -> None:
    key = keys.generate(spec)
    again = keys.load_private(keys.private_der(key))
    assert again.public_key() == key.public_key()


# Each modulus with the weakness that must be found; made by the flaw itself, not by fitting the test.
WEAK_MODULI: dict[str, tuple[Callable[[], int], Weakness]] = {
    "1024 bits": (lambda: weak_keys.random_prime(512) * weak_keys.random_prime(512), Weakness.SIZE),
    "2047 bits": (lambda: weak_keys.good_modulus() >> 1 | 1, Weakness.SIZE),
    "factor 3": (lambda: weak_keys.small_factor_modulus(3), Weakness.SMALL_FACTOR),
    "factor 4093": (lambda: weak_keys.small_factor_modulus(4093), Weakness.SMALL_FACTOR),
    "even": (lambda: weak_keys.good_modulus() + 1, Weakness.SMALL_FACTOR),
    "close primes": (weak_keys.close_primes_modulus, Weakness.CLOSE_PRIMES),
    "square": (weak_keys.square_modulus, Weakness.CLOSE_PRIMES),
    "ROCA": (weak_keys.roca_modulus, Weakness.ROCA),
}


@pytest.mark.parametrize("name", WEAK_MODULI)
def test_weak_moduli_are_refused(name: str) -> None:
    make, weakness = WEAK_MODULI[name]
    key = keys.load_public(weak_keys.spki(make()))
    with pytest.raises(WeakKey) as refused:
        keys.verify_key_strength(key)
    assert refused.value.public_facts == {"weakness": weakness}


@pytest.mark.parametrize("rounds", [0, 1, 50, 98])
def test_close_primes_are_found_in_every_round(rounds: int) -> None:
    """(a − d)(a + d) = a² − d² with ⌈√n⌉ exactly ``rounds`` below a."""
    a = weak_keys.random_prime()
    d = keys.isqrt(2 * a * rounds) + 1
    n = a * a - d * d
    assert keys.isqrt(n - 1) + 1 == a - rounds
    assert keys._has_close_primes(n)


def test_the_modulus_tests_do_not_lean_on_each_other() -> None:
    assert not keys._has_roca_fingerprint(weak_keys.close_primes_modulus())
    assert not keys._has_close_primes(weak_keys.roca_modulus())
    assert not keys._has_small_factor(weak_keys.roca_modulus())


@pytest.mark.parametrize("exponent", [3, 17, 65535, 2**256 + 1])
def test_exponents_outside_the_range_are_refused(exponent: int) -> None:
    key = keys.load_public(weak_keys.spki(weak_keys.good_modulus(), exponent))
    with pytest.raises(WeakKey) as refused:
        keys.verify_key_strength(key)
    assert refused.value.facts == {"weakness": Weakness.EXPONENT}


@pytest.mark.parametrize("exponent", [0, 1, 2, 4, 65538])
def test_even_and_absurd_exponents_do_not_even_load(exponent: int) -> None:
    with pytest.raises(KeyMalformed):
        keys.load_public(weak_keys.spki(weak_keys.good_modulus(), exponent))


@pytest.mark.parametrize("exponent", [65538, 65536, 2, 0])
def test_even_exponents_are_refused_from_a_provider_that_does_not_look(exponent: int) -> None:
    with pytest.raises(WeakKey) as refused:
        keys.verify_key_strength(weak_keys.UncheckedKey(weak_keys.good_modulus(), exponent))
    assert refused.value.facts == {"weakness": Weakness.EXPONENT}


def test_moduli_that_make_verification_expensive_are_refused() -> None:
    with pytest.raises(WeakKey):
        keys.verify_key_strength(weak_keys.UncheckedKey(1 << 8192 | 1, 65537))
    with pytest.raises(KeyMalformed):
        keys.load_public(weak_keys.spki(1 << 16384 | 1))


def test_curves_outside_the_table_are_refused() -> None:
    for curve in (ec.SECP256K1(), ec.SECP224R1(), ec.BrainpoolP256R1()):
        key = ec.generate_private_key(curve).public_key()
        with pytest.raises(WeakKey) as refused:
            keys.verify_key_strength(key)
        assert refused.value.facts == {"weakness": Weakness.CURVE}
        with pytest.raises(KeyUnsupported):
            keys.key_spec(key)


def test_a_point_off_the_curve_does_not_load() -> None:
    der = keys.spki_der(keys.generate(KeySpec.P256).public_key())
    with pytest.raises(KeyMalformed):
        keys.load_public(der[:-1] + bytes([der[-1] ^ 1]))


def test_a_key_has_one_encoding() -> None:
    key = keys.generate(KeySpec.P256).public_key()
    der = keys.spki_der(key)
    compressed = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    short = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + compressed
    long_length = b"\x30\x81" + der[1:]
    for other in (short, long_length, der + b"\0", b"\0" + der, der[:-1], b""):
        with pytest.raises(KeyMalformed):
            keys.load_public(other)


def test_other_kinds_of_key_are_unsupported() -> None:
    ed = ed25519.Ed25519PrivateKey.generate()
    der = ed.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with pytest.raises(KeyUnsupported):
        keys.load_public(der)
    with pytest.raises(KeyUnsupported):
        keys.key_spec(rsa.generate_private_key(65537, 1024))
    with pytest.raises(KeyUnsupported):
        keys.load_private(keys.private_der(dsa.generate_private_key(1024)))
    with pytest.raises(KeyMalformed):
        keys.load_private(Secret(b"\x30\x03\x02\x01\x00"))


GOOD = keys.spki_der(keys.generate(KeySpec.P256).public_key())


@given(st.binary(max_size=100) | st.integers(0, len(GOOD) - 1).flatmap(
    lambda at: st.integers(0, 255).map(lambda byte: GOOD[:at] + bytes([byte]) + GOOD[at + 1 :])
))  # fmt: skip
def test_any_bytes_are_a_key_or_a_refusal(data: bytes) -> None:
    try:
        key = keys.load_public(data)
    except InkanError:
        return
    assert keys.spki_der(key) == data


def test_every_kind_of_key_has_its_rows() -> None:
    assert set(keys._MAKERS) == set(KeySpec)
    assert {*keys._CURVE_SPECS.values(), *keys._RSA_SPECS.values()} == set(KeySpec)
