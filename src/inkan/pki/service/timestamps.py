"""The time-stamping authority (RFC 3161): a request in, a reply out; every refusal is a reply too.

Nothing is written for a token. A lease of the authority's row pays for up to a second of them:

1. the row's high-water mark is raised to the end of the lease before any time within it is stamped, so that a restart
   knows a time after which nothing was stamped, whatever killed the process;
2. the row's block number grows, so that no other process and no later lease draws the same serial numbers.

A serial number is a block (38 bits), 64 random bits of the lease, and a count: the block makes it unique as long as
the database remembers, the random bits if an old copy of the database is restored.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import der_values, oids
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.tsp import (
    PKIFailure,
    TimeNotAvailable,
    TimestampPolicyUnsupported,
    TimestampRequest,
    parse_request,
)
from inkan.crypto.tsp_response import TokenMaker, failure_of, granted, refused
from inkan.kernel.clock import EPOCH, Clock
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import random_bytes
from inkan.pki import store
from inkan.pki.model import Authority, AuthorityUnknown, Role
from inkan.pki.service.clock_guard import ClockGuard
from inkan.pki.service.hierarchy import Hierarchy, key_end, x509_of
from inkan.store.database import Database, Step

LEASE: Final = timedelta(seconds=1)
TRIES: Final = 4
MAX_BLOCK: Final = 2**38
# Serial numbers begin with this bit, so that all have 17 octets and none looks negative.
_LEADING_BIT: Final = 2**38
_RANDOM_OCTETS: Final = 8
_COUNT_BITS: Final = 32
_POLICY: Final = der_values.object_identifier(oids.TIMESTAMP_POLICY)
_PLATFORM: Final = Actor(ActorKind.PLATFORM, "tsa")


class _Signer(msgspec.Struct, frozen=True):
    """The authority at work: its certificate, when its key signs, and its templates."""

    authority: Authority
    begins_at: datetime
    ends_at: datetime
    maker: TokenMaker


class _Lease(msgspec.Struct):
    """Up to when times may be stamped, and the serial numbers for it."""

    until: datetime
    next_serial: int


class TimestampAuthority:
    """Stamps imprints. One instance for each process; any number of processes."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        hierarchy: Hierarchy,
        clock: Clock,
        accuracy: timedelta,
    ) -> None:
        """Stamp with the hierarchy's signer of the role ``tsa`` and state ``accuracy``."""
        self._db = db
        self._audit = audit
        self._hierarchy = hierarchy
        self._accuracy = accuracy
        self._guard = ClockGuard(clock, accuracy=accuracy)
        self._signer: _Signer | None = None
        self._lease: _Lease | None = None
        self._turn = asyncio.Lock()
        self._has_stopped = False

    async def answer(self, data: bytes) -> bytes:
        """The DER TimeStampResp to a DER TimeStampReq; nothing is raised but what is no refusal."""
        try:
            reply = granted(await self._stamp(parse_request(data)))
        except InkanError as refusal:
            failure = failure_of(refusal)
            if failure is PKIFailure.TIME_NOT_AVAILABLE:
                await self._tell(has_stopped=True, why=refusal.detail)
            return refused(failure)
        if self._has_stopped:
            await self._tell(has_stopped=False)
        return reply

    async def _stamp(self, request: TimestampRequest) -> bytes:
        if request.policy not in {None, _POLICY}:
            raise TimestampPolicyUnsupported()
        at, serial = await self._moment()
        signer = self._signer
        if signer is None or not self._may_sign(signer, at):
            signer = self._signer = await self._find_signer(at)
            # Others may have stamped meanwhile: no time may be older than theirs.
            at, serial = await self._moment()
        return signer.maker.make(request, serial=serial, at=at)

    # --- time and serial numbers -------------------------------------------------------------------

    async def _moment(self) -> tuple[datetime, int]:
        """A time and a serial number of the lease. Nothing is awaited between reading the clock and returning.

        Raises:
            TimeNotAvailable: the clock is not to be trusted, or the database is too slow to lease in time.
        """
        for _ in range(TRIES):
            at = self._guard.now()
            lease = self._lease
            if lease is not None and at <= lease.until:
                lease.next_serial += 1
                return at, lease.next_serial
            async with self._turn:
                if self._lease is lease:
                    await self._renew_lease(self._guard.now())
        raise TimeNotAvailable("the database is too slow")

    async def _renew_lease(self, at: datetime) -> None:
        until = at + LEASE
        block, stamped_until = await self._db.transact(_take_lease, Role.TSA.value, until)
        if self._lease is None:
            # Another process stamps, or stamped until just now: its lease ends within a second.
            wait = self._guard.begin_at(stamped_until)
            if timedelta(0) < wait <= LEASE:
                await asyncio.sleep(wait.total_seconds())
        head = _LEADING_BIT | block % MAX_BLOCK
        drawn = head << 8 * _RANDOM_OCTETS | int.from_bytes(random_bytes(_RANDOM_OCTETS))
        self._lease = _Lease(until=until, next_serial=drawn << _COUNT_BITS)

    # --- the signer --------------------------------------------------------------------------------

    def _may_sign(self, signer: _Signer, at: datetime) -> bool:
        """Whether its key signs at ``at``, and no other has taken its place."""
        present = self._hierarchy.find(signer.authority.name)
        return present is signer.authority and signer.begins_at <= at <= signer.ends_at

    async def _find_signer(self, at: datetime) -> _Signer:
        """The signer whose key signs at ``at``; another process may have renewed it.

        Raises:
            AuthorityUnknown: there is none, or its key is past its period.
        """
        signer = self._read_signer(at)
        if signer is None:
            await self._hierarchy.load()
            signer = self._read_signer(at)
        if signer is None:
            raise AuthorityUnknown("no time-stamping authority whose key may sign now")
        return signer

    def _read_signer(self, at: datetime) -> _Signer | None:
        for authority in self._hierarchy.of_role(Role.TSA):
            begins_at = x509_of(authority).not_valid_before_utc
            ends_at = key_end(authority)
            if begins_at <= at <= ends_at:
                return _Signer(authority, begins_at, ends_at, self._maker(authority))
        return None

    def _maker(self, authority: Authority) -> TokenMaker:
        key = self._hierarchy.key_of(authority, KeyPurpose.TSA)
        assert isinstance(key, EllipticCurvePrivateKey)
        algorithm = ECDSA(SHA256())
        return TokenMaker(
            chain=authority.chain[:-1],
            policy=oids.TIMESTAMP_POLICY,
            accuracy_ms=self._accuracy // timedelta(milliseconds=1),
            sign=lambda data: key.sign(data, algorithm),
        )

    # --- the audit ---------------------------------------------------------------------------------

    async def _tell(self, *, has_stopped: bool, why: str = "") -> None:
        """Record once that the authority stopped for want of a time, and once that it went on."""
        if has_stopped == self._has_stopped:
            return
        self._has_stopped = has_stopped
        use_case = "pki.time_stopped" if has_stopped else "pki.time_resumed"
        try:
            await self._db.transact(
                self._audit.record, use_case, actor=_PLATFORM, details={"why": why}
            )
        except InkanError:
            self._has_stopped = not has_stopped  # the next reply tries again


def _take_lease(name: str, until: datetime) -> Step[tuple[int, datetime]]:
    """The number of the block, and up to when anybody may have stamped before this lease."""
    row = yield store.HELD_TSA.one(key=name)
    if row is None:
        yield store.BEGIN_TSA.run(name=name, block=0, stamped_until=EPOCH)
        row = yield store.HELD_TSA.one(key=name)
    yield store.LEASE_TSA.run(key=name, until=max(until, row.stamped_until))
    return row.block, row.stamped_until
