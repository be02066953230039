"""From an empty database to the schema that the program knows, on both databases."""

import importlib
import pkgutil
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import (
    BigInteger,
    Boolean,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    Uuid,
    create_engine,
)

import inkan
from inkan.store import migrate
from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.database import StoreDamaged, StoreUnreachable
from inkan.store.migrate import SchemaOutdated, SchemaUnknown
from inkan.store.schema import Choice, JSONText, Moment, Span, metadata
from support.postgres import Databases

REVISION = '''
"""{docstring}"""

import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {before!r}


def upgrade() -> None:
    {upgrade}


def downgrade() -> None:
    pass
'''


def features() -> MetaData:
    """The tables of all features: every store room is imported."""
    for package in pkgutil.iter_modules(inkan.__path__, "inkan."):
        if (
            Path(package.module_finder.path) / package.name.removeprefix("inkan.") / "store.py"
        ).exists():  # type: ignore[union-attr]
            importlib.import_module(f"{package.name}.store")
    for name in ("outbox", "schedules"):
        importlib.import_module(f"inkan.store.{name}")
    return metadata


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/empty.db"
    else:
        databases: Databases = request.getfixturevalue("postgresql_databases")
        name = databases.create(template="template0")
        yield databases.cluster.url(name)
        databases.drop(name)


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """A history of two revisions, to be extended by a test."""
    folder = tmp_path / "history"
    (folder / "versions").mkdir(parents=True)
    add_revision(folder, "0001_a", None, 'op.create_table("a", sa.Column("id", sa.Integer))')
    add_revision(folder, "0002_b", "0001_a", 'op.create_table("b", sa.Column("id", sa.Integer))')
    return folder


def add_revision(folder: Path, name: str, before: str | None, upgrade: str) -> None:
    text = REVISION.format(docstring=name, name=name, before=before, upgrade=upgrade)
    (folder / "versions" / f"{name}.py").write_text(text)


# --- the platform's history -------------------------------------------------------------------------


def test_the_history_makes_the_tables_that_the_features_declare(
    database_url: str,
) -> None:
    if is_sqlite(database_url):
        engine = create_engine(f"sqlite:///{sqlite_path(database_url)}")
        with engine.connect() as connection:
            differences = compare(connection)
        engine.dispose()
    else:
        differences = _run(_compare_on_server(database_url))
    assert differences == []


def compare(connection: Any) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return compare_metadata(context, features())


async def _compare_on_server(url: str) -> list[Any]:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url.replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        differences: list[Any] = await connection.run_sync(compare)
    await engine.dispose()
    return differences


def _run(coroutine: Any) -> Any:
    import asyncio

    return asyncio.run(coroutine)


def test_every_column_has_a_type_that_both_databases_read_alike() -> None:
    known = (
        String,
        Text,
        Integer,
        BigInteger,
        Boolean,
        LargeBinary,
        Uuid,
        Moment,
        Span,
        JSONText,
        Choice,
    )
    others = [
        f"{table}.{column.name}: {column.type!r}"
        for table in features().tables.values()
        for column in table.columns
        if type(column.type) not in known
    ]
    assert others == []


def test_every_query_of_the_features_compiles_for_both() -> None:
    from inkan.store.query import known_queries

    features()
    assert known_queries()
    for query in known_queries():
        assert query.plan("sqlite").sql
        assert query.plan("postgresql").sql


def test_the_chain_is_numbered_without_a_gap() -> None:
    files = sorted(path.stem for path in (migrate.PLATFORM / "versions").glob("*.py"))
    assert [name[:5] for name in files] == [f"{n:04}_" for n in range(1, len(files) + 1)]
    assert migrate.head() == files[-1]
    assert all(len(name) <= 32 for name in files), "the width of Alembic's column"


# --- upgrading --------------------------------------------------------------------------------------


def test_an_empty_database_is_upgraded_once(empty_url: str) -> None:
    assert migrate.current(empty_url) is None
    with pytest.raises(SchemaOutdated):
        migrate.check(empty_url)
    migrate.upgrade(empty_url)
    assert migrate.current(empty_url) == migrate.head()
    migrate.check(empty_url)
    migrate.upgrade(empty_url)
    if is_sqlite(empty_url):
        assert stat.S_IMODE(sqlite_path(empty_url).stat().st_mode) == 0o600


def test_a_database_is_upgraded_step_by_step(empty_url: str, history: Path) -> None:
    migrate.upgrade(empty_url, to="0001_a", folder=history)
    assert migrate.current(empty_url) == "0001_a"
    with pytest.raises(SchemaOutdated, match=r"0001_a.*0002_b"):
        migrate.check(empty_url, folder=history)
    migrate.upgrade(empty_url, folder=history)
    migrate.check(empty_url, folder=history)


def test_an_upgrade_that_fails_leaves_nothing(empty_url: str, history: Path) -> None:
    fails = 'op.create_table("c", sa.Column("id", sa.Integer)); op.execute("SELECT * FROM nowhere")'
    migrate.upgrade(empty_url, to="0001_a", folder=history)
    add_revision(history, "0003_c", "0002_b", fails)
    with pytest.raises(Exception, match="nowhere"):
        migrate.upgrade(empty_url, folder=history)
    assert migrate.current(empty_url) == "0001_a"
    add_revision(history, "0003_c", "0002_b", 'op.create_table("c", sa.Column("id", sa.Integer))')
    migrate.upgrade(empty_url, folder=history)
    assert migrate.current(empty_url) == "0003_c"


def test_an_upgrade_that_orphans_rows_is_refused(tmp_path: Path, history: Path) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    orphans = (
        'op.execute("CREATE TABLE p (id INTEGER PRIMARY KEY)");'
        ' op.execute("CREATE TABLE q (p INTEGER REFERENCES p (id))");'
        ' op.execute("INSERT INTO q VALUES (7)")'
    )
    migrate.upgrade(url, folder=history)
    add_revision(history, "0003_c", "0002_b", orphans)
    with pytest.raises(StoreDamaged, match="1 rows"):
        migrate.upgrade(url, folder=history)
    assert migrate.current(url) == "0002_b"


def test_an_older_program_touches_nothing(empty_url: str, history: Path, tmp_path: Path) -> None:
    older = tmp_path / "older"
    shutil.copytree(history, older)
    (older / "versions" / "0002_b.py").unlink()
    migrate.upgrade(empty_url, folder=history)
    with pytest.raises(SchemaUnknown):
        migrate.check(empty_url, folder=older)
    with pytest.raises(SchemaUnknown):
        migrate.upgrade(empty_url, folder=older)
    assert migrate.current(empty_url) == "0002_b"


@pytest.mark.race
def test_processes_that_start_together_upgrade_once(empty_url: str) -> None:
    failures = []

    def upgrade() -> None:
        try:
            migrate.upgrade(empty_url)
        except Exception as error:  # noqa: BLE001 - any failure is the test's
            failures.append(error)

    migrate.upgrade(f"{empty_url}.other" if is_sqlite(empty_url) else empty_url, to="0001_store")
    threads = [threading.Thread(target=upgrade) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    migrate.check(empty_url)


def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_text("text" * 1000)
    with pytest.raises(StoreDamaged):
        migrate.current(f"sqlite:///{path}")
    with pytest.raises(StoreUnreachable):
        migrate.current(f"postgresql://inkan@/x?host={tmp_path}")


def test_a_file_in_use_can_be_asked(sqlite_url: str) -> None:
    with closing(sqlite3.connect(sqlite_path(sqlite_url), isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert migrate.current(sqlite_url) == migrate.head()


def test_asking_needs_no_alembic(sqlite_url: str) -> None:
    program = (
        "import sys; from inkan.store import migrate;"
        f" migrate.check({sqlite_url!r}); sys.exit('alembic' in sys.modules or 'asyncpg' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
