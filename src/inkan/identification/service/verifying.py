"""Receipts that anybody shows: judged by the very code that relying parties run offline (``inkan.client``).

The artefacts in the evidence are small and read by the structural gates that every certificate passes
(``crypto.certificates``, ``crypto.crl``, ``crypto.ocsp_response``), which know no document formats; the route admits
512 KiB of them. A check takes some milliseconds of signatures, off the event loop, one at a time: whoever sends many
waits, and the sessions of others do not.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from inkan.client import Report, verify_receipt
from inkan.client.use_checks import VerifiedUse, verify_use
from inkan.crypto.workers.pool import WorkersBusy
from inkan.wire.evidence import parse_evidence

T = TypeVar("T")

WAITING_LIMIT: Final = 64


class ReceiptDesk:
    """Judges receipts against the platform's own roots."""

    def __init__(self, anchors: Callable[[], Sequence[bytes]]) -> None:
        self._anchors = anchors
        self._turn = asyncio.Semaphore(1)
        self._waiting = 0

    async def verify(
        self, receipt: str, *, evidence: bytes | None = None, at: datetime | None = None
    ) -> Report:
        """The report of :func:`inkan.client.verify_receipt`.

        Args:
            receipt: the compact JWS.
            evidence: the bundle as JSON.
            at: the time asked about, aware; the moment of the release when None.

        Raises:
            WorkersBusy: too many wait already.
        """
        return await self._judge(partial(verify_receipt, receipt, evidence=evidence, at=at))

    async def verify_bundle(self, bundle: bytes) -> Report:
        """The report about the receipt that an evidence bundle holds, judged with all of it.

        Args:
            bundle: JSON.

        Raises:
            JSONTooLarge, EvidenceMalformed: it is none.
            WorkersBusy: too many wait already.
        """
        return await self._judge(partial(_verify_bundle, bundle))

    async def verify_use(self, proof: bytes) -> VerifiedUse:
        """See :func:`inkan.client.verify_use`, with what it raises.

        Args:
            proof: canonical JSON.

        Raises:
            WorkersBusy: too many wait already.
        """
        return await self._judge(partial(verify_use, proof))

    async def _judge(self, work: Callable[..., T]) -> T:
        if self._waiting >= WAITING_LIMIT:
            raise WorkersBusy(retry_after_s=1)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(work, anchors=self._anchors())
        finally:
            self._waiting -= 1


def _verify_bundle(bundle: bytes, anchors: Sequence[bytes]) -> Report:
    evidence = parse_evidence(bundle)
    return verify_receipt(evidence.receipt, anchors, evidence=evidence)
