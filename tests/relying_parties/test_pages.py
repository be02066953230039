"""The pages of onboarding without JavaScript, as developers, officers and strangers see them."""

import re
from typing import Any

import msgspec
import pytest

from inkan.accounts import Role
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties import ApplicationState
from inkan.relying_parties.service import documents
from relying_parties.applicants import NAMES, NUMBER, Office, hire_token, seal_for, system_of
from relying_parties.browsing import OWN, Browser, text_of
from support.asgi import Client
from support.world import PLATFORM

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def login(office: Office, *roles: Role, name: str) -> Browser:
    token = await hire_token(office.world.platform.accounts, *roles, name=name)
    return Browser(office.world, token.token.reveal())


ORGANISATION = {
    "code": "tax-bureau",
    "number": NUMBER,
    "sector": "government",
    **{f"name_{language}": text for language, text in NAMES.items()},
}
PURPOSE = {
    "purpose": "",
    "code": "login",
    "kind_identify": "yes",
    "text_en": "Log in",
    "text_ja": "ログイン",
    "text_zh-Hant": "登入",
}


def system_form(code: str = "tax-office", **bent: str) -> dict[str, str]:
    wanted = system_of(code)
    return {
        "code": code,
        "name": "Tax Office",
        "domain": "tax.example",
        "door_qr": "yes",
        "door_redirect": "yes",
        "return_urls": "https://tax.example/return\r\nhttps://tax.example/back",
        "webhooks": "main https://tax.example/hook",
        "keys": msgspec.json.encode({"keys": wanted["keys"]}).decode(),
        "binding_min": "",
        **bent,
    }


async def filled(office: Office, browser: Browser) -> str:
    """A completed application, made by the forms; its path."""
    await browser.go("/developer")
    reply = await browser.send("/developer/applications")
    path = "/developer/applications/" + re.findall(r"app_[a-z2-7]+", reply.text)[0]
    assert (await browser.send(f"{path}/organisation", **ORGANISATION)).status == 200
    await browser.go(f"{path}/systems/new")
    reply = await browser.send(f"{path}/systems/new", **system_form())
    assert reply.status == 200, text_of(reply)
    reply = await browser.send(f"{path}/systems/tax-office", **PURPOSE)
    assert "login" in text_of(reply)
    await browser.go(path)
    contact = {"role": "technical", "name": "陳美", "mail": "chen@tax.example"}
    assert (await browser.send(f"{path}/contacts", **contact)).status == 200
    reply = await browser.send(f"{path}/complete", consent="yes")
    assert reply.status == 200, text_of(reply)
    return path


@pytest.mark.req("TW-62", "TW-63")
async def test_from_the_first_form_to_the_second_officer(office: Office) -> None:
    developer = await login(office, Role.DEVELOPER, name="dev")
    path = await filled(office, developer)
    for kind in ("form", "consent"):
        page = await developer.go(f"{path}/documents/{kind}")
        assert NUMBER in text_of(page)
        raw = await developer.go(f"{path}/documents/{kind}.json")
        assert documents.digest_of(raw.body) in page.text
    content = (await developer.go(f"{path}/documents/seal.json")).body
    holder = await seal_for(office.world)
    await developer.go(path)
    sealed = await developer.send(f"{path}/seal", file=holder.sign(content))
    assert NUMBER in text_of(sealed)
    assert "In review" in text_of(await developer.send(f"{path}/submit"))
    first = await login(office, Role.RP_OFFICER, name="one")
    second = await login(office, Role.RP_OFFICER, name="two")
    review = path.replace("/developer", "/console")
    assert "National Tax Bureau" in text_of(await first.go("/console/applications"))
    page = await first.go(review)
    assert "chen@tax.example" in text_of(page)
    assert "This proposal is yours" in text_of(
        await first.send(f"{review}/propose", reason="all there")
    )
    refused = await first.send(f"{review}/approve", proposal_version="1")
    assert (refused.status, "Somebody else" in text_of(refused)) == (403, True)
    assert "all there" in text_of(await second.go(review))
    assert "Approved" in text_of(await second.send(f"{review}/approve", proposal_version="1"))
    assert "Approved" in text_of(await developer.go(path))


async def test_a_refusal_is_told_where_it_was_typed(office: Office) -> None:
    developer = await login(office, Role.DEVELOPER, name="dev")
    await developer.go("/developer")
    reply = await developer.send("/developer/applications")
    path = "/developer/applications/" + re.findall(r"app_[a-z2-7]+", reply.text)[0]
    wrong = await developer.send(f"{path}/organisation", **ORGANISATION | {"number": "12345678"})
    assert wrong.status == 400
    assert 'value="12345678"' in wrong.text
    assert "/organisation/number" in wrong.text
    assert (await developer.send(f"{path}/organisation", **ORGANISATION | {"sector": "health"})).status == 403  # fmt: skip
    await developer.send(f"{path}/organisation", **ORGANISATION)
    await developer.go(f"{path}/systems/new")
    for bent in (
        {"keys": "{"},
        {"keys": '[{"kty":"EC"}]'},
        {"return_urls": "http://tax.example/"},
        {"return_urls": "https://tax.example/return https://evil-tax.example/return"},
        {"webhooks": "main"},
        {"code": "Tax Office"},
        {"domain": "<b>"},
        {"name": "a\u202eb"},
        {"binding_min": "x"},
    ):
        reply = await developer.send(f"{path}/systems/new", **system_form(**bent))
        assert reply.status in {400, 403}, bent
        assert "regex" not in text_of(reply), bent
        assert "<b>" not in reply.text
    outside = system_form(return_urls="https://evil-tax.example/return")
    told = text_of(await developer.send(f"{path}/systems/new", **outside))
    assert "leads out of the domain" in told
    assert "/return_urls/0 · a host that is tax.example or below it" in told
    for bent in ({}, {"consent": "yes"}):
        await developer.go(path)
        assert (await developer.send(f"{path}/complete", **bent)).status == 400
    assert (await developer.go(f"{path}/documents/form")).status == 404
    assert (await developer.go(f"{path}/systems/none")).status == 404


async def test_an_old_page_changes_nothing(office: Office) -> None:
    developer = await login(office, Role.DEVELOPER, name="dev")
    path = await filled(office, developer)
    reply = await developer.send(f"{path}/organisation", version="1", **ORGANISATION)
    assert (reply.status, "changed meanwhile" in text_of(reply)) == (409, True)
    reply = await developer.send(f"{path}/organisation", version="x", **ORGANISATION)
    assert reply.status == 400


PAGES: list[tuple[str, str, set[Role]]] = [
    ("GET", "/developer", {Role.DEVELOPER}),
    ("GET", "/developer/systems/tax-office", {Role.DEVELOPER}),
    ("GET", "/console/applications", {Role.RP_OFFICER, Role.AUDITOR}),
    ("GET", "/console/systems", {Role.RP_OFFICER, Role.AUDITOR, Role.OPERATOR}),
    ("GET", "/console/systems/tax-office", {Role.RP_OFFICER, Role.AUDITOR, Role.OPERATOR}),
    ("GET", "/console/windows", {Role.RP_OFFICER, Role.AUDITOR, Role.OPERATOR}),
]


async def test_each_role_opens_its_own_pages(office: Office) -> None:
    await office.completed()
    for role in sorted({*Role} - {Role.PERSON}):
        browser = await login(office, role, name=f"a-{role.value}")
        for _, path, roles in PAGES:
            status = (await browser.go(path)).status
            assert (status == 403) == (role not in roles), (role, path, status)
    nobody = Client(office.world.instance.application, PLATFORM)
    for _, path, _ in PAGES:
        assert (await nobody.get(path, headers=OWN)).header(
            "location",
        ) is not None


async def test_another_organisation_finds_nothing(office: Office) -> None:
    done = await office.completed()
    other = await login(office, Role.DEVELOPER, name="other")
    for path in (
        f"/developer/applications/{done.id}",
        f"/developer/applications/{done.id}/documents/form",
        "/developer/systems/tax-office",
    ):
        assert (await other.go(path)).status == 404
    await other.go("/developer")
    public = jwk.to_jwk(generate(KeySpec.P256).public_key())
    key = msgspec.json.encode(public).decode()
    system = "/developer/systems/tax-office"
    assert (await other.send(f"{system}/keys", key=key)).status == 404
    parties = office.world.platform.relying_parties
    [kept] = await parties.keys_of("tax-office")
    ended = await other.send(f"{system}/keys/end", thumbprint=kept.thumbprint)
    assert ended.status == 404
    assert await parties.keys_of("tax-office") == [kept]  # nothing was done before the refusal
    officer = await login(office, Role.RP_OFFICER, name="one")
    assert (await officer.go(f"/console/applications/{done.id}")).status == 404


async def test_keys_and_load_tests_of_ones_own_system(office: Office) -> None:
    browser = await login(office, Role.DEVELOPER, name="dev")
    await filled(office, browser)
    path = "/developer/systems/tax-office"
    page = await browser.go(path)
    [old] = re.findall(r'name="thumbprint" value="([^"]+)"', page.text)
    public = jwk.to_jwk(generate(KeySpec.P256).public_key())
    key = msgspec.json.encode(public).decode()
    assert (await browser.send(f"{path}/keys", key=key)).text.count('name="thumbprint"') == 2
    assert (await browser.send(f"{path}/keys", key=key)).status == 409
    assert (await browser.send(f"{path}/keys", key="")).status == 400
    assert old not in (await browser.send(f"{path}/keys/end", thumbprint=old)).text
    day = (office.world.clock.now()).strftime("%Y-%m-")
    begins = office.world.clock.now()
    at = begins.replace(year=begins.year, day=begins.day).isoformat()[:16]
    assert (await browser.send(f"{path}/windows", **{"from": at, "to": at, "rate": "9"})).status == 400  # fmt: skip
    assert (await browser.send(f"{path}/windows", **{"from": day, "to": at, "rate": "9"})).status == 400  # fmt: skip
    later = f"{begins:%Y-%m}-{begins.day + 2:02}T10:00"
    until = f"{begins:%Y-%m}-{begins.day + 2:02}T12:00"
    announced = await browser.send(
        f"{path}/windows", **{"from": later, "to": until, "rate": "6000"}
    )
    assert "Announced" in text_of(announced)
    operator = await login(office, Role.OPERATOR, name="op")
    page = await operator.go("/console/windows")
    [confirm] = re.findall(r'action="(/console/windows/[^"]+/confirm)"', page.text)
    assert "Confirmed" in text_of(await operator.send(confirm))
    assert (await operator.send(confirm.replace("confirm", "eat"), version="1")).status == 404


async def test_an_officer_suspends_and_resumes(office: Office) -> None:
    await office.completed()
    officer = await login(office, Role.RP_OFFICER, name="one")
    assert "tax-office" in text_of(await officer.go("/console/systems"))
    await officer.go("/console/systems/tax-office")
    page = await officer.send("/console/systems/tax-office/suspend")
    assert "Suspended" in text_of(page)
    assert "Active" in text_of(await officer.send("/console/systems/tax-office/resume"))
    assert (await officer.send("/console/systems/none/suspend")).status == 404


async def test_an_officer_ends_a_key(office: Office) -> None:
    await office.completed()
    officer = await login(office, Role.RP_OFFICER, name="one")
    path = "/console/systems/tax-office"
    [key] = re.findall(r'name="thumbprint" value="([^"]+)"', (await officer.go(path)).text)
    assert (await officer.send(f"{path}/keys/end", thumbprint="none")).status == 404
    assert "No key proves" in text_of(await officer.send(f"{path}/keys/end", thumbprint=key))
    assert "relying_parties.key_ended" in await office.world.events()


@pytest.mark.req("TW-64")
async def test_an_operator_exports_what_was_reviewed(office: Office) -> None:
    await office.approved()
    path, to = "/console/systems/tax-office", {"audience": "https://id.example"}
    officer = await login(office, Role.RP_OFFICER, name="one")
    assert "Download the export" not in text_of(await officer.go(path))
    sent = await officer.send(f"{path}/export", file=b"x", field="report", **to)
    assert sent.status == 403
    operator = await login(office, Role.OPERATOR, name="op")
    await operator.go(path)
    report = office.report().encode()
    for file in (b"", b"\xff", b"a.b.c", office.report("tax-refund").encode()):
        refused = await operator.send(f"{path}/export", file=file, field="report", **to)
        assert (refused.status, "conformance report" in text_of(refused)) == (403, True)
        assert 'value="https://id.example"' in refused.text
    for audience in ("", "id.example", "http://id.example", "https://id.example/"):
        wrong = await operator.send(
            f"{path}/export", file=report, field="report", audience=audience
        )
        assert wrong.status == 400
    done = await operator.send(f"{path}/export", file=report, field="report", **to)
    assert (done.status, done.header("content-type")) == (200, "application/jose")
    assert done.header("content-disposition") == 'attachment; filename="tax-office.jws"'
    assert done.text.count(".") == 2


async def test_the_officer_gives_back_and_the_applicant_reads_why(office: Office) -> None:
    application = await office.submitted()
    officer = await login(office, Role.RP_OFFICER, name="one")
    await officer.go(f"/console/applications/{application.id}")
    reply = await officer.send(
        f"/console/applications/{application.id}/back", reason="The domain is not yours."
    )
    assert "The domain is not yours." in text_of(reply)
    kept = await office.applications.application(application.id, by=office.developer)
    assert kept.state is ApplicationState.RETURNED


@pytest.mark.parametrize("language", ["ja", "zh-Hant"])
async def test_nothing_is_left_in_english(office: Office, language: str) -> None:
    application = await office.submitted()
    officer = await login(office, Role.RP_OFFICER, name="one")
    developer = await login(office, Role.DEVELOPER, name="dev")
    path = await filled_elsewhere(office, developer)
    seen: list[Any] = []
    for browser, where in (
        (developer, "/developer"),
        (developer, path),
        (developer, f"{path}/systems/new"),
        (officer, "/console/applications"),
        (officer, f"/console/applications/{application.id}"),
        (officer, "/console/systems"),
        (officer, "/console/systems/tax-office"),
        (officer, "/console/windows"),
    ):
        page = await browser.go(where, **{"accept-language": language})
        assert page.status == 200
        seen.append(text_of(page))
        for word in ("Application", "Organisation", "Purpose", "Save", "State", "Contact", "Seal "):
            assert word not in seen[-1], (where, word)


async def filled_elsewhere(office: Office, browser: Browser) -> str:
    """An application that has only begun."""
    await browser.go("/developer")
    reply = await browser.send("/developer/applications")
    return "/developer/applications/" + re.findall(r"app_[a-z2-7]+", reply.text)[0]
