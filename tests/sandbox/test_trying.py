"""Every door tried out by forms: the calls are real ones, and what is shown can be sent again from a shell."""

import html
import re
import shlex

import pytest

from inkan.sandbox.pages.trying import DOOR_WORDS
from inkan.wire.binding import Door
from portal.browsers import Browser
from sandbox.conftest import Town
from support.asgi import Reply

FIELDS = ("session", "door", "made", "verifier")


@pytest.fixture
async def browser(small: Town) -> Browser:
    browser = Browser(small.world.instance.application)
    entered = await browser.send("/sandbox/enter", "/sandbox/enter", code="tax-office")
    assert entered.status == 303
    return browser


def kept(reply: Reply) -> dict[str, str]:
    """What a page passes on to its next step."""
    found = {name: re.search(rf'name="{name}" value="([^"]*)"', reply.text) for name in FIELDS}
    assert all(found.values()), reply.text
    return {name: html.unescape(each[1]) for name, each in found.items() if each}


def test_every_door_has_words() -> None:
    assert set(DOOR_WORDS) == set(Door)


async def test_a_code_from_beginning_to_receipt(browser: Browser, small: Town) -> None:
    phone = await small.developer.make("agrees")
    begun = await browser.send("/sandbox/try", "/sandbox/try", door="qr", purpose="login")
    assert begun.status == 200
    assert "POST http" in begun.text
    assert "201" in begun.text
    step = kept(begun)
    opened = await browser.send("/sandbox/try/answer", "/sandbox/try", **step, phone=phone["id"])
    assert opened.status == 200
    assert "This did not work" not in opened.text
    assert "&#34;released_at&#34;" in opened.text
    read = await browser.send("/sandbox/try/read", "/sandbox/try", **step)
    assert "&#34;closed&#34;" in read.text
    receipt = await browser.send("/sandbox/try/receipt", "/sandbox/try", **step)
    assert "inkan-receipt" in receipt.text or "eyJ" in receipt.text


async def test_the_shell_line_is_the_call(browser: Browser) -> None:
    begun = await browser.send("/sandbox/try", "/sandbox/try", door="qr", purpose="login")
    line = html.unescape(re.findall(r"<pre[^>]*>(curl .*?)</pre>", begun.text, re.DOTALL)[0])
    words = shlex.split(line)
    assert words[:3] == ["curl", "-X", "POST"]
    assert "authorization: Bearer tax-office" in words
    assert any('"doors":["qr"]' in word for word in words)


async def test_a_refused_call_is_shown_as_it_was(browser: Browser) -> None:
    refused = await browser.send("/sandbox/try", "/sandbox/try", door="qr", purpose="'; rm -rf /")
    assert refused.status == 200
    assert "purpose" in refused.text
    assert 'name="session"' not in refused.text


@pytest.mark.parametrize("session", ["", "../../limits", "ses_x?y=1", "ses x"])
async def test_a_session_is_an_id_and_no_path(browser: Browser, session: str) -> None:
    reply = await browser.send("/sandbox/try/read", "/sandbox/try", session=session, door="qr")
    assert reply.status == 400


async def test_another_sites_page_is_no_link(browser: Browser) -> None:
    made = '{"url":"javascript:alert(1)"}'
    reply = await browser.send(
        "/sandbox/try/read", "/sandbox/try", session="ses_x", door="redirect", made=made
    )
    assert 'href="javascript' not in reply.text
