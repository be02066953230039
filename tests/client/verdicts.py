"""The verdicts over a world's evidence, and what the tests ask of them."""

from datetime import timedelta

from inkan.client.receipt_report import Report, Result, Verdict
from inkan.client.verifier import verify_receipt
from inkan.wire import evidence as wire
from support.receipt_world import ReceiptWorld

SECOND = timedelta(seconds=1)


def verify(world: ReceiptWorld, bundle: wire.EvidenceBundle | None = None, **settings) -> Report:
    """The verdict over a world's evidence, or over another bundle beside its receipt."""
    bundle = bundle or world.bundle
    return verify_receipt(world.receipt_jws, world.anchors, evidence=bundle, **settings)


def refused_at(report: Report, step: int, word: str = "") -> None:
    """The verdict is invalid, by this step, for this reason."""
    last = report.checks[-1]
    assert report.verdict is Verdict.INVALID
    assert (last.number, last.result) == (step, Result.FAILED), report.summary
    assert word in last.detail, report.summary


def unknown_at(report: Report, step: int) -> None:
    assert report.verdict is Verdict.INDETERMINATE, report.summary
    unknown = [check for check in report.checks if check.result is Result.UNKNOWN]
    assert [check.number for check in unknown] == [step]
