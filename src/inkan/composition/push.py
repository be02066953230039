"""The ways to wake a phone, by name: the table that a further carrier is a row of (docs/push.md)."""

from collections.abc import Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.composition.settings import Settings
from inkan.kernel.clock import Clock
from inkan.notices import Carrier, CarrierName, Fetch, WebPush

KEY_LABEL = "vapid-1"


class Push(NamedTuple):
    """The carriers besides polling, and what browsers subscribe with."""

    carriers: Mapping[CarrierName, Carrier]
    key: str


def push(settings: Settings, *, key: EllipticCurvePrivateKey, fetch: Fetch, clock: Clock) -> Push:
    """The carriers of an instance that has a way out."""
    sender = WebPush(
        fetch=fetch,
        key=key,
        subject=settings.push.subject or f"mailto:{settings.notices.sender}",
        clock=clock,
        hosts=settings.push.hosts,
    )
    return Push(
        {
            CarrierName.WEBPUSH: sender,
            # To an application server UnifiedPush is Web Push; only the phone's side differs.
            CarrierName.UNIFIEDPUSH: sender,
        },
        sender.public_key,
    )
