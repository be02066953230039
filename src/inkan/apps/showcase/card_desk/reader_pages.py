"""The desk's reader: which card is in it, the card agent's secret, and the question that the agent asks the person."""

from http import HTTPStatus
from typing import Final, Protocol

import msgspec

from inkan.apps.showcase.card_desk.asking import DeskDialog, Field
from inkan.client.piv_layout import KeyUse
from inkan.kernel.sensitive import Secret
from inkan.web.exchange import Exchange
from inkan.web.response import Response, ok, see_other
from inkan.wire.shown import Language

READER_PATH: Final = "/reader"

LABELS: Final = {
    Field.DIGITS: "Eight digits",
    Field.PIN: "PIN of the card",
    Field.NEW: "New PIN",
    Field.AGAIN: "New PIN again",
}
KEYS: Final = {
    KeyUse.SIGNATURE: "the signature key",
    KeyUse.AUTHENTICATION: "the authentication key",
}
WORDS: Final = frozenset({*LABELS.values(), *KEYS.values()})


class HandReader(Protocol):
    """A reader whose cards are put in and taken out by hand, on a page."""

    @property
    def inserted(self) -> str | None:
        """Key of the card that is in."""

    def choices(self) -> list[tuple[str, str]]:
        """Key and label of every card."""

    def insert(self, key: str) -> None:
        """Put a card in; an unknown key does nothing."""

    def take_out(self) -> None:
        """Take the card out."""


class InsertForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which card; empty takes out the one that is in."""

    card: str = ""


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was typed, or a no."""

    token: str
    digits: str = ""
    pin: str = ""
    new: str = ""
    again: str = ""
    decline: str = ""


class Standing(msgspec.Struct, frozen=True):
    """What the page shows now; another value, and the page is loaded anew."""

    state: str


class ReaderPages:
    """The pages over a reader and the dialog of its programs."""

    def __init__(self, reader: HandReader, dialog: DeskDialog, secret: Secret[str]) -> None:
        self._reader = reader
        self._dialog = dialog
        self._secret = secret

    async def page(self, exchange: Exchange) -> Response:
        """Reader, cards, question."""
        return self._page(exchange)

    async def state(self, exchange: Exchange) -> Response:
        """Whether the page is still true."""
        return ok(Standing(self._state()))

    async def insert(self, exchange: Exchange) -> Response:
        """Put a card in, or take it out."""
        form = await exchange.form(InsertForm)
        if form.card:
            self._reader.insert(form.card)
        else:
            self._reader.take_out()
        return see_other(READER_PATH)

    async def answer(self, exchange: Exchange) -> Response:
        """Hand in what the person typed."""
        form = await exchange.form(AnswerForm)
        if form.decline:
            self._dialog.decline(form.token)
            return see_other(READER_PATH)
        typed = {each: getattr(form, each.value) for each in Field}
        waiting = self._dialog.open
        if not self._dialog.answer(form.token, typed) and waiting is not None:
            return self._page(exchange, is_wrong=True)
        return see_other(READER_PATH)

    def _state(self) -> str:
        waiting = self._dialog.open
        return f"{self._reader.inserted or ''}:{waiting.token if waiting else ''}"

    def _page(self, exchange: Exchange, *, is_wrong: bool = False) -> Response:
        waiting = self._dialog.open
        return exchange.page(
            "card_desk/reader.html",
            status=HTTPStatus.BAD_REQUEST if is_wrong else HTTPStatus.OK,
            is_wrong=is_wrong,
            refusal=waiting.refusal(Language(exchange.language)) if waiting else None,
            state=self._state(),
            secret=self._secret.reveal(),
            cards=self._reader.choices(),
            inserted=self._reader.inserted,
            question=None
            if waiting is None
            else {
                "token": waiting.token,
                "lines": waiting.lines(Language(exchange.language)),
                "key": KEYS[waiting.key],
                "fields": [(each.value, LABELS[each]) for each in waiting.fields],
            },
        )
