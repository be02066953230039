"""The card programs of the test country: what a newcomer does in two windows, done by a page's calls and the desk's page."""

import asyncio
import json

import httpx
import pytest

from counter.desk import CHIP
from inkan.accounts import Role
from inkan.apps.showcase.card_desk.asking import Field
from inkan.client.piv_layout import KeyUse
from inkan.counter import TERMS, CaseKind
from inkan.counter.model import CardState
from inkan.crypto import base64url
from inkan.demo.card_programs import PINS, card_programs
from inkan.demo.counter import CLERKS, OFFICE
from inkan.demo.country import agent_port
from inkan.kernel.identifiers import parse_national_id
from inkan.wire.card_command import CardAct
from support.founded import founded_country
from support.waiting import eventually


class Window:
    """A page of the platform, and the desk's page beside it."""

    def __init__(self, founded, pages) -> None:
        self.founded = founded
        self.pages = pages
        port = agent_port(founded.instance.platform.settings.server.port)
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={
                "Origin": founded.platform_origin,
                "Authorization": f"Inkan-Card-Agent {pages._secret.reveal()}",
            },
            timeout=30,
        )

    async def call(self, command: str, **members):
        body = {"id": 1, "command": command, **members}
        reply = await self.client.post(
            "/v1", content=json.dumps(body), headers={"content-type": "application/json"}
        )
        return reply.json()

    async def typed(self, call, *answers: dict[str, str]):
        """A call, and what is typed on the desk's page meanwhile."""
        calling = asyncio.ensure_future(call)
        dialog = self.pages._dialog
        for answer in answers:
            await eventually(lambda: dialog.open is not None)
            typed = {Field(name): value for name, value in answer.items()}
            token = dialog.open.token
            assert dialog.answer(token, typed)
            await eventually(lambda token=token: dialog.open is None or dialog.open.token != token)
        return await calling


@pytest.fixture
async def window(tmp_path):
    async with (
        founded_country(tmp_path) as founded,
        card_programs(founded, origins=()) as pages,
    ):
        window = Window(founded, pages)
        yield window
        await window.client.aclose()


async def test_a_clerk_logs_in_and_makes_a_card(window) -> None:
    counter = window.founded.instance.platform.counter
    reader = window.pages._reader
    # The clerk logs in with the card that a colleague made.
    reader.insert(CLERKS[0].key)
    challenge = await counter.logins.begin()
    signing = window.call(
        "sign",
        content=base64url.encode(challenge.content),
        content_type=challenge.content_type,
        key="authentication",
    )
    pin = CLERKS[0].pins[KeyUse.AUTHENTICATION]
    signed = await window.typed(signing, {"pin": pin})
    token = await counter.logins.finish(
        challenge.id,
        cms=base64url.decode(signed["answer"]["cms"]),
        browser=challenge.browser.reveal(),
        replaces=None,
    )
    assert Role.CLERK in token.login.roles
    clerk = await counter.offices.clerk_of(token.login.account)
    assert (clerk.office, clerk.shift is not None) == (OFFICE.code, True)

    # A card for a resident: the blank one comes into the reader, its PINs are set on the desk's page.
    person = window.founded.citizens["lin"]
    case = await counter.cases.open(
        clerk, CaseKind.ISSUE, parse_national_id(person.part.national_id)
    )
    case = await counter.cases.identify(clerk, case.id, CHIP, TERMS.version)
    reader.insert("blank-1")
    looked = (await window.call("look"))["answer"]

    async def step(act: CardAct, *answers: dict[str, str]):
        command = await counter.commands.give(clerk, case.id, act, login="x", **looked)
        said = await window.typed(window.call("run", jws=command), *answers)
        return await counter.commands.take(clerk, case.id, said["answer"]["answer"], login="x")

    await step(
        CardAct.MAKE_KEYS, {"new": "Pine83w", "again": "Pine83w"}, {"new": "9046", "again": "9046"}
    )
    await counter.cases.order(clerk, case.id)
    case = await step(CardAct.WRITE)
    assert case.state == "written"
    held = await window.founded.instance.platform.db.read(counter.cases.card, looked["card"])
    assert held.state is CardState.KEYED


async def test_the_card_taken_out_ends_the_question(window) -> None:
    window.pages._reader.insert("chen")
    asked = asyncio.ensure_future(window.call("change_pin", key="authentication"))
    await eventually(lambda: window.pages._dialog.open is not None)
    window.pages._reader.take_out()
    assert (await asked)["refusal"]["code"] == "card_removed"
    assert window.pages._dialog.open is None


async def test_a_card_of_the_country_knows_its_pins(window) -> None:
    window.pages._reader.insert("chen")
    old, new = PINS[KeyUse.AUTHENTICATION], "8891"
    changing = window.call("change_pin", key="authentication")
    answer = {"pin": old, "new": new, "again": new}
    assert (await window.typed(changing, answer))["answer"] == {}
