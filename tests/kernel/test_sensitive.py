"""Values that refuse to print: they come out by reveal() and in no other way."""

import copy
import json
import logging
import pickle
import traceback

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.kernel.sensitive import Personal, Secret

NAME = "王小明"
WAYS_OUT = {
    "str": str,
    "format": lambda value: f"{value}",
    "format with a spec": lambda value: f"{value:>20}",
    "percent": lambda value: "%s" % value,  # noqa: UP031 - this way out is the one meant
    "json": json.dumps,
    "msgspec": msgspec.json.encode,
    "pickle": pickle.dumps,
    "copy": copy.copy,
    "deep copy": copy.deepcopy,
}


@pytest.mark.req("HCA-48")
@pytest.mark.parametrize("kind", [Secret, Personal])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_every_way_out_but_one_is_shut(kind: type[Personal[str]], way: str) -> None:
    with pytest.raises(TypeError) as refused:
        WAYS_OUT[way](kind(NAME))
    assert NAME not in str(refused.value)


def test_reveal_is_the_one() -> None:
    assert Personal(NAME).reveal() == NAME
    assert Secret(b"\x00key").reveal() == b"\x00key"


@given(st.text(min_size=4) | st.binary(min_size=4))
def test_repr_shows_the_kind_only(value: str | bytes) -> None:
    assert repr(Secret(value)) == "<Secret>"
    assert repr([Personal(value)]) == "[<Personal>]"


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fail(name: Personal[str]) -> None:
        raise ValueError(name)

    try:
        fail(Personal(NAME))
    except ValueError as caught:
        shown = "".join(
            traceback.TracebackException.from_exception(caught, capture_locals=True).format()
        )
    assert NAME not in shown


def test_a_log_line_does_not_show_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        logging.getLogger("inkan.test").info("%r asks", Personal(NAME))
    assert caplog.messages == ["<Personal> asks"]


@given(st.text() | st.binary(), st.text() | st.binary())
def test_equality_is_that_of_the_values_within_one_kind(a: str | bytes, b: str | bytes) -> None:
    assert Secret(a) == Secret(a)
    assert hash(Secret(a)) == hash(Secret(a))
    assert Secret(a) != Personal(a)
    assert Secret(a) != a
    if type(a) is type(b):
        assert (Secret(a) == Secret(b)) == (a == b)


def test_an_empty_value_is_false() -> None:
    assert not Secret("")
    assert Secret("x")
