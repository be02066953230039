"""A skip is a failure where nothing may be missing (INKAN_REQUIRE_ALL=1, set by `.ci/run`).

A test that never applies to some case (a vector that the standard withdrew, a body that one database
cannot express) says so with a reason that begins ``by design:`` and stays a skip everywhere.
"""

import os
from collections.abc import Generator
from typing import Any

import pytest

from support.tools import REQUIRE_ALL

BY_DESIGN = "by design:"


def skip_reason(report: pytest.TestReport | pytest.CollectReport) -> str | None:
    """Why it was skipped; None when it was not, or when it failed as it was expected to."""
    if not report.skipped or hasattr(report, "wasxfail"):
        return None
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


def _harden(report: Any) -> Any:
    reason = skip_reason(report)
    if os.environ.get(REQUIRE_ALL) and reason is not None and not reason.startswith(BY_DESIGN):
        report.outcome = "failed"
        report.longrepr = f"skipped although {REQUIRE_ALL} is set: {reason}"
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _harden((yield))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _harden((yield))
