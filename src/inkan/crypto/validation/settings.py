"""What a validation demands: every setting explicit, nothing fetched, nothing trusted by default."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeAlias

import msgspec

from inkan.crypto import oids

MAX_SUPPLIED: Final = 8
MAX_KNOWN: Final = 64
MAX_ANCHORS: Final = 64
MAX_CRLS: Final = 64
MAX_OCSPS: Final = 64
MAX_EVIDENCE_BYTES: Final = 32 * 1024 * 1024
MAX_PATH: Final = 16


class Evidence(StrEnum):
    """Which kind of revocation evidence has to be there."""

    NONE = "none"
    CRL = "crl"
    OCSP = "ocsp"
    ANY = "any"


class Reach(StrEnum):
    """Which certificates of a path need it."""

    LEAF = "leaf"
    ALL = "all"


class Require(msgspec.Struct, frozen=True, kw_only=True):
    """What counts as an answer to the question whether a certificate was revoked.

    Attributes:
        evidence: the kinds that count; evidence of another kind is not looked at. ``none`` asks nothing.
        reach: ``leaf`` asks of the certificate itself only; ``all`` of every certificate below the anchor. What says
            that an authority was revoked decides in both.
        delta: a list or certificate that names a delta list (FreshestCRL) proves nothing without one.
        indirect: lists of an authority other than the issuer are admitted, where the certificate names it
            (cRLIssuer) and the list says so (indirectCRL).
        nonce: an OCSP answer counts only with this nonce.
    """

    evidence: Evidence = Evidence.ANY
    reach: Reach = Reach.ALL
    delta: bool = True
    indirect: bool = False
    nonce: bytes | None = None


class AlgorithmCeiling(StrEnum):
    """Which signatures and keys are accepted at all.

    ``modern``: RSA (PKCS #1 v1.5 and PSS) from 2048 bits, NIST prime curves, Ed25519 and Ed448, over SHA-2.
    ``legacy``: SHA-1, DSA and RSA from 1024 bits besides; for looking at what is old, never for accepting it.
    """

    MODERN = "modern"
    LEGACY = "legacy"


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """How much work one validation may cost. Counted, so that the same input always gets the same answer.

    Attributes:
        signatures: signatures that are verified; the dearest admitted one takes 2 ms.
        candidates: paths that are validated.
        steps: extensions of a path that are tried, certificates that are read.
        comparisons: names against constraints, policies against policies, entries of lists.
        deadline_s: seconds after which the answer is ``indeterminate``, whatever was counted.
        path: certificates in a path, certificate and anchor included.
    """

    signatures: int = 256
    candidates: int = 64
    steps: int = 4096
    comparisons: int = 100_000
    deadline_s: float = 0.8
    path: int = MAX_PATH


class KeyAnchor(msgspec.Struct, frozen=True, kw_only=True):
    """A trusted name and key (RFC 5280 §6.1.1 d), without a certificate.

    Attributes:
        name: DER of the distinguished name.
        spki: DER SubjectPublicKeyInfo.
    """

    name: bytes
    spki: bytes


Anchor: TypeAlias = bytes | KeyAnchor
"""A trusted DER certificate, or a name and a key."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What a path has to satisfy (RFC 5280 §6.1.1).

    Attributes:
        anchors: at most 64. A certificate is held to what it says of itself: term, CA, key usage, path length,
            name constraints (RFC 5937).
        at: the time for which everything is judged, aware.
        require: revocation.
        policies: user-initial-policy-set, dotted; :data:`inkan.crypto.oids.ANY_POLICY` alone demands none.
        explicit_policy: initial-explicit-policy.
        inhibit_mapping: initial-policy-mapping-inhibit.
        inhibit_any: initial-any-policy-inhibit.
        bridge: paths may pass through cross certificates, whose issuer maps policies of another domain.
        key_usage: every one of these bits (RFC 5280 names) is set in the certificate.
        extended_key_usage: every one of these purposes (dotted) is listed in it.
        ceiling: algorithms and key sizes.
        strict: demand also what RFC 5280 §4 and §5 ask of issuers and §6 does not check: key identifiers, critical
            constraints, numbered lists.
        bounds: limits of work.
    """

    anchors: tuple[Anchor, ...]
    at: datetime
    require: Require
    policies: frozenset[str] = frozenset({oids.ANY_POLICY})
    explicit_policy: bool = False
    inhibit_mapping: bool = False
    inhibit_any: bool = False
    bridge: bool = True
    key_usage: frozenset[str] = frozenset()
    extended_key_usage: frozenset[str] = frozenset()
    ceiling: AlgorithmCeiling = AlgorithmCeiling.MODERN
    strict: bool = True
    bounds: Bounds = Bounds()


class Material(msgspec.Struct, frozen=True, kw_only=True):
    """What lies at hand for building a path and proving status; nothing of it is trusted.

    Attributes:
        supplied: DER certificates that came along with the certificate, from whoever sent it; at most 8.
        known: DER certificates of one's own store: authorities, cross and link certificates; at most 64.
        crls: DER lists, complete and delta; at most 64 of at most 4 MiB, together at most 32 MiB.
        ocsps: DER responses; at most 64 of at most 16 KiB.
    """

    supplied: Sequence[bytes] = ()
    known: Sequence[bytes] = ()
    crls: Sequence[bytes] = ()
    ocsps: Sequence[bytes] = ()
