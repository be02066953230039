"""The counter over native messaging: the extension, the agent and the manage program as they are installed, PC/SC."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from counter.clerks import CLERK_PINS, OFFICE, RESIDENCE_CARD, Desk, desk_on
from inkan.cli.card import command
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.counter.model import CaseKind
from inkan.counter.rules import TERMS
from inkan.kernel.clock import Clock
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.store.connect import database as database_of
from inkan.web.catalogue import entry
from inkan.web.server import Server
from journeys.counter_hall import ReaderOverPCSC
from journeys.counter_walk import HANAKO
from journeys.test_card_agent_browser import PROFILE, install
from support.browser import Chromium, Window, within
from support.card_in_process import ReaderInProcess
from support.pinentry import ScriptedPinentry
from support.ports import free_port
from support.terminals import PINS
from support.vpcd import Service
from support.waiting import eventually
from support.world import PLATFORM, world_on

pytestmark = pytest.mark.browser

SET = [PINS[use] for use in KeyUse for _ in range(2)]
"""What the person types to set both PINs, each twice."""


@dataclass
class Terminal:
    """A counter's computer: browser with the extension, both programs, a reader."""

    desk: Desk
    window: Window
    pinentry: ScriptedPinentry
    reader: ReaderOverPCSC

    async def insert(self, applet) -> None:
        await asyncio.to_thread(self.reader.insert, applet)

    async def pull(self) -> None:
        await asyncio.to_thread(self.reader.pull)

    async def log_in(self) -> None:
        """By the clerk's card."""
        await self.insert(self.desk.clerks["mei"].applet)
        self.pinentry.type(CLERK_PINS[KeyUse.AUTHENTICATION])
        await self.window.go(f"{PLATFORM}/counter/login")
        await self.window.press("Log in with my card")
        await within(self.window.page.wait_for_url(f"{PLATFORM}/counter"))
        await self.pull()

    async def keys_page(self) -> None:
        """A case, up to the step that makes the keys."""
        mei, cases = await self.desk.clerk("mei"), self.desk.counter.cases
        case = await cases.open(mei, CaseKind.ISSUE, parse_national_id(HANAKO))
        await cases.identify(mei, case.id, RESIDENCE_CARD, TERMS.version)
        await self.window.go(f"{PLATFORM}/counter/cases/{case.id}")
        await self.window.see("The card makes its keys")


async def install_manager(
    desk: Desk, chromium: Chromium, folder: Path, pinentry: ScriptedPinentry
) -> None:
    """As the operator of a counter does, by the command line."""
    keys = _run("manage", "keys", "--folder", str(folder / "manage"))
    given = await desk.counter.terminals.add(OFFICE, json.loads(keys))
    configuration = folder / "manager.json"
    configuration.write_text(json.dumps(given))
    words = ["--folder", str(folder / "manage"), "--profile", str(chromium.profile(PROFILE))]
    _run("manage", "install", *words, "--pinentry", str(pinentry.program), str(configuration))


def _run(*words: str) -> str:
    done = CliRunner().invoke(command, list(words))
    assert done.exit_code == 0, done.output
    return done.output


@pytest.fixture
async def terminal(
    sqlite_url: str,
    tmp_path: Path,
    chromium: Chromium,
    card_service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Terminal]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    clock = Clock()  # the programs beside the browser know no other
    pinentry, reader = ScriptedPinentry(tmp_path / "pinentry"), ReaderOverPCSC(card_service)
    async with AsyncExitStack() as stack:
        db = database_of(sqlite_url, clock=clock)
        await db.open()
        stack.push_async_callback(db.close)
        world = await stack.enter_async_context(world_on(db, clock, tmp_path))
        port = free_port()
        chromium.lead(PLATFORM, port)
        server = Server(world.instance.application, port=port)
        await stack.enter_async_context(server.running(grace_s=1))
        stack.push_async_callback(asyncio.to_thread, reader.pull)
        stack.push_async_callback(chromium.close)
        desk = await desk_on(world)
        await desk.resident("hanako")
        extension = install(chromium, PLATFORM, pinentry)
        await install_manager(desk, chromium, tmp_path, pinentry)
        window = await chromium.open(profile=PROFILE, extension=extension)
        yield Terminal(desk, window, pinentry, reader)


@pytest.mark.req("JPKI-21")
async def test_a_card_is_made_by_the_programs_that_a_counter_installs(terminal: Terminal) -> None:
    window, pinentry, card = terminal.window, terminal.pinentry, terminal.desk.blank_card()
    await terminal.log_in()
    await terminal.keys_page()
    await window.press("Make the keys")
    await window.see(entry("card_missing").en)

    # The card goes while its holder sets the PIN: the page is wiped, and the case begins the step anew.
    await terminal.insert(card)
    pinentry.type("!wait")
    await window.press("Make the keys")
    await eventually(lambda: "GETPIN" in pinentry.told)
    assert PLATFORM in pinentry.shown
    await terminal.pull()
    await window.see("The card was taken out")
    await terminal.insert(card)
    await window.press("Show the case again", role="link")

    pinentry.type(*SET)
    await window.press("Make the keys")
    await window.see("The certificates go into the card", within_s=30)
    # Another page has another program: whoever set the PINs types them once more.
    pinentry.type(*(PINS[use] for use in KeyUse))
    await window.press("Write the certificates")
    await window.see("Take the fee", within_s=30)
    for secret in PINS.values():
        assert secret not in await within(window.page.content())
    await terminal.pull()
    for use in KeyUse:
        with PivCard(ReaderInProcess(card), use) as held:
            held.verify_pin(Secret(PINS[use]))
            assert held.certificates()
            assert held.tries_left() == 5
