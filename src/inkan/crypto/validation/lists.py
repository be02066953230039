"""Revocation lists as path validation sees them (RFC 5280 §5): scope, numbers, entries; complete and delta."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from inkan.crypto import der_reader
from inkan.crypto.crl import CRLMalformed
from inkan.crypto.path import MAX_CRL_SIZE, RevocationReason
from inkan.crypto.validation.algorithms import Signed
from inkan.crypto.validation.budget import Budget
from inkan.crypto.validation.certificate import REFUSALS, PathCertificate
from inkan.crypto.validation.names import CanonicalName, canonical_name, relative_to

E = TypeVar("E", bound=x509.ExtensionType)

ALL_REASONS: Final = frozenset(x509.ReasonFlags) - {
    x509.ReasonFlags.unspecified,
    x509.ReasonFlags.remove_from_crl,
}
_PROCESSED: Final = frozenset(
    {ExtensionOID.ISSUING_DISTRIBUTION_POINT, ExtensionOID.DELTA_CRL_INDICATOR}
)
_ENTRY_PROCESSED: Final = (x509.CRLReason, x509.InvalidityDate, x509.CertificateIssuer)
_CRITICAL: Final = b"\x01\x01\xff"
_SEQUENCE: Final = 0x30
# The library looks a serial number up this many times faster than entries are read one by one.
_SCAN: Final = 64
# Opening an entry with its extensions costs as much as this many comparisons.
_OPENING: Final = 4
# Longer lists are scanned by the library each time: an index of Python objects would cost more than it saves.
_INDEXED: Final = 20_000


class Entry(NamedTuple):
    """A certificate on a list.

    Attributes:
        revoked_at: aware.
        reason: None in a delta list: it was taken off (removeFromCRL).
    """

    revoked_at: datetime
    reason: RevocationReason | None


class Point(NamedTuple):
    """A distribution point of a certificate (RFC 5280 §4.2.1.13), or the implied one of §6.3.3.

    Attributes:
        names: comparable names; empty when it only names a cRLIssuer.
        crl_issuers: names of other authorities that may sign.
        reasons: that its lists cover.
    """

    names: frozenset[Any]
    crl_issuers: frozenset[CanonicalName]
    reasons: frozenset[x509.ReasonFlags]


class RevocationList:
    """A list that could be read; nothing is verified.

    Attributes:
        issuer: comparable name.
        this_update: aware.
        next_update: aware; None for a list that nobody may rely upon.
        number: cRLNumber.
        base: BaseCRLNumber of a delta list.
        scope: DER of the issuing distribution point; lists of one scope follow one another.
        point: the issuing distribution point.
        key_id: AuthorityKeyIdentifier.
        names_delta: FreshestCRL is there.
        signed: what its issuer signed.
    """

    def __init__(self, der: bytes) -> None:
        crl = x509.load_der_x509_crl(der)
        self._crl = crl
        self.issuer: CanonicalName = canonical_name(crl.issuer)
        self.this_update: datetime = crl.last_update_utc
        self.next_update: datetime | None = crl.next_update_utc
        self._extensions = {type(row.value): row for row in crl.extensions}
        number, base = self._find(x509.CRLNumber), self._find(x509.DeltaCRLIndicator)
        self.number: int | None = number.crl_number if number else None
        self.base: int | None = base.crl_number if base else None
        self.point = self._find(x509.IssuingDistributionPoint)
        self.scope = self.point.public_bytes() if self.point else b""
        identifier = self._find(x509.AuthorityKeyIdentifier)
        self.key_id: bytes | None = identifier.key_identifier if identifier else None
        self.names_delta = x509.FreshestCRL in self._extensions
        self.signed = Signed(crl, crl.tbs_certlist_bytes)
        self._rows: dict[tuple[CanonicalName, int], x509.RevokedCertificate] | None = None
        self._lookups = 0
        self._processable: bool | None = None

    @property
    def is_indirect(self) -> bool:
        """Whether it may hold certificates of other issuers."""
        return self.point is not None and self.point.indirect_crl

    @property
    def is_numbered(self) -> bool:
        """Whether it has what RFC 5280 §5.2 asks of every issuer."""
        return self.number is not None and self.key_id is not None

    def is_processable(self, budget: Budget) -> bool:
        """Whether every critical extension is known, of the list and of each entry (RFC 5280 §5.2, §5.3)."""
        if self._processable is None:
            self._processable = self._has_known_extensions(budget)
        return self._processable

    def is_current(self, at: datetime) -> bool:
        """Whether it is in force."""
        return self.next_update is not None and self.this_update <= at <= self.next_update

    def reasons_for(
        self, point: Point, certificate: PathCertificate
    ) -> frozenset[x509.ReasonFlags] | None:
        """The interim_reasons_mask for a certificate's distribution point; None outside the scope (§6.3.3 b, d)."""
        own = self.point
        if point.crl_issuers:
            if self.issuer not in point.crl_issuers or not self.is_indirect:
                return None
        elif self.issuer != certificate.issuer:
            return None
        if own is None:
            return point.reasons
        names = self._own_names(own)
        if names and names.isdisjoint(point.names or _directory(point.crl_issuers)):
            return None
        if own.only_contains_attribute_certs:
            return None
        if own.only_contains_ca_certs if not certificate.is_ca else own.only_contains_user_certs:
            return None
        return point.reasons & (own.only_some_reasons or ALL_REASONS)

    def find(self, certificate: PathCertificate, budget: Budget) -> Entry | None:
        """Return the certificate's entry.

        Raises:
            CRLMalformed: an entry that cannot be read.
        """
        try:
            row = self._row(certificate, budget)
            return None if row is None else _read_entry(row)
        except REFUSALS as error:
            raise CRLMalformed(f"entries that cannot be read: {error}") from None

    def _has_known_extensions(self, budget: Budget) -> bool:
        if any(row.critical and row.oid not in _PROCESSED for row in self._extensions.values()):
            return False
        # Nearly no list has critical extensions of entries; only then is every entry opened.
        if _CRITICAL not in self._entry_bytes():
            return True
        budget.compare(_OPENING * len(self._crl))
        try:
            return all(
                isinstance(extension.value, _ENTRY_PROCESSED)
                for row in self._crl
                for extension in row.extensions
                if extension.critical
            )
        except REFUSALS as error:
            raise CRLMalformed(f"entries that cannot be read: {error}") from None

    def _row(self, certificate: PathCertificate, budget: Budget) -> x509.RevokedCertificate | None:
        self._lookups += 1
        is_scanned = self._lookups == 1 or len(self._crl) > _INDEXED
        if self._rows is None and not self.is_indirect and is_scanned:
            budget.compare(len(self._crl) // _SCAN + 1)
            return self._crl.get_revoked_certificate_by_serial_number(certificate.serial)
        if self._rows is None:
            budget.compare(_OPENING * len(self._crl) if self.is_indirect else len(self._crl))
            self._rows = self._index()
        return self._rows.get((certificate.issuer, certificate.serial))

    def _index(self) -> dict[tuple[CanonicalName, int], x509.RevokedCertificate]:
        rows: dict[tuple[CanonicalName, int], x509.RevokedCertificate] = {}
        issuer = self.issuer
        for row in self._crl:
            if self.is_indirect:
                issuer = _entry_issuer(row) or issuer
            rows[issuer, row.serial_number] = row
        return rows

    def _entry_bytes(self) -> bytes:
        fields = der_reader.children(der_reader.read(self._crl.tbs_certlist_bytes).contents)
        sequences = [field for field in fields if field.tag == _SEQUENCE]
        return sequences[2].contents if len(sequences) > 2 else b""

    def _own_names(self, own: x509.IssuingDistributionPoint) -> frozenset[Any]:
        return _point_names(own.full_name, own.relative_name, self.issuer)

    def _find(self, kind: type[E]) -> E | None:
        row = self._extensions.get(kind)
        return row.value if row is not None and isinstance(row.value, kind) else None


def read_list(der: bytes) -> RevocationList:
    """Return a list of DER bytes (at most 4 MiB), strictly read; nothing verified.

    Raises:
        CRLMalformed: any other bytes.
    """
    if len(der) > MAX_CRL_SIZE:
        raise CRLMalformed("larger than any accepted list")
    try:
        found = RevocationList(der)
        outer = der_reader.children(der_reader.read(der).contents)
        inner = der_reader.children(outer[0].contents)
    except REFUSALS as error:
        raise CRLMalformed(f"not a CRL: {error}") from None
    if outer[2].contents[0] != 0 or outer[1].encoding not in {row.encoding for row in inner[:2]}:
        raise CRLMalformed("two signature algorithms, or a signature that is not whole octets")
    return found


def points_of(certificate: PathCertificate) -> list[Point]:
    """Return the distribution points of a certificate and, last, the implied one of RFC 5280 §6.3.3."""
    extension = certificate.find(x509.CRLDistributionPoints)
    found = [_point(row, certificate.issuer) for row in extension or ()]
    implied = Point(_directory({certificate.issuer}), frozenset(), ALL_REASONS)
    return [*found, implied]


def _point(row: x509.DistributionPoint, issuer: CanonicalName) -> Point:
    issuers = frozenset(
        canonical_name(name.value)
        for name in row.crl_issuer or ()
        if isinstance(name.value, x509.Name)
    )
    base = next(iter(issuers)) if len(issuers) == 1 else issuer
    names = _point_names(row.full_name, row.relative_name, base)
    return Point(names, issuers, row.reasons or ALL_REASONS)


def _point_names(
    full: Iterable[x509.GeneralName] | None,
    relative: x509.RelativeDistinguishedName | None,
    base: CanonicalName,
) -> frozenset[Any]:
    if relative is not None:
        return _directory({relative_to(base, relative)})
    return frozenset(
        (x509.DirectoryName, canonical_name(name.value))
        if isinstance(name.value, x509.Name)
        else (type(name), name.value)
        for name in full or ()
    )


def _directory(names: Iterable[CanonicalName]) -> frozenset[Any]:
    return frozenset((x509.DirectoryName, name) for name in names)


def _entry_issuer(row: x509.RevokedCertificate) -> CanonicalName | None:
    """The certificateIssuer of an entry, which holds for the entries after it too (RFC 5280 §5.3.3)."""
    for extension in row.extensions:
        if isinstance(extension.value, x509.CertificateIssuer):
            for name in extension.value:
                if isinstance(name.value, x509.Name):
                    return canonical_name(name.value)
    return None


def _read_entry(row: x509.RevokedCertificate) -> Entry:
    reason: RevocationReason | None = RevocationReason.UNSPECIFIED
    for extension in row.extensions:
        if isinstance(extension.value, x509.CRLReason):
            flag = extension.value.reason
            is_removed = flag is x509.ReasonFlags.remove_from_crl
            reason = None if is_removed else RevocationReason(flag.value)
    return Entry(row.revocation_date_utc, reason)
