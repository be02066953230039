"""A person logs in by a session that their phone answers: the way, and every way around it, on both databases."""

import asyncio
import re
from collections.abc import Callable

import pytest

from inkan.accounts import LOGIN_COOKIE, AnswerUsed
from inkan.client import Phone
from inkan.kernel.ids import PersonID, SessionID
from inkan.portal import LoginUnproved
from inkan.portal.pages import PROOF_COOKIE
from inkan.portal.service import camera_name
from inkan.relying_parties import OWN_SYSTEM
from portal.browsers import OWN, PROGRAM, Browser, csrf_of
from support.asgi import Reply
from support.clock import StandingClock
from support.world import World

Another = Callable[[], Browser]


def set_cookie(reply: Reply, name: str) -> str:
    return next(line for line in reply.all("set-cookie") if line.startswith(f"{name}="))


async def session_of(world: World, browser: Browser) -> SessionID:
    """The id of the session that a browser waits for: what others could learn."""
    found = await world.platform.portal.find_try(browser.proof)
    assert found is not None
    return SessionID(found.session)


async def person_of(world: World, key: str = "chen") -> PersonID:
    return (await world.citizen(key)).person.id


# --- the way -------------------------------------------------------------------------------------------


async def test_a_person_logs_in_with_the_phone(
    world: World, browser: Browser, phone: Phone
) -> None:
    reply = await browser.begin()
    assert (reply.status, reply.header("location")) == (303, "/login/code")
    waiting = await browser.see("/login/code")
    assert 'data-scan-state="presented"' in waiting.text
    opened = await phone.open_frame(await browser.frame())
    assert "Inkan" in opened.text
    assert "id.localhost" in opened.text
    assert 'data-scan-state="opened"' in (await browser.see("/login/code")).text
    await phone.approve()
    assert "data-scan-finish" in (await browser.see("/login/code")).text
    reply = await browser.finish()
    assert (reply.status, reply.header("location")) == (303, "/my")
    assert (await browser.see("/my")).status == 200
    login = await world.platform.accounts.find_login(browser.login)
    assert login is not None
    assert login.person == await person_of(world)
    assert login.roles == {"person"}


async def test_the_cookies_are_of_this_host_and_out_of_reach(
    browser: Browser, phone: Phone
) -> None:
    begun = set_cookie(await browser.begin(), PROOF_COOKIE)
    value, *attributes = begun.split("; ")
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert re.fullmatch(rf"{PROOF_COOKIE}=[\w-]{{43}}", value)
    await phone.open_frame(await browser.frame())
    await phone.approve()
    reply = await browser.finish()
    value, *attributes = set_cookie(reply, LOGIN_COOKIE).split("; ")
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Lax"}
    assert "Max-Age=0" in set_cookie(reply, PROOF_COOKIE)


async def test_the_picture_shows_the_code_while_there_is_one(
    browser: Browser, phone: Phone
) -> None:
    assert (await browser.see("/login/picture")).status == 204
    assert (await browser.see("/login/states")).status == 404
    await browser.begin()
    shown = await browser.see("/login/picture")
    assert (shown.status, shown.header("content-type")) == (200, "image/svg+xml")
    assert shown.header("cache-control") == "no-store"
    await phone.open_frame(await browser.frame())
    assert (await browser.see("/login/picture")).status == 204


async def test_the_states_are_followed_to_the_end(
    world: World, browser: Browser, phone: Phone
) -> None:
    await browser.begin()
    frame = await browser.frame()
    states = world.platform.portal.states(browser.proof)
    assert await anext(states) == "presented"
    await phone.open_frame(frame)
    assert await anext(states) == "opened"
    await phone.approve()
    assert [state async for state in states] == ["closed"]
    assert [state async for state in world.platform.portal.states("nobody's")] == []


async def test_a_code_that_a_phone_let_go_is_scanned_again(
    world: World, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    await browser.begin()
    await phone.open_frame(await browser.frame())
    clock.tick(61)
    assert 'data-scan-state="presented"' in (await browser.see("/login/code")).text
    await phone.open_frame(await browser.frame())
    await phone.approve()
    assert (await browser.finish()).header("location") == "/my"


@pytest.mark.parametrize(
    ("wish", "leads"),
    [
        ("/my/records?below=use_x", "/my/records?below=use_x"),
        ("", "/my"),
        ("//evil.example/", "/my"),
        ("https://evil.example/", "/my"),
        ("/\\evil.example", "/my"),
        ("javascript:alert(1)", "/my"),
    ],
)
async def test_a_login_leads_on_within_this_site_only(
    browser: Browser, phone: Phone, wish: str, leads: str
) -> None:
    begun = await browser.begin(wish=wish)
    assert "evil" not in (begun.header("location") or "")
    assert "alert" not in (begun.header("location") or "")
    await phone.open_frame(await browser.frame())
    await phone.approve()
    assert (await browser.finish(wish=wish)).header("location") == leads


async def test_the_wish_is_kept_on_the_way(browser: Browser) -> None:
    reply = await browser.see("/my/notices")
    assert reply.header("location") == "/login?next=%2Fmy%2Fnotices"
    page = await browser.see("/login?next=%2Fmy%2Fnotices")
    assert 'name="next" value="/my/notices"' in page.text
    begun = await browser.begin(wish="/my/notices")
    assert begun.header("location") == "/login/code?next=%2Fmy%2Fnotices"


# --- whose answer, whose browser -----------------------------------------------------------------------


async def test_another_browser_does_not_get_the_login(
    world: World, browser: Browser, another: Another, phone: Phone
) -> None:
    """It knows the session's id and the camera's name, and has a try of its own: none of them is the verifier."""
    await browser.begin()
    session = await session_of(world, browser)
    camera = camera_name(browser.proof)
    await phone.open_frame(await browser.frame())
    await phone.approve()
    for known in (session, camera, browser.proof[:-1], "A" * 43):
        stranger = another()
        stranger.cookies[PROOF_COOKIE] = known
        assert (await stranger.see("/login/code")).header("location") == "/login"
        reply = await stranger.finish()
        assert reply.status == 403
        assert LOGIN_COOKIE not in stranger.cookies
    stranger = another()
    await stranger.begin()
    assert (await stranger.finish()).status == 403
    assert LOGIN_COOKIE not in stranger.cookies
    # and the browser that began is not hindered
    assert (await browser.finish()).status == 303


async def test_one_answer_opens_one_login(
    world: World, browser: Browser, another: Another, phone: Phone
) -> None:
    await browser.begin()
    verifier = browser.proof
    await phone.open_frame(await browser.frame())
    await phone.approve()
    assert (await browser.finish()).status == 303
    await browser.send("/my/logout", "/my")
    replayed = another()
    replayed.cookies[PROOF_COOKIE] = verifier
    reply = await replayed.finish()
    assert reply.status == 409
    assert LOGIN_COOKIE not in replayed.cookies
    with pytest.raises(AnswerUsed):
        await world.platform.portal.finish(verifier, replaces=None)


async def test_an_answer_is_good_for_one_minute(
    world: World, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    await browser.begin()
    verifier = browser.proof
    await phone.open_frame(await browser.frame())
    await phone.approve()
    clock.tick(61)
    assert "The time is over" in (await browser.see("/login/code")).text
    with pytest.raises(LoginUnproved):
        await world.platform.portal.finish(verifier, replaces=None)
    clock.tick(-1)
    assert await world.platform.portal.finish(verifier, replaces=None)


async def test_without_a_yes_nobody_is_logged_in(
    browser: Browser, another: Another, phone: Phone, clock: StandingClock
) -> None:
    await browser.begin()
    waiting = dict(browser.cookies)
    assert (await browser.finish()).status == 403  # nobody scanned
    browser.cookies = dict(waiting)
    await phone.open_frame(await browser.frame())
    assert (await browser.finish()).status == 403  # nobody decided
    browser.cookies = dict(waiting)
    await phone.refuse()
    assert "Refused on the phone" in (await browser.see("/login/code")).text
    assert (await browser.finish()).status == 403
    late = another()
    await late.begin()
    clock.tick(181)
    assert "The time is over" in (await late.see("/login/code")).text
    assert (await late.finish()).status == 403
    assert not browser.login
    assert not late.login


async def test_a_session_of_an_agency_logs_nobody_in(
    world: World, browser: Browser, phone: Phone
) -> None:
    """Also when the agency chose its Idempotency-Key as this instance does, and holds the verifier."""
    from inkan.portal.service.home import _key_of

    agency = await world.agency()
    verifier = "V" * 43
    session = await agency.create_session(
        "identify", purpose="login", idempotency_key=_key_of(camera_name(verifier))
    )
    await phone.open_frame(session.frame())
    await phone.approve()
    browser.cookies[PROOF_COOKIE] = verifier
    assert (await browser.finish()).status == 403
    assert not browser.login


# --- fixation and forged forms ---------------------------------------------------------------------------


async def test_planted_cookies_are_not_adopted(
    world: World, browser: Browser, another: Another, phone: Phone
) -> None:
    browser.cookies |= {PROOF_COOKIE: "P" * 43, LOGIN_COOKIE: "L" * 43}
    del browser.cookies[LOGIN_COOKIE]
    await browser.begin()
    assert browser.proof != "P" * 43
    await phone.open_frame(await browser.frame())
    await phone.approve()
    browser.cookies[LOGIN_COOKIE] = "L" * 43
    csrf = browser.cookies["__Host-inkan-csrf"]
    await browser.finish()
    assert browser.login != "L" * 43
    assert browser.cookies["__Host-inkan-csrf"] != csrf
    assert await world.platform.accounts.find_login("L" * 43) is None


async def test_a_login_ends_the_one_that_the_browser_had(
    world: World, browser: Browser, phone: Phone
) -> None:
    await browser.log_in(phone)
    before = browser.login
    await browser.log_in(phone)
    assert browser.login != before
    assert await world.platform.accounts.find_login(before) is None


@pytest.mark.parametrize("path", ["/login", "/login/finish", "/my/logout"])
async def test_another_site_neither_begins_nor_finishes_nor_ends_a_login(
    browser: Browser, phone: Phone, path: str
) -> None:
    await browser.log_in(phone)
    held = browser.login
    await browser.begin()
    await phone.open_frame(await browser.frame())
    await phone.approve()
    token = csrf_of(await browser.see("/login"))
    foreign = [
        (OWN | {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}, token),
        (PROGRAM, ""),
        (PROGRAM, "0" * 64),
    ]
    for headers, sent in foreign:
        reply = await browser.post(path, headers=headers, form={"csrf_token": sent, "next": ""})
        assert reply.status == 403
        assert "set-cookie" not in {name for name, _ in reply.headers}
    assert browser.login == held
    assert (await browser.see("/my")).status == 200


@pytest.mark.parametrize("path", ["/login", "/login/code", "/my", "/login/picture"])
async def test_looking_changes_nothing(
    world: World, browser: Browser, phone: Phone, path: str
) -> None:
    await browser.begin()
    await phone.open_frame(await browser.frame())
    await phone.approve()
    before = await world.events()
    await browser.see(path)
    assert await world.events() == before
    assert not browser.login


# --- the own system, the log -----------------------------------------------------------------------------


async def test_suspended_the_own_system_logs_nobody_in(
    world: World, browser: Browser, another: Another, phone: Phone
) -> None:
    await browser.begin()
    await phone.open_frame(await browser.frame())
    await phone.approve()
    await world.platform.relying_parties.suspend(OWN_SYSTEM)
    assert (await browser.finish()).status == 403
    assert (await another().begin()).status == 403
    assert not browser.login


async def test_a_watcher_hears_that_a_phone_let_the_code_go(
    world: World, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    await browser.begin()
    await phone.open_frame(await browser.frame())
    clock.tick(61)
    states = world.platform.portal.states(browser.proof)
    async with asyncio.timeout(10):  # else it would wait for the end of the session
        assert [await anext(states), await anext(states)] == ["opened", "presented"]


async def test_login_and_logout_stand_in_the_log(
    world: World, browser: Browser, phone: Phone, clock: StandingClock
) -> None:
    await browser.begin()
    clock.tick(1)
    await phone.open_frame(await browser.frame())
    await phone.approve()
    await browser.finish()
    clock.tick(1)
    await browser.send("/my/logout", "/my")
    events = await world.events()
    wanted = ["identification.session_created", "accounts.logged_in", "accounts.logged_out"]
    assert [each for each in events if each in wanted] == wanted
    assert "accounts.opened" in events


async def test_hammering_is_slowed_down(browser: Browser, another: Another) -> None:
    replies = [(await browser.see("/login")).status for _ in range(32)]
    assert replies.count(200) == 30
    assert replies[-1] == 429
    assert (await another().see("/login")).status == 200
