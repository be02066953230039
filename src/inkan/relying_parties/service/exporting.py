"""From the sandbox into production: the signed export and its import (TW-64).

An export, in order:

1. the system came from an application that two officers approved, and is not suspended;
2. the conformance report is signed by this very instance, about this system, passed in every item, not too old;
3. what goes out is what the officers approved, not what the sandbox holds by now; the documents have their digests.

An import, in order:

1. signed by a configured key, of the own type;
2. meant for this instance, in its term, which is no longer than an export may live;
3. in one transaction: not imported before, and the registration passes the checks of every other one.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

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
    ConformanceMissing,
    ExportExpired,
    ExportUntrusted,
    ExportUsed,
    NotApproved,
    WantedSystem,
    registration_of,
)
from inkan.relying_parties.model.export import (
    Conformance,
    ConformanceReport,
    Export,
    ReviewedApplication,
)
from inkan.relying_parties.rules import (
    CLOCK_LEEWAY,
    EXPORT_LIFE,
    EXPORT_LIMIT,
    REGISTRATION_TYP,
    REPORT_LIFE,
    REPORT_TYP,
)
from inkan.relying_parties.service.documents import digest_of
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.register import Origin
from inkan.relying_parties.service.sealing import verify_documents
from inkan.relying_parties.store import BY_CODE
from inkan.relying_parties.store import applications as store
from inkan.store.database import MOMENT, Step
from inkan.wire.forms import parse_moment

SigningKey = Callable[[], EllipticCurvePrivateKey]

_ES256 = (Algorithm.ES256,)


class Exporting:
    """Signs exports of reviewed systems, and takes in those of a trusted instance."""

    def __init__(
        self,
        parts: Parts,
        *,
        key: SigningKey,
        report_key: SigningKey,
        trusted: Sequence[EllipticCurvePublicKey],
    ) -> None:
        """Sign under ``key``; believe reports under ``report_key`` and exports of the ``trusted``."""
        self._parts = parts
        self._key = key
        self._report_key = report_key
        self._trusted = tuple(trusted)

    @property
    def public_jwk(self) -> dict[str, str]:
        """What production has to trust: the public half of this instance's key for exports."""
        return jwk.to_jwk(self._key().public_key())

    async def export(self, code: str, *, report: str, audience: str, actor: Actor) -> str:
        """The signed export of a system, a compact JWS; see the plan of this module.

        Raises:
            SystemNotFound, SystemSuspended, NotApproved: 1.
            ConformanceMissing: 2.
            DocumentsChanged: 3.
        """
        parts = self._parts
        application, wanted = await parts.db.read(self._approved, code)  # 1
        read = self._read_report(report, code)  # 2
        verify_documents(parts, application)  # 3
        organisation, seal = application.draft.organisation, application.seal
        assert organisation is not None
        assert seal is not None
        now = to_seconds(parts.clock.wire_now())
        claims = Export(
            v=1,
            iss=parts.issuer,
            aud=audience,
            jti=new_id("exp"),
            iat=now,
            exp=now + int(EXPORT_LIFE.total_seconds()),
            number=organisation.number,
            registration=registration_of(application.draft, wanted),
            application=ReviewedApplication(
                id=application.id,
                form_sha256=application.form_sha256,
                consent_sha256=application.consent_sha256,
                seal_certificate_sha256=seal.certificate_sha256,
                reviewers=list(application.reviewers),
            ),
            conformance=Conformance(
                report_sha256=digest_of(report.encode()), kit_version=read.kit_version, at=read.at
            ),
        )
        payload = msgspec.json.encode(claims)
        key = self._key()
        sign = partial(jose.sign_compact, payload, key, alg=Algorithm.ES256, typ=REGISTRATION_TYP)
        jws = await signing(key, sign)
        await parts.db.transact(self._record_export, claims, digest_of(jws.encode()), actor)
        return jws

    async def take_in(self, jws: str, *, actor: Actor) -> System:
        """Import an export; from its COMMIT on the system is active here.

        Raises:
            ExportUntrusted: 1, or another instance's.
            ExportExpired: outside its term.
            ExportUsed, SystemExists, OrganisationTaken, RegistrationWrong: 3.
        """
        claims = self._read_export(jws)
        keys = self._parts.register.check(claims.registration)
        return await self._parts.db.transact(
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

    def _read_report(self, report: str, code: str) -> ConformanceReport:
        try:
            token = jose.parse_compact(
                report.strip(), typ=REPORT_TYP, optional=("kid",), limit=EXPORT_LIMIT
            )
            verified = jose.verify_signature(token, self._report_key().public_key(), algs=_ES256)
            claims = jose.parse_object(verified.payload, limit=EXPORT_LIMIT)
            read = msgspec.convert(claims, ConformanceReport)
            at = parse_moment(read.at)
        except (InkanError, msgspec.ValidationError) as wrong:
            raise ConformanceMissing(str(wrong)) from None
        if read.system != code:
            raise ConformanceMissing("a report about another system")
        if not read.passed or not all(item.get("passed") is True for item in read.items):
            raise ConformanceMissing("an attack succeeded")
        age = self._parts.clock.now() - at
        if not -CLOCK_LEEWAY <= age <= REPORT_LIFE:
            raise ConformanceMissing(f"the report is older than {REPORT_LIFE.days} days")
        return read

    def _record_export(self, claims: Export, digest: str, actor: Actor) -> Step[None]:
        row = yield BY_CODE.one(code=claims.registration.code)
        yield from self._parts.audit.record(
            "relying_parties.system_exported",
            actor=actor,
            object=row.id,
            details={"export": claims.jti, "audience": claims.aud, "jws_sha256": digest},
        )

    # --- import ------------------------------------------------------------------------------------

    def _read_export(self, jws: str) -> Export:
        try:
            token = jose.parse_compact(jws.strip(), typ=REGISTRATION_TYP, limit=EXPORT_LIMIT)
            if not any(_is_signed_by(token, key) for key in self._trusted):
                raise ExportUntrusted("signed by no configured key")
            claims = jose.parse_object(token.payload, limit=EXPORT_LIMIT)
            read = msgspec.convert(claims, Export)
        except (InkanError, msgspec.ValidationError) as wrong:
            raise ExportUntrusted(str(wrong)) from None
        if read.aud != self._parts.issuer:
            raise ExportUntrusted("meant for another instance")
        self._verify_term(read)
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
        event = yield from self._parts.audit.record(
            "relying_parties.system_imported",
            actor=actor,
            object=system.id,
            details={
                "export": claims.jti,
                "jws_sha256": digest,
                "issuer": claims.iss,
                "reviewers": claims.application.reviewers,
                "report_sha256": claims.conformance.report_sha256,
            },
        )
        fresh = yield store.INSERT_IMPORT.run(
            id=claims.jti,
            system=system.id,
            jws_sha256=digest,
            imported_at=moment,
            event_id=event,
        )
        if not fresh:
            raise ExportUsed()
        return system


def _is_signed_by(token: jose.UnverifiedJWS, key: EllipticCurvePublicKey) -> bool:
    try:
        jose.verify_signature(token, key, algs=_ES256)
    except InkanError:
        return False
    return True
