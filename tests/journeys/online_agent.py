"""A card agent for journeys: the loopback interface, a reader in this process, and a person who does as the test says.

It stands in for the program beside the browser; the page, its script and the card are the real ones.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Route

from inkan.client.card import CardRequestDeclined, Giving, NoCard
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import KeyUse
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from support.card_in_process import ReaderInProcess

ADDRESS = "http://127.0.0.1:8499"
SECRET = "pair-me"
_HEADERS = {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-allow-methods": "POST",
}


@dataclass
class StandInAgent:
    """One agent with one reader.

    Attributes:
        pins: what the person types, by key.
        new_pin: what the person types as the new one.
        declines: the person says no.
        before: called with each command before the card is asked; to pull the card at a step.
        shown: what the dialog told the person.
    """

    reader: ReaderInProcess
    pins: dict[str, str] = field(
        default_factory=lambda: {"signature": "Abc246", "authentication": "1357"}
    )
    new_pin: str = ""
    declines: bool = False
    before: Callable[[str], None] = lambda _: None
    shown: list[Giving] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    async def serve(self, route: Route) -> None:
        """Answer a request of the page."""
        request = route.request
        if request.method == "OPTIONS":
            await route.fulfill(status=204, headers=_HEADERS)
            return
        assert request.headers["authorization"] == f"Inkan-Card-Agent {SECRET}"
        message = json.loads(request.post_data or "{}")
        await route.fulfill(status=200, headers=_HEADERS, json=self.answer(message))

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to one message."""
        command = message["command"]
        self.asked.append(command)
        try:
            self.before(command)
            return {"id": message["id"], "answer": getattr(self, f"_{command}")(message)}
        except InkanError as refused:
            refusal = {"code": refused.code, "facts": refused.public_facts}
            return {"id": message["id"], "refusal": refusal}

    def _hello(self, _: dict[str, Any]) -> dict[str, Any]:
        return {"version": 1}

    def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        readers = [{"name": each.name, "has_card": each.has_card} for each in self.reader.readers()]
        return {"version": 1, "readers": readers}

    def _certificates(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._card(message) as card:
            held = [base64url.encode(each.der) for each in card.certificates()]
            issuers = [base64url.encode(each) for each in card.issuer_certificates()]
        return {"certificates": held, "issuers": issuers}

    def _tries(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._card(message) as card:
            return {"tries_left": card.tries_left()}

    def _change_pin(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._card(message) as card:
            card.change_pin(self._pin(message), Secret(self.new_pin))
        return {}

    def _sign(self, message: dict[str, Any]) -> dict[str, Any]:
        with self._card(message) as card:
            cms = card.sign_request(
                base64url.decode(message["content"]),
                content_type=message["content_type"],
                pin=self._pin(message),
                confirm=self._confirm,
            )
        return {"cms": base64url.encode(cms)}

    def _card(self, message: dict[str, Any]) -> PivCard:
        if self.reader.applet is None:
            raise NoCard
        card = PivCard(self.reader, KeyUse(message["key"]))
        card.open()
        return card

    def _pin(self, message: dict[str, Any]) -> Secret[str]:
        return Secret(self.pins[message["key"]])

    def _confirm(self, giving: Giving) -> str:
        self.shown.append(giving)
        self.before("confirm")
        if self.declines:
            raise CardRequestDeclined
        return ""
