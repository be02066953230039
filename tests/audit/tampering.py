"""Changes to single rows, around the queries of the log and its column types, and what a verification says of them.

Each change is made and verified in one transaction that is then rolled back, so that one log serves thousands of
them.
"""

import shutil
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa

from audit.acts import MAC_KEY, new_audit
from inkan.audit import Audit, Report, store
from inkan.audit.rules import TILE_WIDTH
from inkan.audit.service.events import Macs
from inkan.audit.service.verification import Outside, Verification
from inkan.store.connect import database as database_of
from inkan.store.database import Database, RowExists, Step
from inkan.store.query import Query
from support.clock import StandingClock
from support.keyring import ec_key

Row = dict[str, Any]

EVENTS = TILE_WIDTH + 8
HEADS = [10, TILE_WIDTH + 1, EVENTS]
PENDING = 2
KEYS = {
    "audit_event": ("id",),
    "audit_tile": ("level", "number"),
    "audit_head": ("number",),
    "audit_tip": ("name",),
}
STATE = Query(
    sa.text("SELECT id, error FROM store_dead").columns(sa.column("id"), sa.column("error"))
)
KEEP_STATE = Query(
    sa.text(
        "INSERT INTO store_dead (id, kind, payload, tries, error, enqueued_at, died_at)"
        " VALUES (:row, 'state', :nothing, 0, :event, 0, 0)"
    )
)
LOSE_STATE = Query(sa.text("UPDATE store_dead SET error = 'ev_nothing' WHERE id = :row"))


class Undone(Exception):
    """Carries a report out of a transaction that leaves nothing behind."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


class Change(NamedTuple):
    """One way to tamper with one row."""

    what: str
    statements: Sequence[tuple[Query, Mapping[str, Any]]]


@cache
def update(table: str, column: str) -> Query:
    keys = " AND ".join(f"{key} = :key_{key}" for key in KEYS[table])
    return Query(sa.text(f"UPDATE {table} SET {column} = :value WHERE {keys}"))


@cache
def delete(table: str) -> Query:
    keys = " AND ".join(f"{key} = :key_{key}" for key in KEYS[table])
    return Query(sa.text(f"DELETE FROM {table} WHERE {keys}"))


@cache
def insert(table: str) -> Query:
    columns = [column.name for column in store.metadata.tables[table].c]
    values = ", ".join(f":{column}" for column in columns)
    return Query(sa.text(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({values})"))


@cache
def select(table: str) -> Query:
    columns = [sa.column(column.name) for column in store.metadata.tables[table].c]
    names = ", ".join(column.name for column in columns)
    return Query(sa.text(f"SELECT {names} FROM {table}").columns(*columns))


def key_of(table: str, row: Row) -> Row:
    return {f"key_{key}": row[key] for key in KEYS[table]}


def set_column(table: str, row: Row, column: str, value: object) -> Change:
    what = f"{table} {key_of(table, row)}: {column} = {value!r}"
    return Change(what, [(update(table, column), key_of(table, row) | {"value": value})])


def remove(table: str, row: Row) -> Change:
    return Change(f"{table} {key_of(table, row)} deleted", [(delete(table), key_of(table, row))])


def add(table: str, row: Row) -> Change:
    return Change(f"{table} {key_of(table, row)} inserted", [(insert(table), row)])


def other_values(table: str, row: Row, column: str, *, untyped: bool) -> Iterator[object]:
    """What somebody could put into this column instead."""
    value = row[column]
    kind = store.metadata.tables[table].c[column].type
    if isinstance(kind, sa.LargeBinary):
        if value:
            yield bytes([value[0] ^ 1]) + value[1:]
            yield value[:-1] + bytes([value[-1] ^ 128])
        yield b""
        yield bytes(32)
    elif isinstance(kind, sa.String):
        yield f"{value}x"
        yield ""
    else:
        yield from (
            (0, 10**6) if value is None else (value + 1, value - 1, value + 10**6, -value - 1)
        )
    if store.metadata.tables[table].c[column].nullable:
        yield None
    if untyped:
        yield b"\x00" if isinstance(kind, sa.String) else "text"
        if column not in {"position", "number"}:  # there it is a place between two others
            yield 3.5


def columns_changed(table: str, row: Row, *, untyped: bool) -> Iterator[Change]:
    for column in row:
        for value in other_values(table, row, column, untyped=untyped):
            if value != row[column]:
                yield set_column(table, row, column, value)


@asynccontextmanager
async def another_log(
    template: Path, folder: Path, clock: StandingClock
) -> AsyncIterator[tuple[Database, Audit]]:
    """A log in a database of its own, written with the same keys."""
    url = f"sqlite:///{shutil.copy(template, folder / 'other.db')}"
    database = database_of(url, clock=clock)
    await database.open()
    yield database, new_audit(database)
    await database.close()


class Log:
    """A log of forty events under three heads, with two events that have no index yet."""

    def __init__(self, database: Database, tables: Mapping[str, list[Row]]) -> None:
        self.database = database
        self.tables = tables
        events = [row for row in tables["audit_event"] if row["position"] is not None]
        self.events = sorted(events, key=lambda row: row["position"])
        self.pending = [row for row in tables["audit_event"] if row["position"] is None]
        self.heads = sorted(tables["audit_head"], key=lambda row: row["number"])
        self.tiles = sorted(tables["audit_tile"], key=lambda row: (row["level"], row["number"]))
        self.tip = tables["audit_tip"][0]
        self.untyped = database.dialect == "sqlite"

    async def verify(self, change: Change | None = None) -> Report | None:
        """The report after the change, None where the database itself refuses it."""

        def body() -> Step[None]:
            for query, values in change.statements if change else ():
                yield query.run(**values)
            outside = Outside(Macs(MAC_KEY), ec_key().public_key(), None)
            verification = Verification(outside, lambda *_: None)
            raise Undone((yield from verification.run([("tests", STATE)])))

        try:
            await self.database.transact(body)
        except Undone as undone:
            return undone.report
        except RowExists:
            return None
        raise AssertionError

    async def expect(self, changes: Iterable[Change], broken_at: int | None) -> int:
        """Verify after each change; return how many the database let through."""
        count = 0
        for change in changes:
            report = await self.verify(change)
            if report is not None:
                count += 1
                assert not report.is_intact, change.what
                assert report.broken_at == broken_at, (change.what, report.findings)
        return count
