"""Five thousand relying parties' requests that wait by server-sent events in one process.

One `inkan serve` process on SQLite (synchronous=FULL). Each waiter is a connection that follows a session of its own
(`GET …/events`) and has got its first event before the clock starts; memory is what the server's resident memory grows
by. Then sessions among them are opened and approved, one after the other, while the rest waits: heartbeats, and the
readings again that each waiter does every ten seconds, go on. *Decision to relying party* is the time from sending
the phone's decision to the event that tells the end, so both proofs, the transaction and its COMMIT are in it.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rig import Keys, Line, Rig, found_rig, lines

PORT = 8680
WAITERS = int(os.environ.get("BENCH_WAITERS", "5000"))
DECISIONS = 200
CONNECTIONS = 16

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Memory, then time."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rig = asyncio.run(found_rig(Path(folder), port=PORT))
        with rig.serving():
            yield from asyncio.run(_waiting(rig))


async def _waiting(rig: Rig) -> list[Row]:
    async with lines(rig, CONNECTIONS) as open_lines:
        await rig.log_in(open_lines[0])
        created = await _create(rig, open_lines)
        before = rig.rss_kib()
        waiters = await _follow(rig, created)
        await asyncio.sleep(1)
        grown = rig.rss_kib() - before
        wakes = [
            await _wake(rig, open_lines[0], waiters[n], created[n], rig.phones[n % len(rig.phones)])
            for n in range(0, WAITERS, max(1, WAITERS // DECISIONS))
        ]
        idle, watched = rig.cpu_s(), time.perf_counter()
        await asyncio.sleep(5)
        idle, watched = rig.cpu_s() - idle, time.perf_counter() - watched
        await asyncio.gather(*(waiter.close() for waiter in waiters))
    to_waiter = statistics.median(each for each, _ in wakes) * 1e3
    to_phone = statistics.median(each for _, each in wakes) * 1e3
    slow = statistics.quantiles((each for each, _ in wakes), n=20)[-1] * 1e3
    note = f"of {len(wakes)}; p95 {slow:.1f} ms; the phone's own answer takes {to_phone:.1f} ms"
    return [
        ("waiter by server-sent events", "KiB", grown / WAITERS, "<= 30", f"{WAITERS:,} waiters"),
        ("decision to relying party, p50", "ms", to_waiter, "<= 5", note),
        ("waiting alone", "CPU s in a second", idle / watched, None, f"{WAITERS:,} waiters"),
    ]


async def _create(rig: Rig, open_lines: Sequence[Line]) -> list[dict[str, Any]]:
    created: list[dict[str, Any]] = []

    async def work(line: Line) -> None:
        while len(created) < WAITERS:
            created.append(await rig.create(line))

    await asyncio.gather(*map(work, open_lines))
    return created


async def _follow(rig: Rig, created: Sequence[dict[str, Any]]) -> list[Line]:
    """A connection that follows each session; fifty are dialled at a time."""
    waiters: list[Line] = []
    for start in range(0, WAITERS, 50):
        some = created[start : start + 50]
        waiters += await asyncio.gather(*(_begin(rig, each["session"]["id"]) for each in some))
    return waiters


async def _begin(rig: Rig, session: str) -> Line:
    path = f"/v1/sessions/{session}/events"
    line = await Line.dial(rig)
    line.send("GET", path, rig.rp_headers("GET", path))
    await line.receive_until(b'"state":"presented"')
    return line


async def _wake(
    rig: Rig, control: Line, waiter: Line, created: dict[str, Any], phone: Keys
) -> tuple[float, float]:
    """Seconds from sending the phone's decision to the waiter's event, and to the phone's own answer."""
    path = f"/v1/sessions/{created['session']['id']}/doors/qr"
    door = await control.ask("POST", path, rig.rp_headers("POST", path))
    opened = await rig.open(control, phone, {"doors": {"qr": door}})
    body = phone.decide_body(opened["draft"], opened["text"])
    begun = time.perf_counter()

    async def told() -> float:
        await waiter.receive_until(b'"state":"closed","outcome":"ok"')
        return time.perf_counter() - begun

    async def answered() -> float:
        await rig.send_decision(control, phone, opened["approval"], body)
        return time.perf_counter() - begun

    return tuple(await asyncio.gather(told(), answered()))  # type: ignore[return-value]
