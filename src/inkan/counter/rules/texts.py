"""What an entry of an office's registers and the number of a document look like."""

import re
import unicodedata
from datetime import date
from typing import Final

from inkan.counter.model import CounterEntryMalformed, PhotoDocument, PhotoDocumentMissing
from inkan.kernel.identifiers import holds_my_number

ENTRY_LIMIT: Final = 180
"""Characters of a name or an address: as many as an address in a certificate may have (X.520 §6.6.1)."""

_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_PHONE: Final = re.compile(r"[+0-9][0-9 ()-]{2,38}")
_NUMBER: Final = re.compile(r"[A-Z0-9-]{4,24}")
_SEPARATORS: Final = re.compile(r"[\s.\-‐-―−ー_/]")
# Controls, invisible format characters, lone surrogates, line and paragraph separators, and what no font and no
# certificate knows: unassigned and private characters.
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_FORMS: Final = {"code": _CODE, "municipality": _CODE, "phone": _PHONE}


def verify_entry(text: str, *, where: str) -> str:
    """Return a code, telephone number, name or address of a register.

    Raises:
        CounterEntryMalformed: empty, too long, not NFC, with outer blanks or invisible characters, or not of the
            form that fields of this name have.
    """
    form = _FORMS.get(where)
    is_text = (
        0 < len(text) <= ENTRY_LIMIT
        and text == text.strip()
        and unicodedata.is_normalized("NFC", text)
        and not any(unicodedata.category(character) in _REFUSED_CATEGORIES for character in text)
    )
    if not is_text or (form is not None and form.fullmatch(text) is None):
        raise CounterEntryMalformed(where=where)
    return text


def verify_document(document: PhotoDocument, *, today: date) -> PhotoDocument:
    """Return a photo document that is good on this local day (JPKI-19, JPKI-20).

    Whether its number is a My Number is asked by :func:`is_hidden_my_number` before.

    Raises:
        PhotoDocumentMissing: it has ended, or its number has no form that documents have.
    """
    if document.expires_on < today:
        raise PhotoDocumentMissing(where="expires_on")
    if _NUMBER.fullmatch(document.number.reveal()) is None:
        raise PhotoDocumentMissing(where="number")
    return document


def is_hidden_my_number(text: str) -> bool:
    """Whether a text holds a My Number once separators and full-width forms are taken away (WAT-62)."""
    return holds_my_number(_SEPARATORS.sub("", unicodedata.normalize("NFKC", text)))
