"""``inkan serve`` that kills itself at a named point of an issue, once: ``mortal_server.py FOLDER serve``.

``FOLDER/death`` says where, at which passing and in which request, such as ``signed 2 enr_x``; it is taken away
just before the end, so that the next server lives. ``FOLDER/signed`` keeps every certificate that an authority's
key signed, whether it was stored or not: what a thief of the process would have.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any

from inkan.cli import main
from inkan.crypto import base64url
from inkan.enrolment.service import accepting, finishing
from inkan.pki.service.issue import Issue

Body = Callable[..., Generator[Any, Any, Any]]


class Death:
    """Comes when it is called for."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "death"
        self._signed = folder / "signed"

    def at(self, point: str, arguments: tuple[Any, ...]) -> None:
        try:
            wanted, passing, request = self._file.read_text(encoding="ascii").split()
        except FileNotFoundError:
            return
        if wanted != point or not any(_name(each).startswith(request) for each in arguments):
            return
        if int(passing) > 1:
            self._file.write_text(f"{wanted} {int(passing) - 1} {request}", encoding="ascii")
            return
        self._file.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

    def before(self, point: str, work: Callable[..., Awaitable[Any]]) -> Any:
        @wraps(work)
        async def mortal(*arguments: Any, **named: Any) -> Any:
            self.at(point, arguments)
            return await work(*arguments, **named)

        return mortal

    def after(self, point: str, work: Callable[..., Awaitable[Any]]) -> Any:
        @wraps(work)
        async def mortal(*arguments: Any, **named: Any) -> Any:
            result = await work(*arguments, **named)
            self.at(point, arguments)
            return result

        return mortal

    def around(self, before: str, body: Body, after: str) -> Any:
        """A transaction: at its beginning, and with everything written and nothing committed."""

        @wraps(body)
        def mortal(*arguments: Any, **named: Any) -> Generator[Any, Any, Any]:
            self.at(before, arguments)
            result = yield from body(*arguments, **named)
            self.at(after, arguments)
            return result

        return mortal

    def keep(self, body: Body) -> Body:
        """Note what was signed before anything else is done with it."""

        @wraps(body)
        def noting(issue: Issue, row: Any, der: bytes) -> Generator[Any, Any, Any]:
            with self._signed.open("a", encoding="ascii") as file:
                file.write(f"{base64url.encode(der)}\n")
                file.flush()
                os.fsync(file.fileno())
            return (yield from body(issue, row, der))

        return noting


def _name(argument: Any) -> str:
    """The order key or request id that an argument is or carries, or nothing."""
    if isinstance(argument, str):
        return argument
    return str(getattr(argument, "order_key", None) or getattr(argument, "id", ""))


def install(death: Death) -> None:
    """Put the points into the product of this process."""
    patches: list[tuple[Any, str, Any]] = [
        (Issue, "order", death.around("ordering", Issue.order, "reserving")),
        (Issue, "_intend", death.before("reserved", Issue._intend)),
        (Issue, "_intended", death.around("linted", Issue._intended, "intending")),
        (Issue, "_sign", death.before("intended", Issue._sign)),
        (Issue, "_signed", death.keep(death.around("signed", Issue._signed, "storing"))),
        (Issue, "complete", death.after("stored", Issue.complete)),
        (finishing, "_activate", death.around("issued", finishing._activate, "activating")),
        (accepting, "submit", death.after("answering", accepting.submit)),
    ]
    for owner, name, mortal in patches:
        setattr(owner, name, mortal)


if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    install(Death(folder))
    sys.argv[0] = "inkan"
    main()
