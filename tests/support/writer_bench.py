"""A SQLite database whose writer a test can hold, observe and make to fail."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from inkan.store.connect import sqlite_path
from inkan.store.database import Step
from inkan.store.sqlite import SQLiteDatabase
from support.clock import StandingClock
from support.things import add, add_and_refuse

Plant = Callable[[str], None]


class Planted(sqlite3.Connection):
    """A connection that keeps what the writer executed, and fails where the test plants it."""

    bench: "Bench"

    def cursor(self) -> Any:  # type: ignore[override]
        return super().cursor(PlantedCursor)


class PlantedCursor(sqlite3.Cursor):
    def execute(self, sql: str, *arguments: Any) -> Any:
        connection = self.connection
        assert isinstance(connection, Planted)
        connection.bench.executed.append(sql)
        connection.bench.plant(sql)
        return super().execute(sql, *arguments)


class Bench:
    """An open database whose writer can be held, observed and made to fail."""

    def __init__(self, path: Path, clock: StandingClock) -> None:
        self.executed: list[str] = []
        self.plant: Plant = lambda _: None
        self.db = SQLiteDatabase(
            path, clock=clock, patience=timedelta(milliseconds=50), connect=self._connect
        )

    def _connect(self, *args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection: Planted = sqlite3.connect(*args, factory=Planted, **kwargs)
        connection.bench = self
        return connection

    async def together(self, *bodies: Callable[[], Step[Any]]) -> list[Any]:
        """Run the bodies in one drain, and return what each ended with."""
        busy, go = threading.Event(), threading.Event()

        def hold() -> Step[None]:
            busy.set()
            assert go.wait(10)
            return
            yield

        held = self.db.transact(hold)
        await asyncio.to_thread(busy.wait, 10)
        futures = [self.db.transact(body) for body in bodies]
        self.executed.clear()
        go.set()
        await held
        results = await asyncio.gather(*futures, return_exceptions=True)
        # The drain of the holder ends with its COMMIT
        del self.executed[: self.executed.index("COMMIT") + 1]
        return results

    @property
    def commits(self) -> int:
        return self.executed.count("COMMIT")


def adding(name: str) -> Callable[[], Step[None]]:
    return lambda: add(name)


def refusing(name: str) -> Callable[[], Step[None]]:
    return lambda: add_and_refuse(name)


def error(code: int) -> sqlite3.OperationalError:
    failure = sqlite3.OperationalError("planted")
    failure.sqlite_errorcode = code
    return failure


def failing(statement: str, code: int, *, times: int = 1) -> Plant:
    """Fail at the first ``times`` executions of a statement."""
    left = [times]

    def plant(sql: str) -> None:
        if sql == statement and left[0]:
            left[0] -= 1
            raise error(code)

    return plant


def skip_first(statement: str, plant: Plant) -> Plant:
    seen = [0]

    def later(sql: str) -> None:
        seen[0] += sql == statement
        if seen[0] > 1:
            plant(sql)

    return later


def outside(url: str) -> sqlite3.Connection:
    """A connection of another process, as far as SQLite can tell."""
    return sqlite3.connect(sqlite_path(url), isolation_level=None, check_same_thread=False)
