"""The checks of the token endpoint as plain functions: whatever comes, they answer or refuse in OAuth's words."""

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.asking import asked, grant, system
from inkan.crypto import base64url
from inkan.federation.model.refusals import (
    AccessTokenRefused,
    GrantRefused,
    ResourceRefused,
    ScopeRefused,
)
from inkan.federation.service.issuing import id_token_alg
from inkan.federation.service.redeeming import (
    audience_of,
    bound,
    check_key,
    check_verifier,
    narrowed,
)
from inkan.federation.service.verifying import AccessToken, Verified
from inkan.relying_parties import Client

ISSUER = "https://id.example"
USERINFO = f"{ISSUER}/userinfo"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"


def challenge_of(verifier: str) -> str:
    return base64url.encode(hashlib.sha256(verifier.encode()).digest())


def token(**members) -> AccessToken:
    values = {"aud": USERINFO, "sub": "x", "client_id": "shop", "scope": "openid"}
    times = {"iat": 1, "exp": 2, "iss": ISSUER, "jti": "gr_1.own"}
    return msgspec.convert(values | times | members, AccessToken)


@given(st.text(ALPHABET, min_size=43, max_size=128))
def test_the_verifier_of_a_challenge_always_fits(verifier):
    check_verifier(challenge_of(verifier), verifier)
    with pytest.raises(GrantRefused):
        check_verifier("", verifier)


@given(st.one_of(st.none(), st.text(max_size=150)))
def test_any_other_verifier_is_refused(verifier):
    with pytest.raises(GrantRefused):
        check_verifier(challenge_of("A" * 43), verifier if verifier != "A" * 43 else None)


@given(st.lists(st.sampled_from(["openid", "profile", "address"]), unique=True), st.text())
def test_a_scope_is_narrowed_and_never_widened(granted, wanted):
    assert narrowed(granted, None) == granted
    try:
        assert set(narrowed(granted, wanted)) <= set(granted)
    except ScopeRefused:
        assert not set(wanted.split(" ")) <= set(granted)


@given(st.one_of(st.none(), st.text(), st.just(USERINFO), st.just(ISSUER)))
def test_an_audience_was_asked_for_or_is_the_userinfo_endpoint(resource):
    made = grant(asked(resource=["https://api.example/"]))
    try:
        audience = audience_of(ISSUER, made, ["openid"], resource)
    except ResourceRefused:
        assert resource not in {None, USERINFO, "https://api.example/"}
    else:
        assert set(audience) <= {"https://api.example/", USERINFO}
        assert ISSUER not in audience


@pytest.mark.parametrize(
    ("constraint", "jkt", "x5t", "asked_jkt", "holds"),
    [
        ("none", None, None, "", True),
        ("none", "k", None, "", True),
        ("none", None, None, "k", False),
        ("none", "other", None, "k", False),
        ("none", "k", None, "k", True),
        ("dpop", None, None, "", False),
        ("dpop", None, "c", "", False),
        ("dpop", "k", None, "", True),
        ("mtls", None, None, "", False),
        ("mtls", "k", None, "", False),
        ("mtls", None, "c", "", True),
        ("mtls", "k", "c", "k", True),
    ],
)
def test_the_keys_that_a_registration_and_a_grant_demand(constraint, jkt, x5t, asked_jkt, holds):
    registered = system(sender_constraint=constraint)
    client = Client(code="shop", system=registered, jkt=jkt, x5t=x5t)
    if holds:
        check_key(registered.openid, client, asked_jkt=asked_jkt)
        return
    with pytest.raises(GrantRefused):
        check_key(registered.openid, client, asked_jkt=asked_jkt)


@pytest.mark.parametrize(("constraint", "x5t"), [("none", None), ("dpop", None), ("mtls", "c")])
def test_a_certificate_binds_where_it_was_registered_for_that(constraint, x5t):
    client = Client(code="shop", system=system(sender_constraint=constraint), jkt="k", x5t="c")
    made = bound(grant(asked()), client)
    assert (made.jkt, made.x5t) == ("k", x5t)


def test_an_unchecked_registration_of_fapi_still_gets_es256():
    for profile in ("fapi2", "fapi2_message_signing"):
        careless = system(profile=profile, id_token_signed_response_alg="RS256").openid
        assert id_token_alg(careless) == "ES256"
    assert id_token_alg(system().openid) == "RS256"


def test_the_parts_of_a_token():
    made = token(aud=["a", "b"], cnf={"x5t#S256": "c"})
    assert (made.grant, made.own_id, made.audience) == ("gr_1", "own", ["a", "b"])
    assert (made.cnf.x5t, made.cnf.jkt) == ("c", None)


def test_what_is_remembered_of_tokens_is_bounded():
    verified = Verified(capacity=3)
    for number in range(10):
        verified.remember(f"token {number}", token())
    assert len(verified) == 3
    assert verified.find("token 0") is None
    assert verified.find("token 9") is not None
    verified.clear()
    assert verified.find("token 9") is None


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_comes_as_a_token_is_refused_in_one_way(world):
    verifying = world.platform.openid.tokens.verifying
    for text in ("", ".", "..", "a.b.c", "é.é.é", "\x00", "x" * 20_000, "e30.e30.e30", "🀄" * 9):
        with pytest.raises(AccessTokenRefused):
            await verifying.read(text)
