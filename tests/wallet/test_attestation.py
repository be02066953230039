"""The passkey's public key, cut out of what the authenticator said: the same bytes that the platform hashes."""

import cbor2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inkan.client.authenticator import (
    Attestation,
    AuthenticatorState,
    CreationOptions,
    SoftwareAuthenticator,
)
from support.node import Node, NodeError

WALLET = "https://wallet.example.org"


def registered(attestation: Attestation, *, prf: bool):
    owner = SoftwareAuthenticator(
        AuthenticatorState(), verify_user=lambda _: True, attestation=attestation
    )
    options = CreationOptions(
        rp_id="wallet.example.org",
        challenge=bytes(32),
        user_handle=bytes(32),
        prf_input=b"x" if prf else None,
    )
    return owner.create(options, origin=WALLET)


@pytest.mark.parametrize("attestation", Attestation)
@pytest.mark.parametrize("prf", [False, True])
def test_the_key_is_found_with_and_without_extensions_behind_it(node: Node, attestation, prf):
    made = registered(attestation, prf=prf)
    found = node.call("attestation", "coseKeyOf", made.attestation_object, made.credential_id)
    assert found == made.cose_key


RSA = cbor2.dumps({1: 3, 3: -257, -1: b"\xff" * 256, -2: b"\x01\x00\x01"}, canonical=True)
LONG = {"fmt": "packed", "attStmt": {"x5c": [b"hauthData" * 100, b"\x58"], "n": [1, [2, -3]]}}


@pytest.mark.parametrize("id_size", [1, 23, 64, 300, 1023])
def test_long_keys_ids_and_statements_are_passed_over(node: Node, id_size: int) -> None:
    credential_id = bytes(range(256)) * 4
    credential_id = credential_id[:id_size]
    data = bytes(32) + b"\xc5" + bytes(4 + 16) + id_size.to_bytes(2, "big") + credential_id
    extensions = cbor2.dumps({"hmac-secret": True})
    made = cbor2.dumps(LONG | {"authData": data + RSA + extensions})
    assert node.call("attestation", "coseKeyOf", made, credential_id) == RSA


@pytest.mark.parametrize(
    "bend",
    [
        lambda made: b"",
        lambda made: made.attestation_object[:-1],
        lambda made: made.attestation_object + b"\x00",
        lambda made: cbor2.dumps({"fmt": "none", "attStmt": {}}),
        lambda made: cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": "text"}),
        lambda made: cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": bytes(37)}),
        lambda made: cbor2.dumps([1, 2]),
        lambda made: b"\xbf\xff",
        lambda made: b"\x81" * 100,
        lambda made: b"\x9a\xff\xff\xff\xff" * 2,
        lambda made: made.attestation_object.replace(made.credential_id, bytes(32)),
    ],
)
def test_anything_else_is_refused(node: Node, bend) -> None:
    made = registered(Attestation.NONE, prf=False)
    with pytest.raises(NodeError) as refused:
        node.call("attestation", "coseKeyOf", bend(made), made.credential_id)
    assert refused.value.code == "authenticator_malformed"


def test_a_credential_that_was_not_attested_is_refused(node: Node) -> None:
    """The flag that announces it is not set."""
    made = registered(Attestation.NONE, prf=False)
    object_ = cbor2.loads(made.attestation_object)
    data = bytearray(object_["authData"])
    data[32] &= ~0x40
    bent = cbor2.dumps(object_ | {"authData": bytes(data)})
    with pytest.raises(NodeError):
        node.call("attestation", "coseKeyOf", bent, made.credential_id)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(node: Node, data: bytes) -> None:
    with pytest.raises(NodeError) as refused:
        node.call("attestation", "coseKeyOf", data, bytes(16))
    assert refused.value.code == "authenticator_malformed"
