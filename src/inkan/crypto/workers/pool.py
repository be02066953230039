"""The pool of worker processes: untrusted bytes and heavy parsers stay out of the server process.

A child does one job at a time inside a memory limit and a deadline. At the deadline it is killed and the next call
starts another; nothing that a job does can reach a neighbour's. Children start when they are first needed, so that
an instance that validates nothing has none.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Final, Self

import msgspec

from inkan.crypto.certificate_view import CertificateView
from inkan.crypto.cms import SignedContent, VerifiedCMS
from inkan.crypto.lint import CertificateLinter, LintReport
from inkan.crypto.paper import Paper
from inkan.crypto.path import EvidenceKind, ValidatedPath, ValidationPolicy
from inkan.crypto.revocation import RevocationReading
from inkan.crypto.workers.contracts import CONTRACTS
from inkan.crypto.workers.frames import (
    HEADER,
    MAX_FRAME_SIZE,
    Call,
    Done,
    Failed,
    Ready,
    Refused,
    Reply,
    decode_reply,
    encode,
    frame,
)
from inkan.kernel.errors import InkanError, TooMany, Unavailable, all_errors

MEMORY_LIMIT_BYTES: Final = 256 * 1024 * 1024
TIMEOUT: Final = timedelta(seconds=2)
START_TIMEOUT_S: Final = 30.0
# -P: the folder that the server happens to run in is no source of modules.
COMMAND: Final = (sys.executable, "-P", "-m", "inkan.crypto.workers")
# What a child may know of its parent's environment: nothing that could hold a secret.
_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR")


class WorkerTimeout(Unavailable):
    """A job did not end before its deadline; its process was killed."""

    code = "worker_timeout"
    title = "Checking what was sent took too long"


class WorkerCrashed(Unavailable):
    """A job, or the process around it, broke."""

    code = "worker_crashed"
    title = "What was sent could not be checked"


class WorkersBusy(TooMany):
    """More calls wait for a worker than the instance admits."""

    code = "workers_busy"
    title = "Too much is being checked at the moment"


class WorkerPool:
    """Up to ``count`` children behind one asyncio loop.

    Args:
        count: how many children at most, from 1; one per core that may be spent.
        memory_limit_bytes: address space of a child, some 90 MiB of libraries included.
        timeout: how long one job may take.
        waiting: how many calls may wait for a child at most.
        command: what a child runs; tests bring their own.
    """

    def __init__(
        self,
        *,
        count: int = 1,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES,
        timeout: timedelta = TIMEOUT,
        waiting: int = 256,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._count = count
        self._command = (*command, str(memory_limit_bytes))
        self._timeout_s = timeout.total_seconds()
        self._waiting = waiting
        self._taken = 0
        self._free = asyncio.Semaphore(count)
        self._idle: list[_Child] = []
        self._children: set[_Child] = set()
        self._is_open = False

    async def open(self) -> None:
        """Admit calls; starts nothing."""
        self._is_open = True

    async def close(self) -> None:
        """Refuse calls and end every child; calls under way raise WorkerCrashed. May be called twice."""
        self._is_open = False
        await asyncio.gather(*(self._discard(child) for child in list(self._children)))

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def call(self, job: str, **arguments: Any) -> Any:
        """Run one job of the contracts in a child and return its result.

        Raises:
            WorkersBusy: too many calls wait already.
            WorkerTimeout: the deadline passed.
            WorkerCrashed: the child died, the job broke, or the pool is closed.
            InkanError: whatever the job refused with.
        """
        contract = CONTRACTS[job]
        reply = await self.ask(job, encode(contract.arguments(**arguments)))
        return msgspec.msgpack.decode(reply, type=contract.result)

    async def ask(self, job: str, arguments: bytes) -> msgspec.Raw:
        """Run one job by name; arguments and result are msgpack.

        Raises:
            as :meth:`call`.
        """
        call = Call(job=job, arguments=msgspec.Raw(arguments), seconds=self._timeout_s)
        async with self._turn():
            child = await self._child()
            try:
                reply = await child.exchange(call, timeout_s=self._timeout_s)
            except BaseException:
                # Also when the caller was cancelled: an unread answer must not meet the next question.
                await self._discard(child)
                raise
            self._idle.append(child)
        return _value(reply)

    async def lint_certificate(
        self, der: bytes, *, linter: CertificateLinter = CertificateLinter.PKIX
    ) -> LintReport:
        """Hold a certificate against one set of rules."""
        report: LintReport = await self.call("lint_certificate", der=der, linter=linter)
        return report

    async def lint_crl(self, der: bytes) -> LintReport:
        """Hold a CRL against RFC 5280."""
        report: LintReport = await self.call("lint_crl", der=der)
        return report

    async def lint_ocsp(self, der: bytes) -> LintReport:
        """Hold an OCSP response against RFC 6960."""
        report: LintReport = await self.call("lint_ocsp", der=der)
        return report

    async def read_certificate(self, data: bytes) -> CertificateView:
        """Take a certificate apart; refusals as :func:`certificate_reader.read_certificate`."""
        view: CertificateView = await self.call("read_certificate", data=data)
        return view

    async def verify_path(self, certificate: bytes, policy: ValidationPolicy) -> ValidatedPath:
        """Find a path that satisfies the policy; refusals as :func:`validation.verify_path`."""
        path: ValidatedPath = await self.call("verify_path", certificate=certificate, policy=policy)
        return path

    async def verify_cms(
        self, der: bytes, *, content_type: str, policy: ValidationPolicy
    ) -> VerifiedCMS:
        """Verify a CMS SignedData; refusals as :func:`signed_data.verify_cms`."""
        verified: VerifiedCMS = await self.call(
            "verify_cms", der=der, content_type=content_type, policy=policy
        )
        return verified

    async def verify_cms_of(
        self, der: bytes, *, content_type: str, signers: frozenset[bytes]
    ) -> SignedContent:
        """Verify a CMS SignedData of a known signer; see :func:`signed_data.verify_cms_of` for the refusals."""
        signed: SignedContent = await self.call(
            "verify_cms_of", der=der, content_type=content_type, signers=signers
        )
        return signed

    async def read_revocation(
        self, kind: EvidenceKind, der: bytes, *, certificate: bytes, issuer: bytes, at: datetime
    ) -> RevocationReading:
        """Read what a list or an answer says of a certificate; see :mod:`inkan.crypto.revocation`."""
        reading: RevocationReading = await self.call(
            "read_revocation", kind=kind, der=der, certificate=certificate, issuer=issuer, at=at
        )
        return reading

    async def write_paper(self, paper: Paper) -> bytes:
        """Make PDF of a paper; refusals as :func:`paper_writer.write_paper`."""
        pdf: bytes = await self.call("write_paper", paper=paper)
        return pdf

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._taken >= self._count + self._waiting:
            raise WorkersBusy(retry_after_s=1)
        self._taken += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken -= 1

    async def _child(self) -> "_Child":
        """An idle child that lives, or a new one."""
        if not self._is_open:
            raise WorkerCrashed("the pool is closed")
        while self._idle:
            child = self._idle.pop()
            if child.is_alive:
                return child
            await self._discard(child)
        child = await _Child.start(self._command)
        self._children.add(child)
        try:
            await self._welcome(child)
        except BaseException:
            await self._discard(child)
            raise
        return child

    async def _welcome(self, child: "_Child") -> None:
        if not self._is_open:
            raise WorkerCrashed("the pool was closed meanwhile")
        await child.wait_ready()

    async def _discard(self, child: "_Child") -> None:
        self._children.discard(child)
        if child in self._idle:
            self._idle.remove(child)
        await child.kill()


class _Child:
    """One process and its two pipes."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        if process.stdin is None or process.stdout is None:
            raise AssertionError("a child has two pipes")
        self._requests = process.stdin
        self._replies = process.stdout

    @classmethod
    async def start(cls, command: Sequence[str]) -> Self:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            # Control-C at a terminal is for the server alone, which then closes the pool.
            start_new_session=True,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        return cls(process)

    @property
    def is_alive(self) -> bool:
        return self._process.returncode is None

    async def wait_ready(self) -> None:
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                reply = await self._read()
        except TimeoutError:
            raise WorkerCrashed("a worker did not start in time") from None
        if not isinstance(reply, Ready):
            raise WorkerCrashed("a worker started with another word")

    async def exchange(self, call: Call, *, timeout_s: float) -> Reply:
        try:
            async with asyncio.timeout(timeout_s):
                self._requests.write(frame(call))
                await self._requests.drain()
                return await self._read()
        except TimeoutError:
            raise WorkerTimeout(f"{call.job} was stopped after {timeout_s} s") from None
        except ConnectionError:
            raise WorkerCrashed("a worker ended before its job") from None

    async def kill(self) -> None:
        if self.is_alive:
            self._process.kill()
        await self._process.wait()

    async def _read(self) -> Reply:
        try:
            (size,) = HEADER.unpack(await self._replies.readexactly(HEADER.size))
            if size > MAX_FRAME_SIZE:
                raise WorkerCrashed("a worker sent an impossible frame")
            return decode_reply(await self._replies.readexactly(size))
        except (asyncio.IncompleteReadError, msgspec.DecodeError):
            raise WorkerCrashed("a worker ended inside its job") from None


def _value(reply: Reply) -> msgspec.Raw:
    match reply:
        case Done():
            return reply.value
        case Refused():
            raise _refusal(reply)
        case Failed():
            raise WorkerCrashed(reply.detail)
        case Ready():
            raise WorkerCrashed("a worker answered with another word")


def _refusal(reply: Refused) -> InkanError:
    for leaf in all_errors():
        if leaf.code == reply.code:
            return leaf(reply.detail, **reply.facts)
    return WorkerCrashed(f"an unknown refusal: {reply.code}")
