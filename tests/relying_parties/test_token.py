"""The token endpoint: what it gives to a system that proves itself, and its one answer to everybody else."""

import asyncio
import hashlib
import hmac
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from inkan.crypto import base64url, jose, jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import to_seconds
from relying_parties.hands import System, unsigned
from support.world import PLATFORM

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def system(world):
    return await System.registered(world)


def oauth(answer):
    """Status and error, after checking the form of RFC 6749 §5.2."""
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert body.keys() == {"error", "error_description"}
    assert ("www-authenticate" in answer.headers) == (answer.status_code == 401)
    return answer.status_code, body["error"]


@pytest.mark.req("TW-66")
async def test_a_token_of_ten_minutes_bound_to_the_key_of_the_proof(system, world):
    answer = await system.ask()
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"]) == ("DPoP", 600)
    token = jose.parse_compact(body["access_token"], typ="at+jwt")
    claims = msgspec.json.decode(token.payload)
    assert claims["iss"] == claims["aud"] == PLATFORM
    assert claims["sub"] == claims["client_id"] == "tax-office"
    assert claims["exp"] - claims["iat"] == 600
    assert claims["cnf"] == {"jkt": jwk.thumbprint(system.dpop_key.public_key())}
    assert (await system.call(body["access_token"])).status_code == 404


@on_sqlite
@pytest.mark.parametrize(
    ("bent", "answer"),
    [
        ({"grant_type": None}, (400, "unsupported_grant_type")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"client_assertion_type": None}, (400, "invalid_request")),
        ({"client_assertion_type": "urn:x"}, (400, "invalid_request")),
        ({"client_assertion": None}, (401, "invalid_client")),
        ({"client_assertion": ""}, (401, "invalid_client")),
        ({"client_assertion": "a.b.c"}, (401, "invalid_client")),
        ({"client_assertion": "x" * 7000}, (401, "invalid_client")),
    ],
)
async def test_parameters(system, bent, answer):
    assert oauth(await system.ask(system.form(**bent))) == answer


@on_sqlite
async def test_a_parameter_that_stands_twice(system):
    for name in ("grant_type", "client_assertion_type", "client_assertion"):
        pairs = [*system.form().items(), (name, system.form()[name])]
        assert oauth(await system.ask(pairs)) == (400, "invalid_request")


@on_sqlite
async def test_another_media_type_and_too_many_bytes(system):
    answer = await system.ask(**{"content-type": "application/json"})
    assert answer.status_code in {400, 415}
    big = await system.ask(system.form(x="y" * 9000))
    assert big.status_code in {400, 413}


@on_sqlite
async def test_claims_that_prove_nothing(system, world):
    now = to_seconds(world.clock.wire_now())
    table = {
        "unknown code": {"iss": "nobody", "sub": "nobody"},
        "iss is not sub": {"iss": "another"},
        "sub is not iss": {"sub": "another"},
        "aud array": {"aud": [PLATFORM]},
        "aud token url": {"aud": f"{PLATFORM}/token"},
        "aud with slash": {"aud": f"{PLATFORM}/"},
        "aud of somebody": {"aud": "https://elsewhere.example"},
        "no aud": {"aud": None},
        "no iss": {"iss": None},
        "no sub": {"sub": None},
        "61 seconds": {"exp": now + 61},
        "a day": {"exp": now + 86400},
        "expired": {"iat": now - 120, "exp": now - 60},
        "expired by the leeway": {"iat": now - 60, "exp": now - 5},
        "from the future": {"iat": now + 6, "exp": now + 60},
        "not before later": {"nbf": now + 6},
        "no exp": {"exp": None},
        "no iat": {"iat": None},
        "fraction": {"exp": now + 30.5},
        "text": {"exp": str(now + 30)},
        "no date": {"iat": 10**18, "exp": 10**18},
        "negative": {"iat": -1, "exp": 10},
        "no jti": {"jti": None},
        "short jti": {"jti": "x" * 15},
        "long jti": {"jti": "x" * 129},
    }
    for name, bent in table.items():
        form = system.form(client_assertion=system.assertion(**bent))
        assert oauth(await system.ask(form)) == (401, "invalid_client"), name


@on_sqlite
async def test_the_edges_that_hold(system, world):
    now = to_seconds(world.clock.wire_now())
    for bent in (
        {"iat": now + 5, "exp": now + 60},
        {"iat": now - 60, "exp": now - 4},
        {"jti": "x" * 16},
        {"jti": "x" * 128},
        {"nbf": now},
    ):
        form = system.form(client_assertion=system.assertion(**bent))
        assert (await system.ask(form)).status_code == 200, bent
    form = system.form(client_assertion=system.assertion(typ="client-authentication+jwt"))
    assert (await system.ask(form)).status_code == 200


@on_sqlite
async def test_signatures_that_prove_nothing(system):
    other = generate(KeySpec.P256)
    public = msgspec.json.encode(jwk.to_jwk(system.key.public_key()))
    header = base64url.encode(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))
    signed = f"{header}.{base64url.encode(msgspec.json.encode(system.claims()))}"
    confused = base64url.encode(hmac.digest(public, signed.encode(), hashlib.sha256))
    good = system.assertion()
    table = {
        "another key": system.assertion(key=other),
        "none": unsigned(system.claims(), alg="none", typ="JWT"),
        "ES256 without a signature": unsigned(system.claims(), alg="ES256", typ="JWT"),
        "HS256 with the public key": f"{signed}.{confused}",
        "access token typ": system.assertion(typ="at+jwt"),
        "dpop typ": system.assertion(typ="dpop+jwt"),
        "changed": good[:-6] + ("AAAAAA" if good[-6:] != "AAAAAA" else "BBBBBB"),
    }
    for name, assertion in table.items():
        form = system.form(client_assertion=assertion)
        assert oauth(await system.ask(form)) == (401, "invalid_client"), name


async def test_an_assertion_is_used_once(system, world):
    form = system.form()
    assert (await system.ask(form)).status_code == 200
    assert oauth(await system.ask(form)) == (401, "invalid_client")
    # its jti under another signature is the same assertion
    jti = system.claims()["jti"]
    again = [system.form(client_assertion=system.assertion(jti=jti)) for _ in range(2)]
    assert [(await system.ask(each)).status_code for each in again] == [200, 401]
    # another system may draw the same number
    other = await System.registered(world, "bank")
    form = other.form(client_assertion=other.assertion(jti=jti))
    assert (await other.ask(form)).status_code == 200


@pytest.mark.race
async def test_an_assertion_is_used_once_in_parallel(system):
    form = system.form()
    answers = await asyncio.gather(*(system.ask(form) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: 7}


async def test_a_jti_is_remembered_until_the_assertion_ends(system, world):
    from inkan.relying_parties import store

    form = system.form()
    await system.ask(form)
    world.clock.tick(64)
    assert (await system.ask(form)).status_code == 401
    world.clock.tick(10)
    assert (await system.ask(form)).status_code == 401
    await system.ask()
    import sqlalchemy as sa

    from inkan.store.query import Query

    def count():
        return (yield Query(sa.select(store.assertion.c.jti_sha256)).all())

    assert len(await world.platform.db.scan(count)) == 1  # the ended one was forgotten


@on_sqlite
async def test_dpop_is_demanded(system, world):
    now = world.clock.wire_now()
    table = {
        "none": None,
        "empty": "",
        "junk": "a.b.c",
        "another method": system.proof(method="GET"),
        "another url": system.proof(url=f"{PLATFORM}/v1/sessions"),
        "another host": system.proof(url="http://evil.localhost/token"),
        "old": system.proof(at=now - timedelta(seconds=66)),
        "from the future": system.proof(at=now + timedelta(seconds=6)),
    }
    for name, proof in table.items():
        assert oauth(await system.ask(proof=proof)) == (400, "invalid_dpop_proof"), name


async def test_a_suspended_system_gets_no_token(system, world):
    await world.platform.relying_parties.suspend("tax-office")
    assert oauth(await system.ask()) == (401, "invalid_client")
    await world.platform.relying_parties.resume("tax-office")
    assert (await system.ask()).status_code == 200


async def test_a_key_proves_until_it_ends(system, world):
    register = world.platform.relying_parties
    fresh = generate(KeySpec.P256)
    old = jwk.thumbprint(system.key.public_key())
    await register.add_key("tax-office", jwk.to_jwk(fresh.public_key()))
    with_new = lambda: system.form(client_assertion=system.assertion(key=fresh))  # noqa: E731
    assert (await system.ask()).status_code == (await system.ask(with_new())).status_code == 200
    await register.end_key("tax-office", old, at=world.clock.now() + timedelta(hours=1))
    world.clock.tick(3599)
    assert (await system.ask()).status_code == 200
    world.clock.tick(1)
    assert oauth(await system.ask()) == (401, "invalid_client")
    assert (await system.ask(with_new())).status_code == 200
