"""Commands to card programs: one spelling, and no act without what it needs."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.wire import card_command
from inkan.wire.card_command import CardAct, CardAnswer, CardCommand, CardCommandMalformed

NONCE = base64url.encode(bytes(range(32)))
NEEDS = {
    CardAct.LOOK: {},
    CardAct.MAKE_KEYS: {"card": "ab" * 16, "secrets": "x"},
    CardAct.WRITE: {"card": "ab" * 16, "secrets": "x", "certificates": {"signature": "AAAA"}},
    CardAct.UNLOCK: {"card": "ab" * 16, "secrets": "x", "keys": ("signature",)},
    CardAct.CLEAR: {"card": "ab" * 16, "secrets": "x"},
}


def command(act: CardAct, **changed) -> CardCommand:
    return CardCommand(
        **{
            "iss": "https://id.example",
            "origin": "https://id.example",
            "terminal": "term_1",
            "login": NONCE,
            "case": "case_1",
            "act": act,
            "nonce": NONCE,
            "expires_at": "2026-11-22T15:00:00Z",
            **NEEDS[act],
            **changed,
        }
    )


@pytest.mark.parametrize("act", list(CardAct))
def test_a_command_is_read_as_it_was_written(act) -> None:
    made = command(act)
    assert card_command.parse_command(card_command.COMMAND.encode(made)) == made


@pytest.mark.parametrize(
    ("act", "changed"),
    [
        (CardAct.LOOK, {"secrets": "x"}),
        (CardAct.LOOK, {"keys": ("signature",)}),
        (CardAct.MAKE_KEYS, {"secrets": None}),
        (CardAct.MAKE_KEYS, {"card": None}),
        (CardAct.MAKE_KEYS, {"card": "AB" * 16}),
        (CardAct.MAKE_KEYS, {"certificates": {"signature": "AAAA"}}),
        (CardAct.WRITE, {"certificates": {}}),
        (CardAct.WRITE, {"photo": ""}),
        (CardAct.WRITE, {"photo": "AAAA" * 4097}),
        (CardAct.MAKE_KEYS, {"photo": "AAAA"}),
        (CardAct.UNLOCK, {"keys": ()}),
        (CardAct.UNLOCK, {"keys": ("a", "b", "c")}),
        (CardAct.CLEAR, {"keys": ("signature",)}),
        (CardAct.LOOK, {"expires_at": "2026-02-30T00:00:00Z"}),
        (CardAct.LOOK, {"nonce": "AAAA"}),
        (CardAct.LOOK, {"origin": "id.example"}),
        (CardAct.LOOK, {"v": 2}),
    ],
)
def test_what_an_act_does_not_go_with_is_refused(act, changed) -> None:
    with pytest.raises(CardCommandMalformed):
        card_command.COMMAND.encode(command(act, **changed))


def test_an_answer_is_read_as_it_was_written() -> None:
    made = CardAnswer(
        terminal="term_1",
        case="case_1",
        act=CardAct.WRITE,
        nonce=NONCE,
        card="ab" * 16,
        certificates={"signature": NONCE},
        at="2026-11-22T15:00:00Z",
    )
    data = card_command.ANSWER.encode(made)
    assert card_command.parse_answer(data) == made
    assert data == msgspec.json.encode(msgspec.json.decode(data), order="sorted")


@given(st.binary(max_size=300))
def test_anything_is_read_or_refused(data: bytes) -> None:
    for parse in (
        card_command.parse_command,
        card_command.parse_answer,
        card_command.SECRETS.parse,
    ):
        with pytest.raises(InkanError):
            parse(data)
