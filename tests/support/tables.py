"""Tables that belong to tests only, made in a database of either kind."""

import asyncio
import sqlite3
import threading
from contextlib import closing

from sqlalchemy import MetaData
from sqlalchemy.schema import CreateIndex, CreateTable

from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.plan import DIALECTS, DialectName


def ddl(metadata: MetaData, dialect: DialectName) -> str:
    """The statements that make the tables."""
    made = [CreateTable(table) for table in metadata.sorted_tables]
    made += [CreateIndex(index) for table in metadata.sorted_tables for index in table.indexes]
    return ";".join(str(each.compile(dialect=DIALECTS[dialect])) for each in made)


async def create_tables(url: str, metadata: MetaData) -> None:
    """Make the tables; the database may be open."""
    if is_sqlite(url):
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            connection.executescript(ddl(metadata, "sqlite"))
    else:
        await execute(url, ddl(metadata, "postgresql"))


async def execute(url: str, statement: str) -> None:
    """Run a statement on a PostgreSQL connection of its own."""
    import asyncpg

    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def terminate(url: str) -> None:
    """End all other connections to the database, from outside of the event loop."""
    statement = """
        SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()
    """
    thread = threading.Thread(target=lambda: asyncio.run(execute(url, statement)))
    thread.start()
    thread.join()
