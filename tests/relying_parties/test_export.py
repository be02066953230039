"""From the sandbox into production by a signed export, and every export that must not come in (TW-64)."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.accounts import Role
from inkan.composition.settings import Environment
from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.relying_parties import Exporter, SystemExists, SystemSuspended
from inkan.relying_parties.model import ReturnOutsideDomain, System, SystemNotFound
from inkan.relying_parties.model.application import (
    ApplyElsewhere,
    ConformanceMissing,
    ExportExpired,
    ExportOvertaken,
    ExportUntrusted,
    ExportUsed,
    ImportRequired,
    NotApproved,
    OrganisationTaken,
    ReportElsewhere,
)
from inkan.relying_parties.model.export import Export
from inkan.relying_parties.rules import EXPORT_LIMIT, REGISTRATION_TYP
from inkan.relying_parties.service.applications import Applications
from inkan.store.connect import database as database_of
from inkan.wire.conformance_report import ConformanceItem
from relying_parties.applicants import OTHER_NUMBER, Office, hire, hire_token, system_of
from relying_parties.browsing import Browser, text_of
from support.clock import StandingClock
from support.world import CLERK, PLATFORM, World, settings_for, world_on

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def trusted_of(office: Office, **bent: Any) -> Exporter:
    """What production is told of the sandbox."""
    told = office.applications.exporter()
    exports, reports = jwk.load_jwk(told.exports), jwk.load_jwk(told.reports)
    members: dict[str, Any] = {"issuer": told.issuer, "exports": exports, "reports": reports}
    return Exporter(**members | bent)


@pytest.fixture
async def production(
    office: Office, sqlite_template: Path, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[World]:
    """Another instance, in production, that trusts the exports of the first one."""
    folder = tmp_path / "production"
    folder.mkdir()
    path = folder / "inkan.db"
    shutil.copy(sqlite_template, path)
    db = database_of(f"sqlite:///{path}", clock=clock)
    await db.open()
    trusted = [trusted_of(office)]
    settings = msgspec.structs.replace(settings_for(folder), environment=Environment.PRODUCTION)
    async with world_on(db, clock, folder, settings=settings, found=False, trusted=trusted) as made:
        yield made
    await db.close()


async def export(office: Office, *, audience: str = PLATFORM, **report: Any) -> str:
    return await office.applications.export(
        "tax-office", report=office.report(**report), audience=audience, actor=CLERK
    )


@pytest.mark.req("TW-64")
async def test_a_reviewed_system_enters_production(office: Office, production: World) -> None:
    await office.approved()
    jws = await export(office)
    applications: Applications = production.platform.applications
    system = await applications.take_in(jws + "\n", actor=CLERK)
    [(found, state)] = await production.platform.relying_parties.systems()
    assert (found, state) == (system, "active")
    assert (found.code, set(found.purposes)) == ("tax-office", {"login", "file_return", "approve_payment"})  # fmt: skip
    assert "relying_parties.system_imported" in await production.events()
    assert "relying_parties.system_exported" in await office.world.events()
    with pytest.raises(ExportUsed):
        await applications.take_in(jws, actor=CLERK)
    assert await production.events()  # intact


async def import_again(office: Office, production: World, **bent: Any) -> System:
    """Another application of the same organisation about the same system, all the way."""
    await office.approved(systems=[system_of(**bent)])
    return await production.platform.applications.take_in(await export(office), actor=CLERK)


async def test_a_system_is_changed_by_another_application(
    office: Office, production: World
) -> None:
    applications = production.platform.applications
    keys = [jwk.to_jwk(generate(KeySpec.P256).public_key())]
    await office.approved(systems=[system_of(keys=keys)])
    older = await export(office)
    first = await applications.take_in(await export(office), actor=CLERK)
    office.world.clock.tick(2)
    changed = await import_again(office, production, name="Tax Office (new)", keys=keys)
    assert (changed.id, changed.name) == (first.id, "Tax Office (new)")
    assert len(await production.platform.relying_parties.systems()) == 1
    with pytest.raises(ExportOvertaken):  # it would take the change back
        await applications.take_in(older, actor=CLERK)


@on_sqlite
async def test_an_import_revives_no_key_and_no_suspended_system(
    office: Office, production: World
) -> None:
    parties = production.platform.relying_parties
    keys = [jwk.to_jwk(generate(KeySpec.P256).public_key())]
    await import_again(office, production, keys=keys)
    [old] = await parties.keys_of("tax-office")
    await parties.end_key("tax-office", old.thumbprint, at=production.clock.now())
    await parties.suspend("tax-office")
    production.clock.tick(1)
    await import_again(office, production, keys=keys)
    assert await parties.keys_of("tax-office") == []
    [(_, state)] = await parties.systems()
    assert state == "suspended"


@on_sqlite
async def test_an_import_takes_no_system_of_another(office: Office, production: World) -> None:
    jws = await exported(office)
    sandbox = office.applications
    other = {"organisation": "other-bureau"}
    registration = {**msgspec.to_builtins(claims_of(jws).registration), **other}
    await take_in(production, jws)
    stolen = resigned(jws, sandbox._exporting._key(), registration=registration, jti="exp_other")
    with pytest.raises(SystemExists):
        await production.platform.applications.take_in(stolen, actor=CLERK)
    renumbered = resigned(jws, sandbox._exporting._key(), number=OTHER_NUMBER, jti="exp_number")
    with pytest.raises(OrganisationTaken):
        await production.platform.applications.take_in(renumbered, actor=CLERK)


@on_sqlite
async def test_an_import_is_held_to_the_rules_of_a_registration(
    office: Office, production: World
) -> None:
    jws = await exported(office)
    said = msgspec.to_builtins(claims_of(jws).registration)
    outside = {**said, "return_urls": ["https://evil-tax.example/return"]}
    bent = resigned(jws, office.applications._exporting._key(), registration=outside)
    with pytest.raises(ReturnOutsideDomain):
        await take_in(production, bent)
    assert await production.platform.relying_parties.systems() == []


@on_sqlite
async def test_production_signs_no_reports(production: World) -> None:
    held = [ConformanceItem(id="stale_frame", passed=True)]
    with pytest.raises(ReportElsewhere):
        await production.platform.applications.sign_report(
            "tax-office", held, kit_version="1", actor=CLERK
        )


@on_sqlite
@pytest.mark.req("TW-64")
async def test_an_operator_takes_an_export_in_at_the_console(
    office: Office, production: World
) -> None:
    jws = await exported(office)
    accounts = production.platform.accounts
    token = await hire_token(accounts, Role.OPERATOR, name="operator")
    operator = Browser(production, token.token.reveal())
    await operator.go("/console/systems")
    for file in (b"", b"\xff", office.report().encode(), jws[:-8].encode() + b"AAAAAAAA"):
        refused = await operator.send("/console/systems/import", file=file, field="export")
        assert refused.status == 403
    page = await operator.send("/console/systems/import", file=jws.encode(), field="export")
    assert (page.status, "tax-office · Active" in text_of(page)) == (200, True)
    again = await operator.send("/console/systems/import", file=jws.encode(), field="export")
    assert (again.status, "imported before" in text_of(again)) == (409, True)
    assert "Export to production" not in page.text


@on_sqlite
@pytest.mark.req("TW-64")
async def test_production_has_no_other_way_in(production: World) -> None:
    with pytest.raises(ImportRequired):
        await production.agency("bank")
    developer = await hire(production.platform.accounts, Role.DEVELOPER, name="someone")
    with pytest.raises(ApplyElsewhere):
        await production.platform.applications.begin(by=developer)


@on_sqlite
async def test_what_is_not_approved_does_not_go_out(office: Office) -> None:
    await office.submitted()
    with pytest.raises(NotApproved):
        await export(office)
    await office.world.agency("bank")
    with pytest.raises(NotApproved):
        await office.applications.export(
            "bank", report=office.report("bank"), audience=PLATFORM, actor=CLERK
        )
    with pytest.raises(SystemNotFound):
        await office.applications.export("none", report="", audience=PLATFORM, actor=CLERK)


@on_sqlite
async def test_a_suspended_system_does_not_go_out(office: Office) -> None:
    await office.approved()
    await office.world.platform.relying_parties.suspend("tax-office")
    with pytest.raises(SystemSuspended):
        await export(office)


@on_sqlite
@pytest.mark.req("TW-64")
@pytest.mark.parametrize(
    "bent",
    [
        {"passed": False},
        {"passed": False, "items": [{"id": "a", "passed": False, "detail": None}]},
        {"items": [{"id": "a", "passed": False, "detail": None}]},
        {"items": [{"id": "a", "passed": True}]},
        {"items": []},
        {"more": 1},
        {"v": 2},
        {"code": "tax-refund"},
        {"key": generate(KeySpec.P256)},
        {"typ": REGISTRATION_TYP, "key": generate(KeySpec.P256)},
        {"at": "2026-13-01T00:00:00Z"},
    ],
)
async def test_no_export_without_a_passed_report(office: Office, bent: Any) -> None:
    await office.approved()
    with pytest.raises(ConformanceMissing):
        await export(office, **bent)


@on_sqlite
@pytest.mark.parametrize("by", [timedelta(days=-31), timedelta(hours=1)])
async def test_a_report_that_is_old_or_of_tomorrow(office: Office, by: timedelta) -> None:
    await office.approved()
    at = rfc3339((office.world.clock.now() + by).replace(microsecond=0))
    with pytest.raises(ConformanceMissing):
        await export(office, at=at)


async def exported(office: Office) -> str:
    """An export of a reviewed system."""
    await office.approved()
    return await export(office)


async def take_in(production: World, jws: str) -> System:
    """Take it in where the sandbox is trusted."""
    return await production.platform.applications.take_in(jws, actor=CLERK)


def claims_of(jws: str) -> Export:
    payload = jose.parse_compact(jws, typ=REGISTRATION_TYP, limit=EXPORT_LIMIT).payload
    return msgspec.json.decode(payload, type=Export)


def resigned(jws: str, key: Any, *, typ: str = REGISTRATION_TYP, **bent: Any) -> str:
    claims = msgspec.to_builtins(claims_of(jws))
    payload = msgspec.json.encode({**claims, **bent})
    return jose.sign_compact(payload, key, alg=Algorithm.ES256, typ=typ)


@on_sqlite
async def test_a_strangers_export(office: Office, production: World) -> None:
    await office.approved()
    jws = await export(office)
    stranger = generate(KeySpec.P256)
    head, payload, signature = jws.split(".")
    other = resigned(jws, stranger).split(".")
    for wrong in (
        resigned(jws, stranger),
        f"{head}.{other[1]}.{signature}"[:-8] + "AAAAAAAA",
        f"{head}.{payload}.{other[2]}",
        office.report(),
        "",
        "a.b.c",
        "x" * 300_000,
    ):
        with pytest.raises(ExportUntrusted):
            await production.platform.applications.take_in(wrong, actor=CLERK)
    assert await production.platform.relying_parties.systems() == []


@on_sqlite
@pytest.mark.parametrize(
    ("bent", "refusal"),
    [
        ({"aud": "https://other.example"}, ExportUntrusted),
        ({"iss": "https://other.example"}, ExportUntrusted),
        ({"v": 2}, ExportUntrusted),
        ({"more": 1}, ExportUntrusted),
        ({"exp": 253402300799}, ExportUntrusted),
        ({"iat": 1, "exp": 2}, ExportExpired),
    ],
)
async def test_a_trusted_signer_is_held_to_the_rules(
    office: Office, production: World, bent: Any, refusal: type[InkanError]
) -> None:
    await office.approved()
    key = office.applications._exporting._key()
    jws = resigned(await export(office), key, typ=REGISTRATION_TYP, **bent)
    with pytest.raises(refusal):
        await production.platform.applications.take_in(jws, actor=CLERK)


@on_sqlite
@pytest.mark.req("TW-64")
@pytest.mark.parametrize("days", [0, 31])
async def test_production_verifies_the_report_itself(
    office: Office, production: World, days: int
) -> None:
    """A sandbox whose export key alone is in wrong hands brings nothing in."""
    jws = await exported(office)
    key = office.applications._exporting._key()
    stranger = office.report(key=generate(KeySpec.P256))
    wrong = [stranger, office.report("tax-refund"), office.report(passed=False), "a.b.c"]
    if days:
        at = rfc3339(office.world.clock.now() - timedelta(days=days))
        wrong = [office.report(at=at)]
    for report in wrong:
        with pytest.raises(ConformanceMissing):
            await take_in(production, resigned(jws, key, report=report))


@on_sqlite
async def test_an_export_runs_out(office: Office, production: World) -> None:
    await office.approved()
    jws = await export(office)
    production.clock.tick(72 * 3600)
    with pytest.raises(ExportExpired):
        await production.platform.applications.take_in(jws, actor=CLERK)
