"""Driving a transaction body on one connection."""

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

from inkan.kernel.clock import Clock
from inkan.store.database import MOMENT, Step, Wake, abandon_body, begin_body
from inkan.store.plan import Misused
from inkan.store.query import ALL, MANY, ONE, Call
from inkan.store.sqlite.refusals import refusal_of

T = TypeVar("T")


class Runner:
    """Runs bodies on one connection, in whatever thread it is called."""

    def __init__(self, connection: sqlite3.Connection, clock: Clock, *, writes: bool) -> None:
        self.connection = connection
        # The only cursor: its next statement ends the one before, which would hold the log's old state
        self._cursor = connection.cursor()
        self._clock = clock
        self._writes = writes
        self._moment: datetime | None = None
        self.topics: list[str] = []

    def execute(self, statement: str) -> None:
        """Run one of the statements that frame a body."""
        self._cursor.execute(statement)

    def run(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Drive the body to its end and return its value; the caller minds the transaction."""
        self._moment = None
        self.topics = []
        steps = begin_body(body, args, kwargs)
        call, send = self._call, steps.send
        try:
            asked = next(steps)
            while True:
                asked = send(call(asked) if type(asked) is Call else self._answer(asked))
        except StopIteration as end:
            value: T = end.value
            return value
        except sqlite3.Error as error:
            refusal = refusal_of(error)
            abandon_body(steps, refusal)
            raise refusal from error
        except BaseException as error:
            abandon_body(steps, error)
            raise

    def run_and_let_go(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Like :meth:`run`; afterwards no half-read statement keeps the log from being folded in."""
        try:
            return self.run(body, args, kwargs)
        finally:
            self._cursor.close()
            self._cursor = self.connection.cursor()

    def run_in_snapshot(
        self, body: Callable[..., Step[T]], args: Sequence[Any], kwargs: Mapping[str, Any]
    ) -> T:
        """Like :meth:`run`, with every query on one state of the database."""
        self.execute("BEGIN")
        try:
            return self.run(body, args, kwargs)
        finally:
            self.execute("ROLLBACK")

    def _answer(self, asked: object) -> Any:
        if asked is MOMENT:
            return self._now()
        if type(asked) is Wake and self._writes:
            self.topics.append(asked.topic)
            return None
        raise Misused(f"a body may not yield {asked!r} here")

    def _call(self, call: Call) -> Any:
        plan = call.query.plan("sqlite")
        cursor = self._cursor
        if plan.writes and not self._writes:
            raise Misused(f"a read may not run: {plan.sql}")
        if call.mode is MANY:
            cursor.executemany(plan.sql, [plan.bind(row, self._now) for row in call.parameters])
            return None
        cursor.execute(plan.sql, plan.bind(call.parameters, self._now))
        if call.mode is ONE:
            row = cursor.fetchone()
            return None if row is None else plan.row(row)
        if call.mode is ALL:
            return [plan.row(row) for row in cursor.fetchall()]
        return cursor.rowcount

    def _now(self) -> datetime:
        if self._moment is None:
            self._moment = self._clock.now()
        return self._moment
