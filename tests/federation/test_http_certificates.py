"""Tokens that are bound to the certificate of a connection: at the userinfo endpoint, at a refresh, in the metadata."""

import msgspec
import pytest

from federation.parties import certificate_header, self_signed, x5t
from federation.token_clients import REDIRECT, SUB, VERIFIER, TokenClient, oauth, refused
from inkan.composition.settings import Server
from inkan.crypto.keys import KeySpec, generate
from support.world import settings_for, world_on

sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
row = pytest.mark.behaviour


@pytest.fixture
async def proxied(database, clock, tmp_path):
    """An instance behind a proxy that passes certificates on."""
    settings = msgspec.structs.replace(
        settings_for(tmp_path), server=Server(certificate_header=("127.0.0.0/8",))
    )
    async with world_on(database, clock, tmp_path, settings=settings) as made:
        yield made


@pytest.fixture
async def client(proxied):
    return await TokenClient.made(proxied, sender_constraint="mtls")


@pytest.fixture
def certificate(proxied):
    return self_signed(generate(KeySpec.P256), now=proxied.clock.wire_now())


def over(der: bytes) -> dict[str, str]:
    return {"client-cert": certificate_header(der)}


async def redeem(client, der, **asked):
    _, code = await client.grant(**asked)
    form = client.form(
        grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER
    )
    return await client.ask(form, proof=None, **over(der))


@sqlite
@row("UI-45")
async def test_a_token_needs_the_certificate_that_it_is_bound_to(proxied, client, certificate):
    body = (await redeem(client, certificate)).json()
    token = body["access_token"]
    assert body["token_type"] == "Bearer"
    _, claims = await client.read(token, typ="at+jwt")
    assert claims["cnf"] == {"x5t#S256": x5t(certificate)}
    good = await client.userinfo(token, **over(certificate))
    assert good.json()["sub"] == SUB
    other = self_signed(generate(KeySpec.P256), now=proxied.clock.wire_now())
    for headers in ({}, over(other)):
        assert refused(await client.userinfo(token, **headers)) == (401, "invalid_token")


@sqlite
@row("TOK-63")
async def test_a_refresh_token_needs_the_certificate_that_it_is_bound_to(
    proxied, client, certificate
):
    body = (await redeem(client, certificate, scope=["openid", "offline_access"])).json()
    form = client.form(grant_type="refresh_token", refresh_token=body["refresh_token"])
    other = self_signed(generate(KeySpec.P256), now=proxied.clock.wire_now())
    answer = await client.ask(form, proof=None, **over(other))
    assert oauth(answer) == (400, "invalid_grant")
    form = client.form(grant_type="refresh_token", refresh_token=body["refresh_token"])
    again = (await client.ask(form, proof=None, **over(certificate))).json()
    assert again["refresh_token"] == body["refresh_token"]


@sqlite
@row("KEY-25")
async def test_the_metadata_offers_certificates_where_they_are_seen(client):
    async with client.web as web:
        told = (await web.get("/.well-known/openid-configuration")).json()
    assert told["tls_client_certificate_bound_access_tokens"] is True
    for endpoint in ("token", "introspection", "revocation"):
        methods = told[f"{endpoint}_endpoint_auth_methods_supported"]
        assert "self_signed_tls_client_auth" in methods
