"""The card agent in a real browser: extension, native program, PC/SC, a card in a virtual reader, and the enrolment page."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import CliRunner

from inkan.cli.card import command
from inkan.client import AsyncTransport
from inkan.client.piv_card import PivCard
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.keys import KeySpec
from inkan.kernel.calendar import last_instant
from inkan.kernel.sensitive import Personal, Secret
from inkan.pki import CertificateOrder, SubjectName
from inkan.schemes import get_scheme
from inkan.wire import card_request
from journeys.test_enrol_page_browser import Town, begin, prepare
from support.browser import Chromium, Look, Window, within
from support.card_in_process import ReaderInProcess
from support.founded import founded_country
from support.pinentry import ScriptedPinentry
from support.piv_applet import SIGNATURE_PIN, PivApplet
from support.ports import free_port
from support.vpcd import Service, Slot
from support.waiting import eventually

pytestmark = pytest.mark.browser

PIN = "Kasumi2026"
PROFILE = "with-agent"
MANAGEMENT_KEY = Secret(bytes(range(16)))
SIGN = "Sign with the card in the reader"


@dataclass
class Desk:
    """The town, its card in a reader, the agent beside the browser, and the person's hands."""

    town: Town
    applet: PivApplet
    slot: Slot
    pinentry: ScriptedPinentry
    extension: Path

    async def window(self, chromium: Chromium, look: Look | None = None) -> Window:
        return await chromium.open(look, profile=PROFILE, extension=self.extension)

    @property
    def tries(self) -> int:
        return self.applet.pins[SIGNATURE_PIN].left

    async def reader_noticed(self, window: Window, *, has_card: bool) -> None:
        """The service looks at its reader now and then; a card that is back sooner never went."""

        async def has() -> bool:
            (_, said) = await raw(window, {"id": 1, "command": "status"})
            return any(each["has_card"] for each in said["answer"]["readers"]) is has_card

        await eventually(has)


async def personalise(town: Town) -> PivApplet:
    """What a counter does: keys made in the card, a certificate of the person, written with its issuers."""
    applet = PivApplet(signature_pin=PIN)
    country, chen = town.country, town.chen
    with PivCard(ReaderInProcess(applet)) as card:
        pin = Secret(PIN)
        csr = card.make_key(KeySpec.RSA2048, pin=pin, management_key=MANAGEMENT_KEY)
        scheme = get_scheme(country.scheme)
        issued = await country.instance.platform.pki.issue(
            CertificateOrder(
                order_key=f"reader:{chen.person.id}",
                profile="card-sign",
                owner=chen.person.id,
                subject=SubjectName(
                    common_name=Personal(chen.part.name), serial_number=chen.person.subject_serial
                ),
                spki=verify_csr(parse_csr(csr)).spki,
                not_after=last_instant(country.clock.now(), years=3, utc_offset=scheme.utc_offset),
            )
        )
        issuers = [*reversed(issued.chain)]
        card.put_certificate(issued.der, issuers=issuers, pin=pin, management_key=MANAGEMENT_KEY)
    return applet


def install(chromium: Chromium, origin: str, pinentry: ScriptedPinentry) -> Path:
    """As a person does, by the command line."""
    words = ["agent", "install", "--profile", str(chromium.profile(PROFILE))]
    words += ["--origin", origin, "--pinentry", str(pinentry.program)]
    done = CliRunner().invoke(command, words)
    assert done.exit_code == 0, done.output
    return Path(done.output.strip().rpartition(": ")[2])


@pytest.fixture
async def desk(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    card_service: Service,
    chromium: Chromium,
) -> AsyncIterator[Desk]:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    pinentry = ScriptedPinentry(tmp_path / "pinentry")
    async with AsyncExitStack() as stack:
        founded = await stack.enter_async_context(
            founded_country(tmp_path / "country", port=free_port(neighbours=3))
        )
        town = Town(founded, await stack.enter_async_context(AsyncTransport()))
        slot = Slot(card_service)
        stack.callback(slot.pull)
        applet = await personalise(town)
        slot.insert(applet)
        extension = install(chromium, town.origin, pinentry)
        yield Desk(town, applet, slot, pinentry, extension)
        await chromium.close()
        for phone in town.phones:
            await phone.close()


def content_for(origin: str) -> dict[str, str]:
    """A login for a page of that origin."""
    content = card_request.LoginContent(
        aud=origin,
        origin=origin,
        nonce=base64url.encode(bytes(32)),
        at="2026-11-21T12:00:00Z",
    )
    return {
        "content": base64url.encode(card_request.content_bytes(content)),
        "content_type": card_request.CONTENT_TYPES[card_request.CardPurpose.LOGIN],
    }


class _Blank(BaseHTTPRequestHandler):
    """An empty page, whatever is asked for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>x</title><link rel=icon href=data:,>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def other_site() -> Iterator[int]:
    """A site that is not ours, on loopback; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.req("TW-07", "TW-11")
async def test_a_phone_is_bound_by_the_card_in_the_reader(desk: Desk, chromium: Chromium) -> None:
    window = await desk.window(chromium)
    await begin(desk.town, window)
    phone, digits = await prepare(desk.town, window)
    await window.see("The card is in the reader")
    await window.check_accessibility()
    desk.pinentry.type(digits, PIN)
    await window.press(SIGN)
    await window.see("The phone is bound")
    assert await phone.collect() is not None
    assert desk.town.origin in desk.pinentry.shown
    assert "陳怡君的手機" in desk.pinentry.shown
    assert PIN not in await within(window.page.content())
    assert desk.tries == 5


async def ready(desk: Desk, chromium: Chromium, look: Look | None = None) -> tuple[Window, str]:
    """The page of a request whose phone shows its digits, and those."""
    window = await desk.window(chromium, look)
    await begin(desk.town, window)
    _, digits = await prepare(desk.town, window)
    await window.see("The card is in the reader")
    return window, digits


@pytest.mark.req("HCA-45")
async def test_the_card_comes_and_goes_and_the_page_says_so(desk: Desk, chromium: Chromium) -> None:
    window, digits = await ready(desk, chromium)
    desk.slot.pull()
    await window.see("Put the card into the reader")
    await window.press(SIGN)
    await window.see("There is no card in the reader.")
    desk.slot.insert(desk.applet)
    await window.see("The card is in the reader")
    desk.pinentry.type(digits, "!wait")
    await window.press(SIGN)
    await window.see("Look at the window of the card program")
    await eventually(lambda: desk.pinentry.told.count("GETPIN") == 2)
    desk.slot.pull()
    await window.see("The card was removed.")
    await window.check_accessibility()
    desk.slot.insert(desk.applet)
    await window.see("The card is in the reader")
    desk.pinentry.type(digits, PIN)
    await window.press(SIGN)
    await window.see("The phone is bound")
    assert desk.tries == 5


@pytest.mark.req("HCA-45")
async def test_the_card_pulled_at_each_step_of_the_signature_leaves_nothing(
    desk: Desk, chromium: Chromium
) -> None:
    window, digits = await ready(desk, chromium)
    window.expect_complaint("status of 4")
    for at in (1, 6, 12, 18):
        seen = 0

        def pull(_command: bytes, at: int = at) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                desk.slot.pull()

        desk.pinentry.type(digits, PIN)
        desk.slot.before = pull
        await window.press(SIGN)
        await within(
            window.page.locator("[data-card-state=refused], [data-card-state=removed]")
            .locator("visible=true")
            .first.wait_for()
        )
        desk.slot.before = lambda _command: None
        assert seen >= at, "there are not so many steps"
        await desk.reader_noticed(window, has_card=False)
        desk.slot.insert_anew(desk.applet)
        await window.see("The card is in the reader")
        assert desk.tries == 5
    desk.pinentry.type(digits, PIN)
    await window.press(SIGN)
    await window.see("The phone is bound")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (("!cancel",), "You declined."),
        (("00000000", PIN), "digits"),
        (("{digits}", "000000"), "PIN tries left: 4"),
        (("{digits}", "0"), "6 to 16"),
        (("!die",), "The window that asks for the PIN cannot be opened."),
    ],
)
async def test_what_went_wrong_is_said_and_can_be_mended(
    desk: Desk, chromium: Chromium, answers: tuple[str, ...], said: str
) -> None:
    window, digits = await ready(desk, chromium, Look(is_phone=True))
    desk.pinentry.type(*(each.format(digits=digits) for each in answers))
    await window.press(SIGN)
    await window.see("The card did not sign")
    await window.see(said)
    await window.check_accessibility()
    desk.pinentry.type(digits, PIN)
    await window.press(SIGN)
    await window.see("The phone is bound")


async def test_two_pages_at_once_and_a_page_that_goes(desk: Desk, chromium: Chromium) -> None:
    window, digits = await ready(desk, chromium)
    desk.pinentry.type(digits, "!wait")
    await window.press(SIGN)
    await eventually(lambda: desk.pinentry.told.count("GETPIN") == 2)
    other = Window(window.context, await window.context.new_page())
    await other.go(f"{desk.town.origin}/enrol/request")
    await other.see("The card is in the reader")
    await other.press(SIGN)
    await other.see("The card program is busy with another request.")
    assert desk.pinentry.told.count("GETPIN") == 2
    # The page goes, and with it its window and its hold on the card.
    await window.page.close()
    desk.pinentry.type(digits, PIN)

    async def again() -> bool:
        await other.press(SIGN)
        done = other.page.get_by_text("The phone is bound").or_(
            other.page.get_by_text("The card program is busy").locator("visible=true")
        )
        await within(done.first.wait_for())
        return await other.page.get_by_text("The phone is bound").count() == 1

    await eventually(again)


RAW = """([requests, patience]) => new Promise((resolve) => {
  const { port1, port2 } = new MessageChannel();
  const heard = [];
  port1.onmessage = ({ data }) => {
    heard.push(data);
    if (data.gone || heard.length > requests.length) { resolve(heard); }
  };
  window.postMessage({ "inkan-card-agent": "use" }, location.origin, [port2]);
  for (const request of requests) { port1.postMessage(request); }
  setTimeout(() => resolve(heard), patience);
})"""


async def raw(window: Window, *requests: object, patience: int = 5000) -> list[dict]:
    """What a script of the page hears that speaks to the extension by itself."""
    return await within(window.page.evaluate(RAW, [list(requests), patience]))


async def test_a_hostile_script_in_a_listed_page(desk: Desk, chromium: Chromium) -> None:
    window, _ = await ready(desk, chromium)
    evil = content_for("https://evil.example")
    heard = await raw(
        window,
        {
            "id": 1,
            "command": "sign",
            "key": "authentication",
            **evil,
            "origin": "https://evil.example",
        },
        {"id": 2, "command": "sign", "key": "authentication", **evil},
        {"id": 3, "command": "make_key", "key": "signature"},
        {"id": 4, "command": "status", "pad": "x" * 9000},
        "no object",
        None,
    )
    codes = {each["id"]: each["refusal"]["code"] for each in heard if "refusal" in each}
    assert codes[1] == codes[3] == codes[0] == "card_agent_malformed"
    assert codes[2] in {"card_request_refused", "card_origin_refused"}
    assert codes[4] in {"card_agent_malformed", "card_agent_too_large"}
    large = {"id": 1, "command": "sign", "key": "signature", **evil, "pad": "x" * 200_000}
    heard = await raw(window, large, {"id": 2, "command": "status"})
    assert heard[1]["refusal"]["code"] == "card_agent_too_large"
    assert heard[2] == {"gone": "card_agent_missing"}
    assert desk.pinentry.told == []
    assert desk.tries == 5
    await window.see("The card is in the reader")


async def test_other_origins_get_nothing(desk: Desk, chromium: Chromium) -> None:
    window = await desk.window(chromium)
    # The same host on another port: the extension is there, the program refuses.
    with other_site() as port:
        await window.go(f"http://id.localhost:{port}/")
        for command in ("status", "certificates", "sign"):
            heard = await raw(window, {"id": 1, "command": command, "key": "signature"})
            assert heard[1]["refusal"]["code"] == "card_agent_origin_unlisted"
        # Another host: nobody listens, whatever it is called for.
        await window.go(f"http://evil.localhost:{port}/")
        assert await raw(window, {"id": 1, "command": "status"}, patience=1000) == []
        # A frame of a listed host in a page of another: nobody listens either.
        await window.evaluate(
            f"""() => new Promise((done) => {{
              const frame = document.createElement("iframe");
              frame.onload = done;
              frame.src = "http://id.localhost:{port}/";
              document.body.append(frame);
            }})"""
        )
        heard = await within(window.page.frames[1].evaluate(RAW, [[{"id": 1}], 1000]))
        assert heard == []


async def test_without_an_agent_the_page_says_so(desk: Desk, chromium: Chromium) -> None:
    window = await chromium.open(Look(language="ja"))
    # The test country names a loopback agent, which nobody started.
    window.expect_complaint("ERR_|Failed to load|CORS|Content Security")
    await begin(desk.town, window, language="ja")
    await prepare(desk.town, window)
    await window.see("端末の準備ができました")
    await window.press("カードリーダーのカードで署名する")
    await window.see("このパソコンにカードプログラムが見つかりません。")
    await window.check_accessibility()
