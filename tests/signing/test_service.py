"""Documents and batches as steps: whose they are, how long they live, what became of them."""

import asyncio
import secrets
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from inkan.audit import Audit
from inkan.crypto import base64url
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.ids import EventID, SessionID, SystemID
from inkan.people import MyNumberRefused
from inkan.signing import (
    DOCUMENT_LIFE,
    BatchNotFound,
    BatchOrder,
    BatchView,
    DocumentNotFound,
    DocumentOrder,
    DocumentView,
    Result,
    Signing,
)
from inkan.signing import store as rows
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.wire.contents import Content, contents_flaw
from inkan.wire.session import Kind, Outcome
from people.persons import sealer
from support.clock import StandingClock

BANK, CLINIC = SystemID("sys_bank"), SystemID("sys_clinic")
MY_NUMBER = "123456789018"
EVENT = EventID("evt_test")


def digest(seed: int) -> str:
    return base64url.encode(seed.to_bytes(32, "big"))


def new(seed: int = 1, **changes: Any) -> DocumentOrder:
    members = {"name": f"契約書{seed}.pdf", "digest": digest(seed)}
    return msgspec.convert(members | changes, DocumentOrder)


class Desk:
    """A relying party's back end, and the steps of a session."""

    def __init__(self, signing: Signing, database: Database) -> None:
        self.signing = signing
        self.db = database

    async def document(
        self, order: DocumentOrder | None = None, *, key: str = "", system: SystemID = BANK
    ) -> DocumentView:
        order = order or new()
        key = key or secrets.token_urlsafe(24)
        body = msgspec.json.encode(order)
        return await self.signing.register(system, order, body=body, idempotency_key=key)

    async def batch(self, *items: Any, key: str = "", system: SystemID = BANK) -> BatchView:
        order = BatchOrder("十一月合約", list(items))
        key = key or secrets.token_urlsafe(24)
        body = msgspec.json.encode(order)
        return await self.signing.batch(system, order, body=body, idempotency_key=key)

    async def contents(self, system: SystemID = BANK, **named: Any) -> tuple[Content, ...]:
        return await self.db.read(self.signing.contents_of, system, **named)

    async def note(
        self, *documents: str, session: str = "ses_a", outcome: Outcome, system: SystemID = BANK
    ) -> None:
        await self.db.transact(
            self.signing.note_signed,
            system,
            documents,
            session=SessionID(session),
            outcome=outcome,
            event=EVENT,
        )


@pytest.fixture
def desk(signing: Signing, database: Database) -> Desk:
    return Desk(signing, database)


# --- documents ------------------------------------------------------------------------------------


async def test_the_same_digest_twice_is_two_documents(desk: Desk) -> None:
    first, second = await desk.document(), await desk.document()
    assert first.id != second.id
    assert (first.digest, first.name, first.result) == (second.digest, second.name, "pending")
    assert await desk.signing.document(BANK, first.id) == first


async def test_a_retry_is_answered_as_before_and_another_body_is_refused(desk: Desk) -> None:
    key = "k" * 20
    first = await desk.document(key=key)
    assert await desk.document(key=key) == first
    with pytest.raises(IdempotencyConflict):
        await desk.document(new(2), key=key)
    assert (await desk.document(key=key, system=CLINIC)).id != first.id
    batch = await desk.batch(new(), key=key)
    assert await desk.batch(new(), key=key) == batch
    with pytest.raises(IdempotencyConflict):
        await desk.batch(new(2), key=key)


async def test_a_retry_writes_nothing(desk: Desk, audit: Audit) -> None:
    await desk.batch(new(1), new(2), key="k" * 20)
    before = await desk.db.read(_counts), await audit.sequence_once()
    await desk.batch(new(1), new(2), key="k" * 20)
    assert (await desk.db.read(_counts), before[1]) == before
    assert await audit.sequence_once() == 0


async def test_retries_that_race_make_one_batch(desk: Desk) -> None:
    made = await asyncio.gather(*(desk.batch(new(1), key="k" * 20) for _ in range(8)))
    assert len({batch.id for batch in made}) == 1
    assert await desk.db.read(_counts) == [1, 1, 0]


async def test_a_retry_is_known_after_the_keys_changed(desk: Desk, audit: Audit) -> None:
    first = await desk.document(key="k" * 20)
    desk.signing = Signing(db=desk.db, audit=audit, sealer=sealer(2))
    assert await desk.document(key="k" * 20) == first


@pytest.mark.req("WAT-62")
async def test_a_my_number_in_a_name_is_refused(desk: Desk) -> None:
    with pytest.raises(MyNumberRefused):
        await desk.document(new(name=f"申告 {MY_NUMBER}.pdf"))
    with pytest.raises(MyNumberRefused):
        await desk.batch(new(), new(name=f"申告 {MY_NUMBER}.pdf"))


async def test_a_digest_of_another_length_is_refused(desk: Desk) -> None:
    with pytest.raises(Malformed) as refused:
        await desk.batch(new(), new(alg="sha-512"))
    assert refused.value.facts["where"] == "/items/1/digest"
    with pytest.raises(Malformed):
        await desk.document(new(alg="sha-384"))


# --- batches --------------------------------------------------------------------------------------


async def test_a_batch_keeps_the_order_of_what_was_there_and_what_is_new(desk: Desk) -> None:
    old = await desk.document(new(1))
    batch = await desk.batch(new(2), old.id, new(3))
    assert [item.name for item in batch.items] == ["契約書2.pdf", "契約書1.pdf", "契約書3.pdf"]
    assert batch.items[1].id == old.id
    assert await desk.signing.find_batch(BANK, batch.id) == batch
    contents = await desk.contents(batch=batch.id)
    assert [content.id for content in contents] == [item.id for item in batch.items]
    assert all((content.format, content.tbs_sha256) == ("statement", None) for content in contents)
    assert contents_flaw(Kind.SIGN, contents) is None


async def test_a_batch_of_a_hundred(desk: Desk) -> None:
    batch = await desk.batch(*(new(n) for n in range(100)))
    contents = await desk.contents(batch=batch.id)
    assert [content.digest for content in contents] == [digest(n) for n in range(100)]
    assert contents_flaw(Kind.SIGN, contents) is None


async def test_a_document_stands_in_a_batch_once(desk: Desk) -> None:
    old = await desk.document()
    with pytest.raises(Malformed):
        await desk.batch(old.id, old.id)
    assert len((await desk.batch(new(), new())).items) == 2


async def test_a_refused_batch_leaves_nothing(desk: Desk) -> None:
    key = "k" * 20
    with pytest.raises(DocumentNotFound):
        await desk.batch(new(), "doc_unknown", key=key)
    assert await desk.db.read(_counts) == [0, 0, 0]
    assert len((await desk.batch(new(), key=key)).items) == 1


# --- whose, and how long --------------------------------------------------------------------------


async def test_unknown_anothers_and_old_ones_get_one_answer(
    desk: Desk, clock: StandingClock
) -> None:
    document, batch = await desk.document(), await desk.batch(new())
    answers = []

    async def ask(system: SystemID, document_id: str, batch_id: str) -> list[Any]:
        calls = [
            desk.signing.document(system, document_id),
            desk.signing.find_batch(system, batch_id),
            desk.contents(system, documents=[document_id]),
            desk.contents(system, batch=batch_id),
            desk.batch(document_id, system=system),
        ]
        refusals = []
        for call in calls:
            with pytest.raises(InkanError) as refused:
                await call
            refusals.append((type(refused.value), str(refused.value), refused.value.facts))
        return refusals

    answers.append(await ask(CLINIC, document.id, batch.id))
    answers.append(await ask(BANK, "doc_" + "a" * 26, "bat_" + "a" * 26))
    answers.append(await ask(BANK, batch.id, document.id))
    clock.advance(DOCUMENT_LIFE)
    answers.append(await ask(BANK, document.id, batch.id))
    assert answers[0] == answers[1] == answers[2] == answers[3]
    kinds = [kind for kind, *_ in answers[0]]
    assert kinds == [DocumentNotFound, BatchNotFound] * 2 + [DocumentNotFound]


async def test_a_batch_ends_with_the_first_of_its_documents(
    desk: Desk, clock: StandingClock
) -> None:
    old = await desk.document()
    clock.advance(timedelta(hours=20))
    batch = await desk.batch(old.id, new(2))
    assert batch.expires_at == old.expires_at
    clock.advance(timedelta(hours=4) - timedelta(microseconds=1))
    assert len(await desk.contents(batch=batch.id)) == 2
    clock.advance(timedelta(microseconds=1))
    with pytest.raises(BatchNotFound):
        await desk.signing.find_batch(BANK, batch.id)
    assert len(await desk.contents(documents=[batch.items[1].id])) == 1


async def test_what_is_old_is_forgotten(desk: Desk, clock: StandingClock) -> None:
    batch = await desk.batch(new())
    await desk.note(batch.items[0].id, outcome=Outcome.OK)
    await desk.signing.purge()
    assert await desk.db.read(_counts) == [1, 1, 1]
    clock.advance(DOCUMENT_LIFE)
    await desk.signing.purge()
    assert await desk.db.read(_counts) == [0, 0, 0]


@pytest.mark.parametrize(
    "named",
    [
        {},
        {"documents": ["doc_a"], "batch": "bat_a"},
        {"documents": ["doc_a", "doc_a"]},
        {"documents": [f"doc_{n}" for n in range(101)]},
    ],
)
async def test_contents_are_documents_or_one_batch(desk: Desk, named: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        await desk.contents(**named)


# --- results --------------------------------------------------------------------------------------


async def test_each_item_has_its_result(desk: Desk) -> None:
    batch = await desk.batch(new(1), new(2), new(3))
    one, two, _ = (item.id for item in batch.items)
    await desk.note(one, session="ses_a", outcome=Outcome.OK)
    await desk.note(two, session="ses_b", outcome=Outcome.REFUSED)
    items = (await desk.signing.find_batch(BANK, batch.id)).items
    assert [(item.result, item.sessions) for item in items] == [
        (Result.SIGNED, ["ses_a"]),
        (Result.REFUSED, []),
        (Result.PENDING, []),
    ]


async def test_who_signs_after_a_refusal_has_signed(desk: Desk, clock: StandingClock) -> None:
    made = await desk.document()
    await desk.note(made.id, session="ses_a", outcome=Outcome.FAILED)
    clock.advance(timedelta(minutes=1))
    await desk.note(made.id, session="ses_c", outcome=Outcome.OK)
    clock.advance(timedelta(minutes=1))
    await desk.note(made.id, session="ses_b", outcome=Outcome.OK)
    seen = await desk.signing.document(BANK, made.id)
    assert (seen.result, seen.sessions) == (Result.SIGNED, ["ses_c", "ses_b"])


async def test_the_first_word_of_a_session_stays(desk: Desk) -> None:
    made = await desk.document()
    await desk.note(made.id, outcome=Outcome.OK)
    await desk.note(made.id, outcome=Outcome.REFUSED)
    assert (await desk.signing.document(BANK, made.id)).result is Result.SIGNED


async def test_nobody_signs_anothers_documents(desk: Desk) -> None:
    made = await desk.document()
    await desk.note(made.id, outcome=Outcome.OK, system=CLINIC)
    assert (await desk.signing.document(BANK, made.id)).result is Result.PENDING


async def test_contents_of_an_approval_are_passed_over(desk: Desk) -> None:
    made = await desk.document()
    await desk.note("their-own-id", made.id, outcome=Outcome.OK)
    await desk.note("their-own-id", outcome=Outcome.OK)
    assert (await desk.signing.document(BANK, made.id)).result is Result.SIGNED


# --- what lies in the database --------------------------------------------------------------------


def _all() -> Step[list[Any]]:
    documents = yield Query(sa.select(rows.document)).all()
    orders = yield Query(sa.select(rows.order)).all()
    return [*documents, *orders]


def _counts() -> Step[list[int]]:
    documents = yield Query(sa.select(rows.document)).all()
    orders = yield Query(sa.select(rows.order)).all()
    results = yield Query(sa.select(rows.result)).all()
    return [len(documents), len(orders), len(results)]


async def test_no_row_tells_a_name(desk: Desk) -> None:
    await desk.batch(new(name="canary-contract.pdf"))
    await desk.document(new(name="canary-letter.pdf"))
    assert "canary" not in repr(await desk.db.read(_all))


async def test_every_row_has_its_event(desk: Desk, audit: Audit) -> None:
    await desk.batch(new(), (await desk.document()).id)
    await audit.sequence_once()
    report = await audit.verify([("signing", query) for query in rows.EVENT_PAIRS])
    assert report.findings == []
