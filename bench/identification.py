"""Whole identifications over HTTP: create, open, decide, result, every request authenticated as in production.

One `inkan serve` process on SQLite (synchronous=FULL), bare keep-alive sockets on loopback. Throughput is
requests or identifications ÷ CPU seconds of the server process; the wall rate and the generator's own CPU stand
beside it. The approve request is measured alone: sessions are created and opened and all proofs made before the
clock starts. Raw cost is one RSA-2048 (PSS) and one P-256 verification with prepared keys, in this process.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
from cryptography.hazmat.primitives.hashes import SHA256
from rig import Keys, Line, Rig, found_rig, lines, own_cpu_s

from inkan.crypto.keys import KeySpec, generate

PORT = 8600
CONNECTIONS = 16
IDENTIFICATIONS = int(os.environ.get("BENCH_IDENTIFICATIONS", "1600"))
APPROVALS = 960
WAITING = 1000

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Throughput, the approve request, and waiting sessions."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rig = asyncio.run(found_rig(Path(folder), port=PORT))
        with rig.serving():
            yield from asyncio.run(_whole(rig))
            yield from asyncio.run(_approve(rig))
            yield from asyncio.run(_waiting(rig))


async def _whole(rig: Rig) -> list[Row]:
    async with lines(rig, CONNECTIONS) as open_lines:
        await rig.log_in(open_lines[0])
        await identify_all(rig, open_lines, CONNECTIONS * 4)
        cpu, own, wall = rig.cpu_s(), own_cpu_s(), time.perf_counter()
        await identify_all(rig, open_lines, IDENTIFICATIONS)
        cpu, own, wall = rig.cpu_s() - cpu, own_cpu_s() - own, time.perf_counter() - wall
    note = (
        f"wall {IDENTIFICATIONS / wall:,.0f}/s, generator {own / IDENTIFICATIONS * 1e6:,.0f} µs CPU each, "
        f"{CONNECTIONS} connections"
    )
    return [
        (
            "identifications",
            "per server-CPU-second",
            IDENTIFICATIONS / cpu,
            ">= 500",
            note,
        ),
        (
            "CPU of one identification (4 requests)",
            "µs",
            cpu / IDENTIFICATIONS * 1e6,
            None,
            "create, open, decide, result",
        ),
    ]


async def identify_all(rig: Rig, open_lines: list[Line], count: int) -> None:
    async def user(number: int, line: Line) -> None:
        phone = rig.phones[number % len(rig.phones)]
        for _ in range(count // len(open_lines)):
            created = await rig.create(line)
            opened = await rig.open(line, phone, created)
            await rig.decide(line, phone, opened)
            seen = await rig.result(line, created["session"]["id"])
            if seen["outcome"] != "ok":
                raise RuntimeError(seen)

    await asyncio.gather(*(user(number, line) for number, line in enumerate(open_lines)))


async def _approve(rig: Rig) -> list[Row]:
    async with lines(rig, CONNECTIONS) as open_lines:
        await rig.log_in(open_lines[0])
        ready = await asyncio.gather(
            *(_prepare(rig, number, line) for number, line in enumerate(open_lines))
        )
        cpu, wall = rig.cpu_s(), time.perf_counter()
        await asyncio.gather(
            *(_send(rig, line, share) for line, share in zip(open_lines, ready, strict=True))
        )
        cpu, wall = rig.cpu_s() - cpu, time.perf_counter() - wall
    count = sum(map(len, ready))
    raw = raw_verifications_us()
    return [
        (
            "approve request",
            "µs CPU",
            cpu / count * 1e6,
            "<= 450",
            f"wall {count / wall:,.0f}/s; two raw verifications {raw:.0f} µs",
        ),
        ("two raw signature checks", "µs", raw, None, "RSA-2048 PSS and P-256, keys prepared"),
    ]


async def _prepare(rig: Rig, number: int, line: Line) -> list[tuple[Keys, str, bytes]]:
    phone = rig.phones[number % len(rig.phones)]
    ready = []
    for _ in range(APPROVALS // CONNECTIONS):
        opened = await rig.open(line, phone, await rig.create(line))
        ready.append(
            (phone, opened["approval"], phone.decide_body(opened["draft"], opened["text"]))
        )
    return ready


async def _send(rig: Rig, line: Line, share: list[tuple[Keys, str, bytes]]) -> None:
    for phone, approval, body in share:
        await rig.send_decision(line, phone, approval, body)


async def _waiting(rig: Rig) -> list[Row]:
    async with lines(rig, 1) as (control,):
        await rig.log_in(control)
        created = [await rig.create(control) for _ in range(WAITING)]
        before = rig.rss_kib()
        waiters = [await _wait_on(rig, each["session"]["id"]) for each in created]
        await asyncio.sleep(1)
        grown = rig.rss_kib() - before
        wakes = [
            await _wake(rig, control, waiters[n], created[n], rig.phones[n % len(rig.phones)])
            for n in range(0, WAITING, 20)
        ]
        for waiter in waiters:
            await waiter.close()
    return [
        ("waiting session", "KiB", grown / WAITING, "<= 30", f"{WAITING:,} long polls"),
        (
            "decision to waiter",
            "ms",
            statistics.median(to_waiter for to_waiter, _ in wakes) * 1e3,
            "<= 5",
            (
                f"median of {len(wakes)}, from sending the decision, its own work and COMMIT included; "
                f"the phone's answer takes {statistics.median(own for _, own in wakes) * 1e3:.1f} ms"
            ),
        ),
    ]


async def _wait_on(rig: Rig, session: str) -> Line:
    """A connection that waits for the end of a session."""
    path = f"/v1/sessions/{session}"
    line = await Line.dial(rig)
    line.send("GET", f"{path}?wait=60", rig.rp_headers("GET", path))
    return line


async def _wake(
    rig: Rig, control: Line, waiter: Line, created: dict[str, Any], phone: Keys
) -> tuple[float, float]:
    """Seconds from sending the phone's decision to the waiter's answer, and to the phone's own."""
    door = await rig.open(control, phone, _fresh(await _door(rig, control, created), created))
    body = phone.decide_body(door["draft"], door["text"])
    started = time.perf_counter()

    async def heard(answer: Awaitable[Any]) -> tuple[Any, float]:
        return await answer, time.perf_counter() - started

    decision = rig.send_decision(control, phone, door["approval"], body)
    (view, to_waiter), (_, to_phone) = await asyncio.gather(
        heard(waiter.receive()), heard(decision)
    )
    if view["outcome"] != "ok":
        raise RuntimeError(view)
    return to_waiter, to_phone


async def _door(rig: Rig, line: Line, created: dict[str, Any]) -> dict[str, Any]:
    path = f"/v1/sessions/{created['session']['id']}/doors/qr"
    return await line.ask("POST", path, rig.rp_headers("POST", path))


def _fresh(door: dict[str, Any], created: dict[str, Any]) -> dict[str, Any]:
    return {**created, "doors": {"qr": door}}


def raw_verifications_us(count: int = 500) -> float:
    """The cost of one RSA-2048 PSS and one P-256 verification."""
    data = os.urandom(300)
    pss, ecdsa = PSS(MGF1(SHA256()), 32), ECDSA(SHA256())
    rsa, ec = generate(KeySpec.RSA2048), generate(KeySpec.P256)
    # The keys are of known kinds; the union that the library declares takes no padding.
    by_rsa = rsa.sign(data, pss, SHA256())  # type: ignore[call-arg,arg-type]
    by_ec = ec.sign(data, ecdsa)  # type: ignore[call-arg,arg-type]
    public_rsa, public_ec = rsa.public_key(), ec.public_key()
    started = time.process_time()
    for _ in range(count):
        public_rsa.verify(by_rsa, data, pss, SHA256())  # type: ignore[call-arg,arg-type]
        public_ec.verify(by_ec, data, ecdsa)  # type: ignore[call-arg,arg-type]
    return (time.process_time() - started) / count * 1e6
