"""An endpoint is a stranger's: what is not called (threat 13, 16), and what is not readable (threat 28)."""

import logging

import pytest

from inkan.audit import Actor, ActorKind, Audit
from inkan.notices import (
    CarrierName,
    PushSubscriptionRefused,
)
from inkan.notices.model import EndReason
from inkan.notices.rules import topic_of
from inkan.store.database import Database
from inkan.store.sealing import Sealer
from inkan.web.fetch import Fetcher
from notices.pushing import HANDLE, OTHER, PHONE, Rig, dump, subscribed, web_push
from support.clock import StandingClock
from support.push_service import Browser, PushService, Rude

STAFF = Actor(ActorKind.STAFF, "acc_clerk")
EMPTY_LENGTH = 16 + 4 + 1 + 65 + 128 + 16


# --- whom we call -------------------------------------------------------------------------------------


async def test_an_endpoint_inside_never_gets_a_connection(
    database: Database,
    audit: Audit,
    sealer: Sealer,
    clock: StandingClock,
    rig: Rig,
    service: PushService,
) -> None:
    """With no loopback admitted; the second line of defence is tried with a row that got in before."""
    browser = await subscribed(rig, service)
    await rig.wake()
    fetch = Fetcher(timeout_s=0.5)
    sender = web_push(fetch, clock)
    strict = Rig(database, audit, sealer, clock, {CarrierName.WEBPUSH: sender})
    with pytest.raises(PushSubscriptionRefused) as refused:
        await strict.notices.subscribe(OTHER, CarrierName.WEBPUSH, browser.address)
    assert refused.value.facts["where"] == "/endpoint"
    assert await strict.run() == 1
    await fetch.aclose()
    assert service.tries == []
    assert (await strict.row()).end_reason is EndReason.UNCALLABLE


async def test_a_name_that_comes_to_lead_inside_ends_its_subscription(
    database: Database,
    audit: Audit,
    sealer: Sealer,
    clock: StandingClock,
    service: PushService,
) -> None:
    asked: list[str] = []

    async def rebound(name: str, _: int) -> list[str]:
        asked.append(name)
        return ["127.0.0.1"]

    fetch = Fetcher(resolver=rebound, timeout_s=0.5)
    rig = Rig(database, audit, sealer, clock, {CarrierName.WEBPUSH: web_push(fetch, clock)})
    browser = Browser("/wpush/v2/x", f"https://push.example.com:{service.port}")
    await rig.notices.subscribe(PHONE, CarrierName.WEBPUSH, browser.address)
    assert asked == [], "a subscription alone makes nobody call"
    await rig.wake()
    await rig.run()
    await fetch.aclose()
    assert (asked, service.tries) == (["push.example.com"], [])
    assert (await rig.row()).end_reason is EndReason.UNCALLABLE


async def test_a_service_that_is_not_on_the_list_is_not_called(
    rig: Rig,
    database: Database,
    audit: Audit,
    sealer: Sealer,
    clock: StandingClock,
    service: PushService,
) -> None:
    browser = await subscribed(rig, service)
    await rig.wake()
    fetch = service.fetcher()
    sender = web_push(fetch, clock, hosts=[".push.apple.com", "fcm.googleapis.com"])
    listed = Rig(database, audit, sealer, clock, {CarrierName.WEBPUSH: sender})
    with pytest.raises(PushSubscriptionRefused):
        await listed.notices.subscribe(OTHER, CarrierName.WEBPUSH, browser.address)
    assert await listed.run() == 1
    await fetch.aclose()
    assert service.tries == []


# --- what is not readable -----------------------------------------------------------------------------


async def test_neither_endpoint_nor_keys_are_readable_in_database_or_log(
    rig: Rig, service: PushService, caplog: pytest.LogCaptureFixture, tmp_path
) -> None:
    caplog.set_level(logging.DEBUG)
    browser = await subscribed(rig, service)
    service.rude = [Rude(500), Rude(401), Rude(0)]
    for n in range(3):
        await rig.wake(handle=f"{n:016}")
        await rig.run()
    service.gone.add(browser.path)
    secrets = ["canary-endpoint", service.origin, browser.keys["p256dh"], browser.keys["auth"]]
    files = b"".join(path.read_bytes() for path in tmp_path.glob("inkan.db*"))
    for text in (await dump(rig.database), files.decode("latin-1")):
        assert [secret for secret in secrets if secret in text] == []
    rig.clock.tick(5)
    await rig.run()
    assert (await rig.row()).end_reason is EndReason.GONE
    said = [f"{r.getMessage()} {r.exc_text or ''}" for r in caplog.records]
    assert len(said) >= 4
    assert [s for s in [*secrets, "0" * 16] for line in said if s in line] == []


def test_a_topic_is_of_the_form_that_services_take() -> None:
    topic = topic_of("psh_x", HANDLE)
    assert len(topic) == 32
    assert topic != topic_of("psh_y", HANDLE) != topic_of("psh_x", HANDLE[1:])
