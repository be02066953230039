"""Logins that are used again, over HTTP: never by default, and then at a lower level (design §5.7)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from federation.clients import (
    FAPI2,
    OpenIDClient,
    arrive,
    brought,
    openid_client,
    rows_of,
)
from inkan.client import Phone
from inkan.composition.openid_settings import OpenIDSettings
from inkan.federation.service.levels import ACR_VALUES
from inkan.federation.store import grant as grants
from inkan.federation.store import login as logins
from inkan.store.database import Database
from inkan.wire.authentication_context import REUSED
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import PLATFORM, World, settings_for, world_on

LOGIN_COOKIE = "__Host-inkan-openid"


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database; tests/federation/test_stored.py walks the same ways on both."""
    return sqlite_url


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    settings = msgspec.structs.replace(settings_for(tmp_path), openid=OpenIDSettings(reuse_s=600))
    async with world_on(database, clock, tmp_path, settings=settings) as made:
        yield made


@pytest.fixture
async def mart(world: World, shop: OpenIDClient, browser: Browser, phone: Phone) -> OpenIDClient:
    """A second client, at which this browser arrives after a login at the first one."""
    await shop.log_in(phone, browser)
    return await openid_client(world, "mart")


async def is_asked(client: OpenIDClient, browser: Browser, **bent: str | None) -> bool:
    """Whether the person has to answer."""
    reply = await arrive(browser, client.address(**bent))
    return (reply.header("location") or "").startswith(f"{PLATFORM}/identify/")


@pytest.mark.behaviour("OIDC-191")
async def test_another_browser_is_asked(mart: OpenIDClient, browser: Browser) -> None:
    assert await is_asked(mart, mart.browser())
    forged = mart.browser()
    forged.cookies[LOGIN_COOKIE] = "A" * 43
    assert await is_asked(mart, forged)


@pytest.mark.behaviour("OIDC-192")
async def test_a_demand_for_a_fresh_answer_is_asked(mart: OpenIDClient, browser: Browser) -> None:
    essential = f'{{"id_token":{{"acr":{{"essential":true,"value":"{ACR_VALUES[1]}"}}}}}}'
    for bent in (
        {"prompt": "login"},
        {"prompt": "consent"},
        {"prompt": "select_account"},
        {"max_age": "0"},
        {"claims": essential},
        {"claims": '{"userinfo":{"name":null}}'},
    ):
        assert await is_asked(mart, browser, **bent), bent


@pytest.mark.behaviour("OIDC-193")
async def test_a_fapi_client_is_asked(world: World, mart: OpenIDClient, browser: Browser) -> None:
    bank = await openid_client(world, "bank", **FAPI2)
    await bank.begin(browser, bank.pushed_address(await bank.pushed()))
    silent = bank.pushed_address(await bank.pushed(prompt="none"))
    assert brought(await arrive(browser, silent))["error"] == "login_required"


@pytest.mark.behaviour("OIDC-194")
async def test_a_login_is_reusable_for_its_time_only(
    mart: OpenIDClient, browser: Browser, clock: StandingClock
) -> None:
    clock.tick(timedelta(seconds=599))
    assert not await is_asked(mart, browser)
    assert not await is_asked(mart, browser, max_age="600")
    assert await is_asked(mart, browser, max_age="599")
    clock.tick(timedelta(seconds=1))
    assert await is_asked(mart, browser)


@pytest.mark.behaviour("OIDC-195")
async def test_a_login_of_somebody_else_than_hinted_is_asked(
    world: World, mart: OpenIDClient, browser: Browser
) -> None:
    assert await is_asked(mart, browser, login_hint="A" * 43)


@pytest.mark.behaviour("OIDC-196")
async def test_a_login_is_used_again_at_a_lower_level(
    world: World, mart: OpenIDClient, browser: Browser
) -> None:
    told = brought(await arrive(browser, mart.address(prompt="none")))
    assert set(told) == {"code", "state", "iss"}
    rows = {row.client: row for row in await rows_of(world, grants)}
    assert rows["mart"].acr == REUSED != rows["shop"].acr
    assert rows["mart"].sub != rows["shop"].sub
    assert rows["mart"].login == rows["shop"].login
    assert rows["mart"].sid != rows["shop"].sid
    assert rows["mart"].auth_time == rows["shop"].auth_time
    assert rows["mart"].session is None


@pytest.mark.behaviour("OIDC-197")
async def test_another_person_in_the_browser_is_another_login(
    world: World, mart: OpenIDClient, browser: Browser
) -> None:
    before = browser.cookies[LOGIN_COOKIE]
    lin = await world.bind("lin", phone=world.new_phone(name="another"))
    await mart.log_in(lin, browser, prompt="login")
    assert browser.cookies[LOGIN_COOKIE] != before
    rows = await rows_of(world, logins)
    assert len({row.person for row in rows}) == len(rows) == 2
    assert browser.cookies[LOGIN_COOKIE] not in str(rows)


@pytest.mark.behaviour("OIDC-198")
async def test_the_same_person_keeps_the_login(
    world: World, mart: OpenIDClient, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    before = browser.cookies[LOGIN_COOKIE]
    clock.tick(timedelta(seconds=300))
    await mart.log_in(phone, browser, prompt="login")
    assert browser.cookies[LOGIN_COOKIE] == before
    [row] = await rows_of(world, logins)
    assert row.reusable_until == clock.now() + timedelta(seconds=600)
