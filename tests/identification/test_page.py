"""The redirect page: one browser begins, three ways answer, the same browser takes the answer back (TW-53 to TW-57)."""

import re

import pytest

from identification.callers import SystemCaller, WebClient, code_of
from identification.doorways import all_doors, brought, hint_of
from identification.visits import Visit
from inkan.client import Phone
from inkan.identification.pages import BROWSER_COOKIE
from portal.browsers import OWN, Browser, body_of
from support.clock import StandingClock
from support.world import CITIZENS, World

CHEN = CITIZENS["chen"][2]
_STAGE = re.compile(r'data-scan-state="(\w+)"')


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.mark.req("TW-53")
@pytest.mark.req("TW-54")
@pytest.mark.req("TW-55")
@pytest.mark.req("TW-56")
async def test_the_page_offers_three_ways_with_what_each_needs(
    office: SystemCaller, browser: Browser
):
    visit = await Visit.begun(office, browser)
    page = body_of(await visit.see())
    for text in ("Choose the authentication mode", "Get QR code", "Get push message", "Open app"):
        assert text in page
    assert page.count('name="national_id"') == 3
    assert page.count('name="phone_name"') == 1
    assert page.count('maxlength="10"') == 3  # TW-44
    assert "Tax Office" in page
    assert "tax.example" in page
    chinese = await browser.see(visit.path + "?lang=zh-Hant")
    for text in ("選擇驗證方式", "取得 QR 碼", "取得推播通知", "開啟 App"):
        assert text in body_of(chinese)


@pytest.mark.req("TW-57")
async def test_by_code(office: SystemCaller, browser: Browser, phone: Phone):
    visit = await Visit.begun(office, browser)
    assert (await visit.choose("frame")).status == 303
    await phone.open_frame(await visit.frame())
    assert _STAGE.findall((await visit.see()).text) == ["opened"]
    decision = await phone.approve()
    assert decision.return_url is None  # the answer goes back in the browser that began
    assert "Your phone has answered" in body_of(await visit.see())
    seen = await visit.redeem((await visit.back())["return_code"])
    assert (seen["outcome"], seen["door"]) == ("ok", "redirect/qr")
    assert seen["binding"] == {"level": "none", "evidence": ["browser_bound"]}
    assert "close this page" in body_of(await visit.see())


@pytest.mark.req("TW-57")
async def test_by_push(world: World, office: SystemCaller, browser: Browser, phone: Phone):
    visit = await Visit.begun(office, browser, binding_min="matched")
    await visit.choose("push", national_id=CHEN.lower(), phone_name="my phone")
    page = body_of(await visit.see())
    assert "Push message sent" in page
    [code] = re.findall(r"(\d{3})\D+(\d{3})\D", re.sub(r"<[^>]+>", " ", page))
    await world.instance.catch_up()
    [waiting] = await phone.waiting()
    await phone.open_push(waiting.approval, "".join(code))
    await phone.approve()
    seen = await visit.redeem((await visit.back())["return_code"])
    assert (seen["outcome"], seen["match"], seen["door"]) == ("ok", True, "redirect/push")
    assert seen["binding"] == {"level": "matched", "evidence": ["browser_bound", "code_entered"]}


@pytest.mark.req("TW-57")
async def test_by_the_app_on_the_same_phone(office: SystemCaller, browser: Browser, phone: Phone):
    visit = await Visit.begun(office, browser, binding_min="returned")
    await visit.choose("link")
    [address] = re.findall(r'href="(http://wallet[^"]+)"', (await visit.see()).text)
    await phone.open_link(address)
    back = brought((await phone.approve()).return_url)
    seen = await visit.redeem(back["return_code"])
    assert (seen["door"], seen["binding"]) == (
        "redirect/open",
        {"level": "returned", "evidence": ["redeemed"]},
    )


async def test_another_browser_sees_nothing_and_takes_nothing(
    world: World, office: SystemCaller, browser: Browser, phone: Phone
):
    stranger = Browser(world.instance.application)
    visit = await Visit.begun(office, browser)
    await visit.choose("frame")
    assert "Begun in another browser" in body_of(await visit.see(stranger))
    assert (await stranger.get(f"{visit.path}/picture", headers=OWN)).status == 204
    assert (await stranger.get(f"{visit.path}/camera", headers=OWN)).status == 404
    assert (await visit.choose("link", browser=stranger)).status == 404
    await phone.open_frame(await visit.frame())
    await phone.approve()
    assert (await visit.finish(stranger)).status == 404
    assert (await visit.back())["return_code"]


async def test_looking_changes_nothing(world: World, office: SystemCaller, browser: Browser):
    visit = await Visit.begun(office, browser)
    before = await world.events()
    stranger = Browser(world.instance.application)
    await visit.see(stranger)
    await visit.see()
    assert await world.events() == before
    assert BROWSER_COOKIE not in stranger.cookies
    assert (await visit.choose("frame")).status == 303  # the first look did not claim it


@pytest.mark.parametrize("number", ["A123456788", "1234567890", "B123456789", "<script>"])
async def test_a_number_that_is_none(office: SystemCaller, browser: Browser, number: str):
    visit = await Visit.begun(office, browser)
    reply = await visit.choose("push", national_id=number)
    assert reply.status == 400
    assert "not a national ID number" in body_of(reply)
    assert number not in body_of(reply).replace("&lt;", "<")  # typed data is not echoed
    assert (await visit.choose("push")).status == 400  # a push needs a number


async def test_unknown_refusing_and_waiting_persons_look_alike_on_the_page_too(
    world: World, office: SystemCaller, phone: Phone
):
    visits = []
    for number in (CHEN, CHEN, "B123456780"):
        visit = await Visit.begun(office, Browser(world.instance.application))
        await visit.choose("push", national_id=number)
        visits.append(visit)
    await world.instance.catch_up()
    newest = (await phone.waiting())[0]
    code = re.sub(
        r"\D",
        "",
        "".join(re.findall(r'class="code[^>]*>(.*?)</', (await visits[1].see()).text, re.DOTALL)),
    )
    if len(code) != 6:
        code = world.platform.identification._parts.code(newest.approval)
    await phone.open_push(newest.approval, code)
    await phone.refuse(newest.approval)

    async def looks(visit: Visit) -> str:
        page = body_of(await visit.see())
        page = page.replace(visit.path, "/identify/x")
        page = re.sub(r'csrf_token" value="\w+"', "", page)
        return re.sub(r"\d{3}", "000", page)

    assert len({await looks(visit) for visit in visits}) == 1
    again = {(await visit.choose("frame")).status for visit in visits}
    assert again == {409}  # no other way behind a push, for nobody
    resent = {
        (await visit.browser.send(f"{visit.path}/resend", visit.path)).status for visit in visits
    }
    assert resent == {303}
    for visit in visits:
        assert set(await visit.back()) == {"session"}
        seen = await office.read(visit.session)
        assert (seen["state"], seen["outcome"]) == ("cancelled", None)


async def test_cancel_goes_back_without_an_answer(office: SystemCaller, browser: Browser):
    visit = await Visit.begun(office, browser)
    assert await visit.back() == {"session": visit.session}
    assert (await office.read(visit.session))["state"] == "cancelled"


async def test_a_code_on_the_page_lives_three_minutes_and_may_be_drawn_anew(
    office: SystemCaller, browser: Browser, phone: Phone, clock: StandingClock
):
    visit = await Visit.begun(office, browser, expires_in=600)
    await visit.choose("frame")
    old = await visit.frame()
    clock.tick(180)
    assert "Get QR code" in body_of(await visit.see())
    await visit.choose("frame")
    fresh = await visit.frame()
    assert old.split(".")[-3] != fresh.split(".")[-3]
    await phone.open_frame(fresh)


async def test_whom_the_relying_party_expects_is_not_asked_again(
    office: SystemCaller, browser: Browser, phone: Phone
):
    visit = await Visit.begun(office, browser, subject_hint=hint_of("lin"))
    assert 'name="national_id"' not in body_of(await visit.see())
    await visit.choose("frame", national_id=CHEN)  # sent all the same: it replaces nothing
    await phone.open_frame(await visit.frame())
    await phone.approve()
    seen = await office.read(visit.session)
    assert (seen["outcome"], seen["reason"]) == ("failed", "subject_mismatch")


async def test_a_form_of_another_site_begins_nothing(office: SystemCaller, browser: Browser):
    visit = await Visit.begun(office, browser)
    foreign = {"origin": "https://evil.example", "accept": "text/html"}
    reply = await browser.post(visit.path, headers=foreign, form={"way": "frame"})
    assert reply.status == 403


async def test_an_unknown_page(world: World, browser: Browser, web: WebClient):
    reply = await browser.see("/identify/pg_" + "a" * 26)
    assert reply.status == 404
    answer = await web.get("/identify/pg_nothing", headers={"accept": "application/json"})
    assert code_of(answer) == (404, "page_not_found")
