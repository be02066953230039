"""The card agent over loopback: for browsers that cannot have the extension (ADR 0024).

Any page and any program of this computer reaches the port, so each request has to show four things before anything of
it is read: it was sent to this very address (DNS rebinding), by a page of a listed origin, by one to which the person
gave the secret of this start, and it is no larger than a request is. What is signed is bound to the origin besides,
exactly as it is natively.
"""

import base64
import hmac
import select
import socket
import threading
from collections.abc import Callable, Collection, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from inkan.client.card_agent import messages
from inkan.client.card_agent.native_host import Commands, answered
from inkan.client.card_agent.refusals import AgentBusy, AgentRequestTooLarge, AgentUnpaired
from inkan.kernel.errors import Conflict, InkanError
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret

HOST: Final = "127.0.0.1"
PATH: Final = "/v1"
SCHEME: Final = "Inkan-Card-Agent"
REQUEST_LIMIT: Final = 132 * 1024
"""Octets of the longest request, a command to the manage program; each kind has its own limit below that."""
_SECRET_OCTETS: Final = 10
_AT_ONCE: Final = 8
_READ_TIMEOUT_S: Final = 10
_LOOK_S: Final = 0.2
_PREFLIGHT_AGE_S: Final = 600
_HEADERS: Final = frozenset({"authorization", "content-type"})


class AgentAddressTaken(Conflict):
    """Another program listens where the loopback agent should."""

    code = "card_agent_address_taken"
    title = "Another program uses the card agent's port"


def new_secret() -> Secret[str]:
    """A pairing secret of 80 random bits in four groups of four, for a person to type once."""
    letters = base64.b32encode(random_bytes(_SECRET_OCTETS)).decode()
    return Secret("-".join(letters[at : at + 4] for at in range(0, len(letters), 4)))


class LoopbackAgent:
    """A server on 127.0.0.1; one for a person, not for a computer.

    Args:
        commands: makes what answers one request; asked for each.
        origins: whose pages may ask, exact.
        port: 0 for any free one.
        secret: of this start.

    Raises:
        AgentAddressTaken: something listens on the port.

    Attributes:
        port: where it listens.
    """

    def __init__(
        self,
        commands: Callable[[], Commands],
        *,
        origins: Collection[str],
        port: int = 0,
        secret: Secret[str] | None = None,
    ) -> None:
        self.secret = secret or new_secret()
        try:
            self._server = _Server(port, commands, frozenset(origins), self.secret)
        except OSError:
            raise AgentAddressTaken(f"{HOST}:{port}") from None
        self.port: int = self._server.server_address[1]

    @property
    def address(self) -> str:
        """The address that a page declares."""
        return f"http://{HOST}:{self.port}"

    def serve(self) -> None:
        """Answer until :meth:`close`."""
        self._server.serve_forever(poll_interval=_LOOK_S)

    def start(self) -> None:
        """Answer in a thread until :meth:`close`."""
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self) -> None:
        """Answer nothing any more."""
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    # The port of a program that has just ended is not given to whoever is faster.
    allow_reuse_address = True

    def __init__(
        self,
        port: int,
        commands: Callable[[], Commands],
        origins: frozenset[str],
        secret: Secret[str],
    ) -> None:
        super().__init__((HOST, port), _Handler)
        self.commands = commands
        self.origins = origins
        self.secret = _plain(secret.reveal())
        self.host = f"{HOST}:{self.server_address[1]}"
        self.places = threading.BoundedSemaphore(_AT_ONCE)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A connection that breaks is nobody's news."""


class _Handler(BaseHTTPRequestHandler):
    """One connection, one request."""

    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = _READ_TIMEOUT_S
    server_version = "inkan-card-agent"
    sys_version = ""

    def do_OPTIONS(self) -> None:
        """The preflight of CORS (Fetch §4.8), and of Private Network Access where a browser asks so."""
        origin = self._admitted()
        if origin is None:
            return
        asked = {
            each.strip().lower() for each in self._one("Access-Control-Request-Headers").split(",")
        }
        if self._one("Access-Control-Request-Method") != "POST" or not asked - {""} <= _HEADERS:
            self._say(HTTPStatus.FORBIDDEN)
            return
        allowed = {
            "Access-Control-Allow-Methods": "POST",
            "Access-Control-Allow-Headers": ", ".join(sorted(_HEADERS)),
            "Access-Control-Max-Age": str(_PREFLIGHT_AGE_S),
        }
        if self._one("Access-Control-Request-Private-Network") == "true":
            allowed["Access-Control-Allow-Private-Network"] = "true"
        self._say(HTTPStatus.NO_CONTENT, origin=origin, headers=allowed)

    def do_POST(self) -> None:
        """A request of a page.

        Plan:
            1. Sent to this address, by a page of a listed origin (:meth:`_admitted`).
            2. JSON of a bounded length.
            3. The secret of this start.
            4. At most eight at once; the commands themselves are carried out one at a time.
            5. Answer; a page that goes away ends what was begun for it.
        """
        origin = self._admitted()  # 1
        if origin is None:
            return
        length = self._length()  # 2
        if length is None:
            return
        if length > REQUEST_LIMIT:
            self._refuse(origin, AgentRequestTooLarge(limit_bytes=REQUEST_LIMIT))
            return
        if not self._is_paired():  # 3
            self._refuse(origin, AgentUnpaired())
            return
        if not self.server.places.acquire(blocking=False):  # 4
            self._refuse(origin, AgentBusy())
            return
        try:
            self._answer(origin, self.rfile.read(length))  # 5
        finally:
            self.server.places.release()

    def _admitted(self) -> str | None:
        """The listed origin that asks; None after a refusal that no page can read.

        A page under a name that was made to point here (DNS rebinding) sends that name as Host.
        """
        self.close_connection = True
        origin = self._one("Origin")
        if self._one("Host") != self.server.host:
            self._say(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.path != PATH:
            self._say(HTTPStatus.NOT_FOUND)
        elif origin not in self.server.origins:
            self._say(HTTPStatus.FORBIDDEN)
        else:
            return origin
        return None

    def _length(self) -> int | None:
        """How long the body is; None after a refusal."""
        length = self._one("Content-Length")
        if self._one("Content-Type") != "application/json":
            self._say(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        elif self.headers.get_all("Transfer-Encoding") or not (
            length.isascii() and length.isdigit() and len(length) <= 7
        ):
            self._say(HTTPStatus.LENGTH_REQUIRED)
        else:
            return int(length)
        return None

    def _is_paired(self) -> bool:
        scheme, _, given = self._one("Authorization").partition(" ")
        same = hmac.compare_digest(_plain(given).encode(), self.server.secret.encode())
        return scheme == SCHEME and same

    def _one(self, name: str) -> str:
        """A header that stands once; empty when it is missing or stands twice."""
        values = self.headers.get_all(name) or []
        return values[0] if len(values) == 1 else ""

    def _answer(self, origin: str, data: bytes) -> None:
        commands = self.server.commands()
        answers: list[bytes] = []
        work = threading.Thread(
            target=lambda: answers.append(answered(commands, origin, data)), daemon=True
        )
        work.start()
        while work.is_alive():
            work.join(_LOOK_S)
            if work.is_alive() and self._is_gone():
                commands.close()
                return
        if answers:
            self._say(HTTPStatus.OK, origin=origin, body=answers[0])

    def _is_gone(self) -> bool:
        """Whether the page has closed the connection."""
        if not select.select([self.connection], [], [], 0)[0]:
            return False
        try:
            return not self.connection.recv(1, socket.MSG_PEEK)
        except OSError:
            return True

    def _refuse(self, origin: str, error: InkanError) -> None:
        self._say(HTTPStatus.OK, origin=origin, body=messages.refusal(0, error))

    def _say(
        self,
        status: HTTPStatus,
        *,
        origin: str | None = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer; only a listed origin's page may read it."""
        self.send_response(status)
        shared = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
        typed = {"Content-Type": "application/json"} if body else {}
        always = {
            "Content-Length": str(len(body)),
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Connection": "close",
        }
        for name, value in {**shared, **typed, **always, **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Nothing is logged: addresses and origins say what a person does."""


def _plain(secret: str) -> str:
    """As it is compared: whoever types it may leave hyphens out, and write small letters."""
    return secret.strip().replace("-", "").upper()
