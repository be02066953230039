"""One served instance on which every page has something to show, and every shown text tries to be more than text."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from counter.clerks import desk_on
from inkan.accounts import LOGIN_COOKIE, Role
from inkan.audit import Actor, ActorKind
from inkan.client import Session
from inkan.counter.model import CaseKind
from inkan.kernel.ids import PersonID
from inkan.notices import NewsTexts
from inkan.relying_parties.model.application import Application
from inkan.store.connect import database as database_of
from inkan.store.database import MOMENT, Step
from inkan.store.outbox.jobs import _LAY_DOWN
from inkan.web.server import Server
from relying_parties.applicants import NAMES, SEAL_AUTHORITY, Office, hire, hire_token
from sandbox.homes import sandbox_settings
from support.browser import Window, within
from support.clock import StandingClock
from support.logins import person_login
from support.ports import free_port
from support.world import CLERK, PURPOSES, World, world_on

PROBE = "<img src=x onerror=document.title='ran'>"
"""Where it is taken for more than text, the console complains: the image is missing, or the policy stops it."""

EVIL: Mapping[str, str] = {tag: f"{PROBE} {tag}" for tag in ("en", "ja", "zh-Hant")}
STAFF = (Role.ADMINISTRATOR, Role.OPERATOR, Role.RP_OFFICER, Role.AUDITOR, Role.CA_OFFICER)


@dataclass
class Scenery:
    """The instance and what stands on it."""

    world: World
    office: Office
    application: Application
    draft: Application
    news: str
    record: str
    session: Session
    port: int
    """Where it is really served; a browser is led there from ``PLATFORM``."""
    case: str = ""
    cookies: dict[str, str] = field(default_factory=dict)

    async def enter(self, window: Window, role: str) -> None:
        """Give the window the login of this role; of nobody when empty."""
        await within(window.context.clear_cookies())
        if not role:
            return
        name = "__Host-inkan-sandbox" if role == "system" else LOGIN_COOKIE
        cookie = {
            "name": name,
            "value": self.cookies[role],
            "domain": "id.localhost",
            "path": "/",
            "secure": True,
            "httpOnly": True,
            "sameSite": "Strict",
        }
        await within(window.context.add_cookies([cookie]))  # type: ignore[list-item]


@asynccontextmanager
async def scenery(url: str, clock: StandingClock, folder: Path) -> AsyncIterator[Scenery]:
    """A sandbox, because it has every page: news, a use that was reported, a dead job, applications, systems."""
    db = database_of(url, clock=clock)
    await db.open()
    async with AsyncExitStack() as stack:
        stack.push_async_callback(db.close)
        world = await stack.enter_async_context(
            world_on(db, clock, folder, ceremony=SEAL_AUTHORITY, settings=sandbox_settings(folder))
        )
        made = await _furnish(world)
        server = Server(world.instance.application, port=made.port)
        await stack.enter_async_context(server.running(grace_s=1))
        yield made


async def _furnish(world: World) -> Scenery:
    accounts = world.platform.accounts
    developer = await hire_token(accounts, Role.DEVELOPER, name="developer")
    first = await hire(accounts, Role.RP_OFFICER, name="first")
    second = await hire(accounts, Role.RP_OFFICER, name="second")
    office = Office(world, developer.login, first, second)
    # The seal's certificate bears one of the names, and an authority writes no such thing into one.
    organisation = {"name": {**EVIL, "zh-Hant": NAMES["zh-Hant"]}}
    purposes = [{**PURPOSES[0], "text": dict(EVIL)}, *PURPOSES[1:]]
    application = await office.approved("tax-office", organisation=organisation)
    draft = await office.completed("tax-refund", organisation=organisation)
    begins_at = world.clock.now() + timedelta(hours=25)
    await office.applications.announce(
        "tax-office",
        begins_at=begins_at,
        ends_at=begins_at + timedelta(hours=2),
        rate=6000,
        by=office.developer,
    )
    texts = NewsTexts(en=EVIL["en"], ja=EVIL["ja"], zh_hant=EVIL["zh-Hant"])
    news = await world.platform.notices.publish_news(texts, texts, actor=CLERK)
    phone = await world.bind("chen", phone=world.new_phone(name=PROBE))
    agency = await world.agency("evil", name=PROBE, purposes=purposes)
    session = await world.identify(agency, phone)
    record = await _report(world)
    await world.platform.db.transact(_die)
    await world.platform.audit.sequence_once()
    await world.platform.audit.sign_head()
    made = Scenery(world, office, application, draft, news, record, session, free_port())
    made.cookies["person"] = (await person_login(world))[LOGIN_COOKIE]
    made.cookies["system"] = "evil"
    staff = await hire_token(accounts, *STAFF, name="operator")
    made.cookies["staff"] = staff.token.reveal()
    made.cookies["developer"] = developer.token.reveal()
    await _open_counter(made)
    return made


async def _open_counter(made: Scenery) -> None:
    desk = await desk_on(made.world)
    person = await desk.resident("hanako")
    clerk = await desk.clerk("mei")
    identity = await made.world.platform.db.read(
        made.world.platform.people.get_identity, PersonID(person.id)
    )
    case = await desk.counter.cases.open(clerk, CaseKind.ISSUE, identity.national_id)
    made.case = case.id
    made.cookies["clerk"] = desk.clerks["mei"].token.token.reveal()


async def _report(world: World) -> str:
    person = PersonID((await world.citizen("chen")).person.id)
    records = await world.platform.identification.records(person, before=None)
    actor = Actor(ActorKind.PERSON, person)
    await world.platform.identification.report_use(person, records[0].id, actor=actor)
    return records[0].id


def _die() -> Step[None]:
    moment = yield MOMENT
    yield _LAY_DOWN.run(
        id="job_6vq3vb3m2c7g4kq1h8d0y5tzja",
        kind="notices.mail",
        key=None,
        payload=b"{}",
        tries=12,
        error=f"SpoolUnwritable: {PROBE}",
        enqueued_at=moment,
        died_at=moment,
    )


Place = Callable[[Scenery], str]
PLACES: Mapping[str, Place] = {
    "/my/records/{id}": lambda s: f"/my/records/{s.record}",
    "/counter/cases/{id}": lambda s: f"/counter/cases/{s.case}",
    "/news/{id}": lambda s: f"/news/{s.news}",
    "/enrol/terms/{scheme}": lambda _: "/enrol/terms/tw-citizen",
    "/developer/applications/{application}": lambda s: f"/developer/applications/{s.draft.id}",
    "/developer/applications/{application}/systems/{code}": lambda s: (
        f"/developer/applications/{s.draft.id}/systems/tax-refund"
    ),
    "/developer/applications/{application}/systems/{code}/openid": lambda s: (
        f"/developer/applications/{s.draft.id}/systems/tax-refund/openid"
    ),
    "/developer/applications/{application}/documents/{document}": lambda s: (
        f"/developer/applications/{s.draft.id}/documents/form"
    ),
    "/developer/systems/{code}": lambda _: "/developer/systems/tax-office",
    "/console/applications/{application}": lambda s: f"/console/applications/{s.application.id}",
    "/console/systems/{code}": lambda _: "/console/systems/tax-office",
}
"""Where the page of a template stands on this instance."""
