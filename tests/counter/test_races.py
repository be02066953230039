"""Rivals at one person, one card, one case: somebody wins, and nothing is left that belongs to nobody."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from counter.desk import (
    ADDRESS,
    CHIP,
    HERE,
    OPERATOR,
    PASSPORT,
    identity_of,
    new_number,
    rows,
)
from inkan.counter.model import CaseKind
from inkan.counter.rules import CASE_LIFE, FEE, TERMS
from inkan.counter.service import issuing, reading
from inkan.counter.store import cases as store
from inkan.counter.store import tables
from inkan.crypto.certificate_view import Sex
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Personal
from inkan.pki.store import certificate

MOVED = Personal("千代田区丸の内2-2")
pytestmark = pytest.mark.race


async def outcomes(*calls):
    """How each of some calls that run at once ended."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException) and not isinstance(answer, InkanError):
            raise answer
    return Counter(getattr(answer, "code", "done") for answer in answers)


async def test_ten_openings_for_one_person_open_one_case(desk):
    calls = [desk.open(clerk=clerk) for clerk in (desk.first, desk.second) * 5]
    assert await outcomes(*calls) == {"done": 1, "case_open_elsewhere": 9}
    assert len(await rows(desk.world, tables.case)) == 1


async def test_one_blank_card_in_two_cases_becomes_one_persons(desk):
    number = new_number()
    mine = await desk.identified()
    theirs = await desk.cases.open(desk.first, CaseKind.ISSUE, identity_of("tanaka").national_id)
    theirs = await desk.cases.identify(desk.first, theirs.id, CHIP, TERMS.version)
    ended = await outcomes(
        desk.make_keys(mine, number, start=10), desk.make_keys(theirs, number, start=20)
    )
    assert ended == {"done": 1, "card_taken": 1}
    (card,) = await rows(desk.world, tables.card)
    (case,) = await rows(desk.world, tables.case, card=number)
    assert (card.person, card.case) == (case.person, case.id)
    made = await rows(desk.world, certificate, owner=f"card:{number}")
    assert {each.id for each in made} == set(case.certificates.values())


async def test_one_answer_taken_twice_makes_one_pair_of_certificates(desk):
    number = new_number()
    case = await desk.identified()
    ended = await outcomes(*[desk.make_keys(case, number) for _ in range(5)])
    assert ended == {"done": 1, "case_out_of_order": 4}
    assert len(await rows(desk.world, certificate, owner=f"card:{number}")) == 2


async def test_certificates_ordered_by_clerk_and_sweep_at_once_are_issued_once(desk):
    case = await desk.at("keyed")
    calls = [desk.cases.order(desk.first, case.id) for _ in range(3)]
    assert await outcomes(*calls, desk.cases.sweep()) == {"done": 4}
    events = Counter(await desk.world.events())
    assert events["counter.certificates_issued"] == 1
    assert events["pki.certificate_issued"] == 2


async def test_a_card_is_handed_over_once(desk):
    case = await desk.at("paid")
    calls = [desk.cases.hand_over(clerk, case.id) for clerk in (desk.first, desk.second) * 3]
    assert await outcomes(*calls) == {"done": 1, "case_out_of_order": 5}
    assert Counter(await desk.world.events())["counter.card_handed_over"] == 1


async def test_a_fee_is_taken_once(desk):
    case = await desk.at("written")
    calls = [desk.cases.pay(desk.first, case.id, FEE) for _ in range(5)]
    assert await outcomes(*calls) == {"done": 1, "case_out_of_order": 4}


async def test_one_second_clerk_confirms(desk):
    case = await desk.identified(document=PASSPORT)
    calls = [desk.cases.confirm(desk.second, case.id) for _ in range(4)]
    assert await outcomes(*calls) == {"done": 1, "case_out_of_order": 3}


def slowly(step):
    """A step that stays open for a while after its last query, as on a busy database."""

    def slow(*arguments):
        answer = yield from step(*arguments)
        for _ in range(100):
            yield store.CASE.one(key="none")
        return answer

    return slow


@pytest.mark.req("JPKI-12")
@pytest.mark.parametrize("state", ["identified", "keyed", "ordered", "written", "paid"])
async def test_no_card_with_old_facts_survives_a_change_that_comes_at_the_same_moment(
    desk, monkeypatch, state
):
    case = await desk.at(state)
    number = case.card or new_number()
    act = {
        "identified": lambda: desk.make_keys(case, number),
        "keyed": lambda: desk.cases.order(desk.first, case.id),
        "ordered": lambda: desk.write(case),
        "written": lambda: desk.cases.pay(desk.first, case.id, FEE),
        "paid": lambda: desk.cases.hand_over(desk.first, case.id),
    }[state]
    change = desk.counter.residents.change(desk.person.id, actor=OPERATOR, address=MOVED)
    with monkeypatch.context() as patch:
        patch.setattr(issuing, "_order", slowly(issuing._order))
        await outcomes(act(), change)
    case = await desk.cases.get(desk.first, case.id)
    true = await desk.world.platform.db.read(
        reading.facts_hashes, desk.counter.parts, desk.person.id
    )
    for card in await rows(desk.world, tables.card):
        assert card.state == "ended" or card.facts in true
    if state != "identified":
        assert {each for each, _ in await desk.states(case)} == {"revoked"}
        assert case.state in {"withdrawn", "done"}
    await desk.world.events()


async def test_a_visit_that_runs_out_while_it_is_finished_is_one_or_the_other(desk):
    case = await desk.at("paid")
    desk.world.clock.advance(CASE_LIFE - timedelta(microseconds=1))
    handing = asyncio.ensure_future(desk.cases.hand_over(desk.first, case.id))
    desk.world.clock.advance(timedelta(microseconds=1))
    await asyncio.gather(handing, desk.cases.sweep(), return_exceptions=True)
    await desk.cases.sweep()
    case = await desk.cases.get(desk.first, case.id)
    good = {"done": {"valid"}, "withdrawn": {"revoked"}}[case.state.value]
    assert {state for state, _ in await desk.states(case)} == good


async def test_withdrawn_and_written_at_once_leaves_nothing_good(desk):
    case = await desk.at("ordered")
    await outcomes(desk.write(case), desk.cases.withdraw(desk.second, case.id))
    case = await desk.cases.get(desk.first, case.id)
    assert case.state == "withdrawn"
    assert {state for state, _ in await desk.states(case)} == {"revoked"}


async def test_ten_beginnings_of_a_shift_begin_one(desk):
    await desk.counter.offices.end_shift(desk.first.account)
    begun = await asyncio.gather(
        *[desk.counter.offices.begin_shift(desk.first.account) for _ in range(10)]
    )
    assert len({clerk.shift for clerk in begun}) == 1
    assert None not in {clerk.shift for clerk in begun}


async def test_a_shift_that_ends_meanwhile_lets_the_act_through_or_not(desk):
    calls = [desk.open(), desk.counter.offices.end_shift(desk.first.account)]
    ended = await outcomes(*calls)
    assert ended in ({"done": 2}, {"done": 1, "clerk_not_on_duty": 1})
    cases = await rows(desk.world, tables.case)
    assert len(cases) == ended["done"] - 1


async def test_a_resident_recorded_by_two_offices_at_once_is_one(desk):
    person = desk.first.person
    calls = [
        desk.counter.residents.record(person, Sex.MALE, address, HERE, OPERATOR)
        for address in (ADDRESS, MOVED) * 3
    ]
    assert await outcomes(*calls) == {"done": 6}
    assert len(await rows(desk.world, tables.resident, person=person)) == 1
