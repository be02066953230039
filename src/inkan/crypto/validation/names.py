"""Distinguished names compared as RFC 5280 §7.1 demands: caseIgnoreMatch after the preparation of RFC 4518.

Two encodings of the same words (PrintableString, UTF8String), other capitals and other white space make one name.
"""

import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, TypeAlias

from cryptography import x509

CanonicalRDN: TypeAlias = frozenset[tuple[str, str | bytes]]
CanonicalName: TypeAlias = tuple[CanonicalRDN, ...]
"""Relative names in their order, each a set of (dotted type, prepared value)."""

# RFC 4518 §2.2: mapped to nothing, besides controls and format characters.
_NOTHING: Final = frozenset(
    {"\u00ad", "\u034f", "\u1806", "\ufffc", *map(chr, range(0x180B, 0x180E))}
    | set(map(chr, range(0xFE00, 0xFE10)))
)
_SPACES: Final = frozenset("\t\n\v\f\r\u0085")


def canonical_name(name: x509.Name) -> CanonicalName:
    """Return the form of a name in which equal names are equal."""
    return tuple(_canonical_rdn(rdn) for rdn in name.rdns)


def relative_to(issuer: CanonicalName, relative: x509.RelativeDistinguishedName) -> CanonicalName:
    """Return the name that nameRelativeToCRLIssuer stands for (RFC 5280 §4.2.1.13)."""
    return (*issuer, _canonical_rdn(relative))


def is_within(name: CanonicalName, base: CanonicalName) -> bool:
    """Whether a name lies in the subtree below ``base`` (RFC 5280 §4.2.1.10)."""
    return name[: len(base)] == base


def _canonical_rdn(attributes: Iterable[x509.NameAttribute[str | bytes]]) -> CanonicalRDN:
    return frozenset(
        (row.oid.dotted_string, prepare(row.value) if isinstance(row.value, str) else row.value)
        for row in attributes
    )


@lru_cache(maxsize=1024)
def prepare(text: str) -> str:
    """Return a value as RFC 4518 §2 prepares it for caseIgnoreMatch."""
    if not (text.isascii() and text.isprintable()):
        text = "".join(_mapped(character) for character in text)
        text = unicodedata.normalize("NFKC", text.casefold())
        # Normalising may bring back what folding took away, and once more is enough (RFC 3454 B.2).
        text = unicodedata.normalize("NFKC", text.casefold())
    return " ".join(text.casefold().split())


def _mapped(character: str) -> str:
    if character in _SPACES:
        return " "
    if character in _NOTHING:
        return ""
    category = unicodedata.category(character)
    if category[0] == "Z":
        return "" if character == "\u200b" else " "
    return "" if category in {"Cc", "Cf"} else character
