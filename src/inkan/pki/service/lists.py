"""Revocation lists: signed again when something changed or they grow old, served as stored bytes.

Every issuing authority has a fixed number of shards, each a list of its own; a root has one list, of authorities.
Plan for each list:

1. take its number, which clears the mark that something changed, in a transaction;
2. read its entries, which are written already, in one state of the database that is not older than 1;
3. sign, outside of any transaction;
4. store it, unless a list with a higher number is stored by now.

A list counts as due while its last number taken is not stored: a crash between 1 and 4 loses no revocation, and a
rival in another process at most signs twice. An entry is left out once a list was dated after its certificate's
term (RFC 5280 §3.3). A shard that is empty is signed when it is asked for and never by the sweep.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

import msgspec

from inkan.audit import Audit
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.crl_encoding import CRLFrame, CRLScope, encode_crl, encode_entry
from inkan.crypto.foreign_keys import signing
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.path import RevocationReason
from inkan.kernel.clock import EPOCH
from inkan.pki import store
from inkan.pki.model import Authority, AuthorityUnknown, KeyOffline, Role
from inkan.pki.rules import ARL_LIFE, SPREAD
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.key_uses import done, intended
from inkan.store.database import MOMENT, Database, Step

SIGNS_LISTS = frozenset({Role.ROOT, Role.BRIDGE, Role.ISSUING})
BATCH = 64
"""How many shards the sweep takes through the plan together."""


class Entries(msgspec.Struct, frozen=True):
    """The entries of one list as they will be written, and when they were read."""

    read_at: datetime
    count: int
    parts: Sequence[bytes]


class ListState(msgspec.Struct, frozen=True):
    """How the lists of one authority stand.

    Attributes:
        authority: its name.
        lists: how many were signed or marked so far; an empty shard is signed when it is first asked for.
        changed: lists with a change that is not signed yet.
        late: lists with entries whose nextUpdate has passed.
        newest: when the newest one was signed; None before the first.
    """

    authority: str
    lists: int
    changed: int
    late: int
    newest: datetime | None


class Lists:
    """The lists of every authority, and the root's list of authorities."""

    def __init__(
        self, *, db: Database, audit: Audit, hierarchy: Hierarchy, life: timedelta
    ) -> None:
        self._db = db
        self._audit = audit
        self._hierarchy = hierarchy
        self._life = life
        self._turns: dict[tuple[str, int], asyncio.Lock] = {}

    async def current(self, name: str, shard: int = 0) -> bytes:
        """The list in force, as DER; signed now when something changed or it grows old.

        The list of an offline authority is the one that the last ceremony signed.

        Raises:
            AuthorityUnknown: no such authority or shard.
            KeyOffline: an offline authority of which no ceremony has signed a list.
        """
        authority = self._hierarchy.get(name)
        if authority.role not in SIGNS_LISTS or shard >= authority.crl_shards:
            raise AuthorityUnknown()
        row = await self._db.read(_find, name, shard)
        if row.der is not None and (
            not self._hierarchy.can_sign(authority) or not self._is_due(row)
        ):
            return bytes(row.der)
        async with self._turns.setdefault((name, shard), asyncio.Lock()):
            row = await self._db.read(_find, name, shard)
            if row.der is not None and not self._is_due(row):
                return bytes(row.der)
            (der,) = await self._sign(authority, [shard])
            return der

    async def refresh(self) -> int:
        """Sign every list with changes, and every list with entries that grows old; returns how many.

        A schedule's work (design §6 Status: within 60 s).
        """
        rows = await self._db.scan(_all)
        due: dict[str, list[int]] = {}
        for row in rows:
            if (row.dirty or row.entries or row.listed != row.number) and self._is_due(row):
                due.setdefault(row.authority, []).append(row.shard)
        for name, shards in due.items():
            authority = self._hierarchy.find(name)
            if authority is None or not self._hierarchy.can_sign(authority):
                continue
            for start in range(0, len(shards), BATCH):
                await self._sign(authority, shards[start : start + BATCH])
        return sum(map(len, due.values()))

    async def states(self) -> list[ListState]:
        """How the lists of each authority stand, by its name."""
        rows = await self._db.scan(_all)
        now = self._db.now()
        found = []
        for name, group in groupby(rows, key=lambda row: row.authority):
            listed = list(group)
            signed = [row.this_update for row in listed if row.this_update is not None]
            late = [
                row for row in listed if row.entries and row.this_update and row.next_update < now
            ]
            state = ListState(
                authority=name,
                lists=len(listed),
                changed=sum(bool(row.dirty) for row in listed),
                late=len(late),
                newest=max(signed, default=None),
            )
            found.append(state)
        return found

    def _is_due(self, row: Any) -> bool:
        if row.dirty or row.listed != row.number or row.this_update is None:
            return True
        half = (row.next_update - row.this_update) / 2
        return bool(self._db.now() >= row.this_update + half * (1 - SPREAD * _place(row.shard)))

    async def sign_offline(self) -> None:
        """Sign the list of every authority whose offline key store is open; a ceremony's work."""
        for authority in self._hierarchy:
            if authority.is_offline and self._hierarchy.can_sign(authority):
                await self._sign(authority, list(range(authority.crl_shards)))

    async def _sign(self, authority: Authority, shards: Sequence[int]) -> list[bytes]:
        """The lists in force of these shards, signed now, in their order."""
        if not self._hierarchy.can_sign(authority):
            raise KeyOffline(authority.name)
        what = f"lists {shards[0]} to {shards[-1]}"
        taken = await self._db.transact(_take, self._audit, authority.name, shards, what)  # 1
        read = await self._db.scan(_read, authority.name, taken)  # 2
        made = [
            (self._frame(authority, row.shard, row.number, entries), entries)
            for row, entries in zip(taken, read, strict=True)
        ]
        issuer = parse_certificate(authority.certificate)
        key = self._hierarchy.key_of(authority, KeyPurpose.CRL)

        def sign() -> list[tuple[CRLFrame, Entries, bytes]]:
            return [
                (frame, entries, encode_crl(frame, entries.parts, issuer=issuer, key=key))
                for frame, entries in made
            ]

        signed = await signing(key, sign)  # 3
        return await self._db.transact(
            _store, self._audit, authority.name, list(shards), signed, what
        )  # 4

    def _frame(self, authority: Authority, shard: int, number: int, entries: Entries) -> CRLFrame:
        is_root = authority.role is not Role.ISSUING
        url = self._hierarchy.urls.crl(authority.name, shard=shard, shards=authority.crl_shards)
        this_update = entries.read_at.replace(microsecond=0)
        return CRLFrame(
            number=number,
            this_update=this_update,
            next_update=this_update + (ARL_LIFE if is_root else self._life),
            distribution_point=url if authority.crl_shards > 1 else None,
            scope=CRLScope.AUTHORITIES if is_root else CRLScope.ALL,
        )


def _place(shard: int) -> float:
    """Where a shard stands in the spread of an authority's shards, 0 to 1: neighbours lie far apart."""
    return (shard * 389 % 1024) / 1024


def shard_entries(name: str, shard: int, since: datetime) -> Step[tuple[int, bytes]]:
    """Step: how many entries the list of a shard has whose last one was dated ``since``, and their octets."""
    found = yield store.SHARD_ENTRIES.one(authority=name, shard=shard, since=since)
    if found.count == found.written:
        return found.count, bytes.fromhex(found.joined or "")
    rows = yield store.ENTRIES.all(authority=name, shard=shard, since=since)
    return len(rows), (yield from join_entries(name, rows))


def join_entries(name: str, rows: Sequence[Any]) -> Step[bytes]:
    """Step: the entries of an authority's rows, one after the other."""
    joined = bytearray()
    for row in rows:
        joined += row.entry or (yield from _write(name, row))
    return bytes(joined)


def _write(name: str, row: Any) -> Step[bytes]:
    """Step: the entry of a row that is older than the column for it."""
    found = yield store.UNWRITTEN_ENTRY.one(authority=name, shard=row.shard, serial=row.serial)
    reason = RevocationReason(found.reason or RevocationReason.UNSPECIFIED)
    at = found.changed_at.replace(microsecond=0)
    return encode_entry(int(row.serial, 16), at=at, reason=reason)


class _Taken(msgspec.Struct, frozen=True):
    shard: int
    number: int
    since: datetime


def _find(name: str, shard: int) -> Step[Any]:
    row = yield store.CRL.one(authority=name, shard=shard)
    if row is None:
        raise AuthorityUnknown()
    return row


def _all() -> Step[list[Any]]:
    rows: list[Any] = yield store.CRLS.all()
    return rows


def _take(audit: Audit, name: str, shards: Sequence[int], what: str) -> Step[list[_Taken]]:
    yield from intended(audit, name, what)
    taken = []
    for shard in shards:
        row = yield store.TAKE_NUMBER.one(authority=name, shard=shard)
        since = row.this_update or EPOCH
        taken.append(_Taken(shard=shard, number=row.number, since=since))
    return taken


def _read(name: str, taken: Sequence[_Taken]) -> Step[list[Entries]]:
    moment = yield MOMENT
    read = []
    for each in taken:
        count, joined = yield from shard_entries(name, each.shard, each.since)
        read.append(Entries(read_at=moment, count=count, parts=(joined,)))
    return read


def _store(
    audit: Audit,
    name: str,
    shards: Sequence[int],
    signed: Sequence[tuple[CRLFrame, Entries, bytes]],
    what: str,
) -> Step[list[bytes]]:
    """The lists in force after it: a rival's with a higher number stays, so that numbers never go back."""
    yield from done(audit, name, what, b"".join(der for _, _, der in signed))
    in_force = []
    for shard, (frame, entries, der) in zip(shards, signed, strict=True):
        stored = yield store.STORE_CRL.run(
            authority=name,
            shard=shard,
            new_listed=frame.number,
            new_entries=entries.count,
            new_der=der,
            new_this_update=frame.this_update,
            new_next_update=frame.next_update,
        )
        row = None if stored else (yield store.CRL.one(authority=name, shard=shard))
        in_force.append(der if row is None else bytes(row.der))
    return in_force
