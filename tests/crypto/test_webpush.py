"""Web Push: the RFC's own example to the octet, messages of one length, and refusals only."""

import contextlib
import json
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jwt

from inkan.crypto import base64url, webpush
from inkan.crypto.jwk import to_jwk
from inkan.crypto.webpush import PushKeysMalformed, PushMessageMalformed, Receiver
from inkan.kernel.clock import to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from support.clock import START
from support.keyring import ec_key

VECTOR = json.loads(
    (Path(__file__).parents[1] / "vectors" / "crypto" / "web_push.json").read_text("utf-8")
)
AUTH = Secret(b"a" * 16)
KEY = ec_key(1)
RECEIVER = Receiver(KEY.public_key(), AUTH)


def private(name: str):
    number = int.from_bytes(base64url.decode(VECTOR[name]), "big")
    return derive_private_key(number, SECP256R1())


def test_the_example_of_the_rfc_is_written_to_the_octet() -> None:
    made = webpush.encrypt(
        VECTOR["plaintext"].encode(),
        webpush.load_receiver(VECTOR["receiver_public"], VECTOR["auth"]),
        salt=base64url.decode(VECTOR["salt"]),
        sender=private("sender_private"),
    )
    assert base64url.encode(made) == VECTOR["body"]


def test_the_example_of_the_rfc_is_read() -> None:
    read = webpush.decrypt(
        base64url.decode(VECTOR["body"]),
        private("receiver_private"),
        Secret(base64url.decode(VECTOR["auth"])),
    )
    assert read.decode() == VECTOR["plaintext"]


@given(message=st.binary(max_size=300), padded=st.integers(0, 400))
def test_what_was_encrypted_is_read_again(message: bytes, padded: int) -> None:
    body = webpush.encrypt(message, RECEIVER, padded=padded)
    assert webpush.decrypt(body, KEY, AUTH) == message
    assert len(body) == webpush.HEADER_SIZE + max(len(message) + 1, padded) + webpush.TAG_SIZE


@given(message=st.binary(max_size=99))
def test_padded_messages_have_one_length(message: bytes) -> None:
    assert len(webpush.encrypt(message, RECEIVER, padded=100)) == webpush.HEADER_SIZE + 116


def test_two_messages_share_neither_key_nor_salt() -> None:
    first, second = (webpush.encrypt(b"same", RECEIVER) for _ in range(2))
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


@given(data=st.data())
def test_a_changed_octet_is_refused(data: st.DataObject) -> None:
    body = bytearray(webpush.encrypt(b'{"h":"x"}', RECEIVER, padded=64))
    # The record size may grow without a change of meaning; everything else is under the key or the tag.
    at = data.draw(st.integers(0, len(body) - 1).filter(lambda n: not 16 <= n < 20))
    body[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(PushMessageMalformed):
        webpush.decrypt(bytes(body), KEY, AUTH)


@pytest.mark.parametrize(
    ("key", "auth"), [(ec_key(2), AUTH), (KEY, Secret(b"b" * 16))], ids=["key", "secret"]
)
def test_another_receiver_reads_nothing(key, auth) -> None:
    with pytest.raises(PushMessageMalformed):
        webpush.decrypt(webpush.encrypt(b"x", RECEIVER), key, auth)


@pytest.mark.parametrize("plain", [b"\x00" * 8, b"x\x01", b"x"])
def test_a_record_that_is_not_the_last_is_refused(plain: bytes, monkeypatch) -> None:
    monkeypatch.setattr(webpush, "_LAST_RECORD", b"")
    body = webpush.encrypt(plain, RECEIVER)
    monkeypatch.undo()
    with pytest.raises(PushMessageMalformed):
        webpush.decrypt(body, KEY, AUTH)


@pytest.mark.parametrize("size", [0, 17, 40])
def test_a_record_size_that_does_not_hold_the_record_is_refused(size: int) -> None:
    body = bytearray(webpush.encrypt(b"x" * 40, RECEIVER))
    body[16:20] = size.to_bytes(4, "big")
    with pytest.raises(PushMessageMalformed):
        webpush.decrypt(bytes(body), KEY, AUTH)


@given(data=st.binary(max_size=300))
def test_random_bytes_bring_out_refusals_only(data: bytes) -> None:
    head = webpush.encrypt(b"x", RECEIVER)[: webpush.HEADER_SIZE]
    for body in (data, head + data, head[:20] + data):
        with contextlib.suppress(InkanError):
            webpush.decrypt(body, KEY, AUTH)


@given(p256dh=st.text(max_size=120), auth=st.text(max_size=40))
def test_keys_of_any_text_bring_out_refusals_only(p256dh: str, auth: str) -> None:
    with pytest.raises(InkanError):
        webpush.load_receiver(p256dh, auth)


POINT = webpush.point(KEY.public_key())


@pytest.mark.parametrize(
    ("p256dh", "auth", "where"),
    [
        (POINT[:-1], b"a" * 16, "/keys/p256dh"),
        (POINT[:-1] + bytes([POINT[-1] ^ 1]), b"a" * 16, "/keys/p256dh"),
        (b"\x02" + POINT[1:33], b"a" * 16, "/keys/p256dh"),
        (b"\x04" + bytes(64), b"a" * 16, "/keys/p256dh"),
        (b"\x00", b"a" * 16, "/keys/p256dh"),
        (POINT, b"a" * 15, "/keys/auth"),
        (POINT, b"a" * 17, "/keys/auth"),
    ],
    # The key is drawn for each run; its octets in a name would give every worker another test.
    ids=["short", "off the curve", "compressed", "zeros", "infinity", "auth short", "auth long"],
)
def test_keys_that_are_none_are_named(p256dh: bytes, auth: bytes, where: str) -> None:
    with pytest.raises(PushKeysMalformed) as refused:
        webpush.load_receiver(base64url.encode(p256dh), base64url.encode(auth))
    assert refused.value.facts["where"] == where


def test_what_no_push_service_takes_is_not_made() -> None:
    largest = webpush.MESSAGE_LIMIT - webpush.HEADER_SIZE - webpush.TAG_SIZE - 1
    assert len(webpush.encrypt(b"x" * largest, RECEIVER)) == webpush.MESSAGE_LIMIT
    for bent in ({"message": b"x" * (largest + 1)}, {"message": b"x", "salt": b"short"}):
        with pytest.raises(ValueError, match="push message"):
            webpush.encrypt(receiver=RECEIVER, **bent)


def test_the_application_server_names_itself() -> None:
    """joserfc is the oracle of the token."""
    ends = START + timedelta(hours=12)
    value = webpush.vapid_authorization(
        KEY, audience="https://push.example.com", subject="mailto:a@b.example", expires_at=ends
    )
    scheme, token, key = value.split(" ")
    assert scheme == "vapid"
    read = jwt.decode(
        token.removeprefix("t=").removesuffix(","),
        jwk.ECKey.import_key(to_jwk(KEY.public_key())),
        algorithms=["ES256"],
    )
    assert read.header == {"alg": "ES256", "typ": "JWT"}
    assert read.claims == {
        "aud": "https://push.example.com",
        "exp": to_seconds(ends),
        "sub": "mailto:a@b.example",
    }
    assert base64url.decode(key.removeprefix("k="), size=65) == POINT
