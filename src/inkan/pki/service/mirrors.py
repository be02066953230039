"""The full list of a sharded authority and its delta, for banks and agencies that mirror everything.

Both stand at addresses of their own, which no certificate names: a verifier reads a shard. The full list names its
delta (FreshestCRL stands in the list, because verifiers pass over one that stands in a certificate alone), the
delta repeats everything that changed since the full list was read, and both count in one sequence
(RFC 5280 §5.2.3, §5.2.4). They are made when first asked for, and from then on by the schedule.

A full list may have 100 MB: its entries are read shard by shard, its bytes are stored in pieces and served piece by
piece. The list before the present one is kept, for whoever is in the middle of reading it.
"""

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from inkan.audit import Audit
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.crl_encoding import CRLFrame, encode_parts
from inkan.crypto.foreign_keys import executor_of
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import PrivateKey
from inkan.kernel.clock import EPOCH
from inkan.kernel.errors import Unavailable
from inkan.pki import store
from inkan.pki.model import Authority, AuthorityUnknown, Role
from inkan.pki.rules import (
    BASE_EVERY,
    BASE_LIFE,
    COMMIT_DELAY,
    DELTA_EVERY,
    DELTA_LIFE,
    DELTA_PAUSE,
    MirrorKind,
)
from inkan.pki.service.hierarchy import Hierarchy
from inkan.pki.service.key_uses import done, intended
from inkan.pki.service.lists import Entries, join_entries, shard_entries
from inkan.store.database import MOMENT, Database, Step

PIECE = 1024 * 1024
SECOND = timedelta(seconds=1)
_LIVES = {MirrorKind.BASE: BASE_LIFE, MirrorKind.DELTA: DELTA_LIFE}
_EVERY = {MirrorKind.BASE: BASE_EVERY, MirrorKind.DELTA: DELTA_EVERY}


class ListPending(Unavailable):
    """The list is being made in another process, or was replaced while it was read."""

    code = "list_pending"
    title = "The revocation list is being made; try again in a minute"


class MirrorList(msgspec.Struct, frozen=True):
    """A list in force.

    Attributes:
        size: octets of the DER.
        tag: names these very bytes.
        pieces: yields them, once.
    """

    size: int
    tag: str
    this_update: datetime
    pieces: AsyncGenerator[bytes, None]


class Mirrors:
    """Full lists and deltas."""

    def __init__(self, *, db: Database, audit: Audit, hierarchy: Hierarchy) -> None:
        self._db = db
        self._audit = audit
        self._hierarchy = hierarchy
        self._turns: dict[tuple[str, MirrorKind], asyncio.Lock] = {}

    async def current(self, name: str, kind: MirrorKind) -> MirrorList:
        """The list in force; made now when there is none or it grows old.

        Raises:
            AuthorityUnknown: not the name of an issuing authority.
        """
        authority = self._hierarchy.get(name)
        if authority.role is not Role.ISSUING:
            raise AuthorityUnknown()
        row = await self._in_force(authority, kind)
        if row is None:
            raise ListPending
        return MirrorList(
            size=row.size,
            tag=f"{kind}-{row.number}",
            this_update=row.this_update,
            pieces=self._pieces(row),
        )

    async def refresh(self) -> int:
        """Make every list again that is due and was ever asked for; returns how many."""
        rows = await self._db.read(_all)
        done = 0
        for row in rows:
            authority = self._hierarchy.find(row.authority)
            if authority is not None and row.number and await self._is_due(row):
                await self._in_force(authority, MirrorKind(row.kind))
                done += 1
        return done

    async def _in_force(self, authority: Authority, kind: MirrorKind) -> Any:
        row = await self._db.read(_find, authority.name, kind)
        if row is not None and not await self._is_due(row):
            return row
        async with self._turns.setdefault((authority.name, kind), asyncio.Lock()):
            row = await self._db.read(_find, authority.name, kind)
            if row is None or await self._is_due(row):
                await self._make(authority, kind)
                row = await self._db.read(_find, authority.name, kind)
        return row if row.number else None

    async def _is_due(self, row: Any) -> bool:
        kind = MirrorKind(row.kind)
        now = self._db.now()
        if not row.number or now >= row.this_update + _EVERY[kind]:
            return True
        if kind is MirrorKind.BASE:
            return False
        return await self._db.read(_is_behind, row, is_rested=now >= row.read_at + DELTA_PAUSE)

    async def _make(self, authority: Authority, kind: MirrorKind) -> None:
        base = None
        if kind is MirrorKind.DELTA:
            base = await self._in_force(authority, MirrorKind.BASE)
            if base is None:
                raise ListPending
        taken = await self._db.transact(_take, authority.name)
        if base is None:
            since = taken.this_update or EPOCH
            entries = await self._db.scan(_read_all, authority.name, authority.crl_shards, since)
        else:
            entries = await self._db.scan(_read_changed, authority.name, base)
        number = taken.taken
        frame = self._frame(authority, number, entries.read_at, base)
        key = self._hierarchy.key_of(authority, KeyPurpose.CRL)
        what = f"{kind.value} list number {number}"
        await self._db.transact(intended, self._audit, authority.name, what)
        parts = await asyncio.get_running_loop().run_in_executor(
            executor_of(key), _signed, authority, frame, entries, key
        )
        await self._db.transact(done, self._audit, authority.name, what, b"".join(parts))
        await self._keep(authority.name, kind, frame, entries, parts)

    def _frame(self, authority: Authority, number: int, read_at: datetime, base: Any) -> CRLFrame:
        kind = MirrorKind.BASE if base is None else MirrorKind.DELTA
        # A full list and a delta of the same second would need the same number (RFC 5280 §5.2.3), so a full
        # list is dated a second back; what it says was true then, and is true now.
        this_update = read_at.replace(microsecond=0) - (SECOND if base is None else 0 * SECOND)
        return CRLFrame(
            number=number,
            this_update=this_update,
            next_update=this_update + _LIVES[kind],
            base_number=None if base is None else base.number,
            freshest=self._hierarchy.urls.delta(authority.name) if base is None else None,
        )

    async def _keep(
        self, name: str, kind: MirrorKind, frame: CRLFrame, entries: Entries, der: Sequence[bytes]
    ) -> None:
        """Store the pieces, each in a transaction of its own, and then name them the list in force."""
        for position, piece in enumerate(_cut(der)):
            await self._db.transact(_store_piece, name, kind, frame.number, position, piece)
        size = sum(map(len, der))
        await self._db.transact(_store, name, kind, frame, entries, size)

    async def _pieces(self, row: Any) -> AsyncGenerator[bytes, None]:
        for position in range(-(-row.size // PIECE)):
            yield await self._db.read(_piece, row, position)


def _signed(
    authority: Authority, frame: CRLFrame, entries: Entries, key: PrivateKey
) -> tuple[bytes, ...]:
    issuer = parse_certificate(authority.certificate)
    return encode_parts(frame, entries.parts, issuer=issuer, key=key)


def _cut(der: Sequence[bytes]) -> Iterator[bytes]:
    """The octets of ``der`` in pieces of one size, the last one shorter."""
    rest = bytearray()
    for part in der:
        view = memoryview(part)
        start = 0
        while len(rest) + len(view) - start >= PIECE:
            end = start + PIECE - len(rest)
            yield bytes(rest) + view[start:end]
            rest.clear()
            start = end
        rest += view[start:]
    if rest:
        yield bytes(rest)


def _all() -> Step[list[Any]]:
    rows: list[Any] = yield store.MIRRORS.all()
    return rows


def _find(name: str, kind: MirrorKind) -> Step[Any]:
    return (yield store.MIRROR.one(authority=name, kind=kind.value))


def _is_behind(row: Any, *, is_rested: bool) -> Step[bool]:
    """Whether there is a newer full list, or something changed since a delta that is not of this very minute."""
    base = yield store.MIRROR.one(authority=row.authority, kind=MirrorKind.BASE.value)
    if base.number > row.base_number:
        return True
    if not is_rested:
        return False
    since = row.read_at - COMMIT_DELAY
    changed = yield store.CHANGE_SINCE.one(authority=row.authority, changed_since=since)
    return changed is not None


def _take(name: str) -> Step[Any]:
    for kind in MirrorKind:
        yield store.INSERT_MIRROR.run(
            authority=name,
            kind=kind.value,
            taken=0,
            number=0,
            base_number=0,
            read_at=None,
            this_update=None,
            next_update=None,
            entries=0,
            size=0,
        )
    return (yield store.TAKE_MIRROR_NUMBER.one(authority=name, kind=MirrorKind.BASE.value))


def _read_all(name: str, shards: int, since: datetime) -> Step[Entries]:
    """The entries of all shards, a shard at a time."""
    moment = yield MOMENT
    parts: list[bytes] = []
    total = 0
    for shard in range(shards):
        count, joined = yield from shard_entries(name, shard, since)
        parts.append(joined)
        total += count
    return Entries(read_at=moment, count=total, parts=parts)


def _read_changed(name: str, base: Any) -> Step[Entries]:
    """What changed since the full list was read, and what may have been committed late (RFC 5280 §5.2.4)."""
    moment = yield MOMENT
    rows = yield store.CHANGED_ENTRIES.all(
        authority=name, changed_since=base.read_at - COMMIT_DELAY, since=base.this_update
    )
    joined = yield from join_entries(name, rows)
    return Entries(read_at=moment, count=len(rows), parts=(joined,))


def _store_piece(
    name: str, kind: MirrorKind, number: int, position: int, piece: bytes
) -> Step[None]:
    yield store.INSERT_PIECE.run(
        authority=name, kind=kind.value, number=number, position=position, piece=piece
    )


def _store(name: str, kind: MirrorKind, frame: CRLFrame, entries: Entries, size: int) -> Step[None]:
    before = yield store.MIRROR.one(authority=name, kind=kind.value)
    yield store.STORE_MIRROR.run(
        authority=name,
        kind=kind.value,
        new_number=frame.number,
        new_base_number=frame.base_number or 0,
        new_read_at=entries.read_at,
        new_this_update=frame.this_update,
        new_next_update=frame.next_update,
        new_entries=entries.count,
        new_size=size,
    )
    yield store.PURGE_PIECES.run(authority=name, kind=kind.value, kept=before.number)


def _piece(row: Any, position: int) -> Step[bytes]:
    found = yield store.PIECE.one(
        authority=row.authority, kind=row.kind, number=row.number, position=position
    )
    if found is None:
        raise ListPending("it was replaced twice while it was read")
    return bytes(found.piece)
