"""Terminals of an instance's office: registered keys, a manage program, a reader, cards as their maker delivers them."""

import asyncio
from pathlib import Path

from counter.desk import OFFICE, Desk, new_number
from inkan.client.card_manager import TerminalKeys
from inkan.counter.model import Case, Clerk
from inkan.wire.card_command import CardAct
from support.terminals import Terminal, new_card

LOGIN = "login_of_the_first"


async def terminal_at(
    desk: Desk, folder: Path, *, office: str = OFFICE.code, **options
) -> Terminal:
    """A terminal in service, without a card in its reader."""
    keys = TerminalKeys.generate()
    configuration = await desk.counter.terminals.add(office, keys.public())
    return Terminal(
        folder, configuration=configuration, keys=keys, clock=desk.world.clock, **options
    )


def blank_card(desk: Desk, number: str | None = None):
    """A card of this number, made for this instance."""
    return new_card(desk.counter.card_secrets.of(number or new_number()))


class Page:
    """What the page between platform and program does: it carries.

    Attributes:
        seen: commands and answers, in order.
    """

    def __init__(self, desk: Desk, terminal: Terminal, clerk: Clerk | None = None) -> None:
        self.desk = desk
        self.terminal = terminal
        self.clerk = clerk or desk.first
        self.login = LOGIN
        self.seen: list[str] = []

    async def give(self, case: Case, act: CardAct, **changed) -> str:
        looked = await asyncio.to_thread(
            self.terminal.manager.look, origin=self.terminal.configuration.origin
        )
        asked = {"login": self.login, "terminal": looked["terminal"], "card": looked["card"]}
        return await self.desk.counter.commands.give(
            self.clerk, case.id, act, **{**asked, **changed}
        )

    async def run(self, command: str) -> str:
        answer = await asyncio.to_thread(self.terminal.run, command)
        self.seen += [command, answer]
        return answer

    async def take(self, case: Case, answer: str, **changed) -> Case:
        asked = {"login": self.login}
        return await self.desk.counter.commands.take(
            self.clerk, case.id, answer, **{**asked, **changed}
        )

    async def do(self, case: Case, act: CardAct, **changed) -> Case:
        """One step by the card."""
        return await self.take(case, await self.run(await self.give(case, act, **changed)))

    async def issue(self, case: Case) -> Case:
        """From a person that was identified to a card that is written."""
        keyed = await self.do(case, CardAct.MAKE_KEYS)
        ordered = await self.desk.cases.order(self.clerk, keyed.id)
        return await self.do(ordered, CardAct.WRITE)
