"""`strong`: the browser that began shows a passkey of the very phone that answered (threat 1)."""

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from identification.callers import SystemCaller, WebClient, code_of
from identification.doorways import RETURN, all_doors
from identification.visits import (
    REFUSED,
    STRONG,
    Visit,
    WalletPage,
    answered,
    confirmed,
    passkey_of,
    token_of,
    told,
    try_token,
)
from inkan.client import Phone
from inkan.enrolment import PhoneFacts
from inkan.identification.service import strengthening as rooms
from portal.browsers import Browser, body_of
from support.clock import StandingClock
from support.world import PLATFORM, World


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.fixture
async def visit(office: SystemCaller, browser: Browser, phone: Phone) -> Visit:
    """The phone has answered, and `strong` is demanded."""
    return await answered(await Visit.begun(office, browser, **STRONG), phone)


# --- the whole way ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("way", "attachment", "door", "evidence"),
    [
        ("frame", "cross-platform", "redirect/qr", ["browser_bound", "hybrid"]),
        ("link", "platform", "redirect/open", ["browser_bound", "same_device_webauthn"]),
    ],
)
async def test_the_browser_that_began_reaches_strong(
    world: World,
    office: SystemCaller,
    browser: Browser,
    phone: Phone,
    way: str,
    attachment: str,
    door: str,
    evidence: list[str],
):
    visit = await answered(await Visit.begun(office, browser, **STRONG), phone, way)
    page = body_of(await visit.see())
    assert "Confirm with the passkey" in page
    assert "data-scan-finish" not in page  # going back by itself would end it too early
    path = await visit.minted()
    wallet = WalletPage(world, path)
    shown = body_of(await wallet.see())
    assert "Tax Office" in shown
    assert "Chen" not in shown
    reply = await wallet.prove(passkey_of(phone), attachment=attachment)
    token = token_of(reply)
    back = await visit.browser.see((reply.header("location") or "").removeprefix(PLATFORM))
    assert "data-scan-finish" in back.text
    assert token in back.text
    assert (await visit.confirm(token)).status == 303
    assert "data-scan-finish" in (await visit.see()).text  # now the page goes back by itself
    seen = await visit.redeem((await visit.back())["return_code"])
    assert (seen["outcome"], seen["door"]) == ("ok", door)
    assert seen["binding"] == {"level": "strong", "evidence": evidence}
    used = await world.events()
    assert all(used.count(f"identification.{step}") == 1 for step in _STEPS)


_STEPS = ["confirmation_begun", "passkey_proved", "strengthened"]


async def test_the_options_name_nobody(world: World, visit: Visit):
    options = await WalletPage(world, await visit.minted()).options()
    assert options["allowCredentials"] == []
    assert options["userVerification"] == "required"
    assert options["rpId"] == "wallet.localhost"
    assert "extensions" not in options  # the secret that wraps the phone's keys is not asked for


async def test_without_it_the_answer_is_withheld(visit: Visit):
    seen = await visit.redeem((await visit.back())["return_code"])
    assert (seen["outcome"], seen["reason"]) == ("failed", "level_too_low")
    assert seen["subject"] is None


async def test_strong_is_a_level_of_the_redirect_page_alone(office: SystemCaller):
    for door in ("web_link", "app_link"):
        refused = await office.create(doors=[door], binding_min="strong", **{"return": RETURN})
        assert code_of(refused) == (403, "level_too_low"), door
    made = await office.create(doors=["redirect"], binding_min="strong", **{"return": RETURN})
    assert made.status_code == 201


async def test_a_confirmed_answer_by_code_reaches_what_a_lower_level_demands(
    world: World, office: SystemCaller, browser: Browser, phone: Phone
):
    visit = await answered(await Visit.begun(office, browser, binding_min="matched"), phone)
    assert "Confirm with the passkey" in body_of(await visit.see())
    await confirmed(world, visit, phone)
    seen = await visit.redeem((await visit.back())["return_code"])
    assert seen["binding"]["level"] == "strong"


async def test_it_is_no_sign_of_presence_in_the_wallet(world: World, visit: Visit, phone: Phone):
    parts = world.platform.identification._parts
    before = await _asserted_at(world, phone)
    await world.leap(timedelta(seconds=20))
    await confirmed(world, visit, phone)
    assert await _asserted_at(world, phone) == before
    facts = await parts.db.read(parts.enrolment.facts, phone._parts.bound.phone)
    assert isinstance(facts, PhoneFacts)
    assert facts.sign_count == phone._parts.state.authenticator.credentials[0].sign_count


async def _asserted_at(world: World, phone: Phone) -> Any:
    _, asserted_at = await world.platform.enrolment.principal_of(phone._parts.api.channel_jkt)
    return asserted_at


# --- whose passkey, whose browser, whose session ---------------------------------------------------


async def test_a_victim_lured_to_a_handle_strengthens_nothing(
    world: World, visit: Visit, phone: Phone
):
    victim = Browser(world.instance.application)
    reply = await WalletPage(world, await visit.minted()).prove(passkey_of(phone))
    token = token_of(reply)  # it lies in the victim's browser
    seen = await victim.see(f"{visit.path}?confirmation={token}")
    assert (seen.status, seen.header("location")) == (303, visit.path)  # gone from the address
    assert "Begun in another browser" in body_of(await victim.see(visit.path))
    assert (await visit.confirm(token, browser=victim)).status == 404
    assert told(await try_token(visit, "A" * 43)) == REFUSED  # the attacker's browser has no token
    seen_by_asker = await visit.redeem((await visit.back())["return_code"])
    assert seen_by_asker["reason"] == "level_too_low"


async def test_another_browser_begins_no_confirmation(world: World, visit: Visit):
    stranger = Browser(world.instance.application)
    assert (await stranger.send(f"{visit.path}/passkey", "/login")).status == 404


async def test_another_phone_of_the_same_person_is_not_the_one_that_answered(
    world: World, office: SystemCaller, browser: Browser, phone: Phone
):
    await world.leap(timedelta(hours=25))
    other = await world.bind("chen", phone=world.new_phone("second"))
    visit = await answered(await Visit.begun(office, browser, **STRONG), phone)
    wallet = WalletPage(world, await visit.minted())
    assert told(await wallet.prove(passkey_of(other))) == REFUSED
    named = passkey_of(other)
    named.credential_id = passkey_of(phone).credential_id
    assert told(await wallet.prove(named)) == REFUSED
    assert (await wallet.prove(passkey_of(phone))).status == 303


async def test_the_challenge_of_another_session_and_of_an_older_handle(
    world: World, office: SystemCaller, visit: Visit, phone: Phone
):
    second = await Visit.begun(office, Browser(world.instance.application), **STRONG)
    await answered(second, phone)
    foreign = await WalletPage(world, await second.minted()).options()
    older = WalletPage(world, await visit.minted())
    stale = (await older.options())["challenge"]
    wallet = WalletPage(world, await visit.minted())
    for challenge in (foreign["challenge"], stale):
        assert told(await wallet.prove(passkey_of(phone), challenge=challenge)) == REFUSED
    assert told(await older.prove(passkey_of(phone), challenge=stale)) == REFUSED  # replaced
    assert (await wallet.prove(passkey_of(phone))).status == 303


async def test_the_challenge_is_bound_to_session_return_browser_and_nonce(
    world: World, visit: Visit
):
    parts = world.platform.identification._parts
    handle = (await visit.minted()).rpartition("/")[2]
    found = await parts.db.read(rooms._find, parts, handle)
    session = found.session
    terms = msgspec.structs.replace(session.terms, return_binding="x")
    bent = [
        msgspec.structs.replace(found, nonce="x"),
        msgspec.structs.replace(found, session=msgspec.structs.replace(session, id="x")),
        msgspec.structs.replace(found, session=msgspec.structs.replace(session, page_browser="x")),
        msgspec.structs.replace(found, session=msgspec.structs.replace(session, terms=terms)),
    ]
    assert len({each.challenge for each in (found, *bent)}) == 5


# --- who leads back --------------------------------------------------------------------------------


async def test_the_phone_leads_to_the_page_where_more_is_demanded(
    office: SystemCaller, browser: Browser, phone: Phone
):
    visit = await Visit.begun(office, browser, **STRONG)
    await visit.choose("link")
    [address] = re.findall(r'href="(http://wallet[^"]+)"', (await visit.see()).text)
    await phone.open_link(address)
    assert (await phone.approve()).return_url == PLATFORM + visit.path


async def test_an_address_that_was_passed_on_is_not_returned_by_its_page(
    office: SystemCaller, browser: Browser, phone: Phone
):
    """The attacker began, the victim's phone answered: the attacker's own page cannot stand in for the phone."""
    visit = await Visit.begun(office, browser, binding_min="returned")
    await answered(visit, phone, "link")
    seen = await visit.redeem((await visit.back())["return_code"])
    assert (seen["outcome"], seen["reason"]) == ("failed", "level_too_low")
    lower = await answered(await Visit.begun(office, Browser(browser.application)), phone, "link")
    seen = await lower.redeem((await lower.back())["return_code"])
    assert seen["binding"] == {"level": "none", "evidence": ["browser_bound"]}
