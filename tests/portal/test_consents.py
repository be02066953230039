"""The pages of consents and known browsers, and everybody who would take back or forget somebody else's."""

from collections.abc import Callable
from typing import Any

import pytest

from identification.doorways import RETURN_URL, all_doors, brought, started
from inkan.client import Phone, RelyingParty
from inkan.wire.binding import Door
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from support.world import PURPOSES, World

Another = Callable[[], Browser]
ASKING = [{**PURPOSES[0], "claims": ["name", "age_over_18"]}]


@pytest.fixture
async def home(browser: Browser, phone: Phone) -> Browser:
    """陳怡君's browser, logged in."""
    await browser.log_in(phone)
    return browser


@pytest.fixture
async def shop(world: World) -> RelyingParty:
    return await world.agency("shop", name="The shop", **all_doors(purposes=ASKING))


@pytest.fixture
async def given(world: World, shop: RelyingParty, phone: Phone) -> str:
    """The id of a consent to give name and age, in a browser that the shop knows from then on."""
    back, verifier = started()
    session: Any = await shop.create_session(
        "identify",
        purpose="login",
        doors=[Door.WEB_LINK],
        claims=["name", "age_over_18"],
        browser="A" * 43,
        return_to=back,
    )
    await phone.open_link(session.doors.web_link.url)
    address = (await phone.approve()).return_url
    assert address is not None
    assert address.startswith(RETURN_URL)
    await session.redeem(verifier, return_code=brought(address)["return_code"])
    [consent] = await phone.consents()
    return str(consent["id"])


async def test_a_consent_is_shown_and_taken_back(home: Browser, world: World, given: str) -> None:
    page = body_of(await home.see("/my/consents"))
    for text in ("The shop", "tax.example", "name; whether you are 18 or older", "stands"):
        assert text in page, text
    assert "陳怡君" not in page  # what was given is named, not shown
    reply = await home.send(f"/my/consents/{given}/withdraw", "/my/consents")
    assert (reply.status, reply.header("location")) == (303, "/my/consents")
    page = body_of(await home.see("/my/consents"))
    assert "withdrawn" in page
    assert "<form" not in page
    assert (await home.send(f"/my/consents/{given}/withdraw", "/login")).status == 303
    assert (await world.events()).count("attributes.consent_withdrawn") == 1
    assert "撤回済み" in body_of(await home.see("/my/consents?lang=ja"))


async def test_a_known_browser_is_shown_and_forgotten(
    home: Browser, world: World, given: str, phone: Phone
) -> None:
    page = body_of(await home.see("/my/browsers"))
    assert "The shop" in page
    [browser] = await phone.browsers()
    path = f"/my/browsers/{browser['id']}/forget"
    reply = await home.send(path, "/my/browsers")
    assert (reply.status, reply.header("location")) == (303, "/my/browsers")
    assert "No service knows a browser" in body_of(await home.see("/my/browsers"))
    assert await phone.browsers() == []
    assert (await world.events()).count("identification.browser_unpaired") == 1


async def test_the_phone_forgets_a_browser_too(world: World, given: str, phone: Phone) -> None:
    [browser] = await phone.browsers()
    await phone.forget_browser(browser["id"])
    assert await phone.browsers() == []


async def test_nobody_touches_somebody_elses(
    home: Browser, another: Another, world: World, given: str, phone: Phone
) -> None:
    [known] = await phone.browsers()
    other = another()
    await other.log_in(await world.bind("lin", phone=world.new_phone("phone of lin")))
    token = csrf_of(await other.see("/my"))
    targets = {
        "consent_not_found": ("/my/consents/{}/withdraw", given, "con_" + "a" * 32),
        "browser_not_found": ("/my/browsers/{}/forget", known["id"], "br_" + "a" * 32),
    }
    for code, (path, theirs, made_up) in targets.items():
        for target in (theirs, made_up):
            form = {"csrf_token": token}
            reply = await other.post(path.format(target), headers=PROGRAM, form=form)
            assert (reply.status, reply.json()["code"]) == (404, code)
    for path in ("/my/consents", "/my/browsers"):
        assert "The shop" not in body_of(await other.see(path))
        assert "The shop" in body_of(await home.see(path))
    assert "stands" in body_of(await home.see("/my/consents"))


async def test_other_sites_take_back_nothing(home: Browser, given: str, phone: Phone) -> None:
    [known] = await phone.browsers()
    token = csrf_of(await home.see("/my/consents"))
    evil = OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for path in (f"/my/consents/{given}/withdraw", f"/my/browsers/{known['id']}/forget"):
        assert (await home.post(path, headers=evil, form={"csrf_token": token})).status == 403
        assert (await home.post(path, headers=OWN, form={})).status == 403
    assert "stands" in body_of(await home.see("/my/consents"))
    assert len(await phone.browsers()) == 1


async def test_without_any_the_pages_say_so(home: Browser) -> None:
    assert "You have given no facts" in body_of(await home.see("/my/consents"))
    assert "No service knows a browser" in body_of(await home.see("/my/browsers"))
    page = body_of(await home.see("/my"))
    assert 'href="/my/consents"' in page
    assert 'href="/my/browsers"' in page
