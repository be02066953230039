"""Who may come to which counter, who may serve them, and what a clerk may not do (JPKI-08, JPKI-20, WAT-62)."""

from datetime import date, timedelta

import msgspec
import pytest

from counter.desk import (
    CHIP,
    OFFICE,
    OPERATOR,
    PASSPORT,
    THERE,
    identity_of,
    new_number,
    on_sqlite,
    person_of,
    refused,
    rows,
)
from inkan.accounts import Role
from inkan.counter.model import CaseKind, ReportCause
from inkan.counter.rules import CASE_LIFE, TERMS
from inkan.counter.store import tables
from inkan.crypto.certificate_view import Sex
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.ids import AccountID
from inkan.kernel.sensitive import Personal
from relying_parties.applicants import hire


@pytest.mark.req("JPKI-08")
async def test_another_municipalitys_resident_is_sent_to_the_office_in_charge(desk):
    assert await refused(desk.open(clerk=desk.other)) == "outside_jurisdiction"
    for kind in CaseKind:
        call = desk.cases.open(desk.other, kind, desk.national_id)
        assert await refused(call) == "outside_jurisdiction"
    assert await rows(desk.world, tables.case) == []


@pytest.mark.req("JPKI-08")
async def test_whoever_moves_away_during_the_visit_gets_no_keys_here(desk):
    case = await desk.identified()
    await desk.counter.residents.change(desk.person.id, actor=OPERATOR, municipality=THERE)
    assert await refused(desk.make_keys(case, new_number())) == "outside_jurisdiction"


@on_sqlite
async def test_nobody_acts_without_a_shift(desk):
    case = await desk.open()
    await desk.counter.offices.end_shift(desk.first.account)
    assert await refused(desk.open()) == "clerk_not_on_duty"
    for call in (
        desk.cases.identify(desk.first, case.id, CHIP, TERMS.version),
        desk.cases.withdraw(desk.first, case.id),
        desk.cases.holder(desk.first, case.id),
        desk.cases.pay(desk.first, case.id, 500),
    ):
        assert await refused(call) == "clerk_not_on_duty"
    again = await desk.counter.offices.begin_shift(desk.first.account)
    assert again.shift != desk.first.shift
    assert (await desk.cases.withdraw(again, case.id)).state == "withdrawn"


@on_sqlite
async def test_what_a_caller_says_of_its_office_counts_for_nothing(desk):
    case = await desk.open()
    forged = msgspec.structs.replace(desk.other, office=OFFICE.code)
    call = desk.cases.identify(forged, case.id, CHIP, TERMS.version)
    assert await refused(call) == "case_unknown"


@on_sqlite
async def test_another_offices_case_does_not_exist(desk):
    case = await desk.open()
    assert await refused(desk.cases.get(desk.other, case.id)) == "case_unknown"
    assert await refused(desk.cases.withdraw(desk.other, case.id)) == "case_unknown"
    assert await refused(desk.cases.get(desk.first, "cas_" + "a" * 26)) == "case_unknown"
    assert await desk.cases.list(desk.other) == []
    assert [each.id for each in await desk.cases.list(desk.second)] == [case.id]


@on_sqlite
async def test_a_clerk_serves_nobody_they_are(desk):
    own = identity_of("tanaka").national_id
    assert await refused(desk.cases.open(desk.second, CaseKind.ISSUE, own)) == "same_clerk"
    case = await desk.cases.open(desk.first, CaseKind.ISSUE, own)
    case = await desk.cases.identify(desk.first, case.id, PASSPORT, TERMS.version)
    assert await refused(desk.cases.confirm(desk.second, case.id)) == "same_clerk"


@on_sqlite
async def test_a_person_has_one_open_case(desk):
    case = await desk.open()
    assert await refused(desk.open(clerk=desk.second)) == "case_open_elsewhere"
    await desk.cases.withdraw(desk.second, case.id)
    assert (await desk.open(CaseKind.PIN)).state == "opened"


@on_sqlite
async def test_a_stranger_and_somebody_without_an_address_get_one_answer(desk):
    stranger = parse_national_id("F112233444")  # a person without an address: the first clerk
    nobody = parse_national_id("B123456780")
    for number in (stranger, nobody):
        call = desk.cases.open(desk.second, CaseKind.ISSUE, number)
        assert await refused(call) == "resident_unknown"


@on_sqlite
async def test_the_dead_get_no_card(desk):
    people = desk.world.platform.people
    case = await desk.identified()

    def die():
        return (yield from people.mark_deceased(desk.person.id, actor=OPERATOR))

    await desk.world.platform.db.transact(die)
    assert await refused(desk.make_keys(case, new_number())) == "not_eligible"
    await desk.world.leap(timedelta(seconds=2))
    assert (await desk.cases.get(desk.first, case.id)).state == "withdrawn"
    assert await refused(desk.open()) == "not_eligible"


@on_sqlite
async def test_a_death_ends_the_card(desk):
    case = await desk.at("done")
    people = desk.world.platform.people

    def die():
        return (yield from people.mark_deceased(desk.person.id, actor=OPERATOR))

    await desk.world.platform.db.transact(die)
    await desk.world.leap(timedelta(seconds=2))
    assert await desk.states(case) == {("revoked", "cessationOfOperation")}
    assert (await desk.card(case.card)).state == "ended"


@pytest.mark.req("JPKI-20")
@on_sqlite
async def test_a_document_that_has_ended_or_has_no_number_is_none(desk):
    case = await desk.open()
    today = (desk.world.clock.now() + timedelta(hours=8)).date()
    for bent in (
        {"expires_on": today - timedelta(days=1)},
        {"number": Personal("")},
        {"number": Personal("no number")},
        {"number": Personal("A" * 25)},
        {"expires_on": date(1999, 1, 1)},
    ):
        document = msgspec.structs.replace(PASSPORT, **bent)
        call = desk.cases.identify(desk.first, case.id, document, TERMS.version)
        assert await refused(call) == "photo_document_missing"
    last_day = msgspec.structs.replace(PASSPORT, expires_on=today)
    case = await desk.cases.identify(desk.first, case.id, last_day, TERMS.version)
    assert case.state == "identified"


@pytest.mark.req("WAT-62")
@on_sqlite
@pytest.mark.parametrize(
    "number",
    [
        "123456789018",
        "123456789018-5",
        "１２３４５６７８９０１８",
        "1234-5678-9018",
        "1234 5678 9018",
    ],
)
async def test_a_my_number_is_no_document_number_and_is_kept_nowhere(desk, number, caplog):
    case = await desk.open()
    document = msgspec.structs.replace(PASSPORT, number=Personal(number))
    call = desk.cases.identify(desk.first, case.id, document, TERMS.version)
    assert await refused(call) == "my_number_refused"
    assert "9018" not in caplog.text
    (row,) = await rows(desk.world, tables.case)
    assert (row.state, row.document) == ("opened", None)


@on_sqlite
async def test_a_case_runs_out_to_the_second(desk):
    case = await desk.open()
    desk.world.clock.advance(CASE_LIFE - timedelta(seconds=1))
    case = await desk.cases.identify(desk.first, case.id, CHIP, TERMS.version)
    desk.world.clock.advance(timedelta(seconds=1))
    assert await refused(desk.make_keys(case, new_number())) == "case_expired"


@on_sqlite
async def test_the_person_can_read_who_looked_at_their_name(desk):
    case = await desk.open()
    assert await desk.cases.holder(desk.first, case.id) == identity_of("chen")
    (reveal,) = await desk.world.platform.people.reveals(desk.person.id)
    assert (reveal.actor_kind, case.id in reveal.reason) == ("staff", True)


@on_sqlite
@pytest.mark.parametrize("kind", CaseKind)
async def test_a_case_takes_the_steps_of_its_kind_and_no_others(desk, kind):
    card = await desk.at("done")
    case = await desk.identified(kind)
    acts = {
        CaseKind.ISSUE: lambda: desk.make_keys(case, new_number(), start=20),
        CaseKind.PIN: lambda: desk.unlock(case, card.card),
        CaseKind.REVOKE: lambda: desk.cases.revoke(desk.first, case.id, ReportCause.LOST),
    }
    for other in set(CaseKind) - {kind}:
        assert await refused(acts[other]()) == "case_out_of_order"
    assert await desk.states(card) == {("valid", None)}
    assert (await acts[kind]()).version > case.version


# --- offices and clerks --------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("code", "Chiyoda"),
        ("code", ""),
        ("municipality", "千代田"),
        ("name", " x"),
        ("name", "a\u202eb"),
        ("phone", "call me"),
        ("authority", "root"),
        ("authority", "nobody"),
    ],
)
async def test_an_office_that_no_register_holds_is_refused(desk, field, wrong):
    office = msgspec.structs.replace(OFFICE, **{field: wrong})
    call = desk.counter.offices.add_office(office, actor=OPERATOR)
    assert await refused(call) == "counter_entry_malformed"


@on_sqlite
async def test_an_office_is_corrected_by_its_code(desk):
    await desk.counter.offices.add_office(
        msgspec.structs.replace(OFFICE, name="新しい名前"), actor=OPERATOR
    )
    assert [each.name for each in await desk.counter.offices.offices()] == [
        "新しい名前",
        "那覇窓口",
    ]
    assert await refused(desk.counter.offices.office("nowhere")) == "office_unknown"


@on_sqlite
async def test_only_an_account_of_a_clerk_works_at_a_counter(desk):
    login = await hire(desk.world.platform.accounts, Role.AUDITOR, name="auditor")
    account = AccountID(login.account)
    offices = desk.counter.offices
    call = offices.add_clerk(account, desk.person.id, OFFICE.code, actor=OPERATOR)
    assert await refused(call) == "not_a_clerk"
    assert await offices.clerk_of(account) is None
    assert await refused(offices.begin_shift(account)) == "clerk_not_on_duty"


async def test_a_clerk_moves_is_ended_and_comes_back(desk):
    offices = desk.counter.offices
    await offices.add_clerk(desk.first.account, desk.first.person, "naha-1", actor=OPERATOR)
    moved = await offices.clerk_of(desk.first.account)
    assert (moved.office, moved.shift) == ("naha-1", None)
    await offices.end_clerk(desk.first.account, actor=OPERATOR)
    assert await offices.clerk_of(desk.first.account) is None
    assert await offices.clerk_by_person(desk.first.person) is None
    assert await refused(desk.open()) == "clerk_not_on_duty"
    await offices.add_clerk(desk.first.account, desk.first.person, OFFICE.code, actor=OPERATOR)
    assert (await offices.begin_shift(desk.first.account)).office == OFFICE.code
    assert (await desk.open()).state == "opened"


@on_sqlite
async def test_one_person_is_one_clerk(desk):
    login = await hire(desk.world.platform.accounts, Role.CLERK, name="double")
    call = desk.counter.offices.add_clerk(
        AccountID(login.account), desk.first.person, OFFICE.code, actor=OPERATOR
    )
    assert await refused(call) == "row_exists"


@on_sqlite
async def test_a_shift_begun_twice_is_one(desk):
    again = await desk.counter.offices.begin_shift(desk.first.account)
    assert again == desk.first


@on_sqlite
@pytest.mark.parametrize("address", ["", " x", "a\u202eb", "x" * 201, "番地 123456789018"])
async def test_an_address_that_no_register_holds_is_refused(desk, address):
    person = await person_of(desk.world, "lin")
    call = desk.counter.residents.record(
        person.id, Sex.MALE, Personal(address), "chiyoda", OPERATOR
    )
    assert await refused(call) in {"counter_entry_malformed", "my_number_refused"}


@on_sqlite
@pytest.mark.parametrize("act", ["hand over", "unlock"])
async def test_nothing_is_done_for_somebody_who_died_a_moment_ago(desk, act):
    """Before the reaction to the death has come to cards and cases."""
    people = desk.world.platform.people
    case = await desk.at("paid")
    if act == "unlock":
        made = await desk.cases.hand_over(desk.first, case.id)
        case = await desk.identified(CaseKind.PIN)

    def die():
        return (yield from people.mark_deceased(desk.person.id, actor=OPERATOR))

    await desk.world.platform.db.transact(die)
    call = (
        desk.cases.hand_over(desk.first, case.id)
        if act == "hand over"
        else desk.unlock(case, made.card)
    )
    assert await refused(call) == "not_eligible"
