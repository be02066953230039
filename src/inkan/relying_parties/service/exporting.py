"""From the sandbox into production: the signed export and its import (TW-64).

An export, in order:

1. the system came from an application that two officers approved, and is not suspended;
2. the conformance report is signed by this very instance, about this system, passed in every item, not too old;
3. what goes out is what the officers approved, not what the sandbox holds by now; the documents have their digests.

An import, in order:

1. signed by the key of a configured sandbox, of the own type, and that sandbox is the issuer;
2. meant for this instance, in its term, which is no longer than an export may live;
3. the report inside it is that sandbox's too, and held when the export was made;
4. in one transaction: not imported before, no newer one of the same system imported, and the registration passes the
   checks of every other one. A system that was imported before becomes what the newer export says.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from inkan.audit import Actor
from inkan.crypto import jose, jwk
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import from_seconds, to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import new_id
from inkan.relying_parties.model import System, SystemNotFound, SystemState, SystemSuspended
from inkan.relying_parties.model.application import (
    Application,
    ApplicationState,
    ExportExpired,
    ExportOvertaken,
    ExportUntrusted,
    ExportUsed,
    NotApproved,
    WantedSystem,
    registration_of,
)
from inkan.relying_parties.model.export import Export, ExporterFile, ReviewedApplication
from inkan.relying_parties.rules import (
    CLOCK_LEEWAY,
    EXPORT_LIFE,
    EXPORT_LIMIT,
    REGISTRATION_TYP,
)
from inkan.relying_parties.service.checking import verify_origin
from inkan.relying_parties.service.documents import digest_of
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.register import Origin
from inkan.relying_parties.service.reports import (
    Reports,
    SigningKey,
    is_signed_by,
    verify_report,
)
from inkan.relying_parties.service.sealing import verify_documents
from inkan.relying_parties.store import BY_CODE
from inkan.relying_parties.store import applications as store
from inkan.store.database import MOMENT, Step


@dataclass(frozen=True, kw_only=True)
class Exporter:
    """A sandbox whose exports are taken in.

    Attributes:
        issuer: its origin.
        exports: what verifies its exports.
        reports: what verifies its conformance reports.
    """

    issuer: str
    exports: EllipticCurvePublicKey
    reports: EllipticCurvePublicKey


class Exporting:
    """Signs exports of reviewed systems, and takes in those of a trusted instance."""

    def __init__(
        self,
        parts: Parts,
        *,
        key: SigningKey,
        reports: Reports,
        trusted: Sequence[Exporter],
    ) -> None:
        """Sign under ``key`` (P-256, for nothing else); believe the own ``reports``, and exports of the ``trusted``."""
        self._parts = parts
        self._key = key
        self._reports = reports
        self._trusted = tuple(trusted)

    def described(self) -> ExporterFile:
        """What production has to know of this instance: its origin and two public keys."""
        return ExporterFile(
            issuer=self._parts.issuer,
            exports=jwk.to_jwk(self._key().public_key()),
            reports=jwk.to_jwk(self._reports.public_key),
        )

    async def export(self, code: str, *, report: str, audience: str, actor: Actor) -> str:
        """The signed export of a system, a compact JWS; see the plan of this module.

        Args:
            code: of the system.
            report: of the conformance kit, a compact JWS.
            audience: origin of the instance that may take it in.
            actor: who exports.

        Raises:
            RegistrationWrong: the audience is no origin.
            SystemNotFound, SystemSuspended, NotApproved: 1.
            ConformanceMissing: 2.
            DocumentsChanged: 3.
        """
        parts = self._parts
        verify_origin(audience)
        application, wanted = await parts.db.read(self._approved, code)  # 1
        report, now = report.strip(), parts.clock.wire_now()
        verify_report(report, code=code, keys=[self._reports.public_key], at=now)  # 2
        verify_documents(parts, application)  # 3
        organisation, seal = application.draft.organisation, application.seal
        assert organisation is not None
        assert seal is not None
        issued = to_seconds(now)
        claims = Export(
            v=1,
            iss=parts.issuer,
            aud=audience,
            jti=new_id("exp"),
            iat=issued,
            exp=issued + int(EXPORT_LIFE.total_seconds()),
            number=organisation.number,
            registration=registration_of(application.draft, wanted),
            application=ReviewedApplication(
                id=application.id,
                form_sha256=application.form_sha256,
                consent_sha256=application.consent_sha256,
                seal_certificate_sha256=seal.certificate_sha256,
                reviewers=list(application.reviewers),
            ),
            report=report,
        )
        payload = msgspec.json.encode(claims)
        key = self._key()
        sign = partial(jose.sign_compact, payload, key, alg=Algorithm.ES256, typ=REGISTRATION_TYP)
        jws = await signing(key, sign)
        await parts.db.transact(self._record_export, claims, digest_of(jws.encode()), actor)
        return jws

    async def take_in(self, jws: str, *, actor: Actor) -> System:
        """Import an export; from its COMMIT on the system is active here. A suspended one stays suspended.

        Raises:
            ExportUntrusted, ExportExpired: 1 and 2.
            ConformanceMissing: 3.
            ExportUsed, ExportOvertaken, SystemExists, OrganisationTaken, KeysFull, RegistrationWrong: 4.
        """
        jws = jws.strip()
        claims = self._read_export(jws)  # 1, 2, 3
        keys = self._parts.register.check(claims.registration)
        return await self._parts.db.transact(  # 4
            self._import, claims, keys, digest_of(jws.encode()), actor
        )

    # --- export ------------------------------------------------------------------------------------

    def _approved(self, code: str) -> Step[tuple[Application, WantedSystem]]:
        row = yield BY_CODE.one(code=code)
        if row is None:
            raise SystemNotFound()
        if row.state != SystemState.ACTIVE:
            raise SystemSuspended()
        if row.application is None:
            raise NotApproved()
        application = yield from self._parts.get(row.application)
        found = [each for each in application.draft.systems if each.code == code]
        if application.state is not ApplicationState.APPROVED or not found:
            raise NotApproved()
        return application, found[0]

    def _record_export(self, claims: Export, digest: str, actor: Actor) -> Step[None]:
        row = yield BY_CODE.one(code=claims.registration.code)
        yield from self._parts.audit.record(
            "relying_parties.system_exported",
            actor=actor,
            object=row.id,
            details={
                "export": claims.jti,
                "audience": claims.aud,
                "jws_sha256": digest,
                "report_sha256": digest_of(claims.report.encode()),
            },
        )

    # --- import ------------------------------------------------------------------------------------

    def _read_export(self, jws: str) -> Export:
        try:
            token = jose.parse_compact(jws, typ=REGISTRATION_TYP, limit=EXPORT_LIMIT)
            exporter = next((e for e in self._trusted if is_signed_by(token, e.exports)), None)
            claims = jose.parse_object(token.payload, limit=EXPORT_LIMIT)
            read = msgspec.convert(claims, Export)
        except (InkanError, msgspec.ValidationError) as wrong:
            raise ExportUntrusted(str(wrong)) from None
        if exporter is None or read.iss != exporter.issuer:
            raise ExportUntrusted("signed by no configured sandbox")
        if read.aud != self._parts.issuer:
            raise ExportUntrusted("meant for another instance")
        self._verify_term(read)
        verify_report(
            read.report,
            code=read.registration.code,
            keys=[exporter.reports],
            at=from_seconds(read.iat),
        )
        return read

    def _verify_term(self, read: Export) -> None:
        begins, ends = from_seconds(read.iat), from_seconds(read.exp)
        if not timedelta(0) < ends - begins <= EXPORT_LIFE:
            raise ExportUntrusted("a longer life than an export has")
        now = self._parts.clock.wire_now()
        if not begins - CLOCK_LEEWAY <= now < ends:
            raise ExportExpired()

    def _import(
        self, claims: Export, keys: dict[str, dict[str, str]], digest: str, actor: Actor
    ) -> Step[System]:
        moment = yield MOMENT
        if (yield store.IMPORT_BY_ID.one(key=claims.jti)) is not None:
            raise ExportUsed()
        origin = Origin(actor=actor, owner=claims.registration.organisation, number=claims.number)
        system = yield from self._parts.register.put(claims.registration, keys, origin)
        issued_at = from_seconds(claims.iat)
        newest = yield store.NEWEST_IMPORT.one(whose=system.id)  # after `put`, which holds its row
        if newest is not None and newest.issued_at is not None and newest.issued_at > issued_at:
            raise ExportOvertaken()
        event = yield from self._parts.audit.record(
            "relying_parties.system_imported",
            actor=actor,
            object=system.id,
            details={
                "export": claims.jti,
                "jws_sha256": digest,
                "issuer": claims.iss,
                "reviewers": claims.application.reviewers,
                "report_sha256": digest_of(claims.report.encode()),
            },
        )
        fresh = yield store.INSERT_IMPORT.run(
            id=claims.jti,
            system=system.id,
            jws_sha256=digest,
            issued_at=issued_at,
            imported_at=moment,
            event_id=event,
        )
        if not fresh:
            raise ExportUsed()
        return system
