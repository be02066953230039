"""Assertions: each check of the WebAuthn table has one negative test, and py_webauthn is the second opinion."""

import json

import pytest
import webauthn as library
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers.exceptions import WebAuthnException

from inkan.crypto import webauthn
from inkan.crypto.authenticator_data import AuthenticatorDataMalformed
from inkan.crypto.ceremony import AssertionRefused, Check
from inkan.crypto.cose import COSEKeyMalformed
from inkan.kernel.errors import InkanError
from support.authenticator import (
    BE,
    BS,
    ED,
    EDDSA,
    ES256,
    RS256,
    UP,
    UV,
    Authenticator,
    b64,
    client_data,
)
from support.ceremonies import (
    CHALLENGE,
    EXTENSIONS,
    GOOD,
    KEY,
    ORIGIN,
    OTHER,
    REFUSED_ASSERTIONS,
    RP_ID,
    check,
)


@pytest.fixture(scope="module")
def phone():
    return Authenticator()


# --- assertion -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
def test_an_assertion_of_every_algorithm_is_accepted(algorithm):
    phone = Authenticator(algorithm=algorithm)
    result = check(phone, phone.answer(CHALLENGE))
    assert (result.sign_count, result.user_verified, result.sign_count_suspect) == (1, True, False)


@pytest.mark.parametrize(("named", "bent"), REFUSED_ASSERTIONS.items(), ids=str)
def test_an_assertion_is_refused_for(named, bent, phone):
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(CHALLENGE, **bent), user_handle=b"me")
    assert caught.value.public_facts == {"check": str(named)}


def test_an_assertion_is_refused_for_another_challenge(phone):
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(OTHER))
    assert caught.value.facts["check"] == Check.CHALLENGE


def test_an_assertion_is_refused_for_the_signature_of_another_key(phone):
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(CHALLENGE, key=Authenticator().key))
    assert caught.value.facts["check"] == Check.SIGNATURE


def test_a_signature_covers_both_byte_strings(phone):
    good = phone.answer(CHALLENGE)
    bent_data = bytearray(good.authenticator_data)
    bent_data[36] ^= 1
    for bent in (
        {"authenticator_data": bytes(bent_data)},
        {"client_data_json": good.client_data_json.replace(b"{", b"{ ", 1)},
        {"signature": good.signature * 20},
    ):
        changed = {name: bent.get(name, getattr(good, name)) for name in good.__struct_fields__}
        with pytest.raises(AssertionRefused) as caught:
            check(phone, type(good)(**changed))
        assert caught.value.facts["check"] == Check.SIGNATURE


def test_an_assertion_is_refused_for_bringing_a_credential(phone):
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(CHALLENGE, data=phone.attested_data()))
    assert caught.value.facts["check"] == Check.CREDENTIAL_DATA


def test_user_verification_may_be_left_to_the_caller(phone):
    result = check(phone, phone.answer(CHALLENGE, flags=UP), require_uv=False)
    assert not result.user_verified


def test_the_right_user_handle_and_extension_outputs_are_accepted(phone):
    assertion = phone.answer(
        CHALLENGE, flags=UP | UV | ED, tail=EXTENSIONS, user_handle=b"me", sign_count=9
    )
    assert check(phone, assertion, user_handle=b"me").sign_count == 9


def test_the_backup_state_may_change_but_not_the_eligibility(phone):
    result = check(phone, phone.answer(CHALLENGE, flags=UP | UV | BE | BS), backup_eligible=True)
    assert result.backed_up
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(CHALLENGE), backup_eligible=True)
    assert caught.value.facts["check"] == Check.BACKUP_ELIGIBILITY


@pytest.mark.parametrize(
    ("last", "now", "is_suspect"),
    [(0, 0, False), (0, 1, False), (4, 5, False), (5, 5, True), (5, 4, True), (5, 0, True)],
)
def test_a_counter_that_does_not_rise_is_a_risk_signal(phone, last, now, is_suspect):
    result = check(phone, phone.answer(CHALLENGE, sign_count=now), sign_count=last)
    assert (result.sign_count, result.sign_count_suspect) == (now, is_suspect)


def test_a_verifier_of_evidence_compares_what_it_has(phone):
    assertion = phone.answer(CHALLENGE, flags=UP | UV | BE, sign_count=0)
    result = check(phone, assertion, backup_eligible=None, sign_count=None)
    assert (result.backup_eligible, result.sign_count_suspect) == (True, False)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b'{"type":"webauthn.get","challenge":"x"}',
        b'{"type":1,"challenge":"x","origin":"y"}',
        b'{"type":"webauthn.get","challenge":"x","origin":"y","crossOrigin":"false"}',
        b'{"type":"webauthn.get","challenge":"x","origin":"y","topOrigin":7}',
        b"\xef\xbb\xbf{}",
        b"\xff",
        b"[" * 4096,
        b" " * 4097,
    ],
)
def test_client_data_of_another_form_is_malformed(phone, raw):
    with pytest.raises(AuthenticatorDataMalformed):
        check(phone, phone.answer(CHALLENGE, raw_client_data=raw or b" "))


def test_client_data_with_a_name_twice_is_malformed(phone):
    twice = client_data("webauthn.get", OTHER, ORIGIN)[:-1] + b',"challenge":"'
    raw = twice + b64(CHALLENGE).encode() + b'"}'
    with pytest.raises(AuthenticatorDataMalformed, match="duplicate"):
        check(phone, phone.answer(CHALLENGE, raw_client_data=raw))


def test_unknown_members_of_client_data_are_tolerated(phone):
    extra = {"other_keys_can_be_added_here": "do not compare clientDataJSON against a template"}
    assert check(phone, phone.answer(CHALLENGE, extra=extra)).user_verified


@pytest.mark.parametrize(
    "padded", [b64(CHALLENGE) + "=", " " + b64(CHALLENGE), b64(CHALLENGE)[:-1] + "5"]
)
def test_a_challenge_in_another_spelling_is_another_challenge(phone, padded):
    raw = json.dumps({"type": "webauthn.get", "challenge": padded, "origin": ORIGIN}).encode()
    with pytest.raises(AssertionRefused) as caught:
        check(phone, phone.answer(CHALLENGE, raw_client_data=raw))
    assert caught.value.facts["check"] == Check.CHALLENGE


@pytest.mark.parametrize(
    ("flags", "tail"),
    [
        (UP | UV, b"\0"),
        (UP | UV | ED, b""),
        (UP | UV | ED, EXTENSIONS + b"\0"),
        (UP | UV | ED, b"\x01"),
    ],
)
def test_authenticator_data_with_a_wrong_end_is_malformed(phone, flags, tail):
    with pytest.raises(InkanError) as caught:
        check(phone, phone.answer(CHALLENGE, flags=flags, tail=tail))
    assert caught.value.code in {"authenticator_data_malformed", "cbor_malformed"}


@pytest.mark.parametrize("size", [0, 36, 4097])
def test_authenticator_data_of_an_impossible_size_is_malformed(phone, size):
    with pytest.raises(AuthenticatorDataMalformed):
        check(phone, phone.answer(CHALLENGE, data=bytes(size)))


def test_a_key_that_is_no_key_is_malformed(phone):
    with pytest.raises(COSEKeyMalformed):
        check(phone, phone.answer(CHALLENGE), cose_key=b"\x04" + bytes(64))


# --- the second opinion ------------------------------------------------------------------------------------------


def library_accepts(phone, assertion, *, sign_count=0) -> bool:
    identifier = b64(assertion.credential_id)
    credential = {
        "id": identifier,
        "rawId": identifier,
        "type": "public-key",
        "response": {
            "clientDataJSON": b64(assertion.client_data_json),
            "authenticatorData": b64(assertion.authenticator_data),
            "signature": b64(assertion.signature),
        },
    }
    try:
        library.verify_authentication_response(
            credential=credential,
            expected_challenge=CHALLENGE,
            expected_rp_id=RP_ID,
            expected_origin=ORIGIN,
            credential_public_key=phone.cose_key,
            credential_current_sign_count=sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError):
        return False
    return True


def we_accept(phone, assertion) -> bool:
    try:
        check(phone, assertion, backup_eligible=None)
    except InkanError:
        return False
    return True


# What the library lets through and Inkan does not (WebAuthn Level 3 §7.2).
STRICTER = {Check.CROSS_ORIGIN, Check.TOP_ORIGIN, Check.CREDENTIAL_ID, Check.USER_HANDLE}


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("flags", [UP | UV, UP | UV | BE, UP | UV | BE | BS])
def test_both_accept_what_is_right(algorithm, flags):
    phone = Authenticator(algorithm=algorithm, flags=flags)
    assertion = phone.answer(CHALLENGE)
    assert we_accept(phone, assertion)
    assert library_accepts(phone, assertion)


@pytest.mark.parametrize(("named", "bent"), REFUSED_ASSERTIONS.items(), ids=str)
def test_both_refuse_what_is_wrong(named, bent, phone):
    assertion = phone.answer(CHALLENGE, **bent)
    expected = named in STRICTER or named is Check.BACKUP_ELIGIBILITY
    assert library_accepts(phone, assertion) is expected


@given(st.data())
def test_nothing_is_accepted_that_the_library_refuses(data):
    phone = Authenticator(key=KEY)
    assertion = phone.answer(
        CHALLENGE,
        flags=data.draw(st.integers(0, 255)),
        sign_count=data.draw(st.integers(0, 2**32 - 1)),
        tail=data.draw(st.sampled_from([b"", EXTENSIONS, EXTENSIONS + b"\0", b"\xa0"])),
        extra=data.draw(
            st.sampled_from([None, {"crossOrigin": True}, {"crossOrigin": None}, {"a": 1}])
        ),
    )
    if we_accept(phone, assertion):
        assert library_accepts(phone, assertion)


@given(st.data())
def test_changed_bytes_are_refused_by_both(data):
    phone = Authenticator(key=KEY)
    fields = {name: getattr(GOOD, name) for name in GOOD.__struct_fields__}
    name = data.draw(st.sampled_from(["client_data_json", "authenticator_data", "signature"]))
    changed = bytearray(fields[name])
    position = data.draw(st.integers(0, len(changed) - 1))
    changed[position] ^= data.draw(st.integers(1, 255))
    fields[name] = bytes(changed)
    assertion = webauthn.Assertion(**fields)
    assert not we_accept(phone, assertion)
    assert not library_accepts(phone, assertion)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=100))
def test_only_refusals_come_out_of_random_bytes(client, data, signature):
    phone = Authenticator(key=KEY)
    assertion = webauthn.Assertion(
        credential_id=phone.credential_id,
        client_data_json=client,
        authenticator_data=data,
        signature=signature,
    )
    with pytest.raises(InkanError):
        check(phone, assertion)
