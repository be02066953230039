"""The authorization endpoint over HTTP: what it refuses, on a page or to the client."""

from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa

from federation.clients import (
    BASIC,
    CHALLENGE,
    DOORS,
    FAPI2,
    OTHER_REDIRECT_URI,
    REDIRECT_URI,
    OpenIDClient,
    arrive,
    brought,
    openid_client,
    refused_page,
)
from inkan.relying_parties.store import system
from inkan.store.database import Step
from inkan.store.query import Query
from portal.browsers import Browser
from support.world import PLATFORM, World


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database: what is refused here reaches none."""
    return sqlite_url


async def told(shop: OpenIDClient, browser: Browser, **bent: str | None) -> str:
    """The error that the client hears, after checking what every answer has."""
    answer = brought(await arrive(browser, shop.address(**bent)))
    assert set(answer) == {"error", "error_description", "state", "iss"}
    assert (answer["state"], answer["iss"]) == ("af0ifjsldkj", PLATFORM)
    return answer["error"]


# --- told on a page: the browser is led nowhere -----------------------------------------------------------


@pytest.mark.behaviour("OIDC-101")
async def test_an_unregistered_address_is_told_on_a_page(
    shop: OpenIDClient, browser: Browser
) -> None:
    for other in ("https://evil.example/callback", "https://shop.example.evil.example/callback"):
        reply = await arrive(browser, shop.address(redirect_uri=other))
        assert refused_page(reply) == "openid_redirect_refused"
        assert 'href="https://' not in reply.text


@pytest.mark.behaviour("OIDC-102")
async def test_a_missing_address_is_told_on_a_page(shop: OpenIDClient, browser: Browser) -> None:
    reply = await arrive(browser, shop.address(redirect_uri=None))
    assert refused_page(reply) == "openid_redirect_refused"


@pytest.mark.behaviour("OIDC-103")
async def test_addresses_are_compared_letter_by_letter(
    shop: OpenIDClient, browser: Browser
) -> None:
    for near in (
        REDIRECT_URI + "/",
        REDIRECT_URI + "?",
        REDIRECT_URI + "#x",
        REDIRECT_URI + "/../evil",
        REDIRECT_URI.upper(),
        REDIRECT_URI.replace("https", "http"),
        REDIRECT_URI.replace("shop.example", "shop.example:443"),
        REDIRECT_URI.replace("shop", "x@shop"),
        REDIRECT_URI.replace("callback", "%63allback"),
        OTHER_REDIRECT_URI + "&more=1",
        OTHER_REDIRECT_URI.partition("?")[0],
        "javascript:alert(1)",
    ):
        reply = await arrive(browser, shop.address(redirect_uri=near))
        assert refused_page(reply) == "openid_redirect_refused", near


@pytest.mark.behaviour("OIDC-104")
async def test_an_unknown_client_is_told_on_a_page(shop: OpenIDClient, browser: Browser) -> None:
    for name in ("nobody", "inkan", "sh", "SHOP", "shop\x00", "é"):
        reply = await arrive(browser, shop.address(client_id=name))
        assert refused_page(reply) == "openid_client_unknown", name


@pytest.mark.behaviour("OIDC-105")
async def test_a_missing_client_is_told_on_a_page(shop: OpenIDClient, browser: Browser) -> None:
    for address in (shop.address(client_id=None), "/authorize", "/authorize?"):
        assert refused_page(await arrive(browser, address)) == "openid_client_unknown"


@pytest.mark.behaviour("OIDC-106")
async def test_a_suspended_client_is_unknown(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    await world.platform.relying_parties.suspend(shop.code)
    assert refused_page(await arrive(browser, shop.address())) == "openid_client_unknown"


@pytest.mark.behaviour("OIDC-107")
async def test_a_system_without_registration_is_no_client(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    await world.agency("plain")
    reply = await arrive(browser, shop.address(client_id="plain"))
    assert refused_page(reply) == "openid_client_unknown"


@pytest.mark.behaviour("OIDC-108")
async def test_a_repeated_parameter_is_told_on_a_page(shop: OpenIDClient, browser: Browser) -> None:
    for name, value in shop.asked().items():
        reply = await arrive(browser, shop.address() + "&" + urlencode({name: value}))
        assert refused_page(reply) == "openid_request_refused", name
    reply = await arrive(browser, shop.address() + "&other=1&other=2")
    assert refused_page(reply) == "openid_request_refused"


@pytest.mark.behaviour("OIDC-109")
async def test_what_is_no_text_or_too_long_is_told_on_a_page(
    shop: OpenIDClient, browser: Browser
) -> None:
    for more in ("&x=%ff", "&x=" + "a" * 4_097, "&x=a" * 65, "&" * 16_384, "&x"):
        reply = await arrive(browser, shop.address() + more)
        assert refused_page(reply) == "openid_request_refused", more[:9]


@pytest.mark.behaviour("OIDC-110")
async def test_a_request_that_would_have_to_be_fetched_is_not(
    shop: OpenIDClient, browser: Browser
) -> None:
    for place in (
        "https://shop.example/request.jwt",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost:8480/",
        "file:///etc/passwd",
        "URN:ietf:params:oauth:request_uri:x",
    ):
        reply = await arrive(browser, shop.address(request_uri=place))
        assert refused_page(reply) == "openid_request_uri_unsupported", place


@pytest.mark.behaviour("OIDC-111")
async def test_a_look_at_the_headers_begins_nothing(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    before = await world.events()
    reply = await browser.request("HEAD", shop.address())
    assert reply.status == 405
    assert reply.all("set-cookie") == []
    assert await world.events() == before


@pytest.mark.behaviour("OIDC-112")
async def test_a_body_of_another_kind_is_refused(shop: OpenIDClient, browser: Browser) -> None:
    body = urlencode(shop.asked()).encode()
    for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain"):
        reply = await browser.post("/authorize", body=body, headers={"content-type": kind})
        assert refused_page(reply) == "media_type_refused", kind


@pytest.mark.behaviour("OIDC-113")
async def test_a_posted_request_goes_on_as_it_is(shop: OpenIDClient, browser: Browser) -> None:
    headers = {"origin": "https://shop.example", "sec-fetch-site": "cross-site"}
    reply = await browser.post("/authorize", form=shop.asked(), headers=headers)
    assert reply.status == 303
    assert reply.header("location") == shop.address()
    assert reply.all("set-cookie") == []
    twice = await browser.post(
        "/authorize",
        body=b"client_id=shop&client_id=shop",
        headers=headers | {"content-type": "application/x-www-form-urlencoded"},
    )
    assert refused_page(twice) == "openid_request_refused"


@pytest.mark.behaviour("OIDC-114")
async def test_other_methods_are_refused(shop: OpenIDClient, browser: Browser) -> None:
    for method in ("PUT", "DELETE", "PATCH"):
        reply = await browser.request(method, shop.address())
        assert reply.status == 405, method
        assert reply.header("allow") == "GET, HEAD, OPTIONS, POST"


@pytest.mark.behaviour("OIDC-115")
async def test_the_refusal_is_told_in_three_languages(shop: OpenIDClient, browser: Browser) -> None:
    seen = set()
    for language, words in (
        ("en", "The login cannot go on"),
        ("ja", "ログインを続けられません"),
        ("zh-Hant", "登入無法繼續"),
    ):
        address = shop.address(redirect_uri="https://evil.example/")
        reply = await browser.get(address, headers={"accept-language": language})
        assert words in reply.text
        assert f'lang="{language}"' in reply.text
        assert "invalid_request · openid_redirect_refused" in reply.text
        seen.add(reply.text)
    assert len(seen) == 3


# --- told to the client, at an address that is its own ----------------------------------------------------

REFUSED = {
    "OIDC-116": ("unsupported_response_type", {"response_type": "token"}),
    "OIDC-117": ("unsupported_response_type", {"response_type": "code id_token"}),
    "OIDC-118": ("invalid_request", {"response_type": None}),
    "OIDC-119": ("invalid_request", {"code_challenge_method": "plain"}),
    "OIDC-120": ("invalid_request", {"code_challenge_method": None}),
    "OIDC-121": (
        "invalid_request",
        {"code_challenge": None, "code_challenge_method": None, "nonce": None},
    ),
    "OIDC-122": ("invalid_request", {"code_challenge": None}),
    "OIDC-123": ("invalid_request", {"code_challenge": CHALLENGE[:-1]}),
    "OIDC-124": ("invalid_scope", {"scope": None}),
    "OIDC-125": ("invalid_scope", {"scope": "everything"}),
    "OIDC-126": ("invalid_scope", {"scope": 'openid "quoted"'}),
    "OIDC-127": ("login_required", {"prompt": "none"}),
    "OIDC-128": ("invalid_request", {"prompt": "none login"}),
    "OIDC-129": ("invalid_request", {"prompt": "sometimes"}),
    "OIDC-130": ("invalid_request", {"max_age": "-1"}),
    "OIDC-131": ("invalid_request", {"max_age": "soon"}),
    "OIDC-132": ("registration_not_supported", {"registration": '{"client_name":"x"}'}),
    "OIDC-133": ("invalid_request", {"response_mode": "fragment"}),
    "OIDC-134": ("invalid_target", {"resource": "https://api.elsewhere.example/"}),
    "OIDC-135": (
        "invalid_authorization_details",
        {"authorization_details": '[{"type":"unheard-of"}]'},
    ),
    "OIDC-136": ("invalid_authorization_details", {"authorization_details": "{"}),
    "OIDC-137": (
        "unmet_authentication_requirements",
        {"claims": '{"id_token":{"acr":{"essential":true,"values":["urn:moon"]}}}'},
    ),
    "OIDC-138": ("invalid_request", {"claims": "[1]"}),
    "OIDC-139": ("invalid_request", {"login_hint": "A234567893"}),
    "OIDC-140": ("invalid_request", {"nonce": "n" * 1_025}),
    "OIDC-141": ("invalid_request", {"dpop_jkt": "short"}),
}  # fmt: skip


@pytest.mark.parametrize(
    ("error", "bent"),
    [pytest.param(*row, id=id_, marks=pytest.mark.behaviour(id_)) for id_, row in REFUSED.items()],
)
async def test_the_client_is_told(
    shop: OpenIDClient, browser: Browser, error: str, bent: dict[str, str | None]
) -> None:
    assert await told(shop, browser, **bent) == error


@pytest.mark.behaviour("OIDC-142")
async def test_a_state_that_cannot_be_given_back_is_left_out(
    shop: OpenIDClient, browser: Browser
) -> None:
    for state in ("line\r\nset-cookie: a=b", "國", "s" * 1_025):
        answer = brought(await arrive(browser, shop.address(state=state)))
        assert answer["error"] == "invalid_request"
        assert "state" not in answer


@pytest.mark.behaviour("OIDC-143")
async def test_every_sign_of_a_state_comes_back(shop: OpenIDClient, browser: Browser) -> None:
    state = "".join(map(chr, range(0x20, 0x7F)))
    reply = await arrive(browser, shop.address(state=state, prompt="none"))
    assert brought(reply)["state"] == state
    assert quote("<script>", safe="") not in (reply.header("location") or "")


@pytest.mark.behaviour("OIDC-144")
async def test_the_registered_query_of_an_address_stays(
    shop: OpenIDClient, browser: Browser
) -> None:
    reply = await arrive(browser, shop.address(redirect_uri=OTHER_REDIRECT_URI, prompt="none"))
    assert brought(reply, OTHER_REDIRECT_URI)["error"] == "login_required"


@pytest.mark.behaviour("OIDC-145")
async def test_a_system_that_has_lost_the_door_is_told(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    await registered_as(world, shop, doors=[door for door in DOORS if door != "redirect"])
    assert await told(shop, browser) == "unauthorized_client"


@pytest.mark.behaviour("OIDC-146")
async def test_a_client_that_has_lost_the_flow_is_told(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    await registered_as(world, shop, openid={**BASIC, "grant_types": ["client_credentials"]})
    assert await told(shop, browser) == "unauthorized_client"


@pytest.mark.behaviour("OIDC-147")
async def test_a_client_whose_purpose_is_gone_is_told(
    world: World, shop: OpenIDClient, browser: Browser
) -> None:
    for purpose in ("unheard-of", "approve_payment"):
        await registered_as(world, shop, openid={**BASIC, "purpose": purpose})
        assert await told(shop, browser) == "unauthorized_client"


async def registered_as(world: World, shop: OpenIDClient, **columns: object) -> None:
    """What no registration admits any more, as a row of an older release may have it."""
    query = Query(sa.update(system).where(system.c.code == shop.code).values(**columns))

    def write() -> Step[None]:
        yield query.run()

    await world.platform.db.transact(write)


@pytest.mark.behaviour("OIDC-148")
async def test_a_fapi_client_has_to_push_its_request(world: World, browser: Browser) -> None:
    bank = await openid_client(world, "bank", **FAPI2)
    assert await told(bank, browser) == "invalid_request"


@pytest.mark.behaviour("OIDC-149")
async def test_unknown_scopes_and_parameters_are_left_out(
    shop: OpenIDClient, browser: Browser
) -> None:
    page = await shop.begin(browser, scope="openid everything", unheard_of="1", empty="")
    assert page.startswith("/identify/pg_")


@pytest.mark.behaviour("OIDC-150")
async def test_a_confidential_client_may_send_a_nonce_instead_of_pkce(
    shop: OpenIDClient, browser: Browser
) -> None:
    page = await shop.begin(browser, code_challenge=None, code_challenge_method=None)
    assert page.startswith("/identify/pg_")
