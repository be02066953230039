"""The key ceremony: one file in, authorities and a transcript out.

Numbered plan:

1. approved: custodians' cards signed this very file, as many as the custody in force asks for;
2. possible: founding needs an empty instance, everything else a founded one, and no ceremony is held twice; the
   intent is logged before a key is made or used;
3. make what the file asks for, in this order: roots, bridge, issuing authorities with their OCSP signers, the
   platform's signers, cross-certificates;
4. lint everything before anything is stored;
5. store all of it in one transaction, with one audit event that holds every thumbprint;
6. lists of offline authorities are signed while their key store is open; every other list is signed at the first
   question, and from then on by the schedule too while it has entries.

A rehearsal does 1 to 4 with throw-away keys and stores nothing.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto.key_providers import KeyProvider, KeyPurpose, KeyStoreDamaged
from inkan.crypto.signatures import digest_for
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock, rfc3339
from inkan.pki import store
from inkan.pki.model import (
    Authority,
    CeremonyDone,
    CeremonyNotApproved,
    CeremonyWrong,
    LintRefused,
    Role,
)
from inkan.pki.service import builder
from inkan.pki.service.ceremony_file import AnyCeremony, Ceremony, Custody, SignLists
from inkan.pki.service.custody import verify_quorum
from inkan.pki.service.hierarchy import AUTHORITIES_TOPIC, Hierarchy, key_end
from inkan.pki.service.key_uses import intended
from inkan.pki.service.making import Maker, thumbprint
from inkan.pki.service.plan import OCSP_SIGNER_LIFE, Made, Plan
from inkan.pki.service.rehearsal import ThrowAwayKeys
from inkan.pki.service.retirement import Retirement
from inkan.pki.service.transcript import cross_line, transcript_line
from inkan.store.database import MOMENT, Database, Step, Wake
from inkan.wire.ceremony_approval import file_sha256
from inkan.wire.ceremony_transcript import Approver, Transcript, transcript_bytes

OFFICER = Actor(ActorKind.OPERATOR, "ca-officer")
TSA_RENEWED_BEFORE = timedelta(days=30)
_RENEWED_BEFORE = {Role.OCSP: OCSP_SIGNER_LIFE / 3, Role.TSA: TSA_RENEWED_BEFORE}


class CeremonyMaster:
    """Holds ceremonies and renews signers."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        keys: KeyProvider,
        hierarchy: Hierarchy,
        retirement: Retirement,
        workers: WorkerPool,
        clock: Clock,
        lint: bool,
        quorum: bool,
    ) -> None:
        """Hold ceremonies on ``db``; ``quorum`` says whether a custody is demanded (production)."""
        self._db = db
        self._audit = audit
        self._keys = keys
        self._hierarchy = hierarchy
        self._retirement = retirement
        self._workers = workers
        self._clock = clock
        self._lint = lint
        self._quorum = quorum

    async def hold(
        self,
        ceremony: AnyCeremony,
        *,
        file: bytes = b"",
        approvals: Sequence[bytes] = (),
        offline: KeyProvider | None = None,
        is_rehearsal: bool = False,
    ) -> Transcript:
        """Do what the ceremony asks for; see the plan of this module.

        Args:
            ceremony: as read from the file.
            file: its bytes, which the custodians approved.
            approvals: CMS of the custodians' cards.
            offline: the offline key store, opened by its shares; roots and bridges are made and used there.
            is_rehearsal: with throw-away keys; nothing is stored.

        Raises:
            CeremonyNotApproved: 1.
            CeremonyDone, CeremonyWrong: 2.
            KeyOffline: an offline key is needed, and its store is closed.
            LintRefused: 4; nothing was stored.
            CeremonyTranscriptMalformed: a name in the file is none that people can read; nothing was stored.
        """
        approvers = await self._approved(ceremony, file, approvals)  # 1
        await self._verify_possible(ceremony, file)  # 2
        maker = Maker(
            keys=ThrowAwayKeys() if is_rehearsal else self._keys,
            offline=ThrowAwayKeys() if is_rehearsal and offline else offline,
            urls=self._hierarchy.urls,
            clock=self._clock,
        )
        plan = Plan(maker, self._hierarchy, head_key=self._audit.head_key)
        if not is_rehearsal:
            await self._db.transact(self._intend, ceremony, file_sha256(file))
        made = await asyncio.to_thread(plan.make, ceremony)  # 3: a device takes its time
        if self._lint:
            await self._lint_all(made)  # 4
        transcript = Transcript(
            kind=ceremony.__struct_config__.tag or "",  # type: ignore[arg-type]
            title=ceremony.title,
            file_sha256=file_sha256(file),
            held_at=rfc3339(self._clock.now()),
            is_rehearsal=is_rehearsal,
            approvals=approvers,
            made=[
                *map(transcript_line, made.authorities),
                *map(cross_line, made.crosses),
            ],
            revoked=[end.name for end in ceremony.revoke]
            if isinstance(ceremony, SignLists)
            else [],
        )
        written = transcript_bytes(transcript)  # what could not be signed is not stored either
        if not is_rehearsal:
            await self._db.transact(self._store, ceremony, made, transcript, written)  # 5
            await self._hierarchy.load()
        return transcript

    # 1
    async def _approved(
        self, ceremony: AnyCeremony, file: bytes, approvals: Sequence[bytes]
    ) -> list[Approver]:
        """Who approved; the custody in force judges, at the founding the one that the file brings."""
        custody = await self._db.read(_custody)
        if custody is None and isinstance(ceremony, Ceremony):
            custody = ceremony.custody
        if custody is None:
            if self._quorum:
                raise CeremonyNotApproved("production demands a custody", needed=2, given=0)
            return []
        return await verify_quorum(
            custody,
            approvals,
            file=file,
            title=ceremony.title,
            workers=self._workers,
            at=self._clock.now(),
        )

    # 2
    async def _verify_possible(self, ceremony: AnyCeremony, file: bytes) -> None:
        if isinstance(ceremony, Ceremony) == bool(self._hierarchy):
            if self._hierarchy:
                raise CeremonyDone()
            raise CeremonyWrong("found the hierarchy first", where="kind")
        if await self._db.read(_was_held, file_sha256(file)):
            raise CeremonyDone("this very file was held before")

    # 4
    async def _lint_all(self, made: Made) -> None:
        certificates = {each.name: each.certificate for each in made.authorities}
        certificates |= {each.name: each.certificate for each in made.crosses}
        for name, der in certificates.items():
            report = await self._workers.lint_certificate(der)
            if report.errors:
                findings = [f"{each.code} {each.where} {each.message}" for each in report.errors]
                raise LintRefused(f"{name}: {findings}", findings=findings)

    def _intend(self, ceremony: AnyCeremony, digest: str) -> Step[None]:
        yield from self._audit.record(
            "pki.ceremony_begun",
            actor=OFFICER,
            details={"kind": str(ceremony.__struct_config__.tag), "file_sha256": digest},
        )

    # 5
    def _store(
        self, ceremony: AnyCeremony, made: Made, transcript: Transcript, written: bytes
    ) -> Step[None]:
        moment = yield MOMENT
        event = yield from self._audit.record(
            "pki.ceremony_held",
            actor=OFFICER,
            details={
                "kind": transcript.kind,
                "file_sha256": transcript.file_sha256,
                "approvals": {each.name: each.approval_sha256 for each in transcript.approvals},
                "thumbprints": {line.name: line.thumbprint_sha256 for line in transcript.made},
            },
        )
        custody = ceremony.custody
        yield store.INSERT_CEREMONY.run(
            file_sha256=transcript.file_sha256,
            kind=transcript.kind,
            held_at=moment,
            custody=msgspec.to_builtins(custody) if custody else None,
            transcript=written.decode(),
            event_id=event,
        )
        for authority in made.authorities:
            yield store.INSERT_AUTHORITY.run(event_id=event, **_row(authority))
            for shard in range(authority.crl_shards):
                yield store.INSERT_CRL.run(
                    authority=authority.name,
                    shard=shard,
                    number=0,
                    dirty=False,
                    der=None,
                    this_update=None,
                    next_update=None,
                )
        for cross in made.crosses:
            yield store.INSERT_CROSS.run(event_id=event, **msgspec.structs.asdict(cross))
        for end in ceremony.revoke if isinstance(ceremony, SignLists) else ():
            yield from self._retirement.revoke(end.name, reason=end.reason, actor=OFFICER)
        for old, new in made.succeeded.items():
            yield store.SUCCEED.run(key=old, new_successor=new, event=event)
        yield Wake(AUTHORITIES_TOPIC)

    async def drill(self, offline: KeyProvider) -> list[str]:
        """Show that the opened offline store still signs for each of its authorities; returns their names.

        Raises:
            KeyStoreDamaged: a key is not the one of its authority's certificate.
            KeyUnknown: a key is missing.
        """
        drilled = []
        for authority in self._hierarchy:
            if authority.is_offline:
                _verify_key(offline, authority)
                drilled.append(authority.name)
        await self._db.transact(self._note_drill, drilled)
        return drilled

    def _note_drill(self, names: list[str]) -> Step[None]:
        yield from self._audit.record(
            "pki.restore_drilled", actor=OFFICER, details={"authorities": names}
        )

    # --- between ceremonies ----------------------------------------------------------------------

    async def renew_signers(self) -> int:
        """Replace the signers whose key is near its end by new ones of the same name; returns how many.

        OCSP signers past two thirds of their life, time-stamping authorities a month before their key's period ends.
        """
        renewed = 0
        now = self._clock.now().replace(microsecond=0)
        for role, before in _RENEWED_BEFORE.items():
            for signer in self._hierarchy.of_role(role):
                if key_end(signer) - now <= before:
                    await self._db.transact(
                        intended, self._audit, signer.parent, f"signer {signer.name}"
                    )
                    fresh = await asyncio.to_thread(self._successor, signer)
                    renewed += await self._db.transact(self._replace, signer, fresh)
        if renewed:
            await self._hierarchy.load()
        return renewed

    def _successor(self, signer: Authority) -> Authority:
        """A new key and certificate with the name and the life of the old one."""
        old = x509.load_der_x509_certificate(signer.certificate)
        maker = Maker(keys=self._keys, offline=None, urls=self._hierarchy.urls, clock=self._clock)
        return maker.signer(
            signer.role,
            signer.name,
            subject=old.subject,
            parent=self._hierarchy.get(signer.parent),
            life=old.not_valid_after_utc - old.not_valid_before_utc,
        )

    def _replace(self, old: Authority, fresh: Authority) -> Step[int]:
        event = yield from self._audit.record(
            "pki.signer_renewed",
            actor=Actor(ActorKind.PLATFORM, "pki"),
            object=old.name,
            details={"thumbprint": thumbprint(fresh.certificate)},
        )
        touched: int = yield store.RENEW_SIGNER.run(
            key=old.name,
            seen=old.certificate,
            new_certificate=fresh.certificate,
            new_key_label=fresh.key_label,
            new_not_after=fresh.not_after,
            event=event,
        )
        yield Wake(AUTHORITIES_TOPIC)
        return touched


def _verify_key(offline: KeyProvider, authority: Authority) -> None:
    """A signature of the store's key is one of the certificate's key."""
    certificate = x509.load_der_x509_certificate(authority.certificate)
    key = offline.signer(authority.key_label, KeyPurpose.CERT)
    probe = builder.probe(certificate.subject).sign(key, digest_for(key))
    try:
        probe.verify_directly_issued_by(certificate)
    except (InvalidSignature, ValueError, TypeError):
        raise KeyStoreDamaged(f"{authority.key_label} is another key") from None


def _custody() -> Step[Custody | None]:
    row = yield store.CUSTODY.one()
    return None if row is None else msgspec.convert(row.custody, Custody)


def _was_held(digest: str) -> Step[bool]:
    row = yield store.CEREMONY.one(key=digest)
    return row is not None


def _row(authority: Authority) -> dict[str, Any]:
    row = msgspec.structs.asdict(authority)
    del row["chain"], row["revoked_at"]
    return row | {"role": authority.role.value, "profiles": list(authority.profiles)}
