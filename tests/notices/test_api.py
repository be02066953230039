"""The phone's inbox and the news over HTTP."""

import pytest

from inkan.kernel.sensitive import Secret
from inkan.notices import PERMISSIONS, NewsTexts, Notices
from inkan.notices.api import phone_routes
from inkan.store.database import Database
from inkan.web.app import Equipment, Site, build_app
from inkan.web.exchange import Exchange
from inkan.web.principal import Assurance, Principal, PrincipalKind
from notices.telling import STAFF
from support.asgi import Client
from support.clock import StandingClock

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
