"""Whether certificates were revoked at a past moment, from enclosed CRLs and OCSP responses.

Evidence is gathered around the moment or after it. An answer whose window holds the moment speaks for it; a later
one speaks for it too, because a revocation is not taken back, with one exception that no later answer can show: a
suspension that was lifted in between. Nothing unproved is ever taken for "good", and nothing enclosed is passed
over: what is not authentic, or speaks of nobody here, is a refusal.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple, TypeVar

from inkan.crypto.certificates import Certificate
from inkan.crypto.crl import CRLOutOfScope, CRLStale, parse_crl, verify_crl
from inkan.crypto.ocsp import CertificateStatus
from inkan.crypto.ocsp_response import (
    OCSPResponseMismatch,
    OCSPResponseStale,
    verify_response,
)
from inkan.crypto.path import CertificateRevoked, Revocation, RevocationUnknown
from inkan.kernel.errors import Forbidden

T = TypeVar("T")


class StatusUnproved(Forbidden):
    """Something enclosed as proof of status speaks of no certificate here."""

    code = "status_unproved"
    title = "A proof of status does not belong to the certificates beside it"


class Link(NamedTuple):
    """A certificate and the authority that answers for its status."""

    certificate: Certificate
    issuer: Certificate


class Finding(NamedTuple):
    """What one authentic artefact says of one certificate.

    Attributes:
        certificate: DER.
        revocation: None when it says "not revoked".
        this_update: when it was true.
        next_update: until when it may be relied upon.
    """

    certificate: bytes
    revocation: Revocation | None
    this_update: datetime
    next_update: datetime


def links_of(chain: Sequence[Certificate]) -> list[Link]:
    """Return each certificate of a chain with its issuer; the anchor answers to nobody."""
    return [Link(*pair) for pair in pairwise(chain)]


def read_findings(
    links: Sequence[Link], *, ocsps: Sequence[bytes], crls: Sequence[bytes], at: datetime
) -> list[Finding]:
    """Return what the artefacts say of the certificates.

    Args:
        links: the certificates in question.
        ocsps: responses, DER.
        crls: lists, DER.
        at: the moment; artefacts of another time are checked as of their own.

    Raises:
        StatusUnproved: one speaks of none of the certificates.
        CRLMalformed, CRLUntrusted, OCSPResponseMalformed, OCSPResponderFailed, OCSPResponseUntrusted: one is not
            authentic.
        RevocationUnknown: a responder that does not know a certificate.
    """
    findings: list[Finding] = []
    for read, artefacts in ((_read_ocsp, ocsps), (_read_crl, crls)):
        for der in artefacts:
            found = [finding for link in links for finding in read(der, link, at)]
            if not found:
                raise StatusUnproved
            findings += found
    return findings


def verify_not_revoked(
    certificate: Certificate, findings: Sequence[Finding], *, at: datetime
) -> None:
    """Check that a certificate was not revoked at ``at``.

    Raises:
        CertificateRevoked: an artefact of any time says that it was revoked by then.
        RevocationUnknown: none speaks for that moment.
    """
    own = [finding for finding in findings if finding.certificate == certificate.der]
    for revocation in (finding.revocation for finding in own):
        if revocation is not None and revocation.revoked_at <= at:
            raise CertificateRevoked(reason=revocation.reason, revoked_at=revocation.revoked_at)
    if not any(_speaks_for(finding, certificate, at) for finding in own):
        raise RevocationUnknown("nothing enclosed speaks for that moment")


def _speaks_for(finding: Finding, certificate: Certificate, at: datetime) -> bool:
    """Whether an artefact tells the state at ``at``; lists forget certificates once these have ended."""
    return at <= finding.next_update and finding.this_update <= certificate.not_after


def _read_ocsp(der: bytes, link: Link, at: datetime) -> Iterator[Finding]:
    try:
        answer = _of_its_time(
            lambda moment: verify_response(
                der, certificate=link.certificate, issuer=link.issuer, at=moment
            ),
            at,
        ).answer
    except OCSPResponseMismatch:
        return
    if answer.status is CertificateStatus.UNKNOWN:
        raise RevocationUnknown("the responder does not know the certificate")
    yield Finding(link.certificate.der, answer.revocation, answer.this_update, answer.next_update)


def _read_crl(der: bytes, link: Link, at: datetime) -> Iterator[Finding]:
    if parse_crl(der).issuer != link.issuer.subject:
        return
    crl = _of_its_time(lambda moment: verify_crl(der, issuer=link.issuer, at=moment), at)
    try:
        revocation = crl.find_revocation(link.certificate)
    except CRLOutOfScope:
        return
    yield Finding(link.certificate.der, revocation, crl.this_update, crl.next_update)


def _of_its_time(verify: Callable[[datetime], T], at: datetime) -> T:
    """Verify an artefact at ``at`` or, where its window does not hold that moment, as of its own beginning.

    The refusal that names the window comes before the signature is looked at, so the second call decides.
    """
    try:
        return verify(at)
    except (CRLStale, OCSPResponseStale) as stale:
        return verify(stale.facts["this_update"])
