"""The ``claims`` parameter (OIDC Core §5.5, OIDC4IDA): text to wishes, without I/O.

A claim that nobody here could ever give is dropped in silence, as the standard wants it; what is not well formed is
refused.
"""

from typing import Any, Final

from inkan.crypto.jose import parse_object
from inkan.federation.model.refusals import RequestRefused
from inkan.federation.model.request import ClaimWish, ClaimWishes, VerifiedWish
from inkan.federation.rules.claims import (
    ANSWER_CLAIM,
    CLAIM_ROWS,
    PARAMETER_LIMIT,
    PURPOSE_LENGTHS,
    TOKEN_CLAIMS,
    WISHES_LIMIT,
)
from inkan.kernel.errors import InkanError

VERIFIED: Final = "verified_claims"
_KNOWN: Final = frozenset({*CLAIM_ROWS, ANSWER_CLAIM, *TOKEN_CLAIMS})
_SCALARS: Final = (str, bool, int, float)
_DEPTH: Final = 8


def parse_claims(text: str) -> tuple[ClaimWishes, ClaimWishes]:
    """The wishes for the ID token and for the userinfo endpoint.

    Plan:
        1. at most 16 KiB; one JSON object without duplicate names;
        2. of its members ``id_token`` and ``userinfo`` count, each an object (OIDC Core §5.5);
        3. each of their members is null or an object of ``essential``, ``value``, ``values``, ``purpose`` (§5.5.1);
        4. ``verified_claims`` is one element or several, each with ``verification``, which names ``trust_framework``,
           and with ``claims``, which is not empty (OIDC4IDA, request schema).

    Raises:
        RequestRefused: any other form.
    """
    try:
        asked = parse_object(text.encode(), limit=PARAMETER_LIMIT)  # 1
    except (InkanError, UnicodeEncodeError):
        raise RequestRefused("claims is no JSON object of unique names") from None
    return _wishes(asked, "id_token"), _wishes(asked, "userinfo")


def _wishes(asked: dict[str, Any], place: str) -> ClaimWishes:
    given = asked.get(place)
    members = {} if given is None else _object(given, place)  # 2
    plain = {name: _wish(value) for name, value in members.items() if name != VERIFIED}  # 3
    elements = members.get(VERIFIED)
    if elements is None:
        elements = []
    elif not isinstance(elements, list):
        elements = [elements]
    elif not elements or len(elements) > WISHES_LIMIT:
        raise RequestRefused(f"{place}/{VERIFIED} is empty or too long")
    verified = [_verified(element) for element in elements]  # 4
    return ClaimWishes(
        plain={name: wish for name, wish in plain.items() if name in _KNOWN},
        verified=[wish for wish in verified if wish.claims],
    )


def _wish(value: Any) -> ClaimWish | None:
    if value is None:
        return None
    members = _object(value, "a claim")
    essential = members.get("essential", False)
    purpose = members.get("purpose", "")
    values = members.get("values", [])
    if not isinstance(essential, bool) or not isinstance(values, list):
        raise RequestRefused("essential is a boolean, values a list")
    if not isinstance(purpose, str) or (purpose and len(purpose) not in PURPOSE_LENGTHS):
        raise RequestRefused("purpose has 3 to 300 characters")
    if "value" in members:
        values = [members["value"], *values]
    if len(values) > WISHES_LIMIT or not all(isinstance(each, _SCALARS) for each in values):
        raise RequestRefused("a wished value is a text, a number or a boolean")
    return ClaimWish(essential=essential, values=values, purpose=purpose)


def _verified(element: Any) -> VerifiedWish:
    members = _object(element, VERIFIED)
    verification = _object(members.get("verification"), "verification")
    claims = _object(members.get("claims"), f"{VERIFIED}/claims")
    if "trust_framework" not in verification:
        raise RequestRefused("verification names trust_framework")
    if not claims:
        raise RequestRefused(f"{VERIFIED}/claims is empty")
    _check_constraints(verification, _DEPTH)
    wishes = {name: _wish(value) for name, value in claims.items()}
    return VerifiedWish(
        verification=verification,
        claims={name: wish for name, wish in wishes.items() if name in CLAIM_ROWS},
    )


def _check_constraints(wanted: Any, depth: int) -> None:
    """Refuse what no constraint is: deeper than any evidence, or a ``max_age`` that is no number of seconds."""
    if depth == 0:
        raise RequestRefused("verification is nested too deeply")
    if isinstance(wanted, dict):
        max_age = wanted.get("max_age", 0)
        if isinstance(max_age, bool) or not isinstance(max_age, int) or max_age < 0:
            raise RequestRefused("max_age is a number of seconds")
        if not isinstance(wanted.get("values", []), list):
            raise RequestRefused("values is a list")
        for each in wanted.values():
            _check_constraints(each, depth - 1)
    elif isinstance(wanted, list):
        if len(wanted) > WISHES_LIMIT:
            raise RequestRefused("a list of constraints is too long")
        for each in wanted:
            _check_constraints(each, depth - 1)


def _object(value: Any, what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or len(value) > WISHES_LIMIT:
        raise RequestRefused(f"{what} is an object of at most {WISHES_LIMIT} members")
    return value
