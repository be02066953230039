"""The status of cards that others issue, asked over HTTP: OCSP (RFC 6960) and lists (RFC 5280 §6.3).

Numbered plan, for a card and every authority between it and the anchor:

1. the addresses come from the certificate (authority information access, then distribution points), and only
   those at an origin that the operator admits for this authority are called: whoever made a certificate does
   not choose whom this instance calls;
2. one request each, through the only way out, bounded in time and size; no redirect is followed;
3. in a worker: the evidence is authentic, of this issuer, in force now, about this certificate (scope of the
   list included); anything else counts as no answer, and the next address is asked;
4. what held is kept until its nextUpdate, and at most for the time of the settings; every later use verifies
   it again at its own time;
5. nobody answers: the status is unavailable, and nothing is accepted. "Unknown" is no "good" either.
"""

import asyncio
from collections.abc import Hashable, Iterator
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.ocsp import build_request
from inkan.crypto.path import (
    MAX_CRL_SIZE,
    MAX_OCSP_SIZE,
    EvidenceKind,
    Revocation,
    RevocationReason,
    RevocationUnknown,
)
from inkan.crypto.revocation import RevocationReading
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.pki.model import (
    Authority,
    CardState,
    CardStatus,
    ForeignAuthority,
    RevocationEvidence,
    StatusUnavailable,
)
from inkan.pki.ports import Fetch
from inkan.pki.service.evidence_cache import Evidence, EvidenceCache

MAX_ADDRESSES = 4
"""Of one certificate that are tried."""
PATIENCE_S = 15.0
"""For all addresses of a whole path."""

_LIMITS = {EvidenceKind.OCSP: MAX_OCSP_SIZE, EvidenceKind.CRL: MAX_CRL_SIZE}


class _Question(NamedTuple):
    """One request: ``body`` is empty for a list."""

    kind: EvidenceKind
    url: str
    body: bytes = b""


class _Proof(NamedTuple):
    kind: EvidenceKind
    der: bytes
    reading: RevocationReading


class ForeignSource:
    """The status source of one authority that others run."""

    def __init__(
        self,
        foreign: ForeignAuthority,
        *,
        fetch: Fetch,
        workers: WorkerPool,
        clock: Clock,
        life: timedelta,
    ) -> None:
        """Keep answers for ``life`` at most; see the plan of this module."""
        self._origins = foreign.origins
        self._issuers = tuple(map(parse_certificate, foreign.authority.chain))
        self._fetch = fetch
        self._workers = workers
        self._clock = clock
        self._cache = EvidenceCache(clock=clock, life=life)

    async def status(
        self, authority: Authority, serial: str, certificate: bytes | None
    ) -> CardStatus:
        """The status of a card now. A card whose issuer was revoked is revoked for the issuer's reason.

        Raises:
            StatusUnavailable: the certificate is not at hand, an issuer ended, or 5.
        """
        if certificate is None:
            raise StatusUnavailable("the certificate of this card was not kept")
        card, now = parse_certificate(certificate), self._clock.now()
        if card.not_after < now:
            return CardStatus(state=CardState.EXPIRED, reason=None, at=now, since=card.not_after)
        for proof in await self._proofs(card):
            if proof.reading.revocation is not None:
                return _ended(proof.reading.revocation, now)
        return CardStatus(state=CardState.GOOD, reason=None, at=now)

    async def evidence(
        self, authority: Authority, serial: str, certificate: bytes
    ) -> RevocationEvidence:
        """What :meth:`status` was read from.

        Raises:
            StatusUnavailable: 5.
        """
        proofs = await self._proofs(parse_certificate(certificate))
        return RevocationEvidence(
            ocsp=tuple(each.der for each in proofs if each.kind is EvidenceKind.OCSP),
            crls=tuple(each.der for each in proofs if each.kind is EvidenceKind.CRL),
        )

    async def _proofs(self, card: Certificate) -> list[_Proof]:
        """One proof for each certificate below the anchor, the card's first."""
        if any(issuer.not_after < self._clock.now() for issuer in self._issuers):
            raise StatusUnavailable("a certificate of the authority has ended")
        try:
            async with asyncio.timeout(PATIENCE_S):
                return [
                    await self._proof(certificate, issuer)
                    for certificate, issuer in pairwise((card, *self._issuers))
                ]
        except TimeoutError:
            raise StatusUnavailable("the status services answer too slowly") from None

    async def _proof(self, certificate: Certificate, issuer: Certificate) -> _Proof:
        faults = ["no admitted address"]
        for question in islice(self._questions(certificate, issuer), MAX_ADDRESSES):
            try:
                return await self._answered(question, certificate, issuer)
            except RevocationUnknown as unknown:
                raise StatusUnavailable(str(unknown)) from None
            except InkanError as refusal:
                faults.append(f"{question.url}: {refusal.code} {refusal.detail}")
        raise StatusUnavailable("; ".join(faults[1:] or faults))

    def _questions(self, certificate: Certificate, issuer: Certificate) -> Iterator[_Question]:
        """1."""
        for url in filter(self._is_admitted, certificate.ocsp_urls):
            yield _Question(EvidenceKind.OCSP, url, build_request(certificate, issuer))
        for url in filter(self._is_admitted, certificate.crl_urls):
            yield _Question(EvidenceKind.CRL, url)

    def _is_admitted(self, url: str) -> bool:
        try:
            parts = urlsplit(url)
        except ValueError:
            return False
        return f"{parts.scheme}://{parts.netloc}" in self._origins

    async def _answered(
        self, question: _Question, certificate: Certificate, issuer: Certificate
    ) -> _Proof:
        async def fetch() -> Evidence:
            der = await self._fetched(question)
            reading = await self._read(question.kind, der, certificate, issuer)
            return Evidence(der, reading.this_update, reading.next_update)

        key: Hashable = (question, issuer.sha256)
        der = await self._cache.get(key, fetch)
        return _Proof(question.kind, der, await self._read(question.kind, der, certificate, issuer))

    async def _fetched(self, question: _Question) -> bytes:
        """2."""
        headers = {"content-type": "application/ocsp-request"} if question.body else {}
        answer = await self._fetch.request(
            "POST" if question.body else "GET",
            question.url,
            body=question.body,
            headers=headers,
            limit_bytes=_LIMITS[question.kind],
        )
        if answer.status != 200:
            raise StatusUnavailable(f"HTTP status {answer.status}")
        return answer.body

    async def _read(
        self, kind: EvidenceKind, der: bytes, certificate: Certificate, issuer: Certificate
    ) -> RevocationReading:
        """3, and 4 for what was kept."""
        return await self._workers.read_revocation(
            kind, der, certificate=certificate.der, issuer=issuer.der, at=self._clock.now()
        )


def _ended(revocation: Revocation, now: datetime) -> CardStatus:
    is_held = revocation.reason is RevocationReason.CERTIFICATE_HOLD
    return CardStatus(
        state=CardState.SUSPENDED if is_held else CardState.REVOKED,
        reason=revocation.reason,
        at=now,
        since=revocation.revoked_at,
    )
