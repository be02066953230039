"""The ways to wake a phone: Web Push (RFC 8030, 8291, 8292), and none at all.

A push service is a stranger, and the endpoint it gives out is chosen by a stranger: it is called only by the one way
out (``inkan.web.fetch``), which reaches nothing inside and follows no redirect. The service sees when which
subscription is woken and how urgent it is; the body is encrypted and of one length.
"""

from collections import OrderedDict
from collections.abc import Collection
from datetime import datetime
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.crypto import base64url, foreign_keys, webpush
from inkan.kernel.clock import Clock
from inkan.kernel.errors import Forbidden
from inkan.notices.model import (
    Delivery,
    Outcome,
    PushAddress,
    PushSubscriptionRefused,
    WakeUp,
)
from inkan.notices.ports import Fetch
from inkan.notices.rules import (
    VAPID_LIFE,
    VAPID_RENEWED_BEFORE,
    is_push_host,
    outcome_of,
    push_origin,
    read_retry_after,
)
from inkan.wire.wake_up import PADDED, wake_up_bytes

URGENCY: Final = "high"
"""RFC 8030 §5.3: somebody waits before a page; a phone on battery is woken too."""
TOKENS_KEPT: Final = 1024


class PollOnly:
    """No way out: the wallet asks by itself when it is opened. It is always there."""

    def admit(self, address: PushAddress | None) -> None:
        """Take a phone that gave no address.

        Raises:
            PushSubscriptionRefused: it gave one, which nobody would ever use.
        """
        if address is not None:
            raise PushSubscriptionRefused(where="/endpoint", expected="no such member")

    async def carry(self, address: PushAddress | None, message: WakeUp) -> Delivery:
        """Do nothing, successfully."""
        return Delivery(Outcome.ACCEPTED)


class WebPush:
    """Messages to the push service of a browser, or of whoever else speaks RFC 8030."""

    def __init__(
        self,
        *,
        fetch: Fetch,
        key: EllipticCurvePrivateKey,
        subject: str,
        clock: Clock,
        hosts: Collection[str] = (),
    ) -> None:
        """Send as the holder of ``key``.

        Args:
            fetch: the way out.
            key: P-256, of purpose ``vapid``; subscriptions are bound to it.
            subject: ``mailto:`` or ``https:`` address of the operator, for the people of a push service.
            clock: push services judge tokens by true time.
            hosts: which push services are called; see :func:`inkan.notices.rules.is_push_host`.
        """
        self._fetch = fetch
        self._key = key
        self._subject = subject
        self._clock = clock
        self._hosts = frozenset(hosts)
        self._tokens: OrderedDict[str, tuple[datetime, str]] = OrderedDict()

    @property
    def public_key(self) -> str:
        """What a browser subscribes with: base64url of the 65-byte point (``applicationServerKey``)."""
        return base64url.encode(webpush.point(self._key.public_key()))

    def admit(self, address: PushAddress | None) -> None:
        """Take an endpoint that would be called, with keys that a message can be encrypted for.

        Raises:
            PushSubscriptionRefused: no endpoint, one that is not called, or a host that is not admitted.
            PushKeysMalformed: other keys.
        """
        if address is None:
            raise PushSubscriptionRefused(where="/endpoint", expected="the push service's address")
        try:
            self._fetch.verify(address.endpoint.reveal())
        except Forbidden:
            raise PushSubscriptionRefused(
                where="/endpoint", expected="a public https address"
            ) from None
        if not is_push_host(address.endpoint.reveal(), self._hosts):
            raise PushSubscriptionRefused(where="/endpoint", expected="an admitted push service")
        webpush.load_receiver(address.p256dh, address.auth.reveal())

    async def carry(self, address: PushAddress | None, message: WakeUp) -> Delivery:
        """Send one message; see :meth:`inkan.notices.ports.Carrier.carry`."""
        if address is None or not is_push_host(address.endpoint.reveal(), self._hosts):
            return Delivery(Outcome.UNCALLABLE)
        endpoint = address.endpoint.reveal()
        receiver = webpush.load_receiver(address.p256dh, address.auth.reveal())
        body = webpush.encrypt(wake_up_bytes(message.handle), receiver, padded=PADDED)
        headers = {
            "ttl": str(message.ttl_s),
            "urgency": URGENCY,
            "topic": message.topic,
            "content-encoding": webpush.CONTENT_ENCODING,
            "content-type": "application/octet-stream",
            "authorization": await self._authorization(push_origin(endpoint)),
        }
        try:
            answer = await self._fetch.request("POST", endpoint, body=body, headers=headers)
        except Forbidden:
            # What a name leads to may change after it was admitted.
            return Delivery(Outcome.UNCALLABLE)
        wait_s = read_retry_after(answer.headers.get("retry-after"), self._clock.wire_now())
        outcome = outcome_of(answer.status, asks_to_wait=wait_s is not None)
        return Delivery(outcome, wait_s, answer.status)

    async def _authorization(self, origin: str) -> str:
        """The token for a push service, signed twice a day; the least used are forgotten first."""
        now = self._clock.wire_now()
        kept = self._tokens.get(origin)
        if kept is None or kept[0] - now < VAPID_RENEWED_BEFORE:
            expires_at = now + VAPID_LIFE
            work = partial(
                webpush.vapid_authorization,
                self._key,
                audience=origin,
                subject=self._subject,
                expires_at=expires_at,
            )
            kept = expires_at, await foreign_keys.signing(self._key, work)
            self._tokens[origin] = kept
        self._tokens.move_to_end(origin)
        while len(self._tokens) > TOKENS_KEPT:
            self._tokens.popitem(last=False)
        return kept[1]
