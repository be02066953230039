"""The kit's platform tells the truth unless an attack says otherwise: as the client of relying parties sees it."""

import asyncio

import pytest

from conformance.conftest import CODE, Town
from inkan.client import CallRefused, RelyingParty, SystemCredentials
from inkan.client.exchange import CallForbidden, CallGone, CallNotFound
from inkan.client.session_view import begin_return
from inkan.conformance import HostilePlatform, KitRoot
from inkan.conformance.service import EXPECTED, OTHER, Order
from inkan.conformance.service.authority import new_key
from inkan.kernel.sensitive import Personal, Secret
from inkan.wire.binding import Door, StatementDoor
from inkan.wire.session import Outcome, SessionState
from support.clock import StandingClock


@pytest.fixture
def agency(town: Town) -> RelyingParty:
    credentials = SystemCredentials(issuer=town.platform.issuer, code=CODE, key=new_key())
    return RelyingParty(credentials, anchors=[town.root.der], transport=town.transport)


async def test_a_session_by_code_is_followed_to_its_receipt(
    town: Town, agency: RelyingParty
) -> None:
    session = await agency.create_session("identify", purpose="login")
    play, second = town.platform.scan(session.frame())
    assert (play.id, second) == (session.id, 0)
    waiting = asyncio.create_task(session.wait(timeout_s=20))
    await asyncio.sleep(0.1)
    town.platform.answer(play, person=EXPECTED, door=StatementDoor.QR)
    view = await waiting
    assert view.is_ok
    assert view.subject is not None
    receipt = (await session.receipt()).receipt
    assert receipt.subject is not None
    assert receipt.subject.person_ref == view.subject.person_ref == EXPECTED
    assert [view.state async for view in session.events()] == []


async def test_a_stream_tells_each_change(town: Town, agency: RelyingParty) -> None:
    session = await agency.create_session("identify", purpose="login")
    states = []
    async for view in session.events():
        states.append(view.state)
        if view.state is SessionState.PRESENTED:
            play = town.platform.plays[session.id]
            town.platform.answer(play, person=EXPECTED, door=StatementDoor.QR)
    assert states == [SessionState.PRESENTED, SessionState.CLOSED]


async def test_a_return_is_released_once_and_to_its_verifier(
    town: Town, agency: RelyingParty
) -> None:
    back, verifier = begin_return("http://agency.localhost/return")
    for given, refusal in ((verifier, None), (Secret("AAAA"), CallForbidden)):
        session = await agency.create_session(
            "identify", purpose="login", doors=(Door.WEB_LINK,), return_to=back
        )
        play = town.platform.plays[session.id]
        code = town.platform.answer(play, person=EXPECTED, door=StatementDoor.WEB_LINK)
        assert (await session.refresh()).subject is None
        if refusal is None:
            assert (await session.redeem(given, return_code=code)).is_ok
        else:
            with pytest.raises(refusal):
                await session.redeem(given, return_code=code)
        with pytest.raises(CallGone):
            await session.redeem(verifier, return_code=code)


async def test_another_person_than_the_expected_one_fails(town: Town, agency: RelyingParty) -> None:
    from inkan.client import SubjectHint

    hint = SubjectHint(type="national_id", value=Personal("A800000014"))
    session = await agency.create_session("identify", purpose="login", subject_hint=hint)
    play = town.platform.plays[session.id]
    town.platform.answer(play, person=OTHER, door=StatementDoor.QR)
    view = await session.refresh()
    assert (view.outcome, view.reason, view.match) == (Outcome.FAILED, "subject_mismatch", False)
    assert view.subject is None
    assert (await session.receipt()).receipt.subject is None


async def test_what_is_not_there_is_refused(town: Town, agency: RelyingParty) -> None:
    session = await agency.create_session("identify", purpose="login")
    with pytest.raises(CallRefused):
        await session.receipt()
    with pytest.raises(CallRefused):
        await session.evidence()
    assert (await session.cancel()).state is SessionState.CANCELLED
    with pytest.raises(CallRefused):
        await session.cancel()
    town.platform.plays.clear()
    with pytest.raises(CallNotFound):
        await session.refresh()


def test_time_ends_a_session(clock: StandingClock) -> None:
    root = KitRoot.made(clock)
    platform = HostilePlatform("http://h.localhost:1", root, clock, domain="a.localhost")
    play, doors = platform.create(Order(kind="identify", purpose="login", challenge="A" * 43))
    assert set(doors) == {"qr"}
    clock.tick(179)
    assert platform.find(play.id).state is SessionState.PRESENTED
    clock.tick(1)
    assert platform.find(play.id).state is SessionState.EXPIRED
