"""Sealed values open only under their key and in their place; keyed hashes keep their parts apart."""

import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import aead
from inkan.crypto.aead import MacMismatch, SealBroken
from inkan.kernel.sensitive import Secret

KEY = Secret(bytes(range(32)))
OTHER = Secret(bytes(32))


@given(st.binary(max_size=100), st.binary(max_size=20))
def test_what_was_sealed_opens_in_its_place(plaintext: bytes, aad: bytes) -> None:
    sealed = aead.seal(KEY, plaintext, aad=aad)
    assert len(sealed) == len(plaintext) + aead.OVERHEAD
    assert aead.unseal(KEY, sealed, aad=aad) == plaintext


def test_another_key_place_or_byte_does_not_open() -> None:
    sealed = aead.seal(KEY, b"secret", aad=b"row 1")
    changed = [sealed[:i] + bytes([sealed[i] ^ 1]) + sealed[i + 1 :] for i in range(len(sealed))]
    attempts = [(OTHER, sealed, b"row 1"), (KEY, sealed, b"row 2"), (KEY, sealed[:-1], b"row 1")]
    attempts += [(KEY, sealed[:27], b"row 1"), (KEY, b"", b"row 1")]
    attempts += [(KEY, data, b"row 1") for data in changed]
    for key, data, aad in attempts:
        with pytest.raises(SealBroken):
            aead.unseal(key, data, aad=aad)


def test_the_same_text_is_never_sealed_alike() -> None:
    assert len({aead.seal(KEY, b"same", aad=b"") for _ in range(20)}) == 20


def test_hkdf_follows_rfc_5869_appendix_a1() -> None:
    derived = aead.hkdf(
        Secret(b"\x0b" * 22),
        bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"),
        length=42,
        salt=bytes(range(13)),
    )
    assert derived.reveal().hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )


def test_hmac_follows_rfc_4231_case_2() -> None:
    tag = aead.hmac_sha256(Secret(b"Jefe"), b"what do ya want for nothing?")
    assert tag.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


def test_the_mac_of_parts_is_the_hmac_of_lengths_and_parts() -> None:
    message = b"\0\0\0\x02ab" + b"\0\0\0\0" + b"\0\0\0\x01c"
    expected = hmac.new(KEY.reveal(), message, hashlib.sha256).digest()
    assert aead.mac(KEY, b"ab", b"", b"c") == expected


@given(st.lists(st.binary(max_size=5), max_size=4), st.lists(st.binary(max_size=5), max_size=4))
def test_other_parts_have_another_mac(one: list[bytes], two: list[bytes]) -> None:
    assert (aead.mac(KEY, *one) == aead.mac(KEY, *two)) == (one == two)


def test_a_wrong_mac_is_refused() -> None:
    tag = aead.mac(KEY, b"a", b"b")
    aead.verify_mac(KEY, tag, b"a", b"b")
    for key, other, parts in [
        (KEY, tag, (b"ab",)),
        (OTHER, tag, (b"a", b"b")),
        (KEY, tag[:-1], (b"a", b"b")),
        (KEY, b"", (b"a", b"b")),
    ]:
        with pytest.raises(MacMismatch):
            aead.verify_mac(key, other, *parts)
