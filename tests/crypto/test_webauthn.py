"""Registrations and their options: each check of the WebAuthn table has one negative test, named by the check."""

import json

import cbor2
import pytest
import webauthn as library
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url, webauthn
from inkan.crypto.attestation import AttestationFormat, AttestationMalformed, AttestationRefused
from inkan.crypto.authenticator_data import AuthenticatorDataMalformed
from inkan.crypto.ceremony import Check, RegistrationRefused
from inkan.crypto.cose import COSEAlgorithm, COSEKeyMalformed
from inkan.crypto.webauthn import (
    RegistrationMalformed,
    RegistrationTooLarge,
    verify_registration,
)
from inkan.crypto.webauthn_options import AssertionOptions, RegistrationOptions
from inkan.kernel.errors import InkanError
from support.authenticator import (
    AAGUID,
    BE,
    BS,
    ED,
    EDDSA,
    ES256,
    RS256,
    UP,
    UV,
    AttestationMaker,
    Authenticator,
    b64,
)
from support.ceremonies import (
    CHALLENGE,
    EXTENSIONS,
    KEY,
    ORIGIN,
    OTHER,
    REFUSED_ASSERTIONS,
    REFUSED_REGISTRATIONS,
    RP_ID,
    register,
)


@pytest.fixture(scope="module")
def phone():
    return Authenticator()


# --- registration ------------------------------------------------------------------------------------------------


@pytest.mark.req("TW-04")
@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
@pytest.mark.parametrize("is_self_attested", [False, True])
def test_a_registration_is_accepted(algorithm, is_self_attested):
    phone = Authenticator(algorithm=algorithm)
    bent = {"fmt": "packed", "statement": phone.self_attestation} if is_self_attested else {}
    credential = register(phone.register(CHALLENGE, **bent))
    assert credential.id == phone.credential_id
    assert credential.cose_key == phone.cose_key
    assert credential.algorithm == COSEAlgorithm(algorithm)
    assert credential.aaguid == AAGUID
    assert credential.transports == ("internal",)
    assert (credential.attested, credential.user_verified) == (False, True)
    assert len(credential.attestation_sha256) == 32


@pytest.mark.parametrize(("named", "bent"), REFUSED_REGISTRATIONS.items(), ids=str)
def test_a_registration_is_refused_for(named, bent, phone):
    with pytest.raises(RegistrationRefused) as caught:
        register(phone.register(CHALLENGE, **bent))
    assert caught.value.public_facts == {"check": str(named)}


def test_a_registration_is_refused_for_another_challenge(phone):
    with pytest.raises(RegistrationRefused) as caught:
        register(phone.register(OTHER))
    assert caught.value.facts["check"] == Check.CHALLENGE


def test_an_origin_is_compared_whole_even_when_one_is_given_as_text(phone):
    for origins in (ORIGIN + ":8443", [ORIGIN + ":8443"], [ORIGIN[:-1]], [], [ORIGIN.upper()]):
        with pytest.raises(RegistrationRefused) as caught:
            verify_registration(
                phone.register(CHALLENGE), challenge=CHALLENGE, origins=origins, rp_id=RP_ID
            )
        assert caught.value.facts["check"] == Check.ORIGIN


@pytest.mark.parametrize("size", [0, 15, 1024])
def test_a_credential_id_of_another_size_is_refused(size):
    phone = Authenticator(key=KEY, credential_id=bytes(size))
    with pytest.raises(RegistrationRefused) as caught:
        register(phone.register(CHALLENGE))
    assert caught.value.facts["check"] == Check.CREDENTIAL_ID


def test_a_credential_id_of_1023_bytes_is_accepted():
    phone = Authenticator(key=KEY, credential_id=bytes(1023))
    assert register(phone.register(CHALLENGE)).id == bytes(1023)


def test_an_algorithm_that_was_not_offered_is_refused(phone):
    with pytest.raises(RegistrationRefused) as caught:
        register(phone.register(CHALLENGE), algorithms=[COSEAlgorithm.EDDSA])
    assert caught.value.facts["check"] == Check.ALGORITHM


def test_device_bound_may_be_demanded(phone):
    synced = phone.register(CHALLENGE, flags=UP | UV | BE | BS)
    assert register(synced).backed_up
    with pytest.raises(RegistrationRefused) as caught:
        register(synced, require_device_bound=True)
    assert caught.value.facts["check"] == Check.DEVICE_BOUND
    assert not register(phone.register(CHALLENGE), require_device_bound=True).backup_eligible


def test_extension_outputs_follow_the_key(phone):
    credential = register(phone.register(CHALLENGE, flags=UP | UV | ED, tail=EXTENSIONS))
    assert credential.cose_key == phone.cose_key


@pytest.mark.parametrize("fmt", ["fido-u2f", "android-safetynet", "compound", ""])
def test_an_unknown_format_is_malformed(phone, fmt):
    with pytest.raises(AttestationMalformed):
        register(phone.register(CHALLENGE, fmt=fmt))


def test_a_statement_under_the_format_none_is_refused(phone):
    with pytest.raises(AttestationRefused):
        register(phone.register(CHALLENGE, statement=phone.self_attestation))


@pytest.mark.parametrize("fmt", ["packed", "tpm", "android-key", "apple"])
def test_an_empty_statement_proves_nothing(phone, fmt):
    with pytest.raises(AttestationRefused):
        register(phone.register(CHALLENGE, fmt=fmt))


def test_a_self_attestation_of_another_key_is_refused(phone):
    with pytest.raises(AttestationRefused):
        register(
            phone.register(CHALLENGE, fmt="packed", statement=Authenticator().self_attestation)
        )


@pytest.mark.parametrize(
    "statement",
    [
        {"alg": "x"},
        {"sig": 1},
        {"x5c": b""},
        {"x5c": [1]},
        {"more": 1},
        {"sig": "text"},
        {"ver": b"2.0"},
    ],
    ids=str,
)
def test_a_statement_of_another_shape_is_malformed(phone, statement):
    with pytest.raises(AttestationMalformed):
        register(phone.register(CHALLENGE, fmt="packed", statement=lambda _: statement))


class TestAttestedModels:
    """Attestation is verified to an anchor, or refused by policy."""

    def response(self, maker):
        return Authenticator(key=KEY).register(CHALLENGE, fmt="packed", statement=maker.statement)

    def test_a_chain_to_an_anchor_proves_the_model(self):
        maker = AttestationMaker()
        anchors = {AttestationFormat.PACKED: (maker.root_pem,)}
        assert register(self.response(maker), anchors=anchors, require_attested=True).attested

    def test_a_chain_without_an_anchor_proves_nothing(self):
        response = self.response(AttestationMaker())
        assert not register(response).attested
        with pytest.raises(RegistrationRefused) as caught:
            register(response, require_attested=True)
        assert caught.value.facts["check"] == Check.ATTESTED

    def test_a_chain_to_another_root_is_refused(self):
        anchors = {AttestationFormat.PACKED: (AttestationMaker().root_pem,)}
        with pytest.raises(AttestationRefused):
            register(self.response(AttestationMaker()), anchors=anchors)

    def test_anchors_of_another_format_prove_nothing(self):
        maker = AttestationMaker()
        anchors = {AttestationFormat.TPM: (maker.root_pem,)}
        assert not register(self.response(maker), anchors=anchors).attested

    @pytest.mark.parametrize("bent", [{"model": bytes(16)}, {"is_ca": True}])
    def test_the_certificate_is_of_this_model_and_no_ca(self, bent):
        maker = AttestationMaker(**bent)
        anchors = {AttestationFormat.PACKED: (maker.root_pem,)}
        with pytest.raises(AttestationRefused):
            register(self.response(maker), anchors=anchors)

    def test_a_long_chain_is_refused(self):
        maker = AttestationMaker()
        phone = Authenticator(key=KEY)
        response = phone.register(
            CHALLENGE,
            fmt="packed",
            statement=lambda signed: (
                maker.statement(signed) | {"x5c": maker.statement(signed)["x5c"] * 6}
            ),
        )
        with pytest.raises(AttestationRefused, match="longer"):
            register(response)

    def test_a_certificate_that_is_none_is_refused(self):
        phone = Authenticator(key=KEY)
        statement = {"alg": ES256, "sig": b"x", "x5c": [b"not DER"]}
        with pytest.raises(AttestationRefused):
            register(phone.register(CHALLENGE, fmt="packed", statement=lambda _: statement))


def test_a_key_in_another_encoding_is_malformed(phone):
    members = cbor2.loads(phone.cose_key)
    for bent in (
        cbor2.dumps(dict(reversed(members.items()))),
        cbor2.dumps(members | {-3: True}, canonical=True),
        cbor2.dumps(members | {-2: bytes(32), -3: bytes(32)}, canonical=True),
        phone.cose_key[:-1],
    ):
        with pytest.raises((COSEKeyMalformed, AuthenticatorDataMalformed)):
            register(phone.register(CHALLENGE, cose=bent))


@pytest.mark.parametrize(
    "bend",
    [
        lambda r: r | {"id": r["id"][:-1]},
        lambda r: r | {"type": "password"},
        lambda r: r | {"rawId": r["rawId"] + "=", "id": r["id"] + "="},
        lambda r: {name: r[name] for name in ("id", "rawId", "type")},
        lambda r: r | {"response": r["response"] | {"attestationObject": "%"}},
        lambda r: r | {"response": r["response"] | {"attestationObject": b64(b"\xa0\x00")}},
        lambda r: r | {"response": r["response"] | {"attestationObject": b64(b"\x00" * 17000)}},
        lambda r: [r],
    ],
)
def test_json_of_another_form_is_malformed(phone, bend):
    response = json.dumps(bend(json.loads(phone.register(CHALLENGE)))).encode()
    with pytest.raises(InkanError) as caught:
        register(response)
    assert caught.value.code in {
        "registration_malformed",
        "base64url_malformed",
        "cbor_malformed",
        "attestation_malformed",
    }


def test_the_size_is_looked_at_first():
    with pytest.raises(RegistrationTooLarge):
        register(b"{" * (webauthn.MAX_REGISTRATION_SIZE + 1))
    with pytest.raises(RegistrationMalformed):
        register(b"[" * webauthn.MAX_REGISTRATION_SIZE)


SELF_ATTESTED = Authenticator(key=KEY).register(
    CHALLENGE, fmt="packed", statement=Authenticator(key=KEY).self_attestation
)


@given(st.data())
def test_only_refusals_come_out_of_changed_registrations(data):
    response = json.loads(SELF_ATTESTED)
    good = base64url.decode(response["response"]["attestationObject"])
    raw = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    response["response"]["attestationObject"] = b64(bytes(raw))
    try:
        register(json.dumps(response).encode())
    except InkanError:
        return
    assert raw == good


@given(
    st.dictionaries(
        st.sampled_from(["alg", "sig", "x5c", "ver", "certInfo", "pubArea"]),
        st.one_of(
            st.integers(-300, 0),
            st.binary(max_size=64),
            st.just("2.0"),
            st.lists(st.binary(max_size=64)),
        ),
    ),
    st.sampled_from(["packed", "tpm", "android-key", "apple", "none"]),
)
def test_only_refusals_come_out_of_random_statements(statement, fmt):
    phone = Authenticator(key=KEY)
    response = phone.register(CHALLENGE, fmt=fmt, statement=lambda _: statement)
    if fmt == "none" and not statement:
        assert register(response).fmt is AttestationFormat.NONE
        return
    with pytest.raises(InkanError):
        register(response)


@given(st.binary(max_size=300))
def test_only_refusals_come_out_of_random_registrations(raw):
    with pytest.raises(InkanError):
        register(raw)


def test_every_check_has_a_negative_test():
    singles = {
        Check.CHALLENGE,
        Check.SIGNATURE,
        Check.CREDENTIAL_DATA,
        Check.ALGORITHM,
        Check.DEVICE_BOUND,
        Check.ATTESTED,
    }
    assert REFUSED_ASSERTIONS.keys() | REFUSED_REGISTRATIONS.keys() | singles == set(Check)


# --- options -----------------------------------------------------------------------------------------------------


def test_registration_options_ask_for_a_verified_discoverable_credential():
    options = RegistrationOptions(
        rp_id=RP_ID,
        rp_name="Inkan",
        user_id=b"\1" * 16,
        user_name="phone",
        challenge=CHALLENGE,
        exclude=[b"\2" * 16],
        prf_salt=b"\3" * 32,
    ).to_json()
    parsed = library.helpers.parse_registration_options_json(options)
    assert parsed.challenge == CHALLENGE
    assert parsed.authenticator_selection.user_verification == "required"
    assert parsed.authenticator_selection.resident_key == "required"
    assert [row.alg for row in parsed.pub_key_cred_params] == [ES256, EDDSA, RS256]
    assert [row.id for row in parsed.exclude_credentials] == [b"\2" * 16]
    assert options["extensions"] == {"prf": {"eval": {"first": b64(b"\3" * 32)}}}


def test_assertion_options_name_the_credentials():
    options = AssertionOptions(rp_id=RP_ID, challenge=CHALLENGE, allow=[b"\2" * 16]).to_json()
    parsed = library.helpers.parse_authentication_options_json(options)
    assert (parsed.rp_id, parsed.challenge) == (RP_ID, CHALLENGE)
    assert [row.id for row in parsed.allow_credentials] == [b"\2" * 16]
    assert parsed.user_verification == "required"
    assert options["extensions"] == {"prf": {}}
