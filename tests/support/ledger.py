"""The ledger of requirements and the tests that prove its rows.

As a pytest plugin: checks that ``@pytest.mark.req("TW-29")`` names rows that exist, and with
``--ledger-out FILE`` writes which rows the run proved. As a program: ``python -m support.ledger FILE…``
prints the hard rows that no passing test of those runs carries.
"""

import json
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

LEDGER = Path(__file__).parents[1] / "ledger.toml"
HARD = "H"
PROPERTY = "req"


class Row(NamedTuple):
    """One requirement: its id, its kind (H hard, F feature, P process, D data, W wish), what it says."""

    id: str
    kind: str
    text: str

    @property
    def is_hard(self) -> bool:
        """Whether a test must prove it; "W/H" counts as hard."""
        return HARD in self.kind.split("/")


def rows() -> dict[str, Row]:
    """The ledger by id, in its order."""
    table = tomllib.loads(LEDGER.read_text(encoding="utf-8"))["rows"]
    return {name: Row(name, **entry) for name, entry in table.items()}


# --- plugin -----------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--ledger-out", type=Path, help="write the proved rows of the ledger to FILE")


def pytest_configure(config: pytest.Config) -> None:
    out = config.getoption("--ledger-out")
    if out is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Recorder(out), "inkan-ledger")


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    known = rows()
    for item in items:
        named = [row for mark in item.iter_markers(PROPERTY) for row in mark.args]
        if unknown := [row for row in named if row not in known]:
            raise pytest.UsageError(f"{item.nodeid}: not in the ledger: {', '.join(unknown)}")
        # User properties travel with the report, also from a worker process to the controller.
        item.user_properties.extend((PROPERTY, row) for row in dict.fromkeys(named))


class Recorder:
    """Collects the outcome of each marked test and writes them at the end of the run."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.tests: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        named = [value for name, value in report.user_properties if name == PROPERTY]
        if not named or (report.when != "call" and report.passed):
            return
        # A failure in set-up or tear-down takes the proof away again.
        before = self.tests.get(report.nodeid, {"passed": True})
        passed = before["passed"] and report.passed
        self.tests[report.nodeid] = {"rows": named, "passed": passed}

    def pytest_sessionfinish(self) -> None:
        self.out.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"tests": self.tests}, ensure_ascii=False, indent=1, sort_keys=True)
        self.out.write_text(f"{text}\n", encoding="utf-8")


# --- program ----------------------------------------------------------------------------------------


def proofs(files: Iterable[Path]) -> dict[str, list[str]]:
    """The passing tests of each row in the records of some runs."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        for test, record in json.loads(file.read_text(encoding="utf-8"))["tests"].items():
            for row in record["rows"] if record["passed"] else ():
                found[row].append(test)
    return found


def report(files: Sequence[Path]) -> str:
    """The hard rows without a passing test, and a line that sums up."""
    proved = proofs(files)
    hard = [row for row in rows().values() if row.is_hard]
    missing = [row for row in hard if row.id not in proved]
    lines = [f"{row.id:<9}{row.text}" for row in missing]
    lines.append(f"{len(hard) - len(missing)} of {len(hard)} hard rows carry a passing test.")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    files = [Path(argument) for argument in arguments if Path(argument).is_file()]
    if not files:
        print("No record of a run yet: make test writes one.", file=sys.stderr)
        return 1
    print(report(files))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
