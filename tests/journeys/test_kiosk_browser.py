"""A phone is bound at a kiosk: the wallet and the kiosk side by side in a real browser, the test card between them."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from client.card_kinds import MANAGEMENT_KEY
from enrolment.hands import rows
from enrolment.kiosks import FIRST, JPKI, SECOND, SECRET
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import CardObject
from inkan.composition.card_settings import Cards
from inkan.composition.enrolment_settings import EnrolmentSettings
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.enrolment import Kiosk, store
from inkan.enrolment.service.parts import PHOTO as SEALED_PHOTO
from inkan.kernel.calendar import last_instant
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.pki import CertificateOrder, SubjectName
from inkan.schemes import get_scheme
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from journeys.test_tax_office_browser import shoot
from journeys.wallet_window import WalletWindow
from support.browser import Chromium, Look, Window, within
from support.card_in_process import ReaderInProcess
from support.piv_applet import PivApplet
from support.ports import free_port
from support.stand_in_agent import StandInAgent
from support.world import PLATFORM, WALLET, World, settings_for, world_on

pytestmark = pytest.mark.browser

PIN = Secret("Kasumi2026")
SCREEN = Look(width=1080)
WITH_PHOTO = msgspec.structs.replace(FIRST, photo=True)
PHOTO = b"\xff\xd8\xff the holder's face"
NO_AGENT = Cards()


@dataclass
class Person:
    """What somebody types into the dialog of the real card agent."""

    digits: str = ""
    pin: Secret[str] = PIN


async def registered(wallet: WalletWindow, name: str) -> str:
    """Begin on a phone: terms, name, keys; returns the registration key on its screen."""
    window = wallet.window
    await window.press("Bind at a kiosk")
    await window.see("Make the registration key")
    await within(window.page.get_by_label("I have read the terms").check())
    await window.fill("Name of this phone", name)
    await window.press("Make the registration key")
    shown = window.page.locator("#registration-key")
    await within(shown.wait_for(timeout=30_000), 31)
    return "".join(await within(shown.locator("span").all_text_contents()))


async def device_number(kiosk: Window) -> str:
    """The digits on a kiosk's screen."""
    await kiosk.see("Type this number into your phone")
    label = await within(kiosk.page.locator(".kiosk-number").get_attribute("aria-label"))
    return "".join(each for each in label or "" if each.isdigit())


@dataclass
class Hall:
    """A station hall: a kiosk, and somebody with a phone and a card."""

    world: World
    chromium: Chromium
    kiosk: Window
    agent: StandInAgent | Person
    card: PivApplet
    wallet: WalletWindow

    @property
    def page(self):
        return self.kiosk.page

    async def register(self) -> str:
        """On the phone: terms, name, keys; returns the registration key."""
        key = await registered(self.wallet, "花子の端末")
        self.agent.digits, self.agent.pin = await self.wallet.digits(), PIN
        return key

    async def give(self, key: str) -> None:
        """A scanner types the key and presses Enter."""
        await within(self.page.get_by_label("Registration key", exact=True).fill(key))
        await self.kiosk.see("Put your card on the reader")

    async def sign(self) -> None:
        await self.kiosk.press("Sign with the card")
        await self.kiosk.see("Is this you?")

    async def number(self) -> str:
        """The digits on the kiosk's screen."""
        await self.kiosk.press("Yes, show the number")
        return await device_number(self.kiosk)

    async def type_number(self, number: str) -> None:
        window = self.wallet.window
        await within(window.page.get_by_label("The 6 digits on the kiosk").fill(number))
        await window.press("Confirm the number")

    async def text(self) -> str:
        """Whatever stands in the kiosk's page, seen or hidden."""
        return await within(
            self.page.locator("main").evaluate(
                "main => main.textContent + [...main.querySelectorAll('input')].map((each) => each.value).join()"
            )
        )


async def certified(world: World) -> PivApplet:
    """The test card with its signature key certified for 陳怡君, as a counter makes it."""
    citizen = await world.citizen("chen")
    applet = PivApplet(signature_pin=PIN.reveal())
    with PivCard(ReaderInProcess(applet)) as card:
        csr = card.make_key(KeySpec.P256, pin=PIN, management_key=MANAGEMENT_KEY)
        issued = await world.platform.pki.issue(
            CertificateOrder(
                order_key="kiosk:card",
                profile="card-sign",
                owner="kiosk-card",
                subject=SubjectName(
                    common_name=(
                        await world.platform.db.read(
                            world.platform.people.get_identity, citizen.person.id
                        )
                    ).name,
                    serial_number=citizen.person.subject_serial,
                ),
                spki=verify_csr(parse_csr(csr)).spki,
                not_after=last_instant(
                    world.clock.now(), years=3, utc_offset=get_scheme(JPKI).utc_offset
                ),
            )
        )
        card.put_certificate(
            issued.der,
            issuers=[world.anchors[0], *reversed(issued.chain)],
            pin=PIN,
            management_key=MANAGEMENT_KEY,
        )
        card.write_object(CardObject.PHOTO, PHOTO, management_key=MANAGEMENT_KEY)
    return applet


@asynccontextmanager
async def station(
    url: str, folder: Path, chromium: Chromium, *, cards: Cards = NO_AGENT, first: Kiosk = FIRST
) -> AsyncIterator[World]:
    """A served instance with two kiosks."""
    clock = Clock()
    settings = msgspec.structs.replace(
        settings_for(folder), enrolment=EnrolmentSettings(kiosks=(first, SECOND)), cards=cards
    )
    async with AsyncExitStack() as stack:
        db = database_of(url, clock=clock)
        await db.open()
        stack.push_async_callback(db.close)
        world = await stack.enter_async_context(world_on(db, clock, folder, settings=settings))
        port = free_port()
        chromium.lead(PLATFORM, port)
        chromium.lead(WALLET, port)
        server = Server(world.instance.application, port=port)
        await stack.enter_async_context(server.running(grace_s=1))
        yield world


async def set_up(kiosk: Window) -> None:
    """Make this window the kiosk's."""
    await kiosk.go(f"{PLATFORM}/kiosk")
    await kiosk.fill("Name of the kiosk", FIRST.name)
    await kiosk.fill("Secret of the kiosk", SECRET)
    await kiosk.press("Set up")
    await kiosk.see("Hold the phone's registration key")


@pytest.fixture
async def hall(sqlite_url: str, tmp_path: Path, chromium: Chromium) -> AsyncIterator[Hall]:
    async with station(sqlite_url, tmp_path, chromium, first=WITH_PHOTO) as world:
        kiosk = await chromium.open(SCREEN)
        card = await certified(world)
        agent = await StandInAgent.beside(kiosk, ReaderInProcess())
        agent.reader.insert(card)
        wallet = await WalletWindow.open(chromium, WALLET)
        await set_up(kiosk)
        yield Hall(world, chromium, kiosk, agent, card, wallet)
        await chromium.close()


@pytest.mark.req("WAT-09", "WAT-10", "WAT-11", "WAT-50")
async def test_a_phone_is_bound_side_by_side(hall: Hall) -> None:
    await hall.kiosk.check_accessibility()
    await shoot(hall.kiosk, "kiosk-1")
    key = await hall.register()
    await hall.wallet.window.check_accessibility()
    await shoot(hall.wallet.window, "kiosk-wallet-1")
    await hall.give(key)
    await hall.kiosk.see("花子の端末")
    await hall.sign()
    await hall.kiosk.see("陳○君")
    assert "陳怡君" not in await hall.text()
    assert hall.agent.given[-1].phone_name == "花子の端末"
    await hall.kiosk.check_accessibility()
    await shoot(hall.kiosk, "kiosk-2")
    number = await hall.number()
    assert len(number) == 6
    await shoot(hall.kiosk, "kiosk-3")
    window = hall.wallet.window
    window.expect_complaint("status of 403")
    await hall.type_number(f"{(int(number) + 1) % 10**6:06d}")
    await window.see("The device number is wrong")
    await window.check_accessibility()
    await hall.type_number(number)
    await window.see("This phone is bound", within_s=20)
    await hall.kiosk.see("Take your card with you", within_s=20)
    (kept,) = await rows(hall.world, store.photo)
    sealer = hall.world.platform.enrolment._parts.sealer
    digest = sealer.open(SEALED_PHOTO, kept.request, kept.sha256).reveal()
    assert digest == hashlib.sha256(PHOTO).digest()
    text = await hall.text()
    for shown in (number, "陳○君", "花子の端末", key):
        assert shown not in text
    await hall.agent.pull()
    await hall.kiosk.see("Hold the phone's registration key")


async def _is_clear(hall: Hall, *secrets: str) -> None:
    text = await hall.text()
    for secret in (*secrets, "陳○君", "花子の端末"):
        assert secret not in text
    names = {each["name"] for each in await hall.kiosk.context.cookies(PLATFORM)}
    assert "__Host-inkan-kiosk-visit" not in names


async def _again(hall: Hall) -> None:
    if hall.agent.reader.applet is None:
        await hall.agent.insert(hall.card)
    await hall.kiosk.press("Begin again", role="link")
    await hall.kiosk.see("Hold the phone's registration key")


async def test_a_pulled_card_clears_every_step(hall: Hall) -> None:
    hall.kiosk.expect_complaint("status of 4")
    key = await hall.register()

    # Before the button was pressed: the key may be given again.
    await hall.give(key)
    await hall.agent.pull()
    await hall.kiosk.see("The card was taken out")
    await _is_clear(hall, key)
    await _again(hall)

    # While the dialog of the card program stands open.
    await hall.give(key)
    hall.agent.before_signing = hall.agent.reader.pull
    await hall.kiosk.press("Sign with the card")
    await hall.kiosk.see("The card was taken out")
    hall.agent.before_signing = lambda: None
    await _is_clear(hall, key)
    await _again(hall)

    # While the number is shown: it is gone, and the phone that has it may still say it.
    await hall.give(key)
    await hall.sign()
    number = await hall.number()
    await hall.agent.pull()
    await hall.kiosk.see("The card was taken out")
    await _is_clear(hall, key, number)
    await hall.type_number(number)
    await hall.wallet.window.see("This phone is bound", within_s=20)


async def test_a_card_pulled_before_it_is_you_ends_the_registration(hall: Hall) -> None:
    key = await hall.register()
    await hall.give(key)
    await hall.sign()
    await hall.agent.pull()
    await hall.kiosk.see("The card was taken out")
    await _is_clear(hall, key)
    await hall.wallet.window.see("The binding has ended", within_s=20)
    await _again(hall)
    hall.kiosk.expect_complaint("status of 404")
    await within(hall.page.get_by_label("Registration key", exact=True).fill(key))
    await hall.kiosk.see("No phone waits with this registration key")


async def test_sixty_seconds_without_a_touch_clear_the_screen(hall: Hall) -> None:
    hall.kiosk.expect_complaint("status of 410")  # it may have been looking when it was cleared
    await within(hall.page.clock.install())
    await hall.kiosk.go(f"{PLATFORM}/kiosk")
    key = await hall.register()
    await hall.give(key)
    await hall.sign()
    number = await hall.number()
    await within(hall.page.clock.fast_forward(45_000))
    await hall.kiosk.see("This screen is cleared in")
    await within(hall.page.mouse.click(5, 5))
    await within(hall.page.clock.fast_forward(45_000))
    await hall.kiosk.see(number[:3])
    await within(hall.page.clock.fast_forward(16_000))
    await hall.kiosk.see("Nothing was touched for a while")
    await _is_clear(hall, key, number)
    await within(hall.page.go_back())
    await _is_clear(hall, key, number)


async def test_what_goes_wrong_is_said(hall: Hall) -> None:
    kiosk = hall.kiosk
    kiosk.expect_complaint("status of 4")
    field = hall.page.get_by_label("Registration key", exact=True)
    await within(field.fill("0" * 26))
    await kiosk.see("No phone waits with this registration key")
    await within(field.fill(""))
    for letter in "4B":
        await within(hall.page.get_by_role("button", name=letter, exact=True).click())
    await kiosk.press("Delete the last character")
    assert await within(field.input_value()) == "4"
    key = await hall.register()
    await hall.give(key)
    hall.agent.pin = Secret("Wrong0000")
    await kiosk.press("Sign with the card")
    fault = hall.page.locator("[data-fault]")
    await within(fault.get_by_text("PIN").wait_for())
    hall.agent.pin, hall.agent.digits = PIN, "00000000"
    await kiosk.press("Sign with the card")
    await within(fault.get_by_text("digits").wait_for())
    hall.agent.digits = await hall.wallet.digits()
    await hall.sign()
    await kiosk.press("No, this is not me")
    await kiosk.see("Nothing was bound.")
    await _is_clear(hall, key)
    await hall.wallet.window.see("The binding has ended", within_s=20)
