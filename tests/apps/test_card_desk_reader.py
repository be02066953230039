"""The desk's reader and the dialog of its card programs: cards change hands, PINs are typed, and nothing leaks."""

import asyncio
import html

import pytest

from apps.test_card_desk import DESK, OWN, XSS, Browser
from inkan.apps.showcase.card_desk import DeskDialog, ReaderPages, card_desk
from inkan.client.card import CardRequestDeclined, Giving
from inkan.client.card_agent.dialog import Ending, Question
from inkan.client.card_manager import PINAsked
from inkan.client.piv_layout import KeyUse
from inkan.demo.software_reader import HeldCard, SoftwareReader
from inkan.demo.test_card import PivApplet
from inkan.kernel.sensitive import Secret
from support.clock import StandingClock
from support.ports import free_port
from support.waiting import eventually

ORIGIN = "https://id.example"
GIVING = Giving(
    purpose="submission",
    scheme="",
    audience="https://town.example",
    phone_name=None,
    needs_digits=False,
    origin=ORIGIN,
    lines=(("name", XSS),),
)
QUESTION = Question(origin=ORIGIN, key=KeyUse.SIGNATURE, tries_left=5, giving=GIVING)
ASKED = PINAsked(use=KeyUse.AUTHENTICATION, origin=ORIGIN, card="ab" * 16)


class Desk:
    """A desk with a reader, its dialog, and a browser before it."""

    def __init__(self, clock: StandingClock) -> None:
        self.dialog = DeskDialog(patience_s=20)
        cards = [HeldCard(key, f"Card {key} {XSS}", PivApplet()) for key in ("a", "b")]
        self.reader = SoftwareReader(cards)
        pages = ReaderPages(self.reader, self.dialog, Secret("ABCD-EFGH-IJKL-MNOP"))
        gone = f"http://id.localhost:{free_port()}"
        made = card_desk(origin=DESK, platform=gone, cards=[], clock=clock, reader=pages)
        self.browser = Browser(made, DESK)

    async def page(self) -> str:
        return html.unescape((await self.browser.get("/reader", headers=OWN)).text)

    async def asking(self, ask, *what):
        """A question of a program, in a thread of its own, that stands on the page."""
        waiting = asyncio.ensure_future(asyncio.to_thread(ask, *what))
        await eventually(lambda: self.dialog.open is not None)
        return waiting

    async def answer(self, **fields: str):
        token = self.dialog.open.token if self.dialog.open else "gone"
        return await self.browser.send("/reader/answer", "/reader", **{"token": token, **fields})


@pytest.fixture
def desk(clock: StandingClock) -> Desk:
    return Desk(clock)


async def test_a_card_is_put_in_changed_and_taken_out(desk) -> None:
    events = []
    stop = desk.reader.watch(lambda reader, event: events.append(event.value))
    for card in ("a", "b", "no such card", ""):
        reply = await desk.browser.send("/reader", "/reader", card=card)
        assert reply.status == 303
    assert desk.reader.inserted is None
    assert events == ["inserted", "removed", "inserted", "removed"]
    stop()


async def test_what_is_given_stands_on_the_page_and_the_pin_does_not(desk) -> None:
    waiting = await desk.asking(desk.dialog.ask, QUESTION, Ending())
    raw = (await desk.browser.get("/reader", headers=OWN)).text
    assert XSS not in raw
    assert ORIGIN in raw
    assert XSS in html.unescape(raw)
    await desk.answer(pin="Abc246")
    assert (await waiting).pin == Secret("Abc246")
    assert "Abc246" not in await desk.page()


async def test_a_new_pin_is_typed_twice(desk) -> None:
    waiting = await desk.asking(desk.dialog.new_pin, ASKED, Ending())
    for wrong in ({"new": "4071", "again": "4072"}, {"new": "4071"}, {}):
        assert (await desk.answer(**wrong)).status == 400
    await desk.answer(new="4071", again="4071")
    assert await waiting == Secret("4071")


@pytest.mark.req("JPKI-30")
async def test_a_guessable_pin_is_asked_for_again_with_the_reason(desk) -> None:
    waiting = await desk.asking(desk.dialog.new_pin, ASKED, Ending())
    reply = await desk.answer(new="1234", again="1234")
    assert reply.status == 400
    assert "easy to guess" in html.unescape(reply.text)
    assert "1234" not in reply.text.replace(desk.dialog.open.token, "")
    assert not waiting.done()
    await desk.answer(new="4071", again="4071")
    assert await waiting == Secret("4071")


async def test_a_no_and_an_ending_are_a_no(desk) -> None:
    waiting = await desk.asking(desk.dialog.pin, ASKED, Ending())
    await desk.answer(decline="yes")
    with pytest.raises(CardRequestDeclined):
        await waiting
    ending = Ending()
    waiting = await desk.asking(desk.dialog.ask_change, QUESTION, ending)
    ending.end()
    with pytest.raises(CardRequestDeclined):
        await waiting
    assert desk.dialog.open is None


async def test_an_answer_to_another_question_is_none(desk) -> None:
    waiting = await desk.asking(desk.dialog.pin, ASKED, Ending())
    assert (await desk.answer(token="0" * 32, pin="1234")).status == 400
    assert not waiting.done()
    await desk.answer(pin="1234")
    await waiting


async def test_the_page_hears_that_something_changed(desk) -> None:
    async def state() -> str:
        return (await desk.browser.get("/reader/state", headers=OWN)).text

    before = await state()
    desk.reader.insert("a")
    changed = await state()
    assert changed != before
    waiting = await desk.asking(desk.dialog.pin, ASKED, Ending())
    assert await state() != changed
    await desk.answer(decline="yes")
    with pytest.raises(CardRequestDeclined):
        await waiting
