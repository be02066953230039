"""``verified_claims`` (OIDC4IDA): claims with what was verified of them, or nothing at all.

An element is made only when every constraint that was asked holds; a claim whose verification is unknown never
stands in one.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from inkan.federation.model.request import ClaimWish, VerifiedWish
from inkan.federation.rules.claims import CLAIM_ROWS, TRUST_ROWS

_CONTROLS = frozenset({"value", "values", "max_age", "essential", "purpose"})


def verified_claims(
    wishes: list[VerifiedWish], given: Mapping[str, Any], *, at: datetime
) -> list[dict[str, Any]]:
    """The elements that can be given truly: for each wish one for each source whose verification fulfils it.

    Args:
        wishes: of one place.
        given: attribute code to value, source, level and moment, as the receipt gives them.
        at: when the person agreed; ``max_age`` is counted to it.
    """
    elements = []
    for wish in wishes:
        for source in sorted({entry["source"] for entry in given.values()}):
            element = _element(wish, given, source, at)
            if element is not None:
                elements.append(element)
    return elements


def fits(wish: ClaimWish | None, value: Any) -> bool:
    """Whether a value is one of those that were wished, if any were (OIDC Core §5.5.1)."""
    return wish is None or not wish.values or any(_same(each, value) for each in wish.values)


def verification_of(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """What is known of how one value was verified; None for a source without a row."""
    kind, _, name = entry["source"].partition(":")
    row = TRUST_ROWS.get(kind)
    if row is None:
        return None
    verification = {"trust_framework": row.framework, "time": entry["as_of"]}
    if row.tells_level:
        verification["assurance_level"] = str(entry["level"])
    return verification | {"evidence": row.evidence(name)}


def _element(
    wish: VerifiedWish, given: Mapping[str, Any], source: str, at: datetime
) -> dict[str, Any] | None:
    claims: dict[str, Any] = {}
    verifications: list[dict[str, Any]] = []
    for name, wanted in wish.claims.items():
        row = CLAIM_ROWS[name]
        entry = given.get(row.attribute)
        if entry is None or entry["source"] != source:
            continue
        verification = verification_of(entry)
        value = row.shape(entry["value"])
        if verification is None or not fits(wanted, value):
            continue
        if meets_constraints(wish.verification, verification, at=at):
            claims[name] = value
            verifications.append(verification)
    if not claims:
        return None
    # One element says one thing of all its claims: the oldest moment and the lowest level among them.
    known = verifications[0]
    lowest = {
        name: min(each[name] for each in verifications)
        for name in ("time", "assurance_level")
        if name in known
    }
    shown = {name: each for name, each in (known | lowest).items() if name in wish.verification}
    return {"verification": shown, "claims": claims}


def meets_constraints(wanted: Any, known: Any, *, at: datetime) -> bool:
    """Whether what is known fulfils what was asked: null asks for nothing, a member that is not known fails when it
    constrains anything (OIDC4IDA: omit, never lie).
    """
    if wanted is None:
        return True
    if isinstance(wanted, list):
        return isinstance(known, list) and all(
            any(meets_constraints(each, one, at=at) for one in known) for each in wanted
        )
    if not isinstance(wanted, dict):
        return _same(wanted, known)
    if not _meets_control(wanted, known, at):
        return False
    nested = {name: each for name, each in wanted.items() if name not in _CONTROLS}
    members = known if isinstance(known, dict) else {}
    return all(meets_constraints(each, members.get(name), at=at) for name, each in nested.items())


def _meets_control(wanted: dict[str, Any], known: Any, at: datetime) -> bool:
    if "value" in wanted and not _same(wanted["value"], known):
        return False
    if "values" in wanted and not any(_same(each, known) for each in wanted["values"]):
        return False
    if "max_age" in wanted:
        if not isinstance(known, str):
            return False
        return at - datetime.fromisoformat(known) <= timedelta(seconds=wanted["max_age"])
    return True


def _same(wanted: Any, known: Any) -> bool:
    """Equal, and of one type: to Python ``1`` is ``True``."""
    return type(wanted) is type(known) and bool(wanted == known)
