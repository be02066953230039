"""A reader for the CBOR that authenticators write (CTAP2 §8, a subset of RFC 8949).

General decoders skip trailing bytes, follow tags into dates, patterns and shared references, and accept several
spellings of one value. Authenticators need integers, strings, arrays, maps and three constants, in their shortest
form; nothing else is read.
"""

from typing import Any, Final

from inkan.kernel.errors import Malformed

MAX_DEPTH: Final = 8

_SIMPLE: Final = {20: False, 21: True, 22: None}


class CBORMalformed(Malformed):
    """Not one CBOR value of the kind that authenticators write."""

    code = "cbor_malformed"
    title = "The data of the authenticator cannot be read"
    public = ()


def read(data: bytes) -> Any:
    """Return the one value that ``data`` is: int, bytes, str, bool, None, list or dict.

    Raises:
        CBORMalformed: another form, duplicate names, nesting deeper than 8, or bytes left over.
    """
    value, end = read_at(data, 0)
    if end != len(data):
        raise CBORMalformed("bytes after the value")
    return value


def read_at(data: bytes, position: int, *, depth: int = 0) -> tuple[Any, int]:
    """Return the value that starts at ``position`` and the position after it.

    Raises:
        CBORMalformed: as :func:`read`.
    """
    if depth > MAX_DEPTH:
        raise CBORMalformed("nested too deep")
    major, argument, position = _head(data, position)
    match major:
        case 0:
            return argument, position
        case 1:
            return -1 - argument, position
        case 2 | 3:
            return _string(data, position, argument, is_text=major == 3)
        case 4:
            return _array(data, position, argument, depth)
        case 5:
            return _map(data, position, argument, depth)
        case 7 if argument in _SIMPLE:
            return _SIMPLE[argument], position
        case _:
            raise CBORMalformed("a tag, a float or another simple value")


def _head(data: bytes, position: int) -> tuple[int, int, int]:
    """Major type, argument in its shortest form, position of what follows (RFC 8949 §3, §4.2.1)."""
    if position >= len(data):
        raise CBORMalformed("truncated")
    major, argument = data[position] >> 5, data[position] & 0x1F
    position += 1
    if argument < 24:
        return major, argument, position
    size = 1 << (argument - 24)
    octets = data[position : position + size]
    if argument > 27 or len(octets) != size or major == 7:
        raise CBORMalformed("truncated, indefinite or reserved")
    value = int.from_bytes(octets, "big")
    if value < (24 if size == 1 else 1 << (4 * size)):
        raise CBORMalformed("not in the shortest form")
    return major, value, position + size


def _string(data: bytes, position: int, size: int, *, is_text: bool) -> tuple[bytes | str, int]:
    octets = data[position : position + size]
    if len(octets) != size:
        raise CBORMalformed("truncated")
    if not is_text:
        return octets, position + size
    try:
        return octets.decode(), position + size
    except UnicodeDecodeError:
        raise CBORMalformed("a text that is not UTF-8") from None


def _array(data: bytes, position: int, count: int, depth: int) -> tuple[list[Any], int]:
    items = []
    for _ in range(count):
        item, position = read_at(data, position, depth=depth + 1)
        items.append(item)
    return items, position


def _map(data: bytes, position: int, count: int, depth: int) -> tuple[dict[int | str, Any], int]:
    members: dict[int | str, Any] = {}
    for _ in range(count):
        name, position = read_at(data, position, depth=depth + 1)
        if type(name) not in {int, str} or name in members:
            raise CBORMalformed("a duplicate name, or one that is neither text nor integer")
        members[name], position = read_at(data, position, depth=depth + 1)
    return members, position
