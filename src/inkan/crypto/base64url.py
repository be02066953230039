"""Base64url without padding, in exactly one spelling for each byte string (RFC 4648 §5, RFC 7515 §2).

Hashes, ids and replay memories are keyed by texts; a decoder that forgives padding, white space or unused bits
would let one value travel under many names.
"""

import binascii
from typing import Final

from inkan.kernel.errors import Malformed

_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
_FROM_URL: Final = bytes.maketrans(b"-_", b"+/")
# By length modulo 4: the padding that the decoder wants, and the last letters whose unused bits are zero.
_ENDINGS: Final = {
    0: (b"", _LETTERS),
    2: (b"==", _LETTERS[::16]),
    3: (b"=", _LETTERS[::4]),
}


class Base64URLMalformed(Malformed):
    """Not the canonical base64url spelling of any bytes, or not of as many as were asked for."""

    code = "base64url_malformed"
    title = "A value is not valid base64url without padding"


def encode(data: bytes) -> str:
    """Return the base64url spelling of ``data``, without padding."""
    return binascii.b2a_base64(data, newline=False).translate(_TO_URL).rstrip(b"=").decode("ascii")


def decode(text: str | bytes, *, size: int | None = None) -> bytes:
    """Return the bytes that ``text`` is the canonical spelling of.

    Args:
        text: base64url without padding; padding, white space, the letters ``+`` and ``/`` and non-zero unused
            bits are refused.
        size: when given, how many bytes there must be.

    Raises:
        Base64URLMalformed: another spelling, or another size.
    """
    try:
        raw = text.encode("ascii") if isinstance(text, str) else text
    except UnicodeEncodeError:
        raise Base64URLMalformed("a character outside the alphabet") from None
    if raw.translate(None, _LETTERS):
        raise Base64URLMalformed("a character outside the alphabet")
    ending = _ENDINGS.get(len(raw) % 4)
    if ending is None or raw[-1:] not in ending[1]:
        raise Base64URLMalformed("not the canonical spelling of any bytes")
    data = binascii.a2b_base64(raw.translate(_FROM_URL) + ending[0])
    if size is not None and len(data) != size:
        raise Base64URLMalformed(f"{len(data)} bytes instead of {size}", expected=f"{size} bytes")
    return data
