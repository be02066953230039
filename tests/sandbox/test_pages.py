"""The page for developers: everything by forms, in three languages, for who names a system of the sandbox."""

import re
from pathlib import Path
from typing import Any

import pytest

from identification.doorways import RETURN_URL, brought
from inkan.client import begin_return
from inkan.composition.routes import PAGED
from inkan.sandbox.pages import BEHAVIOURS, BUTTONS, COOKIE, DOOR_FORMS, FOLDER, MENU, STATES
from inkan.sandbox.pages.trying import WORDS
from inkan.web.languages import Language
from inkan.web.templates import Templates
from portal.browsers import Browser, body_of
from sandbox.conftest import Town
from support.asgi import Reply
from support.clock import StandingClock

DOORS = {text for each in DOOR_FORMS.values() for text in (each.label, each.button, each.hint)}
DATA = {
    *BEHAVIOURS.values(),
    *BUTTONS.values(),
    *STATES.values(),
    *(each.text for each in MENU),
    *(DOORS - {""}),
    *WORDS,
}


@pytest.fixture
def browser(small: Town) -> Browser:
    return Browser(small.world.instance.application)


async def enter(browser: Browser, code: str = "tax-office") -> Reply:
    return await browser.send("/sandbox/enter", "/sandbox/enter", code=code)


async def test_who_names_no_system_is_asked_for_one(browser: Browser) -> None:
    reply = await browser.see("/sandbox")
    assert reply.status == 303
    assert (reply.header("location") or "").startswith("/sandbox/enter")
    for code in ("nobody", "inkan", "", "x" * 300, "tax-office; path=/"):
        refused = await enter(browser, code)
        assert refused.status == 400, code
        assert not browser.cookies.get(COOKIE)


async def test_the_whole_page_by_forms(browser: Browser, small: Town, clock: StandingClock) -> None:
    assert (await enter(browser)).header("location") == "/sandbox"
    page = "/sandbox"
    assert "There is no virtual phone yet." in (await browser.see(page)).text
    made = await browser.send(
        "/sandbox/phones", page, person="agrees", behaviour="manual", name="<b>mine</b>"
    )
    assert made.status == 303
    (phone,) = (await small.developer.call("GET", "phones")).json()["phones"]
    shown = (await browser.see(page)).text
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown
    session = await small.ask()
    await browser.send(f"/sandbox/phones/{phone['id']}/scan", page, frame=session.frame())
    await browser.send(f"/sandbox/phones/{phone['id']}/approve", page)
    assert (await small.end_of(session)).outcome == "ok"
    assert "approved" in body_of(await browser.see(page))
    await answer_by_link_and_push(browser, small, phone)
    await browser.send("/sandbox/clock", page, count="2", unit="hour")
    assert clock.offset.total_seconds() == 7200
    await browser.send("/sandbox/faults", page, latency_ms="0", error_percent="50", error="internal", drop_percent="0", push_lost_percent="25", webhook_delay_s="9", seed="7")  # fmt: skip
    faults = (await small.developer.call("GET", "faults")).json()["faults"]
    assert (faults["error_rate"], faults["errors"], faults["seed"]) == (0.5, ["internal"], 7)
    assert (faults["push_lost_rate"], faults["webhook_delay_s"]) == (0.25, 9)
    assert "Faults are in force" in (await browser.see(page)).text
    await browser.send("/sandbox/faults/end", page)
    await browser.send(f"/sandbox/phones/{phone['id']}/lose", page)
    assert "Lose it" not in body_of(await browser.see(page))
    await browser.send(f"/sandbox/phones/{phone['id']}/end", page)
    assert (await small.developer.call("GET", "phones")).json() == {"phones": []}
    await browser.send("/sandbox/leave", page)
    assert (await browser.see(page)).status == 303


async def answer_by_link_and_push(browser: Browser, town: Town, phone: dict[str, Any]) -> None:
    """Both by forms; after a link the page leads on to where the phone's browser would go."""
    path, page = f"/sandbox/phones/{phone['id']}", "/sandbox"
    back, verifier = begin_return(RETURN_URL)
    session = await town.ask(doors=["web_link"], return_to=back)
    made = session.doors.web_link
    assert made is not None
    await browser.send(f"{path}/open", page, link=f" {made.url} ")
    await browser.send(f"{path}/approve", page)
    found = re.search(rf'href="({re.escape(RETURN_URL)}[^"]+)"', (await browser.see(page)).text)
    assert found is not None
    brought_back = brought(found[1].replace("&amp;", "&"))
    assert (await session.redeem(verifier, return_code=brought_back["return_code"])).is_ok
    for code in ("", "shown"):
        session = await town.push("agrees")
        assert session.doors.push is not None
        typed = session.doors.push.code if code else ""
        await browser.send(f"{path}/code", page, code=typed or "")
        await browser.send(f"{path}/approve", page)
        assert (await town.end_of(session)).is_ok
    assert RETURN_URL not in (await browser.see(page)).text


async def test_a_form_from_elsewhere_does_nothing(browser: Browser, small: Town) -> None:
    await enter(browser)
    form = {"person": "agrees"}
    for headers in (
        {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
        {"origin": browser.origin, "sec-fetch-site": "same-origin"},
    ):
        reply = await browser.post("/sandbox/phones", headers=headers, form=form)
        assert reply.status == 403
    assert (await small.developer.call("GET", "phones")).json() == {"phones": []}


async def test_bad_forms_are_refused(browser: Browser, clock: StandingClock) -> None:
    await enter(browser)
    page = "/sandbox"
    for path, fields in (
        ("/sandbox/phones", {"person": "nobody"}),
        ("/sandbox/phones", {"person": "agrees", "behaviour": "explode"}),
        ("/sandbox/phones", {"person": "agrees", "name": "x" * 41}),
        ("/sandbox/phones/vph_none/scan", {"frame": "x"}),
        ("/sandbox/phones/vph_none/open", {"link": "x"}),
        ("/sandbox/phones/vph_none/open", {"link": ""}),
        ("/sandbox/phones/vph_none/code", {"code": "1" * 21}),
        ("/sandbox/phones/vph_none/code", {}),
        ("/sandbox/phones/vph_none/approve", {}),
        ("/sandbox/clock", {"count": "0", "unit": "hour"}),
        ("/sandbox/clock", {"count": "-1", "unit": "hour"}),
        ("/sandbox/clock", {"count": "9" * 40, "unit": "hour"}),
        ("/sandbox/clock", {"count": "1", "unit": "year"}),
        ("/sandbox/clock", {"count": "10000", "unit": "day"}),
        ("/sandbox/faults", {"error_percent": "101"}),
        ("/sandbox/faults", {"seed": "9" * 30}),
        ("/sandbox/faults", {"push_lost_percent": "101"}),
        ("/sandbox/faults", {"webhook_delay_s": "601"}),
    ):
        reply = await browser.send(path, page, **fields)
        assert reply.status in {400, 404}, (path, fields)
    assert clock.offset.total_seconds() == 0


async def test_a_suspended_system_is_shown_out(browser: Browser, small: Town) -> None:
    await enter(browser)
    await small.world.platform.relying_parties.suspend("tax-office")
    assert (await browser.see("/sandbox")).status == 303


# --- texts -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pages() -> str:
    return "".join(page.read_text("utf-8") for page in (FOLDER / "templates").glob("*.html"))


def test_every_text_is_translated(pages: str) -> None:
    folders = {each.__name__.split(".")[-1]: Path(str(each.__file__)).parent for each in PAGED}
    templates = Templates(folders)
    asked = set(re.findall(r'_\("([^"]+)"\)', pages)) | DATA
    assert len(asked) > 50
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []


def test_no_translation_is_left_over(pages: str) -> None:
    for catalogue in Path(FOLDER / "locale").rglob("*.po"):
        for text in re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE):
            assert f'"{text}"' in pages or text in DATA, text


@pytest.mark.parametrize(
    ("language", "title"),
    [("en", "Virtual phones"), ("ja", "仮想端末"), ("zh-Hant", "虛擬行動裝置")],
)
async def test_the_page_speaks_three_languages(browser: Browser, language: str, title: str) -> None:
    await enter(browser)
    reply = await browser.see("/sandbox", **{"accept-language": language})
    assert f'lang="{language}"' in reply.text
    assert title in reply.text
    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", reply.text)
