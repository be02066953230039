"""A form of the town hall over everything that is real: extension, native program, PC/SC, a card in a virtual reader."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from inkan.crypto.path import RevocationReason
from inkan.demo.country import CLERK
from inkan.demo.town import town_hall_of, town_hall_origin
from inkan.web.server import Server
from journeys.card_agent_stand_in import PIN, make_card
from journeys.counter_hall import ReaderOverPCSC
from journeys.test_card_agent_browser import PROFILE, install
from journeys.test_town_hall_browser import Town, sign_and_send
from support.browser import Chromium, within
from support.founded import founded_country
from support.pinentry import ScriptedPinentry
from support.ports import free_port
from support.vpcd import Service

pytestmark = pytest.mark.browser


@pytest.mark.req("JPKI-34", "JPKI-35", "JPKI-01")
async def test_filed_with_a_card_in_a_real_reader_and_refused_once_it_is_withdrawn(
    tmp_path: Path,
    chromium: Chromium,
    card_service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    pinentry, reader = ScriptedPinentry(tmp_path / "pinentry"), ReaderOverPCSC(card_service)
    async with AsyncExitStack() as stack:
        port = free_port(neighbours=6)
        founded = await stack.enter_async_context(founded_country(tmp_path / "country", port=port))
        await stack.enter_async_context(Server(town_hall_of(founded), port=port + 5).running())
        stack.push_async_callback(asyncio.to_thread, reader.pull)
        stack.push_async_callback(chromium.close)
        made = await make_card(founded, "chen")
        town = Town(founded, town_hall_origin(port), made, made)
        extension = install(chromium, town.hall, pinentry)
        window = await chromium.open(profile=PROFILE, extension=extension)

        await town.fill(window)
        await window.press("Digital signature")
        await window.see("There is no card in the reader")
        await asyncio.to_thread(reader.insert, made[0])
        pinentry.type(PIN.reveal())
        await sign_and_send(window)
        await window.see("Your form is filed")
        assert town.hall in pinentry.shown
        assert PIN.reveal() not in await within(window.page.content())

        platform = founded.instance.platform
        await platform.db.transact(
            platform.pki.revoke, made[1].id, reason=RevocationReason.SUPERSEDED, actor=CLERK
        )
        await founded.instance.catch_up()
        window.expect_complaint("403")
        await town.fill(window)
        pinentry.type(PIN.reveal())
        await sign_and_send(window)
        await window.see("The certificate has been withdrawn")
