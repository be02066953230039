"""One candidate path, from the anchor down to the certificate: RFC 5280 §6.1 without revocation."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.x509.oid import ExtensionOID

from inkan.crypto.validation.algorithms import Signatures, verify_key
from inkan.crypto.validation.anchors import TrustAnchor
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.certificate import PathCertificate
from inkan.crypto.validation.constraints import Constraints, names_of
from inkan.crypto.validation.names import CanonicalName
from inkan.crypto.validation.policies import PolicyState
from inkan.crypto.validation.settings import Settings
from inkan.crypto.validation.verdict import Reason, Refused

# Constraints that RFC 5280 §4.2 wants critical.
_CRITICAL: Final = (
    ExtensionOID.NAME_CONSTRAINTS,
    ExtensionOID.POLICY_CONSTRAINTS,
    ExtensionOID.INHIBIT_ANY_POLICY,
)


def process_path(
    anchor: TrustAnchor,
    path: Sequence[PathCertificate],
    settings: Settings,
    signatures: Signatures,
    budget: Budget,
) -> frozenset[str]:
    """Return the user-constrained-policy-set of a path that holds.

    Plan (clauses of RFC 5280 §6.1):
        1. Initialisation (§6.1.2); a certificate of the anchor restricts the path by its own term, basic
           constraints, key usage and name constraints (RFC 5937 §3.2).
        2. Each certificate from the anchor down (§6.1.3): signature and algorithm, term, issuer's name, names against
           constraints, policies.
        3. Each but the last (§6.1.4): mappings, constraints grow, counters fall, an authority by basic constraints
           and key usage whose path length is not used up.
        4. The last (§6.1.5): policies wrapped up, key usage and purposes that were asked for.
        5. No critical extension that is not processed.

    Args:
        anchor: what is trusted.
        path: from the certificate that the anchor issued to the one in question.
        settings: what has to hold.
        signatures: verifies them.
        budget: pays.

    Raises:
        Refused: at the first departure.
    """
    state = _State(anchor, path, settings, budget)  # 1
    issuer, spki = anchor.subject, anchor.spki
    for depth, certificate in enumerate(path, 1):
        is_final = depth == len(path)
        try:
            signatures.verify(certificate.signed, spki, settings.ceiling, budget)  # 2
            verify_term(certificate, settings.at)
            _verify_chained(certificate, issuer)
            state.process(certificate, is_final=is_final)
            if not is_final:
                state.prepare(certificate)  # 3
            _verify_critical(certificate)  # 5
            if settings.strict:
                _verify_profile(certificate)
        except Refused as refused:
            refused.facts.setdefault("certificate", certificate.sha256)
            raise
        issuer, spki = certificate.subject, certificate.spki
    return state.wrap_up(path[-1])  # 4


def verify_term(certificate: PathCertificate, at: datetime) -> None:
    """Check the term, both ends included (RFC 5280 §4.1.2.5).

    Raises:
        Refused: outside it.
    """
    if at < certificate.not_before:
        raise Refused(
            Reason.NOT_YET_VALID, "the term has not begun", begins_at=certificate.not_before
        )
    if at > certificate.not_after:
        raise Refused(Reason.EXPIRED, "the term has ended", ended_at=certificate.not_after)


def verify_issuing(certificate: PathCertificate) -> None:
    """Check that a certificate is an authority's (RFC 5280 §6.1.4 k, n).

    Raises:
        Refused: by basic constraints or key usage it is not.
    """
    if not certificate.is_ca:
        raise Refused(Reason.NOT_AUTHORITY, "issued by a certificate that is no authority's")
    if not certificate.admits("keyCertSign"):
        raise Refused(Reason.ISSUER_KEY_USAGE, "issued by a key that may not sign certificates")


def _verify_chained(certificate: PathCertificate, issuer: CanonicalName) -> None:
    if certificate.issuer != issuer:
        raise Refused(Reason.NO_PATH, "names do not chain")


class _State:
    """The variables of RFC 5280 §6.1.2."""

    def __init__(
        self,
        anchor: TrustAnchor,
        path: Sequence[PathCertificate],
        settings: Settings,
        budget: Budget,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._constraints = Constraints()
        self._length = len(path)
        self._policies = PolicyState(settings, len(path), budget)
        if anchor.certificate is not None:
            self._restrict_by(anchor.certificate)

    def process(self, certificate: PathCertificate, *, is_final: bool) -> None:
        """§6.1.3 (b) to (f), and the ceiling on every key."""
        verify_key(certificate.key, self._settings.ceiling)
        is_exempt = certificate.is_self_issued and not is_final
        if not is_exempt and not self._constraints.are_empty:
            names = names_of(certificate.x509.subject, certificate.alternative_names)
            self._constraints.verify(names, self._budget)
        self._policies.process(certificate, is_final=is_final)

    def prepare(self, certificate: PathCertificate) -> None:
        """§6.1.4."""
        if certificate.mappings and not self._settings.bridge:
            raise Refused(Reason.BRIDGE, "a cross certificate that maps policies")
        self._policies.prepare(certificate)
        if certificate.subtrees is not None:
            self._constraints.add(certificate.subtrees)
        verify_issuing(certificate)
        if not certificate.is_self_issued:
            if self._length <= 0:
                raise Refused(Reason.PATH_LENGTH, "an authority may not issue so deep")
            self._length -= 1
        if certificate.path_length is not None:
            self._length = min(self._length, certificate.path_length)

    def wrap_up(self, certificate: PathCertificate) -> frozenset[str]:
        """§6.1.5, and the purposes that were asked for."""
        held = self._policies.wrap_up(certificate)
        if not self._settings.key_usage <= (certificate.key_usage or frozenset()):
            raise Refused(Reason.PURPOSE, "the key usage does not admit this")
        if not self._settings.extended_key_usage <= certificate.extended_key_usage:
            raise Refused(Reason.PURPOSE, "the extended key usage does not admit this")
        return held

    def _restrict_by(self, anchor: PathCertificate) -> None:
        verify_term(anchor, self._settings.at)
        verify_key(anchor.key, self._settings.ceiling)
        _verify_critical(anchor)
        verify_issuing(anchor)
        if anchor.subtrees is not None:
            self._constraints.add(anchor.subtrees)
        if anchor.path_length is not None:
            self._length = min(self._length, anchor.path_length)
        if self._settings.strict:
            _verify_profile(anchor)


def _verify_critical(certificate: PathCertificate) -> None:
    unknown = certificate.unknown_critical
    if unknown is not None:
        raise Refused(Reason.CRITICAL_EXTENSION, f"critical extension {unknown}")


def _verify_profile(certificate: PathCertificate) -> None:
    """What RFC 5280 §4 demands of issuers and §6 leaves unchecked."""
    extensions = certificate.extensions
    if certificate.authority_key_id is None and not certificate.is_self_issued:
        raise Refused(Reason.PROFILE, "no AuthorityKeyIdentifier")
    if certificate.is_ca:
        if certificate.subject_key_id is None or not certificate.subject:
            raise Refused(Reason.PROFILE, "an authority without a name or SubjectKeyIdentifier")
        if not extensions[ExtensionOID.BASIC_CONSTRAINTS.dotted_string].critical:
            raise Refused(Reason.PROFILE, "an authority whose BasicConstraints are not critical")
    elif "keyCertSign" in (certificate.key_usage or ()) or certificate.subtrees is not None:
        raise Refused(Reason.PROFILE, "rights of an authority for a holder")
    for oid in _CRITICAL:
        row = extensions.get(oid.dotted_string)
        if row is not None and not row.critical:
            raise Refused(Reason.PROFILE, f"extension {oid.dotted_string} is not critical")
    names = extensions.get(ExtensionOID.SUBJECT_ALTERNATIVE_NAME.dotted_string)
    if not certificate.subject and (names is None or not names.critical):
        raise Refused(Reason.PROFILE, "neither a subject nor a critical subjectAltName")
