"""docs/attributes.md has every row of the table."""

from pathlib import Path

import pytest

from inkan.attributes.rules import MAX_TEXT, ROWS
from inkan.wire.claims import Claim

MANUAL = (Path(__file__).parents[2] / "docs" / "attributes.md").read_text("utf-8")


@pytest.mark.parametrize("claim", Claim)
def test_every_row_stands_in_the_manual(claim: Claim) -> None:
    row = ROWS[claim]
    (line,) = (line for line in MANUAL.split("\n") if line.startswith(f"| `{claim}` |"))
    assert line.startswith(f"| `{claim}` | {row.form} | {', '.join(sorted(row.sources))} |")
    assert all(f"`{member}`" in line for member in row.members)


def test_the_figure_is_that_of_the_code() -> None:
    assert f"at most {MAX_TEXT} characters" in MANUAL
