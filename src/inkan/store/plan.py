"""A statement compiled for one database: its text, how to bind its parameters, how to read its rows.

SQLAlchemy is the language in which tables and statements are written; at run time nothing of it is left but
what stands here. Executing through SQLAlchemy's own engine costs about 390 µs of CPU a request, this a few.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any, Final, Literal, TypeAlias, cast

from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.dialects.sqlite.pysqlite import dialect as pysqlite_dialect
from sqlalchemy.engine import Dialect
from sqlalchemy.sql import ClauseElement, Select, visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.dml import Insert, UpdateBase
from sqlalchemy.types import TypeEngine

from inkan.store.schema import Processor

DialectName = Literal["sqlite", "postgresql"]
Parameters: TypeAlias = Mapping[str, Any]
Row: TypeAlias = Any
"""A namedtuple of the selected columns."""

DIALECTS: Final[Mapping[DialectName, Dialect]] = {
    "sqlite": pysqlite_dialect(paramstyle="qmark"),
    "postgresql": asyncpg_dialect(),  # type: ignore[no-untyped-call]
}


class Misused(TypeError):
    """A query or a body is used outside its contract: a mistake of the program, never of its input."""


class Plan:
    """One statement for one driver.

    Attributes:
        sql: the text with the driver's own placeholders.
        writes: whether it changes or locks rows, so that a read refuses it.
    """

    __slots__ = (
        "_constants",
        "_given",
        "_processed",
        "_row",
        "_row_processors",
        "_take",
        "_wants_moment",
        "sql",
        "writes",
    )

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = cast("SQLCompiler", _as_asked(statement).compile(dialect=dialect))
        binds = compiled.binds
        unbound = {name for name, bind in binds.items() if bind.required or name == "moment"}
        expanded = compiled.construct_expanded_state(dict.fromkeys(unbound))
        names = list(expanded.positiontup or ())
        processors = {
            name: bind_processor(binds[name].type, dialect) for name in names if name in binds
        } | dict(expanded.processors)
        self.sql = expanded.statement
        self.writes = _writes(statement)
        self._constants = {
            name: apply(processors.get(name), expanded.parameters[name])
            for name in dict.fromkeys(names)
            if name not in unbound
        }
        self._take = _taker(names)
        self._processed = [
            (place, process)
            for place, name in enumerate(names)
            if name in unbound and (process := processors.get(name)) is not None
        ]
        self._given = len(unbound.intersection(names) - {"moment"})
        self._wants_moment = "moment" in names
        self._row, self._row_processors = _row_maker(returned_columns(statement), dialect)

    def bind(self, parameters: Parameters, now: Callable[[], datetime]) -> list[Any]:
        """Return the driver's arguments in their order; ``now`` answers for ``moment``.

        Raises:
            Misused: a parameter is missing or unknown.
        """
        if len(parameters) != self._given:
            raise Misused(f"{sorted(parameters)} are not the parameters of: {self.sql}")
        if self._constants or self._wants_moment:
            parameters = {**parameters, **self._constants}
            if self._wants_moment:
                parameters["moment"] = now()
        try:
            values = self._take(parameters)
        except KeyError as missing:
            raise Misused(f"parameter {missing} is missing for: {self.sql}") from None
        for place, process in self._processed:
            values[place] = process(values[place])
        return values

    def row(self, values: Iterable[Any]) -> Row:
        """Return the namedtuple of one row of the driver, its values processed."""
        if self._row_processors:
            values = list(values)
            for index, process in self._row_processors:
                # NULL is None in every type; most columns of a row are NULL until its end.
                if values[index] is not None:
                    values[index] = process(values[index])
        return self._row(values)


def _taker(names: Sequence[str]) -> Callable[[Parameters], list[Any]]:
    """Return what takes the values of these names out of a mapping, in their order."""
    if len(names) > 1:
        take = itemgetter(*names)
        return lambda parameters: list(take(parameters))
    if names:
        [only] = names
        return lambda parameters: [parameters[only]]
    return lambda _: []


def returned_columns(statement: ClauseElement) -> list[tuple[str, TypeEngine[Any]]]:
    """Name and type of each column that the statement selects or returns."""
    exported = getattr(statement, "exported_columns", None)
    return [(key, column.type) for key, column in exported.items()] if exported is not None else []


def bind_processor(kind: TypeEngine[Any], dialect: Dialect) -> Processor | None:
    """What turns a value of this type into the driver's, or None where it passes as it is."""
    return kind.dialect_impl(dialect).bind_processor(dialect)


def apply(process: Processor | None, value: Any) -> Any:
    """Return the processed value."""
    return value if process is None else process(value)


def _as_asked(statement: ClauseElement) -> ClauseElement:
    """Keep SQLAlchemy from adding RETURNING for a key that nobody asked for."""
    if isinstance(statement, Insert) and not returned_columns(statement):
        return statement.inline()
    return statement


def _writes(statement: ClauseElement) -> bool:
    return any(
        isinstance(part, UpdateBase)
        or (isinstance(part, Select) and part._for_update_arg is not None)  # noqa: SLF001 - no public way
        for part in visitors.iterate(statement)
    )


def _row_maker(
    columns: Sequence[tuple[str, TypeEngine[Any]]], dialect: Dialect
) -> tuple[Callable[[Iterable[Any]], Row], list[tuple[int, Processor]]]:
    """Return how to make a row, and which of its values to process first."""
    # tuple.__new__ is what namedtuple's _make does, without a Python frame for every row
    row = partial(tuple.__new__, namedtuple("Row", [name for name, _ in columns]))  # noqa: PYI024
    processors: list[tuple[int, Processor]] = [
        (index, process)
        for index, (_, kind) in enumerate(columns)
        if (process := kind.dialect_impl(dialect).result_processor(dialect, None)) is not None
    ]
    return row, processors
