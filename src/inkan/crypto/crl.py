"""Certificate revocation lists (RFC 5280 §5): built by an authority for one shard, verified by whoever relies on one.

How a list is written stands in :mod:`inkan.crypto.crl_encoding`. A list speaks only of what its own issuer issued:
a certificate of another issuer is out of scope, whatever the two have in common.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from inkan.crypto.certificates import Certificate
from inkan.crypto.crl_encoding import CRLFrame, CRLScope, encode_crl, encode_entry
from inkan.crypto.keys import PrivateKey
from inkan.crypto.path import MAX_CRL_SIZE, Revocation, RevocationReason
from inkan.crypto.signatures import ACCEPTED
from inkan.crypto.x509_admission import LIBRARY_REFUSALS, check_signature_octets
from inkan.kernel.errors import Forbidden, Malformed, Unavailable

_READ_CRITICAL: Final = frozenset({ExtensionOID.ISSUING_DISTRIBUTION_POINT})


class CRLMalformed(Malformed):
    """Not one DER CRL of version 2 with the extensions that RFC 5280 demands."""

    code = "crl_malformed"
    title = "The revocation list cannot be read"
    public = ()


class CRLUntrusted(Forbidden):
    """The list was not signed by the authority that it is asked about."""

    code = "crl_untrusted"
    title = "The revocation list does not come from the authority"


class CRLStale(Unavailable):
    """The list is not in force at the time of the check."""

    code = "crl_stale"
    title = "The revocation list is not current"
    public = ("this_update", "next_update")


class CRLOutOfScope(Unavailable):
    """The list does not speak of this certificate."""

    code = "crl_out_of_scope"
    title = "The revocation list is about other certificates"
    public = ()


class CRLEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One revoked certificate."""

    serial: int
    revocation: Revocation


class CRLContents(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says.

    Attributes:
        number: cRLNumber, rising with each list of one distribution point.
        this_update: aware.
        next_update: aware.
        entries: in the order in which they are written.
        distribution_point: URL, byte for byte the one in the certificates of this shard; None for a full list.
        scope: see :class:`CRLScope`.
    """

    number: int
    this_update: datetime
    next_update: datetime
    entries: Sequence[CRLEntry]
    distribution_point: str | None = None
    scope: CRLScope = CRLScope.ALL


def build_crl(contents: CRLContents, *, issuer: Certificate, key: PrivateKey) -> bytes:
    """Return the DER CRL, signed by ``key`` of ``issuer``; see :func:`inkan.crypto.crl_encoding.encode_crl`."""
    frame = CRLFrame(
        number=contents.number,
        this_update=contents.this_update,
        next_update=contents.next_update,
        distribution_point=contents.distribution_point,
        scope=contents.scope,
    )
    entries = [_encoded(entry) for entry in contents.entries]
    return encode_crl(frame, entries, issuer=issuer, key=key)


def _encoded(entry: CRLEntry) -> bytes:
    revocation = entry.revocation
    return encode_entry(entry.serial, at=revocation.revoked_at, reason=revocation.reason)


class VerifiedCRL:
    """An authentic list in force; look a certificate up by :meth:`find_revocation`.

    Attributes:
        number: cRLNumber.
        this_update: aware.
        next_update: aware.
        names_delta: whether it points at a delta list (FreshestCRL), without which it is not the last word.
        sha256: of the DER.
    """

    def __init__(self, crl: x509.CertificateRevocationList, *, der: bytes) -> None:
        self._crl = crl
        self.number = _extension(crl, x509.CRLNumber).crl_number
        self.this_update, self.next_update = _term(crl)
        self.names_delta = any(isinstance(e.value, x509.FreshestCRL) for e in crl.extensions)
        self.sha256 = hashlib.sha256(der).digest()

    def find_revocation(self, certificate: Certificate) -> Revocation | None:
        """Return the certificate's entry, or None when the list covers it and does not name it.

        A linear scan in the library: 0.3 ms for 4,000 entries.

        Raises:
            CRLOutOfScope: issued by somebody else, of a kind or distribution point that the list leaves out.
            CRLMalformed: an entry that cannot be read.
        """
        _verify_scope(self._crl, certificate)
        try:
            entry = self._crl.get_revoked_certificate_by_serial_number(certificate.serial)
        except LIBRARY_REFUSALS as error:
            raise CRLMalformed(f"entries that cannot be read: {error}") from None
        return None if entry is None else _read(entry)


def parse_crl(der: bytes) -> x509.CertificateRevocationList:
    """Return the CRL of DER bytes (at most 4 MiB), strictly read; nothing verified.

    Raises:
        CRLMalformed: any other bytes.
    """
    if len(der) > MAX_CRL_SIZE:
        raise CRLMalformed("larger than any accepted list")
    try:
        crl = x509.load_der_x509_crl(der)
        _term(crl)
        # The library reads lazily; what is looked at later is looked at now.
        _ = crl.issuer, crl.signature_algorithm_oid, tuple(crl.extensions)
        check_signature_octets(der, crl.signature)
    except LIBRARY_REFUSALS as error:
        raise CRLMalformed(f"not a CRL: {error}") from None
    return crl


def verify_crl(der: bytes, *, issuer: Certificate, at: datetime) -> VerifiedCRL:
    """Return a list that ``issuer`` itself signed and that is in force at ``at`` (RFC 5280 §6.3.3).

    Plan:
        1. Strict DER of bounded size, with nextUpdate.
        2. Issuer name and authority key identifier are those of ``issuer``, whose key usage admits cRLSign.
        3. Signature by an accepted algorithm.
        4. Extensions: cRLNumber, not critical; no critical one besides the distribution point; complete (no delta),
           direct, for all reasons.
        5. thisUpdate ≤ at ≤ nextUpdate.

    Raises:
        CRLMalformed: steps 1 and 4.
        CRLUntrusted: steps 2 and 3.
        CRLStale: step 5.
    """
    crl = parse_crl(der)  # 1
    _verify_issuer(crl, issuer)  # 2
    if not _is_signed_by(crl, issuer):  # 3
        raise CRLUntrusted("the signature does not hold")
    _verify_extensions(crl)  # 4
    verified = VerifiedCRL(crl, der=der)
    if not verified.this_update <= at <= verified.next_update:  # 5
        raise CRLStale(this_update=verified.this_update, next_update=verified.next_update)
    return verified


def _term(crl: x509.CertificateRevocationList) -> tuple[datetime, datetime]:
    if crl.next_update_utc is None:
        raise CRLMalformed("without nextUpdate")
    return crl.last_update_utc, crl.next_update_utc


def _verify_issuer(crl: x509.CertificateRevocationList, issuer: Certificate) -> None:
    if crl.issuer != issuer.subject:
        raise CRLUntrusted("issued by somebody else")
    named = _extension(crl, x509.AuthorityKeyIdentifier).key_identifier
    if named is None or named != issuer.subject_key_id:
        raise CRLUntrusted("signed by another key")
    if "cRLSign" not in issuer.key_usage:
        raise CRLUntrusted("signed by a key that may not sign lists")


def _is_signed_by(crl: x509.CertificateRevocationList, issuer: Certificate) -> bool:
    if crl.signature_algorithm_oid not in ACCEPTED:
        return False
    try:
        return crl.is_signature_valid(issuer.public_key)
    except (TypeError, ValueError):
        return False


def _verify_extensions(crl: x509.CertificateRevocationList) -> None:
    for extension in crl.extensions:
        if extension.critical and extension.oid not in _READ_CRITICAL:
            raise CRLMalformed(f"critical extension {extension.oid.dotted_string}")
        if isinstance(extension.value, x509.DeltaCRLIndicator):
            raise CRLMalformed("a delta list is no list by itself")
    point = _find_distribution_point(crl)
    if point is not None and (
        point.indirect_crl or point.only_some_reasons or point.only_contains_attribute_certs
    ):
        raise CRLMalformed("indirect, for some reasons only, or about attribute certificates")


def _verify_scope(crl: x509.CertificateRevocationList, certificate: Certificate) -> None:
    if certificate.issuer != crl.issuer:
        raise CRLOutOfScope("the certificate has another issuer")
    point = _find_distribution_point(crl)
    if point is None:
        return
    if point.only_contains_user_certs if certificate.is_ca else point.only_contains_ca_certs:
        raise CRLOutOfScope("about authorities only, or about end entities only")
    if point.full_name is None and point.relative_name is None:
        return
    named = {
        name.value
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    }
    if named.isdisjoint(certificate.crl_urls):
        raise CRLOutOfScope("of another distribution point")


def _find_distribution_point(
    crl: x509.CertificateRevocationList,
) -> x509.IssuingDistributionPoint | None:
    for extension in crl.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            return extension.value
    return None


def _extension(
    crl: x509.CertificateRevocationList, kind: type[x509.extensions.ExtensionTypeVar]
) -> x509.extensions.ExtensionTypeVar:
    try:
        return crl.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        raise CRLMalformed(f"without {kind.oid.dotted_string}") from None


def _read(entry: x509.RevokedCertificate) -> Revocation:
    reason = RevocationReason.UNSPECIFIED
    try:
        for extension in entry.extensions:
            if isinstance(extension.value, x509.CRLReason):
                reason = RevocationReason(extension.value.reason.value)
            elif extension.critical:
                raise CRLMalformed("an entry with an unknown critical extension")
    except LIBRARY_REFUSALS as error:
        raise CRLMalformed(f"an entry that cannot be read: {error}") from None
    return Revocation(revoked_at=entry.revocation_date_utc.astimezone(UTC), reason=reason)
