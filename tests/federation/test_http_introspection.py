"""Introspection and revocation: who hears what of which token, and what ends with it."""

from datetime import timedelta

import msgspec
import pytest

from federation.token_clients import (
    ACR,
    RESOURCE,
    SUB,
    USERINFO,
    TokenClient,
    jkt_of,
    oauth,
)
from support.world import PLATFORM

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour
SIGNED = "application/token-introspection+jwt"
INACTIVE = {"active": False}
OFFLINE = ["openid", "offline_access"]


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@pytest.fixture
async def stranger(world):
    """A system of another domain."""
    return await TokenClient.made(
        world, "stranger", domain="elsewhere.example", redirect_uris=["https://elsewhere.example/x"]
    )


# --- introspection -------------------------------------------------------------------------------------


@row("INT-1")
async def test_a_client_asks_about_its_own_token(client):
    body = await client.tokens()
    told = await client.introspect(body["access_token"])
    _, claims = await client.read(body["access_token"], typ="at+jwt")
    assert told["active"] is True
    assert told["token_type"] == "Bearer"
    for name in ("iss", "aud", "sub", "client_id", "scope", "jti", "iat", "exp", "acr", "amr"):
        assert told[name] == claims[name], name
    assert (told["sub"], told["acr"], told["aud"]) == (SUB, ACR, USERINFO)


@sqlite
@row("INT-2")
async def test_a_bound_token_tells_its_key(world):
    bank = await TokenClient.made(world, "bank", fapi=True)
    told = await bank.introspect((await bank.tokens(proof="own"))["access_token"])
    assert told["token_type"] == "DPoP"
    assert told["cnf"] == {"jkt": jkt_of(bank)}


@row("INT-3")
async def test_a_refresh_token_in_force(client):
    body = await client.tokens(scope=OFFLINE)
    told = await client.introspect(body["refresh_token"])
    assert told["active"] is True
    assert (told["sub"], told["scope"], told["client_id"]) == (
        SUB,
        "openid offline_access",
        "tax-office",
    )
    second = (await client.refresh(body["refresh_token"])).json()
    assert await client.introspect(body["refresh_token"]) == INACTIVE
    assert (await client.introspect(second["refresh_token"]))["active"] is True


@sqlite
@row("INT-4")
async def test_a_stranger_hears_nothing(client, stranger):
    body = await client.tokens(scope=OFFLINE)
    for token in (body["access_token"], body["refresh_token"]):
        assert await stranger.introspect(token) == INACTIVE


@sqlite
@row("INT-5")
async def test_the_resource_that_a_token_is_for_may_ask(world, client):
    resource = await TokenClient.made(
        world, "records", domain="api.tax.example", redirect_uris=["https://api.tax.example/x"]
    )
    token = (await client.tokens(resource=[RESOURCE]))["access_token"]
    assert (await resource.introspect(token))["active"] is True
    # a token for another audience is none of its business
    assert await resource.introspect((await client.tokens())["access_token"]) == INACTIVE


@sqlite
@row("INT-6")
async def test_what_is_no_token_is_inactive_and_nothing_else(client):
    body = await client.tokens()
    head, payload, signature = body["access_token"].split(".")
    for token in (
        "x",
        "a.b",
        "a.b.c",
        body["id_token"],
        f"{head}.{payload}.{signature[::-1]}",
        f"{payload}.{signature}",
    ):
        assert await client.introspect(token) == INACTIVE, token


@row("INT-7")
async def test_an_ended_token_is_inactive(world, client):
    token = (await client.tokens())["access_token"]
    world.clock.tick(600)
    assert await client.introspect(token) == INACTIVE


@sqlite
@row("INT-8")
async def test_a_hint_changes_nothing(client):
    token = (await client.tokens())["access_token"]
    for hint in ("refresh_token", "access_token", "nonsense"):
        assert (await client.introspect(token, token_type_hint=hint))["active"] is True


@sqlite
@row("INT-9")
async def test_without_client_authentication_nobody_is_told(client):
    token = (await client.tokens())["access_token"]
    async with client.web as web:
        answer = await web.post("/introspect", data={"token": token})
        assert answer.status_code in {400, 401}
        assert "active" not in answer.text
        bad = client.form(token=token, client_assertion="a.b.c")
        assert oauth(await web.post("/introspect", data=bad)) == (401, "invalid_client")
        assert (await web.get(f"/introspect?token={token}")).status_code == 405


@sqlite
@row("INT-10")
async def test_no_token_and_two_tokens(client):
    assert oauth(await client.post("/introspect")) == (400, "invalid_request")
    assert oauth(await client.post("/introspect", token="")) == (400, "invalid_request")
    assert oauth(await client.post("/introspect", token="x" * 9000)) == (400, "invalid_request")
    pairs = [*client.form(token="x").items(), ("token", "y")]
    from urllib.parse import urlencode

    async with client.web as web:
        answer = await web.post(
            "/introspect",
            content=urlencode(pairs),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )
    assert oauth(answer) == (400, "invalid_request")


@sqlite
@row("INT-11")
async def test_a_token_of_a_suspended_client_is_inactive(world, client, stranger):
    resource = await TokenClient.made(
        world, "records", domain="api.tax.example", redirect_uris=["https://api.tax.example/x"]
    )
    token = (await client.tokens(resource=[RESOURCE]))["access_token"]
    await world.platform.relying_parties.suspend("tax-office")
    assert await resource.introspect(token) == INACTIVE


# --- signed introspection ----------------------------------------------------------------------------------


@sqlite
@row("INT-20")
async def test_signed_introspection(world, client):
    token = (await client.tokens())["access_token"]
    answer = await client.post("/introspect", accept=SIGNED, token=token)
    assert answer.headers["content-type"] == SIGNED
    header, claims = await client.read(answer.text, typ="token-introspection+jwt")
    assert header["alg"] == "ES256"
    assert claims.keys() == {"iss", "aud", "iat", "token_introspection"}
    assert (claims["iss"], claims["aud"]) == (PLATFORM, "tax-office")
    assert claims["token_introspection"] == await client.introspect(token)


@sqlite
@row("INT-21")
async def test_signed_introspection_of_nothing(client):
    answer = await client.post("/introspect", accept=f"{SIGNED}, application/json", token="x")
    _, claims = await client.read(answer.text, typ="token-introspection+jwt")
    assert claims["token_introspection"] == INACTIVE


@sqlite
@row("INT-22")
async def test_a_signed_introspection_is_no_token(client):
    token = (await client.tokens())["access_token"]
    answer = await client.post("/introspect", accept=SIGNED, token=token)
    assert (await client.userinfo(answer.text)).status_code == 401


# --- revocation ----------------------------------------------------------------------------------------------


async def revoke(client, token, **more):
    answer = await client.post("/revoke", token=token, **more)
    assert answer.content == b"" or answer.status_code != 200
    return answer


@row("REV-1")
async def test_an_access_token_is_revoked_alone(client):
    body = await client.tokens(scope=OFFLINE)
    other = (await client.refresh(body["refresh_token"])).json()
    assert (await revoke(client, body["access_token"])).status_code == 200
    assert not await client.is_alive(body["access_token"])
    assert await client.introspect(body["access_token"]) == INACTIVE
    assert await client.is_alive(other["access_token"])
    assert (await client.refresh(other["refresh_token"])).status_code == 200


@row("REV-2")
async def test_a_refresh_token_takes_everything_with_it(world, client):
    body = await client.tokens(scope=OFFLINE)
    assert (await revoke(client, body["refresh_token"])).status_code == 200
    assert not await client.is_alive(body["access_token"])
    assert oauth(await client.refresh(body["refresh_token"])) == (400, "invalid_grant")
    assert "federation.grant_revoked" in await world.events()


@row("REV-3")
async def test_revoking_twice_is_no_error(client):
    body = await client.tokens(scope=OFFLINE)
    for token in (body["access_token"], body["refresh_token"]):
        for _ in range(2):
            assert (await revoke(client, token)).status_code == 200


@sqlite
@row("REV-4")
async def test_what_is_no_token_is_no_error(client):
    body = await client.tokens()
    for token in ("x", "a.b", "a.b.c", body["id_token"]):
        assert (await revoke(client, token)).status_code == 200, token
    assert await client.is_alive(body["access_token"])


@sqlite
@row("REV-5")
async def test_a_stranger_revokes_nothing(client, stranger):
    body = await client.tokens(scope=OFFLINE)
    assert oauth(await revoke(stranger, body["access_token"])) == (400, "invalid_grant")
    assert (await revoke(stranger, body["refresh_token"])).status_code == 200
    assert await client.is_alive(body["access_token"])
    assert (await client.refresh(body["refresh_token"])).status_code == 200


@sqlite
@row("REV-6")
async def test_revocation_needs_the_client(client):
    body = await client.tokens()
    async with client.web as web:
        form = client.form(token=body["access_token"], client_assertion="a.b.c")
        assert oauth(await web.post("/revoke", data=form)) == (401, "invalid_client")
        assert (await web.get("/revoke")).status_code == 405
    assert oauth(await client.post("/revoke")) == (400, "invalid_request")
    assert await client.is_alive(body["access_token"])


@row("REV-7")
async def test_a_revocation_is_kept_as_long_as_the_token_could_live(world, client):
    import sqlalchemy as sa

    from inkan.federation.store import revoked_token
    from inkan.store.query import Query

    def rows():
        return (yield Query(sa.select(revoked_token.c.jti)).all())

    world.clock.advance(timedelta(days=3))
    token = (await client.tokens())["access_token"]
    await revoke(client, token)
    await world.instance.catch_up()
    assert not await client.is_alive(token)
    world.clock.tick(599)
    await world.platform.openid.tokens.purge()
    assert not await client.is_alive(token)
    assert len(await world.platform.db.scan(rows)) == 1
    world.clock.tick(2)
    await world.platform.openid.tokens.purge()
    assert await world.platform.db.scan(rows) == []
    assert msgspec.json.encode(await world.events())
