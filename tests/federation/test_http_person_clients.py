"""The person's own list of clients, and ending what one of them holds (rows OUT-)."""

from datetime import timedelta

import pytest

from federation.leavers import (
    BACKCHANNEL,
    ENDED,
    Receiver,
    granted,
    logout_token,
    openid_client,
    person_of,
    state_of,
    sub_of,
)
from inkan.federation.model.grant import GrantState
from portal.browsers import Browser as PortalBrowser
from portal.browsers import body_of
from support.world import World


@pytest.fixture
async def home(told: World) -> PortalBrowser:
    browser = PortalBrowser(told.instance.application)
    await browser.log_in(await told.bind("chen"))
    return browser


@pytest.mark.behaviour("OUT-26")
async def test_the_person_sees_who_holds_a_login(home: PortalBrowser, told: World) -> None:
    assert "No service holds a login" in body_of(await home.see("/my/clients"))
    shop = await openid_client(told, "shop")
    person = await person_of(told)
    await granted(told, shop, person, scope=("openid", "profile", "offline_access"))
    over = await openid_client(told, "over")
    await granted(told, over, person, life=timedelta(seconds=-1))
    page = body_of(await home.see("/my/clients"))
    for text in ("Tax Office", "tax.example", "Your name and what belongs to it", "End this login"):
        assert text in page, text
    assert page.count("<article") == 1
    assert "このログインを終了する" in body_of(await home.see("/my/clients?lang=ja"))
    assert 'href="/my/clients"' in body_of(await home.see("/my"))


@pytest.mark.behaviour("OUT-27")
async def test_the_person_ends_what_a_client_holds(
    home: PortalBrowser, told: World, receiver: Receiver
) -> None:
    shop, person = await openid_client(told, "shop"), await person_of(told)
    held = [
        await granted(told, shop, person),
        await granted(told, shop, person, scope=("openid", "offline_access")),
    ]
    reply = await home.send(f"/my/clients/{shop.id}/revoke", "/my/clients")
    assert (reply.status, reply.header("location")) == (303, "/my/clients")
    assert [await state_of(told, each) for each in held] == ENDED
    await told.instance.outbox.run_due()
    [body] = receiver.at(BACKCHANNEL)
    said = await logout_token(told, body)
    # Every session of the person at this client: no sid (Back-Channel Logout §2.4).
    assert (said["sub"], "sid" in said) == (sub_of(told, person, shop), False)
    events = await told.events()
    assert events.count("federation.client_revoked") == 1
    assert events.count("federation.grant_revoked") == 2


@pytest.mark.behaviour("OUT-28")
async def test_nobody_ends_somebody_elses(home: PortalBrowser, told: World) -> None:
    shop, lin = await openid_client(told, "shop"), await person_of(told, "lin")
    theirs = await granted(told, shop, lin)
    for target in (shop.id, "sys_" + "a" * 26):
        reply = await home.send(f"/my/clients/{target}/revoke", "/my")
        assert reply.status == 404
    assert await state_of(told, theirs) is GrantState.USED


@pytest.mark.behaviour("OUT-29")
async def test_without_a_login_the_list_asks_for_one(told: World) -> None:
    browser = PortalBrowser(told.instance.application)
    reply = await browser.see("/my/clients")
    assert reply.status in {302, 303}
    assert (reply.header("location") or "").startswith("/login")
