"""Reads elements of DER whose structure was verified before (:func:`inkan.crypto.der.verify_der`).

For the few fields that the X.509 library keeps to itself; nothing here is a parser of untrusted bytes.
"""

from typing import NamedTuple


class Element(NamedTuple):
    """One DER element.

    Attributes:
        tag: first identifier octet.
        contents: what it holds.
        encoding: the whole element.
    """

    tag: int
    contents: bytes
    encoding: bytes


def read(data: bytes) -> Element:
    """Return the one element that ``data`` is."""
    (element,) = children(data)
    return element


def children(contents: bytes) -> list[Element]:
    """Return the elements that stand side by side in the contents of a constructed element."""
    found = []
    position = 0
    while position < len(contents):
        start, length = position + 2, contents[position + 1]
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(contents[position + 2 : start], "big")
        end = start + length
        found.append(Element(contents[position], contents[start:end], contents[position:end]))
        position = end
    return found


def read_oid(contents: bytes) -> str:
    """Return the dotted form of the contents of an OBJECT IDENTIFIER (X.690 §8.19)."""
    arcs: list[int] = []
    value = 0
    for octet in contents:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    root = min(arcs[0] // 40, 2)
    return ".".join(map(str, [root, arcs[0] - 40 * root, *arcs[1:]]))
