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
from inkan.relying_parties import SystemExists, SystemSuspended
from inkan.relying_parties.model import SystemNotFound
from inkan.relying_parties.model.application import (
    ApplyElsewhere,
    ConformanceMissing,
    ExportExpired,
    ExportUntrusted,
    ExportUsed,
    ImportRequired,
    NotApproved,
)
from inkan.relying_parties.rules import REGISTRATION_TYP
from inkan.relying_parties.service.applications import Applications
from inkan.store.connect import database as database_of
from relying_parties.applicants import Office, hire
from support.clock import StandingClock
from support.world import CLERK, PLATFORM, World, world_on

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


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
    trusted = [jwk.load_jwk(office.applications.exporter_jwk)]
    async with world_on(
        db, clock, folder, environment=Environment.PRODUCTION, trusted=trusted
    ) as made:
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
    with pytest.raises(SystemExists):
        await applications.take_in(await export(office), actor=CLERK)
    assert await production.events()  # intact


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
        {"items": [{"id": "a", "passed": True}, {"id": "b", "passed": False}]},
        {"items": [{"id": "a"}]},
        {"items": []},
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


def resigned(jws: str, key: Any, *, typ: str = REGISTRATION_TYP, **bent: Any) -> str:
    claims = msgspec.json.decode(jose.parse_compact(jws, typ=REGISTRATION_TYP).payload)
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
async def test_an_export_runs_out(office: Office, production: World) -> None:
    await office.approved()
    jws = await export(office)
    production.clock.tick(72 * 3600)
    with pytest.raises(ExportExpired):
        await production.platform.applications.take_in(jws, actor=CLERK)
