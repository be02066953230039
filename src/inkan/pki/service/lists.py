"""Revocation lists: signed again when something changed or half their life is over, served as stored bytes.

The number is taken and the entries are read in one transaction; the signature is made after it and stored
only if no later list was begun meanwhile. The last list stays in force until a new one is stored.
"""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec

from inkan.audit import Audit
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.crl import CRLContents, CRLEntry, CRLScope, build_crl
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.path import Revocation, RevocationReason
from inkan.pki import store
from inkan.pki.model import Authority, AuthorityUnknown, Role
from inkan.pki.rules import CRL_KEEP
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.key_uses import done, intended
from inkan.store.database import MOMENT, Database, Step

ARL_LIFE = timedelta(days=400)


class _Begun(msgspec.Struct, frozen=True):
    """A list whose number is taken and whose entries are read."""

    number: int
    at: datetime
    entries: list[CRLEntry]


class Lists:
    """The CRLs of every authority, and the root's list of authorities."""

    def __init__(
        self, *, db: Database, audit: Audit, hierarchy: Hierarchy, life: timedelta
    ) -> None:
        self._db = db
        self._audit = audit
        self._hierarchy = hierarchy
        self._life = life
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    async def current(self, name: str, shard: int = 0) -> bytes:
        """The list in force, as DER; signed now when it is dirty or past half its life.

        Raises:
            AuthorityUnknown: no such authority or shard.
        """
        authority = self._hierarchy.get(name)
        if authority.role not in (Role.ROOT, Role.ISSUING) or shard >= authority.crl_shards:
            raise AuthorityUnknown()
        row = await self._db.read(_find, name, shard)
        if row.der is not None and not self._is_due(row):
            return bytes(row.der)
        async with self._turns.setdefault((name, shard), asyncio.Lock()):
            row = await self._db.read(_find, name, shard)
            if row.der is not None and not self._is_due(row):
                return bytes(row.der)
            return await self._sign(authority, shard)

    async def refresh(self) -> int:
        """Sign every list that is due again; returns how many (design §6 Status: within 60 s)."""
        rows = await self._db.scan(_all)
        due = [row for row in rows if self._is_due(row)]
        for row in due:
            await self.current(row.authority, row.shard)
        return len(due)

    def _is_due(self, row: Any) -> bool:
        if row.dirty or row.this_update is None:
            return True
        half = (row.next_update - row.this_update) / 2
        return bool(self._db.now() >= row.this_update + half)

    async def _sign(self, authority: Authority, shard: int) -> bytes:
        begun = await self._db.transact(self._begin, authority.name, shard)
        root = authority.role is Role.ROOT
        sharded = authority.crl_shards > 1
        url = self._hierarchy.urls.crl(authority.name, shard=shard, shards=authority.crl_shards)
        this_update = begun.at.replace(microsecond=0)
        contents = CRLContents(
            number=begun.number,
            this_update=this_update,
            next_update=this_update + (ARL_LIFE if root else self._life),
            entries=begun.entries,
            distribution_point=url if sharded else None,
            scope=CRLScope.AUTHORITIES if root else CRLScope.ALL,
        )
        issuer = parse_certificate(authority.certificate)
        key = self._hierarchy.key_of(authority, KeyPurpose.CRL)
        build = partial(build_crl, contents, issuer=issuer, key=key)
        der = await signing(key, build)
        return await self._db.transact(self._store, authority.name, shard, contents, der)

    def _begin(self, name: str, shard: int) -> Step[_Begun]:
        moment = yield MOMENT
        row = yield store.TAKE_NUMBER.one(authority=name, shard=shard)
        yield from intended(self._audit, name, f"list {shard} number {row.number}")
        # RFC 5280 §3.3: an entry stays until one list past its certificate's term.
        listed = yield store.LISTED.all(authority=name, shard=shard, kept_until=moment - CRL_KEEP)
        return _Begun(number=row.number, at=moment, entries=[_entry(each) for each in listed])

    def _store(self, name: str, shard: int, contents: CRLContents, der: bytes) -> Step[bytes]:
        """The list in force after it: a rival's with a higher number stays, so that numbers never go back."""
        stored = yield store.STORE_CRL.run(
            authority=name,
            shard=shard,
            number=contents.number,
            new_der=der,
            new_this_update=contents.this_update,
            new_next_update=contents.next_update,
        )
        yield from done(self._audit, name, f"list {shard} number {contents.number}", der)
        row = yield store.CRL.one(authority=name, shard=shard)
        return der if stored or row.der is None else bytes(row.der)


def _find(name: str, shard: int) -> Step[Any]:
    row = yield store.CRL.one(authority=name, shard=shard)
    if row is None:
        raise AuthorityUnknown()
    return row


def _all() -> Step[list[Any]]:
    rows: list[Any] = yield store.CRLS.all()
    return rows


def _entry(row: Any) -> CRLEntry:
    reason = RevocationReason(row.reason) if row.reason else RevocationReason.UNSPECIFIED
    revocation = Revocation(revoked_at=row.changed_at.replace(microsecond=0), reason=reason)
    return CRLEntry(serial=int(row.serial, 16), revocation=revocation)
