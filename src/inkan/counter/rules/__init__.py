"""Tables of the counter."""

from inkan.counter.rules.machine import (
    CASE_LIFE,
    CHALLENGE_LIFE,
    COMMAND_LIFE,
    DOCUMENT_LIFE,
    MACHINE,
    PURGE_EVERY,
    SWEEP_EVERY,
)
from inkan.counter.rules.tables import (
    DOCUMENTS,
    FEE,
    KINDS,
    PROFILES,
    REASON_OF_CAUSE,
    UTC_OFFSET,
    VALID_YEARS,
    DocumentRow,
    KindRow,
)
from inkan.counter.rules.terms import TERMS, Terms, terms_of
from inkan.counter.rules.texts import is_hidden_my_number, verify_document, verify_entry

__all__ = [
    "CASE_LIFE",
    "CHALLENGE_LIFE",
    "COMMAND_LIFE",
    "DOCUMENTS",
    "DOCUMENT_LIFE",
    "FEE",
    "KINDS",
    "MACHINE",
    "PROFILES",
    "PURGE_EVERY",
    "REASON_OF_CAUSE",
    "SWEEP_EVERY",
    "TERMS",
    "UTC_OFFSET",
    "VALID_YEARS",
    "DocumentRow",
    "KindRow",
    "Terms",
    "is_hidden_my_number",
    "terms_of",
    "verify_document",
    "verify_entry",
]
