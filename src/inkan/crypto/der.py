"""The gate before every DER parser that is written in Python: one walk over the bytes, without recursion.

asn1crypto and pyasn1 accept BER, indefinite lengths and any depth, and build objects as they go. Bytes that have
passed this walk have exactly one encoding of each value, a bounded depth and a bounded number of elements
(X.690 §8 and §10-11; threat 21), so what the parser reads is what was signed and no input is expensive.
"""

import re
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Final

from inkan.kernel.errors import Malformed

MAX_DEPTH: Final = 16
MAX_ELEMENTS: Final = 4096

_CONSTRUCTED: Final = 0x20
_CLASS_MASK: Final = 0xC0
_HIGH_TAG: Final = 0x1F
_SET: Final = 0x31
_CONSTRUCTED_TYPES: Final = frozenset({16, 17})
_UTC_TIME = re.compile(rb"[0-9]{12}Z")
_GENERALIZED_TIME = re.compile(rb"[0-9]{14}Z")
_FRACTIONAL_TIME = re.compile(rb"[0-9]{14}(\.[0-9]{0,8}[1-9])?Z")


class DERMalformed(Malformed):
    """Not one DER value, or one that is deeper or has more elements than any accepted format."""

    code = "der_malformed"
    title = "The data is not valid DER"


def verify_der(
    data: bytes,
    *,
    max_depth: int = MAX_DEPTH,
    max_elements: int = MAX_ELEMENTS,
    fractions: bool = False,
) -> None:
    """Refuse everything that is not exactly one DER value.

    ``fractions`` admits fractions of a second in GeneralizedTime (X.690 §11.7), which time-stamps have and
    certificates have not.

    Plan:
        1. Tags: low-number form; SEQUENCE and SET constructed, every other universal type primitive.
        2. Lengths: definite, in the shortest form, inside the parent, nothing left over.
        3. Depth at most ``max_depth``, elements at most ``max_elements``.
        4. Primitive contents: the one encoding of BOOLEAN, INTEGER, BIT STRING, NULL, OBJECT IDENTIFIER,
           UTCTime and GeneralizedTime (RFC 5280 §4.1.2.5: seconds and Z; else see ``fractions``).
        5. SET OF: elements in ascending order of their encodings (X.690 §11.6).

    Raises:
        DERMalformed: at the first departure.
    """
    primitives = _WITH_FRACTIONS if fractions else _PRIMITIVES
    ends: list[int] = []
    previous: list[bytes | None] = []
    position = elements = 0
    while True:
        tag, start, end = _header(data, position, ends[-1] if ends else len(data))  # 1, 2
        elements += 1
        if elements > max_elements or len(ends) >= max_depth:  # 3
            raise DERMalformed("too deep or too many elements")
        if ends and previous[-1] is not None:  # 5
            encoding = data[position:end]
            if encoding < previous[-1]:
                raise DERMalformed("the elements of a SET are not in order")
            previous[-1] = encoding
        if tag & _CONSTRUCTED:
            ends.append(end)
            previous.append(b"" if tag == _SET else None)
            position = start
        else:
            if tag & _CLASS_MASK == 0:  # 4
                _verify_primitive(tag, data[start:end], primitives)
            position = end
        while ends and position == ends[-1]:
            ends.pop()
            previous.pop()
        if not ends:
            break
    if position != len(data):  # 2
        raise DERMalformed("bytes after the value")


def contents_of(der: bytes, position: int) -> int:
    """Where the contents of the element at ``position`` begin; only for DER that was parsed before."""
    length = der[position + 1]
    return position + 2 + (length & 0x7F if length & 0x80 else 0)


def end_of(der: bytes, position: int) -> int:
    """Where the element at ``position`` ends; only for DER that was parsed before."""
    start, short = contents_of(der, position), der[position + 1]
    return start + (int.from_bytes(der[position + 2 : start], "big") if short & 0x80 else short)


def read_header(data: bytes, position: int = 0) -> tuple[int, int, int]:
    """Return tag, start and end of the contents of the element at ``position``; its contents may be anything.

    Raises:
        DERMalformed: there is no element, or it is longer than the data.
    """
    return _header(data, position, len(data))


def _header(data: bytes, position: int, limit: int) -> tuple[int, int, int]:
    """Tag, start and end of the contents of the element at ``position``."""
    if limit - position < 2:
        raise DERMalformed("truncated")
    tag, length = data[position], data[position + 1]
    if tag & _HIGH_TAG == _HIGH_TAG:
        raise DERMalformed("a tag number above 30")
    is_constructed = bool(tag & _CONSTRUCTED)
    if tag & _CLASS_MASK == 0 and (tag & _HIGH_TAG in _CONSTRUCTED_TYPES) != is_constructed:
        raise DERMalformed("a universal type in the wrong form")
    start = position + 2
    if length >= 0x80:
        octets = data[start : min(start + (length & 0x7F), limit)]
        start += len(octets)
        length = int.from_bytes(octets, "big")
        if len(octets) != data[position + 1] & 0x7F or length < 0x80 or octets[0] == 0:
            raise DERMalformed("a length that is not in its shortest definite form")
    if length > limit - start:
        raise DERMalformed("longer than its parent")
    return tag, start, start + length


def _verify_primitive(
    tag: int, contents: bytes, primitives: Mapping[int, Callable[[bytes], object]]
) -> None:
    is_canonical = primitives.get(tag)
    if is_canonical is not None and not is_canonical(contents):
        raise DERMalformed(f"a value of universal type {tag} is not in its one form")


def _is_integer(contents: bytes) -> bool:
    if len(contents) < 2:
        return len(contents) == 1
    return not (contents[0] == 0 and contents[1] < 0x80) and not (
        contents[0] == 0xFF and contents[1] >= 0x80
    )


def _is_bit_string(contents: bytes) -> bool:
    if not contents or contents[0] > 7:
        return False
    unused = contents[0]
    return not unused or (len(contents) > 1 and contents[-1] & ((1 << unused) - 1) == 0)


def _is_object_identifier(contents: bytes) -> bool:
    if not contents or contents[-1] >= 0x80 or contents[0] == 0x80:
        return False
    return not any(octet == 0x80 and before < 0x80 for before, octet in pairwise(contents))


_PRIMITIVES: Final[Mapping[int, Callable[[bytes], object]]] = {
    1: lambda contents: contents in {b"\x00", b"\xff"},
    2: _is_integer,
    3: _is_bit_string,
    5: lambda contents: contents == b"",
    6: _is_object_identifier,
    10: _is_integer,
    23: _UTC_TIME.fullmatch,
    24: _GENERALIZED_TIME.fullmatch,
}
_WITH_FRACTIONS: Final[Mapping[int, Callable[[bytes], object]]] = {
    **_PRIMITIVES,
    24: _FRACTIONAL_TIME.fullmatch,
}
