"""The one service of path validation: certificate, material and settings in, a verdict out.

Nothing is fetched, nothing is thrown at the caller for what a stranger sent, and no input costs more than the bounds
of the settings. A :class:`Validator` remembers what it read and verified, so that the next validation with the same
authorities and lists costs little; it is not shared between threads.
"""

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec

from inkan.crypto import oids
from inkan.crypto.certificates import CertificateMalformed, CertificateTooLarge
from inkan.crypto.crl import CRLMalformed
from inkan.crypto.ocsp_response import OCSPResponseMalformed
from inkan.crypto.validation.algorithms import Signatures
from inkan.crypto.validation.anchors import TrustAnchor, read_anchor
from inkan.crypto.validation.answers import Answer, read_answer
from inkan.crypto.validation.budget import Budget, Recent
from inkan.crypto.validation.building import Builder, Candidate
from inkan.crypto.validation.certificate import PathCertificate, read_certificate
from inkan.crypto.validation.lists import RevocationList, points_of, read_list
from inkan.crypto.validation.processing import process_path
from inkan.crypto.validation.revocation import KINDS, Issuer, Revocation
from inkan.crypto.validation.settings import (
    MAX_ANCHORS,
    MAX_CRLS,
    MAX_EVIDENCE_BYTES,
    MAX_KNOWN,
    MAX_OCSPS,
    MAX_SUPPLIED,
    Anchor,
    Evidence,
    Material,
    Reach,
    Settings,
)
from inkan.crypto.validation.verdict import (
    STATUS,
    Exhausted,
    Reason,
    Refused,
    Status,
    Step,
    Verdict,
)

T = TypeVar("T")

MAX_REMEMBERED: Final = 512 * 1024
# How deep the signer of a list may itself need lists of other signers.
MAX_VOUCHING: Final = 3
# When several paths fail and none was undecided: the reason that says most comes first.
_TELLING: Final = (
    Reason.REVOKED,
    Reason.EXPIRED,
    Reason.NOT_YET_VALID,
    Reason.PURPOSE,
    Reason.POLICY,
    Reason.NAME_CONSTRAINTS,
    Reason.PATH_LENGTH,
    Reason.CRITICAL_EXTENSION,
    Reason.ISSUER_KEY_USAGE,
    Reason.NOT_AUTHORITY,
)


def validate(certificate: bytes, material: Material, settings: Settings) -> Verdict:
    """Return the verdict on a DER certificate, remembering nothing; see :meth:`Validator.validate`."""
    return Validator().validate(certificate, material, settings)


class Validator:
    """Validates paths and remembers certificates, lists, answers and signatures, each up to a fixed number."""

    def __init__(self) -> None:
        self._certificates: Recent[bytes, PathCertificate] = Recent(1024)
        self._anchors: Recent[Anchor, TrustAnchor] = Recent(256)
        self._lists: Recent[bytes, RevocationList] = Recent(32)
        self._answers: Recent[bytes, Answer] = Recent(64)
        self._signatures = Signatures()

    def validate(self, certificate: bytes, material: Material, settings: Settings) -> Verdict:
        """Return the verdict on a DER certificate.

        Plan:
            1. Bounds on how much lies at hand.
            2. Structural gate: the certificate, the anchors; an authority that does not pass it is left out. All
               evidence is read: a list that cannot be read might be the one that says revoked.
            3. Candidate paths, the likeliest first (RFC 4158).
            4. RFC 5280 §6.1 for each; its revocation by §6.3 and RFC 6960, from the anchor down.
            5. The first path that holds decides. Otherwise: revoked, if the certificate itself is; undecided, if some
               path only lacked evidence or a bound was reached; else the most telling reason.

        Never raises for what is in the bytes.
        """
        budget = Budget(settings.bounds)
        try:
            _verify_bounds(material, settings)  # 1
            run = _Run(self, certificate, material, settings, budget)  # 2
        except Refused as refused:
            return _verdict(refused, budget)
        return run.decide()  # 3, 4, 5

    @property
    def signatures(self) -> Signatures:
        """What was verified before."""
        return self._signatures

    def anchor(self, anchor: Anchor) -> TrustAnchor:
        """Read an anchor, or remember it; Refused when it is none."""
        return self._anchors.get(anchor) or self._anchors.put(anchor, read_anchor(anchor))

    def certificate(self, der: bytes) -> PathCertificate:
        """Read a certificate, or remember it."""
        return self._certificates.get(der) or self._certificates.put(der, read_certificate(der))

    def crl(self, der: bytes) -> RevocationList:
        """Read a list, or remember it when it has the size of a shard."""
        if len(der) > MAX_REMEMBERED:
            return read_list(der)
        return self._lists.get(der) or self._lists.put(der, read_list(der))

    def answer(self, der: bytes) -> Answer:
        """Read an OCSP answer, or remember it."""
        return self._answers.get(der) or self._answers.put(der, read_answer(der))


class _Run:
    """One validation."""

    def __init__(
        self,
        owner: Validator,
        certificate: bytes,
        material: Material,
        settings: Settings,
        budget: Budget,
    ) -> None:
        self._settings = settings
        self._budget = budget
        self._signatures = owner.signatures
        self._leaf = _read_leaf(owner, certificate)
        self._anchors = [owner.anchor(anchor) for anchor in settings.anchors]
        self._pool = _read_pool(owner, [*material.supplied, *material.known])
        kinds = KINDS[settings.require.evidence]
        crls = _read_all(owner.crl, material.crls) if Evidence.CRL in kinds else []
        answers = _read_all(owner.answer, material.ocsps) if Evidence.OCSP in kinds else []
        self._builder = self._builder_for(self._anchors)
        self._revocation = Revocation(
            settings,
            self._builder,
            self._signatures,
            budget,
            crls=crls,
            answers=answers,
            vouch=self._vouch,
        )
        self._vouched: dict[tuple[str, int], Refused | None] = {}
        self._vouching: list[str] = []

    def decide(self) -> Verdict:
        """Steps 3 to 5 of the plan."""
        failures: list[tuple[Refused, Candidate | None]] = []
        try:
            for candidate in self._builder.candidates(self._leaf):
                self._budget.candidate()
                try:
                    held = self._hold(candidate, self._settings)
                except Exhausted:
                    raise
                except Refused as refused:
                    failures.append((refused, candidate))
                    continue
                return _valid(candidate, held, self._budget)
        except Exhausted as exhausted:
            failures.append((exhausted, None))
        failures += [(refused, None) for refused in self._builder.failures]
        return self._most_telling(failures)

    def _hold(self, candidate: Candidate, settings: Settings) -> frozenset[str]:
        anchor, path = candidate
        held = process_path(anchor, path, settings, self._signatures, self._budget)
        if settings.require.evidence is not Evidence.NONE:
            issuers: list[Issuer] = [anchor, *path[:-1]]
            for certificate, issuer in zip(path, issuers, strict=True):
                is_asked = settings.require.reach is Reach.ALL or certificate is path[-1]
                self._revocation.verify(certificate, issuer, anchor, is_asked=is_asked)
        return held

    def _vouch(self, signer: PathCertificate, anchor: TrustAnchor) -> None:
        """Validate the signer of a list up to the same anchor, once.

        Never by a list that it signed itself, unless its issuer wrote into its certificate that its status stands
        there: a distribution point whose cRLIssuer is the signer.
        """
        name = (signer.sha256, id(anchor))
        if self._vouching[-1:] == [signer.sha256] and _names_itself(signer):
            return
        if signer.sha256 in self._vouching or len(self._vouching) >= MAX_VOUCHING:
            raise Refused(Reason.REVOCATION_UNKNOWN, "a list that vouches for its own signer")
        if name in self._vouched:
            refused = self._vouched[name]
        else:
            self._vouching.append(signer.sha256)
            try:
                refused = self._vouch_anew(signer, anchor)
            finally:
                self._vouching.pop()
            if not self._vouching:
                # Below that, the answer depends on who is being vouched for.
                self._vouched[name] = refused
        if refused is not None:
            raise refused

    def _vouch_anew(self, signer: PathCertificate, anchor: TrustAnchor) -> Refused | None:
        settings = msgspec.structs.replace(
            self._settings,
            policies=frozenset({oids.ANY_POLICY}),
            explicit_policy=False,
            key_usage=frozenset(),
            extended_key_usage=frozenset(),
        )
        last = Refused(Reason.NO_PATH, "the signer of a list has no path")
        for candidate in self._builder_for([anchor]).candidates(signer):
            self._budget.candidate()
            try:
                self._hold(candidate, settings)
            except Exhausted:
                raise
            except Refused as refused:
                last = refused
                continue
            return None
        return last

    def _builder_for(self, anchors: Sequence[TrustAnchor]) -> Builder:
        return Builder(anchors, self._pool, self._settings, self._signatures, self._budget)

    def _most_telling(self, failures: list[tuple[Refused, Candidate | None]]) -> Verdict:
        own = self._leaf.sha256
        for refused, candidate in failures:
            if refused.reason is Reason.REVOKED and refused.facts["certificate"] == own:
                return _verdict(refused, self._budget, candidate)
        for refused, candidate in failures:
            if STATUS[refused.reason] is Status.INDETERMINATE:
                return _verdict(refused, self._budget, candidate)
        complete = [row for row in failures if row[1] is not None]
        complete.sort(key=lambda row: _telling(row[0].reason))
        if complete or failures:
            refused, candidate = (complete or failures)[0]
            return _verdict(refused, self._budget, candidate)
        return _verdict(Refused(Reason.NO_PATH, "no chain leads to an anchor"), self._budget)


def _names_itself(signer: PathCertificate) -> bool:
    return any(signer.subject in point.crl_issuers for point in points_of(signer))


def _telling(reason: Reason) -> int:
    return _TELLING.index(reason) if reason in _TELLING else len(_TELLING)


def _verify_bounds(material: Material, settings: Settings) -> None:
    bounds = (
        (settings.anchors, MAX_ANCHORS),
        (material.supplied, MAX_SUPPLIED),
        (material.known, MAX_KNOWN),
        (material.crls, MAX_CRLS),
        (material.ocsps, MAX_OCSPS),
    )
    is_heavy = sum(map(len, material.crls)) > MAX_EVIDENCE_BYTES
    if is_heavy or any(len(rows) > bound for rows, bound in bounds):
        raise Refused(Reason.TOO_MANY, "more certificates or evidence than one validation takes")


def _read_leaf(owner: Validator, der: bytes) -> PathCertificate:
    try:
        return owner.certificate(der)
    except CertificateTooLarge as error:
        raise Refused(Reason.CERTIFICATE_TOO_LARGE, str(error)) from None
    except CertificateMalformed as error:
        raise Refused(Reason.CERTIFICATE_MALFORMED, str(error)) from None


def _read_pool(owner: Validator, ders: Sequence[bytes]) -> list[PathCertificate]:
    """The certificates that pass the gate; one that does not can be in no path."""
    found = []
    for der in ders:
        try:
            found.append(owner.certificate(der))
        except (CertificateMalformed, CertificateTooLarge):
            continue
    return found


def _read_all(read: Callable[[bytes], T], ders: Sequence[bytes]) -> list[T]:
    try:
        return [read(der) for der in ders]
    except (CRLMalformed, OCSPResponseMalformed) as error:
        raise Refused(Reason.EVIDENCE_MALFORMED, str(error)) from None


def _valid(candidate: Candidate, held: frozenset[str], budget: Budget) -> Verdict:
    return Verdict(
        reason=Reason.OK,
        path=_steps(candidate),
        policies=tuple(sorted(held)),
        signatures=budget.signatures,
        candidates=budget.candidates,
    )


def _verdict(refused: Refused, budget: Budget, candidate: Candidate | None = None) -> Verdict:
    return Verdict(
        reason=refused.reason,
        detail=refused.detail,
        path=_steps(candidate) if candidate else (),
        facts=refused.facts,
        signatures=budget.signatures,
        candidates=budget.candidates,
    )


def _steps(candidate: Candidate) -> tuple[Step, ...]:
    rows = (Step(subject=row.text, sha256=row.sha256) for row in reversed(candidate.path))
    return (*rows, candidate.anchor.step)
