"""PostgreSQL for the tests: one cluster a run, from the binaries of the Debian package, gone with the run.

No cluster of the machine is touched. The first worker that needs a database starts one in a folder of its
own (in memory where there is room, else under /tmp), as an unprivileged user (setpriv when root); it listens
on a socket in that folder and on no port. A small supervisor owns the server; it stops it and removes the
folder when it is told to, or when the process that runs the tests has gone, however that ended. Each worker
migrates one template; a test gets a copy of it.

As a plugin this module carries the run's folder from pytest's first process to its workers.
"""

import asyncio
import fcntl
import os
import pwd
import secrets
import selectors
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from support.folders import memory
from support.tools import require

RUN = "INKAN_TEST_RUN"
"""Names the run's folder to all its processes."""

PATIENCE_S = 30.0
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "dynamic_shared_memory_type": "mmap",  # in the folder: a killed server leaves nothing elsewhere
    "max_wal_size": "256MB",
    "checkpoint_timeout": "1h",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "logging_collector": "off",
    "log_min_messages": "fatal",
}
DURABLE = {"recovery_init_sync_method": "syncfs"}
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For all but the tests that kill the server."""


class Cluster:
    """A PostgreSQL server with its data and its socket in one folder."""

    def __init__(self, folder: Path, *, binaries: Path, durable: bool = False) -> None:
        self.folder = folder
        self._binaries = binaries
        self._settings = SETTINGS | (DURABLE if durable else CARELESS)
        self._server: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres") -> str:
        """The URL of one of its databases."""
        return f"postgresql://inkan@/{database}?host={self.folder}"

    def create(self) -> None:
        """Make the folder and the cluster in it."""
        self.folder.mkdir(mode=0o700)
        if os.geteuid() == 0:
            user = _unprivileged()
            os.chown(self.folder, user.pw_uid, user.pw_gid)
        command = ["initdb", "-D", f"{self.folder}/data", "-U", "inkan", "-A", "trust"]
        options = ["--no-sync", "--no-instructions", "-E", "UTF8", "--locale", "C"]
        subprocess.run(self._command(*command, *options), check=True, stdout=subprocess.DEVNULL)

    def start(self) -> None:
        """Start the server and wait until it answers. It ends with the process that calls this."""
        settings = [f"-c{name}={value}" for name, value in self._settings.items()]
        command = ["postgres", "-D", f"{self.folder}/data", "-k", str(self.folder), *settings]
        with (self.folder / "log").open("ab") as log:
            self._server = subprocess.Popen(
                self._command(*command, dies_with_parent=True), stdout=log, stderr=log
            )
        give_up = time.monotonic() + PATIENCE_S
        while not (self.folder / ".s.PGSQL.5432").exists() or self._ready() != 0:
            if self._server.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError((self.folder / "log").read_text(encoding="utf-8"))
            time.sleep(0.01)

    def stop(self) -> None:
        """End the server at once, so that it tidies up but does not save what is thrown away anyway."""
        if self._server is not None:
            self._server.send_signal(signal.SIGQUIT)
            self._server.wait(PATIENCE_S)
            self._server = None

    def kill(self) -> None:
        """End all its processes at once, without a word to any of them."""
        assert self._server is not None
        children = Path(f"/proc/{self._server.pid}/task/{self._server.pid}/children")
        processes = [self._server.pid, *map(int, children.read_text().split())]
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        self._server.wait(PATIENCE_S)
        _wait_until(lambda: not any(map(_is_running, processes)))
        self._server = None

    def remove(self) -> None:
        """Remove the folder of a server that has ended."""
        shutil.rmtree(self.folder)

    def _ready(self) -> int:
        command = [str(self._binaries / "pg_isready"), "-q", "-h", str(self.folder)]
        return subprocess.run(command, check=False).returncode

    def _command(self, program: str, *options: str, dies_with_parent: bool = False) -> list[str]:
        command = [str(self._binaries / program), *options]
        drop = [] if os.geteuid() else _drop_privileges()
        last = ["--pdeathsig", "QUIT"] if dies_with_parent else []
        return ["setpriv", *drop, *last, *command] if drop or last else command


def _is_running(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(") ")[2][0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def _unprivileged() -> pwd.struct_passwd:
    names = {user.pw_name: user for user in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _drop_privileges() -> list[str]:
    user = _unprivileged()
    return ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid), "--clear-groups"]


# --- one cluster a run ------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Name the folder in the first process; workers inherit the name, and who needs it makes it."""
    if not hasattr(config, "workerinput"):
        os.environ[RUN] = f"{memory() or '/tmp'}/ik{secrets.token_hex(5)}"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Have the supervisor stop the server, and leave nothing behind."""
    if not hasattr(config, "workerinput"):
        folder = Path(os.environ.pop(RUN))
        supervisor = folder / "supervisor"
        if supervisor.exists():
            os.kill(int(supervisor.read_text()), signal.SIGTERM)
            _wait_until(lambda: not folder.exists())
        shutil.rmtree(folder, ignore_errors=True)


def cluster_of_run() -> Cluster:
    """The cluster of this run, started by whoever comes first; skips where PostgreSQL is missing."""
    folder = Path(os.environ[RUN])
    cluster = Cluster(folder / "pg", binaries=require("postgresql"))
    folder.mkdir(mode=0o711, exist_ok=True)
    with _locked(folder / "lock"):
        if not (folder / "supervisor").exists():
            # A worker may end before the run does; its parent is pytest's first process
            owner = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
            subprocess.run(
                [sys.executable, __file__, str(folder), str(owner)],
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])},
                check=True,
            )
    return cluster


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _wait_until(condition: Any) -> None:
    give_up = time.monotonic() + PATIENCE_S
    while not condition() and time.monotonic() < give_up:
        time.sleep(0.01)


def supervise(folder: Path, owner: int) -> None:
    """Start the server in the background; stop it on SIGTERM or when the process ``owner`` has ended."""
    ready, tell = os.pipe()
    if os.fork():
        os.close(tell)
        sys.exit(0 if os.read(ready, 1) else 1)
    os.setsid()
    cluster = Cluster(folder / "pg", binaries=require("postgresql"))
    cluster.create()
    cluster.start()
    (folder / "supervisor").write_text(str(os.getpid()))
    os.write(tell, b"1")
    os.close(tell)
    _wait_for_end(owner)
    cluster.stop()
    shutil.rmtree(folder)


def _wait_for_end(owner: int) -> None:
    wake, waker = os.pipe()
    signal.signal(signal.SIGTERM, lambda *_: os.write(waker, b"1"))
    with selectors.DefaultSelector() as selector:
        selector.register(wake, selectors.EVENT_READ)
        selector.register(os.pidfd_open(owner), selectors.EVENT_READ)
        selector.select()


# --- databases of one worker ------------------------------------------------------------------------


class Databases:
    """The template of this worker, and copies of it, made through one lasting connection."""

    def __init__(self, cluster: Cluster, template: str) -> None:
        self.cluster = cluster
        self._template = template
        self._count = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection = self._call(self._connect())
        self._execute(f"CREATE DATABASE {template} TEMPLATE template0")

    @property
    def template_url(self) -> str:
        """For the migration; nobody may be connected when it is copied."""
        return self.cluster.url(self._template)

    def create(self, *, template: str | None = None) -> str:
        """Copy this worker's template, or another; return the name."""
        self._count += 1
        name = f"{self._template}_{self._count}"
        source = template or self._template
        self._execute(f"CREATE DATABASE {name} TEMPLATE {source} STRATEGY FILE_COPY")
        return name

    def drop(self, name: str) -> None:
        """Remove a copy, whoever is connected to it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def close(self) -> None:
        """Disconnect."""
        self._call(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _execute(self, statement: str) -> None:
        self._call(self._connection.execute(statement))

    async def _connect(self) -> Any:
        import asyncpg

        return await asyncpg.connect(self.cluster.url())

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE_S)


@pytest.fixture(scope="session")
def postgresql_databases() -> Iterator[Databases]:
    """This worker's migrated template on the cluster of the run, and copies of it."""
    from inkan.store import migrate

    worker = os.environ.get("PYTEST_XDIST_WORKER", "alone")
    databases = Databases(cluster_of_run(), f"inkan_{worker}")
    try:
        migrate.upgrade(databases.template_url)
        yield databases
    finally:
        databases.close()


@pytest.fixture
def postgresql_url(postgresql_databases: Databases) -> Iterator[str]:
    """A migrated, empty database on a server."""
    name = postgresql_databases.create()
    yield postgresql_databases.cluster.url(name)
    postgresql_databases.drop(name)


if __name__ == "__main__":
    supervise(Path(sys.argv[1]), int(sys.argv[2]))
