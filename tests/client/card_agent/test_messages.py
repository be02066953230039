"""Requests of pages: one spelling of each command, and nothing else gets through."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.card_agent.parts import ORIGIN, to_sign
from client.card_requests import BIND, BYTES
from inkan.client.card import WrongPIN
from inkan.client.card_agent import messages
from inkan.client.card_agent.refusals import AgentRequestMalformed, AgentRequestTooLarge
from inkan.kernel.errors import InkanError
from inkan.wire.card_request import CONTENT_TYPES, CardPurpose

SUBMISSION = CONTENT_TYPES[CardPurpose.SUBMISSION]
SIGN = {"id": 1, "command": "sign"} | to_sign(BYTES, BIND)
GOOD = [
    {"id": 1, "command": "hello"},
    {"id": 1, "command": "status"},
    {"id": 1, "command": "watch"},
    {"id": 1, "command": "certificates", "key": "signature"},
    {"id": 2**31 - 1, "command": "tries", "key": "authentication"},
    {"id": 1, "command": "change_pin", "key": "signature"},
    SIGN,
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


@pytest.mark.parametrize("members", GOOD, ids=lambda members: members["command"])
def test_every_command_is_read(members: dict) -> None:
    request = messages.parse_request(encoded(members))
    assert request.id == members["id"]
    assert messages.request_id(encoded(members)) == members["id"]


@pytest.mark.parametrize("members", GOOD, ids=lambda members: members["command"])
@pytest.mark.parametrize(
    "change",
    [
        {"origin": ORIGIN},
        {"pin": "1234"},
        {"id": 0},
        {"id": -1},
        {"id": 1.5},
        {"id": True},
        {"id": "1"},
        {"id": 2**31},
        {"key": "management"},
        {"command": "Sign"},
        {"command": "make_key"},
        {"command": None},
        {"content": "no base64!"},
        {"content_type": "1.2.a"},
        {"content_type": "1" * 80},
    ],
    ids=str,
)
def test_a_member_more_or_another_value_is_refused(members: dict, change: dict) -> None:
    with pytest.raises(AgentRequestMalformed):
        messages.parse_request(encoded(members | change))


@pytest.mark.parametrize("members", GOOD, ids=lambda members: members["command"])
def test_a_member_less_is_refused(members: dict) -> None:
    for name in members:
        with pytest.raises(AgentRequestMalformed):
            messages.parse_request(encoded({k: v for k, v in members.items() if k != name}))


def test_only_the_signature_of_a_form_may_be_large() -> None:
    large = SIGN | {"content": "A" * 60_000}
    with pytest.raises(AgentRequestTooLarge):
        messages.parse_request(encoded(large))
    assert messages.parse_request(encoded(large | {"content_type": SUBMISSION}))
    for size in (70_000, 10_000_000):
        with pytest.raises(AgentRequestTooLarge):
            messages.parse_request(
                encoded(SIGN | {"content": "A" * size, "content_type": SUBMISSION})
            )
    with pytest.raises(AgentRequestTooLarge):
        messages.parse_request(encoded(GOOD[0]) + b" " * messages.REQUEST_LIMIT)


def test_a_request_of_a_page_cannot_reach_the_extensions_member() -> None:
    inner = encoded(GOOD[0] | {"origin": "https://evil.example"})
    data = b'{"origin":"https://id.example.org","request":' + inner + b"}"
    assert messages.parse_wrapped(data) == (ORIGIN, inner)
    for wrong in (
        {"request": GOOD[0]},
        {"origin": ORIGIN},
        {"origin": "null", "request": GOOD[0]},
        {"origin": "http://evil.example", "request": GOOD[0]},
        {"origin": ORIGIN + "/", "request": GOOD[0]},
        {"origin": ORIGIN, "request": GOOD[0], "more": 1},
    ):
        with pytest.raises(AgentRequestMalformed):
            messages.parse_wrapped(encoded(wrong))


@given(st.binary(max_size=64) | _json.map(encoded))
def test_whatever_comes_is_read_or_refused(data: bytes) -> None:
    for parse in (messages.parse_request, messages.parse_wrapped):
        with contextlib.suppress(InkanError):
            parse(data)
    assert messages.request_id(data) >= 0


@pytest.mark.parametrize("depth", [100, 100_000])
def test_deep_nesting_ends_nothing(depth: int) -> None:
    for parse in (messages.parse_request, messages.parse_wrapped):
        with pytest.raises((AgentRequestMalformed, AgentRequestTooLarge)):
            parse(b"[" * depth)
    assert messages.request_id(b'{"id":' + b"[" * depth) == 0


def test_a_refusal_tells_what_may_be_told() -> None:
    said = json.loads(messages.refusal(3, WrongPIN("secret detail", tries_left=2, more="x")))
    assert said == {"id": 3, "refusal": {"code": "card_wrong_pin", "facts": {"tries_left": 2}}}
