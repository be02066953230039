"""The pool: what a child may do to the server (nothing), and what is left when it ends (nothing)."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from inkan.crypto import oids
from inkan.crypto.cms import CMSMalformed
from inkan.crypto.path import CertificateRevoked
from inkan.crypto.workers.contracts import CONTRACTS
from inkan.crypto.workers.frames import encode
from inkan.crypto.workers.jobs import RUNS
from inkan.crypto.workers.pool import WorkerCrashed, WorkerPool, WorkersBusy, WorkerTimeout
from support.pki import AT, Hierarchy

SUPPORT = Path(__file__).parents[2] / "support"
ROGUE = (sys.executable, str(SUPPORT / "rogue_worker.py"))


@pytest.fixture(autouse=True)
def _paths(monkeypatch):
    """A child finds the packages where this process found them."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT.parent), *sys.path]))


@asynccontextmanager
async def rogues(*words, **settings):
    settings = {
        "timeout": timedelta(seconds=10),
        "memory_limit_bytes": 512 * 1024 * 1024,
    } | settings
    async with WorkerPool(command=(*ROGUE, *words), **settings) as pool:
        yield pool
    # Transports that were not closed would warn now, and warnings are errors.
    await asyncio.sleep(0)
    gc.collect()


async def ask(pool, job, word=""):
    return msgspec.msgpack.decode(await pool.ask(job, encode({"value": word})))


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def until(holds) -> bool:
    """Whether something comes true within five seconds."""
    for _ in range(500):
        if holds():
            return True
        await asyncio.sleep(0.01)
    return False


async def gone(pid: int) -> bool:
    return await until(lambda: not lives(pid))


async def test_a_child_is_started_once_and_answers_again_and_again():
    async with rogues() as pool:
        answers = [await ask(pool, "echo", str(number)) for number in range(5)]
    pids = {answer.partition(":")[0] for answer in answers}
    assert len(pids) == 1
    assert [answer.partition(":")[2] for answer in answers] == ["0", "1", "2", "3", "4"]


async def test_nothing_runs_before_the_first_call_and_after_the_close():
    async with rogues() as pool:
        assert not pool._children
        pid = int((await ask(pool, "echo")).partition(":")[0])
        assert lives(pid)
    assert await gone(pid)
    await pool.close()


async def test_calls_share_the_children():
    async with rogues(count=2) as pool:
        answers = await asyncio.gather(*(ask(pool, "echo", str(n)) for n in range(20)))
        assert len(pool._children) == 2
    assert {answer.partition(":")[2] for answer in answers} == {str(n) for n in range(20)}


@pytest.mark.parametrize("job", ["spin", "sleep_in_c"])
async def test_a_job_that_hangs_is_killed_at_its_deadline_and_the_next_call_works(job):
    async with rogues(timeout=timedelta(seconds=0.5)) as pool:
        pid = int((await ask(pool, "echo")).partition(":")[0])
        with pytest.raises(WorkerTimeout):
            await ask(pool, job)
        assert await gone(pid)
        assert (await ask(pool, "echo", "again")).endswith(":again")


async def test_a_job_that_takes_all_memory_dies_and_the_next_call_works():
    async with rogues() as pool:
        pid = int((await ask(pool, "echo")).partition(":")[0])
        with pytest.raises(WorkerCrashed):
            await ask(pool, "bomb")
        assert await gone(pid)
        assert (await ask(pool, "echo", "again")).endswith(":again")


async def test_a_child_that_dies_fails_its_caller_alone():
    async with rogues(count=2) as pool:
        crash, answer = await asyncio.gather(
            ask(pool, "leave"), ask(pool, "echo", "neighbour"), return_exceptions=True
        )
        assert isinstance(crash, WorkerCrashed)
        assert answer.endswith(":neighbour")
        assert (await ask(pool, "echo", "again")).endswith(":again")


async def test_a_child_that_was_killed_while_idle_is_not_noticed():
    async with rogues() as pool:
        pid = int((await ask(pool, "echo")).partition(":")[0])
        os.kill(pid, signal.SIGKILL)
        assert await until(lambda: not any(child.is_alive for child in pool._children))
        assert (await ask(pool, "echo", "again")).endswith(":again")


async def test_a_refusal_arrives_as_the_same_leaf_with_its_facts():
    async with rogues() as pool:
        with pytest.raises(CertificateRevoked, match="in detail") as caught:
            await ask(pool, "refuse")
        assert caught.value.facts == {
            "reason": "superseded",
            "revoked_at": AT,
            "hidden": b"\x00\xff",
        }
        with pytest.raises(WorkerCrashed, match="unknown refusal"):
            await ask(pool, "refuse", "unknown")


async def test_a_broken_job_says_where_and_not_what():
    async with rogues() as pool:
        with pytest.raises(WorkerCrashed, match=r"KeyError at .*rogue_worker.py") as caught:
            await ask(pool, "fail")
        assert "A123456789" not in str(caught.value)
        assert (await ask(pool, "echo", "same child")).endswith(":same child")
        with pytest.raises(WorkerCrashed, match="KeyError"):
            await ask(pool, "no such job")


async def test_a_cancelled_call_takes_its_child_along():
    async with rogues() as pool:
        pid = int((await ask(pool, "echo")).partition(":")[0])
        task = asyncio.create_task(ask(pool, "sleep_in_c"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pid)
        assert (await ask(pool, "echo", "again")).endswith(":again")


async def test_large_messages_pass_both_ways():
    async with rogues() as pool:
        assert len(await ask(pool, "flood")) == 1024 * 1024
        word = "x" * (1024 * 1024)
        assert (await ask(pool, "echo", word)).endswith(word)


async def test_too_many_waiting_calls_are_refused_at_once():
    async with rogues(waiting=1) as pool:
        await ask(pool, "echo")
        tasks = [asyncio.create_task(ask(pool, "sleep_in_c")) for _ in range(2)]
        await asyncio.sleep(0.05)
        with pytest.raises(WorkersBusy) as caught:
            await ask(pool, "echo")
        assert caught.value.public_facts == {"retry_after_s": 1}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def test_closing_fails_the_calls_under_way_and_later_ones():
    async with rogues() as pool:
        await ask(pool, "echo")
        task = asyncio.create_task(ask(pool, "sleep_in_c"))
        waiting = asyncio.create_task(ask(pool, "echo"))
        await asyncio.sleep(0.1)
        await pool.close()
        for call in (task, waiting, ask(pool, "echo")):
            with pytest.raises(WorkerCrashed):
                await call
        assert not pool._children


async def test_a_child_that_starts_while_the_pool_closes_does_not_stay():
    async with rogues() as pool:
        task = asyncio.create_task(ask(pool, "echo"))
        await asyncio.sleep(0)
        await pool.close()
        with pytest.raises(WorkerCrashed, match="closed"):
            await task
        assert not pool._children


async def test_a_child_that_does_not_start_is_a_crash():
    async with rogues("broken") as pool:
        with pytest.raises(WorkerCrashed):
            await ask(pool, "echo")
        assert not pool._children


async def test_a_call_that_is_cancelled_during_the_start_leaves_nothing():
    async with rogues("sleepy") as pool:
        task = asyncio.create_task(ask(pool, "echo"))
        assert await until(lambda: pool._children)
        (child,) = pool._children
        pid = child._process.pid
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await gone(pid)


async def test_a_child_knows_little_of_the_environment(monkeypatch):
    monkeypatch.setenv("INKAN_PASSPHRASE", "secret")
    async with rogues() as pool:
        assert "INKAN_PASSPHRASE" not in await ask(pool, "environment")


PARENT = """
import asyncio, os, signal, sys
from datetime import timedelta
from inkan.crypto.workers.frames import encode
from inkan.crypto.workers.pool import WorkerPool

async def main():
    command = (sys.executable, sys.argv[1])
    async with WorkerPool(count=2, timeout=timedelta(seconds=2), command=command) as pool:
        await asyncio.gather(*(pool.ask("echo", encode({})) for _ in range(2)))
        busy = asyncio.create_task(pool.ask("sleep_in_c", encode({})))
        await asyncio.sleep(0.2)
        print(*(child._process.pid for child in pool._children), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.crash
async def test_no_child_survives_its_parent():
    """The parent is killed with one child idle and one inside a job that never ends."""
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PARENT, ROGUE[1], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    stdout, stderr = await asyncio.wait_for(parent.communicate(), timeout=60)
    assert parent.returncode == -signal.SIGKILL, stderr
    pids = [int(pid) for pid in stdout.split()]
    assert len(pids) == 2
    assert [await gone(pid) for pid in pids] == [True, True]


IMPORTS = """
import json, sys
import inkan.crypto.attestation, inkan.crypto.cms, inkan.crypto.crl, inkan.crypto.lint
import inkan.crypto.ocsp, inkan.crypto.ocsp_response
import inkan.crypto.path, inkan.crypto.webauthn, inkan.crypto.webauthn_options, inkan.crypto.workers.pool
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_server_process_imports_none_of_the_heavy_parsers():
    answer = subprocess.run(
        [sys.executable, "-c", IMPORTS], check=True, capture_output=True, text=True, timeout=60
    )
    loaded = set(json.loads(answer.stdout))
    assert {"inkan", "asn1crypto", "webauthn"} <= loaded
    assert loaded.isdisjoint(
        {
            "PIL",
            "fontTools",
            "fpdf",
            "lxml",
            "pkilint",
            "pyasn1_alt_modules",
            "pyhanko",
            "pyhanko_certvalidator",
        }
    )


def test_every_contract_has_its_job():
    assert set(RUNS) == set(CONTRACTS)
    methods = {name for name in CONTRACTS if callable(getattr(WorkerPool, name, None))}
    assert methods == set(CONTRACTS)


async def test_the_real_children_do_the_real_jobs():
    pki = Hierarchy()
    async with WorkerPool(timeout=timedelta(seconds=10)) as pool:
        path = await pool.verify_path(pki.leaf.der, pki.policy())
        assert path.chain[0] == pki.leaf.certificate.sha256
        assert not (await pool.lint_certificate(pki.leaf.der)).errors
        assert not (await pool.lint_crl(pki.issuing.crl())).errors
        assert not (await pool.lint_ocsp(pki.issuing.ocsp(pki.leaf.certificate))).errors
        with pytest.raises(CMSMalformed):
            await pool.verify_cms(b"0", content_type=oids.CONTENT_BIND, policy=pki.policy())
        revoked = pki.policy(crls=(pki.root.crl(), pki.issuing.crl([pki.leaf.certificate])))
        with pytest.raises(CertificateRevoked):
            await pool.verify_path(pki.leaf.der, revoked)
