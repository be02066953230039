"""What the authorization endpoint keeps, on both databases: one use, one answer, whoever comes at once."""

import asyncio
from datetime import timedelta

import pytest

from federation.clients import (
    FAPI2,
    OpenIDClient,
    answer,
    arrive,
    brought,
    openid_client,
    refused_page,
    rows_of,
)
from inkan.client import Phone
from inkan.federation.model.refusals import RequestRefused
from inkan.federation.service.parameters import Parameters
from inkan.federation.store import grant as grants
from inkan.federation.store import login as logins
from inkan.federation.store import pushed_request
from portal.browsers import Browser
from support.clock import StandingClock
from support.world import World


async def test_a_login_and_its_rows(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    told = await shop.log_in(phone, browser)
    [grant] = await rows_of(world, grants)
    [login] = await rows_of(world, logins)
    assert (grant.state, grant.kind, grant.login) == ("granted", "code", login.id)
    assert grant.answer is not None
    assert grant.handle_expires_at - clock.now() == timedelta(seconds=60)
    assert login.reusable_until is None
    for secret in (told["code"], *browser.cookies.values()):
        assert secret not in f"{grant}{login}"
    names = [name for name in await world.events() if name.startswith("federation.")]
    assert sorted(names) == [
        "federation.grant_answered",
        "federation.grant_begun",
        "federation.grant_code_issued",
        "federation.login_remembered",
    ]


@pytest.mark.race
async def test_a_pushed_request_begins_one_login_of_many(world: World) -> None:
    bank = await openid_client(world, "bank", **FAPI2)
    address = bank.pushed_address(await bank.pushed())
    replies = await asyncio.gather(*(arrive(bank.browser(), address) for _ in range(5)))
    assert sorted(reply.status for reply in replies) == [303, 400, 400, 400, 400]
    assert len(await rows_of(world, grants)) == 1
    [row] = await rows_of(world, pushed_request)
    assert row.used_at is not None


@pytest.mark.race
async def test_an_answer_becomes_one_code_of_many(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone
) -> None:
    back = await answer(browser, phone, await shop.begin(browser))
    replies = await asyncio.gather(*(arrive(browser, back) for _ in range(5)))
    assert sorted(reply.status for reply in replies) == [303, 404, 404, 404, 404]
    assert [row.state for row in await rows_of(world, grants)] == ["granted"]


async def test_an_expired_request_is_refused_and_a_foreign_browser_too(
    world: World, shop: OpenIDClient, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    late = shop.pushed_address(await shop.pushed())
    clock.tick(timedelta(seconds=91))
    assert refused_page(await arrive(browser, late)) == "openid_request_uri_refused"
    back = await answer(browser, phone, await shop.begin(browser))
    assert refused_page(await arrive(shop.browser(), back)) == "openid_grant_not_found"
    assert brought(await arrive(browser, back))["error"] == "access_denied"
    assert (await world.events()).count("federation.grant_denied") == 1


async def test_an_answer_survives_a_death_between_redeeming_and_writing(
    world: World,
    shop: OpenIDClient,
    browser: Browser,
    phone: Phone,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from inkan.federation.service import returning

    back = await answer(browser, phone, await shop.begin(browser))
    with monkeypatch.context() as broken:
        broken.setattr(returning, "_write", None)
        assert (await arrive(browser, back)).status == 500
    assert "code" in brought(await arrive(browser, back))


async def test_what_is_over_is_forgotten(
    world: World, shop: OpenIDClient, phone: Phone, clock: StandingClock
) -> None:
    await shop.log_in(phone)
    await shop.pushed()
    await world.platform.openid.tokens.purge()
    assert len(await rows_of(world, pushed_request)) == len(await rows_of(world, logins)) == 1
    clock.tick(timedelta(seconds=90))
    await shop.pushed()
    await world.platform.openid.tokens.purge()
    assert len(await rows_of(world, pushed_request)) == 1
    clock.tick(timedelta(hours=8))
    await world.platform.openid.tokens.purge()
    assert await rows_of(world, pushed_request) == await rows_of(world, logins) == []


async def test_a_push_in_another_clients_name_is_refused_beside_its_authentication(
    world: World, shop: OpenIDClient
) -> None:
    parameters = Parameters(values=shop.asked(client_id="mart"))
    with pytest.raises(RequestRefused):
        await world.platform.openid.authorization.push(shop.code, parameters, jkt=None)
