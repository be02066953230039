"""The values of ``acr``: one for each binding level, in its order, and one for an answer that is used again."""

from inkan.wire.authentication_context import REUSED, ROWS, value_of, weakest_level
from inkan.wire.binding import BindingLevel


def test_the_table_is_total_and_in_the_order_of_the_levels():
    assert [row.level for row in ROWS] == [None, *BindingLevel]
    assert ROWS[0].value == REUSED
    assert len({row.value for row in ROWS}) == len(ROWS)
    assert all(row.source and row.says for row in ROWS)


def test_no_value_is_a_level_of_assurance():
    words = " ".join(f"{row.value} {row.says}" for row in ROWS).lower()
    assert not any(word in words for word in ("loa", "aal", "ial", "eidas", "assurance", "high"))


def test_levels_and_values_name_each_other():
    for level in BindingLevel:
        assert weakest_level([value_of(level), value_of(BindingLevel.STRONG)]) is level
    assert weakest_level([]) is None
