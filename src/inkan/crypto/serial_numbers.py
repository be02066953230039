"""Serial numbers of certificates as people read and type them (RFC 5280 §4.1.2.2).

Certificates, dialogs and letters write the same number in many ways: in pairs with colons or blanks, with ``0x``, in
full-width digits. All of them become one canonical form here, and nothing else is taken for a number.
"""

import re
import unicodedata
from typing import Final

from inkan.kernel.errors import Malformed

_SEPARATORS: Final = re.compile(r"[\s:\-]+")
_HEXADECIMAL: Final = re.compile(r"0*([0-9a-f]{1,40})")
LONGEST_TYPED: Final = 200


class SerialNumberMalformed(Malformed):
    """A typed serial number is not hexadecimal, or longer than 20 octets."""

    code = "serial_number_malformed"
    title = "This is not a serial number of a certificate"
    public = ()


def parse_typed_serial(typed: str) -> str:
    """Return the serial number in lower-case hexadecimal without leading zeros.

    Blanks, colons and hyphens between the digits, ``0x`` before them and full-width characters are forgiven.

    Raises:
        SerialNumberMalformed: any other text, zero, or more than 20 octets.
    """
    if len(typed) > LONGEST_TYPED:
        raise SerialNumberMalformed("longer than any serial number")
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", typed))
    found = _HEXADECIMAL.fullmatch(plain.lower().removeprefix("0x"))
    if found is None or not found[1].strip("0"):
        raise SerialNumberMalformed("expected hexadecimal digits")
    return found[1]


def show_serial(serial: str) -> str:
    """Return a canonical serial number in pairs, as certificates show it: ``07:5B:CD``."""
    whole = serial.zfill(len(serial) + len(serial) % 2).upper()
    return ":".join(whole[place : place + 2] for place in range(0, len(whole), 2))
