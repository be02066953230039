"""Persons of an older schema: their identity is as old as they are."""

import sqlite3
from contextlib import closing
from pathlib import Path

from inkan.store import migrate


def test_an_identity_of_before_is_as_of_its_registration(tmp_path: Path) -> None:
    path = tmp_path / "inkan.db"
    migrate.upgrade(f"sqlite:///{path}", to="0017_addresses")
    with closing(sqlite3.connect(path)) as old, old:
        old.execute(
            "INSERT INTO people_person (id, subject_serial, national_id_lookup, identity,"
            " identity_version, state, created_at, event_id)"
            " VALUES ('ps_a', '1', x'00', x'00', 2, 'active', 1234567, 'evt_a')"
        )
    migrate.upgrade(f"sqlite:///{path}")
    with closing(sqlite3.connect(path)) as new:
        assert new.execute("SELECT identity_at FROM people_person").fetchall() == [(1234567,)]
