"""How long things take to start, and how large the server is.

Whole processes, median of five: `inkan --help`; the test country until it tells what to try; the resident memory of
`inkan serve` after its first hundred identifications, its worker processes beside it.
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from rig import found_rig, lines

from identification import CONNECTIONS, identify_all

RUNS = 5
PORT = 8620
COMMAND = [sys.executable, "-c", "from inkan.cli import main; main()"]

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Help, demo, memory."""
    empty = statistics.median(_run([sys.executable, "-c", ""]) for _ in range(RUNS))
    helped = statistics.median(_run([*COMMAND, "--help"]) for _ in range(RUNS))
    yield "inkan --help", "s", helped, "<= 0.3", f"an empty interpreter takes {empty:.2f} s"
    ready = [_demo_ready(PORT + 10 * n) for n in range(3)]
    yield "inkan demo ready", "s", statistics.median(ready), "<= 5", "median of three"
    yield _memory()


def _run(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def _demo_ready(port: int) -> float:
    started = time.perf_counter()
    with subprocess.Popen(
        [*COMMAND, "demo", "--port", str(port)], stdout=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        for line in demo.stdout:
            if "The test country runs" in line:
                break
        ready = time.perf_counter() - started
        demo.terminate()
        demo.wait(20)
    return ready


def _memory() -> Row:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rig = asyncio.run(found_rig(Path(folder), port=PORT + 50))
        with rig.serving():
            asyncio.run(_load(rig))
            assert rig.server is not None
            server = rig.rss_kib() / 1024
            workers = sum(_rss_kib(child) for child in _children(rig.server.pid)) / 1024
    return (
        "memory of inkan serve",
        "MiB",
        server,
        "<= 143",
        f"workers {workers:.0f} MiB; limit 150 MB",
    )


async def _load(rig: object) -> None:
    async with lines(rig, CONNECTIONS) as open_lines:  # type: ignore[arg-type]
        await rig.log_in(open_lines[0])  # type: ignore[attr-defined]
        await identify_all(rig, open_lines, 112)  # type: ignore[arg-type]


def _children(pid: int) -> list[int]:
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in listed]


def _rss_kib(pid: int) -> int:
    fields = Path(f"/proc/{pid}/statm").read_text().split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") // 1024
