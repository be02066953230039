"""Persons in the database: one per number, found by key, matched with the same work, revealed with a trace."""

import asyncio
import base64
from collections.abc import Callable, Generator
from datetime import date
from hashlib import sha256
from typing import Any

import pytest
import sqlalchemy as sa

from inkan.audit import Audit
from inkan.crypto.aead import SealBroken
from inkan.kernel.identifiers import NationalID, parse_national_id
from inkan.kernel.ids import PersonID
from inkan.kernel.sensitive import Secret
from inkan.people import (
    EVENT_PAIRS,
    Identity,
    MyNumberRefused,
    People,
    PersonNotFound,
    PersonState,
    RevealReasonRefused,
    store,
)
from inkan.store.connect import is_sqlite, sqlite_path
from inkan.store.database import Database, Step
from inkan.store.outbox import depth
from inkan.store.query import Call, Query
from inkan.store.schema import metadata
from inkan.store.sealing import Sealer, SealKeyMissing
from people.persons import COUNTER, OFFICER, identity, sealer

NOBODY = PersonID("ps_unknown")
ALL = Query(sa.select(store.person))
SWAP = Query(
    store.person.update()
    .where(store.person.c.id == sa.bindparam("person"))
    .values(identity=sa.bindparam("other", type_=sa.LargeBinary))
)


def rows(query: Query) -> Step[list[Any]]:
    return (yield query.all())


def swap(person: str, other: bytes) -> Step[None]:
    yield SWAP.run(person=person, other=other)


async def test_registered_persons_are_found_by_their_numbers(
    people: People, database: Database
) -> None:
    person = await people.register(identity(), actor=COUNTER)
    assert await database.read(people.get, person.id) == person
    assert await database.read(people.find_by_serial, person.subject_serial) == person
    assert await database.read(people.find_by_national_id, identity().national_id) == person
    assert await database.read(people.get_identity, person.id) == identity()
    other = parse_national_id("A800000014")
    assert await database.read(people.find_by_national_id, other) is None
    assert await database.read(people.find_by_serial, "0" * 16) is None


async def test_the_subject_serial_says_nothing(people: People) -> None:
    persons = [
        await people.register(identity(prefix=f"A1000000{n:02}"[:9]), actor=COUNTER)
        for n in (11, 25, 37)
    ]
    serials = {person.subject_serial for person in persons}
    assert len(serials) == 3
    assert all(len(serial) == 16 and serial.isdigit() for serial in serials)


async def test_one_number_is_one_person(people: People, database: Database) -> None:
    first = await people.register(identity(), actor=COUNTER)
    again = await people.register(identity(), actor=COUNTER)
    assert again == first
    [row] = await database.read(rows, ALL)
    assert row.identity_version == 1


@pytest.mark.race
async def test_one_number_is_one_person_also_in_parallel(
    people: People, database: Database
) -> None:
    tries = (people.register(identity(), actor=COUNTER) for _ in range(8))
    assert len({person.id for person in await asyncio.gather(*tries)}) == 1
    assert len(await database.read(rows, ALL)) == 1


async def test_a_changed_name_is_kept(people: People, database: Database, audit: Audit) -> None:
    person = await people.register(identity(), actor=COUNTER)
    await people.register(identity(name="王大明"), actor=COUNTER)
    assert await database.read(people.get_identity, person.id) == identity(name="王大明")
    [row] = await database.read(rows, ALL)
    assert row.identity_version == 2
    assert await audit.sequence_once() == 2


async def test_unknown_persons(people: People, database: Database) -> None:
    for step in (people.get, people.get_identity):
        with pytest.raises(PersonNotFound):
            await database.read(step, NOBODY)
    with pytest.raises(PersonNotFound):
        await people.reveal(NOBODY, actor=OFFICER, reason="a question")
    with pytest.raises(PersonNotFound):
        await database.transact(people.mark_deceased, NOBODY, actor=COUNTER)


async def test_death_is_noted_once(people: People, database: Database, audit: Audit) -> None:
    person = await people.register(identity(), actor=COUNTER)
    assert await database.transact(people.mark_deceased, person.id, actor=COUNTER)
    assert (await database.read(depth)).waiting == 1  # whoever is above hears of it
    assert not await database.transact(people.mark_deceased, person.id, actor=COUNTER)
    assert (await database.read(depth)).waiting == 1
    assert (await database.read(people.get, person.id)).state is PersonState.DECEASED
    assert await audit.sequence_once() == 2


async def test_whoever_is_above_hears_of_another_name_and_of_nothing_else(
    people: People, database: Database
) -> None:
    await people.register(identity(), actor=COUNTER)
    await people.register(identity(), actor=COUNTER)
    assert (await database.read(depth)).waiting == 0
    await people.register(identity(name="林美"), actor=COUNTER)
    assert (await database.read(depth)).waiting == 1


# --- matching ----------------------------------------------------------------------------------------


@pytest.mark.req("TW-43")
async def test_only_the_holder_matches(people: People, database: Database) -> None:
    holder = await people.register(identity(), actor=COUNTER)
    other = await people.register(identity(prefix="A80000001"), actor=COUNTER)
    typed = people.lookup(parse_national_id("A123456789"))
    assert await database.read(people.matches, holder.id, typed)
    assert not await database.read(people.matches, other.id, typed)
    assert not await database.read(people.matches, NOBODY, typed)
    assert not await database.read(people.matches, holder.id, None)


async def test_nobody_matches_the_stand_in(people: People, database: Database) -> None:
    stand_in = people.lookup(NationalID("-"))
    assert not await database.read(people.matches, NOBODY, stand_in)


def test_the_same_work_is_done_for_unknown_persons() -> None:
    """The same calls of the database and of the keys, whoever is asked for."""
    work = [
        calls_of_match(known=known, lookup=lookup)
        for known in (True, False)
        for lookup in (True, False)
    ]
    assert all(each == work[0] for each in work)
    assert work[0] == ["query", "open", "lookups"]


def calls_of_match(*, known: bool, lookup: bool) -> list[str]:
    calls: list[str] = []

    class CountingSealer:
        def __init__(self) -> None:
            self._sealer = sealer(2)

        def __getattr__(self, name: str) -> Any:
            calls.append(name)
            return getattr(self._sealer, name)

    counted: Any = CountingSealer()
    nothing: Any = None
    people = People(db=nothing, audit=nothing, sealer=counted, pairwise_key=Secret(bytes(32)))
    row = one_row(people)
    typed = people.lookup(identity().national_id)
    calls.clear()
    steps: Generator[Any, Any, bool] = people.matches(row.id, typed if lookup else None)
    asked = next(steps)
    assert isinstance(asked, Call)
    calls.append("query")
    with pytest.raises(StopIteration) as end:
        steps.send(row if known else None)
    assert end.value.value is (known and lookup)
    return calls


def one_row(people: People) -> Any:
    class Row:
        id = PersonID("ps_known")
        identity = people._seal(PersonID("ps_known"), identity())

    return Row


async def test_matching_goes_on_while_keys_change(
    people_with: Callable[[int], People], database: Database
) -> None:
    person = await people_with(1).register(identity(), actor=COUNTER)
    rotated = people_with(2)
    for lookup in (
        people_with(1).lookup(identity().national_id),
        rotated.lookup(identity().national_id),
    ):
        assert await database.read(rotated.matches, person.id, lookup)
    assert await database.read(rotated.find_by_national_id, identity().national_id) == person


async def test_registering_again_moves_a_person_to_the_newest_key(
    people_with: Callable[[int], People], database: Database
) -> None:
    person = await people_with(1).register(identity(), actor=COUNTER)
    assert await people_with(2).register(identity(), actor=COUNTER) == person
    [row] = await database.read(rows, ALL)
    assert row.national_id_lookup == people_with(2).lookup(identity().national_id)
    assert row.identity[:2] == b"\x00\x02"
    with pytest.raises(SealKeyMissing):
        await database.read(people_with(1).get_identity, person.id)


# --- references --------------------------------------------------------------------------------------


def test_references_are_stable_and_pairwise(people_with: Callable[[int], People]) -> None:
    people = people_with(1)
    persons = [PersonID("ps_one"), PersonID("ps_two")]
    sectors = ["tax", "clinic"]
    references = {people.reference(p, sector=s) for p in persons for s in sectors}
    assert len(references) == 4
    assert all(len(reference) == 43 for reference in references)
    assert people_with(2).reference(persons[0], sector="tax") == people.reference(
        persons[0], sector="tax"
    )


def test_sector_and_person_cannot_trade_letters(people: People) -> None:
    assert people.reference(PersonID("ps_a"), sector="tax") != people.reference(
        PersonID("s_a"), sector="taxp"
    )


def test_another_key_gives_other_references(
    database: Database, audit: Audit, people: People
) -> None:
    other = People(db=database, audit=audit, sealer=sealer(), pairwise_key=Secret(b"q" * 32))
    person = PersonID("ps_one")
    assert people.reference(person, sector="tax") != other.reference(person, sector="tax")


# --- revealing ---------------------------------------------------------------------------------------


@pytest.mark.req("HCA-48")
async def test_a_reveal_is_an_audited_act_that_the_person_can_read(
    people: People, audit: Audit
) -> None:
    person = await people.register(identity(), actor=COUNTER)
    seen = await people.reveal(person.id, actor=OFFICER, reason="補發卡片，核對身分")
    assert seen == identity()
    [entry] = await people.reveals(person.id)
    assert (entry.actor_kind, entry.reason) == ("staff", "補發卡片，核對身分")
    await audit.work()
    event = (await audit.inclusion(entry.event_id)).event
    assert b'"use_case":"people.revealed"' in event
    assert b'"id":"ac_officer"' in event


@pytest.mark.req("HCA-48", "WAT-62")
@pytest.mark.parametrize(
    ("reason", "refusal"), [(" ", RevealReasonRefused), ("for 123456789018", MyNumberRefused)]
)
async def test_without_a_proper_reason_nothing_is_shown(
    people: People, reason: str, refusal: type[Exception]
) -> None:
    person = await people.register(identity(), actor=COUNTER)
    with pytest.raises(refusal):
        await people.reveal(person.id, actor=OFFICER, reason=reason)
    assert await people.reveals(person.id) == []


async def test_every_row_has_its_event(people: People, audit: Audit) -> None:
    person = await people.register(identity(), actor=COUNTER)
    await people.reveal(person.id, actor=OFFICER, reason="a question")
    await audit.work()
    pairs = [("people", query) for query in EVENT_PAIRS]
    assert (await audit.verify(pairs)).is_intact


# --- what lies in the database -----------------------------------------------------------------------

CANARY = identity(name="金絲雀兒", prefix="F29876543", birth_date=date(1987, 6, 5))
REASON = "canary reason 7f3e"


def spellings(person: Identity) -> list[bytes]:
    """Everything of a person that must not be found, in the spellings of files and dumps."""
    texts = [
        person.name.reveal(),
        person.national_id.reveal(),
        person.birth_date.isoformat(),
        person.birth_date.strftime("%Y%m%d"),
        REASON,
    ]
    found = []
    for plain in (text.encode() for text in texts):
        found += [plain, plain.hex().encode(), plain.hex().upper().encode()]
        # Base64 of the value at each of the three places where it may begin in a longer one.
        found += [base64.b64encode(bytes(n) + plain)[4 if n else 0 : -4] for n in range(3)]
    return [
        *found,
        *(text.encode("utf-16-le") for text in texts),
        *(digest(person.national_id.reveal().encode()) for digest in PLAIN_DIGESTS),
    ]


PLAIN_DIGESTS = [
    lambda plain: sha256(plain).digest(),
    lambda plain: sha256(plain).hexdigest().encode(),
]


@pytest.mark.req("HCA-48")
async def test_no_file_of_the_database_holds_an_identity(
    people: People, database: Database, audit: Audit, database_url: str
) -> None:
    """Threat 29: whoever steals the files or a backup reads no name and no number, and cannot test a guess."""
    person = await people.register(CANARY, actor=COUNTER)
    await people.register(identity(name="王大明"), actor=COUNTER)
    await people.reveal(person.id, actor=OFFICER, reason=REASON)
    await audit.work()
    haystack = b"".join(await everything(database, database_url))
    assert person.id.encode() in haystack  # the search looks at the right place
    assert [needle for needle in spellings(CANARY) if needle in haystack] == []


async def everything(database: Database, url: str) -> list[bytes]:
    """The bytes of the database: file and log of SQLite; of PostgreSQL all rows as a dump writes them."""
    if is_sqlite(url):
        path = sqlite_path(url)
        return [file.read_bytes() for file in path.parent.glob(f"{path.name}*")]

    def dump() -> Step[list[bytes]]:
        found = []
        for table in metadata.tables:
            query = Query(
                sa.text(f'SELECT t::text AS line FROM "{table}" t').columns(sa.column("line"))
            )
            found += [row.line.encode() for row in (yield query.all())]
        return found

    return await database.read(dump)


@pytest.mark.req("HCA-48")
async def test_sealed_values_cannot_change_rows(people: People, database: Database) -> None:
    await people.register(identity(), actor=COUNTER)
    await people.register(CANARY, actor=COUNTER)
    one, other = await database.read(rows, ALL)
    await database.transact(swap, one.id, other.identity)
    with pytest.raises(SealBroken):
        await database.read(people.get_identity, one.id)


async def test_sealed_values_cannot_change_columns(people: People, database: Database) -> None:
    person = await people.register(identity(), actor=COUNTER)
    reason = sealer().seal(store.REASON, person.id, b"{}")
    await database.transact(swap, person.id, reason)
    with pytest.raises(SealBroken):
        await database.read(people.get_identity, person.id)


async def test_the_same_person_is_sealed_differently_each_time(people: People) -> None:
    sealed = {people._seal(PersonID("ps_one"), identity()) for _ in range(8)}
    assert len(sealed) == 8


async def test_a_lookup_needs_the_key(people: People, database: Database) -> None:
    await people.register(identity(), actor=COUNTER)
    stranger = Sealer(sealing={1: Secret(bytes(32))}, lookup={1: Secret(bytes(32))})
    [row] = await database.read(rows, ALL)
    assert row.national_id_lookup == people.lookup(identity().national_id)
    assert row.national_id_lookup != stranger.lookup(store.NATIONAL_ID, identity().national_id)


@pytest.mark.req("HCA-48")
async def test_a_person_is_shown_under_masks(people: People) -> None:
    person = await people.register(identity(), actor=COUNTER)
    shown = await people.masked(person.id)
    assert shown == identity().masked
    assert identity().name.reveal() not in repr(shown)
    with pytest.raises(PersonNotFound):
        await people.masked(NOBODY)
