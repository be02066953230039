"""DER values by hand, for the hot paths where a general library rebuilds too much: writing, and reading what the gate admitted.

The writer joins bytes and knows the types that time-stamps need. The reader walks the members of one value that
:func:`inkan.crypto.der.verify_der` has admitted; it checks tags and order, the gate has checked everything else.
"""

from functools import cache
from typing import Final

from inkan.crypto.der import DERMalformed

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31
CONTEXT_0: Final = 0xA0

_SHORT: Final = 0x80


def tlv(tag: int, *parts: bytes) -> bytes:
    """Return one value: its tag, its length in the shortest form, and the joined parts."""
    contents = b"".join(parts)
    length = len(contents)
    if length < _SHORT:
        return bytes((tag, length)) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes((tag, _SHORT | len(octets))) + octets + contents


def sequence(*parts: bytes) -> bytes:
    """Return a SEQUENCE of encoded members."""
    return tlv(SEQUENCE, *parts)


def set_of(*members: bytes) -> bytes:
    """Return a SET OF encoded members, in ascending order (X.690 §11.6)."""
    return tlv(SET, *sorted(members))


def integer(value: int, tag: int = INTEGER) -> bytes:
    """Return an INTEGER of a value from 0 on, or one under an implicit tag; the sign bit has its octet."""
    return tlv(tag, value.to_bytes(value.bit_length() // 8 + 1, signed=True))


@cache
def object_identifier(dotted: str) -> bytes:
    """Return an OBJECT IDENTIFIER of the table in :mod:`inkan.crypto.oids` or of a standard."""
    first, second, *rest = map(int, dotted.split("."))
    return tlv(OBJECT_IDENTIFIER, *map(_base128, (first * 40 + second, *rest)))


def _base128(number: int) -> bytes:
    octets = [number & 0x7F]
    while number := number >> 7:
        octets.append(_SHORT | number & 0x7F)
    return bytes(reversed(octets))


def dotted(contents: bytes) -> str:
    """Return the dotted text of the contents of an OBJECT IDENTIFIER that the gate admitted."""
    arcs: list[int] = []
    number = 0
    for octet in contents:
        number = number << 7 | octet & 0x7F
        if octet < _SHORT:
            arcs.append(number)
            number = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - first * 40, *arcs[1:])))


def number_of(contents: bytes) -> int:
    """Return the value of the contents of an INTEGER."""
    return int.from_bytes(contents, signed=True)


def named_bit(bit: int) -> bytes:
    """Return a BIT STRING with this one named bit set, without trailing zero bits (X.690 §11.2.2)."""
    octets = bytearray(bit // 8 + 1)
    octets[-1] = _SHORT >> bit % 8
    return tlv(BIT_STRING, bytes((7 - bit % 8,)), bytes(octets))


class Members:
    """The members of one constructed value, taken in order.

    Every method raises :class:`inkan.crypto.der.DERMalformed` where the member is missing or another one.
    """

    __slots__ = ("_data", "_end", "_position")

    def __init__(self, data: bytes, start: int = 0, end: int | None = None) -> None:
        """Read ``data[start:end]``, which :func:`inkan.crypto.der.verify_der` has admitted."""
        self._data = data
        self._position = start
        self._end = len(data) if end is None else end

    def next_is(self, tag: int) -> bool:
        """Whether a member with this tag comes next."""
        return self._position < self._end and self._data[self._position] == tag

    def take(self, tag: int) -> bytes:
        """Take the next member and return its contents."""
        start, end = self._advance(tag)
        return self._data[start:end]

    def take_whole(self, tag: int) -> bytes:
        """Take the next member and return its encoding."""
        begin = self._position
        _, end = self._advance(tag)
        return self._data[begin:end]

    def find(self, tag: int) -> bytes | None:
        """Take the next member if it has this tag, and return its encoding; None where it has not."""
        return self.take_whole(tag) if self.next_is(tag) else None

    def enter(self, tag: int) -> "Members":
        """Take the next member and return its own members."""
        start, end = self._advance(tag)
        return Members(self._data, start, end)

    def finish(self) -> None:
        """Refuse what is left over."""
        if self._position != self._end:
            raise DERMalformed("a member that has no place there")

    def _advance(self, tag: int) -> tuple[int, int]:
        if not self.next_is(tag):
            raise DERMalformed(f"no member with tag {tag:#04x} where one belongs")
        start = self._position + 2
        length = self._data[self._position + 1]
        if length >= _SHORT:
            octets = length & 0x7F
            length = int.from_bytes(self._data[start : start + octets])
            start += octets
        self._position = start + length
        return start, start + length
