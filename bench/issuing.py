"""Issuing phone certificates by the whole machine: reserve, twin, lint, intent, sign, compare, store.

One process on SQLite (synchronous=FULL); 32 tasks issue at a time, so that commits are grouped as under load.
Rates are certificates ÷ CPU seconds of this process and, with blocking lint, of its worker process too; the wall
rate stands beside. The keys to be certified
are P-256, made beforehand (making an RSA key costs fifty times an issue); the authority signs with P-256. Floor: what the two
signatures of the machine (the twin's and the authority's) cost alone.
"""

import asyncio
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.composition.platform import Platform, compose
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.demo.country import settings_for
from inkan.kernel.ids import new_id
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, SubjectName, read_ceremony

TASKS = 32
UNLINTED = int(os.environ.get("BENCH_ISSUES", "1500"))
LINTED = 300

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """Issuing without and with blocking lint."""
    yield asyncio.run(_rate(lint=False, count=UNLINTED, limit=">= 1500"))
    yield asyncio.run(_rate(lint=True, count=LINTED, limit=">= 150"))


async def _rate(*, lint: bool, count: int, limit: str) -> Row:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        settings = settings_for(Path(folder), 8610)
        pki = msgspec.structs.replace(settings.pki, lint=lint)
        async with compose(msgspec.structs.replace(settings, pki=pki)) as platform:
            text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
            await platform.pki.hold_ceremony(read_ceremony(text))
            orders = [_order(platform) for _ in range(count)]
            await _issue(platform, orders[:TASKS])
            cpu, wall = time.process_time(), time.perf_counter()
            await _issue(platform, orders[TASKS:])
            cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    cpu += resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime if lint else 0
    done = count - TASKS
    name = "issue with blocking lint" if lint else "issue with lint off"
    note = f"wall {done / wall:,.0f}/s; {_floor_us():.0f} µs of it are two signatures"
    return name, "per CPU-second", done / cpu, limit, note


async def _issue(platform: Platform, orders: list[CertificateOrder]) -> None:
    waiting = iter(orders)

    async def task() -> None:
        for order in waiting:
            await platform.pki.issue(order)

    await asyncio.gather(*(task() for _ in range(TASKS)))


def _order(platform: Platform) -> CertificateOrder:
    """An order for a key of its own."""
    spki = spki_der(generate(KeySpec.P256).public_key())
    phone = new_id("phn")
    return CertificateOrder(
        order_key=new_id("ord"),
        profile="phone-auth",
        owner=phone,
        subject=SubjectName(common_name=Personal("陳怡君"), serial_number="6020504367913720"),
        spki=spki,
        not_after=platform.clock.now() + timedelta(days=364),
        binding=encode_phone_binding(PhoneBinding(bytes(32), phone)),
    )


def _floor_us(count: int = 300) -> float:
    key = generate(KeySpec.P256)
    started = time.process_time()
    for _ in range(count):
        # A P-256 key; the union that the library declares takes other arguments.
        key.sign(bytes(900), ECDSA(SHA256()))  # type: ignore[call-arg,arg-type]
        key.sign(bytes(900), ECDSA(SHA256()))  # type: ignore[call-arg,arg-type]
    return (time.process_time() - started) / count * 1e6
