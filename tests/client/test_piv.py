"""The PIV edge against hostile cards: every answer ends in a value or a refusal, and counters are read exactly."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client.ber_tlv import write
from inkan.client.card import PINLocked, PINMalformed, WrongPIN
from inkan.client.card_refusals import (
    CardAccessDenied,
    CardAnswerMalformed,
    CardCommandRefused,
    UnlockKeyLocked,
    WrongManagementKey,
    WrongUnlockKey,
)
from inkan.client.piv import Piv
from inkan.crypto.keys import KeySpec
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret

PIN, REFERENCE = Secret("246810"), 0x80
USES = [
    lambda piv: piv.select(),
    lambda piv: piv.get_data(0x5FC10A),
    lambda piv: piv.put_data(0x5FC10A, bytes(700)),
    lambda piv: piv.tries_left(REFERENCE),
    lambda piv: piv.verify(REFERENCE, PIN),
    lambda piv: piv.change(REFERENCE, PIN, PIN),
    lambda piv: piv.unlock(REFERENCE, PIN, PIN),
    lambda piv: piv.authenticate_manager(Secret(bytes(16))),
    lambda piv: piv.generate(0x9C, KeySpec.RSA2048),
    lambda piv: piv.generate(0x9C, KeySpec.P256),
    lambda piv: piv.sign_block(0x9C, KeySpec.RSA2048, bytes(256)),
]


class Scripted:
    """A card that answers what it was told to, the last answer for ever."""

    def __init__(self, *answers: bytes) -> None:
        self._answers = list(answers)
        self.commands: list[bytes] = []

    def transmit(self, command: bytes) -> bytes:
        self.commands.append(command)
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


def answering(status: int, data: bytes = b"") -> Piv:
    return Piv(Scripted(data + status.to_bytes(2, "big")))


@pytest.mark.parametrize("use", USES)
@given(answers=st.lists(st.binary(max_size=40), min_size=1, max_size=4), ok=st.booleans())
def test_any_answer_ends_in_a_value_or_a_refusal(use, answers, ok):
    tail = b"\x90\x00" if ok else b""
    with contextlib.suppress(InkanError):
        use(Piv(Scripted(*(answer + tail for answer in answers))))


@pytest.mark.parametrize("use", USES[1:2] + USES[8:10])
def test_an_answer_without_end_is_cut(use):
    with pytest.raises(CardAnswerMalformed):
        use(Piv(Scripted(bytes(256) + b"\x61\x00")))
    with pytest.raises(CardAnswerMalformed):
        use(Piv(Scripted(b"\x61\x00")))


@pytest.mark.parametrize("tries", [1, 2, 5, 15])
def test_the_counter_is_the_card_s(tries):
    piv = answering(0x63C0 | tries)
    assert piv.tries_left(REFERENCE) == tries
    with pytest.raises(WrongPIN) as wrong:
        piv.verify(REFERENCE, PIN)
    assert wrong.value.tries_left == tries
    with pytest.raises(WrongPIN):
        piv.change(REFERENCE, PIN, PIN)
    with pytest.raises(WrongUnlockKey):
        piv.unlock(REFERENCE, PIN, PIN)


@pytest.mark.parametrize("status", [0x63C0, 0x6983])
def test_no_try_left_is_locked(status):
    piv = answering(status)
    assert piv.tries_left(REFERENCE) == 0
    with pytest.raises(PINLocked):
        piv.verify(REFERENCE, PIN)
    with pytest.raises(UnlockKeyLocked):
        piv.unlock(REFERENCE, PIN, PIN)


def test_refusals_have_names():
    assert answering(0x6A82).get_data(0x5FC10A) is None
    assert answering(0x9000).tries_left(REFERENCE) is None
    with pytest.raises(CardAccessDenied):
        answering(0x6982).get_data(0x5FC108)
    with pytest.raises(CardCommandRefused) as refused:
        answering(0x6F00).get_data(0x5FC108)
    assert refused.value.public_facts == {"status": "6F00"}
    with pytest.raises(WrongManagementKey):
        answering(0x9000).authenticate_manager(Secret(bytes(7)))


@pytest.mark.parametrize("pin", ["", "１２３４", "12 34", "1234ÿ", "x" * 17, "12345\n"])
def test_a_pin_that_no_card_has_is_not_sent(pin):
    card = Scripted(b"\x90\x00")
    with pytest.raises(PINMalformed):
        Piv(card).verify(REFERENCE, Secret(pin))
    assert card.commands == []


def test_short_pins_are_sent_as_the_standard_has_it_and_long_ones_whole():
    card = Scripted(b"\x90\x00")
    Piv(card).verify(REFERENCE, PIN)
    Piv(card).change(REFERENCE, PIN, Secret("x" * 16))
    assert card.commands[0] == bytes.fromhex("0020008008") + b"246810\xff\xff\x00"
    assert card.commands[1][5:-1] == b"246810".ljust(16, b"\xff") + b"x" * 16


def test_long_commands_are_chained():
    card = Scripted(b"\x90\x00")
    Piv(card).put_data(0x5FC10A, bytes(600))
    assert [command[0] for command in card.commands] == [0x10, 0x10, 0x00]
    sent = b"".join(command[5 : 5 + command[4]] for command in card.commands)
    assert sent == bytes.fromhex("5c035fc10a") + write(0x53, bytes(600))
