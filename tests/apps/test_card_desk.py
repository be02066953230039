"""The card desk by itself and before a platform in this process: what it shows, refuses, and never gives out."""

import html
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.apps.showcase.card_desk import DeskCard, application, card_desk, reader_pages
from inkan.apps.showcase.card_desk.application import HERE
from inkan.apps.showcase.card_desk.pages import PLACES, USES, VISIT_COOKIE, WORDS
from inkan.client import SoftwareCard
from inkan.client.card import PIN_TRIES
from inkan.kernel.sensitive import Secret
from inkan.store.database import Database
from inkan.web.languages import Language
from inkan.web.templates import Templates
from inkan.wire.binding import BackEnd
from inkan.wire.enrolment_request import KeyUse
from support.asgi import Client, Reply
from support.clock import StandingClock
from support.ports import free_port
from support.world import PIN, World, world_on

DESK = "http://carddesk.localhost:8483"
OWN = {"origin": DESK, "sec-fetch-site": "same-origin", "accept": "text/html"}
KEY = f"enr_{'a' * 26}.{'A' * 43}"
XSS = '"><script>alert(1)</script>'
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Browser(Client):
    """One browser before the desk."""

    async def send(self, path: str, page: str, **fields: str) -> Reply:
        text = (await self.get(page, headers=OWN)).text
        token = re.findall(r'name="csrf_token" value="([0-9a-f]{64})"', text)
        return await self.post(path, headers=OWN, form={"csrf_token": token[0], **fields})

    async def sign(self, digits: str, *, card: str = "chen", pin: str = PIN.reveal()) -> Reply:
        return await self.send("/sign", "/sign", card=card, digits=digits, pin=pin)

    async def page(self) -> str:
        return html.unescape((await self.get("/sign", headers=OWN)).text)


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with world_on(database, clock, tmp_path) as made:
        yield made


@pytest.fixture
async def browser(world: World, monkeypatch: pytest.MonkeyPatch) -> Browser:
    """Before a desk with two cards whose platform is in this process."""
    monkeypatch.setattr(application, "AsyncTransport", lambda: world.transport)
    cards = [
        DeskCard(key=key, holder=name, card=(await world.citizen(key)).card)
        for key, name in (("chen", "陳怡君"), ("lin", f"林{XSS}"))
    ]
    made = card_desk(origin=DESK, platform=world.origins.platform, cards=cards, clock=world.clock)
    return Browser(made, DESK)


@pytest.fixture
def alone(clock: StandingClock) -> Browser:
    """Before a desk whose platform does not answer."""
    gone = f"http://id.localhost:{free_port()}"
    return Browser(card_desk(origin=DESK, platform=gone, cards=[], clock=clock), DESK)


async def ready(world: World, browser: Browser, name: str = "my phone") -> str:
    """A request whose phone has made its keys, taken over by the desk; returns the digits."""
    phone = world.new_phone(name)
    started, digits = await world.prepared(phone)
    reply = await browser.send("/", "/", key=f"{started.id}.{started._secret.reveal()}")
    assert (reply.status, reply.header("location")) == (303, "/sign")
    return digits


async def test_the_desk_shows_what_is_given_and_the_card_signs_it(
    world: World, browser: Browser
) -> None:
    digits = await ready(world, browser, "陳的手機")
    text = await browser.page()
    for said in ("陳的手機", "tw-citizen", world.origins.platform, "sign in your name", "2026-1"):
        assert said in text, said
    assert digits not in text
    reply = await browser.sign(f"{digits[:4]} {digits[4:]}")  # as people type them
    assert reply.status == 303
    assert "Your card has signed" in await browser.page()
    assert "enrolment.bound" in await world.events()


@on_sqlite
async def test_wrong_digits_sign_nothing_and_spend_no_try(world: World, browser: Browser) -> None:
    digits = await ready(world, browser)
    wrong = str((int(digits) + 1) % 10**8).zfill(8)
    reply = await browser.sign(wrong)
    assert reply.status == 403
    assert "The digits are not those of this request." in reply.text
    assert digits not in reply.text
    with (await world.citizen()).card as card:
        assert card.tries_left() == PIN_TRIES
    assert "enrolment.accepted" not in await world.events()
    assert (await browser.sign(digits)).status == 303


@on_sqlite
async def test_a_wrong_pin_says_how_many_tries_are_left_and_the_fifth_locks(
    world: World, browser: Browser
) -> None:
    digits = await ready(world, browser)
    for left in range(PIN_TRIES - 1, 0, -1):
        reply = await browser.sign(digits, pin="000000")
        assert reply.status == 403
        assert f"Tries left: {left}" in reply.text
        assert "000000" not in reply.text
    assert "The card is locked" in (await browser.sign(digits, pin="000000")).text
    assert "The card is locked" in (await browser.sign(digits)).text


@on_sqlite
async def test_the_platforms_refusal_is_told_in_its_own_words(
    world: World, browser: Browser
) -> None:
    await world.bind("chen")
    digits = await ready(world, browser)
    browser_language = await browser.sign(digits)
    assert browser_language.status == 409
    assert "Not signed" in browser_language.text
    assert "waiting" in browser_language.text  # phone_young, as the platform says it


@on_sqlite
async def test_a_phone_that_is_not_ready_is_waited_for(world: World, browser: Browser) -> None:
    started = await world.start()
    key = f"{started.id}.{started._secret.reveal()}"
    await browser.send("/", "/", key=key)
    assert "The phone is not ready yet" in await browser.page()
    phone = world.new_phone()
    await phone.join(await started.frame())
    assert "The phone is not ready yet" in await browser.page()
    await phone.prepare()
    assert "What you give" in await browser.page()


@on_sqlite
async def test_an_ended_or_unknown_request_is_over(world: World, browser: Browser) -> None:
    await browser.send("/", "/", key=KEY)
    assert "This request has ended" in await browser.page()
    digits = await ready(world, browser)
    token = re.findall(r'csrf_token" value="([0-9a-f]{64})"', await browser.page())[0]
    world.clock.tick(601)
    form = {"csrf_token": token, "card": "chen", "digits": digits, "pin": PIN.reveal()}
    reply = await browser.post("/sign", headers=OWN, form=form)  # what was shown is too old
    assert reply.status == 410
    assert "This request has ended" in reply.text
    started = await world.start()
    world.clock.tick(601)
    await browser.send("/", "/", key=f"{started.id}.{started._secret.reveal()}")
    assert "This request has ended" in await browser.page()


@on_sqlite
async def test_what_is_missing_is_named_and_what_was_typed_stays_out(
    world: World, browser: Browser
) -> None:
    digits = await ready(world, browser)
    for fields, said in (
        ({"card": ""}, "Choose a card."),
        ({"card": XSS}, "Choose a card."),
        ({"digits": "1234"}, "Type the eight digits of the phone."),
        ({"digits": "x" * 8}, "Type the eight digits of the phone."),
        ({"pin": ""}, "Type the PIN."),
    ):
        wish = {"digits": digits} | fields
        reply = await browser.sign(**wish)
        assert reply.status == 400
        assert said in reply.text
        assert XSS not in reply.text
        assert digits not in reply.text
    assert f'value="{PIN.reveal()}"' not in reply.text


@on_sqlite
async def test_names_of_phones_and_people_are_text(world: World, browser: Browser) -> None:
    await ready(world, browser, XSS)
    raw = (await browser.get("/sign", headers=OWN)).text
    assert "<script>alert" not in raw
    assert html.unescape(raw).count(XSS) == 2


@on_sqlite
async def test_another_browser_has_nothing_to_sign(world: World, browser: Browser) -> None:
    await ready(world, browser)
    other = Browser(browser.application, DESK)
    assert (await other.get("/sign", headers=OWN)).header("location") == "/"
    other.cookies[VISIT_COOKIE] = "made up"
    assert (await other.get("/sign", headers=OWN)).header("location") == "/"
    assert (await browser.send("/leave", "/sign")).status == 303
    assert (await browser.get("/sign", headers=OWN)).header("location") == "/"


@pytest.mark.parametrize(
    "key", ["", "enr_", KEY[:-1], KEY + "A", f"../../v1/{KEY}", f"{KEY}\n{KEY}", XSS, "enr_x.y"]
)
async def test_only_a_code_of_the_page_is_taken(alone: Browser, key: str) -> None:
    reply = await alone.send("/", "/", key=key)
    assert reply.status == 400
    assert "This is not a code of the enrolment page." in reply.text
    assert VISIT_COOKIE not in alone.cookies
    assert "<script>alert" not in reply.text


async def test_a_platform_that_is_gone_is_said(alone: Browser) -> None:
    await alone.send("/", "/", key=KEY)
    reply = await alone.get("/sign", headers=OWN)
    assert reply.status == 503
    assert "The service cannot be reached." in reply.text


def test_a_card_of_the_desk_is_a_real_one(tmp_path: Path) -> None:
    card, _ = SoftwareCard.make(tmp_path / "x.card", pin=Secret("571908"))
    assert DeskCard(key="x", holder="X", card=card).card is card


def test_tables_are_whole_and_every_text_is_translated() -> None:
    assert (set(USES), set(PLACES)) == (set(KeyUse), set(BackEnd))
    pages = "".join(each.read_text("utf-8") for each in (HERE / "templates").glob("*.html"))
    asked = set(re.findall(r'_\("([^"]+)"', pages)) | WORDS | reader_pages.WORDS
    templates = Templates({"card_desk": HERE})
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []
    for catalogue in (HERE / "locale").rglob("*.po"):
        found = re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE)
        assert sorted(set(found) - asked) == []
