"""The enrolment page and the card in the reader: who gets the content, and what comes of what the page sends back."""

import html
import json

import msgspec
import pytest

from enrolment.hands import on_sqlite, rows
from enrolment.test_pages import begin, browser, frame, page, resumed, stranger
from inkan.composition.card_settings import Cards
from inkan.crypto import base64url
from inkan.enrolment import store
from inkan.enrolment.model import RequestState
from inkan.wire import enrolment_request
from portal.browsers import OWN, Browser, body_of
from support.world import World, settings_for, world_on

__all__ = ["browser", "stranger"]
PATH = "/enrol/request"
LOOPBACK = "http://127.0.0.1:24797"


async def prepare(world: World, browser: Browser) -> str:
    """A request whose phone shows its digits; returns those."""
    await begin(browser)
    phone = world.new_phone()
    await phone.join(await frame(browser))
    return await phone.prepare()


async def signed(world: World, browser: Browser, digits: str) -> str:
    """What the card makes of the page's content."""
    return base64url.encode(
        await world.sign(resumed(world, browser), await world.citizen(), digits)
    )


async def test_the_page_hands_the_content_over_and_takes_the_signature(browser, world):
    digits = await prepare(world, browser)
    reply = await browser.see(f"{PATH}/content")
    wanted = json.loads(reply.body)
    bind = enrolment_request.parse_bind(base64url.decode(wanted["content"]))
    assert bind.aud == world.origins.platform  # the agent compares this with the page's origin
    assert wanted["content_type"] == enrolment_request.CONTENT_TYPES["bind"]
    assert digits not in reply.text
    reply = await browser.send(f"{PATH}/sign", PATH, cms=await signed(world, browser, digits))
    assert (reply.status, reply.header("location")) == (303, PATH)
    assert "The phone is bound" in await page(browser)


@on_sqlite
@pytest.mark.parametrize("cms", ["", "AAAA", "no base64!", "A" * 4000])
async def test_what_is_no_signature_is_said_and_can_be_mended(browser, world, cms):
    digits = await prepare(world, browser)
    reply = await browser.send(f"{PATH}/sign", PATH, cms=cms)
    assert reply.status == 400
    assert "The card did not sign" in html.unescape(body_of(reply))
    (row,) = await rows(world, store.request)
    assert row.state == RequestState.PREPARED
    reply = await browser.send(f"{PATH}/sign", PATH, cms=await signed(world, browser, digits))
    assert reply.status == 303


@on_sqlite
async def test_another_browser_and_another_site_get_and_send_nothing(browser, stranger, world):
    assert (await stranger.see(f"{PATH}/content")).status == 404
    digits = await prepare(world, browser)
    cms = await signed(world, browser, digits)
    assert (await stranger.see(f"{PATH}/content")).status == 404
    evil = OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for headers in (evil, OWN):
        reply = await browser.post(f"{PATH}/sign", headers=headers, form={"cms": cms})
        assert reply.status == 403
    await begin(stranger)
    reply = await stranger.send(f"{PATH}/sign", PATH, cms=cms)
    assert reply.status >= 400
    states = {row.state for row in await rows(world, store.request)}
    assert states == {RequestState.PREPARED, RequestState.STARTED}


@on_sqlite
async def test_there_is_nothing_to_sign_before_the_phone_is_ready(browser):
    await begin(browser)
    assert (await browser.see(f"{PATH}/content")).status == 409


@on_sqlite
async def test_the_page_may_speak_to_the_loopback_agent_that_is_named_and_to_no_other(
    database, clock, tmp_path, browser
):
    await begin(browser)
    reply = await browser.see(PATH)
    assert "inkan-card-agent" not in reply.text
    assert "connect-src 'self';" in reply.header("content-security-policy")
    settings = msgspec.structs.replace(settings_for(tmp_path), cards=Cards(agent=LOOPBACK))
    async with world_on(database, clock, tmp_path / "named", settings=settings) as world:
        other = Browser(world.instance.application)
        await begin(other)
        reply = await other.see(PATH)
        assert f'<meta name="inkan-card-agent" content="{LOOPBACK}">' in reply.text
        assert f"connect-src 'self' {LOOPBACK};" in reply.header("content-security-policy")


@on_sqlite
async def test_signatures_are_judged_a_bounded_number_of_times(browser, world):
    """Each costs a worker; the limit of the page, which looks every second, would be one for nobody."""
    await prepare(world, browser)
    replies = [await browser.send(f"{PATH}/sign", PATH, cms="AAAA") for _ in range(31)]
    assert replies[0].status == 400
    assert replies[-1].status == 429
