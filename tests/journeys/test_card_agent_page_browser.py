"""The page script by its second way: an agent on loopback, asked by fetch; and how it finds its way."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar, NamedTuple

import pytest

from client import card_kinds
from client.card_agent.parts import ScriptedDialog, to_sign
from client.card_requests import BIND, PIN, bind_content
from inkan.client import AsyncTransport
from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.dialog import Given
from inkan.client.card_agent.loopback import LoopbackAgent
from inkan.client.durable_file import FileLock
from inkan.crypto.keys import KeySpec
from inkan.demo.country import agent_port
from inkan.kernel.sensitive import Secret
from inkan.wire import enrolment_request
from journeys.test_card_agent_browser import PIN as READER_PIN
from journeys.test_card_agent_browser import SIGN, personalise
from journeys.test_enrol_page_browser import Town, begin, prepare
from support.browser import Chromium, Look, Window
from support.card_in_process import ReaderInProcess
from support.founded import founded_country
from support.ports import free_port

pytestmark = pytest.mark.browser

SCRIPT = Path("src/inkan/web/static/card_agent.js")


class Site(BaseHTTPRequestHandler):
    """A page that may name an agent, and the page script."""

    meta: ClassVar[str] = ""

    def do_GET(self) -> None:
        is_script = self.path == "/card_agent.js"
        page = f"<!doctype html><title>x</title><link rel=icon href=data:,>{self.meta}"
        self.send_response(200)
        self.send_header("content-type", "text/javascript" if is_script else "text/html")
        self.end_headers()
        self.wfile.write(SCRIPT.read_bytes() if is_script else page.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


class Place(NamedTuple):
    """A listed page, the agent of its computer, and the person's hands."""

    origin: str
    agent: LoopbackAgent
    dialog: ScriptedDialog


@pytest.fixture(scope="module")
def personalised():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def reader(personalised) -> ReaderInProcess:
    return ReaderInProcess(personalised.again())


@pytest.fixture
def place(reader: ReaderInProcess, tmp_path: Path) -> Iterator[Place]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    origin, dialog = f"http://id.localhost:{server.server_port}", ScriptedDialog()

    def commands() -> CardAgent:
        lock = FileLock(tmp_path / "card-agent.toml")
        return CardAgent(readers=lambda: reader, dialog=dialog, origins=[origin], lock=lock)

    agent = LoopbackAgent(commands, origins=[origin])
    agent.start()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Place(origin, agent, dialog)
    agent.close()
    server.shutdown()
    thread.join()
    server.server_close()
    Site.meta = ""


async def run(window: Window, body: str) -> object:
    """Run the body of a function with the script's ``connect`` and ``pair``; a refusal is its code."""
    return await window.evaluate(
        f"""async () => {{
          const {{ connect, pair }} = await import("/card_agent.js");
          try {{ {body} }} catch (error) {{ return error.code ?? String(error); }}
        }}"""
    )


async def test_a_page_that_names_no_agent_finds_none(place: Place, chromium: Chromium) -> None:
    window = await chromium.open()
    window.expect_complaint("ERR_|Failed to load|CORS|blocked")
    await window.go(place.origin)
    assert await run(window, 'await connect({ kind: "use" })') == "card_agent_missing"
    Site.meta = '<meta name="inkan-card-agent" content="http://127.0.0.1:9">'
    await window.go(place.origin)
    assert await run(window, 'await connect({ kind: "use" })') == "card_agent_unpaired"
    asked = await run(window, 'await connect({ kind: "use", isAsked: true })')
    assert asked == "card_agent_missing"
    gone = '{ address: "http://127.0.0.1:9", secret: "x" }'
    assert await run(window, f'await connect({{ kind: "use", loopback: {gone} }})') == (
        "card_agent_missing"
    )


async def test_the_secret_is_typed_once_and_the_agent_signs(
    place: Place, chromium: Chromium, reader: ReaderInProcess
) -> None:
    Site.meta = f'<meta name="inkan-card-agent" content="{place.agent.address}">'
    window = await chromium.open()
    await window.go(place.origin)
    secret = place.agent.secret.reveal()
    find = 'const agent = await connect({ kind: "use" });'
    assert await run(window, find) == "card_agent_unpaired"
    ask = 'const agent = await connect({ kind: "use", isAsked: true });'
    assert await run(window, ask) == "card_agent_unpaired"
    assert await run(window, f'pair("wrong"); {find}') == "card_agent_unpaired"
    members = json.dumps(to_sign(enrolment_request.content_bytes(bind_content()), BIND))
    sign = f'return await agent.call("sign", {members});'
    # The content is another origin's: who asks is the browser's header, not a member.
    assert await run(window, f'pair(" {secret} "); {find} {sign}') == "card_origin_refused"
    content = enrolment_request.content_bytes(bind_content(aud=place.origin))
    digits = enrolment_request.pairing_digits(bind_content(aud=place.origin))
    place.dialog.given = Given(pin=PIN, digits=digits)
    members = json.dumps(to_sign(content, BIND))
    signed = await run(window, f'{find} return (await agent.call("sign", {members})).cms.length;')
    assert isinstance(signed, int)
    assert signed > 1000


async def test_cards_that_come_and_go_are_seen(
    place: Place, chromium: Chromium, reader: ReaderInProcess
) -> None:
    window = await chromium.open()
    await window.go(place.origin)
    told = place.agent
    loopback = f'{{ address: "{told.address}", secret: "{told.secret.reveal()}" }}'
    await run(
        window,
        f"""const agent = await connect({{ kind: "use", loopback: {loopback} }});
        globalThis.seen = [];
        globalThis.looks = 0;
        const {{ fetch }} = globalThis;
        globalThis.fetch = (...all) => {{ looks += 1; return fetch(...all); }};
        globalThis.stop = agent.watch(({{ event }}) => seen.push(event));""",
    )
    applet = reader.applet
    await window.page.wait_for_function("looks > 1")
    reader.pull()
    await window.page.wait_for_function("seen.length === 1")
    reader.insert(applet)
    await window.page.wait_for_function("seen.length === 2")
    assert await window.evaluate("seen") == ["removed", "inserted"]
    await window.evaluate("stop()")


@pytest.mark.req("TW-07")
async def test_a_phone_is_bound_without_an_extension(tmp_path: Path, chromium: Chromium) -> None:
    """The enrolment page of the test country, which names its loopback agent."""
    dialog, port = ScriptedDialog(), free_port(neighbours=6)
    async with (
        founded_country(tmp_path / "country", port=port) as founded,
        AsyncTransport() as transport,
    ):
        town = Town(founded, transport)
        reader = ReaderInProcess(await personalise(town))
        lock = FileLock(tmp_path / "card-agent.toml")
        use = CardAgent(readers=lambda: reader, dialog=dialog, origins=[town.origin], lock=lock)
        agent = LoopbackAgent(lambda: use, origins=[town.origin], port=agent_port(port))
        agent.start()
        window = await chromium.open(Look(is_phone=True))
        await begin(town, window)
        phone, digits = await prepare(town, window)
        await window.see("The phone is ready")
        await window.press(SIGN)
        await window.see("Type the pairing code that the card program showed")
        await window.check_accessibility()
        dialog.given = Given(pin=Secret(READER_PIN), digits=digits)
        await window.fill(
            "Pairing code that the card program showed", agent.secret.reveal().lower()
        )
        await window.press(SIGN)
        await window.see("The phone is bound")
        assert await phone.collect() is not None
        await chromium.close()
        agent.close()
        await phone.close()
