"""kill -9 of a whole server under load: nothing acknowledged is lost, nothing doubled, what was begun is ended.

Clients keep a ledger of every answer they were given. After each kill a fresh server has to honour the whole
ledger; at the end the database is read with nothing of the product in between.
"""

import asyncio
import signal
import sqlite3
from collections import Counter
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from inkan.client import (
    CallRefused,
    EnrolmentClient,
    Phone,
    PlatformTimeout,
    PlatformUnreachable,
    RelyingParty,
    Session,
    StartedEnrolment,
    Verdict,
)
from inkan.demo.country import Citizen
from inkan.wire.enrolment_request import KeyUse
from inkan.wire.session import Outcome
from journeys.served_country import Place, assert_finished, found, sign, start
from support.ports import free_port

pytestmark = pytest.mark.crash

HASTY = (str(Path(__file__).with_name("hasty_server.py")),)
SHORT, LONG = 6, 40
GONE = (PlatformUnreachable, PlatformTimeout)


@dataclass
class Binding:
    """A phone on its way: what the platform acknowledged of it."""

    phone: Phone
    started: StartedEnrolment
    cms: bytes = b""
    accepted: bool = False
    is_done: bool = False


@dataclass
class Ledger:
    """Every answer that the clients were given."""

    created: list[Session] = field(default_factory=list)
    approved: list[Session] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def approve(self, session: Session) -> None:
        self.approved.append(session)
        async with self._news:
            self._news.notify_all()

    async def reach(self, count: int) -> None:
        """Wait until so many approvals were acknowledged."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: len(self.approved) >= count)


# --- clients ----------------------------------------------------------------------------------------


async def identify_for_ever(agency: RelyingParty, phone: Phone, ledger: Ledger) -> None:
    while True:
        session = await agency.create_session("identify", purpose="login")
        ledger.created.append(session)
        await phone.open_frame(session.frame())
        decision = await phone.approve()
        assert decision.outcome is Outcome.OK
        await ledger.approve(session)


async def bind(place: Place, desk: EnrolmentClient, citizen: Citizen, ledger: Ledger) -> None:
    phone = place.new_phone(citizen.part.key)
    binding = Binding(phone, await start(desk))
    ledger.bindings.append(binding)
    await phone.join(await binding.started.frame())
    binding.cms = await sign(binding.started, citizen, await phone.prepare())
    await binding.started.submit(binding.cms)
    binding.accepted = True
    binding.is_done = await phone.collect() is not None


async def until_gone(work: Coroutine[Any, Any, None]) -> None:
    """A client whose server went away."""
    with suppress(*GONE):
        await work


# --- comparison -------------------------------------------------------------------------------------


async def assert_honoured(ledger: Ledger) -> None:
    """What a server has to answer after a restart."""
    for session in ledger.created:
        try:
            await session.refresh()
        except CallRefused as refusal:
            pytest.fail(f"acknowledged and lost: {session.view.id} {refusal.problem_code}")
    for session in ledger.approved:
        view = session.view
        assert view.is_ok, f"acknowledged and lost: {view.id} is {view.state} {view.outcome}"
        receipt = await session.receipt()
        assert receipt.report.verdict is Verdict.VALID
        assert receipt.receipt.session == view.id
    for binding in ledger.bindings:
        if binding.cms and not binding.accepted:
            # In doubt: the very same request again is answered like the first
            await binding.started.submit(binding.cms)
            binding.accepted = True
        if binding.accepted and not binding.is_done:
            binding.is_done = await binding.phone.collect(wait_s=20) is not None
            assert binding.is_done, "acknowledged and lost: an accepted enrolment was not issued"
            assert set(binding.phone.certificates) == {KeyUse.AUTH, KeyUse.SIGN}


def assert_single(folder: Path, ledger: Ledger) -> None:
    """Nothing is there twice, nothing half."""

    def rows(sql: str) -> list[Any]:
        with sqlite3.connect(folder / "inkan.db") as database:
            return database.execute(sql).fetchall()

    approved = {session.view.id for session in ledger.approved}
    released = {
        name
        for (name,) in rows(
            "SELECT s.id FROM identification_session s JOIN approvals_approval a"
            " ON a.id = s.approval WHERE a.state = 'closed' AND a.outcome = 'ok'"
        )
    }
    assert approved <= released, "acknowledged and lost"
    assert released <= {session.view.id for session in ledger.created}
    of_phone = "SELECT phone, count(*) FROM {} WHERE outcome = 'ok' GROUP BY phone"
    used, answered = (
        dict(rows(of_phone.format(table))) for table in ("approvals_record", "approvals_approval")
    )
    assert used == answered, "one usage record for each"
    receipts = rows(
        "SELECT count(*), count(receipt) FROM identification_session"
        " WHERE receipt_payload IS NOT NULL"
    )
    assert receipts == [(len(released), len(released))], "every receipt is signed"
    pairs = Counter(rows("SELECT owner, profile FROM pki_certificate WHERE profile LIKE 'phone-%'"))
    assert set(pairs.values()) == {1}, "one auth and one sign certificate for each"
    owners = Counter(owner for owner, _ in pairs)
    assert set(owners.values()) == {2}
    assert len(owners) >= sum(binding.accepted for binding in ledger.bindings)
    phones = rows("SELECT person, count(*) FROM enrolment_phone GROUP BY person")
    assert {count for _, count in phones} == {1}
    states = {state for (state,) in rows("SELECT DISTINCT state FROM pki_certificate")}
    assert states == {"valid"}


# --- tests ------------------------------------------------------------------------------------------


@pytest.fixture
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    newcomers = getattr(request, "param", 0)
    return await found(tmp_path / "home", port=free_port(), newcomers=newcomers)


async def kill_in_a_loop(place: Place, kills: int) -> None:
    ledger = Ledger()
    async with AsyncExitStack() as stack:
        agency = await stack.enter_async_context(place.agency())
        desk = await stack.enter_async_context(EnrolmentClient(place.platform))
        phones = [await stack.enter_async_context(place.open_phone(path)) for path in place.phones]
        for number in range(kills):
            async with place.serving() as server:
                await assert_honoured(ledger)
                work = [identify_for_ever(agency, phone, ledger) for phone in phones]
                work += [bind(place, desk, who, ledger) for who in place.citizens[number::kills]]
                clients = asyncio.gather(*map(until_gone, work))
                await ledger.reach(len(ledger.approved) + 2 + 3 * (number % 4))
                server.send_signal(signal.SIGKILL)
                await server.wait()
                await clients
        async with place.serving():
            await assert_honoured(ledger)
        for binding in ledger.bindings:
            await binding.phone.close()
    assert len(ledger.approved) >= 4 * kills
    assert any(binding.is_done for binding in ledger.bindings)
    await assert_finished(place)
    assert_single(place.folder, ledger)


@pytest.mark.parametrize("place", [SHORT], indirect=True)
async def test_a_killed_server_loses_and_doubles_nothing(place: Place) -> None:
    await kill_in_a_loop(place, SHORT)


@pytest.mark.long
@pytest.mark.parametrize("place", [2 * LONG], indirect=True)
async def test_a_server_killed_again_and_again_loses_and_doubles_nothing(place: Place) -> None:
    await kill_in_a_loop(place, LONG)


async def test_a_server_that_answered_before_commit_would_be_caught(place: Place) -> None:
    """The control: the same kill and comparison, and answers that were given too soon."""
    ledger = Ledger()
    async with place.agency() as agency:
        async with place.serving(HASTY) as server:
            ledger.created.append(await agency.create_session("identify", purpose="login"))
            server.send_signal(signal.SIGUSR1)
            ledger.created.append(await agency.create_session("identify", purpose="login"))
            server.send_signal(signal.SIGKILL)
            await server.wait()
        async with place.serving():
            with pytest.raises(pytest.fail.Exception, match="acknowledged and lost"):
                await assert_honoured(ledger)
            kept = ledger.created.pop(0)
            assert (await kept.refresh()).state == "presented"
