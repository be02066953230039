"""Processes of ``inkan`` that need not import it anew: one process of the tests has, and forks for each command.

A command is a process of its own, with its own arguments, variables, input and exit code; what it shares is what
importing alone leaves behind. That every noun can be imported first is tested beside the table of nouns.
"""

import array
import gc
import importlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import msgspec

TIMEOUT_S = 60.0
MAX_CALL_SIZE = 1 << 16


class Call(msgspec.Struct):
    """What the forked process becomes."""

    arguments: list[str]
    variables: dict[str, str]
    folder: str


@dataclass
class Commands:
    """The process that forks, and the way to it."""

    _server: subprocess.Popen[bytes]
    _way: socket.socket

    @classmethod
    def start(cls) -> "Commands":
        """Start it; it ends with the process that called this."""
        own, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with other:
            server = subprocess.Popen(
                [sys.executable, "-P", __file__, str(other.fileno())], pass_fds=[other.fileno()]
            )
        return cls(server, own)

    def close(self) -> None:
        self._way.close()
        self._server.wait(TIMEOUT_S)

    def run(
        self, arguments: Sequence[str], *, variables: Mapping[str, str], typed: str | None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``inkan`` to its end; it reads what is typed, and then the end of its input."""
        call = Call(list(arguments), dict(variables), str(Path.cwd()))
        own, other = socket.socketpair()
        with own, TemporaryFile() as out, TemporaryFile() as err, TemporaryFile() as input_:
            input_.write((typed or "").encode())
            input_.seek(0)
            with other:
                files = [input_.fileno(), out.fileno(), err.fileno(), other.fileno()]
                rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))]
                self._way.sendmsg([msgspec.msgpack.encode(call)], rights)
            code = _code(own)
            return subprocess.CompletedProcess(list(arguments), code, _text(out), _text(err))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _code(way: socket.socket) -> int:
    """Wait for the exit code; a command that hangs is killed."""
    way.settimeout(TIMEOUT_S)
    process = int(way.recv(16))
    try:
        return int(way.recv(16))
    except TimeoutError:
        os.kill(process, signal.SIGKILL)
        raise


# --- the process that forks -------------------------------------------------------------------------


def _serve(way: socket.socket) -> None:
    _import_all()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        data, files, *_ = socket.recv_fds(way, MAX_CALL_SIZE, 4)
        if not data:
            return
        if os.fork() == 0:
            way.close()
            _watch(msgspec.msgpack.decode(data, type=Call), files)
        for file in files:
            os.close(file)


def _import_all() -> None:
    from inkan.cli.root import NOUNS

    for module in (*(noun.module for noun in NOUNS.values()), "inkan.composition.platform"):
        importlib.import_module(module)
    # Else every command copies what it only visits, to collect it at its end
    gc.collect()
    gc.freeze()


def _watch(call: Call, files: list[int]) -> None:
    """Stand between the two: fork the command, tell its number, wait for its end and tell that."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *streams, report = files
    command = os.fork()
    if command == 0:
        os.close(report)
        _become(call, streams)
    with socket.socket(fileno=report) as way:
        way.send(b"%16d" % command)
        _, status = os.waitpid(command, 0)
        way.send(b"%16d" % os.waitstatus_to_exitcode(status))
    os._exit(0)


def _become(call: Call, streams: list[int]) -> Any:
    for number, file in enumerate(streams):
        os.dup2(file, number)
        os.close(file)
    os.chdir(call.folder)
    os.environ.clear()
    os.environ.update(call.variables)
    sys.argv = ["inkan", *call.arguments]
    for name, number, mode in (("stdin", 0, "r"), ("stdout", 1, "w"), ("stderr", 2, "w")):
        setattr(sys, name, os.fdopen(number, mode, encoding="utf-8", closefd=False))
    from inkan.cli import main

    main()


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
