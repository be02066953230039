"""Two processes of one instance on one PostgreSQL: what one changes, the other tells."""

import asyncio
import base64
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509

from inkan.crypto.ocsp import CertificateStatus
from inkan.pki import RevocationReason, store
from inkan.store.connect import database as database_of
from pki.hands import fetch, issue, question, read, revoke, rows
from support.clock import StandingClock
from support.waiting import eventually
from support.world import World, world_on

SHARDS = 16
HOST = [(b"host", b"id.localhost:8480")]


@pytest.fixture
async def pair(
    postgresql_url: str, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[World, World]]:
    """Two worlds with databases, buses and memories of their own, and one folder of keys."""
    first, second = (database_of(postgresql_url, clock=clock) for _ in range(2))
    await first.open()
    await second.open()
    try:
        async with (
            world_on(first, clock, tmp_path, shards=SHARDS) as one,
            world_on(second, clock, tmp_path) as other,
        ):
            yield one, other
    finally:
        await first.close()
        await second.close()


def target_of(world: World, issued) -> str:
    return "/ocsp/card/" + quote(base64.b64encode(question(world, issued)).decode(), safe="")


def ready(world: World, target: str):
    return world.instance.application.find_ready(target.encode(), HOST)


async def serials_in(world: World, shard: int) -> set[int]:
    answer = await fetch(world, f"/crl/card/{shard}.crl")
    return {entry.serial_number for entry in x509.load_der_x509_crl(answer.content)}


async def test_a_revocation_in_one_is_told_by_the_other(pair):
    one, other = pair
    issued = await issue(one, 1)
    target = target_of(other, issued)
    for world in pair:
        answer = (await fetch(world, target)).content
        assert read(world, issued, answer).answer.status is CertificateStatus.GOOD
        assert ready(world, target) is not None
    await revoke(one, issued)
    assert ready(one, target) is None  # at once, in the process that did it
    await eventually(lambda: ready(other, target) is None)
    for world in pair:
        answer = (await fetch(world, target)).content
        assert read(world, issued, answer).answer.status is CertificateStatus.REVOKED
        assert await serials_in(world, int(issued.serial, 16) % SHARDS) == {int(issued.serial, 16)}


async def test_a_lost_wake_up_costs_seconds(pair, monkeypatch):
    one, other = pair
    issued = await issue(one, 1)
    target = target_of(other, issued)
    await fetch(other, target)
    monkeypatch.setattr(one.platform.db._notifier, "send", lambda topics: None)
    await revoke(one, issued)
    await eventually(lambda: ready(other, target) is None)
    answer = (await fetch(other, target)).content
    assert read(other, issued, answer).answer.status is CertificateStatus.REVOKED


@pytest.mark.race
async def test_parallel_revocations_and_sweeps_lose_nothing_and_numbers_grow(pair):
    one, other = pair
    made = [await issue(one, n) for n in range(12)]
    seen: dict[int, int] = {}

    async def end(world, issued):
        await revoke(world, issued, RevocationReason.SUPERSEDED)
        await world.platform.pki.lists.refresh()
        for row in await rows(world, store.crl, authority="card"):
            if row.listed:
                assert row.listed >= seen.get(row.shard, 0)
                seen[row.shard] = row.listed

    await asyncio.gather(*(end((one, other)[n % 2], issued) for n, issued in enumerate(made)))
    for world in pair:
        await world.platform.pki.lists.refresh()
    told: set[int] = set()
    for row in await rows(other, store.crl, authority="card"):
        assert not row.dirty
        if row.der is not None:
            crl = x509.load_der_x509_crl(bytes(row.der))
            assert (
                crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
                == row.listed
            )
            told |= {entry.serial_number for entry in crl}
    assert told == {int(issued.serial, 16) for issued in made}


async def test_a_signer_that_one_renews_is_followed_by_the_other(pair):
    one, other = pair
    following = asyncio.ensure_future(other.platform.pki.follow())
    try:
        await asyncio.sleep(0)
        before = other.platform.pki.hierarchy.get("card-ocsp").certificate
        one.clock.advance(timedelta(days=60))
        await one.platform.pki.renew_signers()
        await eventually(
            lambda: other.platform.pki.hierarchy.get("card-ocsp").certificate != before
        )
        issued = await issue(one, 1)
        answer = (await fetch(other, target_of(other, issued))).content
        assert read(other, issued, answer).answer.status is CertificateStatus.GOOD
    finally:
        following.cancel()
