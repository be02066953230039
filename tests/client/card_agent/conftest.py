"""Fixtures of the card agent's tests: a card that left the counter, and an agent in front of it."""

from pathlib import Path

import pytest

from client import card_kinds
from client.card_agent.parts import Asked
from inkan.crypto.keys import KeySpec
from support.card_in_process import ReaderInProcess
from support.pinentry import ScriptedPinentry


@pytest.fixture(scope="module")
def personalised():
    return card_kinds.personalise(KeySpec.P256)


@pytest.fixture
def applet(personalised):
    return personalised.again()


@pytest.fixture
def reader(applet) -> ReaderInProcess:
    return ReaderInProcess(applet)


@pytest.fixture
def page(reader, tmp_path: Path):
    asked = Asked(reader, tmp_path)
    yield asked
    asked.agent.close()


@pytest.fixture
def pinentry(tmp_path: Path) -> ScriptedPinentry:
    return ScriptedPinentry(tmp_path / "pinentry")
