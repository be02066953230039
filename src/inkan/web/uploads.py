"""Forms that carry a file (``multipart/form-data``, RFC 7578), read in memory and strictly.

A file's bytes are all that comes out of here: its name and its declared type are the sender's word and are dropped.
Nothing is written to disk.
"""

from collections.abc import Mapping

import msgspec
from multipart import MultipartError, MultipartSegment, PushMultipartParser, parse_options_header

from inkan.kernel.errors import Malformed
from inkan.web.exchange import Exchange
from inkan.web.input import FIELD_LIMIT, MediaTypeRefused, NameRepeated, form_fields

_MULTIPART = "multipart/form-data"
_URLENCODED = "application/x-www-form-urlencoded"


class Upload(msgspec.Struct, frozen=True):
    """What a form held, without its CSRF token. A file that was not chosen has no bytes."""

    fields: Mapping[str, str]
    files: Mapping[str, bytes]


async def read_upload(exchange: Exchange) -> Upload:
    """Return the fields and files of a form of either encoding, within the route's body limit.

    Raises:
        MediaTypeRefused: the body is no form.
        NameRepeated: a field or file stands twice.
        Malformed: not a form, not UTF-8, or more than 64 parts.
        TooLarge, ClientGone: see :meth:`Exchange.body`.
    """
    body = await exchange.body()
    kind, options = parse_options_header(exchange.header("content-type") or "")
    if kind == _URLENCODED:
        return Upload(form_fields(body), {})
    if kind != _MULTIPART or not options.get("boundary"):
        raise MediaTypeRefused("a form is read here", expected=_MULTIPART)
    try:
        return _read(body, options["boundary"])
    except (MultipartError, UnicodeDecodeError):
        raise Malformed("not a form", where="", expected="form fields in UTF-8") from None


def _read(body: bytes, boundary: str) -> Upload:
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    part: MultipartSegment | None = None
    contents = bytearray()
    with PushMultipartParser(boundary, max_segment_count=FIELD_LIMIT, strict=True) as parser:
        for event in parser.parse(body):
            if isinstance(event, MultipartSegment):
                part, contents = event, bytearray()
            elif event is not None:
                contents += event
            elif part is not None:
                _take(part, bytes(contents), fields, files)
    fields.pop("csrf_token", None)
    return Upload(fields, files)


def _take(
    part: MultipartSegment, contents: bytes, fields: dict[str, str], files: dict[str, bytes]
) -> None:
    if part.name in fields or part.name in files:
        raise NameRepeated
    if part.filename is None:
        fields[part.name] = contents.decode()
    else:
        files[part.name] = contents
