"""Looks for a planted text in everything that an instance keeps: rows, what was sealed into them, log, audit, files."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import sqlalchemy as sa

from inkan.kernel.clock import Clock
from inkan.store import sealing
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.store.schema import metadata
from inkan.web import log

NUMBER = "123456789018"
FORMS = (NUMBER, f"x {NUMBER} y", "１２３４５６７８９０１８", "1234 5678 9018")
"""A valid number, bare, within a text, in full-width digits, and in groups as it is printed."""


class Findings:
    """What the log and the sealer were given while the sweep ran."""

    def __init__(self) -> None:
        self.log = io.BytesIO()
        self.sealed: list[bytes] = []

    def find(self, rows: dict[str, list[Any]]) -> list[str]:
        """Where the number turns up."""
        found = [f"sealed: {_near(each)}" for each in self.sealed if _holds(each)]
        found += [f"log: {line!r}" for line in self.log.getvalue().splitlines() if _holds(line)]
        for table, values in rows.items():
            found += [f"{table}: {_near(value)}" for value in values if _holds(value)]
        return found


@contextmanager
def listening(clock: Clock) -> Iterator[Findings]:
    """Hear every line of the log and see every value before it is sealed."""
    findings = Findings()
    plain = sealing._plain

    def seen(value: Any) -> bytes:
        findings.sealed.append(plain(value))
        return findings.sealed[-1]

    log.configure(clock, sink=findings.log, level=10)
    with patch.object(sealing, "_plain", seen):
        yield findings


async def rows_of(db: Database) -> dict[str, list[Any]]:
    """Every value of every table, those of the audit's events among them."""
    return {
        table.name: [value for row in await db.scan(_all, Query(sa.select(table))) for value in row]
        for table in metadata.sorted_tables
    }


def _all(query: Query) -> Step[list[Any]]:
    return (yield query.all())


def _holds(value: Any) -> bool:
    data = value if isinstance(value, bytes) else str(value).encode()
    return any(form.encode() in data for form in (NUMBER, *FORMS[2:]))


def _near(value: Any) -> str:
    return repr(value)[:160]
