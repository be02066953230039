"""A phone is bound at a kiosk over everything that is real: agent, PC/SC, and a card in a virtual reader."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.loopback import LoopbackAgent
from inkan.client.card_agent.pinentry import Pinentry
from inkan.client.durable_file import FileLock
from inkan.client.pcsc import PCSC
from inkan.composition.card_settings import Cards
from inkan.wire.shown import Language
from journeys.counter_hall import ReaderOverPCSC
from journeys.test_card_agent_browser import PROFILE, install
from journeys.test_kiosk_browser import PIN, SCREEN, Hall, Person, certified, set_up, station
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Window, within
from support.pinentry import ScriptedPinentry
from support.piv_applet import SIGNATURE_PIN
from support.vpcd import Service
from support.waiting import eventually
from support.world import PLATFORM, WALLET

pytestmark = pytest.mark.browser


class Kiosk:
    """A kiosk with a reader, whose card agent asks for what the test says.

    Attributes:
        loopback: the same agent on loopback, for a browser without the extension.
    """

    def __init__(self, folder: Path, service: Service) -> None:
        self.pinentry = ScriptedPinentry(folder / "pinentry")
        self.reader = ReaderOverPCSC(service)
        dialog = Pinentry((str(self.pinentry.program),), Language.EN)
        lock = FileLock(folder / "loopback")
        self.loopback = LoopbackAgent(
            lambda: CardAgent(readers=PCSC, dialog=dialog, origins=[PLATFORM], lock=lock),
            origins=[PLATFORM],
        )


@pytest.fixture
async def kiosk(tmp_path: Path, card_service: Service) -> AsyncIterator[Kiosk]:
    kiosk = Kiosk(tmp_path, card_service)
    kiosk.loopback.start()
    yield kiosk
    await asyncio.to_thread(kiosk.reader.pull)
    kiosk.loopback.close()


async def pull_at_the_pin(hall: Hall, kiosk: Kiosk, key: str) -> None:
    """The card goes while the window of the card agent asks for its PIN; nothing is lost, nothing is left."""
    await hall.give(key)
    kiosk.pinentry.type(hall.agent.digits, "!wait")
    await hall.kiosk.press("Sign with the card")
    await eventually(lambda: kiosk.pinentry.told.count("GETPIN") == 2)
    await asyncio.to_thread(kiosk.reader.pull)
    await hall.kiosk.see("The card was taken out")
    assert "花子の端末" not in await hall.text()
    await asyncio.to_thread(kiosk.reader.insert, hall.card)
    await hall.kiosk.press("Begin again", role="link")


async def pair(window: Window, kiosk: Kiosk) -> None:
    """What staff do at a kiosk without the extension, once."""
    await window.see("Staff: connect the card program")
    await window.check_accessibility()
    await window.fill("Pairing code that the card program showed", "wrong")
    await window.press("Connect")
    await window.see("Type the pairing code that the card program showed when it was started.")
    await window.fill("Pairing code that the card program showed", kiosk.loopback.secret.reveal())
    await window.press("Connect")
    await within(window.page.get_by_text("Staff: connect").wait_for(state="hidden"))


@pytest.mark.req("WAT-09", "WAT-10", "WAT-11", "TW-07")
async def test_a_phone_is_bound_with_a_card_in_a_real_reader(
    sqlite_url: str,
    tmp_path: Path,
    chromium: Chromium,
    kiosk: Kiosk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """First at a kiosk with the agent on loopback, then with the extension; the card is pulled at each once."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cards = Cards(agent=kiosk.loopback.address)
    async with station(sqlite_url, tmp_path, chromium, cards=cards) as world:
        card = await certified(world)
        await asyncio.to_thread(kiosk.reader.insert, card)
        plain, wallet = await chromium.open(SCREEN), await WalletWindow.open(chromium, WALLET)
        hall = Hall(world, chromium, plain, Person(), card, wallet)
        await set_up(plain)
        await pair(plain, kiosk)
        key = await hall.register()
        await pull_at_the_pin(hall, kiosk, key)

        extension = install(chromium, PLATFORM, kiosk.pinentry)
        hall.kiosk = await chromium.open(SCREEN, profile=PROFILE, extension=extension)
        await set_up(hall.kiosk)
        await pull_at_the_pin(hall, kiosk, key)
        await hall.give(key)
        kiosk.pinentry.type(hall.agent.digits, PIN.reveal())
        await hall.sign()
        await hall.type_number(await hall.number())
        await wallet.window.see("This phone is bound", within_s=20)
        await hall.kiosk.see("Take your card with you", within_s=20)
        assert PLATFORM in kiosk.pinentry.shown
        assert "花子の端末" in kiosk.pinentry.shown
        assert PIN.reveal() not in await within(hall.page.content())
        await asyncio.to_thread(kiosk.reader.pull)
        await hall.kiosk.see("Hold the phone's registration key")
        assert card.pins[SIGNATURE_PIN].left == 5
        await chromium.close()
