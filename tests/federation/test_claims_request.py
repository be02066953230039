"""The parser of the ``claims`` parameter: OAuth's refusals for whatever is no such parameter."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.federation.model.refusals import RequestRefused
from inkan.federation.model.request import ClaimWish, ClaimWishes
from inkan.federation.service.claims import parse_claims

VERIFICATION = {"trust_framework": None}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
NAMES = st.sampled_from(["name", "birthdate", "sub", "acr", "verified_claims", "claims", "purpose"])
WISHES = st.dictionaries(
    NAMES,
    st.none()
    | st.fixed_dictionaries(
        {},
        optional={
            "essential": st.booleans() | JSON,
            "value": JSON,
            "values": st.lists(JSON, max_size=3) | JSON,
            "purpose": st.text(max_size=8),
            "verification": JSON,
            "claims": JSON,
        },
    ),
    max_size=4,
)


@given(st.text() | JSON.map(json.dumps))
def test_any_text_is_wishes_or_a_refusal(text: str):
    try:
        id_token, userinfo = parse_claims(text)
    except RequestRefused:
        return
    assert isinstance(id_token, ClaimWishes)
    assert isinstance(userinfo, ClaimWishes)


@given(st.fixed_dictionaries({}, optional={"id_token": WISHES, "userinfo": WISHES}))
def test_nearly_right_ones_too(wishes: dict[str, Any]):
    test_any_text_is_wishes_or_a_refusal.hypothesis.inner_test(json.dumps(wishes))  # type: ignore[attr-defined]


def test_what_is_understood_is_kept():
    id_token, userinfo = parse_claims(
        json.dumps(
            {
                "id_token": {"name": None, "acr": {"essential": True, "values": ["a"]}},
                "userinfo": {"name": {"value": "x", "purpose": "to greet"}, "shoe_size": None},
                "elsewhere": 7,
            }
        )
    )
    assert id_token.plain == {"name": None, "acr": ClaimWish(essential=True, values=["a"])}
    assert userinfo.plain == {"name": ClaimWish(values=["x"], purpose="to greet")}


@pytest.mark.parametrize("of", ["id_token", "userinfo"])
@pytest.mark.parametrize("place", [[], "", 0, False, "x"])
def test_a_place_is_an_object_or_null(of: str, place: Any):
    with pytest.raises(RequestRefused):
        parse_claims(json.dumps({of: place}))
    assert parse_claims(json.dumps({of: None})) == (ClaimWishes(), ClaimWishes())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{",
        '{"userinfo":{"name":null,"name":null}}',
        '{"userinfo":{},"userinfo":{}}',
        '{"userinfo":{"name":true}}',
        '{"userinfo":{"name":{"essential":"yes"}}}',
        '{"userinfo":{"name":{"values":"x"}}}',
        '{"userinfo":{"name":{"value":{}}}}',
        '{"userinfo":{"name":{"purpose":"ab"}}}',
        '{"userinfo":{"name":{"purpose":5}}}',
        json.dumps({"userinfo": {"name": {"purpose": "x" * 301}}}),
        json.dumps({"userinfo": {f"c{i}": None for i in range(65)}}),
        json.dumps({"userinfo": {"name": {"values": ["x"] * 65}}}),
        '{"later":"' + "a" * 20_000 + '"}',
        "\ud800",
    ],
)
def test_what_is_refused(text: str):
    with pytest.raises(RequestRefused):
        parse_claims(text)


ELEMENT = {"verification": VERIFICATION, "claims": {"name": None}}


def element(**members: Any) -> str:
    return json.dumps({"userinfo": {"verified_claims": ELEMENT | members}})


@pytest.mark.parametrize(
    "text",
    [
        element(verification=None),
        element(verification={}),
        element(verification={"time": None}),
        element(claims=None),
        element(claims={}),
        element(claims={"name": 1}),
        element(verification=VERIFICATION | {"time": {"max_age": -1}}),
        element(verification=VERIFICATION | {"time": {"max_age": True}}),
        element(verification=VERIFICATION | {"time": {"max_age": 1.5}}),
        element(verification=VERIFICATION | {"trust_framework": {"values": "x"}}),
        element(verification=VERIFICATION | {"evidence": [[[[[[[[{}]]]]]]]]}),
        element(verification=VERIFICATION | {"evidence": [None] * 65}),
        '{"userinfo":{"verified_claims":[]}}',
        '{"userinfo":{"verified_claims":"all"}}',
        json.dumps({"userinfo": {"verified_claims": [ELEMENT] * 65}}),
    ],
)
def test_what_is_no_element_of_verified_claims(text: str):
    with pytest.raises(RequestRefused):
        parse_claims(text)


def test_an_element_without_a_claim_that_is_known_asks_nothing():
    _, userinfo = parse_claims(element(claims={"shoe_size": None}))
    assert userinfo.verified == []
    _, userinfo = parse_claims(element(claims={"shoe_size": None, "name": None}))
    assert userinfo.verified[0].claims == {"name": None}
