"""Receipts that anybody shows: judged by the very code that relying parties run offline (``inkan.client``).

The artefacts in the evidence are small and read by the structural gates that every certificate passes
(``crypto.certificates``, ``crypto.crl``, ``crypto.ocsp_response``), which know no document formats; the route admits
512 KiB of them. A check takes some milliseconds of signatures, off the event loop, one at a time: whoever sends many
waits, and the sessions of others do not.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from inkan.client import Report, verify_receipt
from inkan.crypto.workers.pool import WorkersBusy

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
        if self._waiting >= WAITING_LIMIT:
            raise WorkersBusy(retry_after_s=1)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(
                    verify_receipt, receipt, self._anchors(), evidence=evidence, at=at
                )
        finally:
            self._waiting -= 1
