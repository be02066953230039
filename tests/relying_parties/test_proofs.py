"""Nonces, and what binds the tokens of each sender constraint."""

from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import dpop, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.ids import RelyingPartyID, SystemID
from inkan.kernel.sensitive import Secret
from inkan.relying_parties import Client, OpenIDRegistration, System
from inkan.relying_parties.model import (
    OAuthInvalidDPoPProof,
    OAuthInvalidRequest,
    OAuthUseDPoPNonce,
)
from inkan.relying_parties.rules import NONCE_WINDOW_S
from inkan.relying_parties.service.proofs import CONSTRAINTS, Nonces, Proofs
from support.clock import StandingClock

URL = "https://id.example/token"
KEY = generate(KeySpec.P256)
RSA = generate(KeySpec.RSA2048)


def nonces(clock, key=b"k" * 32):
    return Nonces(clock=clock, key=Secret(key))


def client(**openid) -> Client:
    system = System(
        id=SystemID("sys"),
        organisation=RelyingPartyID("org"),
        organisation_name={},
        code="shop",
        name="Shop",
        domain="shop.example",
        doors=frozenset(),
        purposes={},
        internal=False,
        binding_min=None,
        sector="org",
        openid=OpenIDRegistration(purpose="login", **openid) if openid else None,
    )
    return Client(code="shop", system=system, x5t=None)


@pytest.fixture
def proofs(clock):
    return Proofs(clock=clock, nonce_key=Secret(b"k" * 32))


@pytest.fixture
def prove(clock):
    def made(key=KEY, **bent):
        return dpop.build_proof(
            key, **{"method": "POST", "url": URL, "at": clock.wire_now()} | bent
        )

    return made


def test_a_nonce_holds_for_its_window_and_the_next(clock):
    made = nonces(clock)
    clock.tick(NONCE_WINDOW_S - int(clock.wire_now().timestamp()) % NONCE_WINDOW_S)
    nonce = made.present
    clock.tick(2 * NONCE_WINDOW_S - 1)
    assert made.holds(nonce)
    clock.tick(1)
    assert not made.holds(nonce)


def test_a_nonce_of_the_future_or_of_another_key(clock):
    ours = nonces(clock)
    assert not ours.holds(nonces(clock, b"x" * 32).present)
    later = StandingClock()
    later.tick(2 * NONCE_WINDOW_S)
    assert not ours.holds(nonces(later).present)
    assert nonces(clock).present == ours.present


@given(st.text())
def test_any_text_is_no_nonce(text):
    assert not nonces(StandingClock()).holds(text)


def test_every_constraint_has_its_row_and_source():
    assert set(CONSTRAINTS) == {"none", "dpop", "mtls"}
    assert all(row.source for row in CONSTRAINTS.values())


def test_who_has_to_bring_a_proof(proofs):
    for each, own in (
        (client(), True),
        (client(sender_constraint="dpop"), False),
        (client(sender_constraint="none"), True),
    ):
        with pytest.raises(OAuthInvalidDPoPProof):
            proofs.bound(each, None, url=URL, own=own)
    free = client(sender_constraint="none")
    assert proofs.bound(free, None, url=URL, own=False) == free


def test_a_proof_binds(proofs, prove):
    bound = proofs.bound(client(sender_constraint="none"), prove(), url=URL, own=False)
    assert bound.jkt == jwk.thumbprint(KEY.public_key())


def test_algorithms(proofs, prove):
    basic = client(sender_constraint="dpop")
    assert proofs.bound(basic, prove(RSA), url=URL, own=False).jkt
    for each, own in ((basic, True), (client(), True)):
        with pytest.raises(OAuthInvalidDPoPProof):
            proofs.bound(each, prove(RSA), url=URL, own=own)
    with pytest.raises(OAuthInvalidDPoPProof):
        proofs.verify(basic, prove(RSA), url=URL, algs=(Algorithm.ES256,))


def test_a_proof_is_used_once_with_metadata(proofs, prove, clock):
    proof = prove()
    basic = client(sender_constraint="dpop")
    proofs.verify(basic, proof, url=URL)
    with pytest.raises(OAuthInvalidDPoPProof):
        proofs.verify(basic, proof, url=URL)
    old = prove(at=clock.wire_now() - timedelta(seconds=1))
    for _ in range(2):  # as it was before there were clients: the assertion is used once
        proofs.verify(client(), old, url=URL)


def test_a_fapi_client_and_the_nonce(proofs, prove):
    fapi = client(profile="fapi2", sender_constraint="dpop")
    with pytest.raises(OAuthUseDPoPNonce) as refusal:
        proofs.verify(fapi, prove(), url=URL)
    nonce = refusal.value.facts["dpop_nonce"]
    assert proofs.verify(fapi, prove(nonce=nonce), url=URL).jkt
    with pytest.raises(OAuthUseDPoPNonce):
        proofs.verify(fapi, prove(nonce=nonce + "x"), url=URL)
    with pytest.raises(OAuthUseDPoPNonce):
        proofs.verify(client(sender_constraint="dpop"), prove(nonce="x"), url=URL)
    assert proofs.verify(client(), prove(nonce="x"), url=URL).jkt  # nobody handed it one


def test_a_refused_nonce_does_not_use_the_proof_up(proofs, prove):
    """The client repeats its request with another proof; the one that was refused did nothing."""
    fapi = client(profile="fapi2", sender_constraint="dpop")
    with pytest.raises(OAuthUseDPoPNonce):
        proofs.verify(fapi, prove(), url=URL)
    assert proofs.verify(fapi, prove(nonce=proofs.nonces.present), url=URL).jkt


def test_certificates(proofs):
    bound = client(sender_constraint="mtls")
    with pytest.raises(OAuthInvalidRequest):
        proofs.bound(bound, None, url=URL, own=False)
    with_one = msgspec.structs.replace(bound, x5t="x" * 43)
    assert proofs.bound(with_one, None, url=URL, own=True).x5t == "x" * 43
    unasked = msgspec.structs.replace(client(sender_constraint="none"), x5t="x" * 43)
    assert proofs.bound(unasked, None, url=URL, own=False).x5t is None
    plain = msgspec.structs.replace(client(), x5t="x" * 43)
    with pytest.raises(OAuthInvalidDPoPProof):
        proofs.bound(plain, None, url=URL, own=True)
