"""The attributes that may be given beside an answer: stable codes, and what a person reads for each.

Platform and phone render the same text from the codes in the statement, so the names are part of the wire
formats: adding a code changes no text that was shown before; another name for a code is a new version of
every template of :mod:`inkan.wire.shown`. ``birth_date`` and ``age_over_NN`` are the names of ISO/IEC 18013-5.
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType


class Claim(StrEnum):
    """The codes that stand in ``claims`` of statements and receipts."""

    NAME = "name"
    BIRTH_DATE = "birth_date"
    AGE_OVER_18 = "age_over_18"
    AGE_OVER_20 = "age_over_20"
    RESIDENCE = "residence"
    ADDRESS = "address"
    OCCUPATION = "occupation"
    HEALTH_PROFESSION = "health_profession"
    MEMBERSHIP_CARD = "membership_card"
    CREDIT_CARD = "credit_card"
    CASH_CARD = "cash_card"


@cache
def claim_names() -> Mapping[Claim, Mapping[str, str]]:
    """What a person reads for each code, by the tags ``en``, ``ja``, ``zh-Hant``; read from the package once."""
    table = tomllib.loads(files("inkan.wire").joinpath("texts", "claims.toml").read_text("utf-8"))
    return MappingProxyType({Claim(code): MappingProxyType(entry) for code, entry in table.items()})
