"""RP-initiated logout: who is asked, where a browser is led, and what ends (rows OUT-)."""

from typing import Any

import pytest

from federation import clients
from federation.leavers import (
    BACK,
    BACKCHANNEL,
    ENDED,
    LIVING,
    LOGOUT,
    Browser,
    Receiver,
    Scene,
    granted,
    id_token,
    logged_in,
    logout_token,
    opened,
    openid_client,
    path,
    person_of,
    state_of,
)
from inkan.crypto import base64url
from inkan.federation.model.grant import GrantState
from inkan.federation.rules import LOGIN_COOKIE
from support.world import PLATFORM, World


@pytest.mark.behaviour("OUT-1")
async def test_without_a_hint_the_person_is_asked(scene: Scene) -> None:
    page = await scene.browser.see(LOGOUT)
    assert page.status == 200
    assert "Log out?" in page.text
    assert await scene.states() == LIVING
    reply = await scene.browser.confirm(page)
    assert reply.status == 200
    assert "You are logged out" in reply.text
    assert await scene.states() == ENDED


@pytest.mark.behaviour("OUT-2")
async def test_with_the_hint_of_this_browsers_login_it_ends_at_once(scene: Scene) -> None:
    hint = await scene.hint()
    reply = await scene.browser.see(
        path(id_token_hint=hint, post_logout_redirect_uri=BACK, state="a b&c")
    )
    assert (reply.status, reply.header("location")) == (303, f"{BACK}?state=a%20b%26c")
    assert await scene.states() == ENDED
    assert scene.browser.cookies[LOGIN_COOKIE] == ""


@pytest.mark.behaviour("OUT-3")
async def test_the_term_of_a_hint_may_be_over(scene: Scene) -> None:
    hint = await scene.hint(iat=1_600_000_000, exp=1_600_000_300)
    reply = await scene.browser.see(path(id_token_hint=hint))
    assert "You are logged out" in reply.text
    assert await scene.states() == ENDED


@pytest.mark.behaviour("OUT-4")
@pytest.mark.parametrize(
    "wished",
    [
        f"{BACK}/",
        f"{BACK}?x=1",
        "https://tax.example/AFTER-LOGOUT",
        "https://tax.example/callback",
        "https://evil.example/after-logout",
        "https://tax.example.evil.example/after-logout",
        "javascript:alert(1)",
        "//evil.example",
        "/my",
    ],
)
async def test_no_address_but_a_registered_one(scene: Scene, wished: str) -> None:
    for members in (
        {"id_token_hint": await scene.hint()},
        {"client_id": "shop"},
    ):
        reply = await scene.browser.see(path(**members, post_logout_redirect_uri=wished))
        assert reply.status == 400
        assert reply.header("location") is None
        assert "refresh" not in reply.text
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-5")
async def test_an_address_without_a_client_is_none(scene: Scene) -> None:
    reply = await scene.browser.see(path(post_logout_redirect_uri=BACK))
    assert (reply.status, reply.header("location")) == (400, None)


@pytest.mark.behaviour("OUT-6")
async def test_the_hint_of_another_client_is_refused(scene: Scene) -> None:
    hint = await scene.hint()
    reply = await scene.browser.see(path(id_token_hint=hint, client_id="bank"))
    assert reply.status == 400
    assert await scene.states() == LIVING
    same = await scene.browser.see(path(id_token_hint=hint, client_id="shop"))
    assert same.status == 200
    assert await scene.states() == ENDED


@pytest.mark.behaviour("OUT-7")
@pytest.mark.parametrize(
    "bend",
    ["another issuer", "no subject", "two audiences", "an access token", "a logout token"],
)
async def test_what_is_no_id_token_of_this_provider_is_no_hint(scene: Scene, bend: str) -> None:
    bent: dict[str, Any] = {
        "another issuer": {"iss": "https://evil.example"},
        "no subject": {"sub": None},
        "two audiences": {"aud": ["shop", "bank"]},
        "an access token": {"typ": "at+jwt"},
        "a logout token": {"typ": "logout+jwt"},
    }[bend]
    reply = await scene.browser.see(path(id_token_hint=await scene.hint(**bent)))
    assert reply.status == 400
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-8")
async def test_a_hint_with_a_bent_signature_is_no_hint(scene: Scene) -> None:
    head, payload, signature = (await scene.hint()).split(".")
    none = base64url.encode(b'{"alg":"none","typ":"JWT","kid":"x"}')
    raw = bytearray(base64url.decode(signature))
    raw[0] ^= 1
    bent = base64url.encode(bytes(raw))
    for hint in (f"{head}.{payload}.{bent}", f"{none}.{payload}.{signature}", "x", "a.b.c", "..."):
        assert (await scene.browser.see(path(id_token_hint=hint))).status == 400
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-9")
async def test_a_hint_from_another_browser_asks_first(scene: Scene) -> None:
    hint = await scene.hint()
    elsewhere = Browser(scene.world)
    page = await elsewhere.see(path(id_token_hint=hint, post_logout_redirect_uri=BACK))
    assert "Log out?" in page.text
    assert await scene.states() == LIVING
    reply = await elsewhere.confirm(page, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert f'content="0;url={BACK}"' in reply.text
    assert await scene.states() == ENDED


@pytest.mark.behaviour("OUT-10")
async def test_the_hint_of_somebody_else_asks_the_person_of_this_browser(scene: Scene) -> None:
    other = await person_of(scene.world, "lin")
    _, cookie = await logged_in(scene.world, other)
    page = await Browser(scene.world, cookie).see(path(id_token_hint=await scene.hint()))
    assert "Log out?" in page.text
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-11")
async def test_the_form_is_of_this_site_only(scene: Scene) -> None:
    page = await scene.browser.see(LOGOUT)
    evil = {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}
    reply = await scene.browser.post(f"{LOGOUT}/confirm", headers=evil, form={"csrf_token": "x"})
    assert reply.status == 403
    own = {"origin": PLATFORM, "sec-fetch-site": "same-origin"}
    assert (await scene.browser.post(f"{LOGOUT}/confirm", headers=own, form={})).status == 403
    assert await scene.states() == LIVING
    assert (await scene.browser.confirm(page)).status == 200


@pytest.mark.behaviour("OUT-12")
async def test_a_clients_form_is_led_to_the_page(scene: Scene) -> None:
    hint = await scene.hint()
    form = {"id_token_hint": hint, "post_logout_redirect_uri": BACK, "state": "s", "other": "x"}
    headers = {"origin": "https://tax.example", "sec-fetch-site": "cross-site"}
    reply = await scene.browser.post(LOGOUT, headers=headers, form=form)
    assert reply.status == 303
    location = reply.header("location")
    assert location == path(id_token_hint=hint, post_logout_redirect_uri=BACK, state="s")
    # Nothing happened yet: the browser itself comes with its cookies, and the checks are there.
    assert await scene.states() == LIVING
    assert (await scene.browser.see(location)).header("location") == f"{BACK}?state=s"


@pytest.mark.behaviour("OUT-13")
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("state=a&state=b", 400),
        ("client_id=nobody", 400),
        ("client_id=tax-office", 400),
        ("id_token_hint=" + "a" * 5_000, 400),
        ("state=" + "a" * 600, 400),
        ("client_id=%ff", 400),
        ("unknown=1", 200),
    ],
)
async def test_bad_parameters_are_refused_on_a_page(scene: Scene, query: str, status: int) -> None:
    await scene.world.agency("tax-office")  # a system that is no client
    reply = await scene.browser.see(f"{LOGOUT}?{query}")
    assert reply.status == status
    assert (reply.header("content-type") or "").startswith("text/html")
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-14")
@pytest.mark.parametrize(
    ("language", "ask", "done"),
    [("en", "Log out?", "You are logged out"), ("ja", "ログアウトしますか", "ログアウトしました"),
     ("zh-Hant", "確定要登出嗎？", "您已登出")],
)  # fmt: skip
async def test_the_page_speaks_three_languages(
    scene: Scene, language: str, ask: str, done: str
) -> None:
    page = await scene.browser.see(path(client_id="shop"), **{"accept-language": language})
    assert ask in page.text
    assert "Tax Office" in page.text
    reply = await scene.browser.confirm(page, language=language, client_id="shop")
    assert done in reply.text


@pytest.mark.behaviour("OUT-15")
async def test_a_second_logout_changes_nothing(scene: Scene, receiver: Receiver) -> None:
    hint = await scene.hint()
    await scene.browser.see(path(id_token_hint=hint))
    await scene.world.instance.outbox.run_due()
    told = len(receiver.heard)
    page = await scene.browser.see(path(id_token_hint=hint, post_logout_redirect_uri=BACK))
    reply = await scene.browser.confirm(page, id_token_hint=hint, post_logout_redirect_uri=BACK)
    assert reply.status == 200
    await scene.world.instance.outbox.run_due()
    assert len(receiver.heard) == told
    assert (await scene.world.events()).count("federation.login_ended") == 1


@pytest.mark.behaviour("OUT-30")
@pytest.mark.parametrize("bend", ["session", "person", "client"])
async def test_a_hint_ends_only_the_session_of_its_own_client_and_person(
    scene: Scene, bend: str
) -> None:
    bent = {
        "session": {"sid": scene.at_bank.sid},
        "person": {"sub": scene.at_bank.sub},
        "client": {"aud": "bank"},
    }[bend]
    hint = await scene.hint(**bent)
    elsewhere = Browser(scene.world)
    page = await elsewhere.see(path(id_token_hint=hint))
    assert (await elsewhere.confirm(page, id_token_hint=hint)).status == 200
    assert await scene.states() == LIVING


@pytest.mark.behaviour("OUT-31")
async def test_a_session_that_no_browser_holds_ends_by_its_hint(told: World) -> None:
    """A grant by CIBA or a device belongs to no browser: its hint asks, and ends that session alone."""
    shop, person = await openid_client(told, "shop"), await person_of(told)
    grant, other = await granted(told, shop, person), await granted(told, shop, person)
    hint = await id_token(told, grant)
    browser = Browser(told)
    page = await browser.see(path(id_token_hint=hint))
    assert await state_of(told, grant) is GrantState.USED
    await browser.confirm(page, id_token_hint=hint)
    assert await state_of(told, grant) is GrantState.REVOKED
    assert await state_of(told, other) is GrantState.USED


@pytest.mark.behaviour("OUT-16")
async def test_another_browsers_login_of_the_person_goes_on(scene: Scene) -> None:
    login, _ = await logged_in(scene.world, scene.person)
    elsewhere = await granted(scene.world, scene.shop, scene.person, login=login)
    await scene.browser.see(path(id_token_hint=await scene.hint()))
    assert await scene.states() == ENDED
    assert await state_of(scene.world, elsewhere) is GrantState.USED


@pytest.mark.behaviour("OUT-32")
async def test_a_real_login_ends_by_its_own_id_token(told: World, receiver: Receiver) -> None:
    """From the authorization endpoint to the logout token: nothing here is made by hand."""
    address = "https://shop.example/ended"
    client = await clients.openid_client(
        told, post_logout_redirect_uris=[address], backchannel_logout_uri=address
    )
    browser = client.browser()
    brought = await client.log_in(await told.bind("chen"), browser)
    form = {
        "grant_type": "authorization_code",
        "code": brought["code"],
        "redirect_uri": clients.REDIRECT_URI,
        "code_verifier": clients.VERIFIER,
        **client.assertion(),
    }
    answer = await client.web.post("/token", form=form)
    assert answer.status == 200, answer.text
    tokens = answer.json()
    bearer = {"authorization": f"Bearer {tokens['access_token']}"}
    assert (await client.web.get("/userinfo", headers=bearer)).status == 200
    leaving = path(id_token_hint=tokens["id_token"], post_logout_redirect_uri=address)
    reply = await browser.see(leaving)
    assert (reply.status, reply.header("location")) == (303, address)
    assert (await client.web.get("/userinfo", headers=bearer)).status == 401
    await told.instance.outbox.run_due()
    said = await logout_token(told, receiver.at(address)[0])
    known = await opened(told, tokens["id_token"], typ="JWT")
    assert (said["sub"], said["sid"]) == (known["sub"], known["sid"])


@pytest.mark.behaviour("OUT-33")
async def test_the_metadata_name_the_logout(told: World) -> None:
    answer = await Browser(told).get("/.well-known/openid-configuration")
    said = answer.json()
    assert said["end_session_endpoint"] == f"{PLATFORM}{LOGOUT}"
    assert said["backchannel_logout_supported"] is True
    assert said["backchannel_logout_session_supported"] is True
    assert not {name for name in said if name.startswith("frontchannel")}


@pytest.mark.behaviour("OUT-34")
async def test_what_outlived_a_logout_is_told_of_it_once(told: World, receiver: Receiver) -> None:
    scene = await Scene(told).begin(scope=("openid", "offline_access"))
    hint = await scene.hint()
    for _ in range(2):
        page = await scene.browser.see(path(id_token_hint=hint))
        if "Log out?" in page.text:
            await scene.browser.confirm(page, id_token_hint=hint)
        await told.instance.outbox.run_due()
    assert await scene.states() == [GrantState.USED, GrantState.REVOKED]
    assert len(receiver.at(BACKCHANNEL)) == 1
