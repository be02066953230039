"""Revocation of one certificate of a path: RFC 5280 §6.3.3 over all lists at hand, and OCSP answers beside them.

What says revoked decides, whatever else says; what does not say anything that counts leaves the question open. Of
several lists of one scope only the newest in force speaks, joined with its delta list.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeAlias

from cryptography import x509

from inkan.crypto.crl import CRLMalformed
from inkan.crypto.path import RevocationReason
from inkan.crypto.validation.algorithms import Signatures, Signed
from inkan.crypto.validation.anchors import TrustAnchor
from inkan.crypto.validation.answers import Answer, AnswerStatus, is_responder
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.building import Builder
from inkan.crypto.validation.certificate import PathCertificate
from inkan.crypto.validation.lists import ALL_REASONS, Entry, RevocationList, points_of
from inkan.crypto.validation.settings import Evidence, Settings
from inkan.crypto.validation.verdict import Exhausted, Reason, Refused

Issuer: TypeAlias = PathCertificate | TrustAnchor
Vouch: TypeAlias = Callable[[PathCertificate, TrustAnchor], None]
"""Raise Refused unless the certificate of a list's signer has a valid, unrevoked path to this very anchor."""

KINDS: Final = {
    Evidence.NONE: frozenset[Evidence](),
    Evidence.CRL: frozenset({Evidence.CRL}),
    Evidence.OCSP: frozenset({Evidence.OCSP}),
    Evidence.ANY: frozenset({Evidence.CRL, Evidence.OCSP}),
}


class _Spoken(NamedTuple):
    """A list that counts for a certificate."""

    crl: RevocationList
    spki: bytes
    reasons: frozenset[x509.ReasonFlags]


class Revocation:
    """Answers for certificates of one validation.

    Args:
        settings: what counts.
        builder: knows the certificates that may have signed a list.
        crls: complete and delta.
        answers: of OCSP.
        signatures: verifies.
        budget: pays.
        vouch: validates the signer of a list that is not the issuer's own key.
    """

    def __init__(
        self,
        settings: Settings,
        builder: Builder,
        signatures: Signatures,
        budget: Budget,
        *,
        crls: Sequence[RevocationList],
        answers: Sequence[Answer],
        vouch: Vouch,
    ) -> None:
        self._settings = settings
        self._builder = builder
        self._signatures = signatures
        self._budget = budget
        self._answers = answers
        self._vouch = vouch
        usable = [row for row in crls if self._counts(row)]
        self._complete = [row for row in usable if row.base is None]
        self._deltas = [row for row in usable if row.base is not None]

    def verify(
        self,
        certificate: PathCertificate,
        issuer: Issuer,
        anchor: TrustAnchor,
        *,
        is_asked: bool = True,
    ) -> None:
        """Check that a certificate is shown not to be revoked, or, when nothing is asked of it, not shown to be.

        Raises:
            Refused: it is revoked, or it is asked and nothing that counts covers it.
        """
        kinds = KINDS[self._settings.require.evidence]
        is_proved = Evidence.OCSP in kinds and self._is_good_by_answers(certificate, issuer, anchor)
        if Evidence.CRL in kinds:
            is_proved = self.is_good_by_lists(certificate, issuer, anchor) or is_proved
        if is_asked and not is_proved:
            raise Refused(
                Reason.REVOCATION_UNKNOWN,
                "no evidence that counts covers a certificate",
                certificate=certificate.sha256,
            )

    def is_good_by_lists(
        self, certificate: PathCertificate, issuer: Issuer, anchor: TrustAnchor
    ) -> bool:
        """Whether lists cover the certificate for all reasons and none names it.

        Raises:
            Refused: one names it.
        """
        covered: frozenset[x509.ReasonFlags] = frozenset()
        for spoken in self._newest(self._spoken(certificate, issuer, anchor)):
            delta, is_fresh = self._delta_for(spoken)
            entry = self._find(certificate, spoken.crl, delta)
            if entry is not None and entry.reason is not None:
                raise revoked(certificate, entry)
            must_be_fresh = spoken.crl.names_delta or certificate.has(x509.FreshestCRL.oid)
            if is_fresh or not must_be_fresh or not self._settings.require.delta:
                covered |= spoken.reasons
        return covered == ALL_REASONS

    def _counts(self, crl: RevocationList) -> bool:
        return (
            crl.is_current(self._settings.at)
            and self._is_processable(crl)
            and (crl.is_numbered or not self._settings.strict)
            and (not crl.is_indirect or self._settings.require.indirect)
        )

    def _is_processable(self, crl: RevocationList) -> bool:
        try:
            return crl.is_processable(self._budget)
        except CRLMalformed as error:
            raise Refused(Reason.EVIDENCE_MALFORMED, str(error)) from None

    def _spoken(
        self, certificate: PathCertificate, issuer: Issuer, anchor: TrustAnchor
    ) -> list[_Spoken]:
        found = []
        points = points_of(certificate)
        for crl in self._complete:
            reasons: frozenset[x509.ReasonFlags] = frozenset()
            for point in points:
                self._budget.compare()
                reasons |= crl.reasons_for(point, certificate) or frozenset()
            spki = self._signer(crl, issuer, anchor) if reasons else None
            if spki is not None:
                found.append(_Spoken(crl, spki, reasons))
        return found

    def _newest(self, spoken: list[_Spoken]) -> list[_Spoken]:
        newest: dict[tuple[object, bytes, bytes], _Spoken] = {}
        for row in spoken:
            scope = (row.crl.issuer, row.crl.scope, row.spki)
            known = newest.get(scope)
            if known is None or _age(row.crl) > _age(known.crl):
                newest[scope] = row
        return list(newest.values())

    def _signer(self, crl: RevocationList, issuer: Issuer, anchor: TrustAnchor) -> bytes | None:
        """The key that signed a list, if its holder may (§6.3.3 f, g)."""
        for candidate in (issuer, anchor):
            may_sign = candidate.subject == crl.issuer and candidate.admits("cRLSign")
            if may_sign and self._is_signed(crl.signed, candidate.spki):
                return candidate.spki
        others = [
            row
            for row in self._builder.named(crl.issuer)
            if row.spki != issuer.spki and row.admits("cRLSign")
        ]
        # The key that the list names first.
        others.sort(key=lambda row: row.subject_key_id != crl.key_id)
        for row in others:
            if self._is_signed(crl.signed, row.spki) and self._is_vouched(row, anchor):
                return row.spki
        return None

    def _is_vouched(self, signer: PathCertificate, anchor: TrustAnchor) -> bool:
        try:
            self._vouch(signer, anchor)
        except Exhausted:
            raise
        except Refused:
            return False
        return True

    def _delta_for(self, spoken: _Spoken) -> tuple[RevocationList | None, bool]:
        """The delta list to join, if it is newer, and whether any tells how fresh the list is (§5.2.4, §6.3.3 c, h)."""
        crl = spoken.crl
        fitting = [
            row
            for row in self._deltas
            if row.issuer == crl.issuer
            and row.scope == crl.scope
            and row.key_id == crl.key_id
            and crl.number is not None
            and row.number is not None
            and row.base is not None
            and row.base <= crl.number
            and self._is_signed(row.signed, spoken.spki)
        ]
        if not fitting:
            return None, False
        newest = max(fitting, key=_age)
        return (newest if _age(newest)[0] > _age(crl)[0] else None), True

    def _find(
        self, certificate: PathCertificate, crl: RevocationList, delta: RevocationList | None
    ) -> Entry | None:
        """§6.3.3 (i), (j), (k)."""
        try:
            entry = delta.find(certificate, self._budget) if delta is not None else None
            return entry or crl.find(certificate, self._budget)
        except CRLMalformed as error:
            raise Refused(Reason.EVIDENCE_MALFORMED, str(error)) from None

    def _is_signed(self, signed: Signed, spki: bytes) -> bool:
        try:
            self._signatures.verify(signed, spki, self._settings.ceiling, self._budget)
        except Exhausted:
            raise
        except Refused:
            return False
        return True

    def _is_good_by_answers(
        self, certificate: PathCertificate, issuer: Issuer, anchor: TrustAnchor
    ) -> bool:
        is_good = False
        for answer in self._answers:
            self._budget.step()
            told = answer.tell(certificate, issuer, self._settings)
            if told is None or not self._is_appointed(answer, issuer, anchor):
                continue
            if told.status is AnswerStatus.REVOKED and told.entry is not None:
                raise revoked(certificate, told.entry)
            is_good = is_good or told.status is AnswerStatus.GOOD
        return is_good

    def _is_appointed(self, answer: Answer, issuer: Issuer, anchor: TrustAnchor) -> bool:
        """Whether the issuer or a responder that it appointed signed (RFC 6960 §4.2.2.2)."""
        if answer.is_by(issuer) and self._is_signed(answer.signed, issuer.spki):
            return True
        for row in [*answer.responders, *self._builder.named(answer.responder_name or ())]:
            is_named = answer.is_by(row) and row.issuer == issuer.subject
            if (
                is_named
                and is_responder(row, self._settings.at)
                and self._is_signed(answer.signed, row.spki)
                and self._is_signed(row.signed, issuer.spki)
                and self._is_exempt_or_good(row, issuer, anchor)
            ):
                return True
        return False

    def _is_exempt_or_good(
        self, responder: PathCertificate, issuer: Issuer, anchor: TrustAnchor
    ) -> bool:
        """RFC 6960 §4.2.2.2.1: exempt by id-pkix-ocsp-nocheck, else not revoked by a list."""
        if responder.has(x509.OCSPNoCheck.oid):
            return True
        try:
            return self.is_good_by_lists(responder, issuer, anchor)
        except Exhausted:
            raise
        except Refused:
            return False


def revoked(certificate: PathCertificate, entry: Entry) -> Refused:
    """The refusal of a revoked certificate."""
    return Refused(
        Reason.REVOKED,
        "a certificate was revoked",
        certificate=certificate.sha256,
        revoked_at=entry.revoked_at,
        revocation_reason=str(entry.reason or RevocationReason.UNSPECIFIED),
    )


def _age(crl: RevocationList) -> tuple[int, object]:
    return (-1 if crl.number is None else crl.number, crl.this_update)
