"""Whether an identification costs more when the country is larger: 100,000 persons beside 1,000.

Two instances on SQLite (synchronous=FULL), each with the same three citizens who identify themselves, and with
neighbours: rows of persons, slots, phones (one each) and certificates (three each) that are copies of the citizens'
but for every column of a key, which is random. The neighbours are never asked, they only make every table and index
as large. Rounds on both instances alternate; the figure is the ratio of the medians of server CPU.
"""

import asyncio
import os
import sqlite3
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

from rig import Rig, found_rig, lines

from identification import CONNECTIONS, identify_all

PORT = 8640
FEW = 1_000
MANY = int(os.environ.get("BENCH_PERSONS", "100000"))
ROUNDS = 5
IDENTIFICATIONS = 320
# Rows of each table that belong to one person.
TABLES = {
    "people_person": 1,
    "enrolment_slot": 1,
    "enrolment_phone": 1,
    "pki_certificate": 3,
    "pki_public_key": 3,
}
# Columns that point at rows of other tables: random as well, so that their indexes grow alike.
POINTERS = {"person", "owner", "phone", "parent_serial", "event_id"}

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """The ratio, and both costs."""
    with ExitStack() as stack:
        few, many = (
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")) for _ in range(2)
        )
        rigs = {
            FEW: asyncio.run(found_rig(Path(few), port=PORT)),
            MANY: asyncio.run(found_rig(Path(many), port=PORT + 1)),
        }
        for persons, rig in rigs.items():
            add_neighbours(rig, persons)
            stack.enter_context(rig.serving())
        costs = asyncio.run(_alternate(rigs))
    small, large = (statistics.median(costs[persons]) * 1e6 for persons in (FEW, MANY))
    yield f"identification with {FEW:,} persons", "µs CPU", small, None, f"median of {ROUNDS}"
    yield f"identification with {MANY:,} persons", "µs CPU", large, None, f"median of {ROUNDS}"
    yield "cost with many persons ÷ with few", "×", large / small, "<= 1.2", "rounds alternate"


def add_neighbours(rig: Rig, persons: int) -> None:
    """Fill the database at rest."""
    with closing(sqlite3.connect(rig.folder / "inkan.db")) as database:
        for table, each in TABLES.items():
            _copy(database, table, persons * each)
        database.execute("ANALYZE")
        database.commit()


def _copy(database: sqlite3.Connection, table: str, rows: int) -> None:
    described = database.execute(f"PRAGMA table_info({table})").fetchall()
    fresh = _unique_columns(database, table) | POINTERS
    kinds = {name: kind for _, name, kind, *_ in described}
    columns = [_random(kinds[name]) if name in fresh else f"model.{name}" for name in kinds]
    database.execute(
        "WITH RECURSIVE count(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM count WHERE n < ?) "
        f"INSERT INTO {table} SELECT {', '.join(columns)} "
        f"FROM count, (SELECT * FROM {table} LIMIT 1) AS model",
        (rows,),
    )


def _unique_columns(database: sqlite3.Connection, table: str) -> set[str]:
    unique = [row[1] for row in database.execute(f"PRAGMA index_list({table})") if row[2]]
    found = {row[2] for index in unique for row in database.execute(f"PRAGMA index_info({index})")}
    # Of a pair such as (authority, serial) one random column is enough, and names stay names.
    return found - {"authority", "scheme", "slot"}


def _random(kind: str) -> str:
    return "randomblob(32)" if kind == "BLOB" else "lower(hex(randomblob(13)))"


async def _alternate(rigs: dict[int, Rig]) -> dict[int, list[float]]:
    costs: dict[int, list[float]] = {persons: [] for persons in rigs}
    for number in range(ROUNDS + 1):
        for persons, rig in rigs.items():
            async with lines(rig, CONNECTIONS) as open_lines:
                await rig.log_in(open_lines[0])
                before = rig.cpu_s()
                await identify_all(rig, open_lines, IDENTIFICATIONS)
                if number:  # the first round warms up
                    costs[persons].append((rig.cpu_s() - before) / IDENTIFICATIONS)
    return costs
