"""``audit verify``: everything that the log says of itself, recomputed from its rows.

All queries of a verification see one state of the database. Rows are read in their order, a page at a time, and
compared with what the keys outside the database make of them; nothing stored is believed.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from inkan.audit import store
from inkan.audit.model import GENESIS, Finding, FindingKind, Head, Report
from inkan.audit.rules import (
    PAGE,
    PENDING_GRACE,
    TILE_HEIGHT,
    TILE_WIDTH,
    Edge,
    Place,
    tile_counts,
)
from inkan.audit.service.events import Macs
from inkan.audit.service.heads import HeadChain
from inkan.crypto.keys import PublicKey
from inkan.crypto.merkle import HASH_SIZE, leaf_hash
from inkan.kernel.clock import MICROSECOND, to_microseconds
from inkan.store.database import MOMENT, Step
from inkan.store.plan import Row
from inkan.store.query import Query

Progress = Callable[[int, int], None]
"""Called once a page with the events verified so far and the events that the tip names."""

_LOWEST: Final = -(2**63)


class Outside(NamedTuple):
    """What a verification brings along: it stands in no database.

    Attributes:
        macs: the keyed hashes.
        key: public key of the heads.
        kept: a head that somebody kept elsewhere, already verified.
    """

    macs: Macs
    key: PublicKey
    kept: Head | None


class Verification:
    """One run over one state of the database.

    Plan:
        1. The tip exists and carries the sequencer's MAC.
        2. Events in the order of their index: no gap, none beyond the tip; each with its own MAC and the chain
           value that follows from the one before.
        3. Heads in their order: number, signature, hash of the head before, growing size, time that never goes
           back, and the root of the tree at that size. A kept head has the root at its size too.
        4. The stored tiles are the tree over these events, and there are no others.
        5. The last event and the last head are those that the tip names.
        6. Events without an index carry their MAC and are young.
        7. Every state row that names an event finds it.
    """

    def __init__(self, outside: Outside, progress: Progress) -> None:
        self._outside = outside
        self._progress = progress
        self._findings: list[Finding] = []
        self._tip: Row | None = None
        self._edge = Edge(0, {})
        self._chain = GENESIS
        self._heads = HeadChain(outside.key)
        self._pending = 0

    def run(self, pairs: Sequence[tuple[str, Query]]) -> Step[Report]:
        """Step: the whole plan, for a scan."""
        yield from self._read_tip()  # 1
        is_whole = yield from self._events()  # 2, 3
        yield from self._tiles(is_whole=is_whole)  # 4
        if is_whole:
            self._compare_ends()  # 5
        yield from self._unsequenced()  # 6
        for feature, query in pairs:  # 7
            for row in (yield store.without_event(query).all()):
                what = "the audit event of this row does not exist"
                self._found(FindingKind.STATE_WITHOUT_EVENT, f"{feature}: {row.row}", what)
        return Report(self._edge.size, self._heads.count, self._pending, self._findings)

    # --- 1 and 5: the tip ----------------------------------------------------------------------------

    def _read_tip(self) -> Step[None]:
        rows = yield store.TIPS.all()
        first = yield store.EVENTS.one(first=_LOWEST, count=1)
        if len(rows) == 1 and rows[0].name == store.TIP and self._outside.macs.is_tip(rows[0]):
            self._tip = rows[0]
        elif rows or first is not None:
            what = "the row that says how far the log has come was changed"
            self._found(FindingKind.TIP, "tip", what)
        if first is not None and _is_below_zero(first.position):
            what = "an event stands before the first index"
            self._found(FindingKind.EVENT, str(first.position), what)

    def _compare_ends(self) -> None:
        tip, size, heads = self._tip, self._edge.size, self._heads
        if tip and size < tip.size:
            self._found(FindingKind.EVENT, str(size), "the events from here on are missing", size)
        elif tip and tip.chain != self._chain:
            self._found(FindingKind.TIP, "tip", "the tip does not name the last event", size)
        if heads.waiting is not None:
            what = "a head signs more events than there are"
            self._found(FindingKind.HEAD, str(heads.count), what, size)
        elif (
            tip and not heads.is_broken and (tip.heads, tip.head_hash) != (heads.count, heads.hash)
        ):
            what = "the newest heads are missing, or the tip does not name them"
            self._found(FindingKind.HEAD, str(heads.count), what, heads.size)
        kept = self._outside.kept
        if kept and kept.size > size:
            self._found(
                FindingKind.HEAD, "kept", "the log is shorter than the kept head says", size
            )

    # --- 2 and 3: events, and the heads at their sizes -----------------------------------------------

    def _events(self) -> Step[bool]:
        """Go through the events; False when it ended at a broken one."""
        row = yield store.HEADS.one(first=_LOWEST, count=1)
        if row is not None and _is_below_zero(row.number):
            self._found(FindingKind.HEAD, str(row.number), "a head stands before the first")
        yield from self._next_head()
        first = 0
        while True:
            rows = yield store.EVENTS.all(first=first, count=PAGE)
            for row in rows:
                fault = self._append(row)
                if fault:
                    self._found(FindingKind.EVENT, str(self._edge.size), fault, self._edge.size)
                    return False
                if self._heads.waiting and self._heads.waiting.size == self._edge.size:
                    yield from self._reach_head(self._heads.waiting)
                self._compare_kept()
            yield from self._compare(self._edge.take_full(), is_whole=True)
            self._progress(self._edge.size, self._tip.size if self._tip else self._edge.size)
            if len(rows) < PAGE:
                return True
            first = self._edge.size

    def _append(self, row: Row) -> str | None:
        """Take the next event into chain and tree; what is wrong with it, if anything is."""
        macs, index = self._outside.macs, self._edge.size
        if row.position != index:
            return f"the event is missing; the next index found is {row.position}"
        if self._tip and index >= self._tip.size:
            return "the sequencer gave nobody this index"
        leaf = macs.genuine_leaf(row)
        if leaf is None:
            return "the event was changed, or put in by somebody else"
        chain = macs.chain(self._chain, index, row.mac)
        if row.chain != chain:
            return "the event does not follow the one before it"
        self._chain = chain
        self._edge.append(leaf_hash(leaf))
        return None

    def _reach_head(self, head: Head) -> Step[None]:
        if head.root == self._edge.root():
            self._heads.accept(head)
            yield from self._next_head()
        else:
            self._break_heads("the head signs another tree")

    def _next_head(self) -> Step[None]:
        row = yield from self._heads.read()
        if row is None:
            return
        fault = self._heads.expect(row)
        if fault:
            self._break_heads(fault)

    def _break_heads(self, fault: str) -> None:
        self._found(FindingKind.HEAD, str(self._heads.count), fault, self._heads.size)
        self._heads.stop()

    def _compare_kept(self) -> None:
        kept = self._outside.kept
        if kept and kept.size == self._edge.size and kept.root != self._edge.root():
            self._found(FindingKind.HEAD, "kept", "the kept head signs another tree", kept.size - 1)

    # --- 4: the tree ---------------------------------------------------------------------------------

    def _tiles(self, *, is_whole: bool) -> Step[None]:
        begun = [(place, bytes(hashes)) for place, hashes in self._edge.changed.items()]
        yield from self._compare(begun, is_whole=is_whole)
        expected = sum(-(-count // TILE_WIDTH) for count in tile_counts(self._edge.size))
        row = yield store.COUNT_TILES.one()
        if is_whole and row.count > expected:
            what = f"{row.count} tiles are stored, {expected} belong to the tree"
            self._found(FindingKind.TREE, "tiles", what, self._edge.size)

    def _compare(self, tiles: Sequence[tuple[Place, bytes]], *, is_whole: bool) -> Step[None]:
        for place, hashes in tiles:
            row = yield store.TILE.one(at_level=place.level, at_number=place.number)
            stored = row.hashes if row and isinstance(row.hashes, bytes) else b""
            if hashes != (stored if is_whole else stored[: len(hashes)]):
                where = f"tile {place.level}/{place.number}"
                what = "a stored hash is not that of its events"
                self._found(FindingKind.TREE, where, what, _first_leaf(place, hashes, stored))

    # --- 6: events without an index ------------------------------------------------------------------

    def _unsequenced(self) -> Step[None]:
        moment = yield MOMENT
        oldest = to_microseconds(moment) - PENDING_GRACE // MICROSECOND
        after = ""
        while rows := (yield store.PENDING.all(after=after, count=PAGE)):
            for row in rows:
                if self._outside.macs.genuine_leaf(row) is None or row.chain is not None:
                    self._found(FindingKind.FORGED, str(row.id), "no use case wrote this event")
                elif row.at < oldest:
                    what = "the event has had no index for more than a minute"
                    self._found(FindingKind.UNSEQUENCED, row.id, what)
                else:
                    self._pending += 1
            after = rows[-1].id

    def _found(self, kind: FindingKind, where: str, what: str, index: int | None = None) -> None:
        self._findings.append(Finding(kind, where, what, index))


def _first_leaf(place: Place, computed: bytes, stored: bytes) -> int:
    """The first leaf under the first hash in which a stored tile differs."""
    offset = next(
        at
        for at in range(0, len(computed) + HASH_SIZE, HASH_SIZE)
        if computed[at : at + HASH_SIZE] != stored[at : at + HASH_SIZE] or at >= len(computed)
    )
    number = place.number * TILE_WIDTH + offset // HASH_SIZE
    return number << (TILE_HEIGHT * place.level)


def _is_below_zero(position: object) -> bool:
    return isinstance(position, (int, float)) and position < 0
