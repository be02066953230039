"""Push messages: encryption (RFC 8291) and token (RFC 8292) for each second of this process's CPU.

A wake-up is encrypted for one receiver as the platform does it: a fresh key pair, the agreement, three derivations, one
record of 128 octets. *Each with its token* signs a token by P-256 for every message; *token kept* is the carrier itself
with a way out that answers 201 at once, so it adds headers, topic and the reading of the answer. The peer of both is
what the two cannot do without: a key pair and an agreement, by cryptography alone.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)

from inkan.crypto import base64url, webpush
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices import PushAddress, WakeUp, WebPush
from inkan.notices.rules import topic_of
from inkan.wire.wake_up import PADDED, wake_up_bytes

ROUNDS = 4000
HANDLE = "h" * 43
ORIGIN = "https://push.example.com"
CLOCK = Clock()

Row = tuple[str, str, float, float | str | None, str]


class Accepting:
    """A way out that answers at once."""

    def verify(self, url: str) -> None:
        """Take every address."""

    async def request(self, *_: Any, **__: Any) -> Any:
        """Answer 201."""
        return SimpleNamespace(status=201, headers=cast("Mapping[str, str]", {}))


def figures() -> Iterator[Row]:
    """The peer first, then messages."""
    key, theirs = (cast("EllipticCurvePrivateKey", generate(KeySpec.P256)) for _ in range(2))
    receiver = webpush.Receiver(theirs.public_key(), Secret(bytes(16)))
    peer = _rate(lambda: generate_private_key(SECP256R1()).exchange(ECDH(), receiver.public))
    yield "key pair and agreement: cryptography alone", "1/CPU s", peer, None, ""
    message = wake_up_bytes(HANDLE)

    def encrypt() -> None:
        webpush.encrypt(message, receiver, padded=PADDED)

    def encrypt_and_sign() -> None:
        encrypt()
        webpush.vapid_authorization(
            key,
            audience=ORIGIN,
            subject="mailto:a@id.example",
            expires_at=CLOCK.wire_now() + timedelta(hours=12),
        )

    yield "wake-up: encrypted", "1/CPU s", _rate(encrypt), peer, ""
    yield "wake-up: encrypted, each with its token", "1/CPU s", _rate(encrypt_and_sign), peer, ""
    yield (
        "wake-up: by the carrier, token kept",
        "1/CPU s",
        _carried(key, receiver),
        peer,
        "no network",
    )


def _carried(key: EllipticCurvePrivateKey, receiver: webpush.Receiver) -> float:
    carrier = WebPush(fetch=Accepting(), key=key, subject="mailto:a@id.example", clock=CLOCK)
    address = PushAddress(
        endpoint=Personal(f"{ORIGIN}/wpush/v2/x"),
        p256dh=base64url.encode(webpush.point(receiver.public)),
        auth=Secret(base64url.encode(receiver.auth.reveal())),
    )

    async def carry() -> float:
        begun = time.process_time()
        for _ in range(ROUNDS):
            wake_up = WakeUp(handle=HANDLE, ttl_s=180, topic=topic_of("psh_bench", HANDLE))
            await carrier.carry(address, wake_up)
        return ROUNDS / (time.process_time() - begun)

    return asyncio.run(carry())


def _rate(work: Callable[[], object]) -> float:
    work()
    begun = time.process_time()
    for _ in range(ROUNDS):
        work()
    return ROUNDS / (time.process_time() - begun)
