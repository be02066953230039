"""The person's home: what it shows, and that it shows nobody anything of somebody else."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from accounts import staff
from inkan.accounts import LOGIN_COOKIE, Role
from inkan.approvals import RECORDS_PAGE
from inkan.client import Phone
from inkan.kernel.ids import new_id
from inkan.notices import NewsTexts
from portal.browsers import PROGRAM, Browser, body_of
from support.clock import StandingClock
from support.world import CLERK, World

Another = Callable[[], Browser]
PAGES = ["/my", "/my/records", "/my/notices"]


@pytest.fixture
async def home(browser: Browser, phone: Phone) -> Browser:
    """陳怡君's browser, logged in."""
    await browser.log_in(phone)
    return browser


# --- what it shows -----------------------------------------------------------------------------------------


async def test_it_shows_who_is_logged_in_under_masks(home: Browser) -> None:
    page = body_of(await home.see("/my"))
    assert "陳○君" in page
    assert "A2******93" in page
    assert "陳怡君" not in page
    assert "A234567893" not in page


async def test_it_shows_the_phones(home: Browser, world: World, phone: Phone) -> None:
    page = body_of(await home.see("/my"))
    assert "my phone" in page
    assert "in use" in page
    assert "April 1, 2026 09:00" in page  # bound
    assert "2027" in page  # until
    chinese = body_of(await home.see("/my?lang=zh-Hant"))
    assert "使用中" in chinese


@pytest.mark.req("TW-38")
async def test_it_shows_the_uses_the_newest_first(
    home: Browser, world: World, phone: Phone, clock: StandingClock
) -> None:
    clock.tick(60)
    agency = await world.agency()
    await world.identify(agency, phone)
    clock.tick(60)
    session = await agency.create_session("identify", purpose="file_return")
    await phone.open_frame(session.frame())
    await phone.refuse()
    for path in ("/my", "/my/records"):
        page = body_of(await home.see(path))
        found = [
            page.index(text)
            for text in ("File a tax return", ">Log in<", "Log in to your home at Inkan")
        ]
        assert found == sorted(found)
        assert "tax.example" in page
        assert page.index("You refused") < page.index("You agreed")
    japanese = body_of(await home.see("/my/records?lang=ja"))
    assert "申告" in japanese
    assert ">拒否<" in japanese


@pytest.mark.req("TW-39")
async def test_it_shows_notices_and_announcements(home: Browser, world: World) -> None:
    notices = world.platform.notices
    person = (await world.citizen("chen")).person.id
    await world.platform.db.transact(notices.notify, person, "phone_bound", {"phone": "<b>old</b>"})
    texts = NewsTexts(en="Closed on Monday", ja="月曜は休み", zh_hant="週一休息")
    await notices.publish_news(texts, texts, actor=CLERK)
    for path in ("/my", "/my/notices"):
        page = body_of(await home.see(path))
        assert "A phone was bound to you" in page
        assert "&lt;b&gt;old&lt;/b&gt;" in page
        assert "Closed on Monday" in page
    assert "週一休息" in (await home.see("/my/notices?lang=zh-Hant")).text


async def use(world: World, person: str, purpose: str) -> None:
    """Write a usage record as a decision does."""
    from inkan.approvals import Opener
    from inkan.kernel.ids import EventID, PersonID, PhoneID
    from inkan.wire.session import Outcome

    opener = Opener(phone=PhoneID(new_id("ph")), person=PersonID(person))
    detail = {"relying_party": "Tax Office", "domain": "tax.example", "contents": []}
    detail["purpose"] = dict.fromkeys(("en", "ja", "zh-Hant"), purpose)
    event = EventID(new_id("evt"))
    note = world.platform.approvals.note_use
    await world.platform.db.transact(
        note, opener=opener, outcome=Outcome.OK, detail=detail, event=event
    )


async def test_the_records_are_paged_without_loss(home: Browser, world: World) -> None:
    """All of one instant, which a page that went by time alone would lose at its border."""
    person = (await world.citizen("chen")).person.id
    count = 2 * RECORDS_PAGE + 10
    for number in range(count):
        await use(world, person, f"use number {number:03}.")
    seen: list[str] = []
    path, pages = "/my/records", 0
    while path:
        page = body_of(await home.see(path))
        seen += [f"{number:03}" for number in range(count) if f"use number {number:03}." in page]
        older = page.partition('href="/my/records?below=')[2].partition('"')[0]
        path, pages = (f"/my/records?below={older}" if older else ""), pages + 1
    assert pages == 3
    assert sorted(seen) == [f"{number:03}" for number in range(count)]


async def test_an_erased_record_still_stands(home: Browser, world: World) -> None:
    person = (await world.citizen("chen")).person.id
    await world.platform.db.transact(world.platform.approvals.erase_records, person)
    page = body_of(await home.see("/my/records"))
    assert "erased" in page
    assert "You agreed" in page
    assert "id.localhost" not in page


# --- only one's own ----------------------------------------------------------------------------------------


async def test_another_persons_login_sees_nothing_of_it(
    home: Browser, another: Another, world: World, phone: Phone
) -> None:
    chen = (await world.citizen("chen")).person.id
    await use(world, chen, "a secret purpose")
    await world.platform.db.transact(
        world.platform.notices.notify, chen, "phone_bound", {"phone": "the secret phone"}
    )
    records = await world.platform.identification.records(chen, before=None)
    other = another()
    lin = await world.bind("lin", phone=world.new_phone("phone of lin"))
    await other.log_in(lin)
    # what names the other person in whatever way a request can
    tries = [f"?below={each.id}" for each in records] + [f"?person={chen}", f"?id={chen}", ""]
    for path in PAGES:
        for query in tries:
            reply = await other.see(path + query)
            assert reply.status == 200
            for secret in ("a secret purpose", "the secret phone", "my phone", "陳○君", chen):
                assert secret not in body_of(reply), (path, query)
    assert "林○明" in (await other.see("/my")).text
    assert "a secret purpose" in (await home.see("/my/records")).text


@pytest.mark.parametrize("path", PAGES)
async def test_staff_is_no_person(browser: Browser, world: World, path: str) -> None:
    token = await staff_token(world)
    browser.cookies[LOGIN_COOKIE] = token
    reply = await browser.get(path, headers=PROGRAM)
    assert (reply.status, reply.json()["code"]) == (403, "role_missing")


async def staff_token(world: World) -> str:
    """The token of somebody who holds every role that staff can have."""
    patched = staff.Device("chen")
    patched.authenticator.rp_id = "id.localhost"
    patched.authenticator.origin = "http://id.localhost:8480"
    accounts = world.platform.accounts
    roles = [role for role in Role if role is not Role.PERSON]
    invitation = await staff.invite(accounts, *roles)
    token = await staff.accept(accounts, staff.code_of(invitation), patched)
    return token.token.reveal()


@pytest.mark.parametrize("path", PAGES)
async def test_nobody_is_led_to_the_login(browser: Browser, path: str) -> None:
    reply = await browser.see(path)
    assert reply.status == 303
    assert (reply.header("location") or "").startswith("/login?next=%2Fmy")
    browser.cookies[LOGIN_COOKIE] = "M" * 43  # made up
    assert (await browser.see(path)).status == 303


# --- the end of a login ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("life", "left"), [(timedelta(minutes=30), 1799), (timedelta(hours=12), 0)]
)
async def test_a_login_that_ran_out_is_refused(
    home: Browser, clock: StandingClock, life: timedelta, left: int
) -> None:
    if left:
        clock.tick(left)
        assert (await home.see("/my")).status == 200
        clock.tick(life)
    else:
        for _ in range(25):
            clock.tick(timedelta(minutes=29))
            await home.see("/my")
    reply = await home.see("/my")
    assert (reply.status, reply.header("location")) == (303, "/login?next=%2Fmy")
    assert not home.login


async def test_a_login_that_was_logged_out_is_refused(home: Browser) -> None:
    stolen = home.login
    reply = await home.send("/my/logout", "/my")
    assert (reply.status, reply.header("location")) == (303, "/")
    assert not home.login
    for path in PAGES:
        home.cookies[LOGIN_COOKIE] = stolen
        assert (await home.see(path)).status == 303


async def test_a_login_of_an_ended_account_is_refused(home: Browser, world: World) -> None:
    accounts = world.platform.accounts
    login = await accounts.find_login(home.login)
    assert login is not None
    await accounts.end_account(login.account, actor=CLERK)
    assert (await home.see("/my")).status == 303


async def test_an_ended_account_logs_in_no_more(
    home: Browser, another: Another, world: World, phone: Phone
) -> None:
    accounts = world.platform.accounts
    login = await accounts.find_login(home.login)
    assert login is not None
    await accounts.end_account(login.account, actor=CLERK)
    browser = another()
    reply = await browser.log_in(phone)
    assert reply.status == 409
    assert not browser.login


# --- the menu ------------------------------------------------------------------------------------------------


async def test_the_menu_is_for_persons(home: Browser, another: Another) -> None:
    page = (await home.see("/my")).text
    for path in PAGES:
        assert f'<a href="{path}"' in page.partition("<main")[0]
    start = (await another().see("/")).text
    assert 'href="/my/records"' not in start
    assert 'href="/my"' in start.partition("<main")[2]
