"""Persons: who they are under seal, how they are found by key, and what others may call them.

This is the only source of a person's names, numbers and pairwise references. Everything else in the platform
knows a person by an opaque id. Start with :class:`People`.
"""

from inkan.people.model import (
    Identity,
    IdentityMalformed,
    MaskedIdentity,
    MyNumberRefused,
    NotEligible,
    Person,
    PersonDeceased,
    PersonIdentityChanged,
    PersonNotFound,
    PersonState,
    Reveal,
    RevealReasonRefused,
)
from inkan.people.rules import new_identity, verify_eligible, verify_free_text
from inkan.people.service import People
from inkan.people.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "Identity",
    "IdentityMalformed",
    "MaskedIdentity",
    "MyNumberRefused",
    "NotEligible",
    "People",
    "Person",
    "PersonDeceased",
    "PersonIdentityChanged",
    "PersonNotFound",
    "PersonState",
    "Reveal",
    "RevealReasonRefused",
    "new_identity",
    "verify_eligible",
    "verify_free_text",
]
