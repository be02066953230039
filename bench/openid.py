"""The OpenID provider beside npm's oidc-provider 9.13.3: the same flows by the same bare client, in turn.

Each server has one core, the client the other one; eight keep-alive connections, plain HTTP on loopback, another address
after a hundred flows. Rates are flows ÷ CPU seconds of the server process, the median of five rounds that alternate; the
wall rates stand beside them. Ours keeps everything on SQLite with `synchronous=FULL`: what was answered is on the disk.
The peer keeps everything in memory (its development adapter) and has more features. Both sign ES256 and check the same
things; access tokens of the flows are opaque at the peer and signed JWTs at ours; ours writes an audit event for every
step.

*Stub*: whoever is asked to log in agrees at once, by one page of the server that leads on; on our side it stands in for
sessions, doors and phones (`openid_server.py`), at the peer for its interaction. *Existing login*: one browser that is
logged in. *CIBA pair*: request and token. *PAR*: pushed request, private_key_jwt, DPoP with the server's nonce, stub.
*With a phone*: nothing stands in; a browser of its own, the platform's page, both proofs of a phone.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import NamedTuple

import openid_flows as flows
from openid_flows import Connection, Side
from openid_peer import peer
from openid_phone import whole_logins
from openid_side import founded, serving
from openssl_peer import cpu_s

PORT = 8740
CONNECTIONS = 8
ROUNDS = 5
OF_ONE_SENDER = 100
MANY = 100_000
LIMITED = (flows.existing_login, flows.full_login, flows.backchannel, flows.pushed)
SECONDS = float(os.environ.get("BENCH_OPENID", "2"))

Row = tuple[str, str, float, float | str | None, str]
Flow = Callable[[Connection], Awaitable[None]]


class Work(NamedTuple):
    """One row of the table: what is done, and how much of the peer's rate is the goal."""

    name: str
    unit: str
    flow: Flow
    goal: str


WORKS = (
    Work("client_credentials", "tokens", flows.client_credentials, ">= 1.3"),
    Work("code + PKCE, existing login", "flows", flows.existing_login, ">= 1.0"),
    Work("code + PKCE, full login, stub", "flows", flows.full_login, ">= 1.0"),
    Work("CIBA pair, stub", "pairs", flows.backchannel, ">= 1.0"),
    Work("PAR, private_key_jwt, DPoP, stub", "flows", flows.pushed, ">= 1.0"),
    Work("JWKS", "requests", flows.jwks, ">= 2"),
    Work("discovery", "requests", flows.discovery, ">= 2"),
)

_senders = count(1)


class Rate(NamedTuple):
    """Flows per CPU second of the server, and per second by the clock."""

    cpu: float
    wall: float


def figures() -> Iterator[Row]:
    """Rates beside the peer's, memory, the whole way with a phone."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name, ExitStack() as stack:
        made = asyncio.run(founded(Path(name), port=PORT))
        with _cores(server=True):
            ours = stack.enter_context(serving(made))
            theirs = stack.enter_context(peer(PORT + 1))
        with _cores(server=False):
            yield from asyncio.run(_beside(ours, theirs))
        yield from _memory(ours, theirs)
        stack.close()
        yield from whole_logins(made)


async def _beside(ours: Side, theirs: Side) -> list[Row]:
    rows: list[Row] = []
    for work in WORKS:
        rates: dict[str, list[Rate]] = {ours.name: [], theirs.name: []}
        for side in (ours, theirs):  # warm
            await _block(side, work.flow, SECONDS / 4)
        for _ in range(ROUNDS):
            for side in (ours, theirs):
                rates[side.name].append(await _block(side, work.flow, SECONDS))
        rows += _rows(work, _median(rates[ours.name]), _median(rates[theirs.name]))
    return rows


def _rows(work: Work, ours: Rate, theirs: Rate) -> list[Row]:
    note = f"wall {ours.wall:,.0f}/s, peer {theirs.wall:,.0f}/s"
    unit = f"{work.unit} per server-CPU-second"
    return [
        (work.name, unit, ours.cpu, theirs.cpu, note),
        (f"{work.name} ÷ peer", "times", ours.cpu / theirs.cpu, work.goal, ""),
    ]


async def _block(side: Side, flow: Flow, seconds: float) -> Rate:
    """So many seconds of one flow after the other on each connection."""
    if flow is flows.existing_login:
        # Other flows may have driven the login out of the peer's memory.
        side.settled.clear()
        line = await Connection.to(side, source=_fresh_address())
        await flows.code_flow(line, side.settled)
        await line.close()
    cpu, begun = cpu_s(side.pid), time.perf_counter()
    end = begun + seconds
    done = sum(await asyncio.gather(*(_work(side, flow, end) for _ in range(CONNECTIONS))))
    return Rate(done / (cpu_s(side.pid) - cpu), done / (time.perf_counter() - begun))


async def _work(side: Side, flow: Flow, end: float) -> int:
    done = 0
    while time.perf_counter() < end:
        # Rates are limited by the address of the sender: after so many flows another one comes.
        line = await Connection.to(side, source=_fresh_address())
        for _ in range(OF_ONE_SENDER if flow in LIMITED else MANY):
            await flow(line)
            done += 1
            if time.perf_counter() >= end:
                break
        await line.close()
    return done


def _fresh_address() -> str:
    number = next(_senders)
    return f"127.{64 + number // 65_536}.{number // 256 % 256}.{number % 256}"


def _median(rates: list[Rate]) -> Rate:
    return Rate(*(statistics.median(each) for each in zip(*rates, strict=True)))


def _memory(ours: Side, theirs: Side) -> Iterator[Row]:
    mine, other = _rss_mib(ours.pid), _rss_mib(theirs.pid)
    yield "memory after all of it", "MiB", mine, other, "resident, workers apart"
    yield "memory ÷ peer", "times", mine / other, "<= 0.7", ""


def _rss_mib(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@contextmanager
def _cores(*, server: bool) -> Iterator[None]:
    """What is started in the block runs on the first core, or on the others; on a single core nothing is pinned."""
    before = os.sched_getaffinity(0)
    first = {min(before)}
    if len(before) > 1:
        os.sched_setaffinity(0, first if server else before - first)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
