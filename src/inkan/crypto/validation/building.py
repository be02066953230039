"""Path building (RFC 4158): from the certificate up to an anchor, the likeliest issuers first, within bounds.

Cross certificates, bridges, link certificates of a changed key and many certificates of one name are ordinary here:
an issuer is whoever bears the name, and its signature decides before the path grows any further. No name occurs
twice with one key, so that circles end.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from inkan.crypto.validation.algorithms import Signatures
from inkan.crypto.validation.anchors import TrustAnchor
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.certificate import PathCertificate
from inkan.crypto.validation.names import CanonicalName
from inkan.crypto.validation.settings import Settings
from inkan.crypto.validation.verdict import Exhausted, Refused


class Candidate(NamedTuple):
    """A path that chains by names and signatures.

    Attributes:
        anchor: what is trusted.
        path: from the certificate that the anchor issued down to the one in question.
    """

    anchor: TrustAnchor
    path: tuple[PathCertificate, ...]


class Builder:
    """Builds paths over one pile of certificates.

    Attributes:
        failures: why links that looked right by name did not hold, for the report when nothing does.
    """

    def __init__(
        self,
        anchors: Sequence[TrustAnchor],
        pool: Iterable[PathCertificate],
        settings: Settings,
        signatures: Signatures,
        budget: Budget,
    ) -> None:
        self._settings = settings
        self._signatures = signatures
        self._budget = budget
        self._anchors: dict[CanonicalName, list[TrustAnchor]] = {}
        self._pool: dict[CanonicalName, list[PathCertificate]] = {}
        self.failures: list[Refused] = []
        for anchor in anchors:
            self._anchors.setdefault(anchor.subject, []).append(anchor)
        for certificate in {row.sha256: row for row in pool}.values():
            self._pool.setdefault(certificate.subject, []).append(certificate)

    def named(self, name: CanonicalName) -> list[PathCertificate]:
        """The certificates of the pile with this subject."""
        return self._pool.get(name, [])

    def candidates(self, certificate: PathCertificate) -> Iterator[Candidate]:
        """Yield paths, depth first: anchors before further authorities, likely ones before unlikely ones.

        Raises:
            Exhausted: the budget is spent.
        """
        stack: list[tuple[PathCertificate, ...]] = [(certificate,)]
        while stack:
            path = stack.pop()
            # The signature is looked at when its turn comes: most links are never needed.
            if len(path) > 1 and not self._is_signed(path[1], path[0].spki):
                continue
            for anchor in self._issuing_anchors(path[0]):
                if self._is_signed(path[0], anchor.spki):
                    yield Candidate(anchor, path)
            if len(path) + 2 <= self._settings.bounds.path:
                # The likeliest is pushed last, so that it is looked at next.
                stack += [(issuer, *path) for issuer in reversed(self._issuers(path))]

    def _issuing_anchors(self, certificate: PathCertificate) -> list[TrustAnchor]:
        found = self._anchors.get(certificate.issuer, [])
        return sorted(found, key=lambda row: _mismatch(row.key_id, certificate))

    def _issuers(self, path: tuple[PathCertificate, ...]) -> list[PathCertificate]:
        first = path[0]
        seen = {(row.subject, row.spki) for row in path}
        found = []
        for row in self._pool.get(first.issuer, ()):
            self._budget.step()
            if (row.subject, row.spki) not in seen:
                found.append(row)
        return sorted(found, key=lambda row: self._unlikeliness(row, first))

    def _unlikeliness(
        self, issuer: PathCertificate, certificate: PathCertificate
    ) -> tuple[int, ...]:
        at = self._settings.at
        return (
            int(not issuer.is_ca or not issuer.admits("keyCertSign")),
            int(not issuer.not_before <= at <= issuer.not_after),
            _mismatch(issuer.subject_key_id, certificate),
            int(issuer.issuer not in self._anchors),
            int(issuer.is_self_issued),
        )

    def _is_signed(self, certificate: PathCertificate, spki: bytes) -> bool:
        try:
            self._signatures.verify(certificate.signed, spki, self._settings.ceiling, self._budget)
        except Exhausted:
            raise
        except Refused as refused:
            refused.facts["certificate"] = certificate.sha256
            self.failures.append(refused)
            return False
        return True


def _mismatch(key_id: bytes | None, certificate: PathCertificate) -> int:
    """0 when the issuer's key identifier is the one that the certificate names, 1 unknown, 2 another."""
    named = certificate.authority_key_id
    if key_id is None or named is None:
        return 1
    return 0 if key_id == named else 2
