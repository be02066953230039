"""From application to production, with the kit in between: one relying party, a sandbox, a production instance (TW-61…67).

Both instances are whole; requests to them are carried in this process. The kit plays against the relying party over
HTTP on loopback.
"""

import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from conformance.careless import CarelessParty
from conformance.carelessness import Careless
from conformance.conftest import Build, Surroundings, hostile_town
from identification.doorways import RETURN_URL, brought, started
from inkan.apps.showcase.tax_office import tax_office
from inkan.client import AsyncTransport, Phone, RelyingParty, Session
from inkan.client.exchange import CallForbidden, CallRefused, CallUnauthenticated
from inkan.composition.settings import Environment, Origins, Settings
from inkan.conformance import KIT_VERSION, Finding, Item, signed_report
from inkan.conformance.service import items_of
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import Clock
from inkan.relying_parties import ApplicationState, Exporter
from inkan.relying_parties.model import ReturnOutsideDomain
from inkan.relying_parties.model.application import (
    Application,
    ConformanceMissing,
    ExportUsed,
    NotApproved,
)
from inkan.store.connect import database as database_of
from inkan.store.database import Database
from inkan.web.app import Application as WebApplication
from inkan.wire.binding import BindingLevel
from relying_parties.applicants import SEAL_AUTHORITY, Office, system_of
from sandbox.conftest import Developer
from sandbox.homes import sandbox_settings
from support.clock import StandingClock
from support.world import CLERK, World, settings_for, world_on

CODE = "tax-office"
PRODUCTION = Origins(platform="https://id.example", wallet="https://wallet.example")


@dataclass
class Agency:
    """The relying party: its keys, and how it writes an order and takes an answer back."""

    key: EllipticCurvePrivateKey

    @property
    def system(self) -> dict[str, Any]:
        keys = [jwk.to_jwk(self.key.public_key())]
        return system_of(CODE, doors=["qr", "web_link"], keys=keys)

    def at(self, world: World, key: EllipticCurvePrivateKey | None = None) -> RelyingParty:
        return world.client(CODE, key or self.key)


@dataclass
class Sandbox:
    """The sandbox instance, with the office that reviews there and the agency's program."""

    world: World
    office: Office
    developer: Developer

    async def report(self, findings: Sequence[Finding]) -> str:
        """What `inkan conformance run` does after it played."""
        return await self.office.applications.sign_report(
            CODE, items_of(findings), kit_version=KIT_VERSION, actor=CLERK
        )

    async def export(self, report: str) -> str:
        return await self.office.applications.export(
            CODE, report=report, audience=PRODUCTION.platform, actor=CLERK
        )


# --- the two instances ----------------------------------------------------------------------------


@pytest.fixture
async def sandbox(
    clock: StandingClock, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[Sandbox]:
    folder = tmp_path / "sandbox"
    async with (
        database_in(folder, sqlite_template, clock) as db,
        world_on(
            db, clock, folder, settings=sandbox_settings(folder), ceremony=SEAL_AUTHORITY
        ) as world,
        AsyncExitStack() as stack,
    ):
        phones = world.platform.sandbox
        assert phones is not None
        await stack.enter_async_context(
            phones.reaching(world.transport, catch_up=world.instance.catch_up)
        )
        developer = Developer(world.instance.application, CODE)
        yield Sandbox(world, await Office.opened(world), developer)


@pytest.fixture
async def production(
    sandbox: Sandbox, clock: StandingClock, sqlite_template: Path, tmp_path: Path
) -> AsyncIterator[World]:
    """An instance that trusts the sandbox; its ceremony was held before, without custodians, who have tests of their own."""
    folder = tmp_path / "production"
    told = sandbox.office.applications.exporter()
    trusted = Exporter(
        issuer=told.issuer,
        exports=jwk.load_jwk(told.exports),
        reports=jwk.load_jwk(told.reports),
    )
    async with database_in(folder, sqlite_template, clock) as db:
        async with world_on(
            db, clock, folder, settings=production_settings(folder, Environment.DEMO)
        ):
            pass
        settings = production_settings(folder, Environment.PRODUCTION)
        async with world_on(
            db, clock, folder, settings=settings, found=False, trusted=[trusted]
        ) as world:
            yield world


@asynccontextmanager
async def database_in(folder: Path, template: Path, clock: Clock) -> AsyncIterator[Database]:
    db = database_of(copied(template, folder), clock=clock)
    await db.open()
    try:
        yield db
    finally:
        await db.close()


def copied(template: Path, folder: Path) -> str:
    folder.mkdir()
    return f"sqlite:///{shutil.copy(template, folder / 'inkan.db')}"


def production_settings(folder: Path, environment: Environment) -> Settings:
    return msgspec.structs.replace(
        settings_for(folder), environment=environment, origins=PRODUCTION
    )


# --- the way --------------------------------------------------------------------------------------


@pytest.mark.req("TW-61", "TW-62", "TW-63", "TW-64", "TW-66")
async def test_from_application_to_production(sandbox: Sandbox, production: World) -> None:
    agency = Agency(generate(KeySpec.P256))
    application = await applies(sandbox, agency)
    await uses_the_sandbox_at_once(sandbox, agency)
    await is_reviewed(sandbox, application)
    await stays_out_without_a_report(sandbox, agency)
    await stays_out_while_careless(sandbox)
    export = await passes_the_kit(sandbox)
    await is_unknown_in(production, agency)
    await enters(production, export)
    phone = await production.bind("chen")
    await identifies(production, agency.at(production), phone)
    await rotates_its_key(production, agency, phone)
    await is_suspended(production, agency)
    await left_its_traces(sandbox, production)


async def applies(sandbox: Sandbox, agency: Agency) -> Application:
    """A draft, whose systems work only once it is whole; then nobody can hand it over without a seal."""
    office = sandbox.office
    with pytest.raises(ReturnOutsideDomain):
        await office.drafted(
            systems=[agency.system | {"return_urls": ["https://evil-tax.example/"]}]
        )
    drafted = await office.drafted(systems=[agency.system])
    await is_unknown_in(sandbox.world, agency)
    completed = await office.applications.complete(
        drafted.id, by=office.developer, seen=drafted.version
    )
    assert completed.form_sha256 != completed.consent_sha256
    return completed


async def is_unknown_in(world: World, agency: Agency) -> None:
    with pytest.raises(CallUnauthenticated):
        await agency.at(world).create_session("identify", purpose="login")


async def uses_the_sandbox_at_once(sandbox: Sandbox, agency: Agency) -> None:
    """The SDK asks, a virtual phone answers, the return is redeemed."""
    phone = await sandbox.developer.make("agrees")
    to, verifier = started()
    session = await agency.at(sandbox.world).create_session(
        "identify", purpose="login", doors=["web_link"], return_to=to
    )
    link = session.doors.web_link
    assert link is not None
    answered = await sandbox.developer.act(phone, "open", link=link.url)
    view = await session.redeem(
        verifier, return_code=brought(answered["return_url"])["return_code"]
    )
    assert (view.is_ok, view.binding.level) == (True, BindingLevel.RETURNED)


async def is_reviewed(sandbox: Sandbox, application: Application) -> None:
    """Sealed across both documents, handed over, proposed by one officer and approved by another."""
    office, applications = sandbox.office, sandbox.office.applications
    with pytest.raises(NotApproved):
        await sandbox.export("")
    sealed = await office.sealed(application)
    submitted = await applications.submit(sealed.id, by=office.developer, seen=sealed.version)
    proposal = await applications.propose(
        submitted.id, reason="complete", by=office.first, seen=submitted.version
    )
    with pytest.raises(NotApproved):  # one officer is none
        await sandbox.export("")
    await applications.approve(proposal.id, by=office.second, seen=proposal.version)
    approved = await applications.application(application.id, by=office.developer)
    assert approved.state is ApplicationState.APPROVED
    assert approved.reviewers == (office.first.account, office.second.account)
    [(system, state)] = await applications.own_systems(by=office.developer)
    assert (system.code, state) == (CODE, "active")


async def stays_out_without_a_report(sandbox: Sandbox, agency: Agency) -> None:
    """No report, and one that the relying party signed itself."""
    held = [Finding(item, passed=True) for item in Item]
    own = signed_report(CODE, held, agency.key, clock=sandbox.world.clock)
    for report in ("", own):
        with pytest.raises(ConformanceMissing):
            await sandbox.export(report)


async def stays_out_while_careless(sandbox: Sandbox) -> None:
    """A program that leaves out one check falls, and the sandbox's own report of it opens nothing."""

    async with AsyncTransport() as transport:

        def build(around: Surroundings) -> WebApplication:
            switches = {Careless.ANY_SESSION}
            return CarelessParty(around, switches=switches, transport=transport).application()

        findings = await attacked(build)
    assert [f.item for f in findings if not f.passed] == [Item.SWAPPED_RECEIPT]
    with pytest.raises(ConformanceMissing):
        await sandbox.export(await sandbox.report(findings))


async def passes_the_kit(sandbox: Sandbox) -> str:
    """A program that leaves out nothing; its report makes the export."""

    def build(around: Surroundings) -> WebApplication:
        return tax_office(
            origin=around.origin,
            credentials=around.credentials,
            anchors=around.anchors,
            clock=around.clock,
            is_test=True,
        )

    findings = await attacked(build)
    assert [f.item for f in findings if f.passed] == list(Item)
    return await sandbox.export(await sandbox.report(findings))


async def attacked(build: Build) -> list[Finding]:
    async with hostile_town() as town:
        run = await town.serve(build)
        assert (await run.about()).system == CODE
        return await run.all()


async def enters(production: World, export: str) -> None:
    """The signed export comes in once, and says what was reviewed."""
    system = await production.platform.applications.take_in(export, actor=CLERK)
    assert (system.code, system.domain) == (CODE, "tax.example")
    assert system.return_urls == frozenset({RETURN_URL})
    [(_, state)] = await production.platform.relying_parties.systems()
    assert state == "active"
    with pytest.raises(ExportUsed):
        await production.platform.applications.take_in(export, actor=CLERK)


async def identifies(production: World, program: RelyingParty, phone: Phone) -> Session:
    """A person with a card-bound phone comes back to the agency, which verifies the receipt under production's root."""
    to, verifier = started()
    session = await program.create_session(
        "identify", purpose="login", doors=["web_link"], return_to=to, binding_min="returned"
    )
    link = session.doors.web_link
    assert link is not None
    await phone.open_link(link.url)
    back = (await phone.approve()).return_url
    view = await session.redeem(verifier, return_code=brought(back)["return_code"])
    assert view.is_ok
    receipt = (await session.receipt()).receipt
    assert receipt.iss == PRODUCTION.platform
    assert receipt.subject is not None
    assert view.subject is not None
    assert receipt.subject.person_ref == view.subject.person_ref
    return session


async def rotates_its_key(production: World, agency: Agency, phone: Phone) -> None:
    """Both keys hold until the old one is ended; then the new one alone."""
    parties = production.platform.relying_parties
    [old] = await parties.keys_of(CODE)
    next_key = generate(KeySpec.P256)
    fresh = await parties.add_key(CODE, jwk.to_jwk(next_key.public_key()), actor=CLERK)
    for key in (agency.key, next_key):
        await identifies(production, agency.at(production, key), phone)
    await parties.end_key(CODE, old.thumbprint, at=production.clock.now(), actor=CLERK)
    await is_unknown_in(production, agency)
    agency.key = next_key
    await identifies(production, agency.at(production), phone)
    assert [key.thumbprint for key in await parties.keys_of(CODE)] == [fresh]


async def is_suspended(production: World, agency: Agency) -> None:
    """From the next request on, whatever token is held."""
    program = agency.at(production)
    session = await program.create_session("identify", purpose="login")
    await production.platform.relying_parties.suspend(CODE)
    for call in (session.refresh(), program.create_session("identify", purpose="login")):
        with pytest.raises(CallForbidden) as refused:
            await call
        assert refused.value.problem_code == "rp_suspended"
    with pytest.raises(CallRefused):
        await agency.at(production).create_session("identify", purpose="login")


async def left_its_traces(sandbox: Sandbox, production: World) -> None:
    """Every step is an event of a log that is whole."""
    there, here = await sandbox.world.events(), await production.events()
    for step in ("begun", "edited", "completed", "sealed", "submitted", "approved"):
        assert f"relying_parties.application_{step}" in there
    assert there.count("relying_parties.conformance_reported") == 2
    assert there.count("relying_parties.system_exported") == 1
    assert here.count("relying_parties.system_imported") == 1
    for step in ("key_added", "key_ended", "system_suspended"):
        assert f"relying_parties.{step}" in here
