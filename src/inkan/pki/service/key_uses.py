"""What the keys did, in the audit: a row before and after each use of a CA key, counts for all others.

A CA key signs little and weighs much, so each use has its intent and its end (:func:`intended`, :func:`done`); for
certificates the issuance machine writes both itself. Keys that sign all day (answers, receipts, tokens) would drown the
log by that; each minute writes one row for each of them: how many it signed, how many were refused, and a hash chain
over what it signed.
"""

import hashlib

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import base64url
from inkan.crypto.key_guard import KeyUses
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.key_ring import KeyRing
from inkan.kernel.ids import EventID, new_id
from inkan.pki import store
from inkan.store.database import MOMENT, Database, Step

PLATFORM = Actor(ActorKind.PLATFORM, "pki")


def intended(audit: Audit, authority: str, what: str) -> Step[EventID]:
    """Step: a CA key is about to sign; to be committed before it does."""
    return audit.record(
        "pki.ca_key_intended", actor=PLATFORM, object=authority, details={"what": what}
    )


def done(audit: Audit, authority: str, what: str, der: bytes) -> Step[EventID]:
    """Step: a CA key signed; in the transaction that stores the result."""
    digest = base64url.encode(hashlib.sha256(der).digest())
    return audit.record(
        "pki.ca_key_used",
        actor=PLATFORM,
        object=authority,
        details={"what": what, "sha256": digest},
    )


class KeyUseLog:
    """Writes down what guarded keys counted."""

    def __init__(self, *, db: Database, audit: Audit, keys: KeyProvider) -> None:
        """Count the uses of ``keys``; only a ring counts any."""
        self._db = db
        self._audit = audit
        self._keys = keys

    async def record(self) -> int:
        """Write a row for every key that was used since the last call; returns how many."""
        if not isinstance(self._keys, KeyRing):
            return 0
        # Heads are their own record; counting them would make an event, and so a head, in every minute for ever.
        taken = self._keys.take_uses()
        uses = [each for each in taken if each.purpose is not KeyPurpose.AUDIT_HEAD]
        if not uses:
            return 0
        try:
            await self._db.transact(self._store, uses)
        except BaseException:
            self._keys.put_back(uses)
            raise
        return len(uses)

    def _store(self, uses: list[KeyUses]) -> Step[None]:
        moment = yield MOMENT
        for each in uses:
            chain = base64url.encode(each.chain)
            event = yield from self._audit.record(
                "pki.keys_counted",
                actor=PLATFORM,
                details={
                    "label": each.label,
                    "purpose": each.purpose.value,
                    "signed": each.signed,
                    "refused": each.refused,
                    "chain": chain,
                },
            )
            yield store.INSERT_KEY_USE.run(
                id=new_id("use"),
                key_label=each.label,
                purpose=each.purpose.value,
                until=moment,
                signed=each.signed,
                refused=each.refused,
                chain=chain,
                event_id=event,
            )
