"""Reports of the conformance kit: signed by the sandbox that ran it, verified before a system goes on (TW-64).

A report holds for an export or an import when, in order:

1. it is a compact JWS of the own type, signed by one of the keys that are believed, of the strict form;
2. it is about this very system;
3. every attack failed;
4. it is neither of tomorrow nor too old, by true time: a sandbox's own clock may have been moved.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from cryptography.hazmat.primitives.asymmetric.ec import (
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)

from inkan.audit import Actor
from inkan.crypto import jose
from inkan.crypto.foreign_keys import signing
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError
from inkan.relying_parties.model.application import ConformanceMissing, ReportElsewhere
from inkan.relying_parties.rules import CLOCK_LEEWAY, EXPORT_LIMIT, REPORT_LIFE
from inkan.relying_parties.service.documents import digest_of
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.register import get_row
from inkan.store.database import Step
from inkan.wire.conformance_report import (
    REPORT_TYP,
    ConformanceItem,
    ConformanceReport,
    parse_report,
    report_bytes,
)
from inkan.wire.forms import parse_moment

SigningKey = Callable[[], EllipticCurvePrivateKey]

ES256 = (Algorithm.ES256,)


class Reports:
    """Signs what the kit of this instance found."""

    def __init__(self, parts: Parts, *, key: SigningKey) -> None:
        """Sign under ``key`` (P-256, for nothing else), made at its first use."""
        self._parts = parts
        self._key = key

    @property
    def public_key(self) -> EllipticCurvePublicKey:
        """What verifies this instance's reports."""
        return self._key().public_key()

    async def admit(self, code: str) -> None:
        """Refuse what could not be signed at the end of a run, before it begins.

        Raises:
            ReportElsewhere: this is no sandbox.
            SystemNotFound: no system has this code.
        """
        if not self._parts.sandbox:
            raise ReportElsewhere()
        await self._parts.db.read(get_row, code)

    async def sign(
        self, code: str, items: Sequence[ConformanceItem], *, kit_version: str, actor: Actor
    ) -> str:
        """The signed report of one run of the kit, a compact JWS; whether it passed follows from the items.

        Args:
            code: of the system that was attacked.
            items: every attack of the kit.
            kit_version: of the kit.
            actor: who ran it.

        Raises:
            ReportElsewhere, SystemNotFound: see :meth:`admit`.
            ConformanceReportMalformed: no item, one twice, or a text that is none.
        """
        await self.admit(code)
        report = ConformanceReport(
            system=code,
            kit_version=kit_version,
            passed=all(item.passed for item in items),
            at=rfc3339(self._parts.clock.wire_now()),
            items=tuple(items),
        )
        payload, key = report_bytes(report), self._key()
        sign = partial(jose.sign_compact, payload, key, alg=Algorithm.ES256, typ=REPORT_TYP)
        jws = await signing(key, sign)
        await self._parts.db.transact(self._record, report, digest_of(jws.encode()), actor)
        return jws

    def _record(self, report: ConformanceReport, digest: str, actor: Actor) -> Step[None]:
        row = yield from get_row(report.system)
        yield from self._parts.audit.record(
            "relying_parties.conformance_reported",
            actor=actor,
            object=row.id,
            details={"report_sha256": digest, "passed": report.passed},
        )


def verify_report(
    jws: str, *, code: str, keys: Sequence[EllipticCurvePublicKey], at: datetime
) -> ConformanceReport:
    """The report, if it lets this system go on at ``at`` (aware, true time); see the plan of this module.

    Raises:
        ConformanceMissing: any of the plan's points.
    """
    try:
        token = jose.parse_compact(jws, typ=REPORT_TYP, limit=EXPORT_LIMIT)
        if not any(is_signed_by(token, key) for key in keys):  # 1
            raise ConformanceMissing("signed by no key that is believed")
        report = parse_report(token.payload)
    except InkanError as wrong:
        raise ConformanceMissing(str(wrong)) from None
    if report.system != code:  # 2
        raise ConformanceMissing("a report about another system")
    if not report.passed:  # 3
        raise ConformanceMissing("an attack succeeded")
    age = at - parse_moment(report.at)  # 4
    if not -CLOCK_LEEWAY <= age <= REPORT_LIFE:
        raise ConformanceMissing(f"the report is older than {REPORT_LIFE.days} days")
    return report


def is_signed_by(token: jose.UnverifiedJWS, key: EllipticCurvePublicKey) -> bool:
    """Whether the key made the token's signature (ES256)."""
    try:
        jose.verify_signature(token, key, algs=ES256)
    except InkanError:
        return False
    return True
