"""The story of the test country: every step holds, and a step that does not hold is heard."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from demo.conftest import Told
from inkan.demo.commands import command
from inkan.demo.country import Country, country
from inkan.demo.steps import StepReport
from inkan.demo.story import Story
from inkan.wire.binding import Door
from support.ports import free_port

REFUSED = {
    "a photographed code is too old": "qr_frame_stale",
    "a second phone on the same day": "phone_young",
    "a third phone": "no_free_slot",
    "an attacker's link, approved by the victim": "return_other_browser",
    "a message to the phone, six digits from the page": "code_wrong",
    "the first phone renews without the card": "renewal_too_early",
}
LOGGED = (
    "the decision is proved to stand in the audit log",
    "without the proof that is the platform's word",
    "a changed proof is refused",
)
KEPT = {
    *("root.cer", "card-ca.cer", "phone-ca.cer", "card.cer", "phone-auth.cer", "phone-sign.cer"),
    *("root.crl", "card.crl", "phone.crl", "ocsp-0.der"),
    *("statement.json", "receipt.jws", "evidence.json"),
}


def verify_shape(report: dict[str, Any]) -> None:
    """What scripts may rely on in the file of ``--json``."""
    assert set(report) == {"ok", "steps"}
    assert report["ok"] is True
    for step in report["steps"]:
        assert set(step) == {"name", "door", "checks", "outcome", "ms", "binding"}
        assert step["outcome"] == "ok"
        assert step["checks"], step["name"]
        assert all(isinstance(check, str) for check in step["checks"])
        assert step["ms"] >= 0
    checks = {step["name"]: step["checks"] for step in report["steps"]}
    for name, code in REFUSED.items():
        assert f"refused: {code}" in checks[name]
    assert set(LOGGED) <= set(checks["an agency asks by QR code, the phone answers"])


def test_every_step_holds(told: Told) -> None:
    verify_shape(msgspec.to_builtins(told.report))
    assert told.heard == told.report.steps
    assert len({step.name for step in told.heard}) == len(told.heard) == 33
    assert {step.door for step in told.heard} == {"-", "enrolment", "renewal", *Door}


def test_every_door_identifies_and_tells_its_binding_level(told: Told) -> None:
    reached = {(step.door, step.binding) for step in told.heard if step.binding}
    assert reached == {
        ("qr", "none"),
        ("push", "matched (code_entered)"),
        ("web_link", "returned (redeemed)"),
        ("app_link", "returned (redeemed)"),
        ("redirect", "returned (redeemed)"),
        ("redirect", "none (browser_bound)"),
    }


def test_what_takes_long_is_said(told: Told) -> None:
    assert len(told.said) >= 4
    assert any("ceremony" in line for line in told.said)


def test_what_was_promised_is_kept(told: Told) -> None:
    assert {path.name for path in told.kept.iterdir()} == KEPT
    statement = json.loads((told.kept / "statement.json").read_bytes())
    assert statement["purpose"] == "file_return"
    evidence = json.loads((told.kept / "evidence.json").read_bytes())
    assert evidence["receipt"] == (told.kept / "receipt.jws").read_text(encoding="ascii")


async def test_a_step_that_does_not_hold_ends_the_story(tmp_path: Path) -> None:
    """The control: one person's card is gone, and the story says so instead of passing."""
    heard: list[StepReport] = []
    async with country(tmp_path, port=free_port()) as founded:
        (tmp_path / "cards" / "chen.card").unlink()
        report = await Story(founded, keep=None, tell=heard.append).run()
    assert not report.ok
    assert report.steps == heard
    assert [step.outcome for step in heard] == ["ok", "failed"]
    assert heard[-1].checks[-1].startswith("FAILED")


async def test_a_refusal_that_does_not_happen_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control of the refusals: time stands still, so the photographed code is fresh."""

    async def stand(*_: object) -> None:
        return

    monkeypatch.setattr(Country, "leap", stand)
    heard: list[StepReport] = []
    async with country(tmp_path, port=free_port()) as founded:
        report = await Story(founded, keep=None, tell=heard.append).run()
    assert not report.ok
    assert heard[-1].name == "a photographed code is too old"
    assert heard[-1].outcome == "failed"


def test_the_command_tells_the_story(tmp_path: Path) -> None:
    """In a process of its own, as people call it."""
    report, kept = tmp_path / "report.json", tmp_path / "kept"
    options = ["--script", "--json", str(report), "--keep", str(kept), "--port", str(free_port())]
    done = subprocess.run(
        [sys.executable, "-c", "from inkan.cli import main; main()", "demo", *options],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "The whole story holds." in done.stdout
    verify_shape(json.loads(report.read_bytes()))
    assert {path.name for path in kept.iterdir()} == KEPT
    assert list(tmp_path.glob("inkan-*")) == [], "the country's folder is removed"


@pytest.mark.parametrize(
    "options", [["--json", "report.json"], ["--keep", "kept"], ["--script", "--home", "full"]]
)
def test_a_call_that_cannot_be_meant_is_refused(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").touch()
    home = [str(tmp_path / each) if each == "full" else each for each in options]
    refused = CliRunner().invoke(command, [*home, "--port", "1"])
    assert refused.exit_code == 2
    assert (tmp_path / "full" / "mine").exists()
