"""Where the status of cards is asked: the register of the authorities that this instance runs."""

from inkan.kernel.errors import InkanError
from inkan.pki.model import (
    Authority,
    CardState,
    CardStatus,
    CertificateState,
    CertificateStatus,
    RevocationEvidence,
    StatusUnavailable,
)
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.lists import Lists
from inkan.pki.service.status import Status
from inkan.store.database import Database

_STATES = {
    CertificateState.VALID: CardState.GOOD,
    CertificateState.SUSPENDED: CardState.SUSPENDED,
    CertificateState.REVOKED: CardState.REVOKED,
}


class OwnRegister:
    """The status source of authorities that this instance runs: its own rows, in the same database."""

    def __init__(self, *, db: Database, hierarchy: Hierarchy, lists: Lists, status: Status) -> None:
        self._db = db
        self._hierarchy = hierarchy
        self._lists = lists
        self._status = status

    async def status(
        self, authority: Authority, serial: str, certificate: bytes | None
    ) -> CardStatus:
        """The status of a serial now.

        Raises:
            StatusUnavailable: the register cannot be read, or never issued this serial.
        """
        try:
            found = await self._db.read(self._status.by_serial, authority.name, serial)
        except InkanError as failure:
            raise StatusUnavailable(str(failure)) from None
        if found is None or found.state not in _STATES:
            raise StatusUnavailable("the register does not hold this serial")
        return _card_status(found, at_end=found.not_after < self._db.now(), db=self._db)

    async def evidence(
        self, authority: Authority, serial: str, certificate: bytes
    ) -> RevocationEvidence:
        """The list that covers the serial, and the root's list that covers its issuer."""
        shard = int(serial, 16) % authority.crl_shards
        own = await self._lists.current(authority.name, shard)
        return RevocationEvidence(ocsp=(), crls=(own, await self._lists.current(authority.parent)))


def _card_status(found: CertificateStatus, *, at_end: bool, db: Database) -> CardStatus:
    state = _STATES[found.state]
    if state is CardState.GOOD and at_end:
        state = CardState.EXPIRED
    since = {CardState.GOOD: None, CardState.EXPIRED: found.not_after}
    return CardStatus(
        state=state,
        reason=found.reason,
        at=db.now(),
        since=since.get(state, found.changed_at),
    )
