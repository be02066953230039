"""Statements as the drivers get them."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, bindparam, func, select, update

from inkan.store.plan import DIALECTS, DialectName, Misused
from inkan.store.query import Query, insert_new, insert_row, known_queries, one_of, upsert
from inkan.store.schema import NOW, Choice, Moment, Serial
from support.clock import START
from support.things import Colour

metadata = MetaData()
item = Table(
    "item",
    metadata,
    Column("id", Serial, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("until", Moment),
    Column("colour", Choice(Colour)),
    Column("count", Integer, nullable=False, server_default="0"),
)

EXPECTED: list[tuple[Query, dict[DialectName, str]]] = [
    (
        insert_row(item),
        {
            "sqlite": "INSERT INTO item (name, until, colour) VALUES (?, ?, ?)",
            "postgresql": "INSERT INTO item (name, until, colour)"
            " VALUES ($1::VARCHAR, $2::BIGINT, $3::VARCHAR)",
        },
    ),
    (
        insert_new(item),
        {
            "sqlite": "INSERT INTO item (name, until, colour) VALUES (?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            "postgresql": "INSERT INTO item (name, until, colour)"
            " VALUES ($1::VARCHAR, $2::BIGINT, $3::VARCHAR) ON CONFLICT DO NOTHING",
        },
    ),
    (
        upsert(item, key=["name"], take=["until"], change={"count": item.c.count + 1}),
        {
            "sqlite": "INSERT INTO item (name, until, colour) VALUES (?, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET until = excluded.until, count = (item.count + ?)",
            "postgresql": "INSERT INTO item (name, until, colour)"
            " VALUES ($1::VARCHAR, $2::BIGINT, $3::VARCHAR)"
            " ON CONFLICT (name) DO UPDATE SET until = excluded.until, count = (item.count + $4::INTEGER)",
        },
    ),
    (
        Query(select(item.c.id).where(one_of(item.c.name, "names"))),
        {
            "sqlite": "SELECT item.id FROM item WHERE item.name IN (SELECT value FROM json_each(?))",
            "postgresql": "SELECT item.id FROM item WHERE item.name = ANY ($1::VARCHAR[])",
        },
    ),
    (
        Query(
            update(item)
            .values(until=NOW + timedelta(seconds=30))
            .where(item.c.until < NOW, item.c.colour.in_([Colour.RED, Colour.BLUE]))
            .returning(item.c.id)
        ),
        {
            "sqlite": "UPDATE item SET until=(? + ?) WHERE item.until < ? AND item.colour IN (?, ?) RETURNING id",
            "postgresql": "UPDATE item SET until=($1::BIGINT + $2::BIGINT)"
            " WHERE item.until < $1::BIGINT AND item.colour IN ($3::VARCHAR, $4::VARCHAR) RETURNING item.id",
        },
    ),
    (
        Query(select(func.count().label("n")).select_from(item).with_for_update(skip_locked=True)),
        {
            "sqlite": "SELECT count(*) AS n FROM item",
            "postgresql": "SELECT count(*) AS n FROM item FOR UPDATE SKIP LOCKED",
        },
    ),
]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize(("query", "expected"), EXPECTED)
def test_the_text_of_a_statement(
    query: Query, expected: dict[DialectName, str], dialect: DialectName
) -> None:
    assert " ".join(query.plan(dialect).sql.split()) == expected[dialect]


def test_a_statement_is_compiled_once() -> None:
    query = Query(select(item.c.id))
    assert query in known_queries()
    assert query.plan("sqlite") is query.plan("sqlite")
    assert query.plan("sqlite") is not query.plan("postgresql")


def test_values_are_bound_in_order_and_processed_once() -> None:
    query = Query(
        update(item)
        .values(until=NOW + timedelta(seconds=30), name=bindparam("name"))
        .where(item.c.until < NOW, item.c.colour == Colour.RED, item.c.id == bindparam("id"))
    )
    now = 1_775_005_200_000_000
    asked = []

    def moment() -> Any:
        asked.append(1)
        return START

    plan = query.plan("sqlite")
    assert plan.bind({"id": 7, "name": "x"}, moment) == ["x", now, 30_000_000, now, "red", 7]
    assert len(asked) == 1
    assert query.plan("postgresql").bind({"id": 7, "name": "x"}, moment)[:3] == [
        "x",
        now,
        30_000_000,
    ]


def test_binding_leaves_the_callers_values_alone() -> None:
    query = Query(select(item.c.id).where(item.c.until < NOW, item.c.count == 7))
    values: dict[str, Any] = {}
    query.plan("sqlite").bind(values, lambda: START)
    assert values == {}


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"id": 1},
        {"id": 1, "name": "x", "more": 1},
        {"id": 1, "nome": "x"},
        {"id": 1, "moment": START},
    ],
)
def test_parameters_are_exactly_those_of_the_statement(values: dict[str, Any]) -> None:
    query = Query(
        select(item.c.id).where(
            item.c.id == bindparam("id"), item.c.name == bindparam("name"), item.c.until < NOW
        )
    )
    with pytest.raises(Misused):
        query.plan("sqlite").bind(values, lambda: START)


@pytest.mark.parametrize(
    ("query", "writes"),
    [
        (Query(select(item.c.id)), False),
        (Query(select(item.c.id).with_for_update()), True),
        (insert_row(item), True),
        (Query(item.delete()), True),
        (Query(select(update(item).values(count=1).returning(item.c.id).cte().c.id)), True),
    ],
)
def test_what_writes_is_known_as_such(query: Query, writes: bool) -> None:
    assert query.plan("postgresql").writes is writes
    assert query.plan("sqlite").writes is writes


def test_a_column_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="identifier"):
        Query(select(item.c.id, 1)).plan("sqlite")


def test_a_choice_is_one_of_its_members() -> None:
    kind = Choice(Colour)
    store, fetch = (
        kind.bind_processor(DIALECTS["sqlite"]),
        kind.result_processor(DIALECTS["sqlite"], None),
    )
    assert store("red") == "red"
    assert type(store(Colour.RED)) is str
    assert fetch("red") is Colour.RED
    assert store(None) is fetch(None) is None
    for process, error in ((store, ValueError), (fetch, KeyError)):
        with pytest.raises(error):
            process("green")
