"""Giving committed events their index, and signing how far the log has come.

One sequencer works at a time (the schedule's lease), and a rival that slips in anyway loses: whatever it writes
hangs on a compare-and-set of the tip. Hashes are computed between a read and a short write, so that the one
writer of SQLite waits for rows and not for arithmetic.
"""

import logging
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from inkan.audit import store
from inkan.audit.model import GENESIS, NO_HEAD, AuditLogBroken, Head
from inkan.audit.rules import (
    BATCH,
    HEAD_EVERY,
    HEAD_EVERY_EVENTS,
    TILE_WIDTH,
    Edge,
    Place,
    open_tiles,
    tile_counts,
)
from inkan.audit.service.events import Macs
from inkan.audit.service.heads import hash_of, head_of
from inkan.audit.service.signing import LogSigner
from inkan.crypto import base64url, jcs
from inkan.crypto.merkle import HASH_SIZE, leaf_hash
from inkan.kernel.clock import rfc3339
from inkan.store.database import Database, Step
from inkan.store.plan import Row
from inkan.store.query import Call
from inkan.wire.audit_log import HEAD_TYP, HeadPayload

_log = logging.getLogger(__name__)

_LOWEST: Final = -(2**63)


class Tip(NamedTuple):
    """How far the log has come: events and their last chain value, heads and the hash of the last."""

    size: int
    chain: bytes
    heads: int
    head_hash: bytes


_START = Tip(0, GENESIS, 0, NO_HEAD)


class View(NamedTuple):
    """What one look of the sequencer saw."""

    tip: Tip
    is_new: bool
    tiles: dict[Place, bytes]
    pending: list[Row]
    last_head: Head | None


class Sequencer:
    """The one writer of indices, tiles, heads and the tip."""

    def __init__(self, *, db: Database, macs: Macs, head_signer: LogSigner) -> None:
        """Work on ``db`` and sign heads with ``head_signer``."""
        self._db = db
        self._macs = macs
        self._signer = head_signer
        self._refused: set[str] = set()

    async def sequence(self) -> int:
        """Give every committed event its index and return how many got one.

        Raises:
            AuditLogBroken: the stored state contradicts itself; nothing was written.
        """
        done, after = 0, ""
        while True:
            view = await self._db.read(self._look, after)
            if not view.pending:
                return done
            moved = await self._append(view)
            if moved is None:
                return done
            done += moved
            after = view.pending[-1].id

    async def sign_head(self, *, due_only: bool) -> Head | None:
        """Sign the present size, unless the newest head has it already; return the newest head.

        Args:
            due_only: sign only when a minute has passed or a thousand events have come since the last head.

        Raises:
            AuditLogBroken: as :meth:`sequence`.
        """
        view = await self._db.read(self._look, "")
        tip, last = view.tip, view.last_head
        if tip.size == (last.size if last else 0) or (due_only and not self._is_due(view)):
            return last
        payload = HeadPayload(
            v=1,
            number=tip.heads,
            size=tip.size,
            root=base64url.encode(Edge(tip.size, view.tiles).root()),
            at=rfc3339(self._db.now()),
            previous=base64url.encode(tip.head_hash),
        )
        jws = await self._signer.sign(jcs.canonical(payload), typ=HEAD_TYP)
        new = tip._replace(heads=tip.heads + 1, head_hash=hash_of(jws))
        return head_of(jws) if await self._db.transact(self._put_head, tip, new, jws) else last

    def _is_due(self, view: View) -> bool:
        if view.last_head is None:
            return True
        fresh = view.tip.size - view.last_head.size
        return fresh >= HEAD_EVERY_EVENTS or self._db.now() - view.last_head.at >= HEAD_EVERY

    def _look(self, after: str) -> Step[View]:
        """What there is to do after the event ``after``; what a rival changes meanwhile fails the write."""
        row = yield store.READ_TIP.one()
        if row is None and (yield from _has_begun()):
            row = yield store.READ_TIP.one()
            if row is None:
                raise AuditLogBroken("the tip is missing")
        tip = self._verified(row) if row else _START
        pending = yield store.PENDING.all(after=after, count=BATCH)
        tiles = {}
        for place in open_tiles(tip.size):
            tile = yield store.TILE.one(at_level=place.level, at_number=place.number)
            tiles[place] = _verified_tile(tile, place, tip.size)
        last = yield store.LAST_HEAD.one()
        return View(tip, row is None, tiles, pending, head_of(last.jws) if last else None)

    def _verified(self, row: Row) -> Tip:
        if not self._macs.is_tip(row):
            raise AuditLogBroken("the tip was not written by the sequencer")
        return Tip(row.size, row.chain, row.heads, row.head_hash)

    async def _append(self, view: View) -> int | None:
        """Write the view's genuine events; return their number, None when a rival was first."""
        edge, chain, rows = Edge(view.tip.size, view.tiles), view.tip.chain, []
        for row in view.pending:
            leaf = self._macs.genuine_leaf(row)
            if leaf is None:
                self._refuse(row.id)
                continue
            chain = self._macs.chain(chain, edge.size, row.mac)
            rows.append({"event": row.id, "index": edge.size, "value": chain})
            edge.append(leaf_hash(leaf))
        if not rows:
            return 0
        new = view.tip._replace(size=edge.size, chain=chain)
        moved = await self._db.transact(self._put_events, view, new, rows, _tile_rows(edge))
        return len(rows) if moved else None

    def _refuse(self, event: str) -> None:
        """Leave an event without an index that no use case wrote, and say so once."""
        if event not in self._refused:
            self._refused.add(event)
            _log.error("no use case wrote the audit event %s; it gets no index", event)

    def _put_events(
        self, view: View, new: Tip, rows: Sequence[dict[str, Any]], tiles: Sequence[dict[str, Any]]
    ) -> Step[bool]:
        if view.is_new:
            yield store.FIRST_TIP.run(name=store.TIP, **view.tip._asdict(), mac=self._mac(view.tip))
        if not (yield self._move(view.tip, new)):
            return False
        yield store.SEQUENCE.many(rows)
        yield store.PUT_TILE.many(tiles)
        return True

    def _put_head(self, old: Tip, new: Tip, jws: str) -> Step[bool]:
        if not (yield self._move(old, new)):
            return False
        yield store.PUT_HEAD.run(number=old.heads, size=old.size, jws=jws)
        return True

    def _move(self, old: Tip, new: Tip) -> Call:
        changes = {f"new_{name}": value for name, value in new._asdict().items()}
        return store.MOVE_TIP.run(
            old_size=old.size, old_heads=old.heads, **changes, new_mac=self._mac(new)
        )

    def _mac(self, tip: Tip) -> bytes:
        return self._macs.tip(**tip._asdict())


def _has_begun() -> Step[bool]:
    """Whether there is anything that only a log with a tip can have."""
    event = yield store.EVENTS.one(first=_LOWEST, count=1)
    tiles = yield store.COUNT_TILES.one()
    head = yield store.LAST_HEAD.one()
    return event is not None or tiles.count > 0 or head is not None


def _verified_tile(row: Row | None, place: Place, size: int) -> bytes:
    """The hashes that a tile had at ``size`` leaves; a rival may have appended more since the tip was read."""
    expected = tile_counts(size)[place.level] % TILE_WIDTH * HASH_SIZE
    if row is None or type(row.hashes) is not bytes or len(row.hashes) < expected:
        raise AuditLogBroken(f"tile {place.level}/{place.number} does not fit the tip")
    return row.hashes[:expected]


def _tile_rows(edge: Edge) -> list[dict[str, Any]]:
    return [
        {"level": place.level, "number": place.number, "hashes": bytes(hashes)}
        for place, hashes in edge.changed.items()
    ]
