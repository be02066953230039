"""Canonical JSON (RFC 8785) for the values that Inkan signs.

The domain is smaller than JSON: strings, integers below 2^53, booleans, null, arrays, and objects with ASCII
names. Within it no number has two spellings and the order of names is the order of their bytes, so that
msgspec's sorted encoder writes RFC 8785 exactly (shown against another implementation in the tests) and the
wallet gets the same bytes from ``JSON.stringify`` over sorted names.
"""

import datetime as dt
import decimal
import enum
import uuid
from typing import Any, Final, TypeVar

import msgspec

from inkan.kernel.errors import Malformed, TooLarge

MAX_INTEGER: Final = 2**53 - 1
MAX_DEPTH: Final = 16
DEFAULT_LIMIT: Final = 16 * 1024

T = TypeVar("T")
_encode = msgspec.json.Encoder(order="sorted").encode
_decode = msgspec.json.Decoder().decode
# What msgspec would write as a string of its own choice; kept as it is, so that the check sees and refuses it.
_REFUSED = (
    bytes,
    bytearray,
    dt.datetime,
    dt.date,
    dt.time,
    dt.timedelta,
    decimal.Decimal,
    uuid.UUID,
)


class NotCanonical(Malformed):
    """The value is outside the canonical domain, or the bytes are not the canonical form of their value."""

    code = "json_not_canonical"
    title = "The JSON is not in its canonical form"


class JSONTooLarge(TooLarge):
    """More bytes than this object may have; nothing of them was parsed."""

    code = "json_too_large"
    title = "The JSON object is larger than allowed"


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of ``value``.

    Args:
        value: str, int, bool, None, list, tuple, dict with ASCII names; also string enums and msgspec structs,
            which stand for their value and their fields.

    Raises:
        NotCanonical: floats, integers of 2^53 and more, other types, names outside ASCII, lone surrogates,
            nesting deeper than 16.
    """
    _check(value, 0)
    try:
        return _encode(value)
    except UnicodeEncodeError:
        raise NotCanonical("a lone surrogate is no text") from None


def parse_canonical(data: bytes, *, limit: int = DEFAULT_LIMIT) -> dict[str, Any]:
    """Return the object whose canonical form ``data`` is, byte for byte.

    Duplicate names, insignificant white space, other escapes and another order are refused by one comparison:
    the received bytes must be the canonical form of what was read from them.

    Args:
        data: UTF-8 JSON text, one object.
        limit: the largest size in bytes that is parsed at all.

    Raises:
        JSONTooLarge: more than ``limit`` bytes.
        NotCanonical: anything else that is not the canonical form of an object.
    """
    if len(data) > limit:
        raise JSONTooLarge(limit_bytes=limit)
    try:
        value = _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotCanonical(f"not JSON: {error}") from None
    if type(value) is not dict:
        raise NotCanonical("expected an object")
    if canonical(value) != data:
        raise NotCanonical("the bytes are not the canonical form of their value")
    return value


def parse_canonical_as(kind: type[T], data: bytes, *, limit: int = DEFAULT_LIMIT) -> T:
    """Return the struct whose canonical form ``data`` is; fields and types as ``kind`` declares them.

    Raises:
        JSONTooLarge: more than ``limit`` bytes.
        NotCanonical: not canonical, or not of this kind.
    """
    try:
        return msgspec.convert(parse_canonical(data, limit=limit), kind)
    except msgspec.ValidationError as error:
        raise NotCanonical(str(error)) from None


def _check(value: Any, depth: int) -> None:
    """Refuse what has no canonical form. Strings are left to the encoder, which knows every surrogate."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:
            raise NotCanonical("an integer of 2^53 or more")
    elif depth >= MAX_DEPTH:
        raise NotCanonical(f"nested deeper than {MAX_DEPTH}")
    elif kind is dict:
        for name, member in value.items():
            if type(name) is not str or not name.isascii():
                raise NotCanonical("a member name outside ASCII")
            if type(member) is not str:
                _check(member, depth + 1)
    elif kind is list or kind is tuple:
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, msgspec.Struct):
        _check(msgspec.to_builtins(value, builtin_types=_REFUSED), depth)
    elif not isinstance(value, enum.StrEnum):
        raise NotCanonical(f"a {kind.__name__} has no canonical form here")
