"""An office before a real browser: the served instance, a terminal with its card programs over loopback, a reader."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from client.card_kinds import wait_for_card
from counter.clerks import CLERK_PINS, Desk, desk_on
from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.dialog import Given
from inkan.client.card_agent.loopback import LoopbackAgent
from inkan.client.card_manager.commands import BothCommands, ManagerCommands
from inkan.client.durable_file import FileLock
from inkan.client.pcsc import PCSC
from inkan.composition.settings import Cards
from inkan.kernel.sensitive import Secret
from inkan.store.connect import database as database_of
from inkan.web.server import Server
from support.browser import Chromium, Window, within
from support.card_in_process import ReaderInProcess
from support.clock import StandingClock
from support.piv_applet import PivApplet
from support.ports import free_port
from support.terminals import Terminal
from support.vpcd import Service, Slot
from support.waiting import eventually
from support.world import PLATFORM, settings_for, world_on


class ClerksFingers:
    """Types the PIN of a clerk's card.

    Attributes:
        questions: what the dialog said, in order.
    """

    def __init__(self) -> None:
        self.questions = []

    def ask(self, question, ending):
        self.questions.append(question)
        return Given(pin=Secret(CLERK_PINS[question.key]))


class Switch:
    """Commands that are known once the terminal is registered."""

    def __init__(self) -> None:
        self.to = None
        self.looks = 0

    def answer(self, origin: str, data: bytes) -> bytes:
        answer = self.to.answer(origin, data)
        self.looks += b'"status"' in data
        return answer

    def close(self) -> None:
        """One page's end is not the end of the others."""


class ReaderOverPCSC(PCSC):
    """A virtual reader behind the real PC/SC service; both calls return when the service has noticed."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._slot = Slot(service)

    def insert(self, applet: PivApplet) -> None:
        self._slot.insert(applet)
        wait_for_card(present=True)

    def pull(self) -> None:
        self._slot.pull()
        wait_for_card(present=False)


@dataclass
class Hall:
    """The office, its terminal, its reader, and whoever types."""

    desk: Desk
    terminal: Terminal
    agent: LoopbackAgent
    fingers: ClerksFingers
    switch: Switch

    async def be_looked_at(self) -> None:
        """Wait until the page has seen the reader as it is now."""
        seen = self.switch.looks
        await eventually(lambda: self.switch.looks >= seen + 2)

    @property
    def reader(self) -> ReaderInProcess | ReaderOverPCSC:
        return self.terminal.reader

    async def pair(self, window: Window) -> None:
        """Type the secret of the card program, once in a tab."""
        await window.see("Connect the card program")
        await window.fill("Pairing code of the card program", self.agent.secret.reveal())
        await window.press("Connect")

    async def log_in(self, window: Window, key: str = "mei") -> None:
        """A clerk logs in by their card."""
        self.reader.insert(self.desk.clerks[key].applet)
        await window.go(f"{PLATFORM}/counter/login")
        await window.press("Log in with my card")
        await self.pair(window)
        await window.press("Log in with my card")
        await within(window.page.wait_for_url(f"{PLATFORM}/counter"))
        self.reader.pull()


@asynccontextmanager
async def hall_on(
    url: str,
    clock: StandingClock,
    folder: Path,
    chromium: Chromium,
    reader: ReaderOverPCSC | None = None,
) -> AsyncIterator[Hall]:
    """A served instance with one office of two clerks; its reader is in this process where none is given."""
    switch = Switch()
    agent = LoopbackAgent(lambda: switch, origins=[PLATFORM])
    agent.start()
    settings = msgspec.structs.replace(settings_for(folder), cards=Cards(agent=agent.address))
    db = database_of(url, clock=clock)
    await db.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(db.close)
        stack.callback(agent.close)
        world = await stack.enter_async_context(world_on(db, clock, folder, settings=settings))
        desk = await desk_on(world)
        terminal = await desk.terminal(folder)
        if reader is not None:
            terminal.reader = reader
            terminal.start()
        stack.callback(terminal.manager.close)
        fingers = ClerksFingers()
        lock = FileLock(folder / "card.lock")
        switch.to = BothCommands(
            CardAgent(
                readers=lambda: terminal.reader, dialog=fingers, origins=[PLATFORM], lock=lock
            ),
            ManagerCommands(
                terminal.manager, origin=PLATFORM, readers=lambda: terminal.reader, lock=lock
            ),
        )
        port = free_port()
        chromium.lead(PLATFORM, port)
        server = Server(world.instance.application, port=port)
        await stack.enter_async_context(server.running(grace_s=1))
        stack.push_async_callback(chromium.close)
        yield Hall(desk, terminal, agent, fingers, switch)
