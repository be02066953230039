"""The console: who may look, who may act, what is masked, and that each act leaves its event."""

import re

import pytest

from inkan.accounts import LOGIN_COOKIE, Role
from inkan.audit import Actor, ActorKind
from inkan.client import Phone
from inkan.kernel.ids import PersonID
from inkan.portal.pages.console import ENTRIES
from inkan.store.database import MOMENT, Step
from inkan.store.outbox import dead_jobs
from inkan.store.outbox.jobs import _LAY_DOWN
from portal.browsers import Browser, body_of
from relying_parties.applicants import hire_token
from support.clock import StandingClock
from support.world import World

PATHS = ("/console/jobs", "/console/log", "/console/carriers", "/console/reports")
READERS = {
    "/console/jobs": {Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR},
    "/console/log": {Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR},
    "/console/carriers": {Role.ADMINISTRATOR, Role.OPERATOR, Role.AUDITOR},
    "/console/reports": {Role.OPERATOR, Role.RP_OFFICER, Role.AUDITOR},
}
DEAD = "job_6vq3vb3m2c7g4kq1h8d0y5tzja"


async def staff(world: World, *roles: Role) -> Browser:
    browser = Browser(world.instance.application)
    token = await hire_token(world.platform.accounts, *roles, name="-".join(roles))
    browser.cookies[LOGIN_COOKIE] = token.token.reveal()
    return browser


@pytest.fixture
async def reported(world: World, phone: Phone) -> str:
    """A use that its person reported."""
    await world.identify(await world.agency(), phone)
    person = PersonID((await world.citizen("chen")).person.id)
    record = (await world.platform.identification.records(person, before=None))[0]
    actor = Actor(ActorKind.PERSON, person)
    await world.platform.identification.report_use(person, record.id, actor=actor)
    return record.id


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.PERSON}))
async def test_each_page_has_its_readers(world: World, role: Role) -> None:
    browser = await staff(world, role)
    for path in PATHS:
        expected = 200 if role in READERS[path] else 403
        assert (await browser.see(path)).status == expected, path
    start = body_of(await browser.see("/console"))
    for entry in ENTRIES:
        if entry.path in READERS:
            assert (f'href="{entry.path}"' in start) == (role in READERS[entry.path])


async def test_nobody_else_comes_in(world: World, browser: Browser) -> None:
    for path in ("/console", *PATHS):
        reply = await browser.see(path)
        assert reply.status == 303
        assert (reply.header("location") or "").startswith("/staff/login")


async def test_a_dead_job_is_tried_again_by_an_operator_alone(world: World) -> None:
    await world.platform.db.transact(_die)
    auditor, operator = await staff(world, Role.AUDITOR), await staff(world, Role.OPERATOR)
    page = (await auditor.see("/console/jobs")).text
    assert DEAD in page
    assert "&lt;b&gt;broken" in page
    assert "/retry" not in page
    path = f"/console/jobs/{DEAD}/retry"
    assert (await auditor.send(path, "/verify")).status == 403
    assert (await operator.send(path, "/verify")).status == 303
    assert await world.platform.db.read(dead_jobs) == []
    assert "portal.job_retried" in await world.events()
    assert (await operator.send(path, "/verify")).status == 404


async def test_reports_are_masked_until_a_reason_is_given(world: World, reported: str) -> None:
    operator, auditor = await staff(world, Role.OPERATOR), await staff(world, Role.AUDITOR)
    page = body_of(await operator.see("/console/reports"))
    assert reported in page
    assert "陳○君" in page
    assert "陳怡君" not in page
    assert "A234567893" not in page
    assert "/reveal" not in body_of(await auditor.see("/console/reports"))
    path = f"/console/reports/{reported}/reveal"
    refused = await operator.send(path, "/verify", reason=" ")
    assert refused.status == 400
    assert "陳怡君" not in refused.text
    shown = await operator.send(path, "/verify", reason="the tax office was called")
    assert shown.status == 200
    assert "陳怡君" in shown.text
    person = PersonID((await world.citizen("chen")).person.id)
    assert [each.reason for each in await world.platform.people.reveals(person)] == [
        "the tax office was called"
    ]
    assert "people.revealed" in await world.events()


async def test_only_reported_uses_are_revealed(world: World, phone: Phone, reported: str) -> None:
    await world.identify(await world.agency("city-hall"), phone)
    person = PersonID((await world.citizen("chen")).person.id)
    quiet = (await world.platform.identification.records(person, before=None))[0]
    operator = await staff(world, Role.OPERATOR)
    for record in (quiet.id if quiet.id != reported else "use_none", "use_unknown"):
        path = f"/console/reports/{record}/reveal"
        refused = await operator.send(path, "/verify", reason="because")
        assert refused.status == 404
        assert "陳怡君" not in refused.text


async def test_a_reveal_needs_a_fresh_passkey(
    world: World, reported: str, clock: StandingClock
) -> None:
    operator = await staff(world, Role.OPERATOR)
    for _ in range(3):
        clock.tick(5 * 60)
        assert (await operator.see("/console/reports")).status == 200
    path = f"/console/reports/{reported}/reveal"
    refused = await operator.send(path, "/verify", reason="because")
    # Back through the login: what was asked for is not done on the way.
    assert (refused.status, refused.header("location")) == (303, "/staff/login")
    assert "陳怡君" not in refused.text


async def test_the_log_page_tells_how_far_it_is(world: World) -> None:
    auditor = await staff(world, Role.AUDITOR)
    await world.platform.audit.sequence_once()
    before = await world.platform.audit.state()
    assert before.unsequenced == 0
    assert before.oldest is None
    await world.citizen("lin")
    state = await world.platform.audit.state()
    assert state.unsequenced > 0
    assert state.oldest is not None
    await world.platform.audit.sequence_once()
    head = await world.platform.audit.sign_head()
    assert head is not None
    page = body_of(await auditor.see("/console/log"))
    assert head.root.hex() in page
    assert re.search(rf'Events under it</dt><dd class="digits">{head.size}<', page)


def _die() -> Step[None]:
    moment = yield MOMENT
    yield _LAY_DOWN.run(
        id=DEAD,
        kind="notices.mail",
        key=None,
        payload=b"{}",
        tries=12,
        error="<b>broken",
        enqueued_at=moment,
        died_at=moment,
    )
