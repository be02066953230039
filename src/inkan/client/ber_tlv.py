"""BER-TLV data objects as cards speak them (ISO/IEC 7816-4 §5.2.2): written, and read without belief.

Definite lengths in their shortest form only, tags of one to three octets, nothing left over: a card's answer is
input from outside like any other.
"""

from typing import Final, NamedTuple

from inkan.client.card_refusals import CardAnswerMalformed

MAX_LENGTH: Final = 0xFFFF
_MORE_TAG: Final = 0x1F
_CONTINUED: Final = 0x80
_TAG_OCTETS: Final = 3


class DataObject(NamedTuple):
    """A tag (its octets as a number) and the value octets."""

    tag: int
    value: bytes


def write(tag: int, value: bytes = b"") -> bytes:
    """Return one data object; the value has at most 65,535 octets."""
    size = len(value)
    if size < _CONTINUED:
        length = bytes([size])
    elif size <= 0xFF:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + size.to_bytes(2, "big")
    return tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big") + length + value


def read_all(data: bytes) -> list[DataObject]:
    """Return the data objects that ``data`` consists of.

    Raises:
        CardAnswerMalformed: it does not consist of data objects.
    """
    found: list[DataObject] = []
    at = 0
    while at < len(data):
        tag, at = _read_tag(data, at)
        size, at = _read_length(data, at)
        if at + size > len(data):
            raise CardAnswerMalformed("a data object is cut short")
        found.append(DataObject(tag, data[at : at + size]))
        at += size
    return found


def read_one(data: bytes, tag: int) -> bytes:
    """Return the value of the one data object in ``data``.

    Raises:
        CardAnswerMalformed: not exactly one object of this tag.
    """
    found = read_all(data)
    if len(found) != 1 or found[0].tag != tag:
        raise CardAnswerMalformed(f"not one data object {tag:X}")
    return found[0].value


def find(objects: list[DataObject], tag: int) -> bytes:
    """Return the value of the object with this tag.

    Raises:
        CardAnswerMalformed: there is none, or more than one.
    """
    values = [each.value for each in objects if each.tag == tag]
    if len(values) != 1:
        raise CardAnswerMalformed(f"{len(values)} data objects {tag:X}")
    return values[0]


def _read_tag(data: bytes, at: int) -> tuple[int, int]:
    end = at + 1
    if data[at] & _MORE_TAG == _MORE_TAG:
        while end < len(data) and data[end] & _CONTINUED:
            end += 1
        end += 1
    if end > len(data) or end - at > _TAG_OCTETS:
        raise CardAnswerMalformed("a tag is cut short or too long")
    return int.from_bytes(data[at:end], "big"), end


def _read_length(data: bytes, at: int) -> tuple[int, int]:
    if at >= len(data):
        raise CardAnswerMalformed("a length is missing")
    first = data[at]
    if first < _CONTINUED:
        return first, at + 1
    octets = first - _CONTINUED
    size = int.from_bytes(data[at + 1 : at + 1 + octets], "big")
    shortest = _CONTINUED if octets == 1 else 0x100
    if octets not in {1, 2} or at + 1 + octets > len(data) or size < shortest:
        raise CardAnswerMalformed("a length is cut short or not in its shortest form")
    return size, at + 1 + octets
