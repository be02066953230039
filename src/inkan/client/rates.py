"""What an answer says of the caller's rate: Retry-After (RFC 9110 §10.2.3) and RateLimit
(draft-ietf-httpapi-ratelimit-headers §4), read leniently: what cannot be read says nothing.
"""

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final

import msgspec

_HEADER_LIMIT: Final = 1_024
_ITEM: Final = re.compile(r'"([!#-\[\]-~]{1,64})"((?:\s*;\s*[a-z][a-z0-9]{0,15}=[^,;\s]{1,64})*)')
_PARAMETER: Final = re.compile(r";\s*(?P<name>[rt])=(?P<value>[0-9]{1,10})\s*(?=;|$)")


class RateLeft(msgspec.Struct, frozen=True):
    """What is left of one rate of the platform (``GET /v1/limits`` lists them).

    Attributes:
        policy: its name.
        remaining: requests that are left at once.
        full_after_s: seconds until all of them are; None when it is not told.
    """

    policy: str
    remaining: int
    full_after_s: int | None


def read_rates(headers: Mapping[str, str]) -> list[RateLeft]:
    """Return what the field ``RateLimit`` says; names of headers are lower case."""
    found = []
    for policy, parameters in _ITEM.findall(headers.get("ratelimit", "")[:_HEADER_LIMIT]):
        named = {each["name"]: int(each["value"]) for each in _PARAMETER.finditer(parameters)}
        if "r" in named:
            found.append(RateLeft(policy, named["r"], named.get("t")))
    return found


def retry_after_s(headers: Mapping[str, str]) -> int | None:
    """Return after how many seconds the platform wants to be asked again, or None.

    Retry-After comes first; a date in it counts from the answer's own Date, so that no clock here matters. Without
    one, a rate that is used up says it.
    """
    text = headers.get("retry-after", "").strip()
    if text:
        is_number = len(text) <= 10 and text.isascii() and text.isdigit()
        return int(text) if is_number else _seconds_between(headers.get("date", ""), text)
    waits = [rate.full_after_s for rate in read_rates(headers) if rate.remaining == 0]
    return max((wait for wait in waits if wait is not None), default=None)


def _seconds_between(start: str, end: str) -> int | None:
    try:
        between = parsedate_to_datetime(end) - parsedate_to_datetime(start)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(round(between.total_seconds()), 0)
