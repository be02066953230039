"""Run the benches and print their figures beside the limit or peer of the same run: `make bench`.

A bench is a module of this folder with a docstring, which tells its method, and a function ``figures()``.
It yields rows ``(name, unit, value, limit or peer, note)``:

* a limit is text, ``">= 500"`` or ``"<= 450"``: the ratio says how far the figure is on the good side, and
  a figure on the bad side is marked;
* a peer is a number, measured by the bench in the same run: the ratio is figure ÷ peer;
* None: the figure stands for itself.

Each bench runs in a process of its own, so that none measures what another left behind. Nothing here is a
test: a missed limit is printed, not raised, unless ``--strict`` asks for it.
"""

import argparse
import importlib.util
import json
import os
import platform
import re
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent
LIMIT = re.compile(r"(>=|<=) *([0-9.,]+)")
HEADINGS = ("figure", "value", "unit", "limit or peer", "ratio", "")
RIGHT = (1, 3, 4)


class Figure(NamedTuple):
    """One line of the table."""

    name: str
    unit: str
    value: float
    against: float | str | None = None
    note: str = ""

    @property
    def bound(self) -> float | None:
        """The number to compare with."""
        if isinstance(self.against, str):
            return float(_limit(self.against)[2].replace(",", ""))
        return self.against

    @property
    def ratio(self) -> float | None:
        """Value ÷ peer; for a limit, how many times better than the limit."""
        if not self.bound or not self.value:
            return None
        at_most = isinstance(self.against, str) and _limit(self.against)[1] == "<="
        return self.bound / self.value if at_most else self.value / self.bound

    @property
    def is_missed(self) -> bool:
        """Whether the figure lies on the wrong side of a limit."""
        if not isinstance(self.against, str) or self.bound is None:
            return False
        at_most = _limit(self.against)[1] == "<="
        return self.value > self.bound if at_most else self.value < self.bound


def _limit(text: str) -> re.Match[str]:
    found = LIMIT.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is no limit: write '>= 500' or '<= 450'")
    return found


# --- table ------------------------------------------------------------------------------------------


def number(value: float | None) -> str:
    """Three significant digits, whole numbers with thousands."""
    if value is None:
        return ""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def cells(figure: Figure) -> tuple[str, ...]:
    """One row of the table as text."""
    against = figure.against if isinstance(figure.against, str) else number(figure.against)
    ratio = f"{figure.ratio:.2f}" if figure.ratio is not None else ""
    note = " · ".join(filter(None, ["MISSED" if figure.is_missed else "", figure.note]))
    return (figure.name, number(figure.value), figure.unit, against, ratio, note)


def table(figures: Iterable[Figure]) -> str:
    """An aligned Markdown table."""
    rows = [HEADINGS, *map(cells, figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [_line(row, widths) for row in rows]
    rule = ("-" * (w - 1) + (":" if i in RIGHT else "-") for i, w in enumerate(widths))
    return "\n".join([lines[0], f"| {' | '.join(rule)} |", *lines[1:]])


def _line(row: Iterable[str], widths: list[int]) -> str:
    padded = (
        cell.rjust(width) if i in RIGHT else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return f"| {' | '.join(padded)} |"


# --- machine ----------------------------------------------------------------------------------------


def machine() -> str:
    """What the figures were measured on."""
    facts = [
        f"{os.cpu_count()} cores of {_cpu()}",
        f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
        ssl.OPENSSL_VERSION,
        f"fdatasync {fdatasync_us():.0f} µs",
        f"load {os.getloadavg()[0]:.1f}",
    ]
    return ", ".join(facts)


def _cpu() -> str:
    found = re.search(r"^model name\s*: (.+)$", _read("/proc/cpuinfo"), re.MULTILINE)
    return " ".join(found[1].split()) if found else platform.processor() or platform.machine()


def _read(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def fdatasync_us(count: int = 64) -> float:
    """The median time of appending a page to a file and syncing it, in µs."""
    times = []
    with tempfile.TemporaryFile(dir=os.environ.get("TMPDIR")) as file:
        for _ in range(count):
            os.write(file.fileno(), b"\0" * 4096)
            start = time.perf_counter()
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - start)
    return sorted(times)[count // 2] * 1e6


# --- running ----------------------------------------------------------------------------------------


def benches(only: str = "") -> list[Path]:
    """The modules with figures, by name."""
    return [
        path
        for path in sorted(FOLDER.glob("*.py"))
        if only in path.stem
        and "def figures(" in path.read_text(encoding="utf-8")
        and path != Path(__file__)
    ]


def load(path: Path) -> Any:
    """The module of a bench."""
    sys.path.insert(0, str(FOLDER))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def child(path: Path) -> None:
    """Run one bench and write its method and its rows as JSON lines to the pipe that it was given."""
    # What a bench prints goes to the terminal's error stream; the rows have the standard output.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module = load(path)
    print(json.dumps({"method": (module.__doc__ or "").strip()}), file=out, flush=True)
    for row in module.figures():
        print(json.dumps({"row": Figure(*row)}), file=out, flush=True)


def run(path: Path) -> tuple[str, list[Figure]]:
    """The method and the figures of a bench.

    Raises:
        subprocess.CalledProcessError: the bench failed; what it said is on the error stream.
    """
    command = [sys.executable, str(Path(__file__)), "--child", str(path)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    return lines[0]["method"], [Figure(*line["row"]) for line in lines[1:]]


def report(found: Iterable[tuple[str, str, list[Figure]]]) -> Iterator[str]:
    """The page: machine, then each bench with its method and its table."""
    yield f"Measured on {machine()}."
    for name, method, figures in found:
        yield f"## {name}"
        yield method
        yield table(figures)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description="Measure, beside the limits and peers of the same run."
    )
    parser.add_argument("--only", default="", metavar="NAME", help="benches whose name holds NAME")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE too")
    parser.add_argument("--strict", action="store_true", help="fail when a limit is missed")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.child:
        child(options.child)
        return 0

    found = []
    for path in benches(options.only):
        print(f"bench: {path.stem} …", file=sys.stderr, flush=True)
        found.append((path.stem, *run(path)))
    if not found:
        print("bench: nothing to measure", file=sys.stderr)
        return 0
    print("\n\n".join(report(found)))
    if options.json:
        record = {name: [figure._asdict() for figure in figures] for name, _, figures in found}
        options.json.write_text(json.dumps({"machine": machine(), "benches": record}, indent=1))
    missed = any(figure.is_missed for _, _, figures in found for figure in figures)
    return 1 if missed and options.strict else 0


if __name__ == "__main__":
    sys.exit(main())
