"""What a page gets of the manage program: two commands of its own, for one origin, and no signature."""

import contextlib
import json
import threading
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.client import durable_file
from inkan.client.card import CardRequestDeclined
from inkan.client.card_agent.dialog import Ending
from inkan.client.card_agent.refusals import AgentConfigurationUnsafe
from inkan.client.card_manager.commands import BothCommands, ManagerCommands
from inkan.client.card_manager.dialog import PINAsked
from inkan.client.card_manager.messages import LIMIT, is_managing, parse_request
from inkan.client.card_manager.opening import CONFIGURATION, KEYS, open_manager
from inkan.client.card_manager.pinentry_dialog import ManagerPinentry
from inkan.client.durable_file import FileLock
from inkan.client.guessable_pins import Known
from inkan.client.piv_layout import KeyUse
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.card_command import CardAct
from support.pinentry import ScriptedPinentry
from support.terminals import ORIGIN, Terminal, new_card, some_secrets


class Asked:
    """A page of the terminal's origin."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self.told = []
        self.origin = ORIGIN
        self.commands = ManagerCommands(
            terminal.manager,
            origin=ORIGIN,
            readers=lambda: terminal.reader,
            lock=FileLock(terminal.folder / "manager.json"),
            tell=self.told.append,
        )

    def say(self, command: str, **members):
        data = json.dumps({"id": 5, "command": command, **members}).encode()
        return json.loads(self.commands.answer(self.origin, data))

    def refused(self, command: str, **members) -> str:
        return self.say(command, **members)["refusal"]["code"]


@pytest.fixture
def secrets():
    return some_secrets()


@pytest.fixture
def page(tmp_path, secrets):
    page = Asked(Terminal(tmp_path, applet=new_card(secrets)))
    yield page
    page.commands.close()


def test_it_says_which_card_and_terminal(page, secrets) -> None:
    looked = page.say("look")["answer"]
    assert looked == {"card": secrets.card, "terminal": page.terminal.configuration.terminal}
    assert page.say("hello")["answer"]["kind"] == "manage"


def test_it_runs_a_command_and_hands_the_answer_over(page, secrets) -> None:
    answer = page.say("run", jws=page.terminal.command(CardAct.LOOK))["answer"]["answer"]
    assert page.terminal.read(answer).card == secrets.card


def test_its_refusals_have_codes(page) -> None:
    assert page.refused("run", jws="no command") == "card_command_not_admitted"
    page.terminal.reader.pull()
    assert page.refused("look") == "card_missing"


def test_another_origin_learns_nothing(page) -> None:
    page.origin = "https://evil.example"
    for command in ("look", "hello", "status", "watch"):
        assert page.refused(command) == "card_agent_origin_unlisted"
    assert page.terminal.reader.links == []


@pytest.mark.parametrize("command", ["sign", "certificates", "tries", "change_pin", "LOOK", ""])
def test_it_knows_no_command_of_use(page, command) -> None:
    assert page.refused(command, key="signature") == "card_agent_malformed"


def test_it_tells_of_cards_that_come_and_go(page) -> None:
    page.say("watch")
    card = page.terminal.reader.applet
    page.terminal.reader.pull()
    page.terminal.reader.insert(card)
    assert [json.loads(each)["event"] for each in page.told] == ["removed", "inserted"]
    assert page.say("status")["answer"]["readers"][0]["has_card"] is True


def test_a_page_that_goes_away_ends_dialog_and_memory(page, secrets) -> None:
    page.terminal.person.meanwhile = page.commands.close
    command = page.terminal.command(CardAct.MAKE_KEYS, secrets)
    assert page.refused("run", jws=command) in {"card_request_declined", "card_not_open"}
    assert not page.terminal.reader.applet.keys


def test_two_pages_at_once_one_is_told_that_it_is_busy(page, secrets) -> None:
    codes = []
    page.terminal.person.meanwhile = lambda: codes.append(page.refused("look"))
    page.say("run", jws=page.terminal.command(CardAct.MAKE_KEYS, secrets, key_spec="P-256"))
    assert set(codes) == {"card_agent_busy"}


def test_one_loopback_agent_serves_both_kinds(page) -> None:
    class Use:
        def answer(self, origin, data):
            return b"use"

        def close(self):
            pass

    both = BothCommands(Use(), page.commands)
    assert both.answer(ORIGIN, b'{"id":1,"command":"sign"}') == b"use"
    assert both.answer(ORIGIN, b"garbage") == b"use"
    assert b"terminal" in both.answer(ORIGIN, b'{"id":1,"command":"look"}')


def test_a_page_of_use_that_goes_away_ends_no_work_of_the_counter() -> None:
    """A page of another listed origin would leave the person at the counter with half a card."""
    ended = []

    class Kind:
        def __init__(self, name):
            self.name = name

        def answer(self, origin, data):
            return self.name.encode()

        def close(self):
            ended.append(self.name)

    for data, name in (
        (b'{"id":1,"command":"sign"}', "use"),
        (b'{"id":1,"command":"run"}', "manage"),
    ):
        both = BothCommands(Kind("use"), Kind("manage"))
        assert both.answer(ORIGIN, data) == name.encode()
        both.close()
        assert ended.pop() == name
        assert ended == []


@pytest.mark.parametrize("name", [CONFIGURATION, KEYS])
def test_files_that_others_may_write_pin_nothing(page, name) -> None:
    """Another user of the computer would pin a platform of their own, or a key that they know."""
    folder = page.terminal.folder
    page.terminal.keys.write(folder / KEYS)
    durable_file.replace_file(
        folder / CONFIGURATION, msgspec.json.encode(page.terminal.configuration)
    )
    (folder / name).chmod(0o622)
    with pytest.raises(AgentConfigurationUnsafe):
        open_manager(folder, dialog=page.terminal.person)


@given(st.binary(max_size=200) | st.just(b"x" * (LIMIT + 1)))
def test_anything_is_read_or_refused(data: bytes) -> None:
    is_managing(data)
    with contextlib.suppress(InkanError):
        parse_request(data)


# --- the dialog --------------------------------------------------------------------------------------

ASKED = PINAsked(use=KeyUse.SIGNATURE, origin=ORIGIN, card="ab" * 16)


@pytest.fixture
def pinentry(tmp_path):
    return ScriptedPinentry(tmp_path / "pinentry")


def dialog(pinentry) -> ManagerPinentry:
    return ManagerPinentry([str(pinentry.program)])


def test_a_new_pin_is_typed_twice(pinentry) -> None:
    pinentry.type("Neu777", "Neu778", "Neu777", "Neu777")
    assert dialog(pinentry).new_pin(ASKED, Ending()) == Secret("Neu777")
    assert ORIGIN in pinentry.shown
    assert "6 to 16" in pinentry.shown


@pytest.mark.req("JPKI-30")
def test_a_guessable_new_pin_is_asked_for_again(pinentry) -> None:
    pinentry.type("aaaaaa", "Wu1979", "Neu777", "Neu777")
    asked = msgspec.structs.replace(ASKED, known=Known(birth_date=date(1979, 5, 6)))
    assert dialog(pinentry).new_pin(asked, Ending()) == Secret("Neu777")
    said = [line for line in pinentry.told if line.startswith("SETERROR")]
    assert len(said) == 2
    assert "date of birth" in said[1]


def test_a_known_pin_is_asked_for_with_its_tries(pinentry) -> None:
    pinentry.type("Neu777")
    asked = PINAsked(use=KeyUse.SIGNATURE, origin=ORIGIN, card="ab" * 16, tries_left=1)
    assert dialog(pinentry).pin(asked, Ending()) == Secret("Neu777")
    assert "last try" in pinentry.shown


def test_a_window_that_is_closed_or_outlived_is_a_no(pinentry) -> None:
    pinentry.type("!cancel")
    with pytest.raises(CardRequestDeclined):
        dialog(pinentry).new_pin(ASKED, Ending())
    pinentry.type("!wait")
    ending = Ending()
    threading.Timer(0.3, ending.end).start()
    with pytest.raises(CardRequestDeclined):
        dialog(pinentry).pin(ASKED, ending)
