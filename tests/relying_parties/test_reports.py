"""Reports of the conformance kit: who signs them, and what they hold."""

from datetime import timedelta

import pytest

from inkan.accounts import actor_of
from inkan.crypto import jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import rfc3339
from inkan.relying_parties import SystemNotFound
from inkan.relying_parties.service.reports import verify_report
from inkan.wire.conformance_report import (
    REPORT_TYP,
    ConformanceItem,
    ConformanceReportMalformed,
    parse_report,
)
from relying_parties.applicants import Office
from support.world import CLERK

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
HELD = ConformanceItem(id="stale_frame", passed=True)
FAILED = ConformanceItem(id="replayed_return_code", passed=False, detail="a code worked twice")


@pytest.mark.req("TW-64")
@pytest.mark.parametrize("items", [[HELD], [HELD, FAILED]], ids=["held", "failed"])
async def test_the_sandbox_signs_what_its_kit_found(
    office: Office, items: list[ConformanceItem]
) -> None:
    await office.completed()
    jws = await office.applications.sign_report("tax-office", items, kit_version="1.0", actor=CLERK)
    key = jwk.load_jwk(office.applications.exporter().reports)
    verified = jose.verify_compact(jws, key, algs=[Algorithm.ES256], typ=REPORT_TYP)
    assert verified.header == {"alg": "ES256", "typ": "inkan-conformance+jwt"}
    report = parse_report(verified.payload)
    assert report.items == tuple(items)
    assert report.passed is (FAILED not in items)
    assert report.at == rfc3339(office.world.clock.wire_now())
    assert "relying_parties.conformance_reported" in await office.world.events()


async def test_the_way_with_a_report_of_the_instance(office: Office) -> None:
    await office.approved()
    actor = actor_of(office.first)
    jws = await office.applications.sign_report("tax-office", [HELD], kit_version="1", actor=actor)
    assert await office.applications.export(
        "tax-office", report=jws + "\n", audience="https://id.example", actor=actor
    )


@on_sqlite
async def test_a_moved_clock_makes_no_report_older(office: Office) -> None:
    """The instance's own clock may travel; a report is of true time."""
    await office.completed()
    office.world.clock.advance(timedelta(days=40))
    jws = await office.applications.sign_report("tax-office", [HELD], kit_version="1", actor=CLERK)
    key = jwk.load_jwk(office.applications.exporter().reports)
    at = office.world.clock.wire_now()
    assert verify_report(jws, code="tax-office", keys=[key], at=at).passed


@on_sqlite
async def test_what_is_no_run_of_the_kit(office: Office) -> None:
    await office.completed()
    with pytest.raises(SystemNotFound):
        await office.applications.sign_report("nobody", [HELD], kit_version="1", actor=CLERK)
    for items in ([], [HELD, HELD]):
        with pytest.raises(ConformanceReportMalformed):
            await office.applications.sign_report("tax-office", items, kit_version="1", actor=CLERK)
