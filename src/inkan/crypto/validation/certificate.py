"""The structural gate, and the certificate as path validation sees it.

Hostile bytes end here: what comes through is one strict DER certificate of bounded size and depth, of version 3,
with a positive serial number of at most 20 octets, one signature algorithm, a key in its one spelling, and every
extension once and readable. Whether it is trusted is decided later.
"""

from datetime import datetime
from functools import cached_property
from hashlib import sha1, sha256
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtensionOID

from inkan.crypto import der_reader
from inkan.crypto.certificates import (
    CERTIFICATE_LIMIT,
    MAX_SERIAL,
    CertificateMalformed,
    CertificateTooLarge,
)
from inkan.crypto.der import verify_der
from inkan.crypto.keys import MAX_RSA_EXPONENT
from inkan.crypto.validation.algorithms import Signed
from inkan.crypto.validation.constraints import Subtrees, read_subtrees
from inkan.crypto.validation.names import CanonicalName, canonical_name
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import Malformed

MAX_DEPTH: Final = 20
MAX_RSA_BITS: Final = 8192
E = TypeVar("E", bound=x509.ExtensionType)

# What the library raises for bytes that it does not read, and what our own walk does.
REFUSALS: Final = (*LIBRARY_REFUSALS, Malformed, KeyError, IndexError, OverflowError)

# Extensions that this package processes; any other critical one is a refusal (RFC 5280 §4.2).
_PROCESSED: Final = frozenset(
    {
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.POLICY_MAPPINGS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
    }
)
_POLICY_MAPPINGS: Final = ExtensionOID.POLICY_MAPPINGS.dotted_string


class PathCertificate:
    """A certificate that passed the gate, with the fields that RFC 5280 §6 reads.

    Attributes:
        der: its bytes.
        x509: the library's reading.
        sha256: thumbprint, lower-case hexadecimal.
        subject: see :mod:`inkan.crypto.validation.names`.
        issuer: likewise.
        not_before: first valid second.
        not_after: last valid second.
        spki: DER SubjectPublicKeyInfo.
        key: the public key, None when the library knows no such algorithm.
        signed: what its issuer signed.
        subtrees: name constraints, None without the extension.
        mappings: policy mappings, (issuer domain, subject domain).
    """

    def __init__(self, der: bytes) -> None:
        self.der = der
        self.x509 = x509.load_der_x509_certificate(der)
        self.sha256 = sha256(der).hexdigest()
        self.subject: CanonicalName = canonical_name(self.x509.subject)
        self.issuer: CanonicalName = canonical_name(self.x509.issuer)
        self.not_before: datetime = self.x509.not_valid_before_utc
        self.not_after: datetime = self.x509.not_valid_after_utc
        self.spki = _verified_fields(der)
        self.key = _verified_key(self.x509, self.spki)
        self.signed = Signed(self.x509, self.x509.tbs_certificate_bytes)
        self.extensions = {row.oid.dotted_string: row for row in self.x509.extensions}
        self._basic = self.find(x509.BasicConstraints)
        self._usage = self.find(x509.KeyUsage)
        self._policies = self.find(x509.CertificatePolicies)
        self._limits = self.find(x509.PolicyConstraints)
        names = self.find(x509.NameConstraints)
        self.subtrees: Subtrees | None = (
            None if names is None else read_subtrees(names, _raw_extension(der, names.oid))
        )
        self.mappings: tuple[tuple[str, str], ...] = self._mappings()

    @property
    def serial(self) -> int:
        """From 1 to 2^159 − 1."""
        return self.x509.serial_number

    @cached_property
    def text(self) -> str:
        """The subject for people, RFC 4514."""
        return self.x509.subject.rfc4514_string()

    @property
    def is_self_issued(self) -> bool:
        """Whether subject and issuer are one name (RFC 5280 §6.1)."""
        return self.subject == self.issuer

    @property
    def is_ca(self) -> bool:
        """Whether basic constraints say so."""
        return self._basic is not None and self._basic.ca

    @property
    def path_length(self) -> int | None:
        """PathLenConstraint."""
        return self._basic.path_length if self._basic is not None and self._basic.ca else None

    @cached_property
    def key_usage(self) -> frozenset[str] | None:
        """The bits by their names in RFC 5280; None without the extension, which admits everything."""
        usage = self._usage
        if usage is None:
            return None
        return frozenset(name for name, field in KEY_USAGES.items() if getattr(usage, field))

    def admits(self, usage: str) -> bool:
        """Whether the key usage extension, if there is one, admits this use."""
        return self.key_usage is None or usage in self.key_usage

    @cached_property
    def extended_key_usage(self) -> frozenset[str]:
        """The purposes, dotted."""
        return frozenset(row.dotted_string for row in self.find(x509.ExtendedKeyUsage) or ())

    @cached_property
    def policies(self) -> frozenset[str] | None:
        """The certificate policies, dotted; None without the extension."""
        if self._policies is None:
            return None
        return frozenset(row.policy_identifier.dotted_string for row in self._policies)

    @property
    def require_explicit_policy(self) -> int | None:
        """RequireExplicitPolicy."""
        return self._limits.require_explicit_policy if self._limits else None

    @property
    def inhibit_mapping(self) -> int | None:
        """InhibitPolicyMapping."""
        return self._limits.inhibit_policy_mapping if self._limits else None

    @cached_property
    def inhibit_any(self) -> int | None:
        """InhibitAnyPolicy."""
        found = self.find(x509.InhibitAnyPolicy)
        return None if found is None else found.skip_certs

    @cached_property
    def alternative_names(self) -> tuple[x509.GeneralName, ...] | None:
        """subjectAltName; None without the extension."""
        found = self.find(x509.SubjectAlternativeName)
        return None if found is None else tuple(found)

    @cached_property
    def subject_key_id(self) -> bytes | None:
        """SubjectKeyIdentifier."""
        found = self.find(x509.SubjectKeyIdentifier)
        return None if found is None else found.digest

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """The key identifier in AuthorityKeyIdentifier."""
        found = self.find(x509.AuthorityKeyIdentifier)
        return None if found is None else found.key_identifier

    @cached_property
    def key_sha1(self) -> bytes:
        """SHA-1 of the key's bits: how OCSP names a key (RFC 6960 §4.2.1)."""
        return key_hash(self.spki)

    @property
    def unknown_critical(self) -> str | None:
        """A critical extension that is not processed here, dotted."""
        for row in self.extensions.values():
            if row.critical and row.oid not in _PROCESSED:
                return str(row.oid.dotted_string)
        return None

    def find(self, kind: type[E]) -> E | None:
        """An extension by its class."""
        row = self.extensions.get(kind.oid.dotted_string)
        return row.value if row is not None and isinstance(row.value, kind) else None

    def has(self, oid: x509.ObjectIdentifier) -> bool:
        """Whether an extension is there."""
        return oid.dotted_string in self.extensions

    def _mappings(self) -> tuple[tuple[str, str], ...]:
        row = self.extensions.get(_POLICY_MAPPINGS)
        if row is None:
            return ()
        pairs = der_reader.children(der_reader.read(row.value.public_bytes()).contents)
        found = tuple(
            (der_reader.read_oid(issuer.contents), der_reader.read_oid(subject.contents))
            for issuer, subject in (der_reader.children(pair.contents) for pair in pairs)
        )
        if not found:
            raise CertificateMalformed("an empty list of policy mappings")
        return found


KEY_USAGES: Final = {
    "digitalSignature": "digital_signature",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}


def read_certificate(der: bytes) -> PathCertificate:
    """Return the certificate of DER bytes, if it passes the gate.

    Plan:
        1. At most 16 KiB.
        2. DER: one spelling of everything, at most 20 deep (:func:`inkan.crypto.der.verify_der`).
        3. Version 3; serial number positive, of at most 20 octets; the same signature algorithm inside and outside;
           a term that does not end before it begins; an issuer.
        4. Elliptic-curve points uncompressed on a named curve; RSA of at most 8192 bits, exponent odd and below 2^256.
        5. Each extension once, each readable.

    Raises:
        CertificateTooLarge: step 1.
        CertificateMalformed: every other.
    """
    if len(der) > CERTIFICATE_LIMIT:  # 1
        raise CertificateTooLarge(limit_bytes=CERTIFICATE_LIMIT)
    try:
        verify_der(der, max_depth=MAX_DEPTH)  # 2
        certificate = PathCertificate(der)  # 3, 4, 5
    except CertificateMalformed:
        raise
    except REFUSALS as error:
        raise CertificateMalformed(f"not one strict DER certificate: {error}") from None
    if not certificate.issuer or certificate.not_before > certificate.not_after:  # 3
        raise CertificateMalformed("no issuer, or a term that ends before it begins")
    return certificate


def key_hash(spki: bytes) -> bytes:
    """Return the SHA-1 of the bits of a DER SubjectPublicKeyInfo, 20 bytes."""
    bits = der_reader.children(der_reader.read(spki).contents)[1].contents[1:]
    return sha1(bits, usedforsecurity=False).digest()


def _verified_fields(der: bytes) -> bytes:
    """Check version, serial number and the two algorithms; return the SubjectPublicKeyInfo."""
    signed, outside, signature = der_reader.children(der_reader.read(der).contents)
    fields = der_reader.children(signed.contents)
    if fields[0].tag != 0xA0 or fields[0].contents != b"\x02\x01\x02":
        raise CertificateMalformed("not a certificate of version 3")
    if not 0 < int.from_bytes(fields[1].contents, "big", signed=True) < MAX_SERIAL:
        raise CertificateMalformed("the serial number is not positive or longer than 20 octets")
    if fields[2].encoding != outside.encoding:
        raise CertificateMalformed("two different signature algorithms are named")
    if signature.contents[0] != 0:
        raise CertificateMalformed("the signature is not whole octets")
    return fields[6].encoding


def _raw_extension(der: bytes, oid: x509.ObjectIdentifier) -> bytes:
    """The value of an extension that is there, byte for byte."""
    signed = der_reader.children(der_reader.read(der).contents)[0]
    (rows,) = der_reader.children(der_reader.children(signed.contents)[-1].contents)
    return next(
        fields[-1].contents
        for fields in (
            der_reader.children(row.contents) for row in der_reader.children(rows.contents)
        )
        if der_reader.read_oid(fields[0].contents) == oid.dotted_string
    )


def _verified_key(certificate: x509.Certificate, spki: bytes) -> PublicKeyTypes | None:
    try:
        key = certificate.public_key()
    except UnsupportedAlgorithm:
        return None
    if isinstance(key, EllipticCurvePublicKey):
        if key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != spki:
            raise CertificateMalformed("a point that is compressed or on no named curve")
    elif isinstance(key, RSAPublicKey):
        exponent = key.public_numbers().e
        if key.key_size > MAX_RSA_BITS or exponent % 2 == 0 or exponent >= MAX_RSA_EXPONENT:
            raise CertificateMalformed("an RSA key that is too long or has no proper exponent")
    return key
