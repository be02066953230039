"""The counter's card program: what it does to a card, for whom, and what stays behind when it is interrupted."""

import contextlib
import threading
from datetime import date
from functools import cache

import msgspec
import pytest

from client.card_kinds import PublicOnly
from inkan.client.card import CardNotOpen, CardRemoved, CardRequestDeclined, NoCard, WrongPIN
from inkan.client.card_agent.refusals import AgentBusy
from inkan.client.card_manager import CardNumberDiffers
from inkan.client.card_refusals import AuthenticationPINMalformed, CardUnknown
from inkan.client.guessable_pins import PINGuessable
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import CardAct
from support.pki import Hierarchy
from support.terminals import PINS, Terminal, new_card, some_secrets

BOTH = {"signature", "authentication"}


@pytest.fixture
def secrets():
    return some_secrets()


@pytest.fixture
def terminal(tmp_path, secrets):
    terminal = Terminal(tmp_path, applet=new_card(secrets))
    yield terminal
    terminal.manager.close()


@cache
def hierarchy() -> Hierarchy:
    return Hierarchy()


def certify(requests):
    """Certificates of the keys that a card made, as the platform would send them."""
    certified = {}
    for use, request in requests.items():
        key = PublicOnly(verify_csr(parse_csr(base64url.decode(request))).public_key)
        issued = hierarchy().issuing.issue("Card holder", key=key)
        certified[use] = base64url.encode(issued.der)
    return certified


def make_keys(terminal, secrets, **members):
    return terminal.do(CardAct.MAKE_KEYS, secrets, key_spec="P-256", **members)


def issue(terminal, secrets):
    made = make_keys(terminal, secrets)
    return terminal.do(CardAct.WRITE, secrets, certificates=certify(made.requests))


def check_of(refusal):
    return refusal.value.facts["check"]


def test_a_blank_card_gets_keys_pins_and_certificates(terminal, secrets) -> None:
    looked = terminal.do(CardAct.LOOK)
    assert (looked.card, looked.certificates) == (secrets.card, {})
    made = make_keys(terminal, secrets)
    assert set(made.requests) == BOTH
    assert [asked.use for asked in terminal.person.asked] == list(KeyUse)
    written = terminal.do(CardAct.WRITE, secrets, certificates=certify(made.requests))
    assert set(written.certificates) == BOTH
    # The person typed each PIN once: it was remembered until the certificates stood in the card, and no longer.
    assert len(terminal.person.asked) == 2
    assert terminal.manager._station.remembered(KeyUse.SIGNATURE) is None
    terminal.manager.close()
    for use in KeyUse:
        with PivCard(terminal.reader, use) as card:
            card.verify_pin(Secret(PINS[use]))
            assert card.certificates()


@pytest.mark.req("JPKI-05")
@pytest.mark.parametrize("act", [CardAct.LOOK, CardAct.MAKE_KEYS])
def test_certificates_go_into_a_resident_card_and_no_other_carrier(terminal, secrets, act) -> None:
    terminal.reader.applet = OtherApplet()
    with pytest.raises(CardUnknown):
        terminal.do(act, None if act is CardAct.LOOK else secrets)
    assert terminal.person.asked == []


class OtherApplet:
    """A card of another kind: no command finds its application (ISO/IEC 7816-4 §5.6, 6A82)."""

    def transmit(self, command: bytes) -> bytes:
        return bytes.fromhex("6a82")

    def reset(self) -> None:
        pass


def test_the_dialog_names_origin_key_and_card(terminal, secrets) -> None:
    make_keys(terminal, secrets)
    asked = terminal.person.asked[0]
    assert (asked.origin, asked.card) == (terminal.configuration.origin, secrets.card)


def test_a_forgotten_pin_is_set_anew(terminal, secrets) -> None:
    issue(terminal, secrets)
    with PivCard(terminal.reader, KeyUse.AUTHENTICATION) as card:
        for _ in range(5):
            with pytest.raises(InkanError):
                card.verify_pin(Secret("9999"))
    terminal.person.pins[KeyUse.AUTHENTICATION] = "8603"
    terminal.do(CardAct.UNLOCK, secrets, keys=("authentication",))
    with PivCard(terminal.reader, KeyUse.AUTHENTICATION) as card:
        card.verify_pin(Secret("8603"))


@pytest.mark.req("JPKI-30")
@pytest.mark.parametrize(
    ("use", "pin"),
    [
        (KeyUse.SIGNATURE, "qwerty"),
        (KeyUse.SIGNATURE, "Wu1979"),
        (KeyUse.AUTHENTICATION, "0506"),
        (KeyUse.AUTHENTICATION, "2580"),
    ],
)
def test_a_guessable_pin_is_refused_before_the_card_is_changed(terminal, secrets, use, pin) -> None:
    told = msgspec.structs.replace(secrets, birth_date=date(1979, 5, 6))
    terminal.person.pins[use] = pin
    before = {name: each.value for name, each in terminal.reader.applet.pins.items()}
    with pytest.raises(PINGuessable):
        make_keys(terminal, told)
    assert not terminal.reader.applet.keys
    assert {name: each.value for name, each in terminal.reader.applet.pins.items()} == before
    assert terminal.person.asked[0].known.birth_date == told.birth_date
    # The next try of the same person goes on as if nothing had been.
    terminal.person.pins[use] = PINS[use]
    issue(terminal, told)
    terminal.person.pins[use] = pin
    with pytest.raises(PINGuessable):
        terminal.do(CardAct.UNLOCK, told, keys=(use.value,))
    terminal.manager.close()
    with PivCard(terminal.reader, use) as card:
        assert card.tries_left() == 5
        card.verify_pin(Secret(PINS[use]))


def test_a_cleared_card_holds_no_certificate(terminal, secrets) -> None:
    issue(terminal, secrets)
    assert terminal.do(CardAct.CLEAR, secrets).certificates == {}


# --- which commands are carried out ----------------------------------------------------------------


def test_the_card_in_the_reader_is_the_one_of_the_command(terminal, secrets) -> None:
    terminal.reader.pull()
    terminal.reader.insert(other := new_card(some_secrets()))
    before = len(other.commands)
    with pytest.raises(CardNumberDiffers):
        make_keys(terminal, secrets)
    # It was asked for its number, and nothing else: select, get data.
    assert set(other.commands[before:]) <= {0xA4, 0xCB, 0x20}
    assert not other.keys


def test_a_card_that_was_swapped_unheard_is_not_taken_for_the_one_before(terminal) -> None:
    """A reader that told nothing: the card of the last step is asked for its number before each step."""
    terminal.do(CardAct.LOOK)
    other = some_secrets()
    terminal.reader.applet = new_card(other)
    assert terminal.do(CardAct.LOOK).card == other.card


# --- interruptions ---------------------------------------------------------------------------------


def test_a_card_pulled_at_any_command_is_finished_later(tmp_path, secrets) -> None:
    """At each command that the card receives in turn: the connection ends, no PIN is remembered, a repetition is whole."""
    terminal = Terminal(tmp_path, applet=new_card(secrets))
    count = _commands_of_an_issue(tmp_path / "counted", secrets)
    for at in range(0, count, 7):
        card = new_card(secrets)
        terminal.reader.insert(card)
        _pull_at(terminal.reader, at)
        # The last command of a step takes the PIN back; who pulls the card there hears it at the next step.
        with pytest.raises((CardRemoved, NoCard)):
            issue(terminal, secrets)
        terminal.reader.before = lambda command: None
        assert terminal.manager._station.remembered(KeyUse.SIGNATURE) is None
        terminal.reader.insert(card)
        terminal.person.asked.clear()
        assert set(issue(terminal, secrets).certificates) == BOTH
        terminal.reader.pull()


def _commands_of_an_issue(folder, secrets) -> int:
    folder.mkdir()
    terminal = Terminal(folder, applet=new_card(secrets))
    seen = []
    terminal.reader.before = seen.append
    issue(terminal, secrets)
    return len(seen)


def _pull_at(reader, at: int) -> None:
    seen = []

    def before(command) -> None:
        seen.append(command)
        if len(seen) > at:
            reader.pull()

    reader.before = before


def test_a_card_pulled_while_the_person_types_ends_the_dialog(terminal, secrets) -> None:
    terminal.person.meanwhile = terminal.reader.pull
    card = terminal.reader.applet
    with pytest.raises(CardRemoved):
        make_keys(terminal, secrets)
    assert not card.keys


def test_the_program_does_one_thing_at_a_time(terminal, secrets) -> None:
    refusals = []

    def second() -> None:
        with pytest.raises(AgentBusy) as refusal:
            terminal.do(CardAct.LOOK)
        refusals.append(refusal.value.code)

    terminal.person.meanwhile = second
    make_keys(terminal, secrets)
    assert refusals == ["card_agent_busy"] * 2


def test_keys_without_certificates_are_finished_by_writing(terminal, secrets) -> None:
    """The card was out of the reader between two steps: the person types the PINs once more."""
    made = make_keys(terminal, secrets)
    card = terminal.reader.applet
    terminal.reader.pull()
    assert terminal.manager._station.remembered(KeyUse.SIGNATURE) is None
    terminal.reader.insert(card)
    terminal.person.asked.clear()
    looked = terminal.do(CardAct.LOOK)
    assert looked.certificates == {}
    # Whatever order the platform names them in, the person is asked in the order in which the PINs were set.
    given = dict(reversed(certify(made.requests).items()))
    written = terminal.do(CardAct.WRITE, secrets, certificates=given)
    assert set(written.certificates) == BOTH
    assert [asked.tries_left for asked in terminal.person.asked] == [5, 5]
    assert [asked.use for asked in terminal.person.asked] == list(KeyUse)


def test_a_pin_is_forgotten_in_time(tmp_path, secrets) -> None:
    terminal = Terminal(tmp_path, applet=new_card(secrets), pin_life_s=0.05)
    terminal.do(CardAct.LOOK)
    forgotten = threading.Event()
    forget = terminal.manager._station.forget

    def heard() -> None:
        was_remembered = bool(terminal.manager._station._pins)
        forget()
        if was_remembered:
            forgotten.set()

    terminal.manager._station.forget = heard
    make_keys(terminal, secrets)
    assert forgotten.wait(10)
    assert terminal.manager._station.remembered(KeyUse.SIGNATURE) is None
    terminal.manager.close()


@pytest.mark.parametrize("over", ["close", "pull"])
def test_no_pin_is_remembered_of_a_card_that_went_with_the_last_command(
    tmp_path, secrets, over
) -> None:
    """The card or the page goes while the card is at its very last command: whoever comes next finds no PIN."""
    (tmp_path / "counted").mkdir()
    counted = Terminal(tmp_path / "counted", applet=new_card(secrets))
    seen = []
    counted.reader.before = seen.append
    make_keys(counted, secrets)
    terminal = Terminal(tmp_path, applet=new_card(secrets))
    last, at = len(seen) - 1, []

    def before(command) -> None:
        at.append(command)
        if len(at) > last:
            terminal.manager.close() if over == "close" else terminal.reader.pull()

    terminal.reader.before = before
    with contextlib.suppress(InkanError):
        make_keys(terminal, secrets)
    assert len(at) > last
    assert not terminal.manager._station._pins
    assert terminal.manager._station._timer is None


def test_a_connection_that_was_ended_has_no_card(terminal, secrets) -> None:
    """A page that goes while its step is at work: the step ends with a refusal, not with a fault."""
    terminal.do(CardAct.LOOK)
    terminal.manager.close()
    with pytest.raises(CardNotOpen):
        terminal.manager._station.card(KeyUse.SIGNATURE)


def test_a_pin_that_was_set_anew_is_not_remembered_as_it_was(terminal, secrets) -> None:
    made = make_keys(terminal, secrets)
    terminal.person.pins[KeyUse.SIGNATURE] = "Anders88"
    terminal.do(CardAct.UNLOCK, secrets, keys=("signature",))
    terminal.do(CardAct.WRITE, secrets, certificates=certify(made.requests))
    assert terminal.reader.applet.pins[0x80].left == 5


def test_a_wrong_pin_costs_a_try_and_writes_nothing(terminal, secrets) -> None:
    made = make_keys(terminal, secrets)
    terminal.manager.close()
    terminal.person.pins[KeyUse.SIGNATURE] = "Falsch1"
    with pytest.raises(WrongPIN):
        terminal.do(CardAct.WRITE, secrets, certificates=certify(made.requests))
    assert terminal.do(CardAct.LOOK).certificates == {}


def test_a_person_who_declines_leaves_the_card_as_it_was(terminal, secrets) -> None:
    terminal.person.declines = True
    with pytest.raises(CardRequestDeclined):
        make_keys(terminal, secrets)
    assert not terminal.reader.applet.keys


@pytest.mark.req("WAT-58")
def test_a_malformed_second_pin_leaves_the_card_as_it_was(terminal, secrets) -> None:
    terminal.person.pins[KeyUse.AUTHENTICATION] = "12345"
    before = terminal.reader.applet.pins[0x80].value
    with pytest.raises(AuthenticationPINMalformed):
        make_keys(terminal, secrets)
    assert terminal.reader.applet.pins[0x80].value == before
    assert not terminal.reader.applet.keys


# --- the files of a terminal -------------------------------------------------------------------------
