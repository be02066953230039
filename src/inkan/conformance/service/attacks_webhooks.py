"""Attacks at the webhook's address: notes that the platform did not send, or sent before."""

from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.conformance.model import Fell, Unproved
from inkan.conformance.service.authority import new_key
from inkan.conformance.service.stage import Stage
from inkan.crypto import base64url, jwk
from inkan.crypto.http_signatures import content_digest
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import new_id, random_bytes
from inkan.wire.binding import Door
from inkan.wire.session import SessionState
from inkan.wire.webhook import MEDIA_TYPE, METHOD, Webhook, sign_webhook, webhook_bytes

Headers = dict[str, str]


async def webhook_forgery(stage: Stage) -> None:
    """Notes without a signature, by another key, over another body, to another address."""
    body = await _note(stage)
    signed = _signed(stage, body)
    await _accepted(stage, signed, body)
    other = await _note(stage)
    stranger = new_key()
    cases: dict[str, tuple[Headers, bytes]] = {
        "no signature": ({"content-type": MEDIA_TYPE}, body),
        "a signature by another key": (_signed(stage, body, key=stranger), body),
        "another key under the platform's key id": (
            _signed(stage, body, key=stranger, keyid=_keyid(stage)),
            body,
        ),
        "another body": (_signed(stage, body), other),
        "another body with its own digest": (
            _signed(stage, body) | {"content-digest": content_digest(other)},
            other,
        ),
        "a note to another address": (
            _signed(stage, body, url=f"{stage.about.webhook}/elsewhere"),
            body,
        ),
    }
    for what, (headers, sent) in cases.items():
        await _refused(stage, what, headers, sent)


async def webhook_replay(stage: Stage) -> None:
    """The very same message again, one of an hour ago, and one of tomorrow."""
    body = await _note(stage)
    signed = _signed(stage, body)
    await _accepted(stage, signed, body)
    await _refused(stage, "the same message again", signed, body)
    for what, hours in {"a message of an hour ago": -1, "a message of tomorrow": 24}.items():
        await _refused(stage, what, _signed(stage, body, later=timedelta(hours=hours)), body)


async def _note(stage: Stage) -> bytes:
    login = await stage.begin(Door.QR)
    note = Webhook(
        v=1,
        id=new_id("whd"),
        session=login.play.id,
        state=SessionState.PRESENTED,
        at=rfc3339(stage.platform.clock.wire_now()),
    )
    return webhook_bytes(note)


def _keyid(stage: Stage) -> str:
    return jwk.thumbprint(stage.platform.webhook_key.public_key())


def _signed(
    stage: Stage,
    body: bytes,
    *,
    key: EllipticCurvePrivateKey | None = None,
    keyid: str = "",
    url: str = "",
    later: timedelta = timedelta(0),
) -> Headers:
    used = key or stage.platform.webhook_key
    return sign_webhook(
        url or stage.about.webhook,
        body,
        used,
        keyid=keyid or jwk.thumbprint(used.public_key()),
        nonce=base64url.encode(random_bytes(16)),
        now=stage.platform.clock.wire_now() + later,
    )


async def _send(stage: Stage, headers: Headers, body: bytes) -> int:
    answer = await stage.endpoint.send(METHOD, stage.about.webhook, headers=headers, body=body)
    return answer.status


async def _accepted(stage: Stage, headers: Headers, body: bytes) -> None:
    status = await _send(stage, headers, body)
    if not 200 <= status < 300:
        raise Unproved(f"a genuine webhook is answered by {status}")


async def _refused(stage: Stage, what: str, headers: Headers, body: bytes) -> None:
    status = await _send(stage, headers, body)
    if not 400 <= status < 500:
        raise Fell(f"{what}: answered by {status}")
