"""The registration key and the challenge of a device number: one spelling, every member counts, nothing else is read."""

import hashlib
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.wire.enrolment_request import made_values, pairing_digits
from inkan.wire.registration_key import (
    KEY_CHARACTERS,
    DeviceNumberMalformed,
    RegistrationKeyMalformed,
    key_of,
    number_challenge,
    parse_key,
    registration_key,
    spell_key,
)
from wire.samples import bind


def b64(fill: bytes) -> str:
    return base64url.encode(fill * 32)


MADE = {
    "nonce": b64(b"n"),
    "keys": [b64(b"a"), b64(b"s")],
    "credential_id_sha256": b64(b"i"),
    "cose_key_sha256": b64(b"c"),
    "channel_jkt": b64(b"j"),
    "attestation_sha256": None,
}
# What wallets in other languages have to come to (docs/wire.md).
KEY = "2S23QKX5G5ZZ9424DZTH25XK3K"
CHALLENGE = "S1_BzpUGovv45lED0y_XvhIlX7fC5smQKr9pS4wUE-A"


def test_a_key_is_the_digest_of_what_the_phone_made() -> None:
    digest = hashlib.sha256(b"inkan-kiosk-v1\x00" + made_values(**MADE)).digest()
    assert registration_key(**MADE) == digest[:16]
    assert spell_key(registration_key(**MADE)) == KEY


@pytest.mark.parametrize("member", sorted(MADE))
def test_every_member_changes_the_key(member: str) -> None:
    other = [b64(b"x"), b64(b"s")] if member == "keys" else b64(b"x")
    assert registration_key(**{**MADE, member: other}) != registration_key(**MADE)


def test_a_content_has_the_key_of_the_phone_that_it_names() -> None:
    content = bind()
    made = {
        "nonce": content.nonce,
        "keys": [each.spki_sha256 for each in content.keys],
        "credential_id_sha256": content.credential_id_sha256,
        "cose_key_sha256": content.cose_key_sha256,
        "channel_jkt": content.channel_jkt,
        "attestation_sha256": content.attestation_sha256,
    }
    assert key_of(content) == registration_key(**made)
    assert len(pairing_digits(content)) == 8


@given(st.binary(min_size=16, max_size=16))
@example(bytes(16))
@example(b"\xff" * 16)
def test_a_key_has_one_spelling_and_is_read_as_people_write_it(key: bytes) -> None:
    spelt = spell_key(key)
    assert len(spelt) == KEY_CHARACTERS
    assert parse_key(spelt) == key
    written = "-".join(spelt[at : at + 4] for at in range(0, KEY_CHARACTERS, 4)).lower()
    assert parse_key(f" {written.replace('0', 'o').replace('1', 'l')} ") == key


@given(st.text(max_size=80))
@example("8" + "0" * 25)  # more than 128 bits
@example("0" * 25 + "U")
@example("0" * 27)
@example("")
def test_what_is_no_key_is_refused_by_name(text: str) -> None:
    with suppress(RegistrationKeyMalformed):
        assert len(parse_key(text)) == 16


def test_a_number_is_signed_for_with_the_request_that_it_belongs_to() -> None:
    challenge = number_challenge(MADE["nonce"], "124578")
    assert base64url.encode(challenge) == CHALLENGE
    assert challenge != number_challenge(MADE["nonce"], "124579")
    assert challenge != number_challenge(b64(b"m"), "124578")


@pytest.mark.parametrize(
    "number", ["", "12345", "1234567", "12a456", "１２３４５６", "123456\n", "-12345"]
)
def test_what_is_no_number_is_refused_by_name(number: str) -> None:
    with pytest.raises(DeviceNumberMalformed):
        number_challenge(MADE["nonce"], number)
