"""The clerks' pages without a browser: who is let in, whose cases are shown, what a form may do."""

import re
from pathlib import Path

import pytest

from counter.clerks import PEOPLE, RESIDENCE_CARD, Desk, desk_on
from inkan.accounts import LOGIN_COOKIE, Role
from inkan.composition.routes import PAGED
from inkan.counter.model import Case, CaseKind, CaseState
from inkan.counter.pages import FOLDER, WORDS
from inkan.counter.pages.login import BROWSER_COOKIE
from inkan.counter.rules import TERMS
from inkan.crypto import base64url
from inkan.kernel.identifiers import parse_national_id
from inkan.web.languages import Language
from inkan.web.templates import Templates
from portal.browsers import OWN, PROGRAM, Browser, body_of, csrf_of
from relying_parties.applicants import hire_token
from support.world import World


@pytest.fixture
async def desk(world: World) -> Desk:
    made = await desk_on(world)
    await made.resident("hanako")
    return made


def browser_of(desk: Desk, key: str = "") -> Browser:
    browser = Browser(desk.world.instance.application)
    if key:
        browser.cookies[LOGIN_COOKIE] = desk.clerks[key].token.token.reveal()
    return browser


async def opened(desk: Desk, kind: CaseKind = CaseKind.ISSUE) -> Case:
    clerk = await desk.clerk("mei")
    return await desk.counter.cases.open(clerk, kind, parse_national_id(PEOPLE["hanako"][2]))


async def identified(desk: Desk, kind: CaseKind = CaseKind.ISSUE) -> Case:
    case = await opened(desk, kind)
    return await desk.counter.cases.identify(
        await desk.clerk("mei"), case.id, RESIDENCE_CARD, TERMS.version
    )


# --- the login ----------------------------------------------------------------------------------


async def test_the_form_logs_in_and_leads_on(desk: Desk) -> None:
    browser, mei = browser_of(desk), desk.clerks["mei"]
    token = csrf_of(await browser.see("/counter/login?next=/counter/cases/new"))
    begun = await browser.post("/counter/login/begin", headers=PROGRAM, form={"csrf_token": token})
    challenge = begun.json()
    cms = mei.sign(base64url.decode(challenge["content"]), challenge["content_type"])
    fields = {"challenge": challenge["id"], "cms": base64url.encode(cms)}
    reply = await browser.send(
        "/counter/login", "/counter/login", next="/counter/cases/new", **fields
    )
    assert (reply.status, reply.header("location")) == (303, "/counter/cases/new")
    assert browser.cookies[LOGIN_COOKIE]
    assert not browser.cookies.get(BROWSER_COOKIE)
    assert (await browser.see("/counter")).status == 200


@pytest.mark.parametrize("wish", ["https://evil.example/", "//evil.example", "javascript:1"])
async def test_a_login_leads_nowhere_else(desk: Desk, wish: str) -> None:
    page = (await browser_of(desk).see(f"/counter/login?next={wish}")).text
    assert "evil.example" not in body_of_form(page)


async def test_a_login_that_was_sent_leads_nowhere_else_either(desk: Desk) -> None:
    browser, mei = browser_of(desk), desk.clerks["mei"]
    token = csrf_of(await browser.see("/counter/login"))
    begun = await browser.post("/counter/login/begin", headers=PROGRAM, form={"csrf_token": token})
    challenge = begun.json()
    cms = mei.sign(base64url.decode(challenge["content"]), challenge["content_type"])
    fields = {"challenge": challenge["id"], "cms": base64url.encode(cms)}
    reply = await browser.send(
        "/counter/login", "/counter/login", next="https://evil.example/", **fields
    )
    assert (reply.status, reply.header("location")) == (303, "/counter")


def body_of_form(page: str) -> str:
    return page.partition("<form")[2].partition("</form>")[0]


async def test_a_refused_card_is_told_on_the_page(desk: Desk) -> None:
    browser = browser_of(desk)
    reply = await browser.send("/counter/login", "/counter/login", challenge="x", cms="AAAA")
    assert reply.status == 409
    assert "This did not work" in body_of(reply)
    assert not browser.cookies.get(LOGIN_COOKIE)


async def test_a_challenge_needs_a_form_of_this_site(desk: Desk) -> None:
    reply = await browser_of(desk).post("/counter/login/begin", headers=PROGRAM, form={"x": "y"})
    assert reply.status == 403


# --- who is let in ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/counter", "/counter/cases/new", "/counter/cases/cas_x"])
async def test_without_a_login_every_page_asks_for_it(desk: Desk, path: str) -> None:
    reply = await browser_of(desk).see(path)
    assert reply.status in {302, 303}
    assert str(reply.header("location")).startswith("/counter/login")


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.CLERK, Role.PERSON}))
async def test_no_other_role_enters(desk: Desk, role: Role) -> None:
    token = await hire_token(desk.world.platform.accounts, role, name="other")
    browser = browser_of(desk)
    browser.cookies[LOGIN_COOKIE] = token.token.reveal()
    assert (await browser.see("/counter")).status == 403


async def test_a_clerk_of_no_office_does_nothing(desk: Desk) -> None:
    token = await hire_token(desk.world.platform.accounts, Role.CLERK, name="new")
    browser = browser_of(desk)
    browser.cookies[LOGIN_COOKIE] = token.token.reveal()
    assert (await browser.see("/counter")).status == 403


async def test_off_duty_no_case_is_listed_and_none_is_opened(desk: Desk) -> None:
    await opened(desk)
    browser = browser_of(desk, "kenji")
    page = await browser.see("/counter")
    assert "田○○子" not in page.text
    reply = await browser.send(
        "/counter/cases", "/counter/cases/new", kind="pin", national_id=PEOPLE["child"][2]
    )
    assert reply.status == 403


# --- a case -------------------------------------------------------------------------------------


async def test_a_case_is_opened_by_the_form(desk: Desk) -> None:
    browser = browser_of(desk, "mei")
    await browser.send("/counter/shift", "/counter", act="begin")
    number = PEOPLE["hanako"][2].lower()
    reply = await browser.send(
        "/counter/cases", "/counter/cases/new", kind="revoke", national_id=f" {number} "
    )
    assert reply.status == 303
    page = await browser.see(str(reply.header("location")))
    assert "Revocation" in page.text
    assert PEOPLE["hanako"][2] not in page.text


async def test_a_wrong_number_is_told_and_not_repeated(desk: Desk) -> None:
    browser = browser_of(desk, "mei")
    await desk.clerk("mei")
    reply = await browser.send(
        "/counter/cases", "/counter/cases/new", kind="pin", national_id="A234567890"
    )
    assert reply.status == 400
    assert "A234567890" not in reply.text
    assert re.search(r'value="pin" selected', reply.text)


async def test_who_the_person_is_stands_there_only_when_asked_and_is_kept(desk: Desk) -> None:
    case, browser = await opened(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    shown = (await browser.see(path)).text
    assert "田中花子" not in shown
    assert "千代田区丸の内" not in shown
    told = await browser.send(f"{path}/facts", path)
    assert "田中花子" in told.text
    assert "千代田区丸の内一丁目1番" in told.text
    reveals = await desk.world.platform.people.reveals(case.person)
    assert len(reveals) == 1


async def test_another_office_s_case_does_not_exist(desk: Desk) -> None:
    await desk.clerk("mei")
    reply = await browser_of(desk, "mei").see("/counter/cases/cas_6vq3vb3m2c7g4kq1h8d0y5tzja")
    assert reply.status == 404


async def test_a_fault_in_a_date_is_told(desk: Desk) -> None:
    case, browser = await opened(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    fields = {"document": "passport", "number": "TK1234567", "expires_on": "soon"}
    reply = await browser.send(f"{path}/identify", path, terms=TERMS.version, **fields)
    assert reply.status == 400
    fields["expires_on"] = "2020-01-01"
    reply = await browser.send(f"{path}/identify", path, terms=TERMS.version, **fields)
    assert reply.status == 400
    assert "TK1234567" not in reply.text


async def test_a_my_number_is_refused_and_not_repeated(desk: Desk) -> None:
    case, browser = await opened(desk), browser_of(desk, "mei")
    path, my_number = f"/counter/cases/{case.id}", "1234 5678 9018"
    fields = {"document": "resident_card", "number": my_number, "expires_on": "2031-01-01"}
    reply = await browser.send(f"{path}/identify", path, terms=TERMS.version, **fields)
    assert reply.status == 400
    assert my_number not in reply.text
    assert (await desk.counter.cases.get(await desk.clerk("mei"), case.id)).document is None


async def test_a_second_look_is_not_the_first_clerk_s(desk: Desk) -> None:
    case, browser = await opened(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    fields = {"document": "passport", "number": "TK1234567", "expires_on": "2031-01-01"}
    await browser.send(f"{path}/identify", path, terms=TERMS.version, **fields)
    page = await browser.see(path)
    assert "Ask a colleague of this office" in page.text
    assert f"{path}/confirm" not in page.text
    reply = await browser.send(f"{path}/confirm", path)
    assert reply.status == 403


async def test_a_command_is_for_this_login_and_comes_as_json(desk: Desk, world: World) -> None:
    case, browser = await identified(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    terminal = await desk.terminal(world.folder)
    card = desk.blank_card()
    token = csrf_of(await browser.see(path))
    fields = {
        "csrf_token": token,
        "act": "make_keys",
        "card": card.number.hex(),
        "terminal": terminal.configuration.terminal,
    }
    reply = await browser.post(f"{path}/command", headers=PROGRAM, form=fields)
    assert reply.json()["command"].count(".") == 2
    for wrong in ({"terminal": "term_x"}, {"card": "00"}, {"act": "write"}, {"act": "steal"}):
        reply = await browser.post(f"{path}/command", headers=PROGRAM, form=fields | wrong)
        assert reply.status >= 400
        assert reply.json()["text"]


async def test_an_answer_that_nobody_gave_is_refused_on_the_page(desk: Desk) -> None:
    case, browser = await identified(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    reply = await browser.send(f"{path}/answer", path, answer="e30.e30.e30", act="make_keys")
    assert reply.status == 403
    assert "The card makes its keys" in reply.text


async def test_withdrawing_ends_the_case(desk: Desk) -> None:
    case, browser = await identified(desk), browser_of(desk, "mei")
    path = f"/counter/cases/{case.id}"
    assert (await browser.send(f"{path}/withdraw", path)).status == 303
    found = await desk.counter.cases.get(await desk.clerk("mei"), case.id)
    assert found.state is CaseState.WITHDRAWN
    page = (await browser.see(path)).text
    assert "The case was withdrawn" in page
    assert "/withdraw" not in page


@pytest.mark.parametrize(
    "act",
    [
        "facts",
        "identify",
        "confirm",
        "order",
        "pay",
        "hand-over",
        "withdraw",
        "revoke",
        "command",
        "answer",
    ],
)
async def test_another_site_can_send_no_form(desk: Desk, act: str) -> None:
    case, browser = await identified(desk), browser_of(desk, "mei")
    before = await desk.counter.cases.get(await desk.clerk("mei"), case.id)
    reply = await browser.post(f"/counter/cases/{case.id}/{act}", headers=OWN, form={"x": "y"})
    assert reply.status == 403
    assert await desk.counter.cases.get(await desk.clerk("mei"), case.id) == before


# --- texts --------------------------------------------------------------------------------------


def pages() -> str:
    return "".join(page.read_text("utf-8") for page in (FOLDER / "templates").rglob("*.html"))


def test_every_text_is_translated() -> None:
    folders = {feature.__name__: Path(str(feature.__file__)).parent for feature in PAGED}
    templates = Templates({name.split(".")[-1]: folder for name, folder in folders.items()})
    asked = set(re.findall(r'_\("([^"]+)"', pages())) | WORDS
    for language in (Language.JA, Language.ZH_HANT):
        known = templates.languages.translations[language]
        assert sorted(text for text in asked if text not in known) == []


def test_no_markup_of_these_pages_is_inline_script_or_style() -> None:
    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=", pages())


# --- papers -------------------------------------------------------------------------------------


class Press:
    """Stands for whatever prints: remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked = []

    def __getattr__(self, name: str):
        async def write(clerk, case, *, office, language, at) -> bytes:
            self.asked.append((name, case.id, office.code, language, at))
            return b"%PDF-1.7"

        return write


async def test_papers_are_handed_out_where_the_case_stands(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    case, browser, press = await opened(desk), browser_of(desk, "mei"), Press()
    path = f"/counter/cases/{case.id}"
    monkeypatch.setattr(desk.counter, "papers", press)
    assert f"{path}/application-form?in=ja" in (await browser.see(path)).text
    reply = await browser.see(f"{path}/application-form?in=ja")
    assert (reply.status, reply.body) == (200, b"%PDF-1.7")
    assert reply.header("content-type") == "application/pdf"
    assert press.asked[0][:4] == ("application_form", case.id, "chiyoda-1", Language.JA)
    for wrong in ("copy", "acceptance-notice", "parts", "__init__"):
        assert (await browser.see(f"{path}/{wrong}")).status == 404
    assert len(press.asked) == 1


async def test_off_duty_no_case_is_shown_and_nothing_is_printed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy holds name, birth date and address: who is not at work has no business with it."""
    case, browser, press = await opened(desk), browser_of(desk, "mei"), Press()
    monkeypatch.setattr(desk.counter, "papers", press)
    await desk.counter.offices.end_shift((await desk.clerk("mei")).account)
    path = f"/counter/cases/{case.id}"
    for place in (path, f"{path}/application-form?in=ja"):
        assert (await browser.see(place)).status == 403
    assert press.asked == []
