"""What lies in the tables, for tests that look under the hood."""

from typing import Any

from inkan.store.database import Step


def rows_of(*tables: Any) -> Any:
    from inkan.store.query import Query

    queries = [Query(table.select()) for table in tables]

    def dump() -> Step[list[Any]]:
        rows: list[Any] = []
        for query in queries:
            rows += yield query.all()
        return rows

    return dump
