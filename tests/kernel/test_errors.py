"""The error tree: what a refusal carries, and what of it may leave the platform."""

import pytest

from inkan.kernel import clock, errors, identifiers, machine
from inkan.kernel.errors import Category, InkanError


class Refusal(errors.Conflict):
    code = "refusal_of_this_test"
    title = "This is refused"
    public = ("limit",)


def test_a_refusal_speaks_its_title_or_its_detail() -> None:
    assert str(Refusal()) == "This is refused"
    assert str(Refusal("no step from here")) == "no step from here"
    assert Refusal().detail == ""


def test_only_named_facts_are_public() -> None:
    refusal = Refusal("detail", limit=2, person="p_1")
    assert refusal.facts == {"limit": 2, "person": "p_1"}
    assert refusal.public_facts == {"limit": 2}
    assert Refusal(person="p_1").public_facts == {}


def test_a_leaf_keeps_the_category_of_its_node() -> None:
    assert Refusal.category is Category.CONFLICT
    assert issubclass(Refusal, InkanError)
    with pytest.raises(errors.Conflict):
        raise Refusal


def test_each_category_has_one_node() -> None:
    nodes = [node for node in InkanError.__subclasses__() if node.__module__ == errors.__name__]
    assert sorted(node.category for node in nodes) == sorted(Category)
    assert {node.code for node in nodes} == {str(node.category) for node in nodes}


def test_an_unnamed_failure_is_ours() -> None:
    assert InkanError.category is Category.UNAVAILABLE
    assert InkanError.code == "internal"
    assert InkanError("trace").public_facts == {}


def test_all_errors_holds_nodes_and_leaves_in_the_order_of_their_codes() -> None:
    found = errors.all_errors()
    codes = [error.code for error in found]
    assert codes == sorted(set(codes))
    assert {Refusal, InkanError, errors.Gone, clock.ClockFixed, machine.StepRefused} <= set(found)


def test_a_wrong_identifier_gives_nothing_away() -> None:
    # A malformed request may say where it is malformed; a national ID says nothing at all.
    refusal = identifiers.NationalIDMalformed(
        "…", where="/person", expected="A1", typed="A123456780"
    )
    assert refusal.public_facts == {}
