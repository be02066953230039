"""The phone's inbox, the news and its push subscription over HTTP."""

import pytest

from inkan.crypto import base64url
from inkan.kernel.sensitive import Secret
from inkan.notices import PERMISSIONS, NewsTexts, Notices
from inkan.notices.api import phone_routes
from inkan.store.database import Database
from inkan.web.app import Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.principal import Assurance, Principal, PrincipalKind
from notices.pushing import HANDLE, Rig
from notices.telling import STAFF
from support.asgi import Client
from support.clock import StandingClock
from support.push_service import PushService

ORIGIN = "https://id.example"


async def phone(exchange: Exchange) -> Principal | None:
    """A stand-in for the channel-key proof."""
    claimed = exchange.header("x-phone")
    if claimed is None:
        return None
    return Principal(
        kind=PrincipalKind.PHONE,
        id=claimed,
        roles=frozenset({"phone"}),
        assurance=Assurance.POSSESSION,
    )


@pytest.fixture
def browser(notices: Notices, clock: StandingClock) -> Client:
    site = Site(name="Inkan", origin=ORIGIN, groups=[phone_routes(notices, phone)])
    equipment = Equipment(clock=clock, csrf_key=Secret(bytes(32)), permissions=PERMISSIONS)
    return Client(build_app([site], equipment), ORIGIN)


async def test_a_phone_reads_its_own_inbox(
    database: Database, notices: Notices, browser: Client
) -> None:
    await database.transact(
        notices.notify, "per_chen", "phone_bound", {"phone": "新手機"}, phones=["phn_one"]
    )
    headers = {"x-phone": "phn_one", "accept-language": "zh-TW"}
    reply = await browser.get("/phone/v1/notices", headers=headers)
    (notice,) = reply.json()["notices"]
    assert notice["template"] == "phone_bound"
    assert notice["title"] == "已綁定一支手機"
    assert "新手機" in notice["text"]
    other = await browser.get("/phone/v1/notices", headers={"x-phone": "phn_two"})
    assert other.json() == {"notices": []}


@pytest.mark.req("TW-39")
async def test_a_phone_reads_the_news(notices: Notices, browser: Client) -> None:
    texts = NewsTexts(en="Maintenance", ja="保守", zh_hant="維護")
    await notices.publish_news(texts, texts, actor=STAFF)
    reply = await browser.get(
        "/phone/v1/news", headers={"x-phone": "phn_one", "accept-language": "ja"}
    )
    (item,) = reply.json()["news"]
    assert (item["title"], item["published_at"]) == ("保守", "2026-04-01T01:00:00Z")


@pytest.mark.parametrize("path", ["/phone/v1/notices", "/phone/v1/news"])
async def test_a_stranger_reads_nothing(browser: Client, path: str) -> None:
    reply = await browser.get(path)
    assert (reply.status, reply.json()["code"]) == (401, "login_required")


# --- push ---------------------------------------------------------------------------------------------

ONE = {"x-phone": "phn_one"}
PUSH = "/phone/v1/push"


@pytest.fixture
def pushing(rig: Rig, clock: StandingClock) -> Client:
    site = Site(name="Inkan", origin=ORIGIN, groups=[phone_routes(rig.notices, phone)])
    equipment = Equipment(clock=clock, csrf_key=Secret(bytes(32)), permissions=PERMISSIONS)
    return Client(build_app([site], equipment), ORIGIN)


async def test_a_phone_subscribes_with_what_a_browser_gives(
    pushing: Client, rig: Rig, service: PushService
) -> None:
    told = (await pushing.get(f"{PUSH}/key", headers=ONE)).json()
    assert len(base64url.decode(told["key"])) == 65
    browser = service.subscribe(told["key"])
    for carrier in ({}, {"carrier": "webpush"}, {"carrier": "unifiedpush"}):
        body = browser.to_json() | carrier
        reply = await pushing.request("PUT", PUSH, headers=ONE, json=body)
        assert (reply.status, reply.body) == (204, b"")
    await rig.wake("phn_one")
    await rig.run()
    assert service.handles(browser) == [HANDLE]
    for _ in range(2):
        assert (await pushing.request("DELETE", PUSH, headers=ONE)).status == 204
    assert await rig.wake("phn_one") == 0


async def test_a_phone_that_is_not_to_be_woken_says_so(pushing: Client, rig: Rig) -> None:
    body = {"carrier": "poll_only"}
    assert (await pushing.request("PUT", PUSH, headers=ONE, json=body)).status == 204
    assert (await rig.row()).carrier == "poll_only"


@pytest.mark.parametrize(
    ("bent", "code", "where"),
    [
        ({"endpoint": "https://10.0.0.1/x"}, "push_subscription_refused", "/endpoint"),
        ({"endpoint": None}, "push_subscription_refused", "/endpoint"),
        ({"keys": None}, "push_subscription_refused", "/keys"),
        ({"endpoint": None, "keys": None}, "push_subscription_refused", "/endpoint"),
        ({"carrier": "poll_only"}, "push_subscription_refused", "/endpoint"),
        ({"keys": {"p256dh": "AAAA", "auth": "AAAA"}}, "push_keys_malformed", "/keys/p256dh"),
        ({"carrier": "fcm"}, "malformed", "/carrier"),
        ({"endpoint": 1}, "malformed", "/endpoint"),
        ({"endpoint": "https://a.example.com/" + "x" * 2_048}, "malformed", "/endpoint"),
        ({"expirationTime": "soon"}, "malformed", "/expirationTime"),
        ({"keys": {"p256dh": "AAAA"}}, "malformed", "/keys"),
        ({"keys": {"p256dh": "A", "auth": "A", "more": "A"}}, "malformed", "/keys/more"),
        ({"more": 1}, "malformed", "/more"),
    ],
)
async def test_another_body_is_refused_by_its_member(
    pushing: Client, rig: Rig, service: PushService, bent: dict, code: str, where: str
) -> None:
    body = service.subscribe(rig.notices.push_key).to_json() | bent
    reply = await pushing.request("PUT", PUSH, headers=ONE, json=body)
    told = reply.json()
    assert (reply.status, told["code"]) == (400, code)
    assert where in reply.text
    assert "10.0.0.1" not in reply.text
    assert await rig.row() is None


async def test_an_instance_without_web_push_says_so(browser: Client, service: PushService) -> None:
    reply = await browser.get(f"{PUSH}/key", headers=ONE)
    assert (reply.status, reply.json()["code"]) == (503, "push_unavailable")
    body = service.subscribe("x").to_json()
    reply = await browser.request("PUT", PUSH, headers=ONE, json=body)
    assert (reply.status, reply.json()["code"]) == (503, "push_unavailable")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", f"{PUSH}/key"), ("PUT", PUSH), ("DELETE", PUSH)]
)
async def test_a_stranger_wakes_nobody(browser: Client, method: str, path: str) -> None:
    reply = await browser.request(method, path, json={} if method == "PUT" else None)
    assert (reply.status, reply.json()["code"]) == (401, "login_required")
