"""Proofs out of the stored tiles: at most two tiles are read for each five levels of the tree."""

from collections.abc import Iterable

from inkan.audit import store
from inkan.audit.model import (
    AuditLogBroken,
    EventNotCovered,
    EventUnknown,
    Head,
    Inclusion,
    LogState,
    SizeNotCovered,
)
from inkan.audit.rules import Place, reader, span
from inkan.audit.service.events import leaf_of
from inkan.audit.service.heads import head_of
from inkan.crypto.merkle import (
    HASH_SIZE,
    Node,
    Reader,
    consistency_nodes,
    consistency_proof,
    inclusion_nodes,
    inclusion_proof,
)
from inkan.kernel.clock import from_microseconds
from inkan.store.database import Step


def newest_head() -> Step[Head | None]:
    """Step: the newest signed head, None before the first."""
    row = yield store.LAST_HEAD.one()
    return head_of(row.jws) if row else None


def log_state() -> Step[LogState]:
    """Step: see :class:`LogState`."""
    tip = yield store.READ_TIP.one()
    waiting = yield store.UNSEQUENCED.one()
    return LogState(
        size=tip.size if tip else 0,
        unsequenced=waiting.count,
        oldest=from_microseconds(waiting.oldest) if waiting.count else None,
        head=(yield from newest_head()),
    )


def inclusion(event: str) -> Step[Inclusion]:
    """Step: the proof that an event is under the newest head.

    Raises:
        EventUnknown: no such event.
        EventNotCovered: not yet under a head.
        AuditLogBroken: the stored tree has a gap.
    """
    row = yield store.EVENT.one(event=event)
    if row is None:
        raise EventUnknown
    head = yield from newest_head()
    if row.position is None or head is None or row.position >= head.size:
        raise EventNotCovered(retry_after_s=60)
    read = yield from _reader(inclusion_nodes(row.position, head.size))
    path = inclusion_proof(row.position, head.size, read)
    return Inclusion(
        event=leaf_of(row),
        salt=row.salt,
        index=row.position,
        tree_size=head.size,
        path=path,
        head=head.jws,
        is_certified=head.is_certified,
    )


def consistency(old_size: int, new_size: int) -> Step[list[bytes]]:
    """Step: the proof that the log of ``new_size`` events continues the one of ``old_size``.

    Raises:
        SizeNotCovered: 1 ≤ old ≤ new ≤ size of the log does not hold.
        AuditLogBroken: the stored tree has a gap.
    """
    tip = yield store.READ_TIP.one()
    size = tip.size if tip else 0
    if not 1 <= old_size <= new_size <= size:
        raise SizeNotCovered(size=size)
    read = yield from _reader(consistency_nodes(old_size, new_size))
    return consistency_proof(old_size, new_size, read)


def _reader(nodes: Iterable[Node]) -> Step[Reader]:
    """Step: read the tiles that hold these nodes."""
    tiles: dict[Place, bytes] = {}
    for place, first, width in map(span, nodes):
        if place not in tiles:
            row = yield store.TILE.one(at_level=place.level, at_number=place.number)
            tiles[place] = row.hashes if row else b""
        if len(tiles[place]) < (first + width) * HASH_SIZE:
            raise AuditLogBroken(f"tile {place.level}/{place.number} ends too early")
    return reader(tiles)
