"""A log, and a way to fill it."""

from collections.abc import Awaitable, Callable

import pytest

from audit.acts import act, new_audit
from audit.tampering import HEADS, KEEP_STATE, KEYS, PENDING, Log, Row, select
from inkan.audit import Audit
from inkan.kernel.ids import EventID
from inkan.store.database import Database, Step

Write = Callable[[int], Awaitable[list[EventID]]]


@pytest.fixture
def audit(database: Database) -> Audit:
    return new_audit(database)


@pytest.fixture
def write(database: Database, audit: Audit) -> Write:
    """Commit so many events, each in its own transaction; return their ids in the order of their indices."""

    async def write(count: int) -> list[EventID]:
        futures = [database.transact(act, audit, number) for number in range(count)]
        return sorted([await future for future in futures])

    return write


@pytest.fixture
async def log(database: Database, audit: Audit, write: Write) -> Log:
    for before, size in zip([0, *HEADS], HEADS, strict=False):
        await write(size - before)
        await audit.sequence_once()
        await audit.sign_head()
    await write(PENDING)

    def read() -> Step[dict[str, list[Row]]]:
        tables = {}
        for table in KEYS:
            tables[table] = [row._asdict() for row in (yield select(table).all())]
        for row in tables["audit_event"]:
            yield KEEP_STATE.run(row=f"row of {row['id']}", event=row["id"], nothing=b"")
        return tables

    return Log(database, await database.transact(read))
