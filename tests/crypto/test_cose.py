"""COSE keys by template: exactly what cbor2 writes canonically for the three kinds, and nothing else."""

import cbor2
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.cose import (
    COSEAlgorithm,
    COSEKeyMalformed,
    cose_key_size,
    load_cose_key,
    verify_cose_signature,
)
from inkan.crypto.keys import WeakKey
from support.authenticator import EDDSA, ES256, RS256, cose_key, new_key, sign
from support.keyring import rsa_key

KEYS = {algorithm: new_key(algorithm) for algorithm in (ES256, EDDSA, RS256)}


@pytest.mark.parametrize("algorithm", COSEAlgorithm)
def test_a_key_is_read_and_verifies(algorithm):
    key = KEYS[algorithm]
    encoded = cose_key(key)
    public, named = load_cose_key(encoded)
    assert named is algorithm
    assert public == key.public_key()
    assert cose_key_size(encoded + b"more") == len(encoded)
    verify_cose_signature(encoded, sign(key, b"data"), b"data")
    with pytest.raises(InvalidSignature):
        verify_cose_signature(encoded, sign(key, b"data"), b"other data")


def test_larger_rsa_keys_are_read():
    encoded = cose_key(rsa_key(bits=3072))
    assert load_cose_key(encoded)[0].key_size == 3072


def members(algorithm):
    return cbor2.loads(cose_key(KEYS[algorithm]))


BENT = {
    "another curve": members(ES256) | {-1: 2},
    "another algorithm": members(ES256) | {3: -35},
    "another type": members(ES256) | {1: 1},
    "a short coordinate": members(ES256) | {-2: bytes(31)},
    "a compressed point": members(ES256) | {-3: True},
    "off the curve": members(ES256) | {-2: bytes(32)},
    "one member more": members(ES256) | {4: [2]},
    "one member less": {name: members(ES256)[name] for name in (1, 3, -1, -2)},
    "Ed448": members(EDDSA) | {-1: 7},
    "a short Ed25519 key": members(EDDSA) | {-2: bytes(31)},
    "another exponent": members(RS256) | {-2: b"\x03"},
    "a padded modulus": members(RS256) | {-1: b"\0" + members(RS256)[-1]},
    "RSA-1024": members(RS256) | {-1: members(RS256)[-1][:128]},
    "RSA-8192": members(RS256) | {-1: members(RS256)[-1] * 4},
    "a private key": members(ES256) | {-4: bytes(32)},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT.keys())
def test_another_key_is_malformed(bent):
    with pytest.raises(COSEKeyMalformed):
        load_cose_key(cbor2.dumps(bent, canonical=True))


@pytest.mark.parametrize("algorithm", COSEAlgorithm)
def test_another_spelling_is_malformed(algorithm):
    encoded = cose_key(KEYS[algorithm])
    rows = cbor2.loads(encoded)
    for spelling in (
        cbor2.dumps(dict(reversed(rows.items()))),
        cbor2.dumps(rows, canonical=True, string_referencing=True) + b"\0",
        encoded + b"\0",
        encoded[:-1],
        b"",
        encoded[:3],
    ):
        with pytest.raises(COSEKeyMalformed):
            load_cose_key(spelling)


def test_a_weak_rsa_key_is_refused():
    modulus = 3 * rsa_key().public_key().public_numbers().n
    size = (modulus.bit_length() + 7) // 8
    bent = members(RS256) | {-1: modulus.to_bytes(size, "big")}
    with pytest.raises(WeakKey):
        load_cose_key(cbor2.dumps(bent, canonical=True))
    assert rsa.RSAPublicNumbers(65537, modulus)


HEADS = [b"", *(cose_key(key)[:10] for key in KEYS.values())]


@given(st.sampled_from(HEADS), st.binary(max_size=100))
def test_only_refusals_and_ed25519_keys_come_out_of_random_bytes(head, data):
    """Any 32 bytes are an Ed25519 key; on P-256 only half of all numbers are a coordinate."""
    try:
        _, algorithm = load_cose_key(head + data)
    except COSEKeyMalformed:
        return
    assert (algorithm, len(data)) == (COSEAlgorithm.EDDSA, 32)
