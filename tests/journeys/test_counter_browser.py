"""The counter in a real browser: clerks log in by card, a person gets, unlocks and ends a card, step by step."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from counter.clerks import PEOPLE, RESIDENCE_CARD, issued
from inkan.client.card import PIN_TRIES
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter.model import CaseKind, DocumentKind
from inkan.counter.rules import TERMS
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.web.catalogue import entry
from journeys.counter_hall import Hall, ReaderOverPCSC, hall_on
from journeys.counter_walk import (
    HANAKO,
    begin_shift,
    enter,
    identify,
    keys_page,
    open_case,
    printed,
    shoot,
    states,
)
from support.browser import Chromium, Look, within
from support.card_in_process import ReaderInProcess
from support.clock import StandingClock
from support.terminals import PINS
from support.vpcd import Service
from support.world import CLERK, PLATFORM

pytestmark = pytest.mark.browser


@pytest.fixture
async def hall(
    sqlite_url: str, clock: StandingClock, tmp_path: Path, chromium: Chromium
) -> AsyncIterator[Hall]:
    async with hall_on(sqlite_url, clock, tmp_path, chromium) as made:
        await made.desk.resident("hanako")
        yield made


@pytest.fixture
async def hall_with_reader(
    sqlite_url: str,
    clock: StandingClock,
    tmp_path: Path,
    chromium: Chromium,
    card_service: Service,
) -> AsyncIterator[Hall]:
    reader = ReaderOverPCSC(card_service)
    async with hall_on(sqlite_url, clock, tmp_path, chromium, reader) as made:
        await made.desk.resident("hanako")
        yield made
        await asyncio.to_thread(reader.pull)


@pytest.mark.req("JPKI-21")
async def test_a_card_is_issued_in_five_steps(hall: Hall, chromium: Chromium) -> None:
    window = await chromium.open()
    await hall.log_in(window)
    asked = hall.fingers.questions[0]
    assert (asked.origin, asked.key) == (PLATFORM, KeyUse.AUTHENTICATION)
    await begin_shift(window)
    await open_case(window, "Certificates for a card")
    await shoot(window, "1-identify")
    await window.press("Show what the registers say of the person")
    await window.see("田中花子")
    await shoot(window, "1-facts")
    await identify(window, terms=True)
    await window.see("The card makes its keys")
    await shoot(window, "2-keys")
    card = hall.desk.blank_card()
    hall.reader.insert(card)
    await window.press("Make the keys")
    await window.see("The certificates go into the card")
    await shoot(window, "3-write")
    await window.press("Write the certificates")
    await window.see("Take the fee")
    await shoot(window, "4-fee")
    assert (await printed(window, "Copy of the certificates")).startswith(b"%PDF-")
    await window.press("The fee was paid")
    await window.see("Fee paid")
    await window.press("Card, copy and handbook are handed over")
    await window.see("The card is handed over")
    await shoot(window, "5-done")
    for use in KeyUse:
        with PivCard(ReaderInProcess(card), use) as held:
            held.verify_pin(Secret(PINS[use]))
            assert held.certificates()


@pytest.mark.req("JPKI-21")
async def test_a_card_is_issued_over_a_real_reader(
    hall_with_reader: Hall, chromium: Chromium
) -> None:
    """The same way through PC/SC, and a card that leaves the reader while the page is open."""
    hall, window = hall_with_reader, await chromium.open()
    await keys_page(hall, window)
    card = hall.desk.blank_card()
    await asyncio.to_thread(hall.reader.insert, card)
    await hall.be_looked_at()
    await asyncio.to_thread(hall.reader.pull)
    await window.see("The card was taken out")
    await asyncio.to_thread(hall.reader.insert, card)
    await window.press("Show the case again", role="link")
    await window.press("Make the keys")
    await window.see("The certificates go into the card", within_s=30)
    await window.press("Write the certificates")
    await window.see("Take the fee", within_s=30)
    await asyncio.to_thread(hall.reader.pull)
    with PivCard(ReaderInProcess(card), KeyUse.SIGNATURE) as held:
        held.verify_pin(Secret(PINS[KeyUse.SIGNATURE]))
        assert held.certificates()
        assert held.issuer_certificates()


async def test_a_locked_card_gets_a_new_pin(hall: Hall, chromium: Chromium) -> None:
    card = hall.desk.blank_card()
    await issued(hall.desk, hall.terminal, card)
    with PivCard(ReaderInProcess(card), KeyUse.AUTHENTICATION) as held:
        for _ in range(PIN_TRIES):
            with pytest.raises(InkanError):
                held.verify_pin(Secret("9999"))
        assert held.tries_left() == 0
    window = await chromium.open()
    await hall.log_in(window)
    await open_case(window, "New PIN for a locked card")
    await identify(window)
    await window.see("The person sets a new PIN")
    hall.reader.insert(card)
    await shoot(window, "pin-1")
    await within(window.page.get_by_label("Which PIN").select_option("authentication"))
    hall.terminal.person.pins[KeyUse.AUTHENTICATION] = "8603"
    await window.press("Set a new PIN")
    await window.see("The new PIN is set")
    await shoot(window, "pin-2")
    with PivCard(ReaderInProcess(card), KeyUse.AUTHENTICATION) as held:
        held.verify_pin(Secret("8603"))
    with PivCard(ReaderInProcess(card), KeyUse.SIGNATURE) as held:
        held.verify_pin(Secret(PINS[KeyUse.SIGNATURE]))


@pytest.mark.req("JPKI-25")
async def test_a_revocation_ends_with_an_acceptance_notice(hall: Hall, chromium: Chromium) -> None:
    await issued(hall.desk, hall.terminal, hall.desk.blank_card())
    window = await chromium.open()
    await hall.log_in(window)
    await open_case(window, "Revocation")
    await identify(window, chip=False)
    await window.see("The certificates end")
    await shoot(window, "revoke-1")
    await within(window.page.get_by_label("Cause, as on the form").select_option("stolen"))
    await window.press("Revoke for good")
    notice = window.page.locator(".receipt")
    await within(notice.wait_for())
    shown = await within(notice.inner_text())
    assert "Card stolen" in shown
    assert "April 1, 2026" in shown
    await shoot(window, "revoke-2")
    assert await states(hall) == {"revoked"}


async def test_two_clerks_look_where_no_chip_was_read(hall: Hall, chromium: Chromium) -> None:
    first, second = await chromium.open(), await chromium.open()
    await hall.log_in(first, "mei")
    await begin_shift(first)
    await open_case(first, "Certificates for a card")
    await identify(first, chip=False, terms=True)
    await first.see("Ask a colleague of this office")
    await shoot(first, "second-1")
    await hall.log_in(second, "kenji")
    await second.press("Begin my shift")
    await second.see("Waits for your second look")
    await shoot(second, "second-2")
    await second.press("田○○子", role="link")
    await second.press("Show what the registers say of the person")
    await second.see("千代田区丸の内一丁目1番")
    await shoot(second, "second-3")
    await second.press("I have seen the person and the document")
    await second.see("The card makes its keys")
    await first.press("Load this page again", role="link")
    await first.see("The card makes its keys")


async def test_a_second_look_of_long_ago_is_asked_for_anew(
    hall: Hall, chromium: Chromium, clock: StandingClock
) -> None:
    window = await chromium.open()
    desk, mei = hall.desk, await hall.desk.clerk("mei")
    await hall.log_in(window, "kenji")
    await window.press("Begin my shift")
    await window.see("No case is open.")
    case = await desk.counter.cases.open(mei, CaseKind.ISSUE, parse_national_id(HANAKO))
    passport = msgspec.structs.replace(RESIDENCE_CARD, kind=DocumentKind.PASSPORT, chip_read=False)
    await desk.counter.cases.identify(mei, case.id, passport, TERMS.version)
    await window.go(f"{PLATFORM}/counter/cases/{case.id}")
    for _ in range(3):  # the login lives on by being used, the proof does not
        clock.tick(timedelta(minutes=5))
        await window.go(f"{PLATFORM}/counter/cases/{case.id}")
    window.expect_complaint("403")
    await window.press("I have seen the person and the document")
    await window.see("Log in again with your card, then confirm.")
    assert (await desk.counter.cases.get(mei, case.id)).confirmed_by is None


async def test_a_case_is_opened_by_the_keyboard_alone(hall: Hall, chromium: Chromium) -> None:
    window = await chromium.open()
    await hall.log_in(window)
    await begin_shift(window)
    await window.go(f"{PLATFORM}/counter/cases/new?kind=revoke")
    keyboard = window.page.keyboard
    for _ in range(20):
        await keyboard.press("Tab")
        if await window.evaluate("document.activeElement.id") == "national_id":
            break
    await keyboard.type(HANAKO)
    await keyboard.press("Enter")
    await window.see("The person shows a photo document")


# --- what goes wrong ------------------------------------------------------------------------------------


async def test_a_card_that_is_taken_out_wipes_the_page(hall: Hall, chromium: Chromium) -> None:
    window = await chromium.open()
    await keys_page(hall, window)
    hall.reader.insert(hall.desk.blank_card())
    await hall.be_looked_at()
    hall.reader.pull()
    await window.see("The card was taken out")
    await shoot(window, "wiped")
    left = await within(window.page.inner_text("main"))
    assert "田○○子" not in left
    assert "Residence card" not in await within(window.page.content())
    await window.press("Show the case again", role="link")
    await window.see("The card makes its keys")


async def test_a_card_that_is_taken_out_at_work_wipes_the_page_too(
    hall: Hall, chromium: Chromium
) -> None:
    window = await chromium.open()
    await keys_page(hall, window)
    hall.reader.insert(hall.desk.blank_card())
    hall.terminal.person.meanwhile = hall.reader.pull
    await window.press("Make the keys")
    await window.see("The card was taken out")
    hall.terminal.person.meanwhile = lambda: None
    hall.reader.insert(hall.desk.blank_card())
    await window.press("Show the case again", role="link")
    await window.press("Make the keys")
    await window.see("The certificates go into the card")


async def test_refusals_of_the_card_program_are_told(hall: Hall, chromium: Chromium) -> None:
    window = await chromium.open()
    await keys_page(hall, window)
    await window.press("Make the keys")
    await window.see(entry("card_missing").en)
    await shoot(window, "no-card")
    hall.reader.insert(hall.desk.blank_card())
    hall.terminal.person.declines = True
    await window.press("Make the keys")
    await window.see(entry("card_request_declined").en)


async def test_a_card_of_somebody_else_is_refused_by_the_platform(
    hall: Hall, chromium: Chromium
) -> None:
    card = hall.desk.blank_card()
    await issued(hall.desk, hall.terminal, card)
    window = await chromium.open()
    await hall.log_in(window)
    mei = await hall.desk.clerk("mei")
    await hall.desk.resident("child")
    number = parse_national_id(PEOPLE["child"][2])
    case = await hall.desk.counter.cases.open(mei, CaseKind.ISSUE, number)
    await hall.desk.counter.cases.identify(mei, case.id, RESIDENCE_CARD, TERMS.version)
    await window.go(f"{PLATFORM}/counter/cases/{case.id}")
    hall.reader.insert(card)
    window.expect_complaint("409")
    await window.press("Make the keys")
    await window.see(entry("card_taken").en)
    await shoot(window, "taken")


async def test_without_a_card_program_the_page_says_so(hall: Hall, chromium: Chromium) -> None:
    hall.agent.close()
    window = await chromium.open()
    window.expect_complaint("ERR_CONNECTION_REFUSED")
    await window.go(f"{PLATFORM}/counter/login")
    await window.press("Log in with my card")
    await hall.pair(window)
    await window.press("Log in with my card")
    await window.see("The card program was not found")
    await shoot(window, "no-program")


async def test_a_stranger_s_card_does_not_log_in(hall: Hall, chromium: Chromium) -> None:
    mei = hall.desk.clerks["mei"]
    await hall.desk.counter.offices.end_clerk(mei.token.login.account, actor=CLERK)
    window = await chromium.open()
    hall.reader.insert(mei.applet)
    await window.go(f"{PLATFORM}/counter/login")
    await window.press("Log in with my card")
    await hall.pair(window)
    window.expect_complaint("403")
    await window.press("Log in with my card")
    await window.see(entry("card_login_refused").en)
    await shoot(window, "login-refused")


# --- looks ----------------------------------------------------------------------------------------------

LOOKS = [
    Look(language="ja", width=1280, is_dark=True),
    Look(language="zh-TW", is_phone=True, is_dark=True),
    Look(language="ja", is_phone=True),
]


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: f"{look.language}-{look.width or 390}")
async def test_every_step_in_other_languages(hall: Hall, chromium: Chromium, look: Look) -> None:
    desk, name = (
        hall.desk,
        f"{look.language}-{look.width or 390}-{'dark' if look.is_dark else 'light'}",
    )
    window = await chromium.open(look)
    cookie = desk.clerks["mei"].token.token.reveal()
    await window.go(f"{PLATFORM}/counter/login")
    await shoot(window, f"{name}-0-login")
    await enter(window, cookie)
    clerk = await desk.clerk("mei")
    case = await desk.counter.cases.open(clerk, CaseKind.ISSUE, parse_national_id(HANAKO))
    page = f"{PLATFORM}/counter/cases/{case.id}"
    for number, path in enumerate((f"{PLATFORM}/counter", f"{PLATFORM}/counter/cases/new", page)):
        assert await window.go(path) == 200
        await shoot(window, f"{name}-{number + 1}")
    await desk.counter.cases.identify(clerk, case.id, RESIDENCE_CARD, TERMS.version)
    await window.go(page)
    await shoot(window, f"{name}-4-keys")
    await desk.counter.cases.withdraw(clerk, case.id)
    await window.go(page)
    await shoot(window, f"{name}-5-withdrawn")
