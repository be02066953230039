"""What the manage program answers a page: for one origin, natively or over loopback.

What it has in common with the agent of *use* (readers, events) it leaves to that; it signs nothing for pages.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

from inkan.client.card import CardRequestRefused
from inkan.client.card_agent import messages as agent_messages
from inkan.client.card_agent.commands import CardAgent, Tell
from inkan.client.card_agent.dialog import Ending, Question
from inkan.client.card_agent.native_host import Commands
from inkan.client.card_agent.refusals import OriginUnlisted
from inkan.client.card_link import CardReaders
from inkan.client.card_manager import messages
from inkan.client.card_manager.program import CardManager
from inkan.client.durable_file import FileLock
from inkan.kernel.errors import InkanError

VERSION: Final = 1
KIND: Final = "manage"


class ManagerCommands:
    """The commands of *manage*; a :class:`~inkan.client.card_agent.native_host.Commands`.

    Args:
        manager: what carries them out.
        origin: whose pages may ask.
        readers: makes the way to the readers, to tell of them.
        lock: as of the agent.
        tell: takes events to the page; None where there is no way.
    """

    def __init__(
        self,
        manager: CardManager,
        *,
        origin: str,
        readers: Callable[[], CardReaders],
        lock: FileLock,
        tell: Tell | None = None,
    ) -> None:
        self._manager = manager
        self._origin = origin
        self._telling = CardAgent(
            readers=readers, dialog=_NoDialog(), origins=(origin,), lock=lock, tell=tell
        )
        self._does: Mapping[type, Callable[[Any], dict[str, Any]]] = {
            agent_messages.Hello: lambda _: {"version": VERSION, "kind": KIND},
            messages.Look: lambda _: self._manager.look(origin=origin),
            messages.Run: lambda asked: {"answer": manager.run(asked.jws, origin=origin)},
        }

    def answer(self, origin: str, data: bytes) -> bytes:
        """Return the answer to a page's request; blocks as long as card and person take.

        Args:
            origin: of the page, from the browser.
            data: the request.
        """
        try:
            if origin != self._origin:
                raise OriginUnlisted(origin=origin)
            request = messages.parse_request(data)
            does = self._does.get(type(request))
            if does is None:
                return self._telling.answer(origin, data)
            done = does(request)
        except InkanError as refused:
            return agent_messages.refusal(agent_messages.request_id(data), refused)
        return agent_messages.answer(request.id, done)

    def close(self) -> None:
        """The page is gone: end dialog, card and watch."""
        self._manager.close()
        self._telling.close()


class BothCommands:
    """One request to a loopback agent for *use* and *manage*: whoever knows the command answers."""

    def __init__(self, use: Commands, manage: Commands) -> None:
        self._use = use
        self._manage = manage
        self._asked: Commands | None = None

    def answer(self, origin: str, data: bytes) -> bytes:
        """Return the answer of the one that knows the command."""
        self._asked = self._manage if messages.is_managing(data) else self._use
        return self._asked.answer(origin, data)

    def close(self) -> None:
        """End the one that was asked: the other may be at work for another page, with half a card."""
        if self._asked is not None:
            self._asked.close()


class _NoDialog:
    """Nobody is asked for a PIN that signs."""

    def ask(self, question: Question, ending: Ending) -> NoReturn:
        raise CardRequestRefused("this program signs nothing")

    def ask_change(self, question: Question, ending: Ending) -> NoReturn:
        raise CardRequestRefused("this program changes no PIN for a page")
