"""Strict reading of what strangers send: one type in, one value or one clear refusal out.

Size comes before parsing, parsing before meaning. JSON is read twice, once for what typed decoding hides
(a name that stands twice, nesting without end) and once into the type, without coercion, so that no two
parsers of the platform see different values in the same bytes (ASVS 5.0 1.5.3).
"""

import json
import re
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import msgspec

from inkan.kernel.errors import Malformed, TooLarge

T = TypeVar("T")

BODY_LIMIT = 16_384
"""Bytes of a request body where a route does not say otherwise."""
DEPTH_LIMIT = 32
FIELD_LIMIT = 64
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_LOCATION = re.compile(r" - at `(key in )?\$(?P<path>.*)`$")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`$")
# Field names of the platform look like this; anything else may be data and is not echoed (threat 28).
_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
_SAFE_REASON = re.compile(
    r"(Expected |Object missing required field |Number out of range|Invalid base64)"
)


class MediaTypeRefused(Malformed):
    """The body is of a kind that this route does not read."""

    code = "media_type_refused"
    title = "The body has a content type that is not read here"
    public = ("expected",)


class NameRepeated(Malformed):
    """An object names one member twice; two readers could see two values."""

    code = "name_repeated"
    title = "A name stands twice in one object"
    public = ()


def decode(body: bytes, kind: type[T], *, limit: int = BODY_LIMIT) -> T:
    """Return the JSON text ``body`` as a value of ``kind``, without coercion.

    Raises:
        TooLarge: more than ``limit`` bytes; nothing was parsed.
        NameRepeated: an object names a member twice.
        Malformed: not JSON, nested deeper than 32, or not of this type; ``where`` is a JSON pointer
            (RFC 6901) and ``expected`` says what belongs there. Values are never repeated.
    """
    if len(body) > limit:
        raise TooLarge("the body exceeds its limit", limit_bytes=limit)
    _refuse_ambiguous(body)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as fault:
        raise _fault(str(fault)) from None
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Malformed("the body is not JSON", where="", expected="JSON in UTF-8") from None


def _refuse_ambiguous(body: bytes) -> None:
    if body.count(b"{") + body.count(b"[") > DEPTH_LIMIT and _depth(body) > DEPTH_LIMIT:
        raise Malformed("nested too deeply", where="", expected=f"at most {DEPTH_LIMIT} levels")
    try:
        _NAMES.decode(body.decode())
    except NameRepeated:
        raise
    except (ValueError, RecursionError):
        raise Malformed("the body is not JSON", where="", expected="JSON in UTF-8") from None


def _unique_names(members: list[tuple[str, Any]]) -> None:
    if len(members) > 1 and len({name for name, _ in members}) != len(members):
        raise NameRepeated


_NAMES = json.JSONDecoder(object_pairs_hook=_unique_names)
"""Made once: the module's own function makes one for every call, which costs more than the reading."""


def _depth(body: bytes) -> int:
    depth = deepest = 0
    for byte in _STRING.sub(b"", body):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def _fault(message: str) -> Malformed:
    location = _LOCATION.search(message)
    pointer = _pointer(location["path"]) if location else ""
    reason = message[: location.start()] if location else message
    unknown = _UNKNOWN.match(reason)
    if unknown:
        name = unknown["name"] if _NAME.fullmatch(unknown["name"]) else "*"
        return Malformed("unknown member", where=f"{pointer}/{name}", expected="no such member")
    if _SAFE_REASON.match(reason):
        expected = reason.replace("`", "").removeprefix("Expected ")
        return Malformed(expected, where=pointer, expected=expected)
    return Malformed("a value that is not allowed", where=pointer, expected="an allowed value")


def _pointer(path: str) -> str:
    """``.subs[0].name`` becomes ``/subs/0/name``; the key of a free mapping is data and shows as ``*``."""
    steps = (name or index for name, index in _STEP.findall(path))
    return "".join(f"/{'*' if step == '...' else step}" for step in steps)


def decode_form(body: bytes, kind: type[T], *, limit: int = BODY_LIMIT) -> T:
    """Return an ``application/x-www-form-urlencoded`` body as a value of ``kind``.

    Every field is text on the wire, so numbers and booleans are read from text; a field that stands
    twice is refused unless its type is a list.

    Raises:
        TooLarge: more than ``limit`` bytes.
        Malformed: see :func:`decode`.
    """
    if len(body) > limit:
        raise TooLarge("the body exceeds its limit", limit_bytes=limit)
    try:
        return msgspec.convert(form_fields(body, kind), kind, strict=False)
    except msgspec.ValidationError as fault:
        raise _fault(str(fault)) from None


def form_fields(body: bytes, kind: Any = None) -> dict[str, Any]:
    """Return the fields of a form, without the CSRF token; lists where ``kind`` has lists.

    Raises:
        NameRepeated: a field stands twice that is not a list.
        Malformed: not a form, not UTF-8, or more than 64 fields.
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=bool(body),
            errors="strict",
            max_num_fields=FIELD_LIMIT,
        )
    except ValueError:
        raise Malformed("not a form", where="", expected="form fields in UTF-8") from None
    lists = _list_fields(kind)
    fields: dict[str, Any] = {name: [] for name in lists}
    for name, value in pairs:
        if name in lists:
            fields[name].append(value)
        elif name in fields:
            raise NameRepeated
        else:
            fields[name] = value
    fields.pop("csrf_token", None)
    return fields


@lru_cache(maxsize=256)
def _list_fields(kind: Any) -> frozenset[str]:
    if kind is None:
        return frozenset()
    described = msgspec.inspect.type_info(kind)
    if not isinstance(described, msgspec.inspect.StructType):
        return frozenset()
    many = (msgspec.inspect.ListType, msgspec.inspect.VarTupleType, msgspec.inspect.SetType)
    return frozenset(f.encode_name for f in described.fields if isinstance(f.type, many))


def check_media_type(content_type: str | None, expected: str) -> None:
    """Refuse a body whose declared type is not ``expected``; parameters other than a UTF-8 charset too.

    Raises:
        MediaTypeRefused: another type, no type, or another character set.
    """
    declared, _, parameters = (content_type or "").partition(";")
    charset = parameters.strip().lower()
    if declared.strip().lower() != expected or charset not in {
        "",
        "charset=utf-8",
        'charset="utf-8"',
    }:
        raise MediaTypeRefused(f"{expected} is read here", expected=expected)


_LOCAL_PATH = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~!$&'()*+,;=:@%?-]{0,1023}")


def is_local_path(text: str) -> bool:
    """Whether ``text`` is a path of this very site, so that a redirect to it cannot leave (threat 17)."""
    return _LOCAL_PATH.fullmatch(text) is not None and "\\" not in text


_PART_NAME = re.compile(rb'(?i)\r?\ncontent-disposition:[^\r\n]*;\s*name="([^"\r\n]*)"')


def find_form_field(body: bytes, content_type: str | None, name: str) -> str | None:
    """The value of one text field of a form of either encoding; None when there is no such form or field."""
    kind, _, parameters = (content_type or "").partition(";")
    if kind.strip().lower() == "application/x-www-form-urlencoded":
        return _find_pair(body, name)
    _, found, boundary = parameters.partition("boundary=")
    if kind.strip().lower() != "multipart/form-data" or not found:
        return None
    for part in body.split(b"--" + boundary.strip('" ').encode("latin-1"), FIELD_LIMIT):
        head, _, value = part.partition(b"\r\n\r\n")
        named = _PART_NAME.search(head)
        if named is not None and named[1] == name.encode("ascii"):
            return value.removesuffix(b"\r\n").decode("latin-1")
    return None


def _find_pair(body: bytes, name: str) -> str | None:
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, max_num_fields=FIELD_LIMIT)
    except ValueError:
        return None
    return next((value for key, value in pairs if key == name), None)
