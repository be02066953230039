"""The key ceremony: one file in, a hierarchy and a transcript out.

Numbered plan:

1. refuse when authorities exist: a second ceremony would orphan every certificate;
2. make the root's key and its self-signed certificate;
3. make each issuing authority's key and have the root certify it;
4. make the OCSP signer of each issuing authority, and the receipt signer;
5. lint everything before anything is stored;
6. store all of it in one transaction, with one audit event that holds every thumbprint;
7. every list is signed at the first question, and from then on by the schedule too while it has entries.
"""

import hashlib
import tomllib
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto.key_providers import KeyProvider, KeyPurpose
from inkan.crypto.keys import KeySpec, spki_der
from inkan.crypto.signatures import digest_for
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.ids import random_bytes
from inkan.pki import store
from inkan.pki.model import (
    Authority,
    Ceremony,
    CeremonyDone,
    CeremonyWrong,
    IssuingPart,
    LintRefused,
    Role,
    TranscriptLine,
)
from inkan.pki.rules import get_profile, profiles
from inkan.pki.service import builder
from inkan.pki.service.hierarchy import AUTHORITIES_TOPIC, Hierarchy, PublicURLs
from inkan.pki.service.issue import begin
from inkan.store.database import Database, Step, Wake

OFFICER = Actor(ActorKind.OPERATOR, "ca-officer")
YEAR = timedelta(days=365)
OCSP_SIGNER_LIFE = timedelta(days=89)
CA_PURPOSES = frozenset({KeyPurpose.CERT, KeyPurpose.CRL})


def read_ceremony(text: str) -> Ceremony:
    """Return the ceremony that a TOML text describes.

    Raises:
        CeremonyWrong: not TOML, an unknown key, a profile twice or unknown, a missing authority.
    """
    try:
        ceremony = msgspec.convert(tomllib.loads(text), Ceremony)
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as wrong:
        raise CeremonyWrong(str(wrong)) from None
    named = [profile for part in ceremony.issuing for profile in part.profiles]
    if len(set(named)) != len(named) or not set(named) <= profiles().keys():
        raise CeremonyWrong("each profile belongs to exactly one authority", where="issuing")
    names = [ceremony.root.name, *(part.name for part in ceremony.issuing)]
    if len(set(names)) != len(names):
        raise CeremonyWrong("two authorities have one name", where="issuing")
    if ceremony.receipt.authority not in names[1:]:
        raise CeremonyWrong("the receipt signer's authority does not exist", where="receipt")
    return ceremony


class CeremonyMaster:
    """Holds ceremonies and renews signers."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        keys: KeyProvider,
        hierarchy: Hierarchy,
        workers: WorkerPool,
        clock: Clock,
        lint: bool,
    ) -> None:
        self._db = db
        self._audit = audit
        self._keys = keys
        self._hierarchy = hierarchy
        self._workers = workers
        self._clock = clock
        self._lint = lint

    async def hold(self, ceremony: Ceremony) -> list[TranscriptLine]:
        """Make the hierarchy and return what was made, root first.

        Raises:
            CeremonyDone: there is a hierarchy.
            LintRefused: a certificate would break its profile; nothing was stored.
        """
        if self._hierarchy:
            raise CeremonyDone()
        now = begin(self._clock.now(), get_profile("root"))
        root = self._root(ceremony, now)
        made = [root]
        for part in ceremony.issuing:
            issuing = self._issuing(ceremony, part, root, now)
            made += [issuing, self._ocsp_signer(ceremony, issuing)]
        parent = next(each for each in made if each.name == ceremony.receipt.authority)
        made.append(self._receipt_signer(ceremony, parent))
        if self._lint:
            await self._lint_all(made)
        await self._db.transact(self._store, made)
        await self._hierarchy.load()
        return [transcript_line(authority) for authority in made]

    async def renew_ocsp_signers(self) -> int:
        """Replace every OCSP signer past two thirds of its life; returns how many."""
        renewed = 0
        now = self._clock.now().replace(microsecond=0)
        for signer in self._hierarchy.of_role(Role.OCSP):
            if signer.not_after - now > OCSP_SIGNER_LIFE / 3:
                continue
            name = x509.load_der_x509_certificate(signer.certificate).subject
            parent = self._hierarchy.get(signer.parent)
            fresh = self._signer(
                Role.OCSP, signer.name, subject=name, parent=parent, life=OCSP_SIGNER_LIFE
            )
            renewed += await self._db.transact(self._replace, signer, fresh)
        if renewed:
            await self._hierarchy.load()
        return renewed

    def _root(self, ceremony: Ceremony, now: datetime) -> Authority:
        part = ceremony.root
        label = f"ca.{part.name}"
        key = self._keys.generate(label, KeySpec(part.key), CA_PURPOSES)
        subject = self._name(ceremony, part.common_name)
        contents = _contents(subject, spki_der(key), now, now + part.years * YEAR)
        unsigned = builder.self_signed(get_profile("root"), contents)
        der = self._sign(unsigned, label)
        return Authority(
            name=part.name,
            role=Role.ROOT,
            certificate=der,
            chain=(der,),
            key_label=label,
            parent=part.name,
            profiles=(),
            crl_shards=1,
            not_after=contents.not_after,
        )

    def _issuing(
        self, ceremony: Ceremony, part: IssuingPart, root: Authority, now: datetime
    ) -> Authority:
        label = f"ca.{part.name}"
        key = self._keys.generate(label, KeySpec(part.key), CA_PURPOSES)
        subject = self._name(ceremony, part.common_name)
        end = min(now + part.years * YEAR, root.not_after)
        contents = _contents(subject, spki_der(key), now, end)
        der = self._sign(self._issued("issuing", contents, root), root.key_label)
        return Authority(
            name=part.name,
            role=Role.ISSUING,
            certificate=der,
            chain=(der, *root.chain),
            key_label=label,
            parent=root.name,
            profiles=tuple(part.profiles),
            crl_shards=part.crl_shards,
            not_after=end,
        )

    def _ocsp_signer(self, ceremony: Ceremony, parent: Authority) -> Authority:
        subject = self._name(ceremony, f"{parent.name} OCSP responder")
        name = f"{parent.name}-ocsp"
        return self._signer(Role.OCSP, name, subject=subject, parent=parent, life=OCSP_SIGNER_LIFE)

    def _receipt_signer(self, ceremony: Ceremony, parent: Authority) -> Authority:
        part = ceremony.receipt
        subject = self._name(ceremony, part.common_name)
        return self._signer(
            Role.RECEIPT, "receipt", subject=subject, parent=parent, life=part.years * YEAR
        )

    def _signer(
        self, role: Role, name: str, *, subject: x509.Name, parent: Authority, life: timedelta
    ) -> Authority:
        profile = role.value
        now = begin(self._clock.now(), get_profile(profile))
        label = f"{profile}.{name}.{random_bytes(4).hex()}"
        key = self._keys.generate(label, KeySpec.P256, frozenset({KeyPurpose(role.value)}))
        end = min(now + life, parent.not_after)
        contents = _contents(subject, spki_der(key), now, end)
        der = self._sign(self._issued(profile, contents, parent), parent.key_label)
        return Authority(
            name=name,
            role=role,
            certificate=der,
            chain=(der, *parent.chain),
            key_label=label,
            parent=parent.name,
            profiles=(),
            crl_shards=0,
            not_after=end,
        )

    def _issued(
        self, profile: str, contents: builder.Contents, issuer: Authority
    ) -> x509.CertificateBuilder:
        urls: PublicURLs = self._hierarchy.urls
        return builder.issued(get_profile(profile), contents, issuer=issuer, urls=urls)

    def _sign(self, unsigned: x509.CertificateBuilder, label: str) -> bytes:
        key = self._keys.signer(label, KeyPurpose.CERT)
        return unsigned.sign(key, digest_for(key)).public_bytes(Encoding.DER)

    def _name(self, ceremony: Ceremony, common_name: str) -> x509.Name:
        return builder.ca_name(
            country=ceremony.country,
            organisation=ceremony.organisation,
            common_name=common_name,
        )

    async def _lint_all(self, made: list[Authority]) -> None:
        for authority in made:
            report = await self._workers.lint_certificate(authority.certificate)
            if report.errors:
                findings = [f"{each.code} {each.where} {each.message}" for each in report.errors]
                raise LintRefused(f"{authority.name}: {findings}", findings=findings)

    def _store(self, made: list[Authority]) -> Step[None]:
        event = yield from self._audit.record(
            "pki.ceremony_held",
            actor=OFFICER,
            details={"thumbprints": {each.name: thumbprint(each.certificate) for each in made}},
        )
        for authority in made:
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


def thumbprint(der: bytes) -> str:
    """SHA-256 of a certificate in hexadecimal pairs: what people compare (JPKI-36)."""
    return hashlib.sha256(der).digest().hex(":").upper()


def transcript_line(authority: Authority) -> TranscriptLine:
    """What the transcript says of one certificate."""
    certificate = x509.load_der_x509_certificate(authority.certificate)
    return TranscriptLine(
        name=authority.name,
        role=authority.role.value,
        subject=certificate.subject.rfc4514_string(),
        thumbprint_sha256=thumbprint(authority.certificate),
        not_after=rfc3339(authority.not_after),
    )


def _contents(
    subject: x509.Name, spki: bytes, not_before: datetime, not_after: datetime
) -> builder.Contents:
    serial = int.from_bytes(random_bytes(16)) >> 1 | 1 << 126
    return builder.Contents(
        subject=subject,
        spki=spki,
        serial=serial,
        not_before=not_before,
        not_after=not_after,
    )


def _row(authority: Authority) -> dict[str, Any]:
    return {
        "name": authority.name,
        "role": authority.role.value,
        "certificate": authority.certificate,
        "key_label": authority.key_label,
        "parent": authority.parent,
        "profiles": list(authority.profiles),
        "crl_shards": authority.crl_shards,
        "not_after": authority.not_after,
    }
