"""The enrolment page before browsers of this process: who sees what, and what a request's secret opens."""

import asyncio
import html
import re
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from enrolment.hands import on_sqlite, rows
from inkan.client import CallGone, EnrolmentClient, StartedEnrolment
from inkan.composition.enrolment_settings import EnrolmentSettings
from inkan.composition.routes import PAGED
from inkan.crypto import base64url
from inkan.enrolment import CardClient, store
from inkan.enrolment.model import RequestState
from inkan.enrolment.pages import ENROL_COOKIE, FOLDER, STEPS, WORDS
from inkan.kernel.identifiers import Residence
from inkan.pki import LintRefused
from inkan.schemes import Texts, get_scheme
from inkan.web.languages import Language
from inkan.web.templates import Templates
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from support.asgi import Reply
from support.world import SCHEME, World, settings_for, world_on

XSS = '"><script>alert(1)</script>'
TERMS = f"/enrol/terms/{SCHEME}"
ACCEPTED = {
    "scheme": SCHEME,
    "terms_version": get_scheme(SCHEME).terms.version,
    "terms": "yes",
    "risk": "yes",
}
_CAMERA = re.compile(r"--camera http://[^/]+(/enrol/camera/[\w.-]+)")
_PICTURE = "/enrol/request/picture"
CLIENT = CardClient(
    name=Texts(en="the card program", ja="カードプログラム", zh_hant="卡片程式"),
    url="https://carddesk.example/sign",
)


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.fixture
def stranger(world: World) -> Browser:
    return Browser(world.instance.application, address="198.51.100.9")


async def begin(browser: Browser, **changed: str) -> Reply:
    return await browser.send("/enrol", TERMS, **(ACCEPTED | changed))


async def page(browser: Browser, **headers: str) -> str:
    reply = await browser.see("/enrol/request", **headers)
    assert reply.status == 200
    return body_of(reply)


async def frame(browser: Browser) -> str:
    """What a camera reads off this browser's page now."""
    found = _CAMERA.search((await browser.see("/enrol/request")).text)
    assert found is not None
    return (await browser.get(found[1])).text


async def bind(world: World, browser: Browser, name: str = "my phone") -> None:
    """From the page to the issued certificates."""
    phone = world.new_phone(name)
    await phone.join(await frame(browser))
    digits = await phone.prepare()
    started = resumed(world, browser)
    await started.submit(await world.sign(started, await world.citizen(), digits))
    await phone.collect()


def resumed(world: World, browser: Browser) -> StartedEnrolment:
    """What the card program makes of what the page hands over."""
    request_id, _, secret = browser.cookies[ENROL_COOKIE].partition(".")
    desk = EnrolmentClient(world.origins.platform, transport=world.transport)
    return desk.resume(request_id, secret)


@on_sqlite
@pytest.mark.req("TW-08", "TW-29", "TW-30", "TW-31")
async def test_the_first_page_says_who_may_and_the_scheme_says_the_figures(browser):
    text = html.unescape(body_of(await browser.see("/enrol")))
    for said in (
        "Mobile natural-person certificate",
        "nationals with household registration",
        "holders of a residence certificate",
        "18",
        "nothing",
    ):
        assert said in text, said
    assert TERMS in text
    assert 'href="/enrol"' in (await browser.see("/")).text  # the menu leads here


@on_sqlite
@pytest.mark.parametrize("language", list(Language))
async def test_the_terms_of_the_scheme_are_read_before_anything_begins(browser, language):
    reply = await browser.see(TERMS, **{"accept-language": language.value})
    text = html.unescape(body_of(reply))
    for line in get_scheme(SCHEME).terms.text.in_language(language.value).split("\n"):
        for part in re.split("[:：]", line.strip(), maxsplit=1):
            assert part.strip() in text
    assert get_scheme(SCHEME).terms.version in text


@pytest.mark.req("JPKI-07")
async def test_nothing_begins_without_both_ticks(browser, world):
    for missing in ("terms", "risk"):
        reply = await begin(browser, **{missing: ""})
        assert reply.status == 400
        assert "Both boxes below must be ticked." in reply.text
    assert ENROL_COOKIE not in browser.cookies
    assert await rows(world, store.request) == []
    reply = await begin(browser, terms_version="2019-1")
    assert (reply.status, "The terms have changed" in reply.text) == (400, True)
    assert await rows(world, store.request) == []
    assert (await begin(browser)).header("location") == "/enrol/request"
    (row,) = await rows(world, store.request)
    assert (row.scheme, row.terms_version) == (SCHEME, ACCEPTED["terms_version"])


@on_sqlite
async def test_an_unknown_scheme_is_not_found(browser):
    assert (await browser.see("/enrol/terms/xx-nobody")).status == 404
    reply = await begin(browser, scheme="xx-nobody")
    assert reply.status == 404


async def test_the_page_follows_the_phone_from_code_to_done(browser, world):
    await begin(browser)
    assert "Scan this code with the wallet" in await page(browser)
    phone = world.new_phone("陳的手機")
    await phone.join(await frame(browser))
    assert "asks for your fingerprint" in await page(browser)
    assert (await browser.see(_PICTURE)).status == 204
    digits = await phone.prepare()
    text = await page(browser)
    assert "The phone is ready" in text
    assert "陳的手機" in text
    started = resumed(world, browser)
    await started.submit(await world.sign(started, await world.citizen(), digits))
    text = await page(browser)
    assert "The phone is bound" in text
    assert 'href="/my"' in text
    assert "data-scan-states" not in text  # nothing more to wait for


@on_sqlite
async def test_the_digits_never_stand_on_the_page(browser, world):
    await begin(browser)
    phone = world.new_phone()
    seen = [await page(browser)]
    await phone.join(await frame(browser))
    digits = await phone.prepare()
    seen.append((await browser.see("/enrol/request")).text)
    started = resumed(world, browser)
    await started.submit(await world.sign(started, await world.citizen(), digits))
    seen.append((await browser.see("/enrol/request")).text)
    for text in seen:
        assert digits not in text
        assert digits[:4] not in re.sub(r"[0-9a-f]{16,}|[\w-]{43}|enr_\w+", "", text)


@on_sqlite
async def test_another_browser_sees_nothing_and_goes_on_with_nothing(browser, stranger):
    await begin(browser)
    for path in ("", "/picture", "/states"):
        reply = await stranger.see(f"/enrol/request{path}")
        assert (reply.status, "<svg" in reply.text) in {(303, False), (204, False), (404, False)}
    request_id = browser.cookies[ENROL_COOKIE].partition(".")[0]
    for guess in (f"{request_id}.{'A' * 43}", f"{request_id}.", request_id, ".", "§", XSS):
        stranger.cookies[ENROL_COOKIE] = guess
        assert (await stranger.see("/enrol/request")).status == 303
        assert (await stranger.see(_PICTURE)).status == 204


@on_sqlite
async def test_the_secret_is_in_the_cookie_and_behind_the_sign_of_the_link_alone(
    database, clock, tmp_path
):
    settings = msgspec.structs.replace(
        settings_for(tmp_path), enrolment=EnrolmentSettings(card_clients=(CLIENT,))
    )
    async with world_on(database, clock, tmp_path, settings=settings) as world:
        browser = Browser(world.instance.application)
        reply = await begin(browser)
        [line] = [each for each in reply.all("set-cookie") if each.startswith(f"{ENROL_COOKIE}=")]
        for part in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
            assert part in line
        phone = world.new_phone()
        await phone.join(await frame(browser))
        await phone.prepare()
        key = browser.cookies[ENROL_COOKIE]
        text = await page(browser)
        assert f'href="{CLIENT.url}#{key}"' in text
        assert "Open the card program" in text
        secret = key.partition(".")[2]
        for address in re.findall(r'(?:href|src|action)="([^"#]*)', text):
            assert secret not in address


@on_sqlite
async def test_the_code_as_text_needs_its_own_name(browser, world):
    await begin(browser)
    found = _CAMERA.search((await browser.see("/enrol/request")).text)
    assert found is not None
    reply = await browser.get(found[1])
    assert (reply.status, reply.header("content-type")) == (200, "text/plain")
    request_id = browser.cookies[ENROL_COOKIE].partition(".")[0]
    for name in (request_id, f"{request_id}.{'A' * 43}", "enr_nobody.x", "§"):
        assert (await browser.get(f"/enrol/camera/{name}", headers=PROGRAM)).status == 404


@on_sqlite
async def test_a_request_ends_by_itself_and_the_page_says_so(browser, world):
    await begin(browser)
    world.clock.tick(timedelta(minutes=10))
    text = await page(browser)
    assert "The time is over" in text
    assert "Begin again" in text
    assert (await browser.see(_PICTURE)).status == 204
    assert "You have begun already" not in body_of(await browser.see("/enrol"))


@on_sqlite
async def test_a_refused_request_says_why_and_what_to_do(browser, world, monkeypatch):
    await begin(browser)
    phone = world.new_phone()
    await phone.join(await frame(browser))
    digits = await phone.prepare()
    started = resumed(world, browser)

    async def refuse(*_):
        raise LintRefused(findings=[])

    monkeypatch.setattr(type(world.platform.pki), "complete", refuse)
    cms = await world.sign(started, await world.citizen(), digits)
    with pytest.raises(CallGone):
        await started.submit(cms)
    text = await page(browser)
    assert "The phone was not bound" in text
    assert "Nothing was kept." in text


@on_sqlite
async def test_a_name_of_a_phone_is_text(browser, world):
    await begin(browser)
    phone = world.new_phone(XSS)
    await phone.join(await frame(browser))
    assert XSS not in (await browser.see("/enrol/request")).text
    await phone.prepare()
    text = (await browser.see("/enrol/request")).text
    assert XSS not in text
    assert XSS in html.unescape(text)


@on_sqlite
async def test_whoever_gives_up_leaves_and_may_begin_again(browser):
    await begin(browser)
    assert "You have begun already" in body_of(await browser.see("/enrol"))
    reply = await browser.send("/enrol/request/leave", "/enrol/request")
    assert (reply.status, reply.header("location")) == (303, "/enrol")
    assert (await browser.see("/enrol/request")).header("location") == "/enrol"
    first = browser.cookies.get(ENROL_COOKIE)
    await begin(browser)
    assert browser.cookies[ENROL_COOKIE] != first


@on_sqlite
async def test_other_sites_begin_nothing_here(browser, world):
    token = csrf_of(await browser.see(TERMS))
    evil = OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    form = {"csrf_token": token, **ACCEPTED}
    assert (await browser.post("/enrol", headers=evil, form=form)).status == 403
    assert (await browser.post("/enrol", headers=OWN, form=ACCEPTED)).status == 403
    assert await rows(world, store.request) == []


async def test_the_states_are_told_as_they_come_and_end_with_the_request(browser, world):
    await begin(browser)
    request_id, _, secret = browser.cookies[ENROL_COOKIE].partition(".")
    enrolment = world.platform.enrolment
    stream = enrolment.states(request_id, secret=base64url.decode(secret))
    assert await anext(stream) == RequestState.STARTED
    coming = asyncio.ensure_future(anext(stream))
    phone = world.new_phone()
    await phone.join(await frame(browser))
    assert await asyncio.wait_for(coming, 5) == RequestState.JOINED  # woken, not re-read
    world.clock.tick(timedelta(minutes=10))
    coming = asyncio.ensure_future(anext(stream))
    world.platform.db.bus.wake_all()
    assert await asyncio.wait_for(coming, 5) == RequestState.EXPIRED
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


def test_tables_are_whole():
    assert set(STEPS) == set(RequestState)
    assert len(WORDS) == len(Residence)


def test_every_text_is_translated_and_none_is_left_over():
    pages = "".join(each.read_text("utf-8") for each in (FOLDER / "templates").glob("*.html"))
    asked = set(re.findall(r'_\("([^"]+)"', pages)) | WORDS
    folders = {each.__name__.split(".")[-1]: Path(str(each.__file__)).parent for each in PAGED}
    templates = Templates(folders)
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []
    for catalogue in (FOLDER / "locale").rglob("*.po"):
        found = re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE)
        assert sorted(set(found) - asked) == []
