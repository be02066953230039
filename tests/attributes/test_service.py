"""What can be given, by whom it was said, and what is kept of it: on both databases."""

import json
from datetime import date, timedelta
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from attributes.registry import (
    BANK,
    CITY,
    CLERK,
    HIGH,
    LOW,
    MEDIUM,
    MOI,
    MY_NUMBER,
    SCHEME,
    Registry,
    run,
)
from attributes.test_rules import GOOD
from inkan.attributes import (
    AttributeLevelTooLow,
    AttributeNotRecorded,
    Attributes,
    AttributeUnknown,
    AttributeValueWrong,
    Source,
    SourceKind,
    Value,
)
from inkan.attributes import store as rows
from inkan.audit import Audit
from inkan.crypto.aead import SealBroken
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.ids import PersonID
from inkan.people import MyNumberRefused, People, Person, PersonNotFound, new_identity
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.wire.claims import Claim
from inkan.wire.receipt import parse_receipt, receipt_bytes
from support.clock import StandingClock
from wire import samples

# --- what the card says ---------------------------------------------------------------------------


async def test_identity_comes_from_the_card_with_the_level_of_its_scheme(
    registry: Registry, chen: Person
) -> None:
    since = rfc3339(chen.identity_at)
    card = {"source": "card", "level": 3, "as_of": since}
    assert await registry.claims("name", "birth_date", "residence") == {
        "name": {"value": "陳怡君", **card},
        "birth_date": {"value": "1988-03-14", **card},
        "residence": {"value": "national", **card},
    }


@pytest.mark.req("TW-68")
async def test_an_age_gives_no_date_and_is_of_this_day(
    registry: Registry, clock: StandingClock
) -> None:
    clock.advance(timedelta(days=3))
    claims = await registry.claims("age_over_18", "age_over_20")
    assert claims["age_over_18"]["value"] is True
    assert claims["age_over_18"]["as_of"] == rfc3339(clock.now())
    assert "1988" not in json.dumps({code: each["value"] for code, each in claims.items()})


async def test_the_day_is_that_of_the_scheme(
    people: People, attributes: Attributes, database: Database, clock: StandingClock
) -> None:
    """17:00 UTC of 1 April is 2 April in Taiwan: whoever turns 18 there is 18."""
    clock.advance(timedelta(hours=16))
    for day, number, expected in ((2, "A123456789", True), (3, "F112233444", False)):
        identity = new_identity(
            name="王小明", birth_date=date(2008, 4, day), national_id=parse_national_id(number)
        )
        person = await people.register(identity, actor=CLERK)
        found = await database.read(attributes.available, person.id, ["age_over_18"], scheme=SCHEME)
        assert found.values[Claim.AGE_OVER_18].reveal() is expected


async def test_a_changed_identity_is_as_of_its_change(
    registry: Registry, people: People, chen: Person, clock: StandingClock
) -> None:
    identity = await registry.db.read(people.get_identity, chen.id)
    clock.advance(timedelta(days=30))
    renamed = new_identity(
        name="陳宜君", birth_date=identity.birth_date, national_id=identity.national_id
    )
    changed = await people.register(renamed, actor=CLERK)
    assert (changed.created_at, changed.identity_at) == (chen.created_at, clock.now())
    name = (await registry.claims("name"))["name"]
    assert (name["value"], name["as_of"]) == ("陳宜君", rfc3339(clock.now()))


async def test_nobody_has_no_attributes(registry: Registry) -> None:
    registry.person = PersonID("ps_nobody")
    with pytest.raises(PersonNotFound):
        await registry.available("name")
    assert (await registry.available("address")).missing == (Claim.ADDRESS,)
    assert (await registry.available()).missing == ()


# --- what others say ------------------------------------------------------------------------------


async def test_what_was_not_recorded_is_missing_beside_what_is_there(registry: Registry) -> None:
    found = await registry.available("name", "address", "cash_card")
    assert found.missing == (Claim.ADDRESS, Claim.CASH_CARD)
    assert list(found.values) == [Claim.NAME]


async def test_a_recorded_attribute_has_source_level_and_time(
    registry: Registry, clock: StandingClock
) -> None:
    await registry.record("address")
    await registry.record("cash_card", source=BANK, level=MEDIUM)
    as_of = rfc3339(clock.now())
    assert await registry.claims("cash_card", "address") == {
        "address": {
            "value": GOOD[Claim.ADDRESS],
            "source": "authority:moi",
            "level": 3,
            "as_of": as_of,
        },
        "cash_card": {
            "value": GOOD[Claim.CASH_CARD],
            "source": "issuer:first-bank",
            "level": 2,
            "as_of": as_of,
        },
    }


async def test_the_same_source_replaces_its_word(registry: Registry) -> None:
    await registry.record("address", "舊地址")
    await registry.record("address", "新地址")
    assert (await registry.claims("address"))["address"]["value"] == "新地址"
    assert len(await registry.attributes.masked(registry.person)) == 1


async def test_the_highest_level_counts_then_the_newest(
    registry: Registry, clock: StandingClock
) -> None:
    await registry.record("address", "高", level=HIGH)
    clock.advance(timedelta(days=1))
    await registry.record("address", "中", level=MEDIUM, source=CITY)
    assert (await registry.claims("address"))["address"]["value"] == "高"
    await registry.record("address", "新", level=HIGH, source=CITY)
    assert (await registry.claims("address"))["address"]["value"] == "新"


async def test_a_term_ends_to_the_moment_and_is_forgotten(
    registry: Registry, clock: StandingClock
) -> None:
    end = clock.now() + timedelta(days=1)
    await registry.record("address", valid_until=end)
    await registry.record("occupation")
    clock.advance(timedelta(days=1) - timedelta(microseconds=1))
    assert (await registry.available("address")).missing == ()
    clock.advance(timedelta(microseconds=1))
    assert (await registry.available("address")).missing == (Claim.ADDRESS,)
    await registry.attributes.purge()
    left = await registry.attributes.masked(registry.person)
    assert [each.code for each in left] == [Claim.OCCUPATION]


@pytest.mark.req("WAT-43")
async def test_levels_below_two_are_not_handled(registry: Registry) -> None:
    with pytest.raises(AttributeLevelTooLow):
        await registry.record("address", level=LOW)
    await registry.record("address", level=MEDIUM)


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("number", [MY_NUMBER, "１２３４５６７８９０１８"])
async def test_a_my_number_is_refused_in_every_member(registry: Registry, number: str) -> None:
    with pytest.raises(MyNumberRefused):
        await registry.record("address", f"東京都 {number}")
    card = {"source": BANK, "level": MEDIUM}
    for member in GOOD[Claim.CASH_CARD]:
        with pytest.raises((MyNumberRefused, AttributeValueWrong)):
            await registry.record("cash_card", GOOD[Claim.CASH_CARD] | {member: number}, **card)
    assert await registry.attributes.masked(registry.person) == []


@pytest.mark.parametrize(
    ("bent", "refusal"),
    [
        ({"code": "national_id"}, AttributeUnknown),
        ({"code": "name", "value": "王"}, AttributeValueWrong),
        ({"code": "address", "source": BANK}, AttributeValueWrong),
        ({"code": "address", "source": Source(SourceKind.CARD)}, AttributeValueWrong),
        ({"code": "address", "value": "a\nb"}, AttributeValueWrong),
        ({"code": "address", "person": PersonID("ps_nobody")}, PersonNotFound),
    ],
)
async def test_what_does_not_fit_is_not_recorded(
    registry: Registry, bent: dict[str, Any], refusal: type[InkanError]
) -> None:
    with pytest.raises(refusal):
        await registry.record(**{"value": "x", **bent})


async def test_a_term_that_is_over_is_not_recorded(
    registry: Registry, clock: StandingClock
) -> None:
    with pytest.raises(AttributeValueWrong):
        await registry.record("address", valid_until=clock.now())


async def test_what_is_withdrawn_is_gone(registry: Registry) -> None:
    await registry.record("address")
    with pytest.raises(AttributeNotRecorded):
        await registry.attributes.withdraw(registry.person, "address", source=CITY, actor=CLERK)
    await registry.attributes.withdraw(registry.person, "address", source=MOI, actor=CLERK)
    assert (await registry.available("address")).missing == (Claim.ADDRESS,)


# --- what lies in the database --------------------------------------------------------------------


@pytest.mark.req("WAT-46")
@pytest.mark.parametrize("column", ["person", "code", "source"])
async def test_what_is_said_of_one_cannot_be_moved_to_another(
    registry: Registry, column: str
) -> None:
    await registry.record("address")
    other = {"person": "ps_lin", "code": "occupation", "source": "authority:other"}[column]
    move = Query(sa.update(rows.attribute).values({column: sa.bindparam("other", type_=sa.String)}))
    assert await registry.db.transact(run, move, other=other) == 1
    if column == "person":
        registry.person = PersonID("ps_lin")
    with pytest.raises(SealBroken):
        await registry.available("address", "occupation")


@pytest.mark.req("WAT-46")
async def test_a_term_cannot_be_prolonged_in_the_table(
    registry: Registry, clock: StandingClock
) -> None:
    await registry.record("address", valid_until=clock.now() + timedelta(days=1))
    forever = Query(sa.update(rows.attribute).values(valid_until=None))
    await registry.db.transact(run, forever)
    clock.advance(timedelta(days=1))
    assert (await registry.available("address")).missing == (Claim.ADDRESS,)


def _everything() -> Step[list[Any]]:
    found = []
    for table in (rows.attribute, rows.consent):
        found += yield Query(sa.select(table)).all()
    return found


@pytest.mark.req("TW-68")
async def test_no_row_and_no_event_tells_a_value_or_who_got_it(
    registry: Registry, audit: Audit
) -> None:
    await registry.record("address", "canary-street 1")
    await registry.consent("name", "address")
    text = repr(await registry.db.read(_everything))
    for secret in ("canary-street", "sys_tax", "ses_one", "canary"):
        assert secret not in text
        assert secret.encode().hex() not in text


async def test_values_refuse_to_print(registry: Registry) -> None:
    await registry.record("address", "canary-street 1")
    found = await registry.available("address", "birth_date")
    assert "canary" not in repr(found)
    assert "1988" not in repr(found)
    with pytest.raises(TypeError):
        f"{found.values[Claim.ADDRESS].value}"
    with pytest.raises((TypeError, NotImplementedError)):
        msgspec.json.encode(found.values[Claim.ADDRESS])
    assert isinstance(found.values[Claim.ADDRESS], Value)


async def test_screens_show_it_masked(registry: Registry) -> None:
    await registry.record("cash_card", source=BANK, level=MEDIUM)
    shown = (await registry.attributes.masked(registry.person))[0]
    assert shown.value == {"branch": "***", "account": "******5678", "name": "陳○君"}
    assert (shown.code, shown.source, shown.level) == ("cash_card", "issuer:first-bank", 2)


async def test_every_row_has_its_event(registry: Registry, audit: Audit) -> None:
    await registry.record("address")
    await audit.sequence_once()
    report = await audit.verify([("attributes", query) for query in rows.EVENT_PAIRS])
    assert report.findings == []


# --- receipts -------------------------------------------------------------------------------------


async def test_a_receipt_carries_every_attribute_at_its_longest(registry: Registry) -> None:
    long = "\U0002000b" * 200
    await registry.record("address", long)
    await registry.record("occupation", long)
    await registry.record("health_profession", long)
    card = {"number": "9" * 40, "name": long, "valid_until": "2027-12-31"}
    await registry.record("membership_card", card, source=BANK)
    await registry.record("credit_card", card, source=BANK)
    bank = {"branch": "9" * 40, "account": "9" * 40, "name": long}
    await registry.record("cash_card", bank, source=BANK)
    claims = await registry.claims(*Claim)
    assert list(claims) == list(Claim)
    receipt = samples.receipt(claims=claims)
    assert parse_receipt(receipt_bytes(receipt)).claims == claims


def test_check_is_the_gate_of_creating(attributes: Attributes) -> None:
    attributes.check(["name", "age_over_18"])
    with pytest.raises(AttributeUnknown):
        attributes.check(["name", "favourite_colour"])
