"""Resource indicators: where an access token is for, and where it is not."""

import pytest

from federation.token_clients import RESOURCE, USERINFO, TokenClient, oauth
from support.world import PLATFORM

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour


@pytest.fixture
async def client(world):
    return await TokenClient.made(world)


@sqlite
@row("TOK-40")
async def test_a_token_for_a_resource_is_for_nothing_else(client):
    body = await client.tokens(resource=[RESOURCE])
    _, claims = await client.read(body["access_token"], typ="at+jwt")
    assert claims["aud"] == RESOURCE
    assert (await client.userinfo(body["access_token"])).status_code == 401


@sqlite
@row("TOK-41")
async def test_one_resource_of_several(client):
    other = "https://api.tax.example/other"
    _, code = await client.grant(resource=[RESOURCE, other])
    body = (await client.redeem(code, resource=other)).json()
    assert (await client.read(body["access_token"], typ="at+jwt"))[1]["aud"] == other
    body = await client.tokens(resource=[RESOURCE, other])
    assert (await client.read(body["access_token"], typ="at+jwt"))[1]["aud"] == [RESOURCE, other]
    _, code = await client.grant(resource=[RESOURCE])
    body = (await client.redeem(code, resource=USERINFO)).json()
    assert await client.is_alive(body["access_token"])


@sqlite
@row("TOK-42")
@pytest.mark.parametrize("resource", [RESOURCE, PLATFORM, f"{PLATFORM}/", "x", ""])
async def test_a_resource_that_nobody_asked_for(client, resource):
    grant, code = await client.grant()
    assert oauth(await client.redeem(code, resource=resource)) == (400, "invalid_target")
    assert await client.state(grant) == "granted"


@sqlite
@row("TOK-43")
async def test_no_userinfo_token_without_openid(client):
    _, code = await client.grant(scope=["profile"], resource=[RESOURCE])
    assert oauth(await client.redeem(code, resource=USERINFO)) == (400, "invalid_target")
