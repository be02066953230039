"""Every test person really has its outcome."""

from datetime import timedelta

import pytest

from inkan.kernel.identifiers import parse_national_id
from inkan.sandbox.rules import expected_by_push, national_id_of, persons
from sandbox.conftest import Town

ASKED = [key for key, row in persons().items() if row.outcome.session]
REFUSED = [key for key, row in persons().items() if row.outcome.phone]


def test_the_numbers_are_valid_and_every_systems_own() -> None:
    rows = persons().values()
    assert len(rows) >= 12
    for row in rows:
        assert parse_national_id(row.national_id) == national_id_of(row, 0)
        assert set(row.text) == {"en", "ja", "zh-Hant"}
        assert bool(row.outcome.session) != bool(row.outcome.phone)
    numbers = [national_id_of(row, system).reveal() for row in rows for system in range(3)]
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize("key", ASKED)
async def test_a_session_ends_as_the_table_says(town: Town, key: str) -> None:
    expected = persons()[key].outcome
    phone = await town.developer.make(key)
    session = await town.ask()
    done = await town.developer.act(phone, "scan", frame=session.frame())
    if phone["behaviour"] == "manual":
        assert done["done"] == "opened"
        done = await town.developer.act(phone, "approve")
    if expected.action:
        assert done["done"] == "declined"
        assert done["declined"]["code"] == expected.action
        await session.refresh()
        assert session.view.state == "presented"
        return
    if expected.session == "expired":
        await session.refresh()
        assert session.view.state == "opened"
        await town.world.leap(timedelta(seconds=200))
        await session.refresh()
        assert session.view.state == "expired"
        return
    seen = await town.end_of(session)
    assert (seen.outcome, seen.reason) == (expected.session, expected.reason or None)


@pytest.mark.parametrize("key", REFUSED)
async def test_no_phone_is_made_where_the_table_says_so(town: Town, key: str) -> None:
    reply = await town.developer.call("POST", "phones", {"person": key})
    assert reply.status == 409
    problem = reply.json()
    assert persons()[key].outcome.phone in {problem["code"], problem.get("refusal")}
    assert (await town.developer.call("GET", "phones")).json() == {"phones": []}


@pytest.mark.req("TW-49")
@pytest.mark.parametrize("key", persons())
async def test_a_push_ends_as_the_table_says(small: Town, key: str) -> None:
    row = persons()[key]
    expected = expected_by_push(row)
    phone = None
    if not row.outcome.phone:
        phone = await small.developer.make(key)
    session = await small.push(key)
    if phone is not None and phone["behaviour"] == "manual":
        await small.developer.act(phone, "code")
        await small.developer.act(phone, "approve")
    elif phone is not None and phone["behaviour"] != "revoked":
        await small.last_of(phone, "approved", "refused", "reported", "opened", "code_wrong")
    if expected.session == "expired":
        await session.refresh()
        assert session.view.state == "presented"
        await small.world.leap(timedelta(seconds=200))
    seen = await small.end_of(session)
    assert expected.session in {seen.outcome, seen.state}
    assert seen.reason == (expected.reason or None)
    listed = (await small.developer.call("GET", "persons")).json()["persons"]
    (shown,) = [each["expected_by_push"] for each in listed if each["person"] == key]
    assert shown["session"] == expected.session
