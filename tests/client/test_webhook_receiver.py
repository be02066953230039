"""Webhooks taken in with the platform's keys fetched as they are needed: at first, for a new key, never for forgers."""

import asyncio
import inspect
import json
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from client.sides import KEY, Stopwatch
from client.test_webhooks import KEY as WEBHOOK_KEY
from client.test_webhooks import TOLD, URL, sent
from inkan.client import (
    AsyncTransport,
    PlatformUnreachable,
    RelyingParty,
    SyncRelyingParty,
    SyncTransport,
    SystemCredentials,
    WebhookReplayed,
)
from inkan.client.repeating import NO_PATIENCE
from inkan.crypto import jwk
from inkan.crypto.http_signatures import HTTPSignatureWrong
from support.receipt_world import ISSUER

NEW_KEY = ec.generate_private_key(ec.SECP256R1())


class Desk:
    """A receiver of one of the two forms, and the platform that publishes its keys."""

    def __init__(self, kind: str, clock: Stopwatch) -> None:
        self.keys: list[ec.EllipticCurvePrivateKey] = [WEBHOOK_KEY]
        self.asked: list[str] = []
        self.is_away = False
        self.clock = clock
        credentials = SystemCredentials(issuer=ISSUER, code="sys_tax", key=KEY)
        mock = httpx.MockTransport(self._answer)
        settings: dict[str, Any] = {"clock": clock, "patience": NO_PATIENCE}
        self.party: Any = (
            RelyingParty(credentials, transport=AsyncTransport(mock), **settings)
            if kind == "async"
            else SyncRelyingParty(credentials, transport=SyncTransport(mock), **settings)
        )
        self.receiver = self.party.webhooks(URL)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        if self.is_away:
            raise httpx.ConnectError("away")
        found = [jwk.to_jwk(key.public_key()) for key in self.keys]
        body = httpx.ByteStream(json.dumps({"keys": found}).encode())
        return httpx.Response(200, stream=body)

    def take(self, headers: dict[str, str], body: bytes, method: str = "POST") -> Any:
        made = self.receiver.receive(method, headers, body)
        return asyncio.run(made) if inspect.isawaitable(made) else made


@pytest.fixture(params=["async", "sync"])
def desk(request, monkeypatch) -> Desk:
    clock = Stopwatch()
    from client.test_webhooks import NOW

    monkeypatch.setattr(clock, "wire_now", lambda: NOW)
    return Desk(request.param, clock)


def test_the_keys_are_fetched_once(desk: Desk):
    for _ in range(3):
        assert desk.take(*sent()) == TOLD
    assert desk.asked == ["/v1/jwks.json"]


def test_a_note_counts_once(desk: Desk):
    headers, body = sent()
    desk.take(headers, body)
    with pytest.raises(WebhookReplayed):
        desk.take(headers, body)


def test_a_new_key_is_fetched_but_forgers_do_not_make_us_ask_for_ever(desk: Desk):
    desk.take(*sent())
    for _ in range(5):
        with pytest.raises(HTTPSignatureWrong):
            desk.take(*sent(key=NEW_KEY))
    assert len(desk.asked) == 1
    desk.clock.seconds += 61
    desk.keys = [NEW_KEY]
    assert desk.take(*sent(key=NEW_KEY)) == TOLD
    assert len(desk.asked) == 2
    with pytest.raises(HTTPSignatureWrong):  # a key that is no longer published counts no more
        desk.take(*sent())


def test_a_key_that_was_withdrawn_is_forgotten_within_an_hour(desk: Desk):
    desk.take(*sent())
    desk.keys = [NEW_KEY]
    assert desk.take(*sent()) == TOLD
    desk.clock.seconds += 3_601
    with pytest.raises(HTTPSignatureWrong):
        desk.take(*sent())


def test_another_address_is_refused(desk: Desk):
    with pytest.raises(HTTPSignatureWrong):
        desk.take(*sent(url="https://tax.example/other"))


def test_without_keys_nothing_is_believed(desk: Desk):
    desk.is_away = True
    with pytest.raises(PlatformUnreachable):
        desk.take(*sent())
    desk.is_away = False
    assert desk.take(*sent()) == TOLD


def test_processes_may_share_their_nonces(desk: Desk):
    class Never:
        def use(self, nonce, *, until, now):
            return False

    desk.receiver = desk.party.webhooks(URL, seen=Never())
    with pytest.raises(WebhookReplayed):
        desk.take(*sent())
