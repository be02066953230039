"""A relying party takes webhooks in: true ones once, forged ones never."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from inkan.client import NonceMemory, WebhookReplayed, read_webhook_keys, verify_webhook
from inkan.crypto import base64url, jwk
from inkan.crypto.http_signatures import HTTPSignatureMalformed, HTTPSignatureWrong
from inkan.crypto.jwk import JWKMalformed
from inkan.kernel.ids import random_bytes
from inkan.wire.session import SessionState
from inkan.wire.webhook import Webhook, WebhookStale, sign_webhook, webhook_bytes

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
URL = "https://tax.example/hook"
KEY = ec.generate_private_key(ec.SECP256R1())
JWK = jwk.to_jwk(KEY.public_key())
JWKS = json.dumps({"keys": [JWK | {"kid": "a lie", "use": "sig"}]}).encode()
TOLD = Webhook(
    v=1, id="whd_1", session="ses_1", state=SessionState.CLOSED, at="2026-11-22T09:00:00Z"
)


def sent(**bent: Any) -> tuple[dict[str, str], bytes]:
    body = webhook_bytes(TOLD)
    key = bent.pop("key", KEY)
    members = {"keyid": jwk.thumbprint(key.public_key()), "now": NOW}
    members["nonce"] = base64url.encode(random_bytes(16))
    return sign_webhook(bent.pop("url", URL), body, key, **(members | bent)), body


def take(headers: Any, body: bytes, **bent: Any) -> Webhook:
    members = {"keys": read_webhook_keys(JWKS), "now": NOW, "seen": NonceMemory()} | bent
    return verify_webhook(
        members.pop("method", "POST"), members.pop("url", URL), headers, body, **members
    )


def test_a_true_webhook_is_taken_in() -> None:
    headers, body = sent()
    assert take(headers, body) == TOLD
    shouted = [(name.title(), value) for name, value in headers.items()]
    assert take([("Host", "inside"), *shouted, ("Host", "x")], body) == TOLD


def test_a_webhook_counts_once() -> None:
    headers, body = sent()
    seen = NonceMemory()
    take(headers, body, seen=seen)
    with pytest.raises(WebhookReplayed):
        take(headers, body, seen=seen)
    again, _ = sent()  # the platform repeats a delivery under a fresh nonce: the id tells that
    assert take(again, body, seen=seen).id == TOLD.id


def test_a_nonce_is_remembered_as_long_as_its_message_could_be_accepted() -> None:
    seen = NonceMemory()
    until = NOW + timedelta(seconds=300)
    assert seen.use("a", until=until, now=NOW)
    assert not seen.use("a", until=until, now=until - timedelta(seconds=1))
    assert seen.use("a", until=until, now=until)
    assert len(seen._until) == 1


def test_a_forged_webhook_uses_up_no_nonce() -> None:
    headers, body = sent(nonce="bm9uY2Ufor-both")
    seen = NonceMemory()
    with pytest.raises(HTTPSignatureWrong):
        take(headers | {"signature": "inkan=:" + "A" * 86 + "==:"}, body, seen=seen)
    assert take(headers, body, seen=seen) == TOLD


@pytest.mark.parametrize("seconds", [-31, 300, 301, 3600])
def test_a_webhook_lives_300_seconds(seconds: int) -> None:
    headers, body = sent()
    with pytest.raises(WebhookStale):
        take(headers, body, now=NOW + timedelta(seconds=seconds))


def test_a_webhook_of_another_address_or_key_is_forged() -> None:
    headers, body = sent()
    with pytest.raises(HTTPSignatureWrong):
        take(headers, body, url="https://bank.example/hook")
    for key in (ec.generate_private_key(ec.SECP256R1()),):
        with pytest.raises(HTTPSignatureWrong):
            take(*sent(key=key))
        with pytest.raises(HTTPSignatureWrong):
            take(*sent(key=key, keyid=jwk.thumbprint(KEY.public_key())))


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest", "content-type"])
def test_a_field_stands_once(name: str) -> None:
    headers, body = sent()
    twice = [*headers.items(), (name.upper(), "x")]
    with pytest.raises(HTTPSignatureMalformed):
        take(twice, body)
    missing = {each: value for each, value in headers.items() if each != name}
    with pytest.raises(HTTPSignatureMalformed):
        take(missing, body)


RSA_LIKE = {"kty": "RSA", "n": "AQAB", "e": "AQAB"}
P384 = jwk.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key())


@pytest.mark.parametrize(
    "jwks",
    [
        b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[1]}', b"\xff", b"[" * 5000,
        json.dumps({"keys": [RSA_LIKE]}).encode(), json.dumps({"keys": [P384]}).encode(),
        json.dumps({"keys": [JWK | {"d": JWK["x"]}]}).encode(), json.dumps({"keys": [{"kty": "oct", "k": "AAAA"}]}).encode(),
        json.dumps({"keys": [JWK] * 17}).encode(), b'{"keys":[]}' + b" " * 70_000,
    ],
)  # fmt: skip
def test_a_key_set_that_is_none_is_refused(jwks: bytes) -> None:
    with pytest.raises(JWKMalformed):
        read_webhook_keys(jwks)


def test_an_empty_key_set_believes_nobody() -> None:
    keys = read_webhook_keys(b'{"keys":[]}')
    with pytest.raises(HTTPSignatureWrong):
        take(*sent(), keys=keys)
