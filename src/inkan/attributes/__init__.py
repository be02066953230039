"""Attributes of persons with source and level, and the consents by which they were given.

What is derived from the card's proof is computed when it is asked for; what authorities and issuers say is
recorded under seal. Nothing is given without a signed statement that names it. Start with :class:`Attributes`;
``docs/attributes.md`` has the table.
"""

from inkan.attributes.model import (
    AttributeLevelTooLow,
    AttributeNotRecorded,
    AttributeUnknown,
    AttributeValueWrong,
    Available,
    Consent,
    ConsentNotFound,
    ConsentUnsigned,
    MaskedValue,
    Source,
    SourceKind,
    Value,
)
from inkan.attributes.rules import MIN_LEVEL, PURGE_EVERY
from inkan.attributes.service import Attributes, receipt_claims
from inkan.attributes.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "MIN_LEVEL",
    "PURGE_EVERY",
    "AttributeLevelTooLow",
    "AttributeNotRecorded",
    "AttributeUnknown",
    "AttributeValueWrong",
    "Attributes",
    "Available",
    "Consent",
    "ConsentNotFound",
    "ConsentUnsigned",
    "MaskedValue",
    "Source",
    "SourceKind",
    "Value",
    "receipt_claims",
]
