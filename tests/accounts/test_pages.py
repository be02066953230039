"""The pages of the staff login, as a browser and as an attacker see them."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from accounts.rows import rows_of
from accounts.staff import ORIGIN, Device, code_of, hire, invite, log_in, log_in_person
from inkan.accounts import LOGIN_COOKIE, PERMISSIONS, Accounts, Ceremony, Role
from inkan.accounts.pages import FOLDER, routes
from inkan.accounts.rules import ROLE_TITLES
from inkan.kernel.ids import PersonID
from inkan.kernel.sensitive import Secret
from inkan.web.app import Application, Equipment, Site, build_app
from inkan.web.languages import Language
from inkan.web.templates import Templates
from support.asgi import Client, Reply
from support.authenticator import UP
from support.clock import StandingClock
from support.walks import walk_csrf, walk_headers

OWN = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "accept": "text/html"}
PROGRAM = OWN | {"accept": "application/json"}
TOKEN = re.compile(r'name="csrf_token" value="([0-9a-f]{64})"')


@pytest.fixture(scope="session")
def templates() -> Templates:
    return Templates({"accounts": FOLDER})


@pytest.fixture
def application(accounts: Accounts, clock: StandingClock, templates: Templates) -> Application:
    site = Site(name="Inkan", origin=ORIGIN, groups=[routes(accounts)])
    equipment = Equipment(
        clock=clock,
        csrf_key=Secret(b"c" * 32),
        templates=templates,
        permissions=PERMISSIONS,
    )
    return build_app([site], equipment)


@pytest.fixture
def browser(application: Application) -> Client:
    return Client(application, ORIGIN)


@pytest.fixture
def another(application: Application) -> Callable[[], Client]:
    return lambda: Client(application, ORIGIN, address="198.51.100.9")


def csrf_of(reply: Reply) -> str:
    found = TOKEN.search(reply.text)
    assert found is not None
    return found[1]


async def begin(browser: Client, path: str, **fields: str) -> tuple[str, Ceremony]:
    """Open a page and ask for its challenge, as passkey.js does; return the CSRF token and the ceremony."""
    token = csrf_of(await browser.get(path, headers=OWN))
    form = {"csrf_token": token, "ceremony": "", "credential": "", **fields}
    reply = await browser.post(f"{path}/begin", headers=PROGRAM, form=form)
    assert reply.status == 200, reply.text
    return token, msgspec.convert(reply.json(), Ceremony)


async def enter(browser: Client, device: Device, *, next_path: str = "") -> Reply:
    """Log in as a browser does."""
    token, ceremony = await begin(browser, "/staff/login")
    form = {
        "csrf_token": token,
        "ceremony": ceremony.id,
        "credential": device.get(ceremony).decode(),
        "next": next_path,
    }
    return await browser.post("/staff/login", headers=OWN, form=form)


def login_cookie(reply: Reply) -> str:
    return next(line for line in reply.all("set-cookie") if line.startswith(LOGIN_COOKIE))


# --- logging in ----------------------------------------------------------------------------------------


async def test_a_browser_logs_in_by_passkey(accounts: Accounts, browser: Client) -> None:
    _, device = await hire(accounts, Role.CA_OFFICER)
    reply = await enter(browser, device)
    assert (reply.status, reply.header("location")) == (303, "/staff")
    page = await browser.get("/staff", headers=OWN)
    assert page.status == 200
    assert "CA officer" in page.text
    assert "chen" in page.text


async def test_the_cookie_is_of_this_host_out_of_reach_and_holds_nothing_personal(
    accounts: Accounts, browser: Client
) -> None:
    _, device = await hire(accounts)
    line = login_cookie(await enter(browser, device))
    value, *attributes = line.split("; ")
    assert set(attributes) == {"Path=/", "Secure", "HttpOnly", "SameSite=Strict"}
    assert re.fullmatch(rf"{LOGIN_COOKIE}=[\w-]{{43}}", value)


async def test_a_planted_token_is_not_adopted(accounts: Accounts, browser: Client) -> None:
    _, device = await hire(accounts)
    planted = "P" * 43
    browser.cookies[LOGIN_COOKIE] = planted
    await enter(browser, device)
    assert browser.cookies[LOGIN_COOKIE] != planted
    assert await accounts.find_login(planted) is None


async def test_logging_in_again_changes_token_and_csrf_and_kills_the_old(
    accounts: Accounts, browser: Client, clock: StandingClock
) -> None:
    _, device = await hire(accounts)
    await enter(browser, device)
    before = dict(browser.cookies)
    clock.tick(30)
    await enter(browser, device)
    assert browser.cookies[LOGIN_COOKIE] != before[LOGIN_COOKIE]
    assert browser.cookies["__Host-inkan-csrf"] != before["__Host-inkan-csrf"]
    assert await accounts.find_login(before[LOGIN_COOKIE]) is None


@pytest.mark.parametrize(
    ("wish", "leads"),
    [
        ("/staff?lang=ja", "/staff?lang=ja"),
        ("", "/staff"),
        ("//evil.example/", "/staff"),
        ("https://evil.example/", "/staff"),
        ("/\\evil.example", "/staff"),
        ("javascript:alert(1)", "/staff"),
        ("/x\r\nset-cookie: a=b", "/staff"),
    ],
)
async def test_a_login_leads_on_within_this_site_only(
    accounts: Accounts, browser: Client, wish: str, leads: str
) -> None:
    _, device = await hire(accounts)
    reply = await enter(browser, device, next_path=wish)
    assert reply.header("location") == leads


async def test_the_wish_is_kept_through_the_login_page(browser: Client) -> None:
    reply = await browser.get("/staff", headers=OWN)
    assert reply.status == 303
    assert reply.header("location") == "/staff/login?next=%2Fstaff"
    page = await browser.get("/staff/login?next=%2Fstaff", headers=OWN)
    assert 'name="next" value="/staff"' in page.text
    evil = await browser.get("/staff/login?next=%2F%2Fevil.example", headers=OWN)
    assert "evil" not in evil.text.partition("<main")[2]


async def test_a_refused_passkey_is_told_on_the_page(accounts: Accounts, browser: Client) -> None:
    _, device = await hire(accounts)
    token, ceremony = await begin(browser, "/staff/login")
    form = {
        "csrf_token": token,
        "ceremony": ceremony.id,
        "credential": device.get(ceremony, flags=UP).decode(),
    }
    reply = await browser.post("/staff/login", headers=OWN, form=form)
    assert reply.status == 401
    assert "does not log in here" in reply.text
    assert LOGIN_COOKIE not in browser.cookies
    again = await browser.post("/staff/login", headers=OWN, form=form | {"ceremony": "cer_none"})
    assert again.status == 409
    assert csrf_of(again)


async def test_asking_for_a_login_page_writes_nothing(
    accounts: Accounts, browser: Client, database: object
) -> None:
    from inkan.accounts import store

    for path in ("/staff/login", "/staff/invite"):
        await browser.get(path, headers=OWN)
    assert await database.read(rows_of(store.ceremony)) == []


async def test_a_source_that_hammers_is_slowed_down(
    browser: Client, another: Callable[[], Client]
) -> None:
    replies = [(await browser.get("/staff/login", headers=OWN)).status for _ in range(32)]
    assert replies.count(200) == 30
    assert replies[-1] == 429
    assert (await another().get("/staff/login", headers=OWN)).status == 200


# --- the end of a login ----------------------------------------------------------------------------------


@pytest.mark.req("HCA-44")
async def test_an_idle_page_leads_back_to_the_login_and_drops_the_cookie(
    accounts: Accounts, browser: Client, clock: StandingClock
) -> None:
    _, device = await hire(accounts)
    await enter(browser, device)
    clock.tick(599)
    assert (await browser.get("/staff", headers=OWN)).status == 200
    clock.tick(601)
    reply = await browser.get("/staff", headers=OWN)
    assert (reply.status, reply.header("location")) == (303, "/staff/login?next=%2Fstaff")
    assert "Max-Age=0" in login_cookie(reply)


async def test_logging_out_ends_it_on_both_sides(accounts: Accounts, browser: Client) -> None:
    _, device = await hire(accounts)
    await enter(browser, device)
    stolen = browser.cookies[LOGIN_COOKIE]
    form = {"csrf_token": csrf_of(await browser.get("/staff", headers=OWN))}
    reply = await browser.post("/staff/logout", headers=OWN, form=form)
    assert (reply.status, reply.header("location")) == (303, "/staff/login")
    assert "Max-Age=0" in login_cookie(reply)
    assert await accounts.find_login(stolen) is None
    browser.cookies[LOGIN_COOKIE] = stolen
    assert (await browser.get("/staff", headers=OWN)).status == 303
    # A form of before the logout is dead as well
    stale = await browser.post("/staff/logout", headers=PROGRAM, form=form)
    assert stale.status in {401, 403}


async def test_a_login_elsewhere_ends_this_one(
    accounts: Accounts, browser: Client, another: Callable[[], Client]
) -> None:
    _, device = await hire(accounts)
    await enter(browser, device)
    await enter(another(), device)
    assert (await browser.get("/staff", headers=OWN)).status == 303


async def test_a_person_is_no_staff(accounts: Accounts, browser: Client) -> None:
    token = await log_in_person(accounts, PersonID("ps_wang"))
    browser.cookies[LOGIN_COOKIE] = token.token.reveal()
    reply = await browser.get("/staff", headers=PROGRAM)
    assert (reply.status, reply.json()["code"]) == (403, "role_missing")


# --- invitations -----------------------------------------------------------------------------------------


async def take(browser: Client, code: str, device: Device) -> Reply:
    token, ceremony = await begin(browser, "/staff/invite", code=code)
    form = {
        "csrf_token": token,
        "code": code,
        "ceremony": ceremony.id,
        "credential": device.create(ceremony).decode(),
    }
    return await browser.post("/staff/invite", headers=OWN, form=form)


async def test_an_invitation_is_accepted_in_the_browser(
    accounts: Accounts, browser: Client
) -> None:
    code, device = code_of(await invite(accounts)), Device()
    reply = await take(browser, code, device)
    assert (reply.status, reply.header("location")) == (303, "/staff")
    assert (await browser.get("/staff", headers=OWN)).status == 200
    assert await log_in(accounts, device)


async def test_a_code_that_is_not_valid_is_a_problem_for_the_script_and_a_text_for_the_page(
    accounts: Accounts, browser: Client
) -> None:
    token = csrf_of(await browser.get("/staff/invite", headers=OWN))
    form = {"csrf_token": token, "code": "A" * 43}
    headers = PROGRAM | {"accept-language": "zh-TW"}
    reply = await browser.post("/staff/invite/begin", headers=headers, form=form)
    assert (reply.status, reply.json()["code"]) == (404, "invite_unknown")
    assert "索取新的邀請" in reply.json()["text"]
    form |= {"ceremony": "cer_x", "credential": "{}"}
    page = await browser.post("/staff/invite", headers=OWN, form=form)
    assert page.status == 404
    assert "This invitation is not valid" in page.text


async def test_a_code_is_never_shown_back(accounts: Accounts, browser: Client) -> None:
    code = code_of(await invite(accounts))
    token = csrf_of(await browser.get("/staff/invite", headers=OWN))
    form = {"csrf_token": token, "code": code, "ceremony": "cer_x", "credential": "{}"}
    reply = await browser.post("/staff/invite", headers=OWN, form=form)
    assert reply.status == 409
    assert code not in reply.text


async def test_a_name_is_text_and_nothing_else(accounts: Accounts, browser: Client) -> None:
    name = '<script>alert(1)</script>"{{ 7 * 7 }}'
    await take(browser, code_of(await invite(accounts, name=name)), Device())
    page = await browser.get("/staff", headers=OWN)
    assert "<script>alert" not in page.text
    assert html.escape(name, quote=False) in html.unescape(page.text).replace(
        name, html.escape(name, quote=False)
    )
    assert "49" not in page.text.partition("<main")[2].partition("<form")[0]


# --- for all pages ---------------------------------------------------------------------------------------


async def test_every_route_carries_the_headers_and_refuses_foreign_forms(
    application: Application,
) -> None:
    assert await walk_headers(application) > 16
    assert await walk_csrf(application) == 5


async def test_only_the_passkey_pages_may_use_passkeys(browser: Client) -> None:
    granted = {
        "/staff/login": {"publickey-credentials-get"},
        "/staff/invite": {"publickey-credentials-create"},
        "/staff": set(),
    }
    for path, features in granted.items():
        policy = (await browser.get(path, headers=OWN)).header("permissions-policy") or ""
        assert set(re.findall(r"([\w-]+)=\(self\)", policy)) == features


@pytest.mark.parametrize("path", ["/staff/login", "/staff/invite"])
@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "passkey"), ("ja", "パスキー"), ("zh-Hant", "通行密鑰")],
)
async def test_the_pages_speak_three_languages(
    browser: Client, path: str, language: str, text: str
) -> None:
    reply = await browser.get(path, headers=OWN | {"accept-language": language})
    assert f'lang="{language}"' in reply.text
    assert text in reply.text


def test_every_text_is_translated(templates: Templates) -> None:
    pages = (FOLDER / "templates").glob("*.html")
    asked = {
        text for page in pages for text in re.findall(r'_\("([^"]+)"\)', page.read_text("utf-8"))
    }
    asked |= set(ROLE_TITLES.values())
    assert len(asked) > 25
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []


def test_no_translation_is_left_over() -> None:
    pages = "".join(page.read_text("utf-8") for page in (FOLDER / "templates").glob("*.html"))
    for catalogue in Path(FOLDER / "locale").rglob("*.po"):
        for text in re.findall(r'^msgid "(.+)"$', catalogue.read_text("utf-8"), re.MULTILINE):
            assert f'"{text}"' in pages or text in ROLE_TITLES.values(), text


async def test_a_fresh_proof_is_asked_for_by_the_matrix(
    accounts: Accounts, clock: StandingClock
) -> None:
    from inkan.accounts import principal_of
    from inkan.web.principal import Matrix, VerificationStale

    _, device = await hire(accounts)
    token = (await log_in(accounts, device)).token.reveal()
    matrix = Matrix(PERMISSIONS)
    for _ in range(2):
        clock.tick(timedelta(seconds=300))
        login = await accounts.find_login(token)
        assert login is not None
        assert matrix.verify(principal_of(login), "accounts.invite", now=clock.now())
    clock.tick(1)
    with pytest.raises(VerificationStale):
        matrix.verify(principal_of(login), "accounts.invite", now=clock.now())
    again = await log_in(accounts, device, replaces=token)
    assert matrix.verify(principal_of(again.login), "accounts.invite", now=clock.now())
