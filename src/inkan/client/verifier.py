"""Verify a receipt, and the evidence behind it, offline: with nothing but root certificates.

Years later, without an account and without asking anybody, two questions are answered: did the platform say this,
and (with evidence) did the person's phone sign exactly that, after its owner was verified, while its certificate
was good. What remains the platform's word is listed in the report and never hidden in a verdict.
"""

import contextlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Final, TypeAlias, TypeVar

from inkan.client.chain import Anchors, parse_x5c, verify_chain, verify_in_term
from inkan.client.chain_status import Finding, links_of, read_findings, verify_not_revoked
from inkan.client.evidence_checks import (
    Proofs,
    verify_belonging,
    verify_credential,
    verify_fields,
    verify_phone_chain,
    verify_presence,
    verify_proofs,
    verify_statement_signature,
)
from inkan.client.log_checks import verify_head_age, verify_logged
from inkan.client.receipt_report import Check, Report, Result, Trust, Verdict
from inkan.crypto import base64url, jose, oids
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.jose import Algorithm, UnverifiedJWS
from inkan.crypto.path import CertificateExpired, RevocationUnknown
from inkan.kernel.errors import Forbidden, InkanError, Unavailable
from inkan.wire.evidence import EvidenceBundle, parse_evidence
from inkan.wire.forms import parse_moment
from inkan.wire.receipt import (
    RECEIPT_LIMIT,
    RECEIPT_TYP,
    Commitments,
    Receipt,
    parse_receipt,
)

T = TypeVar("T")
Chain: TypeAlias = tuple[Certificate, ...]
_RECEIPT_CHARACTERS: Final = 2 * RECEIPT_LIMIT
_SIGNER_USAGE: Final = frozenset({"digitalSignature"})
_SIGNER_POLICIES: Final = frozenset({oids.POLICY_RECEIPT})

# What a receipt states and no signature of the person covers.
_STATED: Final = (
    Trust.SUBJECT,
    Trust.CLAIMS,
    Trust.BINDING,
    Trust.YOUNG,
    Trust.BACK_END,
    Trust.TIMES,
    Trust.STATUS,
    Trust.SHOWN,
)


class NotReleasedYet(Forbidden):
    """The receipt is younger than the time asked about."""

    code = "receipt_not_released_yet"
    title = "The receipt did not exist at that time"


class SignatureTooOld(Unavailable):
    """The signer's certificate had ended by then, and nothing proves that the signature is older than that."""

    code = "receipt_signature_too_old"
    title = "Nothing proves that the receipt was signed while its signer's certificate was valid"


class TimestampNotJudged(Unavailable):
    """A timestamp is enclosed, and this version cannot tell what it is worth."""

    code = "timestamp_not_judged"
    title = "The enclosed timestamp cannot be judged by this version"


def verify_receipt(
    receipt: str,
    anchors: Anchors,
    *,
    evidence: EvidenceBundle | bytes | None = None,
    at: datetime | None = None,
) -> Report:
    """Return whether a receipt holds, and with evidence whether the person's approval is proved.

    Plan:
        1. Form: one compact JWS of the receipt type, canonical payload, no contradiction in it.
        2. Signer: its chain (``x5c``) leads to an anchor and held at release; key usage digitalSignature alone,
           policy "receipts of an Inkan platform".
        3. Signature of the receipt.
        4. Time asked about: not before the release; the signer's chain still in its term then, or else nothing
           here proves that the signature is older than the end of the term (indeterminate).
        With evidence:
        5. The bundle was made for this receipt, and somebody approved.
        6. The salts open the receipt's commitments over statement, certificate and assertion; all of them are read.
        7. The statement says what the receipt says.
        8. The phone certificate's chain leads to an anchor and held from decision to release; its key usage and
           policy fit the kind of question.
        9. Certificate, credential and statement name each other.
        10. Proof 1: signature of the statement by the certificate's key.
        11. Proof 2: assertion of the credential over the statement's challenge, with user verification; whether the
            passkey may be copied is as the receipt says.
        12. Revocation: nothing enclosed is unauthentic or about others; no certificate of the phone's chain was
            revoked at release, and something speaks for that (else indeterminate). The receipt signer's status is
            checked where evidence speaks of it, else it is taken on trust.
        13. Timestamp: this version judges none, so one that is enclosed leaves the answer open (indeterminate).
        14. Audit log: a signed head of the platform's log holds the decision that this receipt records; see
            ``log_checks``. Without a proof, or when it proves nothing any more at the time asked about, that
            stays the platform's word, and the verdict does not change; a wrong proof is a failure.

    Args:
        receipt: the compact JWS.
        anchors: trusted root certificates (DER).
        evidence: the bundle, parsed or as bytes.
        at: the time asked about, aware; the moment of the release when None.

    Returns:
        A report; what cannot be verified is no exception but a verdict.

    Raises:
        CertificateMalformed, CertificateTooLarge: one of the anchors is no certificate.
    """
    for der in anchors:
        parse_certificate(der)
    judge = _Judge(receipt, anchors, at)
    with contextlib.suppress(_Ended):
        judge.judge_receipt()
        if evidence is not None:
            judge.judge_evidence(evidence)
    return judge.report(with_evidence=evidence is not None)


class _Ended(Exception):
    """A step failed; what comes after it would stand on nothing."""


class _Judge:
    """One verification: takes the steps in their order and keeps how each ended."""

    def __init__(self, jws: str, anchors: Anchors, at: datetime | None) -> None:
        self._jws = jws
        self._anchors = anchors
        self._at = at
        self._checks: list[Check] = []
        self._receipt: Receipt | None = None
        self._signer: tuple[Certificate, ...] = ()
        self._is_signer_good = False
        self._is_logged = False
        self._payload = b""

    def judge_receipt(self) -> None:
        """Steps 1 to 4."""
        token, receipt = self._must(1, "form", self._read)
        self._receipt, self._payload = receipt, token.payload
        released_at = parse_moment(receipt.released_at)
        at = self._at = self._at or released_at
        self._signer = self._must(2, "signer", lambda: self._signer_chain(token, released_at))
        key = self._signer[0].public_key
        self._must(
            3, "signature", lambda: jose.verify_signature(token, key, algs=(Algorithm.ES256,))
        )
        self._may(4, "time", lambda: self._verify_time(released_at, at))

    def judge_evidence(self, evidence: EvidenceBundle | bytes) -> None:
        """Steps 5 to 14."""
        receipt = self._judged
        bundle, commitments = self._must(5, "evidence", lambda: self._open(evidence, receipt))
        proofs = self._must(6, "commitments", lambda: verify_proofs(bundle, commitments))
        self._must(7, "statement", lambda: verify_fields(proofs.statement, receipt))
        chain = self._must(
            8, "certificate", lambda: verify_phone_chain(bundle, receipt, self._anchors)
        )
        self._must(9, "credential", lambda: verify_credential(bundle, proofs))
        self._must(10, "phone signature", lambda: verify_statement_signature(proofs))
        self._must(11, "user verification", lambda: verify_presence(bundle, proofs, receipt))
        self._may(12, "revocation", lambda: self._verify_status(bundle, chain))
        self._may(13, "timestamp", lambda: _verify_timestamp(bundle))
        self._may(
            14,
            "audit log",
            lambda: self._verify_log(bundle, proofs, chain),
            gap=Result.UNPROVED,
        )

    def report(self, *, with_evidence: bool) -> Report:
        """Return the verdict over the steps that were taken."""
        results = {check.result for check in self._checks}
        verdict = Verdict.VALID
        if Result.UNKNOWN in results:
            verdict = Verdict.INDETERMINATE
        if Result.FAILED in results:
            verdict = Verdict.INVALID
        approval = () if with_evidence else (Trust.APPROVAL,)
        signer = () if self._is_signer_good else (Trust.SIGNER_STATUS,)
        logged = () if self._is_logged else (Trust.LOGGED,)
        return Report(
            verdict=verdict,
            at=self._at,
            receipt=self._receipt,
            checks=tuple(self._checks),
            rests_on_platform=(*approval, *signer, *logged, *_STATED),
        )

    @property
    def _judged(self) -> Receipt:
        if self._receipt is None:
            raise AssertionError("steps 1 to 4 come first")
        return self._receipt

    def _must(self, number: int, name: str, step: Callable[[], T]) -> T:
        try:
            value = step()
        except InkanError as fault:
            self._note(number, name, Result.FAILED, fault)
            raise _Ended from None
        self._note(number, name, Result.PASSED)
        return value

    def _may(
        self,
        number: int,
        name: str,
        step: Callable[[], None],
        *,
        gap: Result = Result.UNKNOWN,
    ) -> None:
        """Take a step that may find nothing to judge by: then it ends with ``gap`` and fails nothing."""
        try:
            step()
        except Unavailable as found:
            self._note(number, name, gap, found)
        except InkanError as fault:
            self._note(number, name, Result.FAILED, fault)
            raise _Ended from None
        else:
            self._note(number, name, Result.PASSED)

    def _note(
        self, number: int, name: str, result: Result, fault: InkanError | None = None
    ) -> None:
        detail = "" if fault is None else f"{fault.code}: {fault.detail or fault.title}"
        self._checks.append(Check(number=number, name=name, result=result, detail=detail))

    def _read(self) -> tuple[UnverifiedJWS, Receipt]:
        token = jose.parse_compact(
            self._jws, typ=RECEIPT_TYP, required=("x5c",), limit=_RECEIPT_CHARACTERS
        )
        return token, parse_receipt(token.payload)

    def _signer_chain(self, token: UnverifiedJWS, at: datetime) -> tuple[Certificate, ...]:
        return verify_chain(
            parse_x5c(token.header["x5c"]),
            self._anchors,
            at=at,
            key_usage=_SIGNER_USAGE,
            policies=_SIGNER_POLICIES,
        )

    def _verify_time(self, released_at: datetime, at: datetime) -> None:
        if at < released_at:
            raise NotReleasedYet
        try:
            for certificate in self._signer:
                verify_in_term(certificate, at)
        except CertificateExpired:
            raise SignatureTooOld from None

    def _open(
        self, evidence: EvidenceBundle | bytes, receipt: Receipt
    ) -> tuple[EvidenceBundle, Commitments]:
        bundle = parse_evidence(evidence) if isinstance(evidence, bytes) else evidence
        return bundle, verify_belonging(bundle, self._jws, receipt)

    def _verify_status(self, bundle: EvidenceBundle, chain: Chain) -> None:
        at = parse_moment(self._judged.released_at)
        findings = _findings(bundle, (chain, self._signer), at)
        gaps = _gaps(chain, findings, at)
        self._is_signer_good = not _gaps(self._signer, findings, at)
        if gaps:
            raise gaps[0]

    def _verify_log(self, bundle: EvidenceBundle, proofs: Proofs, chain: Chain) -> None:
        head = verify_logged(bundle, self._payload, proofs, self._anchors)
        findings = _findings(bundle, (chain, self._signer, head.chain), head.at)
        gaps = _gaps(head.chain, findings, head.at)
        if gaps:
            raise gaps[0]
        verify_head_age(head, self._at or head.at)
        self._is_logged = True


def _findings(bundle: EvidenceBundle, chains: Iterable[Chain], at: datetime) -> list[Finding]:
    """What the evidence says of these chains, all of it read."""
    return read_findings(
        [link for chain in chains for link in links_of(chain)],
        ocsps=[base64url.decode(der) for der in bundle.revocation.ocsp],
        crls=[base64url.decode(der) for der in bundle.revocation.crls],
        at=at,
    )


def _gaps(
    chain: Sequence[Certificate], findings: Sequence[Finding], at: datetime
) -> list[RevocationUnknown]:
    """What evidence does not speak of, after all of it was asked whether it speaks against the chain.

    Raises:
        CertificateRevoked: it does.
    """
    gaps = []
    for certificate in chain[:-1]:
        try:
            verify_not_revoked(certificate, findings, at=at)
        except RevocationUnknown as gap:
            gaps.append(gap)
    return gaps


def _verify_timestamp(bundle: EvidenceBundle) -> None:
    if bundle.timestamp is not None:
        raise TimestampNotJudged
