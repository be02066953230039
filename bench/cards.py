"""A card at the counter: from the first command to the written card, and how soon its removal is noticed.

One instance on SQLite; the manage program and the test card in this process, with a real PC/SC service and its virtual
reader between them (tests/support/vpcd.py). Commands, answers, certificates and lists are the product's; lint is on.
RSA-2048 keys are made inside the card, whose arithmetic is this process's. No human time: a script types the PINs.
The page between platform and program is left out, its two requests for each step would add some milliseconds.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from inkan.client.card_manager import CardManager
from inkan.client.pcsc import PCSC
from inkan.client.piv_layout import KeyUse
from inkan.composition.platform import Platform, compose
from inkan.counter import TERMS, Case, CaseKind, DocumentKind, PhotoDocument
from inkan.demo.counter import OPERATOR, DemoCounter, Script, found_counter, settle
from inkan.demo.country import settings_for
from inkan.demo.test_card import PivApplet
from inkan.kernel.identifiers import (
    NationalID,
    national_id_check_digit,
    parse_national_id,
)
from inkan.kernel.sensitive import Personal
from inkan.people import new_identity
from inkan.pki import read_ceremony
from inkan.wire.card_command import CardAct
from support import vpcd

CARDS = 9
PULLS = 11
LOGIN = "bench"
PINS = {KeyUse.SIGNATURE: "Harbour7", KeyUse.AUTHENTICATION: "6093"}
DOCUMENT = PhotoDocument(
    kind=DocumentKind.RESIDENT_CARD,
    number=Personal("RC00012345"),
    expires_on=date(2035, 1, 1),
    chip_read=True,
)

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Issue and removal over PC/SC."""
    with vpcd.running() as service:
        yield from asyncio.run(_measure(vpcd.Slot(service)))


async def _measure(slot: vpcd.Slot) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with compose(settings_for(folder, 8620)) as platform:
            text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
            await platform.pki.hold_ceremony(read_ceremony(text))
            counter = await found_counter(platform, folder / "terminal")
            manager = CardManager(
                counter.configuration,
                counter.keys,
                PCSC(),
                Script(PINS),
                folder=folder / "terminal",
            )
            issued = [await _issue(platform, counter, manager, slot, at) for at in range(CARDS)]
            noticed = [
                await asyncio.to_thread(_removal, counter, manager, slot) for _ in range(PULLS)
            ]
            manager.close()
    return [
        ("card issue, keys to written", "s", statistics.median(issued), "<= 1.5", _worst(issued)),
        ("removal noticed", "s", statistics.median(noticed), "<= 0.5", _worst(noticed)),
    ]


async def _issue(
    platform: Platform, counter: DemoCounter, manager: CardManager, slot: vpcd.Slot, at: int
) -> float:
    clerk, applet = counter.clerks[0], counter.blank()
    case = await platform.counter.cases.open(clerk, CaseKind.ISSUE, await _resident(platform, at))
    case = await platform.counter.cases.identify(clerk, case.id, DOCUMENT, TERMS.version)
    await asyncio.to_thread(_insert, slot, applet)
    number = applet.number.hex()

    async def step(case: Case, act: CardAct) -> Case:
        commands, terminal = platform.counter.commands, counter.configuration.terminal
        command = await commands.give(
            clerk, case.id, act, login=LOGIN, terminal=terminal, card=number
        )
        answer = await asyncio.to_thread(manager.run, command, origin=counter.configuration.origin)
        return await commands.take(clerk, case.id, answer, login=LOGIN)

    started = time.perf_counter()
    case = await step(case, CardAct.MAKE_KEYS)
    case = await platform.counter.cases.order(clerk, case.id)
    case = await step(case, CardAct.WRITE)
    spent = time.perf_counter() - started
    assert case.state.value == "written"
    return spent


async def _resident(platform: Platform, at: int) -> NationalID:
    prefix = f"D1{at:07}"
    national_id = parse_national_id(prefix + national_id_check_digit(prefix))
    identity = new_identity(name=f"居民{at}", birth_date=date(1990, 1, 1), national_id=national_id)
    person = await platform.people.register(identity, actor=OPERATOR)
    await settle(platform, person.id)
    return national_id


def _insert(slot: vpcd.Slot, applet: PivApplet) -> None:
    """Put a card in, and wait until the service sees it."""
    slot.insert(applet)
    while not any(each.has_card for each in PCSC().readers()):
        time.sleep(0.02)


def _removal(counter: DemoCounter, manager: CardManager, slot: vpcd.Slot) -> float:
    """From the pull to the moment at which the program's connection is over and its PINs are dropped."""
    _insert(slot, counter.blank())
    manager.look(origin=counter.configuration.origin)
    started = time.perf_counter()
    slot.pull()
    while not manager.has_lost_card:
        time.sleep(0.001)
    return time.perf_counter() - started


def _worst(seconds: list[float]) -> str:
    return f"worst of {len(seconds)}: {max(seconds):.3f} s"
