"""The end of a card: reported, by a changed fact, with an unfinished visit (JPKI-12, JPKI-23 to 25)."""

from datetime import date, timedelta

import pytest

from counter.desk import (
    ADDRESS,
    CHIP,
    HERE,
    OPERATOR,
    THERE,
    identity_of,
    new_number,
    on_sqlite,
    refused,
    rows,
)
from inkan.counter.model import CaseKind, ReportCause
from inkan.counter.rules import CASE_LIFE, REASON_OF_CAUSE
from inkan.counter.store import tables
from inkan.crypto.certificate_view import Sex
from inkan.kernel.sensitive import Personal

MOVED = Personal("千代田区丸の内2-2")


@pytest.mark.req("JPKI-24")
@on_sqlite
@pytest.mark.parametrize("cause", list(ReportCause))
async def test_a_reported_card_ends_with_the_reason_of_its_cause(desk, cause):
    card = await desk.at("done")
    case = await desk.identified(CaseKind.REVOKE)
    case = await desk.cases.revoke(desk.first, case.id, cause)
    assert (case.state, case.cause, case.certificates) == ("done", cause, card.certificates)
    assert await desk.states(card) == {("revoked", REASON_OF_CAUSE[cause].value)}
    assert (await desk.card(card.card)).state == "ended"
    assert "card_ended" in await desk.told(desk.person.id)


async def test_a_person_without_a_card_has_nothing_to_revoke(desk):
    case = await desk.identified(CaseKind.REVOKE)
    call = desk.cases.revoke(desk.first, case.id, ReportCause.LOST)
    assert await refused(call) == "card_number_unknown"
    assert (await desk.cases.get(desk.first, case.id)).state == "identified"


@on_sqlite
async def test_nothing_is_revoked_before_the_person_is_identified(desk):
    card = await desk.at("done")
    case = await desk.open(CaseKind.REVOKE)
    call = desk.cases.revoke(desk.first, case.id, ReportCause.LOST)
    assert await refused(call) == "case_out_of_order"
    assert await desk.states(card) == {("valid", None)}


# --- facts ---------------------------------------------------------------------------------------

CHANGES = {
    "address": {"address": MOVED},
    "sex": {"sex": Sex.UNSTATED},
    "municipality": {"municipality": THERE},
    "name": {"identity": "陳怡如"},
    "birth date": {"identity": date(1988, 3, 15)},
}


def changed(facts):
    if isinstance(facts.get("identity"), str):
        return {"identity": identity_of("chen", name=facts["identity"])}
    if "identity" in facts:
        return {"identity": identity_of("chen", birth_date=facts["identity"])}
    return facts


@pytest.mark.req("JPKI-12")
@pytest.mark.parametrize("fact", CHANGES)
async def test_a_changed_fact_ends_the_card_in_the_same_transaction(desk, fact):
    card = await desk.at("done")
    await desk.counter.residents.change(desk.person.id, actor=OPERATOR, **changed(CHANGES[fact]))
    assert await desk.states(card) == {("revoked", "affiliationChanged")}
    assert (await desk.card(card.card)).state == "ended"
    await desk.world.events()


@pytest.mark.req("JPKI-12")
@pytest.mark.parametrize("state", ["keyed", "ordered", "written", "paid"])
async def test_a_changed_fact_ends_an_issue_under_way(desk, state):
    case = await desk.at(state)
    await desk.counter.residents.change(desk.person.id, actor=OPERATOR, address=MOVED)
    assert (await desk.cases.get(desk.first, case.id)).state == "withdrawn"
    assert {each for each, _ in await desk.states(case)} == {"revoked"}
    assert await refused(desk.cases.hand_over(desk.first, case.id)) == "case_out_of_order"


@on_sqlite
async def test_a_fact_that_changes_before_the_keys_are_made_stands_in_the_certificate(desk):
    case = await desk.identified()
    await desk.counter.residents.change(desk.person.id, actor=OPERATOR, address=MOVED)
    case = await desk.make_keys(case, new_number())
    case = await desk.cases.order(desk.first, case.id)
    assert await desk.states(case) == {("valid", None)}


@on_sqlite
async def test_the_same_facts_again_end_nothing(desk):
    card = await desk.at("done")
    residents = desk.counter.residents
    await residents.change(desk.person.id, actor=OPERATOR, address=ADDRESS, municipality=HERE)
    await residents.change(desk.person.id, actor=OPERATOR, identity=identity_of("chen"))
    await residents.record(desk.person.id, Sex.FEMALE, ADDRESS, HERE, OPERATOR)
    assert await desk.states(card) == {("valid", None)}


@on_sqlite
async def test_recording_a_known_resident_anew_is_a_change(desk):
    card = await desk.at("done")
    await desk.counter.residents.record(desk.person.id, Sex.FEMALE, MOVED, HERE, OPERATOR)
    assert await desk.states(card) == {("revoked", "affiliationChanged")}
    assert (await desk.counter.residents.of(desk.person.id)).address == MOVED


@pytest.mark.req("JPKI-12")
async def test_a_name_that_another_register_changed_ends_the_card_too(desk):
    card = await desk.at("done")
    desk.world.clock.tick(1)
    await desk.world.platform.people.register(identity_of("chen", name="陳怡如"), actor=OPERATOR)
    desk.world.clock.tick(1)
    made_since = await desk.at("keyed", start=20)
    await desk.world.leap(timedelta(seconds=2))
    assert await desk.states(card) == {("revoked", "affiliationChanged")}
    assert (await desk.cases.get(desk.first, made_since.id)).state in {"keyed", "ordered"}


@on_sqlite
async def test_somebody_elses_identity_is_no_change_of_this_one(desk):
    card = await desk.at("done")
    call = desk.counter.residents.change(
        desk.person.id, actor=OPERATOR, identity=identity_of("tanaka")
    )
    assert await refused(call) == "counter_entry_malformed"
    assert await desk.states(card) == {("valid", None)}


# --- unfinished ----------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["opened", "identified", "keyed", "ordered", "written", "paid"])
async def test_a_withdrawn_visit_leaves_no_good_certificate(desk, state):
    case = await desk.at(state)
    case = await desk.cases.withdraw(desk.second, case.id)
    assert case.state == "withdrawn"
    assert {each for each, _ in await desk.states(case)} <= {"revoked"}
    if case.card is not None:
        assert (await desk.card(case.card)).state == "ended"
    assert (await desk.open()).state == "opened"


@pytest.mark.parametrize("state", ["identified", "keyed", "ordered", "written", "paid"])
async def test_the_sweep_ends_a_visit_that_nobody_went_on_with(desk, state):
    case = await desk.at(state)
    await desk.world.leap(CASE_LIFE - timedelta(seconds=1))
    assert (await desk.cases.get(desk.first, case.id)).state != "withdrawn"
    await desk.world.leap(timedelta(minutes=1))
    case = await desk.cases.get(desk.first, case.id)
    assert case.state == "withdrawn"
    assert {each for each, _ in await desk.states(case)} <= {"revoked"}
    if case.card is not None:
        assert (await desk.card(case.card)).state == "ended"
    (row,) = await rows(desk.world, tables.case)
    assert row.live is None


@on_sqlite
async def test_the_sweep_leaves_what_is_done(desk):
    case = await desk.at("done")
    await desk.world.leap(2 * CASE_LIFE)
    assert await desk.states(case) == {("valid", None)}


@on_sqlite
async def test_a_card_left_with_keys_is_taken_again_by_its_person(desk):
    number = new_number()
    case = await desk.at("keyed", number=number)
    await desk.cases.withdraw(desk.first, case.id)
    again = await desk.at("done", number=number, start=20)
    assert await desk.states(again) == {("valid", None)}
    assert (await desk.card(number)).case == again.id


# --- PIN -----------------------------------------------------------------------------------------


@pytest.mark.req("JPKI-31")
@pytest.mark.req("JPKI-33")
async def test_a_pin_is_set_anew_in_a_case_of_the_cards_person(desk):
    card = await desk.at("done")
    case = await desk.identified(CaseKind.PIN)
    assert await refused(desk.unlock(case, new_number())) == "card_number_unknown"
    case = await desk.unlock(case, card.card)
    assert (case.state, case.card) == ("done", card.card)
    assert "card_unlocked" in await desk.told(desk.person.id)
    assert await desk.states(card) == {("valid", None)}


@on_sqlite
async def test_another_persons_card_an_unfinished_and_an_ended_one_are_not_unlocked(desk):
    foreign = await desk.at("done")
    own = identity_of("tanaka").national_id
    case = await desk.cases.open(desk.first, CaseKind.PIN, own)
    case = await desk.cases.identify(desk.first, case.id, CHIP, None)
    assert await refused(desk.unlock(case, foreign.card)) == "card_taken"
    ending = await desk.identified(CaseKind.REVOKE)
    await desk.cases.revoke(desk.first, ending.id, ReportCause.STOLEN)
    mine = await desk.identified(CaseKind.PIN)
    assert await refused(desk.unlock(mine, foreign.card)) == "card_number_unknown"


@on_sqlite
async def test_a_pin_is_not_set_before_the_person_is_identified(desk):
    card = await desk.at("done")
    case = await desk.open(CaseKind.PIN)
    assert await refused(desk.unlock(case, card.card)) == "case_out_of_order"
