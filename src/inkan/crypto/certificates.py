"""Certificates: a strict structural gate, then fields (RFC 5280).

What passes the gate is well formed, not trusted: trust is the path's (:mod:`inkan.crypto.path`). The gate stands
before it because general validators accept more than any certificate of ours needs, and cost more to attack.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtensionOID

from inkan.crypto import oids
from inkan.crypto.der import contents_of, end_of
from inkan.crypto.keys import PublicKey, spki_der
from inkan.crypto.names import find_in_name
from inkan.crypto.phone_binding import PhoneBinding, parse_phone_binding
from inkan.crypto.x509_admission import (
    LIBRARY_REFUSALS,
    admitted_key,
    check_key_size,
    check_signature_algorithm,
    check_signature_octets,
)
from inkan.kernel.errors import Malformed, TooLarge

CERTIFICATE_LIMIT: Final = 16 * 1024
E = TypeVar("E", bound=x509.ExtensionType)

MAX_SERIAL: Final = 2**159  # 20 octets with the sign bit (RFC 5280 §4.1.2.2)

_BASIC_CONSTRAINTS: Final = ExtensionOID.BASIC_CONSTRAINTS.dotted_string
_CRITICAL_EXTENSIONS: Final = frozenset(
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
    }
)
# The bits of RFC 5280 §4.2.1.3 by the names of the RFC, with cryptography's names.
_KEY_USAGES: Final[Mapping[str, str]] = {
    "digitalSignature": "digital_signature",
    "contentCommitment": "content_commitment",
    "keyEncipherment": "key_encipherment",
    "dataEncipherment": "data_encipherment",
    "keyAgreement": "key_agreement",
    "keyCertSign": "key_cert_sign",
    "cRLSign": "crl_sign",
}


class CertificateMalformed(Malformed):
    """Not one certificate of the form that the gate admits."""

    code = "certificate_malformed"
    title = "This is not a valid certificate"


class CertificateTooLarge(TooLarge):
    """More bytes than a certificate may have; nothing of them was parsed."""

    code = "certificate_too_large"
    title = "A certificate is larger than allowed"


class Certificate:
    """A certificate that passed the gate. Fields are read when they are asked for, then kept."""

    def __init__(self, der: bytes, parsed: x509.Certificate) -> None:
        self.der = der
        self.x509 = parsed

    @cached_property
    def sha256(self) -> bytes:
        """The 32-byte thumbprint."""
        return thumbprint(self.der)

    @property
    def serial(self) -> int:
        """The serial number, from 1 to 2^159 − 1."""
        return self.x509.serial_number

    @cached_property
    def subject(self) -> x509.Name:
        """The holder's distinguished name."""
        return self.x509.subject

    @cached_property
    def issuer(self) -> x509.Name:
        """The issuer's distinguished name."""
        return self.x509.issuer

    @cached_property
    def common_name(self) -> str | None:
        """The subject's CN, if there is exactly one."""
        return find_in_name(self.subject, "CN")

    @cached_property
    def subject_serial(self) -> str | None:
        """The subject's serialNumber attribute: the random number by which its person is found."""
        return find_in_name(self.subject, "serialNumber")

    @cached_property
    def not_before(self) -> datetime:
        """The first valid second, aware UTC."""
        return self.x509.not_valid_before_utc

    @cached_property
    def not_after(self) -> datetime:
        """The last valid second, aware UTC; inclusive."""
        return self.x509.not_valid_after_utc

    @cached_property
    def public_key(self) -> PublicKey:
        """The certified key."""
        return admitted_key(self.x509)

    @cached_property
    def spki_sha256(self) -> bytes:
        """The 32-byte SHA-256 of the certified SubjectPublicKeyInfo."""
        return sha256(spki_der(self.public_key)).digest()

    @cached_property
    def is_ca(self) -> bool:
        """Whether it may issue certificates."""
        constraints = self._find(x509.BasicConstraints)
        return constraints is not None and constraints.ca

    @cached_property
    def key_usage(self) -> frozenset[str]:
        """The bits that are set, by their names in the RFC; empty if the extension is missing."""
        usage = self._find(x509.KeyUsage)
        if usage is None:
            return frozenset()
        return frozenset(name for name, field in _KEY_USAGES.items() if getattr(usage, field))

    @cached_property
    def extended_key_usage(self) -> frozenset[str]:
        """The purposes, dotted."""
        usage = self._find(x509.ExtendedKeyUsage)
        return frozenset(oid.dotted_string for oid in usage or ())

    @cached_property
    def policies(self) -> frozenset[str]:
        """The certificate policies that it asserts, dotted; whether its path grants them is the path's."""
        policies = self._find(x509.CertificatePolicies)
        return frozenset(policy.policy_identifier.dotted_string for policy in policies or ())

    @cached_property
    def subject_key_id(self) -> bytes | None:
        """SubjectKeyIdentifier."""
        extension = self._find(x509.SubjectKeyIdentifier)
        return None if extension is None else extension.digest

    @cached_property
    def authority_key_id(self) -> bytes | None:
        """The key identifier in AuthorityKeyIdentifier."""
        extension = self._find(x509.AuthorityKeyIdentifier)
        return None if extension is None else extension.key_identifier

    @cached_property
    def ocsp_urls(self) -> tuple[str, ...]:
        """Where OCSP is asked (RFC 5280 §4.2.2.1)."""
        return self._access(AuthorityInformationAccessOID.OCSP)

    @cached_property
    def issuer_urls(self) -> tuple[str, ...]:
        """Where the issuer's certificate lies (caIssuers)."""
        return self._access(AuthorityInformationAccessOID.CA_ISSUERS)

    @cached_property
    def crl_urls(self) -> tuple[str, ...]:
        """Where the CRL of this certificate lies (RFC 5280 §4.2.1.13)."""
        points = self._find(x509.CRLDistributionPoints) or ()
        names = [name for point in points for name in point.full_name or ()]
        return tuple(n.value for n in names if isinstance(n, x509.UniformResourceIdentifier))

    @cached_property
    def phone_binding(self) -> PhoneBinding | None:
        """Inkan's own extension: credential and binding of a phone certificate.

        Raises:
            PhoneBindingMalformed: the extension is there and not ours.
        """
        value = self.find_extension(oids.PHONE_BINDING)
        return None if value is None else parse_phone_binding(value)

    def find_extension(self, oid: str) -> bytes | None:
        """Return the DER value of an extension (dotted OID), or None."""
        extension = self.extensions.get(oid)
        return None if extension is None else extension.value.public_bytes()

    @cached_property
    def extensions(self) -> Mapping[str, x509.Extension[x509.ExtensionType]]:
        """The extensions by dotted OID."""
        return {extension.oid.dotted_string: extension for extension in self.x509.extensions}

    def _find(self, kind: type[E]) -> E | None:
        extension = self.extensions.get(kind.oid.dotted_string)
        return extension.value if extension and isinstance(extension.value, kind) else None

    def _access(self, method: x509.ObjectIdentifier) -> tuple[str, ...]:
        access = self._find(x509.AuthorityInformationAccess) or ()
        places = [each.access_location for each in access if each.access_method == method]
        return tuple(p.value for p in places if isinstance(p, x509.UniformResourceIdentifier))


def parse_certificate(der: bytes) -> Certificate:
    """Return the certificate of a DER encoding, if it passes the structural gate.

    Plan:
        1. At most 16 KiB; one DER certificate, version 3, no duplicate extension, every extension readable.
        2. Serial number positive and of at most 20 octets.
        3. Signature algorithm RSA (PKCS #1 or PSS) or ECDSA over SHA-256 or longer, and the same one inside
           and outside the signed part (RFC 5280 §4.1.1.2).
        4. Issuer not empty; notBefore not after notAfter.
        5. Key RSA of 2048 to 8192 bits or on a NIST prime curve.
        6. Only known extensions are critical.
        7. A CA: critical BasicConstraints, keyCertSign, a name, SubjectKeyIdentifier. Any other: no keyCertSign.
        8. AuthorityKeyIdentifier, unless the certificate is self-issued.

    Raises:
        CertificateTooLarge: more than 16 KiB.
        CertificateMalformed: every other departure.
    """
    if len(der) > CERTIFICATE_LIMIT:  # 1
        raise CertificateTooLarge(limit_bytes=CERTIFICATE_LIMIT)
    try:
        certificate = Certificate(der, x509.load_der_x509_certificate(der))
        _check_structure(certificate)
        _check_roles(certificate)
    except LIBRARY_REFUSALS as error:
        raise CertificateMalformed(f"not one strict DER certificate: {error}") from None
    return certificate


def thumbprint(der: bytes) -> bytes:
    """Return the SHA-256 of a DER certificate, 32 bytes."""
    return sha256(der).digest()


def _check_structure(certificate: Certificate) -> None:
    parsed = certificate.x509
    if parsed.version is not x509.Version.v3:  # 1
        raise CertificateMalformed("not a certificate of version 3")
    if not 0 < parsed.serial_number < MAX_SERIAL:  # 2
        raise CertificateMalformed("the serial number is not positive or longer than 20 octets")
    check_signature_algorithm(parsed)  # 3
    check_signature_octets(certificate.der, parsed.signature)
    if not _is_same_algorithm_inside(certificate.der):
        raise CertificateMalformed("two different signature algorithms are named")
    if not certificate.issuer.rdns or certificate.not_before > certificate.not_after:  # 4
        raise CertificateMalformed("no issuer, or a term that ends before it begins")
    check_key_size(certificate.public_key)  # 5


def _check_roles(certificate: Certificate) -> None:
    for extension in certificate.extensions.values():  # 6
        if extension.critical and extension.oid not in _CRITICAL_EXTENSIONS:
            raise CertificateMalformed("a critical extension that is not known here")
    may_issue = "keyCertSign" in certificate.key_usage
    if certificate.is_ca != may_issue:  # 7
        raise CertificateMalformed("BasicConstraints and keyCertSign do not agree")
    if certificate.is_ca:
        if not certificate.extensions[_BASIC_CONSTRAINTS].critical:
            raise CertificateMalformed("a CA whose BasicConstraints are not critical")
        if not certificate.subject.rdns or certificate.subject_key_id is None:
            raise CertificateMalformed("a CA without a name or SubjectKeyIdentifier")
    is_self_issued = certificate.subject == certificate.issuer
    if certificate.authority_key_id is None and not is_self_issued:  # 8
        raise CertificateMalformed("no AuthorityKeyIdentifier")


def _is_same_algorithm_inside(der: bytes) -> bool:
    """Compare the two AlgorithmIdentifiers; the bytes were parsed before, so that the offsets are sound."""
    signed = contents_of(der, 0)
    outside = end_of(der, signed)
    version = contents_of(der, signed)
    serial = end_of(der, version)
    inside = end_of(der, serial)
    return der[outside : end_of(der, outside)] == der[inside : end_of(der, inside)]


def certs_only(certificates: Iterable[bytes]) -> bytes:
    """Return certificates (DER) as a certs-only SignedData: what ``caIssuers`` of many certificates names (RFC 5280 §4.2.2.1)."""
    parsed = [x509.load_der_x509_certificate(der) for der in certificates]
    return pkcs7.serialize_certificates(parsed, Encoding.DER)
