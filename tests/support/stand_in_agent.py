"""A stand-in for the card agent's extension in a browser window: it answers the page script with the test card.

The page's own script runs unchanged. What the extension's content script and the native program do stands here: the
greeting on the window, one port, and the commands ``hello``, ``status``, ``watch`` and ``sign``.
"""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Page

from inkan.client.card import CardEvent, CardRemoved, Giving, Reader
from inkan.client.piv_card import PivCard
from inkan.client.piv_layout import CardObject
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from support.browser import Window, within
from support.card_in_process import ReaderInProcess

_CONTENT_SCRIPT = """
addEventListener("message", ({ data, ports: [port] }) => {
  if (data?.["inkan-card-agent"] === undefined || port === undefined) {
    return;
  }
  globalThis.standInPorts = [...(globalThis.standInPorts ?? []), port];
  port.onmessage = async (message) => {
    port.postMessage(JSON.parse(await globalThis.askStandInAgent(JSON.stringify(message.data))));
  };
  port.postMessage({ present: true });
});
"""
_TELL = "event => (globalThis.standInPorts ?? []).forEach((port) => port.postMessage(event))"


@dataclass
class StandInAgent:
    """The agent of one window.

    Attributes:
        digits, pin: what the person types into its dialog; they may change from one signature to the next.
        before_signing: called when the dialog stands open.
        asked: the commands, in their order.
        given: what the dialog showed.
    """

    reader: ReaderInProcess
    page: Page
    digits: str = ""
    pin: Secret[str] = field(default_factory=lambda: Secret(""))
    before_signing: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    given: list[Giving] = field(default_factory=list)

    @classmethod
    async def beside(cls, window: Window, reader: ReaderInProcess) -> "StandInAgent":
        """Put it into a window, before the page is opened."""
        agent = cls(reader, window.page)
        await within(window.context.expose_function("askStandInAgent", agent._answer))
        await within(window.context.add_init_script(_CONTENT_SCRIPT))
        return agent

    async def pull(self) -> None:
        """Take the card out, and tell the page as the agent does."""
        self.reader.pull()
        await self._tell(CardEvent.REMOVED)

    async def insert(self, applet: Any) -> None:
        """Put a card in, and tell the page."""
        self.reader.insert(applet)
        await self._tell(CardEvent.INSERTED)

    async def _tell(self, event: CardEvent) -> None:
        (reader,) = self.reader.readers()
        await within(self.page.evaluate(_TELL, {"event": event.value, "reader": reader.name}))

    def _answer(self, text: str) -> str:
        asked = json.loads(text)
        number = asked.get("id", 0)
        self.asked.append(asked.get("command", "close"))
        try:
            return json.dumps({"id": number, "answer": self._do(asked)})
        except InkanError as refused:
            refusal = {"code": refused.code, "facts": refused.public_facts}
            return json.dumps({"id": number, "refusal": refusal})

    def _do(self, asked: dict[str, Any]) -> dict[str, Any]:
        match asked.get("command"):
            case "status":
                return {
                    "version": "0",
                    "readers": [_reader(each) for each in self.reader.readers()],
                }
            case "sign":
                return {"cms": base64url.encode(self._sign(asked)), **self._photo(asked)}
            case _:
                return {}

    def _photo(self, asked: dict[str, Any]) -> dict[str, str]:
        """What a kiosk's page hears of the photo, as the agent tells it."""
        if not asked.get("photo"):
            return {}
        with PivCard(self.reader) as card:
            photo = card.read_object(CardObject.PHOTO, self.pin)
        digest = None if photo is None else hashlib.sha256(photo).digest()
        return {} if digest is None else {"photo_sha256": base64url.encode(digest)}

    def _sign(self, asked: dict[str, Any]) -> bytes:
        def confirm(giving: Giving) -> str:
            self.given.append(giving)
            self.before_signing()
            if self.reader.applet is None:
                raise CardRemoved
            return self.digits

        with PivCard(self.reader) as card:
            return card.sign_request(
                base64url.decode(asked["content"]),
                content_type=asked["content_type"],
                pin=self.pin,
                confirm=confirm,
            )


def _reader(reader: Reader) -> dict[str, Any]:
    return {"name": reader.name, "has_card": reader.has_card}
