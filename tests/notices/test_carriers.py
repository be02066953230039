"""The carriers, and a fake of the tests, under one contract; endpoints and keys that are refused."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from inkan.crypto import base64url, webpush
from inkan.crypto.webpush import PushKeysMalformed
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices import (
    CarrierName,
    Delivery,
    Outcome,
    PollOnly,
    PushAddress,
    PushSubscriptionRefused,
    WakeUp,
)
from inkan.web.fetch import Fetcher
from notices.carrier_contract import MESSAGE, CarrierContract, Case, EndingCarrierContract
from notices.pushing import VAPID, web_push
from support.clock import StandingClock
from support.push_service import PushService


def address(endpoint: str, keys: dict[str, str]) -> PushAddress:
    return PushAddress(
        endpoint=Personal(endpoint), p256dh=keys["p256dh"], auth=Secret(keys["auth"])
    )


class TestWebPush(EndingCarrierContract):
    """The real one, which the row ``unifiedpush`` uses too."""

    @pytest.fixture
    async def case(self, service: PushService, clock: StandingClock) -> AsyncIterator[Case]:
        fetch = service.fetcher()
        carrier = web_push(fetch, clock)
        browser = service.subscribe(carrier.public_key)
        yield Case(
            carrier,
            browser.address,
            unusable=address("https://192.168.0.1/x", browser.keys),
            told=lambda: service.handles(browser),
            end=lambda: service.gone.add(browser.path),
        )
        await fetch.aclose()


class TestPollOnly(CarrierContract):
    @pytest.fixture
    def case(self) -> Case:
        return Case(PollOnly(), None, unusable=address("https://push.example.com/", KEYS))


class FakeCarrier:
    """Tells a list; for tests of what lies above."""

    def __init__(self) -> None:
        self.told: dict[str, list[str]] = {}

    def admit(self, given: PushAddress | None) -> None:
        if given is None:
            raise PushSubscriptionRefused(where="/endpoint", expected="an address")
        self.told[given.endpoint.reveal()] = []

    async def carry(self, given: PushAddress | None, message: WakeUp) -> Delivery:
        box = None if given is None else self.told.get(given.endpoint.reveal())
        if box is None:
            return Delivery(Outcome.GONE)
        if message.handle not in box:
            box.append(message.handle)
        return Delivery(Outcome.ACCEPTED)


KEYS = {
    "p256dh": base64url.encode(webpush.point(VAPID.public_key())),
    "auth": base64url.encode(bytes(16)),
}


class TestFake(EndingCarrierContract):
    @pytest.fixture
    def case(self) -> Case:
        carrier, phone = FakeCarrier(), address("fake:1", KEYS)
        carrier.admit(phone)
        return Case(
            carrier,
            phone,
            unusable=None,
            told=lambda: carrier.told["fake:1"],
            end=carrier.told.clear,
        )


ENDPOINTS = [
    "",
    "http://push.example.com/x",
    "https://localhost/x",
    "https://127.0.0.1/x",
    "https://[::1]/x",
    "https://10.0.0.1:8443/x",
    "https://169.254.169.254/latest/meta-data/",
    "https://user:pw@push.example.com/x",
    "https://push.example.com:22/x",
    "https://push.internal/x",
    "https://push.example.com/x#y",
    "https://push.example.com/x\r\ntopic: y",
    "https://push.example.com/" + "x" * 2_048,
]


@pytest.fixture
async def strict(clock: StandingClock) -> AsyncIterator[Any]:
    """Web Push as in production: no loopback."""
    fetch = Fetcher()
    yield web_push(fetch, clock)
    await fetch.aclose()


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_an_endpoint_that_is_not_called_is_refused_at_once(strict, endpoint: str) -> None:
    with pytest.raises(PushSubscriptionRefused) as refused:
        strict.admit(address(endpoint, KEYS))
    assert refused.value.facts["where"] == "/endpoint"
    assert endpoint not in str(refused.value) or endpoint == ""


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/c1K:APA91bF-_x",
        "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABn_-",
        "https://web.push.apple.com/QGuQyavXutnMHb",
        "https://wns2-par02p.notify.windows.com/w/?token=BQYAAAD%2bx%3d",
        "https://ntfy.example.com/upAbCdEf?up=1",
    ],
)
async def test_the_endpoints_of_push_services_are_admitted(strict, endpoint: str) -> None:
    strict.admit(address(endpoint, KEYS))


@pytest.mark.parametrize("member", ["p256dh", "auth"])
async def test_keys_that_are_none_are_refused(strict, member: str) -> None:
    with pytest.raises(PushKeysMalformed) as refused:
        strict.admit(address("https://push.example.com/x", KEYS | {member: "AAAA"}))
    assert refused.value.facts["where"] == f"/keys/{member}"


async def test_an_origin_with_its_default_port_is_named_without_it(clock: StandingClock) -> None:
    seen: list[Any] = []

    class Fetch:
        def verify(self, url: str) -> None:
            pass

        async def request(self, method: str, url: str, **more: Any) -> Any:
            seen.append(more["headers"]["authorization"])
            raise ConnectionError

    sender = web_push(Fetch(), clock)
    for url in ("https://push.example.com/a", "https://push.example.com:443/b"):
        with pytest.raises(ConnectionError):
            await sender.carry(address(url, KEYS), MESSAGE)
    assert seen[0] == seen[1], "one token for one origin"


async def test_tokens_of_many_services_are_forgotten(clock: StandingClock, monkeypatch) -> None:
    from inkan.notices.service import carriers

    monkeypatch.setattr(carriers, "TOKENS_KEPT", 3)
    sender = web_push(Fetcher(), clock)
    first = await sender._authorization("https://0.example.com")
    for n in range(10):
        await sender._authorization(f"https://{n % 5}.example.com")
    assert len(sender._tokens) == 3
    assert await sender._authorization("https://0.example.com") != first


def test_every_carrier_has_a_name() -> None:
    assert [str(each) for each in CarrierName] == ["webpush", "unifiedpush", "poll_only"]
