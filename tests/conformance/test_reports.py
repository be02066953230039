"""Reports of the kit: what is signed, and that they say what was found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.conformance import KIT_VERSION, ROWS, Finding, Item, ReportKeyWrong, signed_report
from inkan.conformance.service.authority import new_key, p256
from inkan.conformance.service.running import one_line
from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.crypto.keys import KeySpec, generate, private_der
from inkan.kernel.clock import rfc3339
from inkan.wire.conformance_report import (
    REPORT_TYP,
    ConformanceReportMalformed,
    parse_report,
)
from support.clock import StandingClock

KEY = new_key()
HELD = Finding(Item.STALE_FRAME, passed=True)
FELL = Finding(Item.LOW_LEVEL, passed=False, detail="attack succeeded: logged in")


@pytest.mark.parametrize("findings", [[HELD], [HELD, FELL]], ids=["held", "fell"])
def test_a_report_is_signed_and_says_what_was_found(
    findings: list[Finding], clock: StandingClock
) -> None:
    key = new_key()
    jws = signed_report("tax-office", findings, key, clock=clock)
    held = jose.verify_compact(jws, key.public_key(), algs=[Algorithm.ES256], typ=REPORT_TYP)
    report = parse_report(held.payload)
    assert (report.system, report.kit_version) == ("tax-office", KIT_VERSION)
    assert report.at == rfc3339(clock.wire_now())
    assert report.passed is (FELL not in findings)
    assert [(item.id, item.passed, item.detail) for item in report.items] == findings


def test_a_report_of_nothing_and_of_nobody_is_none(clock: StandingClock) -> None:
    for system, findings in (("tax-office", []), ("Tax Office!", [HELD]), ("x", [HELD, HELD])):
        with pytest.raises(ConformanceReportMalformed):
            signed_report(system, findings, new_key(), clock=clock)


def test_every_attack_has_a_title_in_three_languages_and_a_threat() -> None:
    assert list(ROWS) == list(Item)
    for row in ROWS.values():
        titles = [row.title(lang) for lang in ("zh-Hant", "ja", "en")]
        assert len(set(titles)) == 3
        assert all(titles)
        assert row.threats
        assert set(row.threats) <= set(range(1, 39))


@pytest.mark.parametrize("spec", [KeySpec.P384, KeySpec.RSA2048])
def test_a_report_is_signed_on_p256_alone(spec: KeySpec) -> None:
    with pytest.raises(ReportKeyWrong):
        p256(private_der(generate(spec)).reveal())
    with pytest.raises(ReportKeyWrong):
        p256(b"no key")


@given(st.text())
def test_whatever_a_stranger_says_fits_into_a_report(text: str) -> None:
    finding = Finding(Item.LOW_LEVEL, passed=False, detail=one_line(text))
    assert signed_report("x", [finding], KEY, clock=StandingClock())
