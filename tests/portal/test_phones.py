"""The pages of phones and certificates: what they show, how a phone ends, and everybody who would end another's."""

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest

from inkan.client import CallRefused, Phone
from inkan.crypto.serial_numbers import show_serial
from inkan.enrolment import PhoneState
from inkan.pki import PublicState
from inkan.portal.pages.words import CAUSES, CERTIFICATE_STATES, KEY_USES, PHONE_STATES
from inkan.portal.rules import FRESH
from inkan.wire.enrolment_request import KeyUse, RevokeCause
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from support.clock import StandingClock
from support.world import World

Another = Callable[[], Browser]
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
XSS = '"><script>alert(1)</script>'
_REVOKE = re.compile(r'href="(/my/phones/phn_[a-z2-7]+/revoke)"')
_CERTIFICATE = re.compile(r'href="(/my/certificates/[\w-]+)"')


@pytest.fixture
async def home(browser: Browser, phone: Phone) -> Browser:
    """陳怡君's browser, logged in."""
    await browser.log_in(phone)
    return browser


async def page(browser: Browser, path: str, **headers: str) -> str:
    reply = await browser.see(path, **headers)
    assert reply.status == 200, reply.status
    return body_of(reply)


async def revoke_path(browser: Browser) -> str:
    return _REVOKE.findall(await page(browser, "/my/phones"))[0]


# --- what they show ------------------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.req("TW-36")
async def test_the_phones_stand_with_their_terms(home: Browser, world: World) -> None:
    text = await page(home, "/my/phones")
    for said in ("my phone", "in use", "April 1, 2026 09:00", "April 2, 2026 09:00", "2027"):
        assert said in text, said
    assert "Renew it now" not in text
    assert 'href="/enrol"' in text
    for path in ("/my/phones", "/my/certificates", "/enrol"):
        assert f'href="{path}"' in await page(home, "/my")
    assert "利用中" in await page(home, "/my/phones?lang=ja")


@on_sqlite
@pytest.mark.req("TW-32")
async def test_it_says_when_to_renew_and_where(
    browser: Browser, world: World, phone: Phone
) -> None:
    opens = (await world.platform.enrolment.phones((await world.citizen()).person.id))[0]
    until = next(iter(opens.certificates.values())).not_after
    await world.leap(until - timedelta(days=61) - world.clock.now())
    await browser.log_in(phone)
    assert "Renew it now" not in await page(browser, "/my/phones")
    await world.leap(timedelta(days=2))
    await browser.log_in(phone)
    text = await page(browser, "/my/phones")
    assert "Renew it now" in text
    assert "Open the wallet on this phone" in text


@on_sqlite
@pytest.mark.req("TW-23", "TW-36", "JPKI-16")
async def test_the_certificates_stand_with_their_status_and_every_field(
    home: Browser, world: World
) -> None:
    text = await page(home, "/my/certificates")
    assert "Says who you are, and approves" in text
    assert "Signs in your name" in text
    assert text.count("<dd>good</dd>") == 2
    places = _CERTIFICATE.findall(text)
    assert len(places) == 2
    for path in places:
        issued = await world.platform.pki.certificate(path.rpartition("/")[2])
        seen = html.unescape(re.sub("<wbr>", "", await page(home, path)))
        for said in ("陳怡君", show_serial(issued.serial), "Key usage", "Status now: good"):
            assert said in seen, said
        assert "SHA-256" in seen
        assert "民國" in (await home.see(path, **{"accept-language": "zh-Hant"})).text
        assert "令和" in (await home.see(path, **{"accept-language": "ja"})).text


async def test_the_status_is_the_one_of_this_moment(
    home: Browser, world: World, phone: Phone
) -> None:
    person = (await world.citizen()).person.id
    [held] = await world.platform.enrolment.phones(person)
    certificate = held.certificates["auth"].id
    assert "Status now: good" in await page(home, f"/my/certificates/{certificate}")
    await home.send("/my/phones/freeze", "/my/phones/freeze")
    assert "Status now: on hold" in await page(home, f"/my/certificates/{certificate}")


@on_sqlite
async def test_a_name_of_a_phone_is_text(browser: Browser, world: World) -> None:
    phone = await world.bind(phone=world.new_phone(XSS))
    await browser.log_in(phone)
    revoke = await revoke_path(browser)
    for path in ("/my", "/my/phones", "/my/certificates", "/my/phones/freeze", revoke):
        raw = (await browser.see(path)).text
        assert "<script>alert" not in raw
        assert XSS in html.unescape(raw)


# --- how a phone ends ----------------------------------------------------------------------------------------


@pytest.mark.req("JPKI-23", "JPKI-24")
async def test_a_phone_is_revoked_in_two_steps_with_a_reason(
    home: Browser, world: World, phone: Phone
) -> None:
    path = await revoke_path(home)
    text = html.unescape(await page(home, path))
    assert "This cannot be undone" in text
    for said in CAUSES.values():
        assert said in text
    assert "enrolment.phone_revoked" not in await world.events()  # a look changes nothing
    reply = await home.send(path, path, reason="stolen")
    assert (reply.status, reply.header("location")) == (303, "/my/phones?done=revoked")
    text = await page(home, "/my/phones?done=revoked")
    assert "The phone was revoked" in text
    assert "No phone is bound to you." in text
    assert (await world.events()).count("enrolment.phone_revoked") == 1
    with pytest.raises(CallRefused):
        await phone.show_presence()
    notices = await page(home, "/my/notices")
    assert "A phone of yours was revoked" in notices
    assert (await home.see(path)).status == 404  # gone, like another person's


@on_sqlite
@pytest.mark.parametrize("reason", ["", "because", "superseded", XSS])
async def test_a_reason_outside_the_list_revokes_nothing(
    home: Browser, world: World, reason: str
) -> None:
    path = await revoke_path(home)
    assert (await home.send(path, path, reason=reason)).status == 400
    assert "enrolment.phone_revoked" not in await world.events()


@on_sqlite
async def test_revoking_asks_for_a_fresh_login_and_leads_back(
    home: Browser, world: World, clock: StandingClock, phone: Phone
) -> None:
    path = await revoke_path(home)
    token = csrf_of(await home.see(path))
    clock.tick(FRESH + timedelta(seconds=1))
    reply = await home.see(path)
    assert reply.status == 303
    assert reply.header("location") == f"/login?next={path.replace('/', '%2F')}"
    form = {"csrf_token": token, "reason": "stolen"}
    refused = await home.post(path, headers=PROGRAM, form=form)
    assert (refused.status, refused.json()["code"]) == (403, "verification_stale")
    assert "enrolment.phone_revoked" not in await world.events()
    assert "my phone" in await page(home, "/my/phones")  # looking needs no fresh one
    await home.log_in(phone)
    assert (await home.send(path, path, reason="stolen")).status == 303


async def test_everything_is_frozen_by_one_button_and_a_confirmation(
    home: Browser, world: World, clock: StandingClock, phone: Phone
) -> None:
    clock.tick(FRESH + timedelta(minutes=5))  # no fresh login: the phone may be lost
    text = await page(home, "/my/phones/freeze")
    assert "Every phone of yours stops at once" in text
    assert "my phone" in text
    assert "enrolment.phone_suspended" not in await world.events()
    reply = await home.send("/my/phones/freeze", "/my/phones/freeze")
    assert (reply.status, reply.header("location")) == (303, "/my/phones?done=frozen")
    text = await page(home, "/my/phones?done=frozen")
    assert "All phones are frozen" in text
    assert "on hold" in text
    assert "bind a phone again with your card" in text
    assert 'href="/my/phones/freeze"' not in text  # nothing is left to freeze
    assert "enrolment.phone_suspended" in await world.events()
    assert "All your phones were frozen" in await page(home, "/my/notices")
    with pytest.raises(CallRefused):
        await phone.show_presence()


# --- everybody else ------------------------------------------------------------------------------------------


@on_sqlite
async def test_nobody_sees_or_ends_somebody_elses(
    home: Browser, another: Another, world: World
) -> None:
    path = await revoke_path(home)
    [certificate, _] = _CERTIFICATE.findall(await page(home, "/my/certificates"))
    other = another()
    await other.log_in(await world.bind("lin", phone=world.new_phone("phone of lin")))
    token = csrf_of(await other.see("/my"))
    assert (await other.see(path)).status == 404
    assert (await other.see(certificate)).status == 404
    form = {"csrf_token": token, "reason": "stolen"}
    for target in (path, f"/my/phones/phn_{'a' * 26}/revoke"):
        reply = await other.post(target, headers=PROGRAM, form=form)
        assert (reply.status, reply.json()["code"]) == (404, "phone_not_found")
    for place in (certificate, "/my/certificates/crt_x"):
        reply = await other.get(place, headers=PROGRAM)
        assert (reply.status, reply.json()["code"]) == (404, "certificate_not_found")
    await other.send("/my/phones/freeze", "/my/phones/freeze")
    assert "in use" in await page(home, "/my/phones")
    assert "my phone" not in await page(other, "/my/phones")


@on_sqlite
async def test_without_a_login_there_is_nothing(browser: Browser, world: World) -> None:
    for path in ("/my/phones", "/my/phones/freeze", "/my/certificates"):
        reply = await browser.see(path)
        assert (reply.status, "/login" in (reply.header("location") or "")) == (303, True)


@on_sqlite
async def test_other_sites_end_nothing(home: Browser, world: World) -> None:
    path = await revoke_path(home)
    token = csrf_of(await home.see(path))
    evil = OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    for target, fields in ((path, {"reason": "stolen"}), ("/my/phones/freeze", {})):
        form = {"csrf_token": token, **fields}
        assert (await home.post(target, headers=evil, form=form)).status == 403
        assert (await home.post(target, headers=OWN, form=fields)).status == 403
    assert "in use" in await page(home, "/my/phones")


def test_tables_are_total() -> None:
    assert set(CAUSES) == set(RevokeCause)
    assert set(KEY_USES) == set(KeyUse)
    assert set(CERTIFICATE_STATES) == set(PublicState)
    assert set(PHONE_STATES) == set(PhoneState)
