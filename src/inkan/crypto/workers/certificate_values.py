"""Values of certificates as text that a person sees as it is: nothing invisible, bytes in pairs."""

import unicodedata
from collections.abc import Iterable
from typing import Final

from asn1crypto import core
from cryptography import x509

# Cc control, Cf format (bidirectional, zero width), Cs surrogate, Cn unassigned, Zl and Zp separators.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return the text with every invisible character written out: ``[U+202E]`` (threat 22)."""
    return "".join(
        f"[U+{ord(char):04X}]" if unicodedata.category(char) in _INVISIBLE else char
        for char in text
    )


def hexadecimal(octets: bytes) -> str:
    """Return bytes in pairs with colons, upper case."""
    return octets.hex(":").upper()


def other_name_text(name: x509.OtherName) -> str | None:
    """Return the text of an other name, or None if it is no string."""
    try:
        value = core.load(name.value).native
    except (ValueError, TypeError, KeyError):
        return None
    return visible(value) if isinstance(value, str) else None


def general_name(name: x509.GeneralName) -> str:
    """Return one name of RFC 5280 §4.2.1.6 with its kind before it."""
    match name:
        case x509.OtherName():
            text = other_name_text(name)
            told = text if text is not None else hexadecimal(name.value)
            return f"{name.type_id.dotted_string}: {told}"
        case x509.DirectoryName():
            return f"directoryName: {visible(name.value.rfc4514_string())}"
        case x509.RegisteredID():
            return f"registeredID: {name.value.dotted_string}"
        case x509.UniformResourceIdentifier():
            return visible(name.value)
        case x509.RFC822Name():
            return f"rfc822Name: {visible(name.value)}"
        case _:
            return f"{type(name).__name__.removesuffix('Name')}: {visible(str(name.value))}"


def general_names(names: Iterable[x509.GeneralName] | None) -> list[str]:
    """Return each name; none for None."""
    return [general_name(name) for name in names or ()]
