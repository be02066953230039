"""The card's signature: it signs typed requests that the person confirmed, and nothing else."""

import pytest

from client.card_requests import (
    BIND,
    BYTES,
    DIGITS,
    PIN,
    RENEW,
    REVOKE,
    WRONG,
    b32,
    bind_content,
    revoke_content,
    sign,
)
from inkan.client.card import (
    CardRequestDeclined,
    CardRequestRefused,
    DigitsMismatch,
    Giving,
    WrongPIN,
)
from inkan.client.software_card import SoftwareCard
from inkan.crypto import cms, oids
from inkan.crypto.keys import KeySpec
from inkan.wire import enrolment_request as requests


@pytest.mark.req("HCA-47")
def test_signed_request_is_typed_and_verifies(card, made):
    parsed = cms.parse_signed_data(sign(card))
    assert parsed.content == BYTES
    assert parsed.content_type == BIND
    assert parsed.signer == made[1].der
    assert set(parsed.certificates) == {made[1].der, *made[1].chain}
    _verify(parsed)


def _verify(parsed: cms.UnverifiedCMS) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    key = x509.load_der_x509_certificate(parsed.signer).public_key()
    key.verify(parsed.signature, parsed.signed_attributes, PKCS1v15(), SHA256())
    import hashlib

    assert hashlib.sha256(parsed.content).digest() in parsed.signed_attributes


def test_dialog_is_told_what_is_given_and_never_the_digits(card):
    told = []
    card.sign_request(
        BYTES, content_type=BIND, pin=PIN, confirm=lambda giving: told.append(giving) or DIGITS
    )
    assert told == [
        Giving(
            purpose="bind",
            scheme="tw-citizen",
            audience="https://id.example.org",
            phone_name="ASUS_A007",
            needs_digits=True,
        )
    ]
    assert DIGITS not in repr(told)


@pytest.mark.parametrize(
    "digits", ["", "00000000", DIGITS[:-1], DIGITS + "0", f" {DIGITS}", DIGITS[::-1], "数"]
)
def test_other_digits_sign_nothing_and_cost_no_try(card, digits):
    with pytest.raises(DigitsMismatch):
        sign(card, digits=digits)
    assert card.tries_left() == 5


@pytest.mark.parametrize(
    "member",
    ["nonce", "credential_id_sha256", "cose_key_sha256", "channel_jkt", "attestation_sha256"],
)
def test_digits_of_another_phone_do_not_sign_this_one(card, member):
    """The substitution attack: the person types what the own phone shows, the page offers another's content."""
    other = requests.content_bytes(bind_content(**{member: b32(99)}))
    with pytest.raises(DigitsMismatch):
        sign(card, other)


def test_swapped_keys_have_other_digits(card):
    swapped = (
        requests.RequestedKey(use="auth", spki_sha256=b32(98)),
        requests.RequestedKey(use="sign", spki_sha256=b32(3)),
    )
    with pytest.raises(DigitsMismatch):
        sign(card, requests.content_bytes(bind_content(keys=swapped)))


def test_declining_signs_nothing_and_costs_no_try(card):
    def decline(_):
        raise CardRequestDeclined

    with pytest.raises(CardRequestDeclined):
        card.sign_request(BYTES, content_type=BIND, pin=PIN, confirm=decline)
    assert card.tries_left() == 5


def test_revocation_needs_the_dialog_but_no_digits(card):
    told = []
    signed = card.sign_request(
        requests.content_bytes(revoke_content()),
        content_type=REVOKE,
        pin=PIN,
        confirm=lambda giving: told.append(giving) or "",
    )
    assert cms.parse_signed_data(signed).content_type == REVOKE
    assert [(giving.purpose, giving.needs_digits) for giving in told] == [("revoke", False)]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (bytes(32), BIND),  # a bare digest
        (b"", BIND),
        (b"PAY 1000", BIND),
        (BYTES + b" ", BIND),
        (BYTES, REVOKE),
        (requests.content_bytes(revoke_content()), BIND),
        (BYTES, RENEW),
        (BYTES, "1.2.840.113549.1.7.1"),
        (BYTES, oids.CONTENT_WINDOW),
        (BYTES, ""),
        (b"{" * 20000, BIND),
    ],
)
def test_nothing_else_is_signed(card, content, content_type):
    asked = []
    with pytest.raises(CardRequestRefused):
        card.sign_request(
            content, content_type=content_type, pin=PIN, confirm=lambda g: asked.append(g) or DIGITS
        )
    assert not asked
    assert card.tries_left() == 5


def test_wrong_pin_signs_nothing(card):
    with pytest.raises(WrongPIN):
        sign(card, pin=WRONG)
    assert card.tries_left() == 4


def test_a_card_without_a_certificate_signs_nothing(tmp_path):
    bare, _ = SoftwareCard.make(tmp_path / "card", pin=PIN, spec=KeySpec.P256)
    with bare:
        assert bare.certificates() == []
        with pytest.raises(CardRequestRefused):
            sign(bare)
