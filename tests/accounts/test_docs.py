"""``docs/accounts.md`` prints the tables of the code."""

import pytest

from inkan.accounts import PERMISSIONS, Role
from inkan.accounts.rules import INVITE_LIFE, LOGIN_RULES, PROPOSAL_LIFE
from inkan.web.principal import Permission
from support.repository import ROOT

PAGE = (ROOT / "docs" / "accounts.md").read_text(encoding="utf-8")
COLUMNS = list(Role)


def row(permission: Permission) -> str:
    marks = ["●" if role in permission.roles else "" for role in COLUMNS]
    fresh = permission.fresh_within
    cells = [
        f"`{permission.use_case}`",
        *marks,
        permission.assurance.name.lower().replace("_", " "),
        "" if fresh is None else f"{fresh.total_seconds() / 60:.0f} min",
        permission.source,
    ]
    return "| " + " | ".join(cells) + " |"


def matrix() -> str:
    head = ["Use case", *(role.value.replace("_", " ") for role in COLUMNS)]
    head += ["Proved by", "Fresh within", "Source"]
    lines = ["| " + " | ".join(head) + " |", "|---" + "|:-:" * len(COLUMNS) + "|---" * 3 + "|"]
    return "\n".join([*lines, *map(row, PERMISSIONS)])


def test_the_matrix_in_the_manual_is_the_one_that_is_checked() -> None:
    assert matrix() in PAGE, f"docs/accounts.md should hold:\n\n{matrix()}"


@pytest.mark.parametrize("kind", LOGIN_RULES)
def test_the_lives_in_the_manual_are_those_of_the_code(kind: str) -> None:
    rules = LOGIN_RULES[kind]
    line = (
        f"| {kind} | {rules.idle.total_seconds() / 60:.0f} min | "
        f"{rules.absolute.total_seconds() / 3600:.0f} h | "
        f"{'one' if rules.single else 'several'} | {rules.same_site} |"
    )
    assert line in PAGE, line


def test_the_other_figures_are_those_of_the_code() -> None:
    in_person, by_mail = (life.total_seconds() for life in INVITE_LIFE.values())
    assert f"{in_person / 60:.0f} minutes" in PAGE
    assert f"{by_mail / 3600:.0f} hours" in PAGE
    assert f"{PROPOSAL_LIFE.days} days" in PAGE
