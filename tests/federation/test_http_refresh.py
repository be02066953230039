"""Refresh tokens: who gets one, what it gives, and what ends it."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from federation.token_clients import TokenClient, oauth
from inkan.crypto.keys import KeySpec, generate

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour
INVALID_GRANT = (400, "invalid_grant")
OFFLINE = ["openid", "offline_access"]


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@pytest.fixture
async def bank(world):
    """A client of FAPI 2.0."""
    return await TokenClient.made(world, "bank", fapi=True)


@row("TOK-50")
async def test_a_refresh_token_needs_offline_access_and_a_registration(world, client):
    assert "refresh_token" not in await client.tokens()
    assert "refresh_token" in await client.tokens(scope=OFFLINE)
    other = await TokenClient.made(world, "short", grant_types=["authorization_code"])
    assert "refresh_token" not in await other.tokens(scope=OFFLINE)


@row("TOK-51")
async def test_a_bearers_refresh_token_rotates(client):
    first = await client.tokens(scope=OFFLINE)
    second = (await client.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    third = await client.refresh(second["refresh_token"])
    assert third.status_code == 200
    assert await client.is_alive(third.json()["access_token"])


@row("TOK-52")
async def test_a_rotated_token_that_comes_back_ends_everything(client):
    first = await client.tokens(scope=OFFLINE)
    second = (await client.refresh(first["refresh_token"])).json()
    assert oauth(await client.refresh(first["refresh_token"])) == INVALID_GRANT
    assert oauth(await client.refresh(second["refresh_token"])) == INVALID_GRANT
    assert not await client.is_alive(second["access_token"])


@row("TOK-53")
@pytest.mark.race
async def test_of_two_refreshes_of_a_bearer_at_once_one_wins(client):
    first = await client.tokens(scope=OFFLINE)
    answers = await asyncio.gather(*(client.refresh(first["refresh_token"]) for _ in range(4)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 400: 3}


@row("TOK-54")
async def test_a_bound_refresh_token_stays(bank):
    first = await bank.tokens(proof="own", scope=OFFLINE)
    for _ in range(3):
        again = await bank.refresh(first["refresh_token"], proof="own")
        assert again.status_code == 200
        assert again.json()["refresh_token"] == first["refresh_token"]


@row("TOK-55")
@pytest.mark.race
async def test_bound_refreshes_at_once_all_succeed(bank):
    first = await bank.tokens(proof="own", scope=OFFLINE)
    answers = await asyncio.gather(
        *(bank.refresh(first["refresh_token"], proof="own") for _ in range(2))
    )
    assert [answer.status_code for answer in answers] == [200, 200]


@sqlite
@row("TOK-56")
async def test_a_bound_refresh_token_is_worth_nothing_without_its_key(bank):
    first = await bank.tokens(proof="own", scope=OFFLINE)
    other = bank.proof(key=generate(KeySpec.P256))
    assert oauth(await bank.refresh(first["refresh_token"], proof=other)) == INVALID_GRANT
    assert (await bank.refresh(first["refresh_token"], proof="own")).status_code == 200


@sqlite
@row("TOK-57")
async def test_a_refresh_token_is_its_clients_own(world, client):
    thief = await TokenClient.made(world, "thief")
    first = await client.tokens(scope=OFFLINE)
    assert oauth(await thief.refresh(first["refresh_token"])) == INVALID_GRANT
    assert (await client.refresh(first["refresh_token"])).status_code == 200


@sqlite
@row("TOK-58")
async def test_a_refresh_gives_less_when_asked_and_never_more(client):
    first = await client.tokens(scope=["openid", "profile", "offline_access"])
    less = await client.refresh(first["refresh_token"], scope="profile")
    assert less.json()["scope"] == "profile"
    assert "id_token" not in less.json()
    token = less.json()["refresh_token"]
    for scope in ("openid email", "", "openid  profile"):
        assert oauth(await client.refresh(token, scope=scope)) == (400, "invalid_scope"), scope
    whole = await client.refresh(token)
    assert whole.json()["scope"] == "openid profile offline_access"


@sqlite
@row("TOK-59")
async def test_an_id_token_by_refresh_tells_of_the_same_login(world, client):
    first = await client.tokens(scope=OFFLINE)
    _, was = await client.read(first["id_token"], typ="JWT")
    world.clock.tick(300)
    second = (await client.refresh(first["refresh_token"])).json()
    _, now = await client.read(second["id_token"], typ="JWT")
    assert "nonce" not in now
    for name in ("iss", "sub", "aud", "auth_time", "acr", "sid"):
        assert now[name] == was[name], name
    assert now["iat"] == was["iat"] + 300


@row("TOK-60")
async def test_a_refresh_token_ends(world, client):
    first = await client.tokens(scope=OFFLINE)
    world.clock.tick(timedelta(days=29))
    second = (await client.refresh(first["refresh_token"])).json()
    world.clock.tick(timedelta(days=1))
    assert oauth(await client.refresh(second["refresh_token"])) == INVALID_GRANT


@sqlite
@row("TOK-61")
async def test_a_refresh_token_that_is_none(client):
    first = await client.tokens(scope=OFFLINE)
    for token in ("x", ".", "a.b.c", first["access_token"], first["id_token"]):
        assert oauth(await client.refresh(token)) == INVALID_GRANT, token
    assert oauth(await client.refresh(None)) == (400, "invalid_request")
    assert (await client.refresh(first["refresh_token"])).status_code == 200
