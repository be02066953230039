"""Printing the copy of a certificate at a counter: read from the certificate, written by a worker, entered into the audit.

A composed instance on SQLite (synchronous=FULL) with one worker process. Each copy is of another person: other
characters, so another cut of the font. Wall time from the call to the bytes of the PDF; the first copy of an instance
also starts the worker, loads its libraries and opens the font, and stands beside.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from inkan.composition.platform import Platform, compose
from inkan.counter.model import Case, CaseKind, CaseState, Clerk, Office
from inkan.crypto.certificate_view import Sex
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.demo.country import settings_for
from inkan.kernel.ids import AccountID, PersonID, new_id
from inkan.kernel.sensitive import Personal
from inkan.pki import CertificateOrder, HolderFacts, SubjectName, read_ceremony
from inkan.web.languages import Language

COPIES = int(os.environ.get("BENCH_PAPERS", "30"))
LIMIT = "<= 300"
OFFICE = Office(
    code="chiyoda-1", name="千代田区 窓口", municipality="chiyoda", authority="card", phone="03-0000-0000"
)  # fmt: skip
FIRST_IDEOGRAPH = 0x5000

Row = tuple[str, str, float, float | str | None, str]


def figures() -> Iterator[Row]:
    """The slowest of many copies, and the first one."""
    first, rest, size = asyncio.run(_print())
    rest.sort()
    note = f"median {statistics.median(rest):.0f}, slowest {rest[-1]:.0f}; {size / 1024:.0f} KiB"
    yield "printed copy, 95 of 100", "ms", rest[int(0.95 * (len(rest) - 1))], LIMIT, note
    yield (
        "first printed copy of an instance",
        "ms",
        first,
        None,
        "starts the worker and opens the font",
    )


async def _print() -> tuple[float, list[float], int]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        async with compose(settings_for(Path(folder), 8611)) as platform:
            text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
            await platform.pki.hold_ceremony(read_ceremony(text))
            cases = [await _case(platform, number) for number in range(COPIES)]
            # The linter of the issues has started the pool; a copy should meet it as after a start.
            await platform.workers.close()
            await platform.workers.open()
            times, size = [], 0
            for case in cases:
                started = time.perf_counter()
                pdf = await platform.counter.papers.copy(
                    _clerk(case), case, office=OFFICE, language=Language.JA, at=platform.clock.now()
                )
                times.append((time.perf_counter() - started) * 1000)
                size = len(pdf)
    return times[0], times[1:], size


def _clerk(case: Case) -> Clerk:
    return Clerk(account=case.clerk, person=case.person, office=case.office, shift="bench")


async def _case(platform: Platform, number: int) -> Case:
    now = platform.clock.now()
    start = FIRST_IDEOGRAPH + 20 * number
    name = "".join(chr(start + each) for each in range(4))
    address = "東京都千代田区" + "".join(chr(start + 4 + each) for each in range(16)) + "1番2号"
    issued = await platform.pki.issue(
        CertificateOrder(
            order_key=new_id("ord"),
            profile="card-sign",
            owner=new_id("crd"),
            subject=SubjectName(common_name=Personal(name), serial_number="6020504367913720"),
            spki=spki_der(generate(KeySpec.P256).public_key()),
            not_after=now.replace(microsecond=0) + timedelta(days=1000),
            holder=HolderFacts(date(1988, 3, 14), Sex.FEMALE, Personal(address)),
        )
    )
    return Case(
        id=new_id("cse"),
        kind=CaseKind.ISSUE,
        state=CaseState.WRITTEN,
        office=OFFICE.code,
        clerk=AccountID(new_id("acc")),
        person=PersonID(new_id("per")),
        card=None,
        document=None,
        confirmed_by=None,
        terms_version=None,
        paid=None,
        cause=None,
        certificates={"signature": issued.id},
        created_at=now,
        expires_at=now + timedelta(hours=1),
        version=1,
    )
