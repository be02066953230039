"""The kiosk's page and its calls, by hand: who is a kiosk, what a visit's cookie is good for, what other sites get."""

import html
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from enrolment.hands import on_sqlite, rows
from enrolment.kiosks import FIRST, SECRET, Visit, kiosk_world, registered
from inkan.crypto import base64url
from inkan.enrolment import store
from inkan.enrolment.pages.kiosk import KIOSK_COOKIE, VISIT_COOKIE
from inkan.enrolment.service.kiosk import Taken
from inkan.store.database import Database
from portal.browsers import OWN, PROGRAM, Browser, body_of
from support.asgi import Reply
from support.clock import StandingClock
from support.world import World

NOBODY = "0" * 26
CALLS = {
    "/kiosk/take": {"key": NOBODY},
    "/kiosk/sign": {"cms": "AA"},
    "/kiosk/number": {},
    "/kiosk/leave": {},
}
_TOKEN = re.compile(r'data-csrf="([0-9a-f]{64})"')
_JSON = {"content-type": "application/json"}


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with kiosk_world(database, clock, tmp_path) as made:
        yield made


class KioskBrowser(Browser):
    """The browser of a kiosk."""

    token = ""

    async def set_up(self, name: str = FIRST.name, secret: str = SECRET) -> Reply:
        reply = await self.send("/kiosk/open", "/kiosk", name=name, secret=secret)
        found = _TOKEN.search((await self.see("/kiosk")).text)
        self.token = found[1] if found else ""
        return reply

    async def call(self, path: str, **members: str) -> Reply:
        headers = PROGRAM | _JSON | {"x-csrf-token": self.token}
        return await self.post(path, headers=headers, body=json.dumps(members).encode())


@pytest.fixture
def browser(world: World) -> KioskBrowser:
    return KioskBrowser(world.instance.application)


@pytest.fixture
async def kiosk(browser: KioskBrowser) -> KioskBrowser:
    assert (await browser.set_up()).status == 303
    return browser


@pytest.mark.req("WAT-09", "WAT-10")
async def test_a_visit_by_hand(world, kiosk):
    phone = await registered(world, "花子の端末")
    taken = json.loads((await kiosk.call("/kiosk/take", key=phone.registration_key())).body)
    assert taken["phone_name"] == "花子の端末"
    assert "visit" not in taken  # it is in the cookie, where no script reads it
    visit = Visit(
        world,
        Taken(
            visit=kiosk.cookies[VISIT_COOKIE],
            scheme="",
            phone_name="",
            content=taken["content"],
            content_type=taken["content_type"],
            expires_at="",
        ),
    )
    cms = visit.cms(await world.citizen(), phone.digits())
    shown = json.loads((await kiosk.call("/kiosk/sign", cms=base64url.encode(cms))).body)
    assert (shown["name"], shown["birth_year"]) == ("陳○君", 1988)
    number = json.loads((await kiosk.call("/kiosk/number")).body)["number"]
    assert (await kiosk.call("/kiosk/number")).status == 409  # shown once
    assert json.loads((await kiosk.get("/kiosk/state", headers=PROGRAM)).body)["state"] == "signed"
    await phone.say_number(number)
    assert json.loads((await kiosk.get("/kiosk/state", headers=PROGRAM)).body)["state"] == "issued"
    page = html.unescape(body_of(await kiosk.see("/kiosk")))
    for told in (number, "陳", "花子", phone.registration_key()):
        assert told not in page
    assert (await kiosk.call("/kiosk/leave")).status == 204
    assert kiosk.cookies.get(VISIT_COOKIE, "") == ""
    assert (await kiosk.get("/kiosk/state", headers=PROGRAM)).status == 410


@on_sqlite
@pytest.mark.req("WAT-51")
async def test_other_browsers_are_no_kiosk(world, browser, kiosk):
    phone = await registered(world)
    stranger = KioskBrowser(world.instance.application, address="198.51.100.9")
    assert "data-kiosk" not in (await stranger.see("/kiosk")).text
    for secret in ("", "A" * 43, SECRET[:-1], "a secret; with = signs", "密"):
        reply = await stranger.set_up(secret=secret)
        assert (reply.status, KIOSK_COOKIE in stranger.cookies) == (403, False)
    assert (await stranger.set_up(name="elsewhere")).status == 403
    stranger.token = kiosk.token  # made for another browser's cookie
    for path, members in CALLS.items():
        assert (await stranger.call(path, **members)).status == 403
    stranger.cookies |= {k: v for k, v in kiosk.cookies.items() if k != KIOSK_COOKIE}
    for path, members in CALLS.items():
        reply = await stranger.call(path, **members)
        assert (reply.status, json.loads(reply.body)["code"]) == (401, "kiosk_unknown")
    assert (await stranger.get("/kiosk/state", headers=PROGRAM)).status == 401
    assert (await rows(world, store.kiosk))[0].kiosk is None
    assert phone.binding is None


@on_sqlite
async def test_other_sites_do_nothing_at_a_kiosk(kiosk):
    foreign = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for path, members in CALLS.items():
        headers = PROGRAM | _JSON | {"x-csrf-token": kiosk.token} | foreign
        reply = await kiosk.post(path, headers=headers, body=json.dumps(members).encode())
        assert (reply.status, json.loads(reply.body)["code"]) == (403, "csrf_refused")


@on_sqlite
async def test_without_a_visit_nothing_is_told(kiosk):
    for path in ("/kiosk/sign", "/kiosk/number"):
        assert (await kiosk.call(path, **CALLS[path])).status == 410
    assert (await kiosk.call("/kiosk/leave")).status == 204
    assert (await kiosk.call("/kiosk/take", key=NOBODY)).status == 404
    assert (await kiosk.call("/kiosk/take", key="nothing")).status == 400
    assert (await kiosk.call("/kiosk/take", key=NOBODY, more="x")).status == 400


@on_sqlite
async def test_refusals_are_told_in_the_readers_language(kiosk):
    headers = PROGRAM | _JSON | {"x-csrf-token": kiosk.token, "accept-language": "ja"}
    reply = await kiosk.post("/kiosk/take", headers=headers, body=b'{"key":"' + b"0" * 26 + b'"}')
    assert "本登録キー" in json.loads(reply.body)["text"]
    assert "キオスク端末" in (await kiosk.see("/kiosk", **{"accept-language": "ja"})).text


@on_sqlite
async def test_the_enrolment_page_says_where_the_other_scheme_is_bound(browser):
    text = html.unescape(body_of(await browser.see("/enrol")))
    assert "You bind this one at a kiosk." in text
    assert "/enrol/terms/jpki" not in text
    assert (await browser.get("/enrol/terms/jpki", headers=OWN)).status == 403
