"""A real PC/SC service with virtual readers, in network and mount namespaces of its own.

vpcd listens on every interface, so the service runs where there are no interfaces but a loopback of its own. Its
compiled-in socket folder is bound to a short folder of ours; clients find the socket by PCSCLITE_CSOCK_NAME. The card
is an applet of this process: a thread enters the namespace for a moment, and the socket that it makes stays there.
"""

import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep

import pytest

from support.piv_applet import ATR, PivApplet
from support.tools import require

PORT = 35963
DRIVER = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so"
SOCKET_NAME = "PCSCLITE_CSOCK_NAME"
_NEW_NET = 0x40000000
_READER = f"""FRIENDLYNAME "Virtual PCD"
DEVICENAME /dev/null:{PORT:#06X}
LIBPATH {DRIVER}
CHANNELID {PORT:#06X}
""".replace("0X", "0x")
# The service ends with whoever started it, and happens in mounts that nobody else sees; $1 is the folder of the
# socket, $2 the reader file.
_START = """
ip link set lo up && mount -t tmpfs none /run && mkdir /run/pcscd && mount --bind "$1" /run/pcscd &&
exec setpriv --pdeathsig TERM pcscd --foreground --config "$2"
"""
_UNSHARE = ["unshare", "--net", "--mount", "--propagation", "private"]
_PATIENCE_S = 20.0
_ATR_WANTED, _OFF, _RESET = 4, 0, 2


def require_namespaces() -> None:
    """Skip (fail where nothing may be missing) unless namespaces may be made here."""
    for program in ("pcscd", "vpcd", "unshare"):
        require(program)
    made = subprocess.run([*_UNSHARE, "true"], capture_output=True, text=True, check=False)
    if made.returncode:
        pytest.skip(f"namespaces are forbidden here: {made.stderr.strip()}")


class Service:
    """pcscd with vpcd.

    Attributes:
        socket: path of the socket that clients connect to.
        process: of pcscd, None while it is stopped.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._reader = folder / "reader.conf"
        self._reader.write_text(_READER)
        self.socket = folder / "pcscd.comm"
        self.process: subprocess.Popen | None = None
        self.log = folder / "log"

    def start(self) -> None:
        """Start, and wait until clients and cards can connect."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*_UNSHARE, "sh", "-c", _START, "sh", str(self._folder), str(self._reader)],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        _until(lambda: self.socket.exists() and self._answers())

    def stop(self) -> None:
        """End the service; its cards lose power."""
        process, self.process = self.process, None
        if process is not None:
            process.terminate()
            process.wait(_PATIENCE_S)

    def connect(self) -> socket.socket:
        """Return a socket, made inside the service's network, to its first reader."""
        assert self.process is not None
        made: list[socket.socket] = []

        def enter() -> None:
            # Whatever fails leaves the list empty.
            with suppress(OSError), Path(f"/proc/{self.process.pid}/ns/net").open("rb") as space:
                if ctypes.CDLL(None).setns(space.fileno(), _NEW_NET) == 0:
                    made.append(socket.create_connection(("127.0.0.1", PORT), timeout=_PATIENCE_S))

        thread = threading.Thread(target=enter)
        thread.start()
        thread.join()
        if not made:
            raise ConnectionRefusedError
        made[0].settimeout(None)
        return made[0]

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text(errors="replace")
        try:
            self.connect().close()
        except OSError:
            return False
        return True


class Slot:
    """The reader's slot: a card is put in, answers in a thread, and is pulled out.

    Attributes:
        before: called with each command before the card sees it.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self.before = lambda command: None

    def insert(self, applet: PivApplet) -> None:
        """Put a card in."""
        self.pull()
        connection = self._service.connect()
        self._socket = connection
        self._thread = threading.Thread(target=self._serve, args=(connection, applet), daemon=True)
        self._thread.start()

    def insert_anew(self, applet: PivApplet) -> None:
        """Put a card in after one was pulled in the middle of a command: the driver may take none then for ever.

        Not in a thread that ends before the service: the service ends with the thread that started it.
        """
        self.pull()
        self._service.stop()
        self._service.start()
        self.insert(applet)

    def pull(self) -> None:
        """Take the card out, whatever it is doing."""
        connection, self._socket = self._socket, None
        if connection is None:
            return
        _shut(connection)
        if self._thread is not threading.current_thread():
            self._thread.join(_PATIENCE_S)

    def _serve(self, connection: socket.socket, applet: PivApplet) -> None:
        with connection:
            try:
                while (message := _receive(connection)) is not None:
                    if len(message) > 1:
                        self.before(message)
                        _send(connection, applet.transmit(message))
                    elif message[0] == _ATR_WANTED:
                        _send(connection, ATR)
                    elif message[0] in {_OFF, _RESET}:
                        applet.reset()
            except OSError:
                pass
        applet.reset()


def _shut(connection: socket.socket) -> None:
    """Wake whoever waits in this socket."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _receive(connection: socket.socket) -> bytes | None:
    head = _exactly(connection, 2)
    if head is None:
        return None
    return _exactly(connection, int.from_bytes(head, "big"))


def _exactly(connection: socket.socket, size: int) -> bytes | None:
    """Without quick acknowledgement every command would wait for a delayed one (two writes by the driver)."""
    data = b""
    while len(data) < size:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = connection.recv(size - len(data))
        if not part:
            return None
        data += part
    return data


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(len(data).to_bytes(2, "big") + data)


def _until(holds) -> None:
    deadline = monotonic() + _PATIENCE_S
    while not holds():
        assert monotonic() < deadline
        sleep(0.02)


@contextmanager
def running() -> Iterator[Service]:
    """The one service of this process: the library reads the name of the socket once."""
    require_namespaces()
    # Short: a socket's path has at most 107 octets.
    folder = Path(tempfile.mkdtemp(prefix="pc", dir="/tmp"))
    service = Service(folder)
    os.environ[SOCKET_NAME] = str(service.socket)
    try:
        service.start()
        yield service
    finally:
        service.stop()
        del os.environ[SOCKET_NAME]
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def card_service() -> Iterator[Service]:
    """The PC/SC service of this test process; a test that stops it starts it again."""
    with running() as service:
        yield service
