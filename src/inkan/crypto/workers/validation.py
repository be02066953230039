"""Path validation with revocation (RFC 5280 §6): certvalidator in ``require`` mode, and a second opinion.

certvalidator decides names, constraints, policies and revocation. Measured and read, it is more lenient than a
personal certificate allows in seven places, and each is closed here by a check of its own:

- it takes an anchor that is itself presented as the signer for valid, whatever its purpose;
- it explores any number of certificates and any length of path;
- by default it forgives one second of expiry;
- it accepts a CRL signed by a sibling, a certificate of the same issuer, as evidence;
- it consults no CRL when an OCSP answer is good, and no OCSP answer when the certificate names no responder;
- it takes a certificate that is listed as revoked at the very second of the check for good;
- it overlooks a delta list that only the certificate names.

The second opinion (:mod:`inkan.crypto.crl`, :mod:`inkan.crypto.ocsp_response`) reads the same evidence by another parser and
by the narrow rule that a list speaks only of what its own issuer issued. Both must find the path unrevoked. The third is
the product's own validation (:mod:`inkan.crypto.validation`), which knows the whole of RFC 5280 §6: it must hold too.
"""

import hashlib
from collections.abc import Coroutine, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Any, Final

from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography.x509.oid import ExtensionOID
from pyhanko_certvalidator import PKIXValidationParams, ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.errors import (
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.validate import async_validate_path

from inkan.crypto import crl, ocsp, ocsp_response, oids
from inkan.crypto.certificates import Certificate, CertificateMalformed, parse_certificate
from inkan.crypto.path import (
    MAX_ANCHORS,
    MAX_CRL_SIZE,
    MAX_EVIDENCE,
    MAX_INTERMEDIATES,
    MAX_OCSP_SIZE,
    MAX_PATH,
    CertificateExpired,
    CertificateNotYetValid,
    CertificatePolicyUnmet,
    CertificateRevoked,
    CertificateUntrusted,
    CertificateWrongPurpose,
    EvidenceKind,
    PathTooLarge,
    Revocation,
    RevocationEvidence,
    RevocationReason,
    RevocationUnknown,
    ValidatedPath,
    ValidationPolicy,
)
from inkan.crypto.validation.settings import Bounds, Evidence, Material, Require, Settings
from inkan.crypto.validation.validator import validate
from inkan.crypto.workers.algorithms import AcceptedAlgorithms, AcceptedSignatures
from inkan.kernel.errors import InkanError

MAX_CANDIDATES: Final = 16
MAX_STEPS: Final = 2048

_FRESHEST_CRL: Final = ExtensionOID.FRESHEST_CRL.dotted_string
# What asn1crypto raises, at the moment when a field is first looked at; and the validator for a kind of name that it
# cannot hold against constraints.
_PARSER_ERRORS: Final = (ValueError, TypeError, KeyError, NotImplementedError)
# When several paths fail, the reason that says most.
_TELLING: Final = (
    CertificateRevoked,
    CertificateExpired,
    CertificateNotYetValid,
    RevocationUnknown,
    CertificatePolicyUnmet,
    CertificateUntrusted,
)


def verify_path(certificate: bytes, policy: ValidationPolicy) -> ValidatedPath:
    """Return a path from a certificate (DER) to an anchor that satisfies the policy.

    Plan:
        1. Bounds on number and size of everything that came along.
        2. Structural gate for every certificate; strict DER for all evidence, since a list that cannot be read
           might be the one that says revoked.
        3. The certificate is no anchor and no authority; key usage and extended key usage are those demanded, and
           a demanded policy is not met by anyPolicy in the certificate itself.
        4. Candidate paths by names and key identifiers, at most ``max_path`` long.
        5. For the first candidate that holds: the anchor is in force; RFC 5280 §6.1 with revocation required for
           every certificate below the anchor; one of the demanded policies holds.
        6. Second opinion on revocation; whichever evidence says revoked decides.
        7. The product's own validation of the same certificate with the same material, in its strict form.

    Raises:
        PathTooLarge: step 1.
        CertificateMalformed, CertificateTooLarge, RevocationUnknown: step 2.
        CertificateWrongPurpose, CertificatePolicyUnmet: step 3.
        CertificateUntrusted, CertificateExpired, CertificateNotYetValid, CertificateRevoked, RevocationUnknown,
        CertificatePolicyUnmet: steps 4 to 7; of several failed paths the most telling reason.
    """
    _verify_bounds(policy)  # 1
    leaf = parse_certificate(certificate)  # 2
    anchors = [parse_certificate(der) for der in policy.anchors]
    pool = [parse_certificate(der) for der in policy.intermediates]
    _verify_evidence(policy)
    _verify_purpose(leaf, anchors, policy)  # 3
    failures: list[InkanError] = []
    candidates = _candidates([leaf], pool, anchors, policy.max_path)  # 4
    for path in islice(candidates, MAX_CANDIDATES):
        try:
            held = _validate(path, pool, policy)  # 5
            evidence = _second_opinion(path, policy)  # 6
        except _TELLING as failure:
            failures.append(failure)
            continue
        _third_opinion(leaf, policy)  # 7
        chain = tuple(step.sha256 for step in path)
        return ValidatedPath(chain=chain, policies=held, evidence=evidence, at=policy.at)
    raise _most_telling(failures)


def _verify_bounds(policy: ValidationPolicy) -> None:
    is_bounded = (
        0 < len(policy.anchors) <= MAX_ANCHORS
        and len(policy.intermediates) <= MAX_INTERMEDIATES
        and len(policy.crls) <= MAX_EVIDENCE
        and len(policy.ocsps) <= MAX_EVIDENCE
        and policy.max_path <= MAX_PATH
        and all(len(der) <= MAX_CRL_SIZE for der in policy.crls)
        and all(len(der) <= MAX_OCSP_SIZE for der in policy.ocsps)
    )
    if not is_bounded:
        raise PathTooLarge("no anchor, too many, or too large")


def _verify_evidence(policy: ValidationPolicy) -> None:
    try:
        for der in policy.crls:
            crl.parse_crl(der)
        for der in policy.ocsps:
            ocsp_response.parse_response(der)
    except (
        crl.CRLMalformed,
        ocsp_response.OCSPResponseMalformed,
        ocsp_response.OCSPResponderFailed,
    ) as error:
        raise RevocationUnknown(f"evidence that cannot be read: {error}") from None


def _verify_purpose(
    leaf: Certificate, anchors: list[Certificate], policy: ValidationPolicy
) -> None:
    if leaf.is_ca or any(leaf.sha256 == anchor.sha256 for anchor in anchors):
        raise CertificateWrongPurpose("an authority does not sign contents")
    if not policy.key_usage <= leaf.key_usage:
        raise CertificateWrongPurpose("the key usage does not admit this")
    if not policy.extended_key_usage <= leaf.extended_key_usage:
        raise CertificateWrongPurpose("the extended key usage does not admit this")
    if policy.policies and oids.ANY_POLICY in leaf.policies:
        raise CertificatePolicyUnmet("anyPolicy names no policy")


def _candidates(
    path: list[Certificate],
    pool: Sequence[Certificate],
    anchors: Sequence[Certificate],
    longest: int,
) -> Iterator[list[Certificate]]:
    """Chains of names and key identifiers from the last of ``path`` to an anchor, the certificate first."""
    steps = 0
    stack = [path]
    while stack:
        steps += 1
        if steps > MAX_STEPS:
            raise CertificateUntrusted("more possible paths than any real hierarchy has")
        path = stack.pop()
        yield from ([*path, anchor] for anchor in anchors if _may_issue(anchor, path[-1]))
        if len(path) + 1 < longest:
            stack += [
                [*path, step] for step in pool if _may_issue(step, path[-1]) and step not in path
            ]


def _may_issue(issuer: Certificate, subject: Certificate) -> bool:
    return issuer.subject == subject.issuer and (
        None in {issuer.subject_key_id, subject.authority_key_id}
        or issuer.subject_key_id == subject.authority_key_id
    )


def _validate(
    path: list[Certificate], pool: Sequence[Certificate], policy: ValidationPolicy
) -> frozenset[str]:
    """Certvalidator's verdict; the policies that hold in the anchor's domain."""
    _verify_term(path[-1], policy.at)
    leaf, *above, anchor = (asn1_x509.Certificate.load(step.der) for step in path)
    candidate = ValidationPath(CertTrustAnchor(anchor), list(reversed(above)), leaf)
    demanded = frozenset(policy.policies or {"any_policy"})
    parameters = PKIXValidationParams(user_initial_policy_set=demanded)
    context = _context(anchor, pool, policy)
    try:
        _run(async_validate_path(context, candidate, parameters))
    except ValidationError as error:
        raise _refusal(error) from None
    except _PARSER_ERRORS as error:
        raise CertificateUntrusted(f"cannot be processed: {error}") from None
    held = frozenset(row.user_domain_policy_id for row in candidate.qualified_policies() or ())
    if policy.policies and not held:
        raise CertificatePolicyUnmet("none of the demanded policies holds")
    return held


def _context(
    anchor: asn1_x509.Certificate, pool: Sequence[Certificate], policy: ValidationPolicy
) -> ValidationContext:
    try:
        return ValidationContext(
            trust_roots=[anchor],
            other_certs=[asn1_x509.Certificate.load(step.der) for step in pool],
            moment=policy.at,
            crls=[asn1_crl.CertificateList.load(der, strict=True) for der in policy.crls],
            ocsps=[asn1_ocsp.OCSPResponse.load(der, strict=True) for der in policy.ocsps],
            # Never "hard-fail": it ignores a list that is there when the certificate names no source.
            revocation_mode="require",
            time_tolerance=timedelta(0),
            allow_fetching=False,
            algorithm_usage_policy=AcceptedAlgorithms(),
            signature_validator=AcceptedSignatures(),
        )
    except _PARSER_ERRORS as error:
        # The certificates were read before; what cannot be read here came with the evidence.
        raise RevocationUnknown(f"evidence that cannot be read: {error}") from None


def _verify_term(anchor: Certificate, at: datetime) -> None:
    if at > anchor.not_after:
        raise CertificateExpired(ended_at=anchor.not_after)
    if at < anchor.not_before:
        raise CertificateNotYetValid(begins_at=anchor.not_before)


def _run(validation: Coroutine[Any, Any, object]) -> None:
    """Drive a coroutine that never waits, because nothing is fetched; works inside and outside a loop."""
    try:
        validation.send(None)
    except StopIteration:
        return
    validation.close()
    raise AssertionError("validation without fetching waited for something")


def _refusal(error: ValidationError) -> InkanError:
    match error:
        case RevokedError():
            reason = _REASONS.get(error.reason.native, RevocationReason.UNSPECIFIED)
            return _revoked(Revocation(revoked_at=error.revocation_dt, reason=reason))
        case ExpiredError():
            return CertificateExpired(ended_at=error.expired_dt)
        case NotYetValidError():
            return CertificateNotYetValid(begins_at=error.valid_from)
        case InsufficientRevinfoError():
            return RevocationUnknown(error.failure_msg)
        case _:
            return CertificateUntrusted(error.failure_msg)


def _revoked(revocation: Revocation) -> CertificateRevoked:
    return CertificateRevoked(reason=str(revocation.reason), revoked_at=revocation.revoked_at)


def _most_telling(failures: list[InkanError]) -> InkanError:
    for leaf in _TELLING:
        for failure in failures:
            if isinstance(failure, leaf):
                return failure
    return CertificateUntrusted("no path to an anchor")


def _second_opinion(
    path: list[Certificate], policy: ValidationPolicy
) -> tuple[RevocationEvidence, ...]:
    evidence: list[RevocationEvidence] = []
    for certificate, issuer in pairwise(path):
        found = [
            *(_crl_evidence(der, certificate, issuer, policy.at) for der in policy.crls),
            *(_ocsp_evidence(der, certificate, issuer, policy.at) for der in policy.ocsps),
        ]
        usable = [row for row in found if row is not None]
        if not usable:
            raise RevocationUnknown("nothing usable covers a certificate of the path")
        evidence += usable
    return tuple(evidence)


def _third_opinion(leaf: Certificate, policy: ValidationPolicy) -> None:
    settings = Settings(
        anchors=policy.anchors,
        at=policy.at,
        require=Require(evidence=Evidence.ANY),
        policies=frozenset(policy.policies or {oids.ANY_POLICY}),
        explicit_policy=bool(policy.policies),
        key_usage=frozenset(policy.key_usage),
        extended_key_usage=policy.extended_key_usage,
        bounds=Bounds(path=policy.max_path),
    )
    material = Material(known=policy.intermediates, crls=policy.crls, ocsps=policy.ocsps)
    validate(leaf.der, material, settings).require_valid()


def _crl_evidence(
    der: bytes, certificate: Certificate, issuer: Certificate, at: datetime
) -> RevocationEvidence | None:
    try:
        verified = crl.verify_crl(der, issuer=issuer, at=at)
        revocation = verified.find_revocation(certificate)
    except (crl.CRLUntrusted, crl.CRLOutOfScope, crl.CRLStale, crl.CRLMalformed):
        return None
    if revocation is not None:
        raise _revoked(revocation)
    if certificate.find_extension(_FRESHEST_CRL) is not None and not verified.names_delta:
        return None
    return RevocationEvidence(
        certificate_sha256=certificate.sha256,
        kind=EvidenceKind.CRL,
        sha256=verified.sha256,
        this_update=verified.this_update,
        next_update=verified.next_update,
    )


def _ocsp_evidence(
    der: bytes, certificate: Certificate, issuer: Certificate, at: datetime
) -> RevocationEvidence | None:
    try:
        verified = ocsp_response.verify_response(der, certificate=certificate, issuer=issuer, at=at)
    except (*_OCSP_REFUSALS, CertificateMalformed):
        return None
    answer = verified.answer
    if answer.revocation is not None:
        raise _revoked(answer.revocation)
    if answer.status is not ocsp.CertificateStatus.GOOD:
        return None
    return RevocationEvidence(
        certificate_sha256=certificate.sha256,
        kind=EvidenceKind.OCSP,
        sha256=hashlib.sha256(der).digest(),
        this_update=answer.this_update,
        next_update=answer.next_update,
    )


_OCSP_REFUSALS: Final = (
    ocsp_response.OCSPResponseMalformed,
    ocsp_response.OCSPResponderFailed,
    ocsp_response.OCSPResponseMismatch,
    ocsp_response.OCSPResponseStale,
    ocsp_response.OCSPResponseUntrusted,
)
_REASONS: Final = {
    "unspecified": RevocationReason.UNSPECIFIED,
    "key_compromise": RevocationReason.KEY_COMPROMISE,
    "ca_compromise": RevocationReason.CA_COMPROMISE,
    "affiliation_changed": RevocationReason.AFFILIATION_CHANGED,
    "superseded": RevocationReason.SUPERSEDED,
    "cessation_of_operation": RevocationReason.CESSATION_OF_OPERATION,
    "certificate_hold": RevocationReason.CERTIFICATE_HOLD,
    "privilege_withdrawn": RevocationReason.PRIVILEGE_WITHDRAWN,
    "aa_compromise": RevocationReason.AA_COMPROMISE,
}
