"""The signer of receipts: after COMMIT, beside the requests, many by one COMMIT of their own.

The answer of a phone rests on the receipt's payload, which its transaction has stored; nobody who has heard it
waits for the signature. So the receipts of one moment are signed and stored together (ADR 0009). What a crash
or an unreachable key leaves unsigned, a sweep signs (ADR 0008), and a read that comes first signs at once.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime

from inkan.identification import store
from inkan.identification.model import ConsentWithdrawn
from inkan.identification.service.parts import read_session
from inkan.identification.service.tally import Tally
from inkan.kernel.errors import InkanError
from inkan.pki import PKI
from inkan.store.database import Database, Step
from inkan.web.log import get_logger

Unsigned = tuple[str, bytes]
"""A session's id and the payload of its receipt."""

_log = get_logger("inkan.identification")


class ReceiptSigner:
    """Signs payloads and stores the receipts by compare-and-set: the first signature stays."""

    def __init__(self, *, db: Database, pki: PKI, tally: Tally) -> None:
        self._db = db
        self._pki = pki
        self._tally = tally
        self._waiting: list[Unsigned] = []
        self._work: asyncio.Task[None] | None = None

    def take(
        self, session_id: str, payload: bytes, *, veiled_until: datetime | None = None
    ) -> None:
        """Sign this payload soon; what waits while a batch is being stored makes the next one.

        Called once for each release; ``veiled_until`` is when the relying party sees an end that it must not know.
        """
        if veiled_until is None:
            self._tally.released(payload)
        else:
            self._tally.expired(seen_at=veiled_until)
        self._waiting.append((session_id, payload))
        if self._work is None or self._work.done():
            self._work = asyncio.get_running_loop().create_task(self._work_off())

    async def finish(self) -> None:
        """Return when nothing waits any more; called before the database closes."""
        if self._work is not None:
            await self._work

    async def sign_now(self, session_id: str, payload: bytes) -> str:
        """Sign and store one receipt; when another signature was first, that one is returned.

        Raises:
            ConsentWithdrawn: the person took back what it would give.
        """
        jws = await self._pki.sign_receipt(payload)
        return await self._db.transact(_store, session_id, jws)

    async def sign_unsigned(self) -> int:
        """Sign what was left unsigned, 500 receipts at a time (design §5.3 Release); returns how many.

        A receipt that is being signed this very moment may be among them: the first signature stays.
        """
        unsigned = await self._db.scan(_unsigned)
        await self._sign(unsigned)
        return len(unsigned)

    async def _work_off(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._sign(batch)
            except InkanError as error:
                # Nothing is lost: the payloads are stored, and the sweep comes by within seconds
                _log.warning("receipts_left_unsigned", count=len(batch), code=error.code)

    async def _sign(self, batch: Sequence[Unsigned]) -> None:
        signed = [
            (session_id, await self._pki.sign_receipt(payload)) for session_id, payload in batch
        ]
        await self._db.transact(_store_all, signed)


def _store(session_id: str, jws: str) -> Step[str]:
    stored = yield store.SIGNED.run(key=session_id, new_receipt=jws)
    if stored:
        return jws
    session = read_session((yield store.BY_ID.one(key=session_id)))
    assert session is not None
    if session.receipt is None:
        # Its payload is gone: the person took the consent back while it was being signed.
        raise ConsentWithdrawn()
    return session.receipt


def _store_all(signed: Sequence[tuple[str, str]]) -> Step[None]:
    yield store.SIGNED.many(
        [{"key": session_id, "new_receipt": jws} for session_id, jws in sorted(signed)]
    )


def _unsigned() -> Step[list[Unsigned]]:
    rows = yield store.UNSIGNED.all()
    return [(row.id, row.receipt_payload) for row in rows]
