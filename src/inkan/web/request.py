"""The raw parts of a request: header lines, query, body, address. Read strictly, without a framework."""

from ipaddress import IPv6Address, ip_address
from urllib.parse import parse_qsl

from inkan.kernel.errors import InkanError, Malformed, TooLarge
from inkan.web.asgi import RawHeaders, Receive
from inkan.web.input import FIELD_LIMIT


class HeaderRepeated(Malformed):
    """A header that stands once was sent twice; two readers could see two values."""

    code = "header_repeated"
    title = "A header was sent more than once"
    public = ("where",)


class ParameterWrong(Malformed):
    """A query parameter is repeated, or the query is not one."""

    code = "parameter_wrong"
    title = "A parameter of the address is not well formed"
    public = ()


class ClientGone(InkanError):
    """The sender went away before the request was complete; nobody reads the answer."""

    code = "client_gone"
    title = "The sender went away"


async def read_body(receive: Receive, *, limit: int, declared: bytes | None = None) -> bytes:
    """Read a request body of at most ``limit`` bytes.

    ``declared`` is the value of Content-Length; a larger one is refused before anything is read.

    Raises:
        TooLarge: more than ``limit``.
        ClientGone: the sender went away before its end.
    """
    if declared is not None and declared.isdigit() and _exceeds(declared, limit):
        raise TooLarge("the declared length exceeds the limit", limit_bytes=limit)
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientGone
        piece: bytes = message.get("body", b"")
        size += len(piece)
        if size > limit:
            raise TooLarge("the body exceeds its limit", limit_bytes=limit)
        if not message.get("more_body"):
            return b"".join((*pieces, piece)) if pieces else piece
        pieces.append(piece)


def _exceeds(declared: bytes, limit: int) -> bool:
    """Whether a row of digits, however long, is more than ``limit``."""
    return len(declared) > 18 or int(declared) > limit


def header_table(lines: RawHeaders) -> tuple[dict[bytes, bytes], set[bytes] | None]:
    """Return name to value, and the names that stand more than once (None when there is none)."""
    table: dict[bytes, bytes] = dict(lines)
    if len(table) == len(lines):
        return table, None
    seen: set[bytes] = set()
    return table, {name for name, _ in lines if name in seen or seen.add(name)}  # type: ignore[func-returns-value]


def read_query(raw: bytes) -> dict[str, str]:
    """Return the parameters of a query.

    Raises:
        ParameterWrong: not UTF-8 text, a parameter twice, or more than 64 of them.
    """
    try:
        pairs = parse_qsl(
            raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=FIELD_LIMIT
        )
    except ValueError:
        raise ParameterWrong("the query is not UTF-8 text") from None
    query = dict(pairs)
    if len(query) != len(pairs):
        raise ParameterWrong("a parameter stands twice")
    return query


def network_of(host: str) -> bytes:
    """The part of an address that one sender holds: all of IPv4, the /64 of IPv6."""
    try:
        address = ip_address(host)
    except ValueError:
        return host.encode()
    return address.packed[:8] if isinstance(address, IPv6Address) else address.packed
