"""Certification paths for whoever relies on Inkan's certificates: given anchors, given evidence, nothing fetched.

    verifier = PathVerifier([root], policies={POLICY_PHONE_SIGN}, known=[issuing])
    verifier.verify(certificate, at=now, crls=[shard, arl]).require_valid()

A verifier remembers what it read and verified: the next certificate of the same authority and shard costs a fraction
of a millisecond. It is not shared between threads.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from inkan.crypto import oids
from inkan.crypto.validation.settings import Anchor, Material, Require, Settings
from inkan.crypto.validation.validator import Validator
from inkan.crypto.validation.verdict import Verdict


class PathVerifier:
    """Validates certificates against one set of anchors and demands (RFC 5280 §6, RFC 6960).

    Args:
        anchors: trusted DER certificates, or names and keys.
        policies: at least one of these (dotted) holds for the whole path; empty demands none.
        key_usage: bits that the certificate must have, by their RFC 5280 names.
        require: which revocation evidence counts; by default any, for every certificate below the anchor.
        known: DER certificates of authorities, for building paths.
    """

    def __init__(
        self,
        anchors: Sequence[Anchor],
        *,
        policies: Iterable[str] = (),
        key_usage: Iterable[str] = (),
        require: Require | None = None,
        known: Sequence[bytes] = (),
    ) -> None:
        self._anchors = tuple(anchors)
        self._policies = frozenset(policies)
        self._key_usage = frozenset(key_usage)
        self._require = require or Require()
        self._known = tuple(known)
        self._validator = Validator()

    def verify(
        self,
        certificate: bytes,
        *,
        at: datetime,
        supplied: Sequence[bytes] = (),
        crls: Sequence[bytes] = (),
        ocsps: Sequence[bytes] = (),
    ) -> Verdict:
        """Return the verdict on a DER certificate at a moment (aware).

        Args:
            certificate: in question.
            at: the time asked about.
            supplied: up to eight DER certificates that came along with it.
            crls: DER lists, complete and delta.
            ocsps: DER responses.
        """
        settings = Settings(
            anchors=self._anchors,
            at=at,
            require=self._require,
            policies=self._policies or frozenset({oids.ANY_POLICY}),
            explicit_policy=bool(self._policies),
            key_usage=self._key_usage,
        )
        material = Material(supplied=supplied, known=self._known, crls=crls, ocsps=ocsps)
        return self._validator.validate(certificate, material, settings)
