"""Push, the phone's side: a subscription made and ended, and messages read (RFC 8291).

A push message holds an opaque handle and is no news by itself: the phone asks the platform what waits. Whoever reads
the messages of a push service, or sends forged ones, learns nothing and decides nothing.
"""

from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.client.phone_parts import PhoneParts
from inkan.client.phone_state import PushKeys
from inkan.crypto import base64url, keys, webpush
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import Conflict
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire.wake_up import parse_wake_up

PATH: Final = "/phone/v1/push"
WEBPUSH: Final = "webpush"


class PhoneNotSubscribed(Conflict):
    """The phone has no push subscription, so no message can be for it."""

    code = "phone_not_subscribed"
    title = "This phone has no push subscription"


class _Key(msgspec.Struct, frozen=True):
    key: str


async def fetch_push_key(parts: PhoneParts) -> bytes:
    """The platform's push key: 65 bytes, the ``applicationServerKey`` of a subscription.

    Raises:
        Base64URLMalformed: the platform answers with something else.
        CallUnavailable: it speaks no Web Push.
    """
    answer = await parts.api.get(f"{PATH}/key", _Key)
    return base64url.decode(answer.key, size=webpush.POINT_SIZE)


async def subscribe(parts: PhoneParts, endpoint: str, *, carrier: str = WEBPUSH) -> None:
    """Be woken at ``endpoint``, and nowhere else; fresh keys are on the disk before the platform hears of them.

    Args:
        parts: the phone.
        endpoint: what a push service gave out for :func:`fetch_push_key`.
        carrier: ``webpush`` or ``unifiedpush``.

    Raises:
        CallMalformed: the platform does not call such an endpoint (``push_subscription_refused``).
        CallUnavailable: it has no such carrier (``push_unavailable``).
    """
    parts.state.push = made = make_push_keys()
    parts.save()
    body = {"carrier": carrier, "endpoint": endpoint, "keys": public_members(made)}
    await parts.api.put(PATH, body)


async def unsubscribe(parts: PhoneParts) -> None:
    """Be woken no more, and forget the keys."""
    await parts.api.delete(PATH)
    parts.state.push = None
    parts.save()


def read_push(parts: PhoneParts, body: bytes) -> str:
    """The handle in a message to this phone.

    Raises:
        PhoneNotSubscribed: there is no subscription.
        PushMessageMalformed, WakeUpMalformed: see :func:`decrypt_push`.
    """
    held = parts.state.push
    if held is None:
        raise PhoneNotSubscribed
    return decrypt_push(body, key=_private(held), auth=Secret(held.auth))


def decrypt_push(body: bytes, *, key: EllipticCurvePrivateKey, auth: Secret[bytes]) -> str:
    """Return the handle in a push message: what any receiver does with the body that it gets.

    Args:
        body: of the POST, as the push service hands it on.
        key: the receiver's P-256 key, whose public half is ``p256dh``.
        auth: the 16 bytes of the subscription's ``auth``.

    Raises:
        PushMessageMalformed: not for this receiver, or changed.
        WakeUpMalformed: another message than a wake-up.
    """
    return parse_wake_up(webpush.decrypt(body, key, auth))


def make_push_keys() -> PushKeys:
    """Keys of a new subscription."""
    made = keys.generate(KeySpec.P256)
    return PushKeys(key=keys.private_der(made).reveal(), auth=random_bytes(webpush.AUTH_SIZE))


def public_members(held: PushKeys) -> dict[str, str]:
    """The member ``keys`` of a subscription, as a browser's ``PushSubscription.toJSON()`` has it."""
    return {
        "p256dh": base64url.encode(webpush.point(_private(held).public_key())),
        "auth": base64url.encode(held.auth),
    }


def _private(held: PushKeys) -> EllipticCurvePrivateKey:
    key = keys.load_private(Secret(held.key))
    if not isinstance(key, EllipticCurvePrivateKey):
        raise TypeError("a push key is a P-256 key")
    return key
