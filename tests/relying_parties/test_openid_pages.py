"""Client metadata on the pages of onboarding: entered, reviewed, exported; the secret that is shown once."""

import re
from typing import Any

import msgspec
import pytest

from inkan.accounts import Role
from inkan.crypto import base64url, jose
from inkan.relying_parties.pages.openid_forms import openid, openid_fields, shown
from inkan.relying_parties.service import documents, secret_hash
from relying_parties.applicants import PRODUCTION, Office, system_of
from relying_parties.browsing import Browser, text_of
from relying_parties.test_pages import PURPOSE, filled, login, system_form
from support.world import CLERK

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

METADATA = {
    "purpose": "login",
    "profile": "basic",
    "grant_authorization_code": "yes",
    "grant_refresh_token": "yes",
    "redirect_uris": "https://tax.example/callback\r\nhttps://app.tax.example/callback",
    "token_endpoint_auth_method": "client_secret_basic",
    "sender_constraint": "none",
    "id_token_signed_response_alg": "RS256",
    "inkan_code": "yes",
}


async def entered(office: Office, **bent: str) -> tuple[Browser, str]:
    """A developer who typed client metadata, and the path of the application."""
    browser = await login(office, Role.DEVELOPER, name="dev")
    path = await filled(office, browser)
    await browser.go(f"{path}/systems/tax-office/openid")
    reply = await browser.send(f"{path}/systems/tax-office/openid", **METADATA | bent)
    assert reply.status == 200, text_of(reply)
    return browser, path


@on_sqlite
async def test_metadata_are_typed_shown_and_taken_away(office: Office) -> None:
    browser, path = await entered(office)
    system = f"{path}/systems/tax-office"
    assert "https://app.tax.example/callback" in text_of(await browser.go(system))
    page = await browser.go(f"{system}/openid")
    assert "https://app.tax.example/callback" in page.text
    assert 'value="client_secret_basic" selected' in page.text
    # The form of the system itself leaves them as they are.
    await browser.go(system)
    kept = await browser.send(system, **system_form(name="Tax Bureau"))
    assert "https://app.tax.example/callback" in text_of(kept)
    await browser.go(f"{system}/openid")
    gone = await browser.send(f"{system}/openid", remove="yes")
    assert "redirect_uris" not in text_of(gone)


@on_sqlite
async def test_a_refusal_stands_beside_what_was_typed(office: Office) -> None:
    browser, path = await entered(office)
    here = f"{path}/systems/tax-office/openid"
    await browser.go(here)
    for bent, where in (
        ({"redirect_uris": "https://evil.example/"}, "/openid/redirect_uris/0"),
        ({"purpose": "none"}, "/openid/purpose"),
        ({"profile": "fapi2"}, "/openid/token_endpoint_auth_method"),
        ({"profile": "x"}, "/openid/profile"),
        ({"grant_client_credentials": "yes", "resources": "urn:x"}, "/openid/resources/0"),
    ):
        reply = await browser.send(here, **METADATA | bent)
        assert (reply.status, where in text_of(reply)) == (400, True), bent
        assert next(iter(bent.values())) in reply.text
    assert (await browser.go(f"{path}/systems/none/openid")).status == 404
    stranger = await login(office, Role.DEVELOPER, name="other")
    assert (await stranger.go(here)).status == 404


@on_sqlite
async def test_a_secret_is_shown_once(office: Office) -> None:
    browser, path = await entered(office)
    await browser.go(path)
    assert (await browser.send(f"{path}/complete", consent="yes")).status == 200
    here = "/developer/systems/tax-office"
    await browser.go(here)
    reply = await browser.send(f"{here}/secret")
    [secret] = re.findall(r'id="secret">([A-Za-z0-9_-]{43})<', reply.text)
    assert reply.header("cache-control") == "no-store"
    assert secret not in (await browser.go(here)).text
    system, _, _ = await office.world.platform.relying_parties.registered("tax-office")
    assert system.openid is not None
    assert system.openid.client_secret_sha256 == secret_hash(secret)
    # Completing the application again, as after any change, leaves the secret.
    await browser.go(path)
    assert (await browser.send(f"{path}/complete", consent="yes")).status == 200
    system, _, _ = await office.world.platform.relying_parties.registered("tax-office")
    assert system.openid is not None
    assert system.openid.client_secret_sha256 == secret_hash(secret)
    stranger = await login(office, Role.DEVELOPER, name="other")
    await stranger.go("/developer")
    assert (await stranger.send(f"{here}/secret")).status == 404
    system, _, _ = await office.world.platform.relying_parties.registered("tax-office")
    assert system.openid is not None
    assert system.openid.client_secret_sha256 == secret_hash(secret)


@on_sqlite
async def test_a_system_without_a_secret_has_none_to_draw(office: Office) -> None:
    browser = await login(office, Role.DEVELOPER, name="dev")
    await filled(office, browser)
    here = "/developer/systems/tax-office"
    assert f"{here}/secret" not in (await browser.go(here)).text
    assert (await browser.send(f"{here}/secret")).status == 400


def client_of(**bent: Any) -> dict[str, Any]:
    members = {"purpose": "login", "redirect_uris": ["https://tax.example/callback"], **bent}
    return system_of(openid=members)


@on_sqlite
async def test_officers_read_them_in_every_language(office: Office) -> None:
    application = await office.submitted(systems=[client_of()])
    officer = await login(office, Role.RP_OFFICER, name="one")
    developer = await login(office, Role.DEVELOPER, name="dev")
    path = await filled_system(developer)
    for language, words in (
        ("en", "Purpose of a login"),
        ("ja", "ログインの目的"),
        ("zh-Hant", "登入之用途"),
    ):
        review = await officer.go(
            f"/console/applications/{application.id}", **{"accept-language": language}
        )
        assert "https://tax.example/callback" in text_of(review)
        page = await developer.go(f"{path}/openid", **{"accept-language": language})
        assert words in text_of(page)
        if language != "en":
            for left in ("Redirect", "client proves", "Grants", "Save", "Nothing", "address"):
                assert left not in text_of(page), (language, left)
    console = await officer.go("/console/systems/tax-office")
    assert "https://tax.example/callback" in text_of(console)


async def filled_system(browser: Browser) -> str:
    """A system in a draft, by the forms; its path."""
    await browser.go("/developer")
    reply = await browser.send("/developer/applications")
    path = "/developer/applications/" + re.findall(r"app_[a-z2-7]+", reply.text)[0]
    await browser.go(f"{path}/systems/new")
    reply = await browser.send(f"{path}/systems/new", **system_form("post-office"))
    assert reply.status == 200, text_of(reply)
    await browser.send(f"{path}/systems/post-office", **PURPOSE)
    return f"{path}/systems/post-office"


async def test_an_export_carries_metadata_and_no_secret(office: Office) -> None:
    await office.approved(
        systems=[
            client_of(
                token_endpoint_auth_method="client_secret_basic", resources=["https://a.example/"]
            )
        ]
    )
    await office.world.platform.relying_parties.draw_secret("tax-office")
    jws = await office.applications.export(
        "tax-office", report=office.report(), audience=PRODUCTION, actor=CLERK
    )
    claims = msgspec.json.decode(jose.parse_compact(jws, typ="inkan-registration+jws").payload)
    said = claims["registration"]["openid"]
    assert said["resources"] == ["https://a.example/"]
    assert not said.get("client_secret_sha256")


@on_sqlite
async def test_a_form_without_metadata_is_what_it_was_before(office: Office) -> None:
    application = await office.completed()
    [system] = documents.form(application, issuer="x")["systems"]
    assert "openid" not in system
    other = await office.drafted(systems=[client_of()])
    [system] = documents.form(other, issuer="x")["systems"]
    assert system["openid"]["redirect_uris"] == ["https://tax.example/callback"]


def test_fields_and_metadata_say_the_same() -> None:
    typed = {
        **METADATA,
        "approval_pay": "yes",
        "resources": "https://a.example/ https://b.example/",
    }
    read = openid(typed, approvals=["pay", "other"])
    assert read.approval_purposes == ["pay"]
    assert openid(openid_fields(read), approvals=["pay", "other"]) == read
    kept = msgspec.structs.replace(read, client_secret_sha256=base64url.encode(b"1" * 32))
    assert all(name != "client_secret_sha256" for name, _ in shown(kept))
    assert dict(shown(msgspec.to_builtins(read))) == dict(shown(read))
    assert shown(None) == []
