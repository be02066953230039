"""The tables: lives, machines, the permission matrix."""

import contextlib
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.accounts import PERMISSIONS, AccountNameRefused, Role, RolesRefused
from inkan.accounts.model import AccountKind, Handover
from inkan.accounts.rules import (
    CEREMONY_LIFE,
    CHALLENGE_BYTES,
    INVITE_LIFE,
    LOGIN_RULES,
    NAME_LIMIT,
    STAFF_ROLES,
    TOKEN_BYTES,
    verify_name,
    verify_staff_roles,
)
from inkan.kernel.errors import InkanError
from inkan.web.principal import Assurance, Matrix


@pytest.mark.req("HCA-44")
def test_lives_are_within_the_law() -> None:
    staff, person = LOGIN_RULES[AccountKind.STAFF], LOGIN_RULES[AccountKind.PERSON]
    assert staff.idle <= timedelta(minutes=10)
    assert staff.absolute <= timedelta(hours=8)
    assert person.idle <= timedelta(minutes=30)
    assert person.absolute <= timedelta(hours=12)
    assert INVITE_LIFE[Handover.IN_PERSON] <= timedelta(minutes=10)
    assert INVITE_LIFE[Handover.MAIL] <= timedelta(hours=24)
    assert timedelta(minutes=5) >= CEREMONY_LIFE
    assert TOKEN_BYTES * 8 >= 256
    assert CHALLENGE_BYTES * 8 >= 256


def test_every_role_may_do_something_and_every_row_has_a_source() -> None:
    used = {role for row in PERMISSIONS for role in row.roles}
    assert used == set(Role)
    Matrix(PERMISSIONS)  # refuses a row without a source, and one that stands twice


@pytest.mark.parametrize("row", PERMISSIONS, ids=lambda row: row.use_case)
def test_staff_do_nothing_without_a_passkey(row: object) -> None:
    if row.roles <= STAFF_ROLES:
        assert row.assurance is Assurance.PHISHING_RESISTANT


def test_staff_and_persons_share_no_row() -> None:
    for row in PERMISSIONS:
        assert row.roles <= STAFF_ROLES or row.roles == {Role.PERSON}


@pytest.mark.parametrize(
    "roles", [[], [Role.PERSON], [Role.AUDITOR, Role.AUDITOR], [Role.AUDITOR, Role.PERSON]]
)
def test_roles_that_no_staff_account_holds_are_refused(roles: list[Role]) -> None:
    with pytest.raises(RolesRefused):
        verify_staff_roles(roles)


@pytest.mark.parametrize("name", ["陳美", "山田 太郎", "Ana María", "x" * NAME_LIMIT, "👩 Chen"])
def test_names_of_people_are_taken(name: str) -> None:
    assert verify_name(name) == name


@pytest.mark.parametrize(
    "name",
    ["", " ", " Chen", "Chen\n", "Ch\0en", "C\u202ehen", "Ch\u200ben", "a\u2028b", "x" * 101],
)
def test_names_that_deceive_are_refused(name: str) -> None:
    with pytest.raises(AccountNameRefused):
        verify_name(name)


@given(st.text(max_size=120))
def test_the_name_check_refuses_cleanly(name: str) -> None:
    with contextlib.suppress(InkanError):
        assert verify_name(name) == name
