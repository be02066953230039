"""One class for every JSON format: typed, capped and canonical.

The bytes of a document are what is signed or hashed, so a parser accepts one spelling of each value only
(RFC 8785), and a builder runs the parser over what it wrote: nothing leaves that would not be let in.
"""

import re
from collections.abc import Callable
from typing import Generic, TypeVar

import msgspec

from inkan.crypto.jcs import JSONTooLarge, NotCanonical
from inkan.kernel.errors import Malformed
from inkan.wire.forms import Flaw

T = TypeVar("T", bound=msgspec.Struct)

# The declared types of a format admit only strings, integers, booleans, null, arrays and objects with ASCII
# names. For these msgspec's sorted encoder writes RFC 8785 (tests/crypto/test_jcs.py shows it).
_encode = msgspec.json.Encoder(order="sorted").encode
_PATH = re.compile(r" - at `(?:key` in `)?\$(.*)`$")
_EXPECTED_LIMIT = 200


def _no_flaw(_: object) -> None:
    """The rule of a format whose types say everything."""


def fault(kind: type[Malformed], error: Exception) -> Malformed:
    """Turn a decoding error of msgspec into a refusal with a JSON pointer (RFC 6901) to the member."""
    message = str(error)
    path = _PATH.search(message)
    if path is None:
        return kind(where="", expected=message[:_EXPECTED_LIMIT])
    pointer = path[1].replace("[...]", "/-").replace("[", "/").replace("]", "").replace(".", "/")
    return kind(where=pointer, expected=message[: path.start()][:_EXPECTED_LIMIT])


class Format(Generic[T]):
    """A JSON document of one kind.

    Args:
        kind: the struct that declares members, types and limits.
        limit: the largest document in bytes.
        malformed: the refusal that parsers of this format raise.
        flaw: the rule over several members that types cannot say.
    """

    def __init__(
        self,
        kind: type[T],
        *,
        limit: int,
        malformed: type[Malformed],
        flaw: Callable[[T], Flaw | None] = _no_flaw,
    ) -> None:
        self.kind = kind
        self.limit = limit
        self.malformed = malformed
        self.flaw = flaw
        self._decode = msgspec.json.Decoder(kind).decode

    def parse(self, data: bytes) -> T:
        """Return the document whose canonical bytes ``data`` is.

        1. Size, before anything is parsed.
        2. JSON of the declared members, types, patterns and lengths; no unknown and no missing member.
        3. The bytes are the canonical form of what was read: no second spelling, no duplicate names.
        4. The rules that span members.

        Raises:
            JSONTooLarge: more bytes than the format allows.
            NotCanonical: right members in another spelling.
            Malformed: the format's own leaf, with ``where`` (JSON pointer) and ``expected``.
        """
        if len(data) > self.limit:  # 1
            raise JSONTooLarge(limit_bytes=self.limit)
        try:
            value = self._decode(data)  # 2
            written = _encode(value)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise fault(self.malformed, error) from None
        if written != data:  # 3
            raise NotCanonical("the bytes are not the canonical form of their value")
        return self.verify_rules(value)  # 4

    def encode(self, value: T) -> bytes:
        """Return the canonical bytes of ``value``, having parsed them.

        Raises:
            Malformed: a member has a value that the format does not admit.
            JSONTooLarge: the document would be larger than the format allows.
        """
        try:
            data = _encode(value)
        except (msgspec.MsgspecError, ValueError, TypeError, RecursionError) as error:
            raise fault(self.malformed, error) from None
        self.parse(data)
        return data

    def verify_rules(self, value: T) -> T:
        """Return ``value`` if the rules that span members hold.

        Raises:
            Malformed: the format's own leaf.
        """
        flaw = self.flaw(value)
        if flaw is not None:
            raise self.malformed(where=flaw.where, expected=flaw.expected)
        return value
