"""A process that dies between the card's keys and the case's certificates: the next one goes on, or gives all of it up."""

from collections import Counter
from datetime import timedelta

import pytest

from counter.desk import identity_of, on_sqlite
from inkan.counter.model import CaseKind
from inkan.counter.rules import CASE_LIFE, SWEEP_EVERY
from inkan.counter.service import holding, issuing
from inkan.pki import LintRefused
from inkan.pki.service.issue import Issue
from inkan.store.database import StoreBusy


class Died(BaseException):
    """The process stops here: no handler of the product may catch it."""


def dies(*args, **kwargs):
    raise Died


async def dies_later(*args, **kwargs):
    raise Died


PLACES = {
    "before the first twin": (Issue, "_intend", dies_later),
    "before the signature": (Issue, "_sign", dies_later),
    "after the signature": (Issue, "_signed", dies),
    "before the case says so": (issuing, "_ordered", dies),
}


async def crashed(desk, monkeypatch, place):
    case = await desk.at("keyed")
    module, name, death = PLACES[place]
    with monkeypatch.context() as patch:
        patch.setattr(module, name, death)
        with pytest.raises(Died):
            await desk.cases.order(desk.first, case.id)
    assert (await desk.cases.get(desk.first, case.id)).state == "keyed"
    return case


@pytest.mark.parametrize("place", PLACES)
async def test_the_sweep_issues_what_a_crash_left(desk, monkeypatch, place):
    case = await crashed(desk, monkeypatch, place)
    await desk.world.leap(SWEEP_EVERY + timedelta(seconds=1))
    case = await desk.cases.get(desk.first, case.id)
    assert case.state == "ordered"
    assert await desk.states(case) == {("valid", None)}
    events = Counter(await desk.world.events())
    assert (events["pki.certificate_issued"], events["counter.certificates_issued"]) == (2, 1)


@on_sqlite
@pytest.mark.parametrize("place", PLACES)
async def test_the_clerk_goes_on_where_a_crash_was(desk, monkeypatch, place):
    case = await crashed(desk, monkeypatch, place)
    case = await desk.cases.order(desk.first, case.id)
    assert case.state == "ordered"
    assert (await desk.write(case)).state == "written"


@pytest.mark.parametrize("place", PLACES)
async def test_a_crash_that_nobody_comes_back_from_leaves_nothing_good(desk, monkeypatch, place):
    case = await crashed(desk, monkeypatch, place)
    desk.world.clock.advance(CASE_LIFE)
    await desk.cases.sweep()
    await desk.world.platform.pki.finish_issues()
    case = await desk.cases.get(desk.first, case.id)
    assert case.state == "withdrawn"
    assert {state for state, _ in await desk.states(case)} == {"revoked"}
    assert (await desk.card(case.card)).state == "ended"


async def test_a_certificate_that_cannot_be_issued_ends_the_case(desk, monkeypatch):
    case = await desk.at("keyed")

    async def findings(self, twin):
        return ["pkix.broken"]

    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_findings", findings)
        patch.setattr(desk.world.platform.pki._issue, "_lint", True)
        with pytest.raises(LintRefused):
            await desk.cases.order(desk.first, case.id)
    case = await desk.cases.get(desk.first, case.id)
    assert case.state == "withdrawn"
    assert {state for state, _ in await desk.states(case)} == {"refused", "revoked"}
    assert (await desk.open()).state == "opened"


@on_sqlite
async def test_a_case_that_fails_holds_no_other_up(desk, monkeypatch):
    case = await desk.at("keyed")
    theirs = await desk.cases.open(desk.first, CaseKind.ISSUE, identity_of("tanaka").national_id)
    withdraw = holding.withdraw

    def refusing(parts, known, **options):
        if known.id == case.id:
            raise StoreBusy()
        return (yield from withdraw(parts, known, **options))

    with monkeypatch.context() as patch:
        patch.setattr(holding, "withdraw", refusing)
        await desk.world.leap(2 * CASE_LIFE)
    assert (await desk.cases.get(desk.first, case.id)).state != "withdrawn"
    assert (await desk.cases.get(desk.first, theirs.id)).state == "withdrawn"
    await desk.cases.sweep()
    assert (await desk.cases.get(desk.first, case.id)).state == "withdrawn"
