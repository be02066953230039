"""What the tests of the card agent have in common: an agent over a card in this process, and a dialog of the test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from client.card_requests import DIGITS, PIN
from inkan.client.card import CardRequestDeclined
from inkan.client.card_agent.commands import CardAgent
from inkan.client.card_agent.dialog import Ending, Given, NewPIN, Question
from inkan.client.durable_file import FileLock
from inkan.crypto import base64url
from support.card_in_process import ReaderInProcess

ORIGIN = "https://id.example.org"
KIOSK = "https://kiosk.example.org"


class ScriptedDialog:
    """Answers at once, after ``before`` was called; remembers what it was told."""

    def __init__(self, given: Given | None = None) -> None:
        self.given = given or Given(pin=PIN, digits=DIGITS)
        self.change: NewPIN | None = None
        self.before: Callable[[Ending], None] = lambda ending: None
        self.asked: list[Question] = []

    def ask(self, question: Question, ending: Ending) -> Given:
        self.asked.append(question)
        self.before(ending)
        if ending.has_ended:
            raise CardRequestDeclined
        return self.given

    def ask_change(self, question: Question, ending: Ending) -> NewPIN:
        self.asked.append(question)
        self.before(ending)
        if self.change is None or ending.has_ended:
            raise CardRequestDeclined
        return self.change


class Asked:
    """An agent over a reader, asked as a page asks it."""

    def __init__(self, reader: ReaderInProcess, folder: Path, origin: str = ORIGIN) -> None:
        self.reader = reader
        self.dialog = ScriptedDialog()
        self.told: list[dict[str, Any]] = []
        self.origin = origin
        self.agent = CardAgent(
            readers=lambda: reader,
            dialog=self.dialog,
            origins=[ORIGIN, KIOSK],
            kiosks=[KIOSK],
            lock=FileLock(folder / "card-agent.toml"),
            tell=lambda data: self.told.append(json.loads(data)),
        )

    def say(self, command: str, /, **members: object) -> dict[str, Any]:
        """The whole answer."""
        data = json.dumps({"id": 7, "command": command, **members}).encode()
        found = json.loads(self.agent.answer(self.origin, data))
        assert found["id"] == 7
        return found

    def ask(self, command: str, /, **members: object) -> dict[str, Any]:
        """The answer's members; a refusal fails the test."""
        return self.say(command, **members)["answer"]

    def refused(self, command: str, /, **members: object) -> str:
        """The code of the refusal."""
        return self.say(command, **members)["refusal"]["code"]


def to_sign(content: bytes, content_type: str, key: str = "signature") -> dict[str, str]:
    """The members of a request to sign."""
    return {"content": base64url.encode(content), "content_type": content_type, "key": key}
