"""The software authenticator's output is accepted by an independent WebAuthn library, and only when it should be."""

import hashlib
import hmac

import cbor2
import pytest
import webauthn
from hypothesis import given
from hypothesis import strategies as st
from webauthn.helpers.exceptions import (
    InvalidAuthenticationResponse,
    InvalidRegistrationResponse,
)

from inkan.client import authenticator as module
from inkan.client.authenticator import (
    AAGUID,
    AlgorithmUnsupported,
    Attestation,
    AuthenticatorState,
    Backup,
    CreationOptions,
    CredentialExcluded,
    CredentialUnknown,
    OriginRefused,
    RequestOptions,
    SoftwareAuthenticator,
    UserNotVerified,
)
from inkan.client.authenticator_data import Ceremony
from inkan.crypto import base64url

ORIGIN = "https://wallet.example.org"
RP_ID = "wallet.example.org"
CHALLENGE = bytes(range(32))


def _authenticator(state=None, *, verified=True, **options):
    return SoftwareAuthenticator(
        state or AuthenticatorState(), verify_user=lambda _: verified, **options
    )


def _create(authenticator, **changes):
    settings = {"rp_id": RP_ID, "challenge": CHALLENGE, "user_handle": b"person"}
    return authenticator.create(CreationOptions(**settings | changes), origin=ORIGIN)


def _get(authenticator, **changes):
    options = RequestOptions(**{"rp_id": RP_ID, "challenge": CHALLENGE} | changes)
    return authenticator.get(options, origin=ORIGIN)


def _verify_registration(registration, **changes):
    settings = {
        "expected_challenge": CHALLENGE,
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
        "require_user_verification": True,
    }
    credential = {
        "id": base64url.encode(registration.credential_id),
        "rawId": base64url.encode(registration.credential_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": base64url.encode(registration.client_data_json),
            "attestationObject": base64url.encode(registration.attestation_object),
        },
    }
    return webauthn.verify_registration_response(credential=credential, **settings | changes)


def _verify_assertion(assertion, cose_key, *, count=0, **changes):
    settings = {
        "expected_challenge": CHALLENGE,
        "expected_rp_id": RP_ID,
        "expected_origin": ORIGIN,
        "require_user_verification": True,
    }
    credential = {
        "id": base64url.encode(assertion.credential_id),
        "rawId": base64url.encode(assertion.credential_id),
        "type": "public-key",
        "response": {
            "clientDataJSON": base64url.encode(assertion.client_data_json),
            "authenticatorData": base64url.encode(assertion.authenticator_data),
            "signature": base64url.encode(assertion.signature),
        },
    }
    return webauthn.verify_authentication_response(
        credential=credential,
        credential_public_key=cose_key,
        credential_current_sign_count=count,
        **settings | changes,
    )


@pytest.mark.parametrize("attestation", Attestation)
@pytest.mark.parametrize("backup", Backup)
def test_registration_is_accepted(attestation, backup):
    registration = _create(
        _authenticator(attestation=attestation, backup=backup), prf_input=b"salt"
    )
    verified = _verify_registration(registration)
    assert verified.fmt == attestation
    assert verified.user_verified
    assert verified.credential_public_key == registration.cose_key
    assert verified.credential_backed_up == (backup is Backup.SYNCED)
    multi = "single_device" if backup is Backup.DEVICE_BOUND else "multi_device"
    assert verified.credential_device_type == multi
    if attestation is Attestation.SELF:
        assert verified.aaguid.replace("-", "") == AAGUID.hex()


def test_changed_self_attestation_is_refused():
    registration = _create(_authenticator())
    changed = cbor2.loads(registration.attestation_object)
    changed["attStmt"]["sig"] = changed["attStmt"]["sig"][:-1] + b"\x00"
    forged = module.Registration(
        **{
            name: getattr(registration, name)
            for name in registration.__struct_fields__
            if name != "attestation_object"
        },
        attestation_object=cbor2.dumps(changed, canonical=True),
    )
    with pytest.raises(InvalidRegistrationResponse):
        _verify_registration(forged)


def test_attestation_object_is_canonical_cbor():
    data = _create(_authenticator()).attestation_object
    assert cbor2.dumps(cbor2.loads(data), canonical=True) == data
    assert list(cbor2.loads(data)) == ["fmt", "attStmt", "authData"]


@pytest.mark.req("TW-52")
def test_assertion_is_accepted_and_counts():
    authenticator = _authenticator()
    registration = _create(authenticator)
    counts = []
    for _ in range(3):
        assertion = _get(authenticator, allow=(registration.credential_id,))
        verified = _verify_assertion(
            assertion, registration.cose_key, count=counts[-1] if counts else 0
        )
        counts.append(verified.new_sign_count)
    assert counts == [1, 2, 3]


@pytest.mark.parametrize(
    "expectation",
    [
        {"expected_challenge": bytes(32)},
        {"expected_origin": "https://other.example.org"},
        {"expected_rp_id": "example.org"},
    ],
)
def test_assertion_for_something_else_is_refused(expectation):
    authenticator = _authenticator()
    registration = _create(authenticator)
    with pytest.raises(InvalidAuthenticationResponse):
        _verify_assertion(_get(authenticator), registration.cose_key, **expectation)


def test_assertion_without_user_verification_says_so():
    authenticator = _authenticator()
    registration = _create(authenticator)
    careless = _authenticator(authenticator.state, verified=False)
    assertion = _get(careless, user_verification=False, prf_input=b"salt")
    assert assertion.prf is None
    with pytest.raises(InvalidAuthenticationResponse):
        _verify_assertion(assertion, registration.cose_key)
    _verify_assertion(assertion, registration.cose_key, require_user_verification=False)


@pytest.mark.req("TW-52")
def test_refusing_person_leaves_no_trace():
    authenticator = _authenticator()
    _create(authenticator)
    refusing = _authenticator(authenticator.state, verified=False)
    with pytest.raises(UserNotVerified):
        _get(refusing)
    with pytest.raises(UserNotVerified):
        _create(refusing)
    assert len(authenticator.state.credentials) == 1
    assert authenticator.state.credentials[0].sign_count == 0


def test_person_is_asked_once_a_ceremony():
    asked = []
    authenticator = SoftwareAuthenticator(
        AuthenticatorState(), verify_user=lambda ceremony: asked.append(ceremony) or True
    )
    _create(authenticator)
    _get(authenticator, prf_input=b"salt")
    assert asked == [Ceremony.CREATE, Ceremony.GET]


@given(st.binary(max_size=64))
def test_prf_is_one_value_for_each_credential_and_input(prf_input):
    authenticator = _authenticator()
    first = _create(authenticator, prf_input=prf_input)
    second = _create(authenticator, prf_input=prf_input)
    again = [
        _get(authenticator, allow=(first.credential_id,), prf_input=value)
        for value in (prf_input, prf_input, prf_input + b"!")
    ]
    assert again[0].prf == again[1].prf == first.prf
    assert len({value.prf.reveal() for value in (first, second, again[2])}) == 3
    stored = authenticator.state.credentials[0]
    salt = hashlib.sha256(b"WebAuthn PRF" + b"\x00" + prf_input).digest()
    assert first.prf.reveal() == hmac.new(stored.prf_secret, salt, hashlib.sha256).digest()


def test_prf_may_come_with_the_first_assertion_only():
    authenticator = _authenticator(prf_at_creation=False)
    registration = _create(authenticator, prf_input=b"salt")
    assert registration.prf_enabled
    assert registration.prf is None
    assert _get(authenticator, prf_input=b"salt").prf is not None


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("wallet.example.org", "https://wallet.example.org"),
        ("example.org", "https://wallet.example.org:8443"),
        ("localhost", "http://localhost:8000"),
        ("wallet.localhost", "http://wallet.localhost:8000"),
    ],
)
def test_fitting_rp_id_is_served(rp_id, origin):
    options = CreationOptions(rp_id=rp_id, challenge=CHALLENGE, user_handle=b"p")
    assert _authenticator().create(options, origin=origin).credential_id


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("wallet.example.org", "https://example.org"),
        ("wallet.example.org", "https://evilwallet.example.org"),
        ("wallet.example.org", "http://wallet.example.org"),
        ("wallet.example.org", "https://wallet.example.org/"),
        ("wallet.example.org", "https://wallet.example.org.evil.org"),
        ("org", "https://wallet.example.org"),
        ("localhost", "http://wallet.localhost"),
        ("wallet.example.org", "https://user@wallet.example.org:1@evil.org"),
        ("wallet.example.org", "wallet.example.org"),
    ],
)
def test_foreign_rp_id_is_refused(rp_id, origin):
    with pytest.raises(OriginRefused):
        _authenticator().create(
            CreationOptions(rp_id=rp_id, challenge=CHALLENGE, user_handle=b"p"), origin=origin
        )


def test_credentials_of_another_rp_id_are_invisible():
    authenticator = _authenticator()
    registration = _create(authenticator)
    options = RequestOptions(
        rp_id="other.org", challenge=CHALLENGE, allow=(registration.credential_id,)
    )
    with pytest.raises(CredentialUnknown):
        authenticator.get(options, origin="https://other.org")


def test_excluded_and_forgotten_credentials():
    authenticator = _authenticator()
    registration = _create(authenticator)
    with pytest.raises(CredentialExcluded):
        _create(authenticator, exclude=(registration.credential_id,))
    authenticator.forget(registration.credential_id)
    with pytest.raises(CredentialUnknown):
        _get(authenticator)


def test_only_es256_is_made():
    with pytest.raises(AlgorithmUnsupported):
        _create(_authenticator(), algorithms=(-257,))
