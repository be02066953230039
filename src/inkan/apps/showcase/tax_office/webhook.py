"""The office's address for webhooks: a note is believed when the platform signed it, and even then it is only a hint."""

from http import HTTPStatus
from typing import Final

from inkan.apps.showcase.tax_office.logins import Logins
from inkan.client import AsyncTransport
from inkan.client.exchange import Request
from inkan.client.webhooks import Keys, NonceMemory, read_webhook_keys, verify_webhook
from inkan.crypto.http_signatures import HTTPSignatureWrong
from inkan.kernel.clock import Clock
from inkan.web.exchange import Exchange
from inkan.web.response import Response

PATH: Final = "/webhook"
FETCH_EVERY_S: Final = 60.0
_HEADERS: Final = ("content-type", "content-digest", "signature-input", "signature")


class WebhookDesk:
    """Takes notes in.

    Args:
        url: the address that is registered.
        issuer: whose key set is asked.
        logins: hear of sessions that changed.
        transport: fetches the key set.
        clock: true time.
    """

    def __init__(
        self, url: str, *, issuer: str, logins: Logins, transport: AsyncTransport, clock: Clock
    ) -> None:
        self._url = url
        self._issuer = issuer
        self._logins = logins
        self._transport = transport
        self._clock = clock
        self._seen = NonceMemory()
        self._keys: Keys = {}
        self._fetched_at: float | None = None

    async def take(self, exchange: Exchange) -> Response:
        """Verify a note and look at the login that it is about.

        Raises:
            HTTPSignatureMalformed, HTTPSignatureWrong, WebhookStale, WebhookReplayed, WebhookMalformed: it is not
                the platform's, not for here, not of now, or known.
        """
        headers = {name: exchange.header(name) or "" for name in _HEADERS}
        body = await exchange.body()
        try:
            told = self._verify(headers, body)
        except HTTPSignatureWrong:
            # Perhaps by a key that the platform took into use since.
            if not await self._fetch_keys():
                raise
            told = self._verify(headers, body)
        await self._logins.hear(told)
        return Response(HTTPStatus.NO_CONTENT)

    def _verify(self, headers: dict[str, str], body: bytes) -> str:
        given = {name: value for name, value in headers.items() if value}
        webhook = verify_webhook(
            "POST",
            self._url,
            given,
            body,
            keys=self._keys,
            now=self._clock.wire_now(),
            seen=self._seen,
        )
        return webhook.session

    async def _fetch_keys(self) -> bool:
        """Fetch the key set, at most once a minute."""
        now = self._clock.monotonic()
        if self._fetched_at is not None and now - self._fetched_at < FETCH_EVERY_S:
            return False
        self._fetched_at = now
        request = Request(method="GET", url=f"{self._issuer}/v1/jwks.json")
        self._keys = read_webhook_keys((await self._transport.send(request)).body)
        return True
