"""A consent is a signed statement: what stands in its row, and that there is no row without one."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from attributes.registry import CLERK, EVENT, SIGNED, Registry, run
from inkan.attributes import AttributeUnknown, ConsentNotFound, ConsentUnsigned
from inkan.attributes import store as rows
from inkan.crypto import base64url
from inkan.crypto.aead import SealBroken
from inkan.kernel.ids import PersonID
from inkan.store.database import RowExists
from inkan.store.query import Query
from support.clock import StandingClock


async def test_a_consent_names_what_to_whom_and_by_which_statement(
    registry: Registry, clock: StandingClock
) -> None:
    await registry.consent("name", "address")
    clock.advance(timedelta(hours=1))
    await registry.consent("age_over_18", signed=base64url.encode(b"t" * 32))
    newest, oldest = await registry.db.read(registry.attributes.consents, registry.person)
    assert newest.codes == ("age_over_18",)
    assert (oldest.system, oldest.session, oldest.statement_sha256) == (
        "sys_tax",
        "ses_one",
        SIGNED,
    )
    assert oldest.codes == ("name", "address")
    assert oldest.at == clock.now() - timedelta(hours=1)


async def test_nothing_given_is_no_consent(registry: Registry) -> None:
    await registry.consent()
    assert await registry.db.read(registry.attributes.consents, registry.person) == []


@pytest.mark.parametrize("signed", ["", "x", "a" * 42, "a" * 44, "=" * 43, "a" * 42 + "\n"])
async def test_there_is_no_consent_without_a_statement(registry: Registry, signed: str) -> None:
    with pytest.raises(ConsentUnsigned):
        await registry.consent("name", signed=signed)


@pytest.mark.parametrize("signed", ["", "x"])
async def test_nor_does_the_table_take_one(registry: Registry, signed: str) -> None:
    row = {"id": "con_x", "person": "ps_x", "at": registry.db.now(), "detail": None}
    with pytest.raises(Exception, match=r"CHECK constraint|23514"):
        await registry.db.transact(
            run, rows.INSERT_CONSENT, **row, statement_sha256=signed, event_id=EVENT
        )
    assert await registry.db.read(registry.attributes.consents, PersonID("ps_x")) == []


async def test_one_statement_is_one_consent(registry: Registry) -> None:
    await registry.consent("name")
    with pytest.raises(RowExists):
        await registry.consent("name", "address")


async def test_a_consent_cannot_be_laid_at_anothers_door(registry: Registry) -> None:
    await registry.consent("name")
    move = Query(sa.update(rows.consent).values(person="ps_lin"))
    await registry.db.transact(run, move)
    with pytest.raises(SealBroken):
        await registry.db.read(registry.attributes.consents, PersonID("ps_lin"))


async def test_unknown_codes_are_no_consent(registry: Registry) -> None:
    with pytest.raises(AttributeUnknown):
        await registry.consent("national_id")


async def withdraw(registry: Registry, consent: str, *, person: str | None = None) -> Any:
    return await registry.db.transact(
        registry.attributes.withdraw_consent,
        PersonID(person or registry.person),
        consent,
        actor=CLERK,
    )


async def test_a_consent_is_taken_back_once(registry: Registry, clock: StandingClock) -> None:
    await registry.consent("name")
    [given] = await registry.db.read(registry.attributes.consents, registry.person)
    clock.advance(timedelta(hours=1))
    taken_back, event = await withdraw(registry, given.id)
    assert event is not None
    assert taken_back.withdrawn_at == clock.now()
    clock.advance(timedelta(hours=1))
    assert await withdraw(registry, given.id) == (taken_back, None)
    assert await registry.db.read(registry.attributes.consents, registry.person) == [taken_back]


async def test_nobody_takes_back_anothers_consent(registry: Registry) -> None:
    await registry.consent("name")
    [given] = await registry.db.read(registry.attributes.consents, registry.person)
    for consent, person in ((given.id, "ps_lin"), ("con_unknown", registry.person)):
        with pytest.raises(ConsentNotFound):
            await withdraw(registry, consent, person=person)
    assert await registry.db.read(registry.attributes.consents, registry.person) == [given]


async def test_erasing_leaves_the_statements_hash(registry: Registry) -> None:
    await registry.record("address")
    await registry.consent("name")
    await registry.db.transact(registry.attributes.erase, registry.person)
    assert await registry.attributes.masked(registry.person) == []
    (left,) = await registry.db.read(registry.attributes.consents, registry.person)
    assert (left.statement_sha256, left.codes, left.system) == (SIGNED, None, None)
