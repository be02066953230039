"""Ids and randomness: the only module that draws random bytes.

An id is a prefix that names its kind and 26 random characters of lower-case base32 (RFC 4648 §6: 130 bits),
so that it can be read aloud, double-clicked and put into a path. It says nothing about its owner.
"""

import re
import secrets
from typing import NewType

PersonID = NewType("PersonID", str)
PhoneID = NewType("PhoneID", str)
BindingID = NewType("BindingID", str)
EnrolmentID = NewType("EnrolmentID", str)
CertificateID = NewType("CertificateID", str)
SessionID = NewType("SessionID", str)
ApprovalID = NewType("ApprovalID", str)
RelyingPartyID = NewType("RelyingPartyID", str)
SystemID = NewType("SystemID", str)
AccountID = NewType("AccountID", str)
EventID = NewType("EventID", str)

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_PAIRS = [first + second for first in _ALPHABET for second in _ALPHABET]
_SHIFTS = range(0, 130, 10)
_ID = re.compile(r"[a-z]{2,4}_[a-z2-7]{26}")


def random_bytes(count: int) -> bytes:
    """Return ``count`` bytes from the operating system's generator."""
    return secrets.token_bytes(count)


def random_digits(count: int) -> str:
    """Return ``count`` uniformly drawn decimal digits, leading zeros included."""
    return str(secrets.randbelow(10**count)).zfill(count)


def random_below(limit: int) -> int:
    """Return a uniformly drawn integer in ``[0, limit)``."""
    return secrets.randbelow(limit)


def new_id(prefix: str) -> str:
    """Return ``{prefix}_`` and 26 base32 characters (130 random bits)."""
    # Two characters a look-up: four times as fast as base64.b32encode, and every request draws a dozen.
    bits = int.from_bytes(secrets.token_bytes(17))
    pairs = [_PAIRS[bits >> shift & 1023] for shift in _SHIFTS]
    return f"{prefix}_{''.join(pairs)}"


def is_id(text: str, prefix: str) -> bool:
    """Whether ``text`` has the form of an id of this kind; says nothing about its existence."""
    return text.startswith(f"{prefix}_") and _ID.fullmatch(text) is not None
