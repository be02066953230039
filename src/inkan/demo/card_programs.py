"""The card programs of the test country: card agent and manage program over loopback, on a reader that hands use.

On a real computer pinentry asks for PINs and PC/SC has the reader. Here a page of the card desk is both.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from inkan.apps.showcase.card_desk import DeskDialog, ReaderPages
from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.loopback import LoopbackAgent
from inkan.client.card_manager.commands import BothCommands, ManagerCommands
from inkan.client.durable_file import FileLock
from inkan.client.piv_layout import KeyUse
from inkan.demo.counter import BLANKS, DemoCounter, found_counter, settle
from inkan.demo.country import Citizen, Country, agent_port
from inkan.demo.software_reader import HeldCard, SoftwareReader
from inkan.kernel.identifiers import parse_national_id

HOLDER: Final = "chen"
PINS: Final = {KeyUse.SIGNATURE: "Cedar62t", KeyUse.AUTHENTICATION: "5182"}


@asynccontextmanager
async def card_programs(
    founded: Country, *, origins: tuple[str, ...]
) -> AsyncIterator[ReaderPages]:
    """Open the counter, have cards made, and serve the card programs until the block ends.

    Args:
        founded: the country.
        origins: of sites besides the platform whose pages may use the card.

    Raises:
        AgentAddressTaken: something listens on the port.
    """
    platform, folder = founded.instance.platform, founded.folder / "terminal"
    counter = await found_counter(platform, folder)
    for citizen in founded.citizens.values():
        await settle(platform, citizen.person.id)
    reader = SoftwareReader(await _cards(counter, founded.citizens[HOLDER]))
    dialog = DeskDialog()
    manager = counter.manager(reader, dialog)
    lock = FileLock(folder / "card-agent")
    manage = ManagerCommands(
        manager, origin=founded.platform_origin, readers=lambda: reader, lock=lock
    )
    allowed = (founded.platform_origin, *origins)

    def commands() -> BothCommands:
        use = CardAgent(
            readers=lambda: reader,
            dialog=dialog,
            origins=allowed,
            lock=FileLock(folder / "card-agent"),
        )
        return BothCommands(use, manage)

    port = agent_port(platform.settings.server.port)
    agent = LoopbackAgent(commands, origins=allowed, port=port)
    agent.start()
    try:
        yield ReaderPages(reader, dialog, agent.secret)
    finally:
        await asyncio.to_thread(agent.close)
        await asyncio.to_thread(manager.close)


async def _cards(counter: DemoCounter, citizen: Citizen) -> list[HeldCard]:
    """The clerks' cards, one citizen's, and blank ones."""
    number = parse_national_id(citizen.part.national_id)
    _, applet = await counter.make_card(counter.clerks[0], number, PINS)
    label = f"{citizen.part.name} ({PINS[KeyUse.AUTHENTICATION]}, {PINS[KeyUse.SIGNATURE]})"
    blanks = [HeldCard(f"blank-{at}", f"— {at}", counter.blank()) for at in range(1, BLANKS + 1)]
    return [*counter.cards, HeldCard(citizen.part.key, label, applet), *blanks]
