"""The token endpoint: what a code gives, what a refresh gives, and what gives nothing."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from federation.token_clients import (
    ACR,
    CHALLENGE,
    NONCE,
    SUB,
    USERINFO,
    VERIFIER,
    TokenClient,
    jkt_of,
    oauth,
)
from inkan.crypto import base64url
from inkan.crypto.keys import KeySpec, generate
from inkan.federation.service.issuing import at_hash
from inkan.relying_parties.model import RegistrationWrong
from support.world import PLATFORM

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour
INVALID_GRANT = (400, "invalid_grant")


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@pytest.fixture
async def bank(world):
    """A client of FAPI 2.0."""
    return await TokenClient.made(world, "bank", fapi=True)


# --- what a code gives -------------------------------------------------------------------------------


@row("TOK-1")
async def test_a_code_becomes_tokens(client):
    grant, code = await client.grant()
    answer = await client.redeem(code)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 600, "openid")
    assert body.keys() == {"access_token", "token_type", "expires_in", "id_token", "scope"}
    assert await client.state(grant) == "used"


@sqlite
@row("TOK-2")
async def test_the_claims_of_an_id_token(client):
    body = await client.tokens()
    _, claims = await client.read(body["id_token"], typ="JWT")
    assert (claims["iss"], claims["aud"], claims["sub"]) == (PLATFORM, "tax-office", SUB)
    assert claims["nonce"] == NONCE
    assert (claims["acr"], claims["amr"]) == (ACR, ["hwk", "user"])
    assert claims["sid"] == "sid-of-this-client"
    assert claims["iat"] == claims["auth_time"] < claims["exp"]
    assert claims["at_hash"] == at_hash(body["access_token"])


@sqlite
@row("TOK-3")
async def test_an_id_token_is_signed_by_rs256_unless_registered_otherwise(world, client):
    header, _ = await client.read((await client.tokens())["id_token"], typ="JWT")
    assert header["alg"] == "RS256"
    other = await TokenClient.made(world, "es-client", id_token_signed_response_alg="ES256")
    header, _ = await other.read((await other.tokens())["id_token"], typ="JWT")
    assert header["alg"] == "ES256"


@sqlite
@row("TOK-4")
async def test_a_fapi_client_never_gets_rs256(world):
    with pytest.raises(RegistrationWrong):
        await TokenClient.made(world, "old", fapi=True, id_token_signed_response_alg="RS256")
    bank = await TokenClient.made(world, "bank", fapi=True)
    body = await bank.tokens(proof="own")
    header, _ = await bank.read(body["id_token"], typ="JWT")
    assert header["alg"] == "ES256"


@sqlite
@row("TOK-5")
async def test_no_id_token_without_openid(client):
    assert "id_token" not in await client.tokens(scope=["profile"])


@sqlite
@row("TOK-6")
async def test_the_claims_of_an_access_token(client):
    body = await client.tokens()
    header, claims = await client.read(body["access_token"], typ="at+jwt")
    assert header["alg"] == "ES256"
    assert (claims["iss"], claims["sub"], claims["client_id"]) == (PLATFORM, SUB, "tax-office")
    assert (claims["aud"], claims["scope"]) == (USERINFO, "openid")
    assert claims["exp"] - claims["iat"] == 600
    assert (claims["acr"], claims["amr"]) == (ACR, ["hwk", "user"])
    assert "cnf" not in claims


@sqlite
@row("TOK-7")
async def test_two_access_tokens_of_one_second_differ(client):
    body = await client.tokens(scope=["openid", "offline_access"])
    again = (await client.refresh(body["refresh_token"])).json()
    first, second = [
        (await client.read(each["access_token"], typ="at+jwt"))[1] for each in (body, again)
    ]
    assert first["iat"] == second["iat"]
    assert first["jti"] != second["jti"]


@sqlite
@row("TOK-8")
async def test_a_dpop_proof_binds_the_tokens(client):
    body = await client.tokens(proof="own")
    assert body["token_type"] == "DPoP"
    _, claims = await client.read(body["access_token"], typ="at+jwt")
    assert claims["cnf"] == {"jkt": jkt_of(client)}


@sqlite
@row("TOK-9")
async def test_a_fapi_client_gets_nothing_without_a_proof(bank):
    grant, code = await bank.grant()
    assert (await bank.redeem(code)).json()["error"] in {"invalid_dpop_proof", "use_dpop_nonce"}
    assert await bank.state(grant) == "granted"


@sqlite
@row("TOK-10")
async def test_a_long_nonce_comes_back_unchanged(client):
    nonce = "N" * 64
    _, claims = await client.read((await client.tokens(nonce=nonce))["id_token"], typ="JWT")
    assert claims["nonce"] == nonce


@sqlite
@row("TOK-11")
async def test_a_clock_that_is_ahead_puts_no_login_into_the_future(world, client):
    world.clock.advance(timedelta(days=400))
    _, claims = await client.read((await client.tokens())["id_token"], typ="JWT")
    assert claims["auth_time"] == claims["iat"]


# --- codes that give nothing ---------------------------------------------------------------------------


@row("TOK-20")
async def test_a_code_is_used_once_and_reuse_revokes(client):
    grant, code = await client.grant(scope=["openid", "offline_access"])
    first = (await client.redeem(code)).json()
    assert await client.is_alive(first["access_token"])
    assert oauth(await client.redeem(code)) == INVALID_GRANT
    assert await client.state(grant) == "revoked"
    assert not await client.is_alive(first["access_token"])
    assert oauth(await client.refresh(first["refresh_token"])) == INVALID_GRANT


@row("TOK-21")
@pytest.mark.race
async def test_of_two_that_redeem_at_once_one_wins_and_then_both_have_lost(client):
    grant, code = await client.grant()
    answers = await asyncio.gather(*(client.redeem(code) for _ in range(5)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 4}
    assert {oauth(each) for each in answers if each.status_code == 400} == {INVALID_GRANT}
    assert await client.state(grant) == "revoked"
    [winner] = [answer.json() for answer in answers if answer.status_code == 200]
    assert not await client.is_alive(winner["access_token"])


@row("TOK-22")
async def test_a_code_lives_for_sixty_seconds(world, client):
    _, code = await client.grant()
    world.clock.tick(59)
    assert (await client.redeem(code)).status_code == 200
    _, late = await client.grant()
    world.clock.tick(60)
    assert oauth(await client.redeem(late)) == INVALID_GRANT


@sqlite
@row("TOK-23")
async def test_a_code_is_its_clients_own(world, client):
    thief = await TokenClient.made(world, "thief")
    grant, code = await client.grant()
    assert oauth(await thief.redeem(code)) == INVALID_GRANT
    assert await client.state(grant) == "granted"
    assert (await client.redeem(code)).status_code == 200
    assert oauth(await thief.redeem(code)) == INVALID_GRANT
    assert await client.state(grant) == "used"


@sqlite
@row("TOK-24")
async def test_an_unknown_code(client):
    for code in ("x", "A" * 43, "grant.handle", "0\x00"):
        assert oauth(await client.redeem(code)) == INVALID_GRANT, code


@sqlite
@row("TOK-25")
@pytest.mark.parametrize("answered", ["not yet", "no"])
async def test_a_code_that_nobody_said_yes_to(client, answered):
    _, code = await client.grant(answered=answered)
    assert oauth(await client.redeem(code)) == INVALID_GRANT


@sqlite
@row("TOK-26")
@pytest.mark.parametrize(
    "verifier",
    [
        pytest.param(None, id="missing"),
        pytest.param("wrong" + VERIFIER[5:], id="wrong"),
        pytest.param(CHALLENGE, id="plain"),
        pytest.param(VERIFIER[:42], id="short"),
        pytest.param(VERIFIER * 4, id="long"),
        pytest.param(VERIFIER + "=", id="alphabet"),
        pytest.param("é" * 43, id="not ascii"),
    ],
)
async def test_a_verifier_that_does_not_fit(client, verifier):
    grant, code = await client.grant()
    assert oauth(await client.redeem(code, code_verifier=verifier)) == INVALID_GRANT
    assert await client.state(grant) == "granted"
    assert (await client.redeem(code)).status_code == 200


@sqlite
@row("TOK-27")
async def test_a_verifier_without_a_challenge_is_a_downgrade(client):
    _, code = await client.grant(code_challenge="")
    assert oauth(await client.redeem(code)) == INVALID_GRANT
    assert (await client.redeem(code, code_verifier=None)).status_code == 200


@sqlite
@row("TOK-28")
@pytest.mark.parametrize(
    ("redirect", "error"),
    [
        (None, "invalid_request"),
        ("", "invalid_request"),
        ("https://tax.example/callback/", "invalid_grant"),
        ("https://tax.example/callback?x=1", "invalid_grant"),
        ("https://TAX.example/callback", "invalid_grant"),
        ("https://evil.example/callback", "invalid_grant"),
    ],
)
async def test_the_redirect_uri_is_compared_letter_by_letter(client, redirect, error):
    _, code = await client.grant()
    assert oauth(await client.redeem(code, redirect_uri=redirect)) == (400, error)


@sqlite
@row("TOK-29")
async def test_a_code_that_was_bound_to_a_key(client):
    jkt = jkt_of(client)
    _, code = await client.grant(dpop_jkt=jkt)
    other = client.proof(key=generate(KeySpec.P256))
    assert oauth(await client.redeem(code, proof=other)) == INVALID_GRANT
    assert oauth(await client.redeem(code)) == INVALID_GRANT
    assert (await client.redeem(code, proof="own")).status_code == 200


@sqlite
@row("TOK-30")
async def test_a_grant_type_that_the_client_did_not_register(world):
    poor = await TokenClient.made(
        world, "poor", grant_types=["client_credentials"], redirect_uris=[]
    )
    _, code = await poor.grant()
    assert oauth(await poor.redeem(code)) == (400, "unauthorized_client")
    assert oauth(await poor.refresh("x.y")) == (400, "unauthorized_client")


@sqlite
@row("TOK-31")
async def test_a_system_without_openid_has_no_codes(world):
    plain = TokenClient(world, "plain")
    from inkan.crypto import jwk

    await world.agency("plain", keys=[jwk.to_jwk(plain.key.public_key())])
    answer = await plain.redeem("x", proof="own")
    assert oauth(answer) == (400, "unauthorized_client")


@sqlite
@row("TOK-32")
@pytest.mark.parametrize("name", ["code", "redirect_uri", "code_verifier", "resource"])
async def test_a_parameter_that_stands_twice(client, name):
    grant, code = await client.grant()
    form = client.form(
        grant_type="authorization_code",
        code=code,
        redirect_uri="https://tax.example/callback",
        code_verifier=VERIFIER,
        resource=USERINFO,
    )
    answer = await client.ask([*form.items(), (name, form[name])], proof=None)
    assert oauth(answer) == (400, "invalid_request")
    assert await client.state(grant) == "granted"


@sqlite
@row("TOK-33")
async def test_no_code(client):
    assert oauth(await client.redeem(code=None)) == (400, "invalid_request")
    assert oauth(await client.redeem(code="")) == (400, "invalid_request")


@sqlite
@row("TOK-34")
async def test_the_token_endpoint_takes_post_alone(client):
    async with client.web as web:
        for method in ("GET", "PUT", "HEAD", "DELETE"):
            assert (await web.request(method, "/token")).status_code == 405


@sqlite
@row("TOK-35")
async def test_a_suspended_client_redeems_nothing(world, client):
    grant, code = await client.grant()
    await world.platform.relying_parties.suspend("tax-office")
    assert oauth(await client.redeem(code)) == (401, "invalid_client")
    assert await client.state(grant) == "granted"


# --- what is kept ---

OFFLINE = ["openid", "offline_access"]


@row("TOK-62")
async def test_a_used_grant_is_forgotten_when_it_is_over(world, client):
    grant, code = await client.grant()
    token = (await client.redeem(code)).json()["access_token"]
    await world.leap(timedelta(hours=7))
    assert await client.state(grant) == "used"
    await world.leap(timedelta(hours=2))
    assert await client.state(grant) == "gone"
    assert not await client.is_alive(token)
    await world.events()


@sqlite
async def test_codes_and_refresh_tokens_stand_nowhere_in_the_database(world, client):
    import sqlalchemy as sa

    from inkan.federation.store import grant as table
    from inkan.store.query import Query

    _, code = await client.grant(scope=OFFLINE)
    body = (await client.redeem(code)).json()

    def rows():
        return (yield Query(sa.select(table)).all())

    text = repr(await world.platform.db.scan(rows))
    for secret in (code, body["refresh_token"].partition(".")[2], body["access_token"]):
        assert secret not in text
    assert base64url.decode(code, size=32)
