"""Merkle trees: exhaustive for every size up to 64, against the recursive definition of RFC 9162 §2.1."""

import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import merkle
from inkan.crypto.merkle import Frontier, LeafUnknown, Node, ProofRefused, Tree

LARGEST = 64
SIZES = range(1, LARGEST + 1)
ENTRIES = [b"entry %d" % number for number in range(LARGEST)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]
TREE = Tree(LEAVES)


# --- the definitions, as the RFC writes them ----------------------------------------------------------


def split(size: int) -> int:
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def mth(entries: list[bytes]) -> bytes:
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = split(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = split(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], *, whole: bool) -> list[bytes]:
    if m == len(entries):
        return [] if whole else [mth(entries)]
    k = split(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], whole=whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], whole=False), mth(entries[:k])]


ROOTS = [mth(ENTRIES[:size]) for size in range(LARGEST + 1)]


# --- every size ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, *SIZES])
def test_the_root_is_the_rfcs(size: int) -> None:
    assert Tree(LEAVES[:size]).frontier.root() == ROOTS[size]
    assert merkle.root_at(size, TREE.read) == ROOTS[size]


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proved_in_every_size(size: int) -> None:
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, TREE.read)
        assert proof == path(index, ENTRIES[:size])
        verify_inclusion(index, size, proof)


@pytest.mark.parametrize("second", SIZES)
def test_every_earlier_size_is_consistent(second: int) -> None:
    for first in range(1, second + 1):
        proof = merkle.consistency_proof(first, second, TREE.read)
        assert proof == subproof(first, ENTRIES[:second], whole=True)
        verify_consistency(first, second, proof)


def verify_inclusion(index: int, size: int, proof: list[bytes], /, **changes: Any) -> None:
    claim = {
        "leaf": LEAVES[index],
        "index": index,
        "size": size,
        "path": proof,
        "root": ROOTS[size],
    }
    claim |= changes
    merkle.verify_inclusion(claim.pop("leaf"), **claim)


def verify_consistency(first: int, second: int, proof: list[bytes], /, **changes: Any) -> None:
    claim = {
        "first": first,
        "second": second,
        "first_root": ROOTS[first],
        "second_root": ROOTS[second],
        "path": proof,
    }
    merkle.verify_consistency(**claim | changes)


def refuse_inclusion(index: int, size: int, proof: list[bytes], /, **changes: Any) -> None:
    with pytest.raises(ProofRefused):
        verify_inclusion(index, size, proof, **changes)


def refuse_consistency(first: int, second: int, proof: list[bytes], /, **changes: Any) -> None:
    with pytest.raises(ProofRefused):
        verify_consistency(first, second, proof, **changes)


def spoiled(proof: list[bytes]) -> Iterator[list[bytes]]:
    """Each hash changed, left out, doubled, shortened; the order turned; something added at either end."""
    for at, node in enumerate(proof):
        yield [*proof[:at], bytes([node[0] ^ 1]) + node[1:], *proof[at + 1 :]]
        yield [*proof[:at], *proof[at + 1 :]]
        yield [*proof[: at + 1], *proof[at:]]
        yield [*proof[:at], node[:31], *proof[at + 1 :]]
    yield [*proof, LEAVES[0]]
    yield [LEAVES[0], *proof]
    if len(proof) > 1:
        yield proof[::-1]


@pytest.mark.parametrize("size", SIZES)
def test_no_false_inclusion_passes(size: int) -> None:
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, TREE.read)
        for bad in spoiled(proof):
            refuse_inclusion(index, size, bad)
        for other in {*range(-1, size + 1)} - {index}:
            refuse_inclusion(index, size, proof, index=other)
        for leaf in (LEAVES[index - 1] if size > 1 else ROOTS[2], LEAVES[index][:31], b""):
            refuse_inclusion(index, size, proof, leaf=leaf)
        refuse_inclusion(index, size, proof, root=ROOTS[size - 1])
        refuse_inclusion(index, size, proof, size=2 * size + 1)


@pytest.mark.parametrize("second", SIZES)
def test_no_false_consistency_passes(second: int) -> None:
    for first in range(1, second + 1):
        proof = merkle.consistency_proof(first, second, TREE.read)
        for bad in spoiled(proof):
            refuse_consistency(first, second, bad)
        refuse_consistency(first, second, proof, first_root=ROOTS[first - 1])
        refuse_consistency(first, second, proof, second_root=ROOTS[second - 1])
        refuse_consistency(first, second, proof, first=0)
        refuse_consistency(first, second, proof, second=first - 1)
        refuse_consistency(first, second, proof, second=2 * second + 1)


def test_hashes_of_another_length_are_refused_even_if_they_join_to_the_same_bytes() -> None:
    proof = merkle.inclusion_proof(0, 2, TREE.read)
    shifted = [LEAVES[0][31:] + proof[0]]
    refuse_inclusion(0, 2, shifted, leaf=LEAVES[0][:31])


def test_a_subtree_does_not_pass_for_the_tree() -> None:
    """Leaf 3 of 4 with its path, claimed as leaf 1 of 2: the path goes on above the claimed root."""
    proof = merkle.inclusion_proof(3, 4, TREE.read)
    refuse_inclusion(3, 4, proof, index=1, size=2)
    consistency = merkle.consistency_proof(7, 8, TREE.read)
    refuse_consistency(7, 8, consistency, first=3, second=4)


@pytest.mark.parametrize("changed", range(8))
def test_a_history_that_was_changed_is_not_consistent(changed: int) -> None:
    forged = Tree([*LEAVES[:changed], merkle.leaf_hash(b"other"), *LEAVES[changed + 1 : 20]])
    proof = merkle.consistency_proof(8, 20, forged.read)
    refuse_consistency(8, 20, proof, second_root=forged.frontier.root())


# --- as a database keeps it ---------------------------------------------------------------------------


def test_a_frontier_is_read_back_from_its_nodes() -> None:
    frontier = Frontier()
    for size in range(LARGEST):
        peaks = tuple(TREE.read(node) for node in merkle.frontier_nodes(size))
        assert Frontier(size, peaks) == frontier
        frontier, _ = frontier.append(LEAVES[size])


def test_appending_completes_each_node_once() -> None:
    frontier, rows = Frontier(), []
    for leaf in LEAVES:
        frontier, completed = frontier.append(leaf)
        rows += completed
    addresses = [(row.level, row.position) for row in rows]
    assert len(addresses) == len(set(addresses)) == 2 * LARGEST - 1
    for level, position, node in rows:
        assert node == mth(ENTRIES[position << level : (position + 1) << level])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 33, 50, 64])
def test_proofs_read_exactly_the_nodes_that_were_announced(size: int) -> None:
    asked: list[Node] = []

    def read(node: Node) -> bytes:
        asked.append(node)
        return TREE.read(node)

    for number in range(size):
        asked.clear()
        merkle.inclusion_proof(number, size, read)
        assert asked == merkle.inclusion_nodes(number, size)
        asked.clear()
        merkle.consistency_proof(number + 1, size, read)
        assert asked == merkle.consistency_nodes(number + 1, size)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_proofs_in_large_trees_read_few_nodes(case: tuple[int, int]) -> None:
    """Twenty levels: at most one node a level as sibling, and one a level for the ragged right edge."""
    index, size = case
    for nodes in (merkle.inclusion_nodes(index, size), merkle.consistency_nodes(index + 1, size)):
        assert len(nodes) <= 40
        assert all((node.position + 1) << node.level <= size for node in nodes)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 1), (1, 1), (5, 4)])
def test_leaves_outside_the_tree_are_unknown(index: int, size: int) -> None:
    for call in (merkle.inclusion_nodes, lambda i, n: merkle.inclusion_proof(i, n, TREE.read)):
        with pytest.raises(LeafUnknown):
            call(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 0), (0, 5), (6, 5), (-1, 5)])
def test_trees_outside_the_history_are_unknown(first: int, second: int) -> None:
    for call in (merkle.consistency_nodes, lambda a, b: merkle.consistency_proof(a, b, TREE.read)):
        with pytest.raises(LeafUnknown):
            call(first, second)
