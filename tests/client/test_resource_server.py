"""A resource server: tokens that hold, tokens that do not, and asking for a stronger or fresher answer."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.resource_tokens import (
    API,
    ISSUER,
    MATCHED,
    PROVIDER,
    RSA,
    STRANGER,
    STRONG,
    URL,
    key_set,
    server_of,
    shown,
    token,
)
from inkan.client.resource_server import (
    AccessToken,
    Keys,
    ResourceScopeMissing,
    ResourceServer,
    ResourceStepUpNeeded,
    ResourceTokenInvalid,
    ResourceTokenMissing,
    TokenChallenge,
    read_provider_keys,
)
from inkan.client.webhooks import NonceMemory
from inkan.crypto import jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.jwk import JWKMalformed
from inkan.kernel.clock import to_seconds
from support.clock import StandingClock


@pytest.fixture
def server(clock: StandingClock) -> ResourceServer:
    return server_of(clock)


def test_a_token_shown_by_its_holder(server: ResourceServer, clock: StandingClock):
    got = server.verify(
        "GET",
        URL,
        shown(clock, token(clock)),
        scope=["filings"],
        acr_values=[MATCHED],
        max_age_s=100,
    )
    assert isinstance(got, AccessToken)
    assert (got.sub, got.client_id, got.scope) == ("pairwise", "shop", ("openid", "filings"))
    assert (got.acr, got.amr) == (MATCHED, ("pop", "user", "mfa"))


def test_one_of_several_audiences(server: ResourceServer, clock: StandingClock):
    server.verify("GET", URL, shown(clock, token(clock, aud=["https://other.example/", API])))


@pytest.mark.parametrize(
    "bent",
    [
        {"iss": "https://evil.example"},
        {"aud": ISSUER},
        {"aud": ["https://other.example/"]},
        {"exp": 1},
        {"exp": None},
        {"jti": None},
        {"sub": None},
        {"client_id": None},
        {"typ": "JWT"},
        {"typ": "logout+jwt"},
        {"kid": "k2"},
        {"kid": "rsa"},
        {"key": STRANGER},
        {"key": RSA, "alg": Algorithm.RS256, "kid": "rsa"},
        {"cnf": {"jkt": jwk.thumbprint(STRANGER.public_key())}},
        {"cnf": {"x5t#S256": "a" * 43}},
        {"cnf": None},
        {"amr": "pop"},
        {"exp": -1},
        {"exp": "soon"},
    ],
)
def test_tokens_that_do_not_hold(
    server: ResourceServer, clock: StandingClock, bent: dict[str, Any]
):
    with pytest.raises(ResourceTokenInvalid) as refused:
        server.verify("GET", URL, shown(clock, token(clock, **bent)))
    assert refused.value.challenge == 'DPoP error="invalid_token", algs="ES256"'
    assert refused.value.status == 401


@pytest.mark.parametrize(
    "bent",
    [
        {"method": "POST"},
        {"url": "https://api.tax.example/other"},
        {"access_token": "another"},
        {"access_token": None},
        {"key": STRANGER},
        {"late": 61},
        {"late": -6},
    ],
)
def test_proofs_that_do_not_fit(server: ResourceServer, clock: StandingClock, bent: dict[str, Any]):
    late = timedelta(seconds=bent.get("late", 0))
    members = {name: each for name, each in bent.items() if name != "late"}
    headers = shown(clock, token(clock), at=clock.wire_now() - late, **members)
    with pytest.raises(ResourceTokenInvalid):
        server.verify("GET", URL, headers)


def test_a_proof_is_for_one_request(server: ResourceServer, clock: StandingClock):
    headers = shown(clock, token(clock))
    server.verify("GET", URL, headers)
    with pytest.raises(ResourceTokenInvalid):
        server.verify("GET", URL, headers)


def test_a_bound_token_is_no_bearers(clock: StandingClock):
    server = server_of(clock, admits_bearer=True)
    bound = token(clock)
    with pytest.raises(ResourceTokenInvalid):
        server.verify("GET", URL, {"Authorization": f"Bearer {bound}"})
    with pytest.raises(ResourceTokenInvalid):
        server.verify("GET", URL, {"Authorization": f"DPoP {bound}"})


def test_bearers_only_where_they_are_admitted(clock: StandingClock):
    headers = {"Authorization": f"Bearer {token(clock, cnf=None)}"}
    server_of(clock, admits_bearer=True).verify("GET", URL, headers)
    with pytest.raises(ResourceTokenInvalid):
        server_of(clock).verify("GET", URL, headers)


def test_a_certificate_of_this_connection(server: ResourceServer, clock: StandingClock):
    headers = {"Authorization": f"Bearer {token(clock, cnf={'x5t#S256': 'a' * 43})}"}
    server.verify("GET", URL, headers, certificate_x5t="a" * 43)
    for other in ("b" * 43, None):
        with pytest.raises(ResourceTokenInvalid):
            server.verify("GET", URL, headers, certificate_x5t=other)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Basic YTpi"},
        {"Authorization": "DPoP"},
        {"Authorization": "DPoP "},
        [("Authorization", "DPoP a"), ("authorization", "DPoP b")],
        [("Authorization", "DPoP a"), ("DPoP", "x"), ("dpop", "y")],
    ],
)
def test_no_token_or_two(server: ResourceServer, headers: Any):
    with pytest.raises(ResourceTokenMissing) as refused:
        server.verify("GET", URL, headers)
    # RFC 6750 §3.1: without a token no error code.
    assert refused.value.challenge == 'DPoP algs="ES256"'


def test_a_scope_that_is_not_granted(server: ResourceServer, clock: StandingClock):
    with pytest.raises(ResourceScopeMissing) as refused:
        server.verify("GET", URL, shown(clock, token(clock)), scope=["filings", "payments"])
    assert refused.value.status == 403
    assert refused.value.challenge == (
        'DPoP error="insufficient_scope", scope="filings payments", algs="ES256"'
    )


@pytest.mark.parametrize(
    ("acr", "wanted", "holds"),
    [
        (MATCHED, [STRONG], False),
        (STRONG, [MATCHED], True),
        (MATCHED, [STRONG, MATCHED], True),
        ("urn:inkan:acr:reused", ["urn:inkan:acr:uv:none"], False),
        (None, [MATCHED], False),
        ("phr", ["phr"], False),
    ],
)
def test_a_stronger_answer(
    server: ResourceServer, clock: StandingClock, acr: str | None, wanted: list[str], holds: bool
):
    headers = shown(clock, token(clock, acr=acr))
    if holds:
        server.verify("GET", URL, headers, acr_values=wanted)
        return
    with pytest.raises(ResourceStepUpNeeded) as refused:
        server.verify("GET", URL, headers, acr_values=wanted)
    assert refused.value.status == 401
    assert refused.value.challenge == (
        'DPoP error="insufficient_user_authentication", '
        f'acr_values="{" ".join(wanted)}", algs="ES256"'
    )


@pytest.mark.parametrize(("auth_time", "max_age_s"), [(100, 99), (None, 1000), (100, 0)])
def test_a_fresher_answer(
    server: ResourceServer, clock: StandingClock, auth_time: int | None, max_age_s: int
):
    at = None if auth_time is None else to_seconds(clock.wire_now()) - auth_time
    headers = shown(clock, token(clock, auth_time=at))
    with pytest.raises(ResourceStepUpNeeded) as refused:
        server.verify("GET", URL, headers, max_age_s=max_age_s)
    assert f'max_age="{max_age_s}"' in refused.value.challenge


def test_the_key_set_is_read_by_kid():
    keys = read_provider_keys(key_set(rsa=RSA, k2=STRANGER))
    assert set(keys) == {"k1", "k2"}


def _set(*keys: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"keys": list(keys)})


@pytest.mark.parametrize(
    "jwks",
    [
        b"",
        b"[]",
        b'{"keys":{}}',
        b"\xff",
        b"[" * 100_000,
        _set(jwk.to_jwk(PROVIDER.public_key())),
        _set(*[jwk.to_jwk(PROVIDER.public_key()) | {"kid": "a"}] * 2),
        _set(*[jwk.to_jwk(PROVIDER.public_key()) | {"kid": f"k{i}"} for i in range(17)]),
        _set({"kty": "EC", "crv": "P-256", "kid": "a"}),
        _set(jwk.to_jwk(PROVIDER.public_key()) | {"kid": "a", "d": "AA"}),
    ],
)
def test_what_is_no_key_set(jwks: bytes):
    with pytest.raises(JWKMalformed):
        read_provider_keys(jwks)


KEYS: Keys = read_provider_keys(key_set())


@given(st.text(), st.text())
def test_any_header_is_refused_as_a_challenge(authorization: str, proof: str):
    server = ResourceServer(issuer=ISSUER, audience=API, keys=KEYS, seen=NonceMemory())
    with pytest.raises(TokenChallenge):
        server.verify("GET", URL, {"Authorization": f"DPoP {authorization}", "DPoP": proof})
