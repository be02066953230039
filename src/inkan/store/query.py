"""Queries: what a transaction body may ask of its database.

A feature builds its queries at import time, in its ``store.py``, and compiles none of them until it is first
asked; from then on a call costs the binding of its parameters.
"""

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from typing import Any, NamedTuple
from weakref import WeakSet

from sqlalchemy import ARRAY, BinaryExpression, Boolean, ColumnElement, Table, Text, bindparam
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import Column
from sqlalchemy.sql import ClauseElement
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.operators import custom_op
from sqlalchemy.types import TypeDecorator, TypeEngine

from inkan.store.plan import (
    DIALECTS,
    DialectName,
    Misused,
    Parameters,
    Plan,
    apply,
    bind_processor,
    returned_columns,
)
from inkan.store.schema import Processor, to_json


class Mode(Enum):
    """What comes back from the database for one call."""

    ONE = "one"
    ALL = "all"
    RUN = "run"
    MANY = "many"


ONE, ALL, RUN, MANY = Mode


class Call(NamedTuple):
    """A query with its parameters; the driver runs it when a transaction body yields it."""

    query: "Query"
    mode: Mode
    parameters: Any


class Query:
    """One statement, compiled for a database when it is first used there.

    Built from a SQLAlchemy statement, or from one per database where the two differ. Its parameters are the
    statement's ``bindparam`` names; ``moment`` (``schema.NOW``) is bound by the driver. The methods only
    describe a call, the ``yield`` runs it: ``row = yield FIND.one(id=person)``.
    """

    __slots__ = ("__weakref__", "_plans", "_returns", "_statements")

    def __init__(self, statement: ClauseElement | Mapping[DialectName, ClauseElement]) -> None:
        self._statements: Mapping[DialectName, ClauseElement] = (
            statement if isinstance(statement, Mapping) else dict.fromkeys(DIALECTS, statement)
        )
        self._returns = all(returned_columns(each) for each in self._statements.values())
        self._plans: dict[DialectName, Plan] = {}
        _KNOWN.add(self)

    def one(self, **parameters: Any) -> Call:
        """Ask for the first row as a namedtuple of the selected columns, or None."""
        if not self._returns:
            raise Misused("the statement returns no rows; ask run()")
        return Call(self, ONE, parameters)

    def all(self, **parameters: Any) -> Call:
        """Ask for every row, as a list of namedtuples."""
        if not self._returns:
            raise Misused("the statement returns no rows; ask run()")
        return Call(self, ALL, parameters)

    def run(self, **parameters: Any) -> Call:
        """Ask for the number of rows changed: the answer of a compare-and-set."""
        if self._returns:
            raise Misused("the statement returns rows; ask one() or all()")
        return Call(self, RUN, parameters)

    def many(self, rows: Iterable[Parameters]) -> Call:
        """Run the statement once for each row of parameters; the answer is None."""
        if self._returns:
            raise Misused("the statement returns rows; ask one() or all()")
        return Call(self, MANY, rows)

    def plan(self, dialect: DialectName) -> Plan:
        """Return the compiled form, compiling at the first use (about a millisecond)."""
        try:
            return self._plans[dialect]
        except KeyError:
            plan = self._plans[dialect] = Plan(self._statements[dialect], DIALECTS[dialect])
            return plan


_KNOWN: WeakSet[Query] = WeakSet()


def known_queries() -> Sequence[Query]:
    """Every query built by the modules imported so far; a test compiles them all for both databases."""
    return tuple(_KNOWN)


def insert_row(table: Table) -> Query:
    """A query that inserts one row; a parameter for every column but those that the database fills itself."""
    return Query(table.insert().values(_parameters(table)))


def insert_new(table: Table) -> Query:
    """Like :func:`insert_row`, but ``run()`` answers 0 when a row already holds one of the unique keys.

    The way to take a slot, a nonce or an idempotency key: no exception, the same on both databases.
    """
    given = _parameters(table)
    return Query(
        {
            "sqlite": sqlite.insert(table).values(given).on_conflict_do_nothing(),
            "postgresql": postgresql.insert(table).values(given).on_conflict_do_nothing(),
        }
    )


def upsert(
    table: Table,
    *,
    key: Sequence[str],
    take: Sequence[str] = (),
    change: Mapping[str, Any] | None = None,
    where: ColumnElement[bool] | None = None,
) -> Query:
    """A query that inserts one row or, where ``key`` is taken, changes the row that holds it.

    Args:
        table: the table.
        key: the columns of the unique key.
        take: columns that take the new row's values.
        change: expressions for other columns (``{"tries": table.c.tries + 1}``).
        where: what must hold of the present row for it to be changed; else ``run()`` answers 0.
    """
    given = _parameters(table)

    def changing(insert: Any) -> Any:
        changes = {name: insert.excluded[name] for name in take} | dict(change or {})
        return insert.on_conflict_do_update(index_elements=list(key), set_=changes, where=where)

    return Query(
        {
            "sqlite": changing(sqlite.insert(table).values(given)),
            "postgresql": changing(postgresql.insert(table).values(given)),
        }
    )


class one_of(BinaryExpression[bool]):  # noqa: N801 - reads as a function in a WHERE clause
    """The condition that a text or integer column is in the list parameter ``name``, of any length.

    ``select(...).where(one_of(table.c.kind, "kinds"))`` is compiled once, unlike ``column.in_(...)``.
    """

    inherit_cache = False

    def __init__(self, column: Column[Any], name: str) -> None:
        listing = bindparam(name, type_=_Listing(column.type), required=True)
        super().__init__(column, listing, custom_op("ONE OF"), type_=Boolean())


@compiles(one_of)
def _compile_one_of(element: one_of, compiler: SQLCompiler, **kw: Any) -> str:
    column, listing = compiler.process(element.left, **kw), compiler.process(element.right, **kw)
    if compiler.dialect.name == "postgresql":
        return f"{column} = ANY ({listing})"
    return f"{column} IN (SELECT value FROM json_each({listing}))"  # noqa: S608 - compiled parts only


class _Listing(TypeDecorator[Any]):
    """A list parameter: a native array on PostgreSQL, a JSON text for ``json_each`` on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, member: TypeEngine[Any]) -> None:
        super().__init__()
        self.member = member

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return ARRAY(self.member) if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Processor:
        each = bind_processor(self.member, dialect)
        finish: Processor = list if dialect.name == "postgresql" else to_json
        return lambda values: finish([apply(each, value) for value in values])


def _parameters(table: Table) -> dict[str, Any]:
    automatic = table.autoincrement_column
    return {
        column.name: bindparam(column.name, type_=column.type, required=True)
        for column in table.columns
        if column is not automatic and column.server_default is None
    }
