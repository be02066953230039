"""The platform's tables and the column types that read the same on both databases.

Every feature declares its tables in its ``store.py`` against ``metadata``, named ``<feature>_<noun>``. Dates
are integers of microseconds, so that SQLite (which has no date type) and PostgreSQL compare, index and round
them alike; JSON is text, because nothing inside it is ever queried.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import BigInteger, Integer, MetaData, String, Text, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.operators import OperatorType
from sqlalchemy.types import TypeDecorator, TypeEngine

from inkan.kernel.clock import MICROSECOND, from_microseconds, to_microseconds

Processor = Callable[[Any], Any]
Member = TypeVar("Member", bound=StrEnum)

NAMING = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
"""Names of constraints and indexes; an app gives the same to its own ``MetaData``."""

metadata = MetaData(naming_convention=NAMING)

Serial = BigInteger().with_variant(Integer, "sqlite")
"""An integer key that the database counts up itself (64 bits on both databases)."""


class Moment(TypeDecorator[datetime]):
    """An instant: an aware datetime here, microseconds since 1970 (BIGINT) in the database."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        """Turn an aware datetime into microseconds."""
        return _moment_to_int

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Turn microseconds into an aware UTC datetime."""
        return _int_to_moment

    def coerce_compared_value(self, op: OperatorType | None, value: Any) -> TypeEngine[Any]:
        """A timedelta beside a moment is a span: ``NOW + timedelta(seconds=60)``."""
        return Span() if isinstance(value, timedelta) else self


class Span(TypeDecorator[timedelta]):
    """A length of time: a timedelta here, microseconds (BIGINT) in the database."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        """Turn a timedelta into microseconds."""
        return _span_to_int

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Turn microseconds into a timedelta."""
        return _int_to_span


class JSONText(TypeDecorator[Any]):
    """A JSON value, or a Struct that becomes one, kept as text; read back as plain Python values."""

    impl = Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        """Serialise with msgspec."""
        return to_json

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Parse with msgspec."""
        return from_json


class Choice(TypeDecorator[Member], Generic[Member]):
    """A member of one enumeration, kept as its value; anything else is refused on both ways."""

    impl = String
    cache_ok = True

    def __init__(self, members: type[Member]) -> None:
        super().__init__()
        self.members = members

    def bind_processor(self, dialect: Dialect) -> Processor:
        """Accept a member or its exact value."""
        members = self.members
        return lambda value: None if value is None else members(value).value

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        """Return the member."""
        known = {member.value: member for member in self.members}
        return lambda value: None if value is None else known[value]


NOW: BindParameter[datetime] = bindparam("moment", type_=Moment())
"""The moment of the transaction: the database's time plus the instance's offset, bound by the driver."""


def _moment_to_int(value: datetime | None) -> int | None:
    return None if value is None else to_microseconds(value)


def _int_to_moment(value: int | None) -> datetime | None:
    return None if value is None else from_microseconds(value)


def _span_to_int(value: timedelta | None) -> int | None:
    return None if value is None else value // MICROSECOND


def _int_to_span(value: int | None) -> timedelta | None:
    return None if value is None else value * MICROSECOND


def to_json(value: Any) -> str | None:
    """JSON text of a value that msgspec can serialise; None stays None."""
    return None if value is None else msgspec.json.encode(value).decode()


def from_json(value: str | None) -> Any:
    """The plain value of JSON text; None stays None."""
    return None if value is None else msgspec.json.decode(value)
