"""``authorization_details``: one question of a known type, within the client's registration."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.asking import DIGEST, answered, asked, grant, system
from inkan.federation.model.refusals import DetailsRefused
from inkan.federation.service.claims import details_for, parse_authorization_details

APPROVE = "urn:inkan:authorization:approve"
SIGN = "urn:inkan:authorization:sign"
CONTENT = {"id": "c1", "name": "契約書.pdf", "digest": DIGEST, "alg": "sha-256"}
GOOD = {"type": APPROVE, "purpose": "approve_payment", "contents": [CONTENT]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=10,
)
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from([APPROVE, SIGN]) | JSON,
        "purpose": st.sampled_from(["approve_payment", "sign_contract", "login"]) | JSON,
        "contents": st.lists(st.just(CONTENT) | JSON, max_size=3) | JSON,
        "documents": st.lists(st.text(), max_size=2) | JSON,
        "batch": JSON,
    },
)


def parsed(*elements: Any, **openid: Any) -> list[dict[str, Any]]:
    return parse_authorization_details(json.dumps(list(elements)), system(**openid))


@given(st.text() | JSON.map(json.dumps) | st.lists(NEARLY, max_size=2).map(json.dumps))
def test_any_text_is_details_or_a_refusal(text: str):
    try:
        [detail] = parse_authorization_details(text, system())
    except DetailsRefused:
        return
    assert detail["type"] in {APPROVE, SIGN}


def test_what_is_taken_is_given_back_with_the_receipt():
    [kept] = parsed(GOOD)
    request = asked(authorization_details=[kept])
    assert details_for(grant(request), answered(receipt="e.y.J")) == [kept | {"receipt": "e.y.J"}]
    assert details_for(grant(asked()), answered(receipt="e.y.J")) is None
    # Without its consent there is no receipt to give.
    assert details_for(grant(request), answered()) == [kept]
    assert kept == GOOD


def test_documents_and_batches_stand_for_contents():
    for instead in ({"documents": ["doc_1"]}, {"batch": "bat_1"}):
        [kept] = parsed({"type": SIGN, "purpose": "sign_contract", **instead})
        assert kept.items() >= instead.items()


def test_an_approval_may_be_of_the_purpose_alone():
    assert parsed({"type": APPROVE, "purpose": "approve_payment"})


@pytest.mark.parametrize(
    "bent",
    [
        {"type": "payment_initiation"},
        {"type": None},
        {"actions": ["read"]},
        {"locations": ["https://api.example/"]},
        {"purpose": "not_for_clients"},
        {"purpose": "login"},
        {"purpose": "nowhere"},
        {"type": SIGN},
        {"documents": ["doc_1"]},
        {"batch": "bat_1"},
        {"contents": [CONTENT | {"digest": "abc"}]},
        {"contents": [CONTENT | {"alg": "md5"}]},
        {"contents": [CONTENT | {"alg": "sha-512"}]},
        {"contents": [CONTENT | {"name": "a\u202eb"}]},
        {"contents": [CONTENT, CONTENT]},
        {"contents": [CONTENT | {"id": f"c{i}"} for i in range(101)]},
        {"contents": "c1"},
    ],
)
def test_what_is_refused(bent: dict[str, Any]):
    with pytest.raises(DetailsRefused):
        parsed(GOOD | bent)


def test_a_signature_needs_something_to_sign():
    with pytest.raises(DetailsRefused):
        parsed({"type": SIGN, "purpose": "sign_contract"})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        "[1]",
        "[{}",
        '[{"type":"a","type":"a"}]',
        json.dumps([GOOD]) + ',"b":1',
        " " * 20_000 + json.dumps([GOOD]),
    ],
)
def test_what_is_no_list_of_one(text: str):
    with pytest.raises(DetailsRefused):
        parse_authorization_details(text, system())


def test_two_questions_are_two_requests():
    with pytest.raises(DetailsRefused):
        parsed(GOOD, GOOD)


def test_a_client_without_approval_purposes_has_no_types():
    with pytest.raises(DetailsRefused):
        parsed(GOOD, approval_purposes=[])
