"""Where the town hall learns whether a certificate was revoked: at the addresses that the certificates name.

Asked anew for every form, because what counts is the moment of receipt. Addresses outside the admitted origins are not
asked: a certificate comes from whoever sent the form, and must not send this program anywhere.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import msgspec

from inkan.client import AsyncTransport
from inkan.client.exchange import Request
from inkan.crypto.certificates import Certificate
from inkan.crypto.ocsp import build_request
from inkan.crypto.path import MAX_CRL_SIZE, MAX_OCSP_SIZE
from inkan.kernel.errors import InkanError

TIMEOUT_S: Final = 5.0
MAX_ADDRESSES: Final = 24
_OCSP_TYPE: Final = {"content-type": "application/ocsp-request"}


class Evidence(msgspec.Struct, frozen=True):
    """What was answered (DER); the verifier judges it."""

    crls: tuple[bytes, ...]
    ocsps: tuple[bytes, ...]


class StatusSource:
    """Fetches lists and answers.

    Args:
        transport: carries the requests.
        origins: of those who publish lists and answers; no other is asked.
    """

    def __init__(self, transport: AsyncTransport, *, origins: Iterable[str]) -> None:
        self._transport = transport
        self._origins = frozenset(origins)

    async def gather(self, signer: Certificate, authorities: Sequence[Certificate]) -> Evidence:
        """Return what can be had on a certificate and on the authorities that may stand above it.

        What does not answer is left out: whether the rest suffices says the verifier.
        """
        lists = [
            Request(method="GET", url=url, limit=MAX_CRL_SIZE, timeout_s=TIMEOUT_S)
            for url in self._admitted(
                url for each in (signer, *authorities) for url in each.crl_urls
            )
        ]
        answers = list(self._questions(signer, authorities))
        bodies = await asyncio.gather(*(self._fetch(each) for each in (*lists, *answers)))
        crls, ocsps = bodies[: len(lists)], bodies[len(lists) :]
        return Evidence(tuple(filter(None, crls)), tuple(filter(None, ocsps)))

    def _questions(
        self, signer: Certificate, authorities: Sequence[Certificate]
    ) -> Iterator[Request]:
        """About the signer's certificate, to its issuer's responder."""
        issuer = next((each for each in authorities if each.subject == signer.issuer), None)
        if issuer is None:
            return
        body = build_request(signer, issuer)
        for url in self._admitted(signer.ocsp_urls):
            yield Request(
                method="POST",
                url=url,
                headers=_OCSP_TYPE,
                body=body,
                limit=MAX_OCSP_SIZE,
                timeout_s=TIMEOUT_S,
            )

    def _admitted(self, urls: Iterable[str]) -> list[str]:
        return [url for url in dict.fromkeys(urls) if self._is_admitted(url)][:MAX_ADDRESSES]

    def _is_admitted(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}" in self._origins

    async def _fetch(self, request: Request) -> bytes:
        try:
            answer = await self._transport.send(request)
        except InkanError:
            return b""
        return answer.body if answer.status == HTTPStatus.OK else b""
