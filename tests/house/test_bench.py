"""The runner of the benches: ratios, limits, the table. No figure is asserted here."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from support.repository import ROOT

RUNNER = ROOT / "bench" / "run.py"


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_run", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("value", "against", "ratio", "missed"),
    [
        (1000.0, ">= 500", 2.0, False),
        (500.0, ">= 500", 1.0, False),
        (250.0, ">= 500", 0.5, True),
        (225.0, "<= 450", 2.0, False),
        (900.0, "<=450", 0.5, True),
        (3000.0, ">= 1,500", 2.0, False),
        (50.0, 100.0, 0.5, False),
        (50.0, None, None, False),
        (0.0, "<= 5", None, False),
    ],
)
def test_ratios(
    bench: ModuleType, value: float, against: float | str | None, ratio: float | None, missed: bool
) -> None:
    figure = bench.Figure("x", "1/s", value, against)
    assert figure.ratio == ratio
    assert figure.is_missed is missed


def test_a_limit_that_is_none_is_refused(bench: ModuleType) -> None:
    with pytest.raises(ValueError, match="no limit"):
        _ = bench.Figure("x", "s", 1.0, "about 500").ratio


def test_the_table_marks_a_missed_limit(bench: ModuleType) -> None:
    table = bench.table([bench.Figure("approve", "µs", 900.0, "<= 450", "both proofs")])
    assert table.splitlines()[2].split("|")[1:-1] == [
        " approve ", "   900 ", " µs   ", "        <= 450 ", "  0.50 ", " MISSED · both proofs ",
    ]  # fmt: skip


BENCH = '''
"""Counts."""


def figures():
    print("noise")
    yield ("good", "1/s", 10.0, ">= 5", "")
    yield ("bad", "s", 10.0, "<= 5", "")
'''


@pytest.mark.parametrize(("arguments", "status"), [([], 0), (["--strict"], 1)])
def test_a_run_prints_machine_method_and_figures(
    tmp_path: Path, arguments: list[str], status: int
) -> None:
    (tmp_path / "run.py").write_text(RUNNER.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "counting.py").write_text(BENCH, encoding="utf-8")
    record = tmp_path / "figures.json"
    command = [sys.executable, str(tmp_path / "run.py"), "--json", str(record), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == status, ran.stderr
    assert ran.stdout.startswith("Measured on ")
    assert "## counting\n\nCounts.\n" in ran.stdout
    assert "noise" not in ran.stdout
    rows = json.loads(record.read_text())["benches"]["counting"]
    assert [row["name"] for row in rows] == ["good", "bad"]


def test_every_bench_tells_its_method(bench: ModuleType) -> None:
    for path in bench.benches():
        assert path.read_text(encoding="utf-8").startswith('"""'), path.name
