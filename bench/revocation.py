"""Revocation at the size of a nation: lists by the million, sweeps of all shards, OCSP over HTTP.

* **Lists.** The rows of a database are filled beforehand, each with its written entry of 50 octets (serial number of
  16 octets, reason code), as revocations leave them. The figure of a full list is reading, writing and signing it
  (P-256), in a process of its own, whose peak memory is the second figure; putting it into the database stands in
  the note. The sweep takes every shard through the whole of its plan: number, entries, signature, storing.
* **OCSP.** ``inkan serve`` on SQLite, sixteen keep-alive connections without pipelining, a client of this process on
  the other core. Rates are answers ÷ CPU seconds of the server process. *Stored*: GET of RFC 5019 about 400
  certificates in turn; all answers were signed once before. *Live*: POST with a nonce of 32 octets.
* **Peer.** ``openssl ocsp`` with a P-256 responder's key, an index of the same number of certificates and the same requests,
  in a network namespace of its own, because it binds every interface; it takes one connection for a request. Left
  out where no namespace can be made.
"""

import asyncio
import base64
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
import uvloop
from openssl_peer import Measured, cpu_s, measure

from inkan.composition.platform import Platform, compose
from inkan.composition.settings import Settings
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.crl_encoding import encode_entry
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.crypto.ocsp import build_request
from inkan.crypto.path import RevocationReason
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.demo.country import settings_for
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, MirrorKind, SubjectName, read_ceremony, store
from inkan.store.database import Step

PORT = 8630
SHARDS = 1024
FULL = int(os.environ.get("BENCH_CRL_ENTRIES", "1000000"))
SWEPT = FULL // 2
CERTIFICATES = 400
CONNECTIONS = 16
SECONDS = 4.0
CHUNK = 50_000
TICKS = os.sysconf("SC_CLK_TCK")
HERE = Path(__file__)

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Lists, then OCSP."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield from _full_list(Path(folder))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield asyncio.run(_sweep(Path(folder)))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield from _ocsp(Path(folder))


# --- lists -------------------------------------------------------------------------------------------


def _settings(folder: Path) -> Settings:
    settings = settings_for(folder, PORT)
    pki = msgspec.structs.replace(settings.pki, lint=False, ocsp_live_per_minute=10**9)
    return msgspec.structs.replace(settings, pki=pki)


def _ceremony(shards: int) -> Any:
    text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
    ceremony = read_ceremony(text)
    issuing = [msgspec.structs.replace(part, crl_shards=shards) for part in ceremony.issuing]
    return msgspec.structs.replace(ceremony, issuing=issuing)


def _full_list(folder: Path) -> Iterator[Row]:
    asyncio.run(_fill(folder, FULL))
    command = [sys.executable, str(HERE), str(folder)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    made = json.loads(ran.stdout)
    entries = f"CRL with {FULL:,} entries"
    note = f"{made['size'] / 1e6:.1f} MB; wall {made['made_wall_s']:.2f} s; storing it {made['stored_s']:.2f} s CPU more"
    yield entries, "s CPU", made["made_s"], "<= 1", note
    resting = f"{made['resting_mib']:.0f} MiB of it before"
    yield f"{entries}, peak memory of the process", "MiB", made["peak_mib"], "<= 250", resting


async def _fill(folder: Path, count: int) -> None:
    """An instance whose phone authority has 1,024 shards and so many revoked certificates."""
    async with compose(_settings(folder)) as platform:
        await platform.pki.hold_ceremony(_ceremony(SHARDS))
        at = platform.clock.now().replace(microsecond=0)
        for start in range(0, count, CHUNK):
            numbers = range(start, min(start + CHUNK, count))
            await platform.db.transact(_revoked, at, numbers)
        await platform.db.transact(_dirty)


def _revoked(at: Any, numbers: Sequence[int]) -> Step[None]:
    rows = []
    for number in numbers:
        serial = int.from_bytes(random_bytes(16)) >> 1 | 1 << 126
        serial = serial >> 10 << 10 | number % SHARDS
        rows.append(
            {
                "authority": "phone",
                "shard": number % SHARDS,
                "serial": f"{serial:x}",
                "removed": False,
                "entry": encode_entry(serial, at=at, reason=RevocationReason.SUPERSEDED),
                "reason": RevocationReason.SUPERSEDED.value,
                "changed_at": at,
                "keep_until": at + timedelta(days=300),
            }
        )
    yield store.STORE_REVOKED.many(rows)


def _dirty() -> Step[None]:
    none = {"der": None, "this_update": None, "next_update": None}
    yield store.MARK_DIRTY.many(
        {"authority": "phone", "shard": shard, "number": 0, "dirty": True, **none}
        for shard in range(SHARDS)
    )


async def _make_full(folder: Path) -> None:
    """In a process of its own: the full list, its time and the memory that it took."""
    async with compose(_settings(folder)) as platform:
        mirrors = platform.pki._mirrors
        resting = _peak_mib()
        marks = []
        keep = mirrors._keep

        async def timed(*args: Any) -> None:
            marks.append((time.process_time(), time.perf_counter()))
            await keep(*args)
            marks.append((time.process_time(), time.perf_counter()))

        mirrors._keep = timed  # type: ignore[method-assign, assignment]
        cpu, wall = time.process_time(), time.perf_counter()
        made = await platform.pki.mirror("phone", MirrorKind.BASE)
        found = {
            "made_s": marks[0][0] - cpu,
            "made_wall_s": marks[0][1] - wall,
            "stored_s": marks[1][0] - marks[0][0],
            "peak_mib": _peak_mib(),
            "resting_mib": resting,
            "size": made.size,
        }
        print(json.dumps(found))


def _peak_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _sweep(folder: Path) -> Row:
    await _fill(folder, SWEPT)
    async with compose(_settings(folder)) as platform:
        cpu, wall = time.process_time(), time.perf_counter()
        signed = await platform.pki.lists.refresh()
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    name = f"sweep of {signed:,} shards with {SWEPT:,} entries"
    return name, "s CPU", cpu, "<= 20", f"wall {wall:.1f} s"


# --- OCSP --------------------------------------------------------------------------------------------


class Material(msgspec.Struct):
    """What the clients ask about."""

    issuer: Certificate
    certificates: list[Certificate]

    def requests(self, *, nonce: bool) -> list[bytes]:
        """A DER request about each certificate."""
        return [
            build_request(each, self.issuer, nonce=random_bytes(32) if nonce else None)
            for each in self.certificates
        ]


def _ocsp(folder: Path) -> Iterator[Row]:
    settings = _settings(folder / "inkan")
    material = asyncio.run(_issue(settings))
    with _serving(settings) as pid:
        gets = [_get(der) for der in material.requests(nonce=False)]
        uvloop.run(_load(gets, seconds=1.0, pid=pid))
        stored = uvloop.run(_load(gets, seconds=SECONDS, pid=pid))
        posts = [_post(der) for der in material.requests(nonce=False)]
        posted = uvloop.run(_load(posts, seconds=SECONDS, pid=pid))
        live = uvloop.run(
            _load([_post(der) for der in material.requests(nonce=True)], seconds=SECONDS, pid=pid)
        )
    yield "OCSP, stored answer by GET", "per server-CPU-s", stored.rate, ">= 20000", stored.note
    yield "OCSP, stored answer by POST", "per server-CPU-s", posted.rate, None, posted.note
    yield "OCSP, signed live (P-256, nonce)", "per server-CPU-s", live.rate, ">= 6000", live.note
    peer = measure(folder / "openssl", port=PORT, count=CERTIFICATES, seconds=SECONDS)
    if peer is not None:
        note = f"openssl ocsp: {peer.rate:,.0f} per server-CPU-s, {peer.note}"
        yield (
            "OCSP, stored answer against openssl ocsp",
            "times",
            stored.rate / peer.rate,
            ">= 5",
            note,
        )
        yield "OCSP, signed live against openssl ocsp", "times", live.rate / peer.rate, None, ""


async def _issue(settings: Settings) -> Material:
    async with compose(settings) as platform:
        await platform.pki.hold_ceremony(_ceremony(1))
        issuer = parse_certificate(platform.pki.hierarchy.get("phone").certificate)
        made = [await platform.pki.issue(_order(platform)) for _ in range(CERTIFICATES)]
        return Material(issuer, [parse_certificate(each.der) for each in made])


def _order(platform: Platform) -> CertificateOrder:
    phone = new_id("phn")
    return CertificateOrder(
        order_key=new_id("ord"),
        profile="phone-auth",
        owner=phone,
        subject=SubjectName(common_name=Personal("陳怡君"), serial_number="6020504367913720"),
        spki=spki_der(generate(KeySpec.P256).public_key()),
        not_after=platform.clock.now() + timedelta(days=364),
        binding=encode_phone_binding(PhoneBinding(bytes(32), phone)),
    )


def _get(der: bytes) -> bytes:
    path = quote(base64.b64encode(der).decode(), safe="")
    return f"GET /ocsp/phone/{path} HTTP/1.1\r\nHost: id.localhost:{PORT}\r\n\r\n".encode()


def _post(der: bytes) -> bytes:
    head = (
        f"POST /ocsp/phone HTTP/1.1\r\nHost: id.localhost:{PORT}\r\n"
        f"Content-Type: application/ocsp-request\r\nContent-Length: {len(der)}\r\n\r\n"
    )
    return head.encode() + der


@contextmanager
def _serving(settings: Settings) -> Iterator[int]:
    environment = {
        "INKAN_ENVIRONMENT": "demo",
        "INKAN_HOME": str(settings.home),
        "INKAN_SERVER__PORT": str(PORT),
        "INKAN_ORIGINS__PLATFORM": settings.origins.platform,
        "INKAN_ORIGINS__WALLET": settings.origins.wallet,
        "INKAN_PKI__OCSP_LIVE_PER_MINUTE": str(10**9),
    }
    command = [sys.executable, "-c", "from inkan.cli import main; main()", "serve"]
    log = Path(settings.home) / "server.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            command, env={**os.environ, **environment}, stdout=out, stderr=out
        ) as server,
    ):
        while b"on port" not in log.read_bytes():
            if server.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.05)
        try:
            yield server.pid
        finally:
            server.terminate()
            server.wait(20)


class _Client(asyncio.Protocol):
    """One keep-alive connection that sends its next request when the answer is there."""

    def __init__(self, requests: Sequence[bytes], start: int) -> None:
        self._requests = requests
        self._next = start
        self._buffer = b""
        self.answers = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Send the next once an answer is whole."""
        buffer = self._buffer + data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            self._buffer = buffer
            return
        at = buffer.find(b"content-length: ") + 16
        size = end + 4 + int(buffer[at : buffer.find(b"\r", at)])
        if len(buffer) < size:
            self._buffer = buffer
            return
        if not buffer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(buffer[:200])
        self._buffer = b""
        self.answers += 1
        self._send()

    def _send(self) -> None:
        self._transport.write(self._requests[self._next % len(self._requests)])  # type: ignore[attr-defined]
        self._next += 1


async def _load(requests: Sequence[bytes], *, seconds: float, pid: int) -> Measured:
    loop = asyncio.get_running_loop()
    clients = [_Client(requests, start * 25) for start in range(CONNECTIONS)]
    opened = [
        await loop.create_connection(lambda client=client: client, "127.0.0.1", PORT)  # type: ignore[misc]
        for client in clients
    ]
    await asyncio.sleep(0.3)
    before = sum(client.answers for client in clients)
    cpu, wall, own = cpu_s(pid), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    done = sum(client.answers for client in clients) - before
    cpu, wall, own = (
        cpu_s(pid) - cpu,
        time.perf_counter() - wall,
        time.process_time() - own,
    )
    for transport, _ in opened:
        transport.abort()
    return Measured(rate=done / cpu, wall=done / wall, own=own / wall)


if __name__ == "__main__":
    asyncio.run(_make_full(Path(sys.argv[1])))
