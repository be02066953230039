"""The dialog by pinentry, the small program of GnuPG that asks for PINs, over its Assuan protocol.

It grabs the keyboard where it can, and shows in a window of its own what the agent says, not what a page says. A line
of the protocol has at most 1000 octets: what is longer is shown page by page before the PIN is asked for.
"""

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Final, Self

from inkan.client import guessable_pins
from inkan.client.card import CardRequestDeclined
from inkan.client.card_agent.dialog import Ending, Given, NewPIN, Question
from inkan.client.card_agent.refusals import DialogUnavailable
from inkan.client.card_agent.words import PIN_FORMS, WORDS, Word, describe, refused, tries
from inkan.client.guessable_pins import Known
from inkan.kernel.sensitive import Secret
from inkan.wire.shown import Language

_LINE_LIMIT: Final = 1000
# What is asked for, and how many tries are left, follow on the last page.
_PAGE_OCTETS: Final = 640
_TIMEOUT_S: Final = 180
# GPG_ERR_CANCELED, GPG_ERR_TIMEOUT, GPG_ERR_NOT_CONFIRMED: the lower 16 bits of an ERR line's number.
_DECLINED: Final = frozenset({99, 62, 114})
_CODE_BITS: Final = 0xFFFF


class Pinentry:
    """Asks by a pinentry program; a :class:`~inkan.client.card_agent.dialog.Dialog`.

    Args:
        program: the command, absolute or found on the path.
        language: of the texts.

    Attributes:
        language: of the texts.
    """

    def __init__(self, program: Sequence[str], language: Language = Language.EN) -> None:
        self._program = tuple(program)
        self.language = language

    def ask(self, question: Question, ending: Ending) -> Given:
        """Show the pages, then ask for the digits where they are needed, then for the PIN."""
        needs_digits = question.giving is not None and question.giving.needs_digits
        with self.talk(ending) as talk:
            shown = self._show(talk, question)
            digits = ""
            if needs_digits:
                talk.say("SETDESC", f"{shown}\n\n{self.word(Word.DIGITS)}")
                talk.say("SETPROMPT", self.word(Word.DIGITS_PROMPT))
                digits = "".join(talk.ask().reveal().split())
            return Given(pin=self._ask_pin(talk, question, shown), digits=digits)

    def ask_change(self, question: Question, ending: Ending) -> NewPIN:
        """Ask for the old PIN, and for the new one twice until both are the same."""
        with self.talk(ending) as talk:
            shown = self._show(talk, question)
            old = self._ask_pin(talk, question, shown)
            return NewPIN(old=old, new=self.ask_new(talk, question.known))

    def talk(self, ending: Ending) -> "Talk":
        """One run of the program, to be used in a ``with``: for dialogs that ask something else by it."""
        return Talk(self._program, ending)

    def ask_new(self, talk: "Talk", known: Known) -> Secret[str]:
        """Ask for a new PIN until it is none that others would guess, and was typed twice alike."""
        while True:
            talk.say("SETPROMPT", self.word(Word.NEW_PIN))
            new = talk.ask()
            guess = guessable_pins.find(new, known)
            if guess is not None:
                talk.say("SETERROR", refused(guess, self.language))
                continue
            talk.say("SETPROMPT", self.word(Word.AGAIN))
            if talk.ask() == new:
                return new
            talk.say("SETERROR", self.word(Word.DIFFERENT))

    def _show(self, talk: "Talk", question: Question) -> str:
        """Have all pages but the last one confirmed; return the last one, which stays while the PIN is typed."""
        talk.say("SETTITLE", self.word(Word.TITLE))
        talk.say("SETTIMEOUT", str(_TIMEOUT_S))
        talk.say("SETCANCEL", self.word(Word.CANCEL))
        pages = paged(describe(question, self.language))
        talk.say("SETOK", self.word(Word.NEXT))
        for at, page in enumerate(pages[:-1], 1):
            count = self.word(Word.PAGE).format(at=at, of=len(pages))
            talk.say("SETDESC", f"{page}\n\n{count}")
            talk.do("CONFIRM")
        talk.say("SETOK", self.word(Word.OK))
        return pages[-1]

    def _ask_pin(self, talk: "Talk", question: Question, shown: str) -> Secret[str]:
        form = PIN_FORMS[question.key][self.language]
        talk.say("SETDESC", f"{shown}\n\n{form}\n{tries(question, self.language)}")
        talk.say("SETPROMPT", self.word(Word.PIN))
        return talk.ask()

    def word(self, word: Word) -> str:
        """A text of the dialog."""
        return WORDS[word][self.language]


def paged(lines: Sequence[str], octets: int = _PAGE_OCTETS) -> list[str]:
    """Return the lines in pages of at most ``octets`` octets as the protocol writes them; nothing is left out."""
    pages, page = [], ""
    for line in (piece for each in lines for piece in _pieces(each, octets)):
        longer = f"{page}\n{line}" if page else line
        if page and len(_escaped(longer)) > octets:
            pages.append(page)
            longer = line
        page = longer
    return [*pages, page]


def _pieces(line: str, octets: int) -> list[str]:
    """A line in pieces that fit; most lines are one."""
    pieces, piece = [], ""
    for letter in line:
        if len(_escaped(piece + letter)) > octets:
            pieces.append(piece)
            piece = ""
        piece += letter
    return [*pieces, piece]


def _escaped(text: str) -> bytes:
    """As Assuan writes it: per cent, carriage return and line feed by their numbers."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.encode()


def _unescaped(data: bytes) -> str:
    """The text of a D line.

    Raises:
        DialogUnavailable: it is none.
    """
    first, *others = data.split(b"%")
    try:
        parts = [bytes.fromhex(part[:2].decode("ascii")) + part[2:] for part in others]
        return (first + b"".join(parts)).decode()
    except ValueError:
        raise DialogUnavailable("the dialog answered something that is no text") from None


class Talk:
    """One run of the program: one window after the other, and its end with the block."""

    def __init__(self, program: Sequence[str], ending: Ending) -> None:
        self._ending = ending
        try:
            self._process = subprocess.Popen(  # noqa: S603 - the program of the person's own configuration
                program,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as error:
            raise DialogUnavailable(f"the program of the dialog does not start: {error}") from None
        self._to = _pipe(self._process.stdin)
        self._from = _pipe(self._process.stdout)

    def __enter__(self) -> Self:
        self._ending.closes(self._process.kill)
        try:
            self._finish()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def say(self, command: str, text: str) -> None:
        """Set a text of the next window."""
        self._write(command.encode() + b" " + _escaped(text))
        self._finish()

    def do(self, command: str) -> None:
        """Show a window without a field.

        Raises:
            CardRequestDeclined: the person closed it.
        """
        self._write(command.encode())
        self._finish()

    def ask(self) -> Secret[str]:
        """Show a window with a field; what was typed.

        Raises:
            CardRequestDeclined: the person closed it, or took too long.
        """
        self._write(b"GETPIN")
        return Secret(_unescaped(self._finish()))

    def _write(self, line: bytes) -> None:
        if len(line) >= _LINE_LIMIT:
            raise DialogUnavailable("a text is longer than the dialog can show")
        try:
            self._to.write(line + b"\n")
            self._to.flush()
        except OSError:
            raise self._over() from None

    def _finish(self) -> bytes:
        """Read to the end of an answer: the data that came with it."""
        data = b""
        while True:
            line = self._from.readline(_LINE_LIMIT + 2)
            if not line.endswith(b"\n"):
                raise self._over()
            word, _, rest = line.rstrip(b"\r\n").partition(b" ")
            if word == b"OK":
                return data
            if word == b"ERR":
                raise _refusal(rest)
            if word == b"D":
                data += rest

    def _over(self) -> Exception:
        """The program ended: because nobody waits any more, or by itself."""
        if self._ending.has_ended:
            return CardRequestDeclined("nobody waits for the dialog any more")
        return DialogUnavailable("the program of the dialog ended")

    def _stop(self) -> None:
        self._ending.closes(None)
        with suppress(OSError):
            self._to.close()
        self._process.kill()
        self._process.wait()
        self._from.close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None, "Popen was asked for it"
    return pipe


def _refusal(rest: bytes) -> Exception:
    number = rest.partition(b" ")[0]
    if number.isdigit() and int(number) & _CODE_BITS in _DECLINED:
        return CardRequestDeclined()
    return DialogUnavailable("the program of the dialog refused")
