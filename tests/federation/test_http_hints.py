"""Whom the client expects, over HTTP: hints are compared after the answer, and tell nobody anything before."""

import json

import pytest

from federation.clients import OpenIDClient, arrive, brought, openid_client
from inkan.client import Phone
from portal.browsers import Browser
from support.world import World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database; tests/federation/test_stored.py walks the same ways on both."""
    return sqlite_url


@pytest.fixture
async def id_token(shop: OpenIDClient, phone: Phone) -> str:
    """An ID token of 陳怡君 for the shop."""
    told = await shop.log_in(phone)
    token: str = (await shop.redeem(told["code"]))["id_token"]
    return token


@pytest.fixture
async def lin(world: World) -> Phone:
    """The phone of 林志明."""
    return await world.bind("lin", phone=world.new_phone(name="another"))


def wanted(sub: str) -> str:
    return json.dumps({"id_token": {"sub": {"value": sub}}})


@pytest.mark.behaviour("OIDC-183")
async def test_what_is_no_id_token_for_the_client_is_refused(
    world: World, shop: OpenIDClient, browser: Browser, id_token: str
) -> None:
    mart = await openid_client(world, "mart")
    head, payload, signature = id_token.split(".")
    for client, hint in (
        (shop, "x"),
        (shop, f"{head}.{payload}.{signature[::-1]}"),
        (shop, shop.request_object(sub="somebody")),
        (mart, id_token),
    ):
        told = brought(await arrive(browser, client.address(id_token_hint=hint)))
        assert told["error"] == "invalid_request"


@pytest.mark.behaviour("OIDC-184")
async def test_an_id_token_names_who_answers(
    shop: OpenIDClient, browser: Browser, id_token: str, phone: Phone, lin: Phone
) -> None:
    assert "code" in await shop.log_in(phone, browser, id_token_hint=id_token)
    told = await shop.log_in(lin, browser, id_token_hint=id_token)
    assert told["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-185")
async def test_a_demanded_subject_is_who_answers(
    shop: OpenIDClient, browser: Browser, id_token: str, phone: Phone, lin: Phone
) -> None:
    sub = shop.claims_of(id_token)["sub"]
    assert "code" in await shop.log_in(phone, browser, claims=wanted(sub))
    for phone_, claims in ((lin, wanted(sub)), (phone, wanted("somebody else"))):
        told = await shop.log_in(phone_, browser, claims=claims)
        assert told["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-186")
async def test_hints_that_name_two_persons_are_refused(
    shop: OpenIDClient, browser: Browser, id_token: str
) -> None:
    for more in ({"claims": wanted("A" * 43)}, {"login_hint": "A" * 43}):
        address = shop.address(id_token_hint=id_token, **more)
        assert brought(await arrive(browser, address))["error"] == "invalid_request"
    long = brought(await arrive(browser, shop.address(claims=wanted("s" * 256))))
    assert long["error"] == "invalid_request"


@pytest.mark.behaviour("OIDC-187")
async def test_discovery_shows_what_the_endpoint_takes(shop: OpenIDClient) -> None:
    told = (await shop.web.get("/.well-known/openid-configuration")).json()
    assert told["authorization_endpoint"] == f"{told['issuer']}/authorize"
    assert told["pushed_authorization_request_endpoint"] == f"{told['issuer']}/par"
    assert told["require_pushed_authorization_requests"] is False
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["request_parameter_supported"] is True
    assert told["request_uri_parameter_supported"] is False
    assert told["request_object_signing_alg_values_supported"] == ["ES256", "PS256"]
    assert told["authorization_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert set(told["prompt_values_supported"]) == {"none", "login", "consent", "select_account"}
    assert told["response_modes_supported"] == [
        "query",
        "form_post",
        "jwt",
        "query.jwt",
        "form_post.jwt",
    ]
