"""Whole identifications by each of the five doors, and what a create takes while they run.

One `inkan serve` process on SQLite (synchronous=FULL), sixteen keep-alive connections, every request authenticated as
in production. Rates are identifications ÷ CPU seconds of the server process; rounds of the doors alternate. `push`:
named by national ID, at most three for one person, so that none is kept silent; the phone waits by long poll, the
outbox's work counts. `web_link` and `app_link` are redeemed by return code and verifier. `redirect`: a fresh browser
with a connection and an address of its own sees the page, sends its form, sees it again and opens the wallet.

*Create at half load*: identifications by `qr` begin at even times, half as many in a second as the server made of them
in a CPU second, or by the clock where that was fewer, whether earlier ones have ended or not; from sending the request
to having its answer. *Enqueue of a
push*: the use case alone in this process without an outbox worker, sixteen at a time, `push` against `qr` with the same
person named, as a share of the CPU that a whole create request takes in the server.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
from doorways import BY_DOOR, CODE, Person, found_crowd, identify_by
from rig import Line, Rig, lines, own_cpu_s, settings_for

from inkan.composition.platform import Platform, compose
from inkan.crypto import base64url
from inkan.identification.model import SessionOrder
from inkan.kernel.ids import new_id, random_bytes

PORT = 8660
CONNECTIONS = 16
ROUNDS = 3
EACH = int(os.environ.get("BENCH_DOORS", "10"))  # identifications of a connection in a round
CREATES = 640
BLOCKS = 12
AT_HALF = 600

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Doors, create at half load, the share of the push."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rig, people = asyncio.run(
            found_crowd(Path(folder), port=PORT, persons=CONNECTIONS * (EACH + 1))
        )
        with rig.serving():
            rates = asyncio.run(_by_door(rig, people))
            yield from (_row(door, *rates[door]) for door in BY_DOOR)
            yield asyncio.run(_create_at_half(rig, people, min(rates["qr"][:2]) / 2))
            create_us, with_push_us = asyncio.run(_creates(rig, people))
        yield from _enqueue(rig, people, create_us, with_push_us)


def _row(door: str, rate: float, wall: float, own: float) -> Row:
    note = f"wall {wall:,.0f}/s, generator {own * 1e6:,.0f} µs CPU each"
    return f"by {door}", "per server-CPU-second", rate, ">= 400", note


async def _by_door(rig: Rig, people: Sequence[Person]) -> dict[str, tuple[float, float, float]]:
    """Each door's rates by server CPU and by the clock, and the generator's seconds for one."""
    first, others = people[:CONNECTIONS], people[CONNECTIONS:]
    shares = [others[n::CONNECTIONS] for n in range(CONNECTIONS)]
    spent = {door: [0.0, 0.0, 0.0] for door in BY_DOOR}
    async with lines(rig, CONNECTIONS) as open_lines:
        for door in BY_DOOR:  # warm
            await rig.log_in(open_lines[0])
            await identify_by(door, rig, open_lines, [[person] for person in first])
        for _ in range(ROUNDS):
            await rig.log_in(open_lines[0])
            for door in BY_DOOR:
                before = rig.cpu_s(), time.perf_counter(), own_cpu_s()
                await identify_by(door, rig, open_lines, shares)
                after = rig.cpu_s(), time.perf_counter(), own_cpu_s()
                for place, (a, b) in enumerate(zip(after, before, strict=True)):
                    spent[door][place] += a - b
    number = ROUNDS * len(others)
    return {
        door: (number / cpu, number / wall, own / number)
        for door, (cpu, wall, own) in spent.items()
    }


async def _create_at_half(rig: Rig, people: Sequence[Person], per_second: float) -> Row:
    took: list[float] = []

    async def one(pool: "asyncio.LifoQueue[Line]", person: Person) -> None:
        line = await pool.get()
        begun = time.perf_counter()
        created = await rig.create(line)
        took.append(time.perf_counter() - begun)
        await rig.decide(line, person.phone, await rig.open(line, person.phone, created))
        await rig.result(line, created["session"]["id"])
        pool.put_nowait(line)

    async with lines(rig, 3 * CONNECTIONS) as open_lines:
        await rig.log_in(open_lines[0])
        pool: asyncio.LifoQueue[Line] = asyncio.LifoQueue()
        for line in open_lines:
            pool.put_nowait(line)
        begun, under_way = time.perf_counter(), []
        for number in range(AT_HALF):
            await asyncio.sleep(max(0.0, begun + number / per_second - time.perf_counter()))
            person = people[number % len(people)]
            under_way.append(asyncio.ensure_future(one(pool, person)))
        await asyncio.gather(*under_way)
    middle, slow = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    note = f"{per_second:.0f} identifications begin in a second; median {middle * 1e3:.1f} ms"
    return "create at half load, p95", "ms", slow * 1e3, "<= 20", note


# --- the push's share -------------------------------------------------------------------------------


def _order(person: Person, door: str) -> dict[str, Any]:
    return {"doors": [door], "subject_hint": {"type": "national_id", "value": person.number}}


async def _creates(rig: Rig, people: Sequence[Person]) -> tuple[float, float]:
    """CPU of the server for a create request by `qr` and by `push`, in µs; the push's with its job."""
    spent = {"qr": 0.0, "push": 0.0}

    async def work(line: Line, door: str, share: Sequence[Person]) -> None:
        for person in share:
            await rig.create(line, **_order(person, door))

    async with lines(rig, CONNECTIONS) as open_lines:
        await rig.log_in(open_lines[0])
        rounds = CREATES // len(people)
        for door in ("qr", "push") * rounds:
            before = rig.cpu_s()
            shares = [people[n::CONNECTIONS] for n in range(CONNECTIONS)]
            await asyncio.gather(*map(work, open_lines, [door] * CONNECTIONS, shares))
            await asyncio.sleep(0.3)  # the last jobs
            spent[door] += rig.cpu_s() - before
    number = rounds * len(people)
    return spent["qr"] / number * 1e6, spent["push"] / number * 1e6


def _enqueue(
    rig: Rig, people: Sequence[Person], create_us: float, with_push_us: float
) -> Iterator[Row]:
    added_us = asyncio.run(_added(rig, people))
    yield (
        "enqueue of a push, of a create",
        "%",
        added_us / create_us * 100,
        "<= 15",
        f"{added_us:.0f} µs of {create_us:,.0f} µs CPU",
    )
    yield (
        "create by push, its job included",
        "µs CPU",
        with_push_us,
        None,
        "beyond the quota: phones found and aimed at, no message",
    )


async def _added(rig: Rig, people: Sequence[Person]) -> float:
    """CPU that `push` takes beyond `qr` in the use case, in µs: median over alternating blocks."""
    async with compose(settings_for(rig.folder, rig.port)) as platform:
        differences = []
        for block in range(BLOCKS + 1):
            qr, push = [await _block(platform, people, door) for door in ("qr", "push")]
            if block:  # the first one warms up
                differences.append(push - qr)
    return statistics.median(differences) * 1e6


async def _block(platform: Platform, people: Sequence[Person], door: str) -> float:
    """CPU seconds of one create by the use case."""
    system = (await platform.relying_parties.named(CODE)).system
    orders = [_body(person, door) for person in people]
    begun = time.process_time()
    for start in range(0, len(orders), CONNECTIONS):
        await asyncio.gather(
            *(
                platform.identification.create(
                    system, order, body=body, idempotency_key=new_id("idem")
                )
                for order, body in orders[start : start + CONNECTIONS]
            )
        )
    return (time.process_time() - begun) / len(orders)


def _body(person: Person, door: str) -> tuple[SessionOrder, bytes]:
    body = msgspec.json.encode(
        {
            "kind": "identify",
            "purpose": "login",
            "challenge": base64url.encode(random_bytes(32)),
            **_order(person, door),
        }
    )
    return msgspec.json.decode(body, type=SessionOrder), body
