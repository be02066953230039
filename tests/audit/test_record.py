"""An event is written with the act itself, holds no name, and cannot be changed in any column."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from audit.acts import ACTOR, MAC_KEY, act
from inkan.audit import Actor, ActorKind, Audit, Event, EventUnknown, Recorded, store
from inkan.audit.service.events import Macs, event_id, leaf, leaf_of
from inkan.crypto import base64url, jcs
from inkan.crypto.jcs import NotCanonical
from inkan.crypto.merkle import leaf_hash
from inkan.kernel.clock import to_microseconds
from inkan.kernel.ids import EventID, is_id
from inkan.kernel.sensitive import Personal
from inkan.store.database import Database, Step
from inkan.store.plan import Row
from support.clock import START


def read_event(event: str) -> Step[Row]:
    return (yield store.EVENT.one(event=event))


class Refusal(Exception):
    pass


async def test_the_row_says_who_did_what(audit: Audit, database: Database) -> None:
    event = await database.transact(act, audit, 7)
    row = await database.read(read_event, event)
    assert (row.at, row.use_case) == (to_microseconds(START), "tests.act")
    assert (row.actor_kind, row.actor_id) == ("phone", "ph_abc")
    assert (row.subject, row.object) == ("ps_somebody", "ap_something")
    assert (row.position, row.chain) == (None, None)


async def test_details_are_kept_as_a_salted_hash_only(audit: Audit, database: Database) -> None:
    rows = [await database.read(read_event, await database.transact(act, audit, 7)) for _ in "ab"]
    for row in rows:
        assert row.details == hashlib.sha256(row.salt + jcs.canonical({"number": 7})).digest()
    assert rows[0].details != rows[1].details


async def test_the_leaf_is_canonical_json(audit: Audit, database: Database) -> None:
    row = await database.read(read_event, await database.transact(act, audit, 7))
    members = {
        "v": 1,
        "id": row.id,
        "at": row.at,
        "use_case": "tests.act",
        "actor": {"kind": "phone", "id": "ph_abc"},
        "subject": "ps_somebody",
        "object": "ap_something",
        "details": base64url.encode(row.details),
    }
    assert leaf_of(row) == jcs.canonical(members)


def test_an_event_without_subject_and_object_is_canonical_too() -> None:
    event = Event(1, EventID("ev_a"), 0, "tests.act", ACTOR, None, None, "")
    assert leaf(event) == jcs.canonical(event)


async def test_recorded_leaf_hash_is_the_one_of_the_tree(audit: Audit, database: Database) -> None:
    def body() -> Step[Recorded]:
        return (yield from audit.record_leaf("tests.act", actor=ACTOR))

    recorded = await database.transact(body)
    assert recorded.leaf_hash == leaf_hash(leaf_of(await database.read(read_event, recorded.id)))


async def test_an_act_that_fails_leaves_no_event(audit: Audit, database: Database) -> None:
    seen: list[str] = []

    def body() -> Step[None]:
        seen.append((yield from act(audit, 1)))
        raise Refusal

    with pytest.raises(Refusal):
        await database.transact(body)
    assert await audit.sequence_once() == 0
    with pytest.raises(EventUnknown):
        await audit.inclusion(seen[-1])


@pytest.mark.req("HCA-48")
@pytest.mark.parametrize(
    "names",
    [
        {"actor": Actor(ActorKind.STAFF, "A123456789")},
        {"subject": "王小明"},
        {"object": "123456789018"},
    ],
)
async def test_names_and_numbers_have_no_place(
    audit: Audit, database: Database, names: dict[str, Any]
) -> None:
    def body() -> Step[EventID]:
        return (yield from audit.record("tests.act", **({"actor": ACTOR} | names)))

    with pytest.raises(ValueError, match="opaque"):
        await database.transact(body)


async def test_personal_values_do_not_become_details(audit: Audit, database: Database) -> None:
    def body() -> Step[EventID]:
        details = {"name": Personal("王小明")}
        return (yield from audit.record("tests.act", actor=ACTOR, details=details))

    with pytest.raises(NotCanonical):
        await database.transact(body)


def test_event_ids_grow_with_time_and_have_the_usual_form() -> None:
    start = to_microseconds(START)
    ids = [event_id(start + step * 1000, b"\xff" * 7) for step in range(100)]
    assert ids == sorted(ids)
    assert all(is_id(each, "ev") for each in ids)
    assert event_id(start, bytes(7)) != event_id(start, b"\x01" * 7)


async def test_the_mac_covers_every_column(audit: Audit, database: Database) -> None:
    row = await database.read(read_event, await database.transact(act, audit, 7))
    macs = Macs(MAC_KEY)
    assert macs.genuine_leaf(row) == leaf_of(row)
    changes: dict[str, Any] = {
        "id": row.id + "a",
        "at": row.at + 1,
        "use_case": "tests.other",
        "actor_kind": "staff",
        "actor_id": "ph_other",
        "subject": None,
        "object": "ap_other",
        "details": bytes(32),
        "salt": row.salt[::-1],
        "mac": bytes(32),
    }
    assert set(changes) == set(row._fields) - {"position", "chain"}
    for column, value in changes.items():
        assert macs.genuine_leaf(row._replace(**{column: value})) is None, column


async def test_time_is_that_of_the_instance(audit: Audit, database: Database, clock: Any) -> None:
    clock.advance(timedelta(hours=25))
    row = await database.read(read_event, await database.transact(act, audit, 7))
    assert row.at == to_microseconds(START + timedelta(hours=25))
