"""Take webhooks in with everything that this needs: the platform's keys, fetched when they are needed, and the nonces.

    webhooks = inkan.webhooks("https://tax.example/hook")
    told = await webhooks.receive(request.method, request.headers, request.body)
    session = await inkan.get_session(told.session)

A key that nobody knows makes the key set be fetched again, at most once a minute, so that forged messages cost no
more than that. Answer 2xx once the note is safely kept; docs/webhooks.md tells the rest.
"""

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from inkan.client.exchange import Conversation
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.published_calls import PublishedCalls
from inkan.client.webhooks import Keys, Nonces, read_webhook_keys, verify_webhook
from inkan.crypto.http_signatures import HTTPSignatureWrong
from inkan.kernel.clock import Clock
from inkan.wire.webhook import Webhook

Headers: TypeAlias = Mapping[str, str] | Iterable[tuple[str, str]]
KEYS_LIFE_S: Final = 3_600.0
FETCH_AGAIN_AFTER_S: Final = 60.0


class ReceiverCalls:
    """The conversations of one address.

    Args:
        published: of the platform.
        url: the address that was registered, letter by letter.
        clock: true time.
        seen: the nonces of this address.
    """

    def __init__(self, published: PublishedCalls, url: str, clock: Clock, seen: Nonces) -> None:
        self._published = published
        self._url = url
        self._clock = clock
        self._seen = seen
        self._keys: Keys = {}
        self._fetched_at: float | None = None

    def take(self, method: str, headers: Headers, body: bytes) -> Conversation[Webhook]:
        """Return what the platform says by this request; refusals as ``verify_webhook``."""
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
        if self._age_s() > KEYS_LIFE_S:
            yield from self._fetch()
        try:
            return self._verify(method, pairs, body)
        except HTTPSignatureWrong:
            if self._age_s() < FETCH_AGAIN_AFTER_S:
                raise
        yield from self._fetch()
        return self._verify(method, pairs, body)

    def _age_s(self) -> float:
        if self._fetched_at is None:
            return float("inf")
        return self._clock.monotonic() - self._fetched_at

    def _fetch(self) -> Conversation[None]:
        self._keys = read_webhook_keys((yield from self._published.key_set()))
        self._fetched_at = self._clock.monotonic()

    def _verify(self, method: str, headers: list[tuple[str, str]], body: bytes) -> Webhook:
        return verify_webhook(
            method,
            self._url,
            headers,
            body,
            keys=self._keys,
            now=self._clock.wire_now(),
            seen=self._seen,
        )


class WebhookReceiver:
    """What takes webhooks in at one address, for event loops."""

    def __init__(self, calls: ReceiverCalls, transport: AsyncTransport) -> None:
        self._calls = calls
        self._transport = transport

    async def receive(self, method: str, headers: Headers, body: bytes) -> Webhook:
        """Return what the platform says by this request.

        Args:
            method: of the request.
            headers: names and values; pairs are best, since a mapping hides a header that came twice.
            body: the bytes as they came.

        Raises:
            HTTPSignatureMalformed, HTTPSignatureWrong, WebhookStale, WebhookReplayed: see ``verify_webhook``.
            PlatformUnreachable: the keys cannot be fetched; answer 5xx, and the note comes again.
        """
        return await self._transport.run(self._calls.take(method, headers, body))


class SyncWebhookReceiver:
    """What takes webhooks in at one address, for threads."""

    def __init__(self, calls: ReceiverCalls, transport: SyncTransport) -> None:
        self._calls = calls
        self._transport = transport

    def receive(self, method: str, headers: Headers, body: bytes) -> Webhook:
        """Return what the platform says by this request; as :meth:`WebhookReceiver.receive`."""
        return self._transport.run(self._calls.take(method, headers, body))
