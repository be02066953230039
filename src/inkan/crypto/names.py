"""Distinguished names as Inkan writes and reads them (RFC 5280 §4.1.2.4, §4.1.2.6 and appendix A.1).

Text goes into UTF8String, except where the attribute's own syntax is PrintableString. Characters that change how a
name looks without being seen (bidirectional and other invisible controls) are refused (threat 22).
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from inkan.kernel.errors import Malformed


class NameMalformed(Malformed):
    """A name attribute is unknown, empty, too long or holds characters that it may not hold."""

    code = "name_malformed"
    title = "A name cannot be written into a certificate"
    public = ("where",)


class _Attribute(NamedTuple):
    """Object identifier, longest value in characters, and its form where the syntax is narrower than text."""

    oid: x509.ObjectIdentifier
    longest: int
    form: re.Pattern[str] | None = None


_PRINTABLE = re.compile(r"[A-Za-z0-9 '()+,./:=?-]+")
_COUNTRY = re.compile(r"[A-Z]{2}")

ATTRIBUTES: Final[Mapping[str, _Attribute]] = {
    "C": _Attribute(NameOID.COUNTRY_NAME, 2, _COUNTRY),
    "ST": _Attribute(NameOID.STATE_OR_PROVINCE_NAME, 128),
    "L": _Attribute(NameOID.LOCALITY_NAME, 128),
    "O": _Attribute(NameOID.ORGANIZATION_NAME, 64),
    "OU": _Attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, 64),
    "organizationIdentifier": _Attribute(NameOID.ORGANIZATION_IDENTIFIER, 64),
    "title": _Attribute(NameOID.TITLE, 64),
    "SN": _Attribute(NameOID.SURNAME, 64),
    "GN": _Attribute(NameOID.GIVEN_NAME, 64),
    "CN": _Attribute(NameOID.COMMON_NAME, 64),
    "serialNumber": _Attribute(NameOID.SERIAL_NUMBER, 64, _PRINTABLE),
}
# Cc control, Cf format (bidirectional, zero width), Cs surrogate, Cn unassigned, Zl and Zp separators.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"})


def build_name(parts: Iterable[tuple[str, str]]) -> x509.Name:
    """Return the name with these attributes, each in a set of its own, in the given order.

    Args:
        parts: short names of :data:`ATTRIBUTES` with their values; from the general to the particular
            (``C``, ``O``, ``CN``, ``serialNumber``).

    Raises:
        NameMalformed: with the fact ``where``, the short name.
    """
    attributes = [x509.NameAttribute(_verified(short, text), text) for short, text in parts]
    if not attributes:
        raise NameMalformed("a name needs at least one attribute", where="")
    return x509.Name(attributes)


def find_in_name(name: x509.Name, short: str) -> str | None:
    """Return the text of an attribute, or None if the name holds it not once."""
    found = name.get_attributes_for_oid(ATTRIBUTES[short].oid)
    if len(found) != 1 or not isinstance(found[0].value, str):
        return None
    return found[0].value


def _verified(short: str, text: str) -> x509.ObjectIdentifier:
    attribute = ATTRIBUTES.get(short)
    if attribute is None:
        raise NameMalformed(f"{short} is no attribute of a name here", where=short)
    if not 0 < len(text) <= attribute.longest or text != text.strip():
        raise NameMalformed(f"{short} is empty, too long or padded with blanks", where=short)
    if any(unicodedata.category(character) in _INVISIBLE for character in text):
        raise NameMalformed(f"{short} holds invisible characters", where=short)
    if attribute.form is not None and attribute.form.fullmatch(text) is None:
        raise NameMalformed(f"{short} does not have its form", where=short)
    return attribute.oid
