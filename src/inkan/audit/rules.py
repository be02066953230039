"""Figures of the log, and how its tree lies in tiles.

The tree's hashes are stored by rows of tiles: a tile of level t holds up to 32 neighbouring hashes of tree level
5t, left to right. A level in between is folded from the tile when it is asked for, so that a log of n events has
about n/31 tile rows of a kilobyte, and a proof reads at most two of them for each five levels of the tree.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple, TypeAlias

from inkan.crypto.merkle import HASH_SIZE, Node, Reader, node_hash, root_at

BATCH: Final = 128
"""Events that one transaction sequences: about a millisecond of the one writer."""

SEQUENCE_EVERY: Final = timedelta(milliseconds=500)
"""How often the sequencer looks, so that an event has its index within one second (design §6)."""

HEAD_EVERY: Final = timedelta(seconds=60)
HEAD_EVERY_EVENTS: Final = 1000
"""A head is due this long after the one before, or after so many events (security (d))."""

PENDING_GRACE: Final = timedelta(seconds=60)
"""An event older than this without an index is reported: the sequencer does not run, or refuses it."""

PAGE: Final = 1000
"""Events that a verification reads at a time."""

HEAD_KEY: Final = "audit-head"
"""Label of the key that signs heads; the ceremony certifies this very key."""

SALT_SIZE: Final = 16
TILE_HEIGHT: Final = 5
TILE_WIDTH: Final = 1 << TILE_HEIGHT
TILE_SIZE: Final = TILE_WIDTH * HASH_SIZE


Tile: TypeAlias = bytes | bytearray
"""Up to 32 hashes of 32 bytes, one after the other."""


class Place(NamedTuple):
    """A tile: its level (0 holds the leaf hashes) and its number from the left."""

    level: int
    number: int


class Span(NamedTuple):
    """Where the hash of a complete subtree lies: ``width`` hashes of a tile from ``first`` on, to be folded."""

    place: Place
    first: int
    width: int


def span(node: Node) -> Span:
    """Return where the hash of a complete subtree lies."""
    level, number = node
    tile_level, folds = divmod(level, TILE_HEIGHT)
    first = number << folds
    return Span(Place(tile_level, first // TILE_WIDTH), first % TILE_WIDTH, 1 << folds)


def fold(hashes: Tile, first: int, width: int) -> bytes:
    """Return the root over ``width`` (a power of two) hashes of a tile from ``first`` on.

    Raises:
        IndexError: the tile does not hold them all.
    """
    if len(hashes) < (first + width) * HASH_SIZE:
        raise IndexError(
            f"a tile of {len(hashes)} bytes has no hashes {first} to {first + width - 1}"
        )
    starts = range(first * HASH_SIZE, (first + width) * HASH_SIZE, HASH_SIZE)
    row = [bytes(hashes[start : start + HASH_SIZE]) for start in starts]
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def reader(tiles: Mapping[Place, Tile]) -> Reader:
    """Return the function that finds a node's hash in ``tiles``, for the proofs of ``crypto.merkle``."""

    def read(node: Node) -> bytes:
        place, first, width = span(node)
        return fold(tiles[place], first, width)

    return read


def tile_counts(size: int) -> list[int]:
    """How many hashes the tiles of each level hold together in a tree of ``size`` leaves, from level 0 up."""
    counts = []
    while size:
        counts.append(size)
        size //= TILE_WIDTH
    return counts


def open_tiles(size: int) -> list[Place]:
    """The begun but not full tiles of a tree of ``size`` leaves: those that an append changes."""
    return [
        Place(level, count // TILE_WIDTH)
        for level, count in enumerate(tile_counts(size))
        if count % TILE_WIDTH
    ]


class Edge:
    """The right edge of the tree while leaves are appended.

    Attributes:
        size: leaves so far.
        changed: every tile that the appended leaves touched, as it is to be stored.
    """

    def __init__(self, size: int, tiles: Mapping[Place, Tile]) -> None:
        """Begin with ``size`` leaves and the stored :func:`open_tiles` of that size."""
        self.size = size
        self.changed: dict[Place, bytearray] = {}
        self._open = {place: bytearray(hashes) for place, hashes in tiles.items()}

    def append(self, leaf_hash: bytes) -> None:
        """Put one leaf hash into its tile; a full tile hands its root to the level above."""
        self._push(Place(0, self.size // TILE_WIDTH), leaf_hash)
        self.size += 1

    def root(self) -> bytes:
        """The tree hash of all leaves so far: the hashes that it joins all lie in open tiles."""
        return root_at(self.size, reader(self._open))

    def take_full(self) -> list[tuple[Place, bytes]]:
        """Hand over the changed tiles that no further leaf can change."""
        full = [place for place, tile in self.changed.items() if len(tile) == TILE_SIZE]
        return [(place, bytes(self.changed.pop(place))) for place in full]

    def _push(self, place: Place, value: bytes) -> None:
        tile = self.changed[place] = self._open.setdefault(place, bytearray())
        tile += value
        if len(tile) == TILE_SIZE:
            del self._open[place]
            above = Place(place.level + 1, place.number // TILE_WIDTH)
            self._push(above, fold(tile, 0, TILE_WIDTH))
