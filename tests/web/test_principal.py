"""The matrix: role, strength and freshness, and nothing that is not in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inkan.web.principal import (
    Assurance,
    AssuranceTooLow,
    LoginRequired,
    Matrix,
    Permission,
    Principal,
    PrincipalKind,
    RoleMissing,
    VerificationStale,
    open_to_all,
    public,
    requires,
)

NOW = datetime(2026, 4, 1, tzinfo=UTC)
MATRIX = Matrix(
    [
        Permission(use_case="read", roles=frozenset({"clerk", "auditor"}), source="HCA-44"),
        Permission(
            use_case="revoke",
            roles=frozenset({"clerk"}),
            source="HCA-44",
            assurance=Assurance.PHISHING_RESISTANT,
            fresh_within=timedelta(minutes=10),
        ),
    ]
)


def principal(**facts: Any) -> Principal:
    known = {
        "kind": PrincipalKind.STAFF,
        "id": "ac_1",
        "roles": frozenset({"clerk"}),
        "assurance": Assurance.PHISHING_RESISTANT,
        "verified_at": NOW,
    }
    return Principal(**(known | facts))


@pytest.mark.parametrize(
    ("who", "use_case", "refusal"),
    [
        (principal(), "read", None),
        (principal(roles=frozenset({"auditor"})), "read", None),
        (principal(assurance=Assurance.POSSESSION, verified_at=None), "read", None),
        (None, "read", LoginRequired),
        (principal(roles=frozenset()), "read", RoleMissing),
        (principal(roles=frozenset({"Clerk"})), "read", RoleMissing),
        (principal(), "revoke", None),
        (principal(verified_at=NOW - timedelta(minutes=10)), "revoke", None),
        (principal(roles=frozenset({"auditor"})), "revoke", RoleMissing),
        (principal(assurance=Assurance.TWO_FACTORS), "revoke", AssuranceTooLow),
        (principal(verified_at=NOW - timedelta(seconds=601)), "revoke", VerificationStale),
        (principal(verified_at=None), "revoke", VerificationStale),
    ],
)
def test_the_matrix_decides(who: Principal | None, use_case: str, refusal: Any) -> None:
    if refusal is None:
        assert MATRIX.verify(who, use_case, now=NOW) is who
        return
    with pytest.raises(refusal):
        MATRIX.verify(who, use_case, now=NOW)


def test_a_refusal_says_what_is_lacking_and_not_who_asked() -> None:
    with pytest.raises(AssuranceTooLow) as refused:
        MATRIX.verify(principal(assurance=Assurance.POSSESSION), "revoke", now=NOW)
    assert refused.value.public_facts == {"needed": "phishing_resistant"}
    with pytest.raises(RoleMissing) as missing:
        MATRIX.verify(principal(roles=frozenset()), "read", now=NOW)
    assert missing.value.public_facts == {}


def test_an_unknown_use_case_is_a_mistake_of_the_program() -> None:
    with pytest.raises(KeyError):
        MATRIX.verify(principal(), "nosuch", now=NOW)


@pytest.mark.parametrize(
    "row",
    [
        Permission(use_case="read", roles=frozenset({"x"}), source="y"),
        Permission(use_case="new", roles=frozenset(), source="y"),
        Permission(use_case="new", roles=frozenset({"x"}), source=""),
    ],
)
def test_a_row_is_whole_and_stands_once(row: Permission) -> None:
    with pytest.raises(ValueError, match=row.use_case):
        Matrix([*MATRIX.rows.values(), row])


def test_a_public_route_says_why() -> None:
    with pytest.raises(ValueError, match="why"):
        open_to_all("")
    assert next(iter(public("status is public").values())).use_case is None
    assert next(iter(requires("read").values())).use_case == "read"
