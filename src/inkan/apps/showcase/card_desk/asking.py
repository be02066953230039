"""The dialog of the desk's card agent: a page of the desk, where a window of pinentry stands on a real computer.

It keeps the ports of the card agent and of the manage program. One question is open at a time; the programs ask one
at a time as well. The desk's page is another origin than whoever asks, so that PIN and digits never pass the asker.
"""

import threading
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from inkan.client import guessable_pins
from inkan.client.card import CardRequestDeclined
from inkan.client.card_agent.dialog import Ending, Given, NewPIN, Question
from inkan.client.card_agent.words import PIN_FORMS, describe, refused, tries
from inkan.client.card_manager.dialog import PINAsked
from inkan.client.card_manager.words import ASKING, Asking
from inkan.client.guessable_pins import Guess, Known
from inkan.client.piv_layout import KeyUse
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire.shown import Language

PATIENCE_S: Final = 180.0


class Field(StrEnum):
    """What is typed."""

    DIGITS = "digits"
    PIN = "pin"
    NEW = "new"
    AGAIN = "again"


@dataclass(eq=False)
class Open:
    """A question on the page.

    Attributes:
        token: names it, so that an answer to an older one is none.
        fields: what is asked for.
        typed: what came, None while nothing did or when the person said no.
        guess: why the new PIN that came last was not taken, None when it was something else.
    """

    question: Question | None
    asked: PINAsked | None
    fields: tuple[Field, ...]
    token: str = field(default_factory=lambda: random_bytes(16).hex())
    typed: dict[Field, str] | None = None
    guess: Guess | None = None
    over: threading.Event = field(default_factory=threading.Event)

    def lines(self, language: Language) -> list[str]:
        """What the person reads."""
        if self.question is not None:
            key, shown = self.question.key, describe(self.question, language)
            return [*shown, PIN_FORMS[key][language], tries(self.question, language)]
        assert self.asked is not None
        asking = Asking.SET if Field.NEW in self.fields else Asking.TYPE
        said = ASKING[asking][language].format(origin=self.asked.origin, card=self.asked.card)
        return [said, PIN_FORMS[self.asked.use][language]]

    def refusal(self, language: Language) -> str | None:
        """Why the new PIN was not taken, None when others would not guess it."""
        return None if self.guess is None else refused(self.guess, language)

    @property
    def known(self) -> Known:
        """What no new PIN may be made of."""
        told = self.question or self.asked
        assert told is not None
        return told.known

    @property
    def key(self) -> KeyUse:
        """Whose PIN."""
        if self.question is not None:
            return self.question.key
        assert self.asked is not None
        return self.asked.use


class DeskDialog:
    """Asks on the desk's page; blocks in the thread of the program that asks."""

    def __init__(self, patience_s: float = PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._open: Open | None = None
        self._turn = threading.Lock()

    @property
    def open(self) -> Open | None:
        """The question that waits."""
        return self._open

    def answer(self, token: str, typed: dict[Field, str]) -> bool:
        """Hand in what was typed.

        Returns:
            False when the question is another one, something is missing or differs, or others would guess the new PIN
            (``Open.guess``).
        """
        waiting = self._open
        if waiting is None or waiting.token != token:
            return False
        if not all(typed.get(each) for each in waiting.fields):
            return False
        if Field.AGAIN in waiting.fields and typed[Field.NEW] != typed[Field.AGAIN]:
            return False
        new = typed.get(Field.NEW) if Field.NEW in waiting.fields else None
        waiting.guess = guessable_pins.find(Secret(new), waiting.known) if new else None
        if waiting.guess is not None:
            return False
        waiting.typed = typed
        waiting.over.set()
        return True

    def decline(self, token: str) -> None:
        """Say no."""
        waiting = self._open
        if waiting is not None and waiting.token == token:
            waiting.over.set()

    # --- the ports ----------------------------------------------------------------------------------

    def ask(self, question: Question, ending: Ending) -> Given:
        """Show what is given; PIN, and digits where they are needed."""
        needs_digits = question.giving is not None and question.giving.needs_digits
        fields = (Field.DIGITS, Field.PIN) if needs_digits else (Field.PIN,)
        typed = self._wait(Open(question, None, fields), ending)
        digits = "".join(typed.get(Field.DIGITS, "").split())
        return Given(pin=Secret(typed[Field.PIN]), digits=digits)

    def ask_change(self, question: Question, ending: Ending) -> NewPIN:
        """The old PIN, and the new one twice."""
        fields = (Field.PIN, Field.NEW, Field.AGAIN)
        typed = self._wait(Open(question, None, fields), ending)
        return NewPIN(old=Secret(typed[Field.PIN]), new=Secret(typed[Field.NEW]))

    def new_pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """A new PIN twice."""
        typed = self._wait(Open(None, asked, (Field.NEW, Field.AGAIN)), ending)
        return Secret(typed[Field.NEW])

    def pin(self, asked: PINAsked, ending: Ending) -> Secret[str]:
        """The PIN that was set."""
        return Secret(self._wait(Open(None, asked, (Field.PIN,)), ending)[Field.PIN])

    def _wait(self, waiting: Open, ending: Ending) -> dict[Field, str]:
        with self._turn:
            self._open = waiting
            ending.closes(waiting.over.set)
            try:
                waiting.over.wait(self._patience_s)
            finally:
                ending.closes(None)
                self._open = None
        if waiting.typed is None or ending.has_ended:
            raise CardRequestDeclined
        return waiting.typed
