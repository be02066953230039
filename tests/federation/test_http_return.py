"""The way back from the page over HTTP: the browser that began, once, and nobody else."""

from datetime import timedelta
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from federation.clients import (
    OpenIDClient,
    answer,
    arrive,
    brought,
    openid_client,
    refused_page,
    rows_of,
)
from inkan.client import Phone
from inkan.federation.store import grant as grants
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import World

NOTHING = "openid_grant_not_found"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database; tests/federation/test_stored.py walks the same ways on both."""
    return sqlite_url


@pytest.fixture
async def back(shop: OpenIDClient, browser: Browser, phone: Phone) -> str:
    """Where the browser comes back to, with an answer."""
    return await answer(browser, phone, await shop.begin(browser))


@pytest.mark.behaviour("OIDC-171")
async def test_another_browser_gets_nothing_and_ends_the_login(
    shop: OpenIDClient, browser: Browser, back: str
) -> None:
    stranger = shop.browser()
    assert refused_page(await arrive(stranger, back)) == NOTHING
    assert brought(await arrive(browser, back))["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-172")
async def test_a_browser_that_began_another_login_gets_nothing(
    world: World, shop: OpenIDClient, browser: Browser, back: str
) -> None:
    mart = await openid_client(world, "mart")
    attacker = shop.browser()
    await mart.begin(attacker)
    assert refused_page(await arrive(attacker, back)) == NOTHING


@pytest.mark.behaviour("OIDC-173")
async def test_an_answer_is_taken_back_once(browser: Browser, back: str) -> None:
    assert "code" in brought(await arrive(browser, back))
    assert refused_page(await arrive(browser, back)) == NOTHING


@pytest.mark.behaviour("OIDC-174")
async def test_an_altered_return_code_ends_the_login(
    world: World, browser: Browser, back: str
) -> None:
    query = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    query["return_code"] = query["return_code"][::-1][:42] + "A"
    altered = f"/authorize/return?{urlencode(query)}"
    assert brought(await arrive(browser, altered))["error"] == "access_denied"
    assert refused_page(await arrive(browser, back)) == NOTHING
    [row] = await rows_of(world, grants)
    assert (row.state, row.handle_sha256) == ("denied", None)


@pytest.mark.behaviour("OIDC-175")
async def test_without_an_answer_nothing_happens(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    page = await shop.begin(browser)
    [row] = await rows_of(world, grants)
    for query in (
        f"session={row.session}",
        f"session={row.session}&return_code=x",
        f"session={row.session}&return_code={'%C3%A9' * 43}",
        f"session={row.session}&return_code={'A' * 43}",
    ):
        assert refused_page(await arrive(browser, f"/authorize/return?{query}")) == NOTHING
    assert refused_page(await arrive(shop.browser(), f"/authorize/return?session={row.session}"))
    told = brought(await arrive(browser, await answer(browser, phone, page)))
    assert "code" in told


@pytest.mark.behaviour("OIDC-176")
async def test_an_unknown_session_is_nothing(browser: Browser) -> None:
    for query in ("", "?session=", "?session=ses_aaaaaaaaaaaaaaaaaaaaaaaaaa", "?session=%00"):
        assert refused_page(await arrive(browser, f"/authorize/return{query}")) == NOTHING


@pytest.mark.behaviour("OIDC-177")
async def test_another_clients_session_is_nothing(
    world: World, browser: Browser, phone: Phone
) -> None:
    agency = await world.agency()
    session = await world.identify(agency, phone)
    reply = await arrive(browser, f"/authorize/return?session={session.id}")
    assert refused_page(reply) == NOTHING


@pytest.mark.behaviour("OIDC-178")
async def test_an_answer_waits_a_minute(browser: Browser, back: str, clock: StandingClock) -> None:
    clock.tick(timedelta(seconds=61))
    assert brought(await arrive(browser, back))["error"] == "access_denied"


@pytest.mark.behaviour("OIDC-179")
async def test_a_look_at_the_headers_takes_nothing(browser: Browser, back: str) -> None:
    assert (await browser.request("HEAD", back)).status == 405
    assert "code" in brought(await arrive(browser, back))


@pytest.mark.behaviour("OIDC-180")
async def test_repeated_parameters_are_refused(browser: Browser, back: str) -> None:
    reply = await arrive(browser, f"{back}&{back.partition('?')[2]}")
    assert reply.status == 400
    assert reply.header("location") is None
    assert "code" in brought(await arrive(browser, back))


@pytest.mark.behaviour("OIDC-181")
async def test_a_client_that_is_suspended_meanwhile_gets_nothing(
    world: World, shop: OpenIDClient, browser: Browser, back: str
) -> None:
    await world.platform.relying_parties.suspend(shop.code)
    reply = await arrive(browser, back)
    assert reply.header("location") is None
    assert refused_page(reply) == "openid_client_unknown"


@pytest.mark.behaviour("OIDC-182")
async def test_a_system_cannot_order_a_return_to_the_provider(world: World) -> None:
    """Only the provider adds its own address to the registered ones (ADR 0020)."""
    shop = await openid_client(world)
    agency = world.client(shop.code, shop.key)
    from inkan.client import CallRefused, begin_return

    return_to, _ = begin_return(f"{world.origins.platform}/authorize/return")
    with pytest.raises(CallRefused) as refused:
        await agency.create_session(
            "identify", purpose="login", doors=["redirect"], return_to=return_to
        )
    assert refused.value.problem_code == "origin_not_registered"
