"""``inkan card`` at a reader in this process: what it prints, and what it refuses."""

import pytest
from click.testing import CliRunner

from client import card_kinds
from client.card_requests import PIN
from inkan.cli.card import command
from inkan.client import pcsc
from inkan.client.card import PINLocked, WrongPIN
from inkan.client.guessable_pins import PINGuessable
from inkan.crypto.certificates import thumbprint
from inkan.crypto.keys import KeySpec
from support.card_in_process import NAME, ReaderInProcess


@pytest.fixture(scope="module")
def made():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def reader(made, monkeypatch):
    reader = ReaderInProcess(made.again())
    monkeypatch.setattr(pcsc, "PCSC", lambda: reader)
    return reader


def run(*arguments):
    return CliRunner().invoke(command, arguments)


def test_readers_are_listed(reader):
    assert run("list").output == f"{NAME}: card\n"
    reader.pull()
    assert run("list").output == f"{NAME}: empty\n"


@pytest.mark.req("JPKI-39")
def test_certificates_are_shown_with_thumbprints_and_written(reader, made, tmp_path):
    result = run("certificates", "--out", str(tmp_path))
    assert result.exit_code == 0
    assert f"authority-1  SHA-256 {thumbprint(made.root).hex()}" in result.output
    assert (tmp_path / "card.cer").read_bytes() == made.certificate.der
    assert (tmp_path / "authority-1.cer").read_bytes() == made.root
    assert not reader.links[-1].is_open


@pytest.mark.req("JPKI-29")
def test_the_pin_is_changed_and_counted(reader):
    assert run("pin", "tries").output == "5\n"
    assert run("pin", "change", "--old", PIN.reveal(), "--new", "Kasumi2026").exit_code == 0
    wrong = run("pin", "change", "--old", PIN.reveal(), "--new", "Kasumi2026")
    assert isinstance(wrong.exception, WrongPIN)
    assert run("pin", "tries").output == "4\n"
    guessable = run("pin", "change", "--old", PIN.reveal(), "--new", "qwerty")
    assert isinstance(guessable.exception, PINGuessable)
    assert run("pin", "tries").output == "4\n"
    assert run("pin", "tries", "--key", "authentication").output == "5\n"
    for _ in range(4):
        wrong = run("pin", "change", "--old", "000000", "--new", "Kasumi2026")
    assert isinstance(wrong.exception, PINLocked)
    assert not reader.links[-1].is_open
