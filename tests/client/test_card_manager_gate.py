"""Which commands the counter's card program carries out: for its platform, its page and itself, now, and once."""

from datetime import timedelta

import msgspec
import pytest

from inkan.client.card_manager import CommandNotAdmitted, TerminalKeys
from inkan.client.card_manager.configuration import (
    ManagerConfigurationMalformed,
    read_configuration,
)
from inkan.client.durable_file import FileExists
from inkan.crypto import base64url
from inkan.wire.card_command import CardAct
from support.keyring import ec_key
from support.terminals import Terminal, new_card, some_secrets


@pytest.fixture
def secrets():
    return some_secrets()


@pytest.fixture
def terminal(tmp_path, secrets):
    terminal = Terminal(tmp_path, applet=new_card(secrets))
    yield terminal
    terminal.manager.close()


def check_of(refusal):
    return refusal.value.facts["check"]


@pytest.mark.parametrize(
    ("check", "members"),
    [
        ("signature", {"key": ec_key(9)}),
        ("signature", {"kid": "another"}),
        ("form", {"typ": "inkan-card-answer+jws"}),
        ("issuer", {"iss": "https://elsewhere.example"}),
        ("origin", {"origin": "https://elsewhere.example"}),
        ("terminal", {"terminal": "term_2"}),
        ("expiry", {"life": timedelta(seconds=-1)}),
        ("expiry", {"life": timedelta(hours=1)}),
    ],
)
def test_only_commands_of_the_platform_for_this_terminal_and_now(terminal, check, members) -> None:
    with pytest.raises(CommandNotAdmitted) as refusal:
        terminal.run(terminal.command(CardAct.LOOK, **members))
    assert check_of(refusal) == check
    assert terminal.reader.links == []


def test_another_page_hands_over_a_good_command(terminal) -> None:
    with pytest.raises(CommandNotAdmitted) as refusal:
        terminal.run(terminal.command(CardAct.LOOK), origin="https://evil.example")
    assert check_of(refusal) == "origin"


def test_a_command_is_carried_out_once_also_by_a_new_process(terminal) -> None:
    command = terminal.command(CardAct.LOOK)
    terminal.run(command)
    terminal.manager.close()
    terminal.start()
    with pytest.raises(CommandNotAdmitted) as refusal:
        terminal.run(command)
    assert check_of(refusal) == "nonce"


def test_a_damaged_memory_of_nonces_carries_nothing_out(terminal) -> None:
    (terminal.folder / "used-nonces.json").write_text("{")
    with pytest.raises(CommandNotAdmitted) as refusal:
        terminal.run(terminal.command(CardAct.LOOK))
    assert check_of(refusal) == "nonce"


def test_the_memory_forgets_what_has_expired(terminal, monkeypatch) -> None:
    terminal.run(terminal.command(CardAct.LOOK))
    now = terminal.clock.wire_now()
    monkeypatch.setattr(terminal.clock, "wire_now", lambda: now + timedelta(minutes=4))
    terminal.run(terminal.command(CardAct.LOOK))
    assert len(msgspec.json.decode((terminal.folder / "used-nonces.json").read_bytes())) == 1


def test_secrets_of_another_card_or_terminal_open_nothing(terminal, secrets, tmp_path) -> None:
    other = Terminal(tmp_path)
    stolen = other.command(CardAct.CLEAR, secrets, key=terminal.platform)
    sealed = msgspec.json.decode(base64url.decode(stolen.split(".")[1]))["secrets"]
    for wrong in (
        terminal.command(CardAct.CLEAR, secrets, sealed=sealed),
        terminal.command(CardAct.CLEAR, secrets, card=some_secrets().card),
    ):
        with pytest.raises(CommandNotAdmitted) as refusal:
            terminal.run(wrong)
        assert check_of(refusal) == "secrets"


def test_a_terminal_keeps_its_keys_for_its_owner_alone(tmp_path) -> None:
    path = tmp_path / "terminal.json"
    keys = TerminalKeys.generate()
    keys.write(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert TerminalKeys.read(path).public() == keys.public()
    assert [each["use"] for each in keys.public()["keys"]] == ["sig", "enc"]
    with pytest.raises(FileExists):
        keys.write(path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"v":1,"iss":"x","origin":"x","terminal":"t","keys":[]}']
)
def test_what_is_no_configuration_is_refused(tmp_path, text) -> None:
    path = tmp_path / "manager.json"
    path.write_text(text)
    with pytest.raises(ManagerConfigurationMalformed):
        read_configuration(path)
    with pytest.raises(ManagerConfigurationMalformed):
        TerminalKeys.read(path)
