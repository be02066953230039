"""kill -9: nothing acknowledged is lost, nothing is doubled, and the test would notice if it were."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkan.store import migrate
from inkan.store.connect import database as database_of
from inkan.store.connect import is_sqlite
from inkan.store.sqlite import SQLiteDatabase
from support import things
from support.acknowledging_writer import TASKS
from support.clock import StandingClock
from support.postgres import Cluster
from support.tables import create_tables
from support.things import ids
from support.tools import require

pytestmark = pytest.mark.crash

TESTS = Path(__file__).parents[1]
ROUNDS = 5


class Writer:
    """The writing process, and the ledger of what it acknowledged."""

    def __init__(self, url: str, *options: str) -> None:
        self.acknowledged: list[str] = []
        self._process = subprocess.Popen(
            [sys.executable, str(TESTS / "support" / "acknowledging_writer.py"), url, *options],
            env=os.environ | {"PYTHONPATH": str(TESTS)},
            stdout=subprocess.PIPE,
            text=True,
        )

    def read(self, count: int) -> None:
        """Take down the next ``count`` acknowledgements."""
        assert self._process.stdout is not None
        for _ in range(count):
            line = self._process.stdout.readline()
            assert line.endswith("\n"), f"the writer ended with {self._process.wait()}"
            self.acknowledged.append(line.strip())

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> None:
        """Take down what it still said, until it is dead."""
        assert self._process.stdout is not None
        rest = self._process.stdout.read()
        self.acknowledged += [line for line in rest.split("\n") if line]
        self._process.stdout.close()
        assert self._process.wait(30) == -signal.SIGKILL


async def kept(url: str, clock: StandingClock) -> list[str]:
    """The rows that a restart finds, in a sound database."""
    db = database_of(url, clock=clock)
    await db.open()
    rows = await db.read(ids)
    if isinstance(db, SQLiteDatabase):
        assert await db.find_damage() == []
    await db.close()
    return rows


def assert_whole(rows: list[str], acknowledged: list[str], *, crashes: int) -> None:
    assert set(acknowledged) <= set(rows), "acknowledged and lost"
    assert max(Counter(rows).values(), default=1) == 1
    assert len(rows) - len(acknowledged) <= crashes * TASKS, "more in doubt than was under way"


async def test_a_killed_process_loses_nothing_acknowledged(
    sqlite_url: str, clock: StandingClock
) -> None:
    await create_tables(sqlite_url, things.metadata)
    acknowledged = []
    for number in range(ROUNDS):
        writer = Writer(sqlite_url)
        writer.read(40 + 97 * number)
        writer.kill()
        acknowledged += writer.acknowledged
        assert_whole(await kept(sqlite_url, clock), acknowledged, crashes=number + 1)
    assert len(acknowledged) > 1000


@pytest.mark.parametrize("commit", [1, 2, 7])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_killed_at_commit_loses_nothing_acknowledged(
    sqlite_url: str, clock: StandingClock, moment: str, commit: int
) -> None:
    await create_tables(sqlite_url, things.metadata)
    writer = Writer(sqlite_url, "--die", moment, "--commit", str(commit))
    writer.wait()
    assert_whole(await kept(sqlite_url, clock), writer.acknowledged, crashes=1)


async def test_a_server_that_answered_early_would_be_caught(
    sqlite_url: str, clock: StandingClock
) -> None:
    """The control: the same kill, the same comparison, and acknowledgements that were given too soon."""
    await create_tables(sqlite_url, things.metadata)
    writer = Writer(sqlite_url, "--early", "--die", "before", "--commit", "7")
    writer.wait()
    with pytest.raises(AssertionError, match="acknowledged and lost"):
        assert_whole(await kept(sqlite_url, clock), writer.acknowledged, crashes=1)


@pytest.fixture(scope="module")
def durable_cluster() -> Iterator[Cluster]:
    """A server of its own on a disk, with fsync, to be killed."""
    folder = Path(tempfile.mkdtemp(prefix="ik", dir="/tmp"))
    folder.chmod(0o711)
    cluster = Cluster(folder / "pg", binaries=require("postgresql"), durable=True)
    cluster.create()
    cluster.start()
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


async def test_a_killed_server_loses_nothing_acknowledged(
    durable_cluster: Cluster, clock: StandingClock
) -> None:
    url = durable_cluster.url()
    assert not is_sqlite(url)
    migrate_in_thread(url)
    await create_tables(url, things.metadata)
    writer = Writer(url)
    for number in range(3):
        writer.read(100 + 50 * number)
        durable_cluster.kill()
        durable_cluster.start()
    writer.read(200)
    writer.kill()
    assert_whole(await kept(url, clock), writer.acknowledged, crashes=4)


def migrate_in_thread(url: str) -> None:
    import threading

    thread = threading.Thread(target=migrate.upgrade, args=(url,))
    thread.start()
    thread.join()
