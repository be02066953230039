"""Pages in a real browser: readable by everybody, strict with everything that is not theirs."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
from litestar import post
from litestar.di import NamedDependency
from litestar.params import URLEncodedBody

from inkan.kernel.errors import Gone
from inkan.web import headers
from inkan.web.app import Application
from inkan.web.exchange import Exchange, MenuItem
from inkan.web.principal import open_to_all, public
from inkan.web.response import Response, html, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.web.server import Server
from support.browser import Chromium, Look

pytestmark = pytest.mark.browser
GALLERY = Path(__file__).parent / "gallery"
A_TEST = open_to_all("a test")
MENU = (MenuItem(text="Menu", path="/"), MenuItem(text="Language", path="/other"))


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    answer: str


class Answers:
    def __init__(self) -> None:
        self.given: list[str] = []


async def gallery(exchange: Exchange) -> Response:
    return exchange.page("gallery/all.html")


async def gone(_: Exchange) -> Response:
    raise Gone


async def framing(exchange: Exchange) -> Response:
    return html(f"<!doctype html><title>x</title><iframe src='{exchange.site.origin}/'></iframe>")


async def injected(_: Exchange) -> Response:
    return html(
        "<!doctype html><html lang=en><title>quiet</title><main><h1>Quiet</h1>"
        "<p style='color:red' onclick='document.title=1'>text</p><script>document.title='ran'</script>"
    )


@post("/answer", opt=public("a test"), status_code=HTTPStatus.SEE_OTHER)
async def answer(data: URLEncodedBody[Answer], answers: NamedDependency[Answers]) -> Response:
    answers.given.append(data.answer)
    return see_other("/")


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def site(build: Callable[..., Application], answers: Answers) -> Callable[..., object]:
    """The gallery, served on ``http://id.localhost``."""

    @asynccontextmanager
    async def serve() -> AsyncIterator[str]:
        endpoints = {"/": gallery, "/gone": gone, "/framing": framing, "/injected": injected}
        pages = Group(
            surface=Surface.PAGES,
            handlers=[answer],
            services={"answers": answers},
            bare={
                ("GET", path): Bare(endpoint=end, access=A_TEST) for path, end in endpoints.items()
            },
            relax={"/framing": headers.PAGES.allowing("frame-src", "'self'")},
        )
        origin = f"http://id.localhost:{_free_port()}"
        application = build(pages, origin=origin, packages={"gallery": GALLERY}, menu=MENU)
        async with Server(application, port=int(origin.rpartition(":")[2])).running(grace_s=1):
            yield origin

    return serve


def _free_port() -> int:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


LOOKS = [
    Look(language="en"),
    Look(language="ja", is_dark=True),
    Look(language="zh-TW", is_phone=True),
    Look(language="en", is_phone=True, is_dark=True, width=360),
]


async def test_every_component_is_accessible(chromium: Chromium, site: Callable) -> None:
    async with site() as origin:
        for look in LOOKS:
            window = await chromium.open(look)
            assert await window.go(f"{origin}/") == 200
            await window.check_accessibility()
            language = await window.evaluate("() => document.documentElement.lang")
            assert language == {"zh-TW": "zh-Hant"}.get(look.language, look.language)
        window.expect_complaint("status of 410")
        assert await window.go(f"{origin}/gone") == 410
        await window.check_accessibility()
        await chromium.close()


async def test_what_is_not_accessible_is_found_whenever_it_comes(
    chromium: Chromium, site: Callable
) -> None:
    async with site() as origin:
        window = await chromium.open()
        await window.go(f"{origin}/")
        await window.check_accessibility()
        for spoil, mend, fault in (
            ("document.documentElement.lang = ''", "document.documentElement.lang = 'en'", "html-has-lang"),
            ("document.querySelector('h1').style.color = '#eee'", "document.querySelector('h1').style.color = ''",
             "color-contrast"),
            ("document.body.style.width = '3000px'", "document.body.style.width = ''", "wider than"),
        ):  # fmt: skip
            await window.evaluate(f"() => {{ {spoil}; }}")
            with pytest.raises(AssertionError, match=fault):
                await window.check_accessibility()
            await window.evaluate(f"() => {{ {mend}; }}")
            await window.check_accessibility()
        await chromium.close()


async def test_a_form_works_with_and_without_scripts(
    chromium: Chromium, site: Callable, answers: Answers
) -> None:
    async with site() as origin:
        for javascript in (True, False):
            answers.given.clear()
            window = await chromium.open(Look(javascript=javascript))
            await window.go(f"{origin}/")
            await window.press("Approve")
            await window.see("All components")
            await window.fill("Name of the phone", "印")
            await window.press("Save")
            await window.see("All components")
            assert answers.given == ["yes", "印"]
            cookies = {cookie["name"]: cookie for cookie in await window.context.cookies()}
            kept = cookies["__Host-inkan-csrf"]
            assert (kept["secure"], kept["httpOnly"], kept["sameSite"]) == (True, True, "Lax")
        await chromium.close()


async def test_the_language_is_kept_and_the_keyboard_reaches_the_content(
    chromium: Chromium, site: Callable
) -> None:
    async with site() as origin:
        window = await chromium.open(Look(language="en"), profile="kept")
        await window.go(f"{origin}/")
        await window.press("日本語", role="link")
        await window.see("本文へ移動")
        await window.go(f"{origin}/")
        assert await window.evaluate("() => document.documentElement.lang") == "ja"
        await window.page.keyboard.press("Tab")
        box = await window.page.get_by_text("本文へ移動").bounding_box()
        assert box is not None
        assert box["y"] >= 0, "the first stop of the keyboard is visible"
        await window.page.keyboard.press("Enter")
        assert await window.evaluate("() => document.activeElement.id") == "main"
        await chromium.close()


async def test_nothing_inline_runs(chromium: Chromium, site: Callable) -> None:
    async with site() as origin:
        window = await chromium.open()
        window.expect_complaint("Content Security Policy|content security policy")
        await window.go(f"{origin}/injected")
        assert await window.evaluate("() => document.title") == "quiet"
        colour = "() => getComputedStyle(document.querySelector('p')).color"
        assert await window.evaluate(colour) == "rgb(0, 0, 0)"
        for refused in ("inline style", "inline event handler", "inline script"):
            await window.hear_complaint(refused)
        for script in (
            "() => { document.body.innerHTML = '<b>x</b>'; }",
            "() => { trustedTypes.createPolicy('mine', {createHTML: text => text}); }",
        ):
            with pytest.raises(Exception, match=r"TrustedHTML|disallowed"):
                await window.evaluate(script)
        window.expect_complaint("Trusted")
        await chromium.close()


async def test_a_page_is_not_framed_and_complaints_are_heard(
    chromium: Chromium, site: Callable
) -> None:
    async with site() as origin:
        window = await chromium.open()
        window.expect_complaint("frame")
        await window.go(f"{origin}/framing")
        await window.hear_complaint("frame")
        assert any(
            "frame-ancestors" in line or "X-Frame-Options" in line for line in window.complaints
        )
        window.check_console()
        await window.go(f"{origin}/gone")
        await window.hear_complaint("410")
        with pytest.raises(AssertionError, match="410"):
            window.check_console()
        window.expect_complaint("410")
        await chromium.close()
