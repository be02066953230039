"""Merkle trees of RFC 9162 §2.1 (SHA-256), laid out for a database.

Only the hashes of complete subtrees are stored: node (level, position) covers the leaves position·2^level up to,
not including, (position+1)·2^level. Such a node never changes, appending writes about one of them for each leaf, and each
proof reads at most some 2·log2(n) of them by key. A root or proof is planned first (which nodes), read by whoever
owns the store, and then folded, so that this module neither waits nor knows the store.
"""

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from typing import Final, NamedTuple, TypeAlias

from inkan.kernel.errors import Conflict, Malformed

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256().digest()


class Node(NamedTuple):
    """The address of a complete subtree's hash."""

    level: int
    position: int


class StoredNode(NamedTuple):
    """A row to keep: address and hash."""

    level: int
    position: int
    hash: bytes


Reader: TypeAlias = Callable[[Node], bytes]
Range: TypeAlias = tuple[int, int]


class LeafUnknown(Malformed):
    """No such leaf or no such earlier tree."""

    code = "merkle_leaf_unknown"
    title = "The log holds no such entry at this size"


class ProofRefused(Conflict):
    """The proof does not lead to the root: the log does not hold what is claimed, or its history was changed."""

    code = "merkle_proof_refused"
    title = "The proof does not fit the log"


def leaf_hash(entry: bytes) -> bytes:
    """Return the hash of one entry: SHA-256(0x00 ‖ entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of two subtrees: SHA-256(0x01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


# --- growing -----------------------------------------------------------------------------------------


class Frontier(NamedTuple):
    """All that appending needs of a tree: its size and the hashes of its largest complete subtrees.

    Attributes:
        size: number of leaves.
        peaks: one hash for each bit of ``size`` that is set, the largest subtree first.
    """

    size: int = 0
    peaks: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> tuple["Frontier", list[StoredNode]]:
        """Return the frontier with one more leaf, and the nodes that this completes (the leaf first).

        Args:
            leaf: a leaf hash.
        """
        peaks, node, index = list(self.peaks), leaf, self.size
        completed = [StoredNode(0, index, leaf)]
        while index % 2 == 1:
            node, index = node_hash(peaks.pop(), node), index // 2
            completed.append(StoredNode(len(completed), index, node))
        return Frontier(self.size + 1, (*peaks, node)), completed

    def root(self) -> bytes:
        """Return the root hash (RFC 9162 §2.1.1); of no leaves the hash of nothing."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def frontier_nodes(size: int) -> list[Node]:
    """Return the addresses of the peaks of a tree of ``size`` leaves: what a restart has to read."""
    return _complete_subtrees((0, size))


def root_at(size: int, read: Reader) -> bytes:
    """Return the root that the tree had at an earlier size, from stored nodes."""
    return _hash_of((0, size), read) if size else EMPTY_ROOT


class Tree:
    """A whole tree in memory: for rebuilding a log from its entries, and as the reference of the tests."""

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self.frontier = Frontier()
        self._nodes: dict[Node, bytes] = {}
        for leaf in leaves:
            self.append(leaf)

    def append(self, leaf: bytes) -> int:
        """Add a leaf hash and return its index."""
        self.frontier, completed = self.frontier.append(leaf)
        self._nodes.update((Node(level, position), node) for level, position, node in completed)
        return self.frontier.size - 1

    def read(self, node: Node) -> bytes:
        """Return a stored hash: the :data:`Reader` of this tree."""
        return self._nodes[node]


# --- proving -----------------------------------------------------------------------------------------


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """Return the addresses that :func:`inclusion_proof` will read, for one query.

    Raises:
        LeafUnknown: the tree of this size has no such leaf.
    """
    return _nodes(_inclusion_ranges(index, size))


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """Return the audit path of leaf ``index`` in the tree of the first ``size`` leaves (RFC 9162 §2.1.3.1).

    Raises:
        LeafUnknown: the tree of this size has no such leaf.
    """
    return [_hash_of(part, read) for part in _inclusion_ranges(index, size)]


def consistency_nodes(first: int, second: int) -> list[Node]:
    """Return the addresses that :func:`consistency_proof` will read.

    Raises:
        LeafUnknown: unless 0 < first <= second.
    """
    return _nodes(_consistency_ranges(first, second))


def consistency_proof(first: int, second: int, read: Reader) -> list[bytes]:
    """Return the proof that the tree of ``first`` leaves begins the tree of ``second`` (RFC 9162 §2.1.4.1).

    Raises:
        LeafUnknown: unless 0 < first <= second.
    """
    return [_hash_of(part, read) for part in _consistency_ranges(first, second)]


# --- verifying ---------------------------------------------------------------------------------------


def verify_inclusion(
    leaf: bytes, *, index: int, size: int, path: Sequence[bytes], root: bytes
) -> None:
    """Check that a leaf hash stands at ``index`` in the tree of this size and root (RFC 9162 §2.1.3.2).

    Plan (the clause's numbers):
        1. the index lies inside the tree; 2.-3. start at the leaf;
        4. climb: a set low bit or the right edge takes the hash from the left, otherwise from the right;
           nothing may be left over on either side;
        5. the top is the root.

    Raises:
        ProofRefused: at the first step that fails.
    """
    if not 0 <= index < size:  # 1
        raise ProofRefused("the index lies outside the tree")
    position, last, node = index, size - 1, leaf  # 2, 3
    for sibling in path:  # 4
        if last == 0 or len(sibling) != HASH_SIZE:
            raise ProofRefused("the path is too long or holds something else than hashes")
        if position % 2 == 1 or position == last:
            node = node_hash(sibling, node)
            position, last = _skip_right_edge(position, last)
        else:
            node = node_hash(node, sibling)
        position, last = position // 2, last // 2
    if last != 0 or node != root:  # 5
        raise ProofRefused("the path does not lead to the root")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]
) -> None:
    """Check that the tree of ``first`` leaves begins the tree of ``second`` leaves (RFC 9162 §2.1.4.2).

    Plan (the clause's numbers):
        0. equal sizes need equal roots and no path;
        1. the path is not empty; 2. a complete first tree stands for its own root;
        3.-4. start where the first tree's last leaf leaves the left edge;
        5. the first hash begins both folds;
        6. each further hash goes into both folds from the left, into the second alone from the right;
        7. both folds end at their roots with nothing left over.

    Raises:
        ProofRefused: at the first step that fails.
    """
    if not 0 < first <= second:
        raise ProofRefused("the sizes are not in order")
    if first == second:  # 0
        if path or first_root != second_root:
            raise ProofRefused("the same size with another root, or with a path")
        return
    if not path:  # 1
        raise ProofRefused("the path is empty")
    nodes = [first_root, *path] if first & (first - 1) == 0 else list(path)  # 2
    position, last = first - 1, second - 1  # 3
    while position % 2 == 1:  # 4
        position, last = position // 2, last // 2
    old = new = nodes[0]  # 5
    for node in nodes[1:]:  # 6
        if last == 0:
            raise ProofRefused("the path is too long")
        if position % 2 == 1 or position == last:
            old, new = node_hash(node, old), node_hash(node, new)
            position, last = _skip_right_edge(position, last)
        else:
            new = node_hash(new, node)
        position, last = position // 2, last // 2
    if last != 0 or old != first_root or new != second_root:  # 7
        raise ProofRefused("the path does not join the two roots")


def _skip_right_edge(position: int, last: int) -> tuple[int, int]:
    """Climb past the levels where the node at the right edge has no sibling of its own."""
    while position % 2 == 0 and position != 0:
        position, last = position // 2, last // 2
    return position, last


# --- ranges of leaves --------------------------------------------------------------------------------


def _inclusion_ranges(index: int, size: int) -> list[Range]:
    """The siblings on the way from the leaf to the root, lowest first; PATH of the RFC without its recursion."""
    if not 0 <= index < size:
        raise LeafUnknown(f"no leaf {index} among {size}")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def _consistency_ranges(first: int, second: int) -> list[Range]:
    """SUBPROOF of the RFC without its recursion, lowest first."""
    if not 0 < first <= second:
        raise LeafUnknown(f"no tree of {first} before one of {second}")
    ranges, start, end = [], 0, second
    while first != end:
        middle = start + _split(end - start)
        if first <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    # The first tree's own last subtree; left out when it is the whole first tree, whose root is known.
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def _split(width: int) -> int:
    """The largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1


def _complete_subtrees(leaves: Range) -> list[Node]:
    """Cut a range whose start is a multiple of every power of two below its width, the largest subtree first."""
    start, end = leaves
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return nodes


def _nodes(ranges: Iterable[Range]) -> list[Node]:
    return [node for leaves in ranges for node in _complete_subtrees(leaves)]


def _hash_of(leaves: Range, read: Reader) -> bytes:
    return _fold([read(node) for node in _complete_subtrees(leaves)])


def _fold(peaks: Sequence[bytes]) -> bytes:
    """Join subtrees of falling size from the right."""
    node = peaks[-1]
    for peak in reversed(peaks[:-1]):
        node = node_hash(peak, node)
    return node
