"""Schemes: one rule set for each country or branch whose persons bind phones, as data.

A scheme says who may bind a phone, with which card, how many, for how long, with which keys, and what happens
when the card ends. Code reads its figures and never repeats them. Start with :func:`get_scheme`; the shipped
schemes are the TOML files beside this module, their ceilings stand in ``rules``.
"""

from inkan.schemes.model import (
    FIDO,
    Assurance,
    Card,
    Effect,
    Eligibility,
    LevelOfAssurance,
    ParentEnd,
    ParentEndEffects,
    Phone,
    PlaceName,
    Scheme,
    SchemeRefused,
    Terms,
    Texts,
    UnknownScheme,
)
from inkan.schemes.rules import LEVEL_TEXTS, all_schemes, get_scheme, load_scheme

__all__ = [
    "FIDO",
    "LEVEL_TEXTS",
    "Assurance",
    "Card",
    "Effect",
    "Eligibility",
    "LevelOfAssurance",
    "ParentEnd",
    "ParentEndEffects",
    "Phone",
    "PlaceName",
    "Scheme",
    "SchemeRefused",
    "Terms",
    "Texts",
    "UnknownScheme",
    "all_schemes",
    "get_scheme",
    "load_scheme",
]
