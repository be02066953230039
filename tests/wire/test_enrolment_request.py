"""What a card signs to bind, renew and revoke: every key by its hash, digits over the very content."""

import hashlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.wire.enrolment_request import (
    CONTENT_TYPES,
    KEY_SETS,
    EnrolmentContentMalformed,
    KeyUse,
    Purpose,
    RequestedKey,
    content_bytes,
    digits_of,
    pairing_digits,
    parse_bind,
    parse_renew,
    parse_revoke,
    renew_challenge,
)
from wire import samples

PARSERS = {
    Purpose.BIND: (parse_bind, samples.bind()),
    Purpose.RENEW: (parse_renew, samples.renew()),
    Purpose.REVOKE: (parse_revoke, samples.revoke()),
}


def test_every_table_is_total() -> None:
    assert set(CONTENT_TYPES) == set(PARSERS) == set(Purpose)
    assert len(set(CONTENT_TYPES.values())) == len(Purpose)
    assert {use for uses in KEY_SETS for use in uses} == set(KeyUse)


@pytest.mark.parametrize("purpose", Purpose)
def test_a_content_is_read_by_its_own_purpose_only(purpose: Purpose) -> None:
    for other, (parse, _) in PARSERS.items():
        data = content_bytes(PARSERS[purpose][1])
        if other == purpose:
            assert parse(data) == PARSERS[purpose][1]
            continue
        with pytest.raises(EnrolmentContentMalformed):
            parse(data)


def spelt_out(*values: str) -> str:
    raw = b"".join(base64url.decode(value) for value in values)
    digest = hashlib.sha256(b"inkan-bind-v1\0" + raw).digest()
    return f"{int.from_bytes(digest[:8], 'big') % 100_000_000:08d}"


def test_the_digits_are_over_the_hashes_in_their_order() -> None:
    content = samples.bind(attestation_sha256=samples.b64("attestation"))
    assert pairing_digits(content) == spelt_out(
        content.nonce,
        content.keys[0].spki_sha256,
        content.keys[1].spki_sha256,
        content.credential_id_sha256,
        content.cose_key_sha256,
        content.channel_jkt,
        samples.b64("attestation"),
    )


def test_no_attestation_counts_as_zero_bytes() -> None:
    single = (RequestedKey(use=KeyUse.SINGLE, spki_sha256=samples.b64("single")),)
    content = samples.bind(keys=single)
    assert pairing_digits(content) == spelt_out(
        content.nonce,
        samples.b64("single"),
        content.credential_id_sha256,
        content.cose_key_sha256,
        content.channel_jkt,
        base64url.encode(bytes(32)),
    )


@pytest.mark.parametrize(
    "change",
    [
        {"nonce": samples.b64("x")},
        {"keys": tuple(reversed(samples.keys()))},
        {"keys": (samples.keys()[0], RequestedKey(use=KeyUse.SIGN, spki_sha256=samples.b64("x")))},
        {"credential_id_sha256": samples.b64("x")},
        {"cose_key_sha256": samples.b64("x")},
        {"channel_jkt": samples.b64("x")},
        {"attestation_sha256": samples.b64("x")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_swapped_key_changes_the_digits(change: dict[str, Any]) -> None:
    assert pairing_digits(samples.bind(**change)) != pairing_digits(samples.bind())


def test_phone_and_card_client_compute_the_same_digits() -> None:
    content = samples.bind()
    assert pairing_digits(content) == digits_of(
        nonce=content.nonce,
        keys=[key.spki_sha256 for key in content.keys],
        credential_id_sha256=content.credential_id_sha256,
        cose_key_sha256=content.cose_key_sha256,
        channel_jkt=content.channel_jkt,
        attestation_sha256=None,
    )


@given(st.binary(min_size=32, max_size=32))
def test_there_are_always_eight_digits(nonce: bytes) -> None:
    digits = pairing_digits(samples.bind(nonce=base64url.encode(nonce)))
    assert len(digits) == 8
    assert digits.isdecimal()


@pytest.mark.parametrize("bad", ["", "AA", "A" * 44, samples.b64("x") + "="])
def test_digits_take_whole_hashes_only(bad: str) -> None:
    for name in (
        "nonce",
        "credential_id_sha256",
        "cose_key_sha256",
        "channel_jkt",
        "attestation_sha256",
    ):
        with pytest.raises(InkanError):
            pairing_digits(samples.bind(**{name: bad}))


def test_the_challenge_of_a_renewal_carries_its_label() -> None:
    expected = hashlib.sha256(b"inkan-renew-v1" + b"\0" + b"content").digest()
    assert renew_challenge(b"content") == expected


KEY_1, KEY_2 = samples.b64("one"), samples.b64("two")


@pytest.mark.parametrize(
    ("uses", "admitted"),
    [
        ([("auth", KEY_1), ("sign", KEY_2)], True),
        ([("single", KEY_1)], True),
        ([("sign", KEY_1), ("auth", KEY_2)], False),
        ([("auth", KEY_1), ("auth", KEY_2)], False),
        ([("auth", KEY_1), ("sign", KEY_1)], False),
        ([("auth", KEY_1)], False),
        ([("sign", KEY_1)], False),
        ([("single", KEY_1), ("sign", KEY_2)], False),
        ([], False),
    ],
)
def test_sets_of_keys(uses: list[tuple[str, str]], admitted: bool) -> None:
    requested = tuple(RequestedKey(use=KeyUse(use), spki_sha256=spki) for use, spki in uses)
    for content in (samples.bind(keys=requested), samples.renew(keys=requested)):
        if admitted:
            assert content_bytes(content)
            continue
        with pytest.raises(EnrolmentContentMalformed) as refused:
            content_bytes(content)
        assert refused.value.public_facts["where"].startswith("/keys")


@pytest.mark.parametrize(
    "content",
    [
        samples.bind(scope=("outpatient", "outpatient")),
        samples.bind(scope=tuple(f"s{n}" for n in range(33))),
        samples.bind(phone_name="x" * 65),
        samples.bind(phone_name="my\u200bphone"),
        samples.bind(rp_id="https://wallet.tw"),
        samples.bind(back_end="D"),
        samples.bind(purpose="renew"),
        samples.bind(at="2026-02-29T00:00:00Z"),
        samples.renew(old_certificate_sha256="x"),
        samples.revoke(bindings=()),
        samples.revoke(bindings=("b", "b")),
        samples.revoke(bindings=tuple(f"b{n}" for n in range(17))),
        samples.revoke(cause="bored"),
    ],
    ids=str,
)
def test_values_outside_the_limits_are_refused(content: Any) -> None:
    with pytest.raises(EnrolmentContentMalformed):
        content_bytes(content)


def test_the_largest_content_fits() -> None:
    wide = "\U0002000b" * 64
    content = samples.bind(phone_name=wide, scope=tuple(f"s{n:063d}" for n in range(32)))
    assert parse_bind(content_bytes(content)) == content


def test_a_hash_in_hex_is_refused() -> None:
    data = msgspec.json.encode(samples.bind(channel_jkt="ab" * 32), order="sorted")
    with pytest.raises(EnrolmentContentMalformed):
        parse_bind(data)
