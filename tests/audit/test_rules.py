"""The tiles hold the tree: whatever is read out of them is what the plain tree says."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkan.audit.rules import (
    TILE_HEIGHT,
    TILE_SIZE,
    TILE_WIDTH,
    Edge,
    Place,
    fold,
    open_tiles,
    reader,
    span,
    tile_counts,
)
from inkan.crypto.merkle import (
    Frontier,
    Node,
    consistency_nodes,
    consistency_proof,
    inclusion_nodes,
    inclusion_proof,
    node_hash,
    verify_consistency,
    verify_inclusion,
)

# Past two full tiles of the second level, so that three levels of tiles exist.
LARGE = TILE_WIDTH * TILE_WIDTH + 3 * TILE_WIDTH + 5
LEAVES = [hashlib.sha256(number.to_bytes(4, "big")).digest() for number in range(LARGE)]


def plain_roots() -> list[bytes]:
    """Root by size, from the tree without tiles."""
    frontier, roots = Frontier(), [Frontier().root()]
    for leaf in LEAVES:
        frontier, _ = frontier.append(leaf)
        roots.append(frontier.root())
    return roots


ROOTS = plain_roots()


def tiles_of(size: int) -> dict[Place, bytes]:
    edge = Edge(0, {})
    for leaf in LEAVES[:size]:
        edge.append(leaf)
    return {place: bytes(tile) for place, tile in edge.changed.items()}


ALL_TILES = tiles_of(LARGE)


def test_the_edge_has_the_root_of_the_plain_tree_at_every_size() -> None:
    edge = Edge(0, {})
    for size, leaf in enumerate(LEAVES, start=1):
        edge.append(leaf)
        assert edge.root() == ROOTS[size]


@pytest.mark.parametrize("size", [1, 31, 32, 33, 63, 64, 1023, 1024, 1025, LARGE - 1])
def test_an_edge_goes_on_from_stored_tiles(size: int) -> None:
    stored = tiles_of(size)
    edge = Edge(size, {place: stored[place] for place in open_tiles(size)})
    assert edge.root() == ROOTS[size]
    for leaf in LEAVES[size:]:
        edge.append(leaf)
    assert edge.root() == ROOTS[LARGE]
    assert stored | {place: bytes(tile) for place, tile in edge.changed.items()} == ALL_TILES


def test_appending_changes_only_tiles_of_the_edge() -> None:
    stored = tiles_of(1000)
    edge = Edge(1000, {place: stored[place] for place in open_tiles(1000)})
    edge.append(LEAVES[1000])
    assert set(edge.changed) == {Place(0, 1000 // TILE_WIDTH)}


def test_a_full_tile_is_handed_over_once() -> None:
    edge = Edge(0, {})
    for leaf in LEAVES[: TILE_WIDTH + 1]:
        edge.append(leaf)
    full = dict(edge.take_full())
    assert full == {Place(0, 0): b"".join(LEAVES[:TILE_WIDTH])}
    assert edge.take_full() == []
    assert set(edge.changed) == {Place(0, 1), Place(1, 0)}
    assert edge.root() == ROOTS[TILE_WIDTH + 1]


@pytest.mark.parametrize("size", [*range(1, 70), 1023, 1024, 1025, LARGE])
def test_every_inclusion_proof_from_tiles_verifies(size: int) -> None:
    read = reader(ALL_TILES)
    for index in range(0, size, 1 if size < 70 else 37):
        path = inclusion_proof(index, size, read)
        verify_inclusion(LEAVES[index], index=index, size=size, path=path, root=ROOTS[size])


@settings(max_examples=300)
@given(st.integers(1, LARGE), st.integers(1, LARGE))
def test_every_consistency_proof_from_tiles_verifies(one: int, other: int) -> None:
    first, second = sorted((one, other))
    path = consistency_proof(first, second, reader(ALL_TILES))
    verify_consistency(
        first=first, second=second, first_root=ROOTS[first], second_root=ROOTS[second], path=path
    )


@given(st.integers(1, LARGE), st.integers(0, LARGE - 1))
def test_a_proof_reads_at_most_two_tiles_for_each_level_of_tiles(size: int, index: int) -> None:
    index %= size
    levels = len(tile_counts(size))
    assert len({span(node).place for node in inclusion_nodes(index, size)}) <= 2 * levels
    assert len({span(node).place for node in consistency_nodes(index + 1, size)}) <= 2 * levels


def test_tile_counts_and_open_tiles() -> None:
    assert tile_counts(0) == []
    assert tile_counts(TILE_WIDTH) == [TILE_WIDTH, 1]
    assert tile_counts(LARGE) == [LARGE, LARGE // TILE_WIDTH, LARGE // TILE_WIDTH**2]
    assert open_tiles(0) == []
    assert open_tiles(TILE_WIDTH) == [Place(1, 0)]
    assert open_tiles(TILE_WIDTH + 1) == [Place(0, 1), Place(1, 0)]


@given(st.integers(0, 3 * TILE_HEIGHT - 1), st.integers(0, 10_000))
def test_a_subtree_lies_inside_one_tile(level: int, number: int) -> None:
    place, first, width = span(Node(level, number))
    assert place.level == level // TILE_HEIGHT
    assert 0 <= first < first + width <= TILE_WIDTH
    leaves_per_hash = 1 << (TILE_HEIGHT * place.level)
    assert (place.number * TILE_WIDTH + first) * leaves_per_hash == number << level
    assert width * leaves_per_hash == 1 << level


def test_folding_joins_pairs() -> None:
    row = LEAVES[4:8]
    left, right = (node_hash(a, b) for a, b in pairwise(row) if a in row[::2])
    assert fold(b"".join(LEAVES[:8]), 4, 4) == node_hash(left, right)


def test_folding_what_is_not_there_is_an_error() -> None:
    with pytest.raises(IndexError):
        fold(b"".join(LEAVES[:7]), 4, 4)
    assert TILE_SIZE == 1024
