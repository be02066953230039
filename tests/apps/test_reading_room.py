"""The reading room before a provider that is honest, and before one that is not: who is let in, and who never is."""

import base64
import html
import re
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from babel.messages.pofile import read_po

from apps.false_provider import ACCESS_TOKEN, CLIENT, ISSUER, OTHER_KEY, FalseProvider
from inkan.apps.showcase.reading_room import Registration, application, reading_room, refusals
from inkan.kernel.clock import to_seconds
from inkan.kernel.sensitive import Secret
from support.asgi import Client, Reply
from support.clock import LevelClock

ROOM = "http://library.localhost:8484"
PAGE = {"accept": "text/html"}
OWN = PAGE | {"origin": ROOM, "sec-fetch-site": "same-origin"}
COOKIE = "__Host-reading-room"


@pytest.fixture
def clock() -> LevelClock:
    return LevelClock()


@pytest.fixture
def provider(clock: LevelClock, monkeypatch: pytest.MonkeyPatch) -> FalseProvider:
    made = FalseProvider(now=to_seconds(clock.wire_now()))
    monkeypatch.setattr(application, "AsyncTransport", lambda: made)
    return made


@pytest.fixture
def room(provider: FalseProvider, clock: LevelClock) -> Any:
    registration = Registration(
        issuer=ISSUER,
        client_id=CLIENT,
        secret=Secret("a secret: with % signs"),
        redirect_uri=f"{ROOM}/return",
        post_logout_redirect_uri=f"{ROOM}/goodbye",
    )
    return reading_room(origin=ROOM, registration=registration, clock=clock)


@pytest.fixture
def browser(room: Any) -> Client:
    return Client(room, ROOM)


async def send(browser: Client, path: str, page: str = "/") -> Reply:
    text = (await browser.get(page, headers=PAGE)).text
    token = re.findall(r'name="csrf_token" value="([0-9a-f]{64})"', text)
    return await browser.post(path, headers=OWN, form={"csrf_token": token[0]})


async def begin(browser: Client, provider: FalseProvider) -> dict[str, str]:
    reply = await send(browser, "/")
    assert reply.status == 303, reply.text
    return provider.asked(reply.header("location") or "")


async def back(browser: Client, **members: str) -> Reply:
    return await browser.get(f"/return?{urlencode(members)}", headers=PAGE)


async def log_in(browser: Client, provider: FalseProvider) -> Reply:
    asked = await begin(browser, provider)
    return await back(browser, code="a code", state=asked["state"], iss=ISSUER)


async def is_in(browser: Client) -> bool:
    reply = await browser.get("/room", headers=PAGE)
    return reply.status == 200 and "You are logged in" in reply.text


async def test_a_reader_logs_in_and_out(browser: Client, provider: FalseProvider) -> None:
    before = dict(browser.cookies)
    reply = await log_in(browser, provider)
    assert (reply.status, reply.header("location")) == (303, "/room")
    page = html.unescape((await browser.get("/room", headers=PAGE)).text)
    for told in ("person-1", "level", "hwk · user", "枕草子"):
        assert told in page
    assert before.get(COOKIE) != browser.cookies[COOKIE]
    reply = await send(browser, "/logout", "/room")
    led = urlsplit(reply.header("location") or "")
    said = parse_qs(led.query)
    assert f"{led.scheme}://{led.netloc}{led.path}" == f"{ISSUER}/end"
    assert said["post_logout_redirect_uri"] == [f"{ROOM}/goodbye"]
    assert said["id_token_hint"]
    assert not await is_in(browser)
    assert "You are logged out" in (await browser.get("/goodbye", headers=PAGE)).text


async def test_what_is_asked_of_the_provider(browser: Client, provider: FalseProvider) -> None:
    asked = await begin(browser, provider)
    assert asked["response_type"] == "code"
    assert asked["scope"] == "openid"
    assert (asked["client_id"], asked["redirect_uri"]) == (CLIENT, f"{ROOM}/return")
    assert asked["code_challenge_method"] == "S256"
    await back(browser, code="a code", state=asked["state"], iss=ISSUER)
    [request] = provider.sees["/token"]
    form = {name: each[0] for name, each in parse_qs((request.body or b"").decode()).items()}
    hashed = base64.urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
    assert hashed.rstrip(b"=").decode() == asked["code_challenge"]
    assert (form["grant_type"], form["code"]) == ("authorization_code", "a code")
    scheme, _, pair = request.headers["authorization"].partition(" ")
    name, _, secret = base64.b64decode(pair).decode().partition(":")
    assert (scheme, name, secret) == ("Basic", CLIENT, "a+secret%3A+with+%25+signs")
    [who] = provider.sees["/userinfo"]
    assert who.headers["authorization"] == f"Bearer {ACCESS_TOKEN}"


async def test_every_login_draws_its_own_secrets(browser: Client, provider: FalseProvider) -> None:
    asked = [await begin(browser, provider) for _ in range(3)]
    for member in ("state", "nonce", "code_challenge"):
        assert len({each[member] for each in asked}) == 3


SPOILT: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "http://evil.localhost:8480"}},
    "another audience": {"claims": {"aud": "tax-office"}},
    "no audience": {"claims": {"aud": None}},
    "one audience more": {"claims": {"aud": [CLIENT, "tax-office"]}},
    "another authorized party": {"claims": {"azp": "tax-office"}},
    "expired": {"claims": {"exp": 1_700_000_000}},
    "of the future": {"claims": {"iat": 9_999_999_999}},
    "another nonce": {"claims": {"nonce": "A" * 43}},
    "no nonce": {"claims": {"nonce": None}},
    "another access token": {"claims": {"at_hash": "A" * 22}},
    "nobody": {"claims": {"sub": ""}, "subject": ""},
    "a very long name": {"claims": {"sub": "x" * 256}, "subject": "x" * 256},
    "a subject that is a number": {"claims": {"sub": 1}},
    "signed by somebody else": {"key": OTHER_KEY},
    "by a key that is not published": {"header": {"kid": "second"}},
    "without the name of a key": {"header": {"kid": None}},
    "not signed": {"header": {"alg": "none"}},
    "the public key as a secret": {"header": {"alg": "HS256"}},
    "another algorithm of the same key": {"header": {"alg": "PS256"}},
    "an access token": {"header": {"typ": "at+jwt"}},
    "a logout token": {"header": {"typ": "logout+jwt"}},
    "userinfo about somebody else": {"subject": "person-2"},
    "a code that is not taken": {"token_status": 400},
    "a token of another type": {"token_type": "DPoP"},
}


@pytest.mark.parametrize("spoilt", SPOILT.values(), ids=SPOILT)
async def test_a_spoilt_answer_lets_nobody_in(
    browser: Client, provider: FalseProvider, spoilt: dict[str, Any]
) -> None:
    for name, value in spoilt.items():
        setattr(provider, name, value)
    reply = await log_in(browser, provider)
    assert reply.status == 403
    assert "It does not hold" in reply.text
    assert not await is_in(browser)


async def test_small_differences_of_clocks_pass(browser: Client, provider: FalseProvider) -> None:
    provider.claims = {"iat": provider.now + 30, "exp": provider.now - 30, "aud": [CLIENT]}
    await log_in(browser, provider)
    assert await is_in(browser)


RETURNS: dict[str, dict[str, str]] = {
    "another state": {"state": "A" * 43},
    "no state": {"state": ""},
    "another provider": {"iss": "http://evil.localhost:8480"},
    "no provider": {"iss": ""},
}


@pytest.mark.parametrize("spoilt", RETURNS.values(), ids=RETURNS)
async def test_a_return_that_is_not_its_own_is_refused_and_the_login_goes_on(
    browser: Client, provider: FalseProvider, spoilt: dict[str, str]
) -> None:
    asked = await begin(browser, provider)
    honest = {"code": "a code", "state": asked["state"], "iss": ISSUER}
    reply = await back(browser, **(honest | spoilt))
    assert reply.status == 403
    assert "It was not begun in this browser" in reply.text
    assert "/token" not in provider.sees, "no code is sent anywhere"
    await back(browser, **honest)
    assert await is_in(browser)


async def test_a_parameter_that_stands_twice_is_refused(
    browser: Client, provider: FalseProvider
) -> None:
    asked = await begin(browser, provider)
    query = urlencode({"code": "a", "state": asked["state"], "iss": ISSUER})
    assert (await browser.get(f"/return?code=b&{query}", headers=PAGE)).status in {400, 403}
    assert "/token" not in provider.sees


async def test_a_return_counts_in_its_own_browser_and_once(
    room: Any, browser: Client, provider: FalseProvider
) -> None:
    stranger = Client(room, ROOM)
    asked = await begin(browser, provider)
    honest = {"code": "a code", "state": asked["state"], "iss": ISSUER}
    assert (await back(stranger, **honest)).status == 403
    kept = dict(browser.cookies)
    assert (await back(browser, **honest)).status == 303
    browser.cookies = kept
    assert (await back(browser, **honest)).status == 403, "a replay"
    assert len(provider.sees["/token"]) == 1
    assert not await is_in(stranger)


@pytest.mark.parametrize(
    ("error", "title"),
    [
        ("access_denied", "Nobody agreed on the phone"),
        ("login_required", "was told not to"),
        ("server_error", "does not answer"),
        ("invalid_scope", "cannot be done like this"),
        ("<script>", "cannot be done like this"),
    ],
)
async def test_an_error_is_told(
    browser: Client, provider: FalseProvider, error: str, title: str
) -> None:
    asked = await begin(browser, provider)
    reply = await back(browser, error=error, state=asked["state"], iss=ISSUER)
    assert reply.status in {403, 503}
    assert title in reply.text
    assert "<script>" not in reply.text
    assert "/token" not in provider.sees


async def test_a_provider_that_is_gone_is_said(browser: Client, provider: FalseProvider) -> None:
    provider.is_down = True
    reply = await send(browser, "/")
    assert reply.status == 503
    assert "The login service does not answer" in reply.text
    assert COOKIE not in browser.cookies


@pytest.mark.parametrize(
    "spoilt",
    [
        {"issuer": "http://evil.localhost:8480"},
        {"token_endpoint": "http://evil.localhost:8480/token"},
        {"jwks_uri": "http://id.localhost:8481/jwks"},
        {"userinfo_endpoint": None},
    ],
)
async def test_metadata_that_lead_elsewhere_are_not_followed(
    browser: Client, provider: FalseProvider, spoilt: dict[str, Any]
) -> None:
    provider.metadata = spoilt
    assert (await send(browser, "/")).status == 503
    assert list(provider.sees) == ["/.well-known/openid-configuration"]


async def test_a_new_key_is_looked_up_once_in_a_minute(
    browser: Client, provider: FalseProvider, clock: LevelClock
) -> None:
    await log_in(browser, provider)
    provider.header = {"kid": "second"}
    await log_in(Client(browser.application, ROOM), provider)
    assert len(provider.sees["/jwks"]) == 1
    clock.tick(61)
    provider.now += 61
    await log_in(Client(browser.application, ROOM), provider)
    assert len(provider.sees["/jwks"]) == 2


# --- logouts that begin at the provider ---------------------------------------------------------------


async def tell(browser: Client, token: str) -> Reply:
    return await Client(browser.application, ROOM).post(
        "/backchannel-logout", form={"logout_token": token}
    )


@pytest.mark.parametrize("left_out", ["sid", "sub"])
async def test_a_logout_at_the_provider_ends_the_visit(
    browser: Client, provider: FalseProvider, left_out: str
) -> None:
    await log_in(browser, provider)
    provider.claims = {left_out: None}
    reply = await tell(browser, token := provider.logout_token())
    assert (reply.status, reply.header("cache-control")) == (200, "no-store")
    assert not await is_in(browser)
    provider.claims = {}
    await log_in(browser, provider)
    assert (await tell(browser, token)).status == 200
    assert await is_in(browser), "a repetition ends no later visit"


async def test_another_session_stays(browser: Client, provider: FalseProvider) -> None:
    await log_in(browser, provider)
    provider.claims = {"sid": "session-2"}
    assert (await tell(browser, provider.logout_token())).status == 200
    assert await is_in(browser)


NO_LOGOUT: dict[str, dict[str, Any]] = {
    "another issuer": {"claims": {"iss": "http://evil.localhost:8480"}},
    "another audience": {"claims": {"aud": "tax-office"}},
    "expired": {"claims": {"exp": 1_700_000_000}},
    "too old": {"claims": {"iat": 1_700_000_000}},
    "another event": {"claims": {"events": {"http://schemas.openid.net/event/x": {}}}},
    "no event": {"claims": {"events": None}},
    "with a nonce": {"claims": {"nonce": "n"}},
    "about nobody": {"claims": {"sub": None, "sid": None}},
    "signed by somebody else": {"key": OTHER_KEY},
    "not signed": {"header": {"alg": "none"}},
    "an ID token": {"header": {"typ": "JWT"}},
}


@pytest.mark.parametrize("spoilt", NO_LOGOUT.values(), ids=NO_LOGOUT)
async def test_a_spoilt_logout_ends_nothing(
    browser: Client, provider: FalseProvider, spoilt: dict[str, Any]
) -> None:
    await log_in(browser, provider)
    for name, value in spoilt.items():
        setattr(provider, name, value)
    assert (await tell(browser, provider.logout_token())).status == 400
    assert await is_in(browser)


# --- its pages ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "text"), [("ja", "閲覧室"), ("zh-Hant", "閱覽室"), ("en", "Reading room")]
)
async def test_it_speaks_the_browsers_language(
    browser: Client, provider: FalseProvider, language: str, text: str
) -> None:
    page = await browser.get("/", headers={"accept-language": language, "accept": "text/html"})
    assert f"<h1>{text}</h1>" in page.text
    assert f"form-action 'self' {ISSUER};" in (page.header("content-security-policy") or "")


@pytest.mark.parametrize("path", ["/room", "/logout"])
async def test_who_never_came_has_no_place(
    browser: Client, provider: FalseProvider, path: str
) -> None:
    browser.cookies[COOKIE] = "made up"
    reply = await (send(browser, path) if path == "/logout" else browser.get(path, headers=PAGE))
    assert (reply.status, reply.header("location")) == (303, "/")


@pytest.mark.parametrize("folder", ["ja", "zh_Hant"])
def test_every_row_is_translated(folder: str) -> None:
    path = Path(refusals.__file__).parent / "locale" / folder / "messages.po"
    known = {each.id for each in read_po(BytesIO(path.read_bytes())) if each.string}
    rows = [refusals.ENDED, refusals.DOWN, *refusals.REFUSALS.values()]
    assert {text for each in rows for text in (each.title, each.happened, each.to_do)} <= known
