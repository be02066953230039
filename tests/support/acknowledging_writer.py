"""A process that writes rows and prints the id of each when it was acknowledged, until it is killed.

    python acknowledging_writer.py URL [--early] [--die {before,after} --commit N]

It may kill itself immediately before or after its N-th COMMIT, and (as a control) print early, from inside
the transaction, as a server would that answers before COMMIT.
"""

import argparse
import asyncio
import os
import signal
import sqlite3
from contextlib import suppress
from typing import Any

from inkan.kernel.clock import Clock
from inkan.kernel.errors import Unavailable
from inkan.store.connect import database, is_sqlite, sqlite_path
from inkan.store.database import Database, Step
from inkan.store.sqlite import SQLiteDatabase
from support import things

TASKS = 16


def acknowledge(name: str) -> None:
    os.write(1, f"{name}\n".encode())


def put(name: str, *, early: bool) -> Step[None]:
    yield things.ADD.run(id=name, state="new", count=0)
    if early:
        acknowledge(name)


async def write(db: Database, task: int, *, early: bool) -> None:
    number = 0
    while True:
        number += 1
        name = f"{os.getpid()}-{task}-{number}"
        with suppress(Unavailable):
            await db.transact(put, name, early=early)
            if not early:
                acknowledge(name)


class Mortal(sqlite3.Connection):
    """Kills the process at a COMMIT."""

    when: str
    left: int

    def cursor(self) -> Any:  # type: ignore[override]
        return super().cursor(MortalCursor)


class MortalCursor(sqlite3.Cursor):
    def execute(self, sql: str, *arguments: Any) -> Any:
        if sql != "COMMIT":
            return super().execute(sql, *arguments)
        Mortal.left -= 1
        if Mortal.left == 0 and Mortal.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        result = super().execute(sql, *arguments)
        if Mortal.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return result


def connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
    return sqlite3.connect(*args, factory=Mortal, **kwargs)


async def main(options: argparse.Namespace) -> None:
    Mortal.when, Mortal.left = options.die, options.commit
    db = database(options.url, clock=Clock())
    if is_sqlite(options.url):
        db = SQLiteDatabase(sqlite_path(options.url), clock=Clock(), connect=connect)
    await db.open()
    await asyncio.gather(*(write(db, task, early=options.early) for task in range(TASKS)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--early", action="store_true")
    parser.add_argument("--die", choices=["before", "after"], default="before")
    parser.add_argument("--commit", type=int, default=0)
    asyncio.run(main(parser.parse_args()))
