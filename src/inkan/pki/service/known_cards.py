"""Cards of foreign authorities that bound something: their certificates say where their status is asked later."""

from datetime import datetime, timedelta
from typing import Any

from inkan.pki import store
from inkan.store.database import Database, Step
from inkan.store.sealing import SealedColumn, Sealer

CERTIFICATE = SealedColumn("pki_foreign_card", "certificate_sealed")
KEPT_AFTER_END = timedelta(days=400)
"""Longer than any phone certificate lives on after the card that it was bound with."""


class KnownCards:
    """Keeps certificates of foreign cards, sealed: they name their holders."""

    def __init__(self, *, db: Database, sealer: Sealer) -> None:
        self._db = db
        self._sealer = sealer

    async def keep(self, authority: str, serial: str, der: bytes, *, not_after: datetime) -> None:
        """Keep a certificate; the same one again changes nothing."""
        await self._db.transact(self._keep, authority, serial, der, not_after)

    async def find(self, authority: str, serial: str) -> bytes | None:
        """The certificate (DER), or None."""
        row = await self._db.read(_row, authority, serial)
        if row is None:
            return None
        return self._sealer.open(
            CERTIFICATE, _name(authority, serial), row.certificate_sealed
        ).reveal()

    def _keep(self, authority: str, serial: str, der: bytes, not_after: datetime) -> Step[None]:
        yield store.KEEP_FOREIGN_CARD.run(
            authority=authority,
            serial=serial,
            not_after=not_after,
            certificate_sealed=self._sealer.seal(CERTIFICATE, _name(authority, serial), der),
        )


def purge(now: datetime) -> Step[None]:
    """Step: forget cards that ended long ago."""
    yield store.PURGE_FOREIGN_CARDS.run(before=now - KEPT_AFTER_END)


def _name(authority: str, serial: str) -> str:
    return f"{authority}:{serial}"


def _row(authority: str, serial: str) -> Step[Any]:
    return (yield store.FOREIGN_CARD.one(authority=authority, serial=serial))
