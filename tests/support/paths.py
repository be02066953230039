"""Certificates, lists and answers for path validation, bent at will; nothing passes a gate of the product.

root = Entity("Root"); ca = root.ca("CA"); holder = ca.holder("Holder")
verdict(holder, root, known=[ca])
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from inkan.crypto.validation.settings import Bounds, Evidence, Material, Require, Settings
from inkan.crypto.validation.validator import Validator
from inkan.crypto.validation.verdict import Verdict
from support.keyring import ec_key

AT = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
ANY = "2.5.29.32.0"
P1, P2, P3, P4 = (f"2.25.7.{number}" for number in range(1, 5))
FIELDS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)
UTF8, PRINTABLE = _ASN1Type.UTF8String, _ASN1Type.PrintableString

_serials = count(2**40)
_keys = count(5000)


def dn(text: str, *, kind=UTF8, org: str = "Test", org_kind=None) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TW"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, org, _type=org_kind or kind),
            x509.NameAttribute(NameOID.COMMON_NAME, text, _type=kind),
        ]
    )


def usage(*bits: str) -> x509.KeyUsage:
    flags = {field: field in bits for field in FIELDS}
    return x509.KeyUsage(**flags, encipher_only=False, decipher_only=False)


def uri(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


def oid(text: str) -> x509.ObjectIdentifier:
    return x509.ObjectIdentifier(text)


def key_id(key) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest


def mapping(*pairs: tuple[str, str]) -> x509.UnrecognizedExtension:
    """policyMappings, which the library cannot build."""

    def der(text: str) -> bytes:
        return x509.ExtendedKeyUsage([oid(text)]).public_bytes()[2:]

    rows = b"".join(_tlv(0x30, der(issuer) + der(subject)) for issuer, subject in pairs)
    return x509.UnrecognizedExtension(oid("2.5.29.33"), _tlv(0x30, rows))


def _tlv(tag: int, contents: bytes) -> bytes:
    assert len(contents) < 0x80
    return bytes([tag, len(contents)]) + contents


def point(*names: x509.GeneralName, relative=None, reasons=None, issuers=None):
    return x509.DistributionPoint(list(names) or None, relative, reasons, issuers)


class Entity:
    """A name, a key and a certificate; self-signed unless an issuer made it."""

    def __init__(self, text="Root", *, issuer=None, key=None, name=None, ca=True, **bent):
        self.key = key or ec_key(next(_keys))
        self.name = dn(text) if name is None else name
        self.certificate = certify(self, issuer or self, ca=ca, **bent)
        self.der = self.certificate.public_bytes(Encoding.DER)

    @property
    def serial(self) -> int:
        return self.certificate.serial_number

    def ca(self, text="CA", **bent) -> "Entity":
        return Entity(text, issuer=self, **bent)

    def holder(self, text="Holder", **bent) -> "Entity":
        return Entity(text, issuer=self, ca=False, **bent)

    def crl(self, *revoked, **bent) -> bytes:
        return make_crl(self, revoked, **bent)


def certify(
    subject,
    issuer,
    *,
    ca: bool,
    basic=...,
    basic_critical: bool = True,
    path_length: int | None = None,
    bits: Iterable[str] | None = ...,
    bits_critical: bool = True,
    policies: Iterable[str] | None = (P1,),
    limits: tuple[int | None, int | None] | None = None,
    inhibit_any: int | None = None,
    names: Iterable[x509.GeneralName] = (),
    names_critical: bool = False,
    permitted=None,
    excluded=None,
    points=None,
    freshest: str | None = None,
    eku: Iterable[x509.ObjectIdentifier] = (),
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    start: datetime = AT - 30 * DAY,
    end: datetime = AT + 300 * DAY,
    serial: int | None = None,
    issuer_name: x509.Name | None = None,
    ski: bool = True,
    aki: bool = True,
    digest=None,
    signer=None,
) -> x509.Certificate:
    extensions: list[tuple[x509.ExtensionType, bool]] = []
    if basic is ...:
        basic = x509.BasicConstraints(ca=True, path_length=path_length) if ca else None
    if basic is not None:
        extensions.append((basic, basic_critical))
    if bits is ...:
        bits = ("key_cert_sign", "crl_sign") if ca else ("digital_signature",)
    if bits is not None:
        extensions.append((usage(*bits), bits_critical))
    if ski:
        extensions.append((x509.SubjectKeyIdentifier(key_id(subject.key)), False))
    if aki and subject is not issuer:
        extensions.append((x509.AuthorityKeyIdentifier(key_id(issuer.key), None, None), False))
    if policies and subject is not issuer:
        rows = [x509.PolicyInformation(oid(text), None) for text in policies]
        extensions.append((x509.CertificatePolicies(rows), False))
    if limits is not None:
        extensions.append((x509.PolicyConstraints(*limits), True))
    if inhibit_any is not None:
        extensions.append((x509.InhibitAnyPolicy(inhibit_any), True))
    if names:
        extensions.append((x509.SubjectAlternativeName(list(names)), names_critical))
    if permitted or excluded:
        extensions.append((x509.NameConstraints(permitted, excluded), True))
    if points is not None:
        extensions.append((x509.CRLDistributionPoints(points), False))
    if freshest is not None:
        extensions.append((x509.FreshestCRL([point(uri(freshest))]), False))
    if eku:
        extensions.append((x509.ExtendedKeyUsage(list(eku)), False))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject.name)
        .issuer_name(issuer_name or issuer.name)
        .public_key(subject.key.public_key())
        .serial_number(serial or next(_serials))
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension, critical in [*extensions, *extra]:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer or issuer.key, digest or SHA256())


def make_crl(
    issuer: Entity,
    revoked: Iterable[object],
    *,
    number: int | None = 1,
    base: int | None = None,
    start: datetime = AT - HOUR,
    end: datetime | None = AT + DAY,
    full=None,
    relative=None,
    user: bool = False,
    authority: bool = False,
    attribute: bool = False,
    indirect: bool = False,
    reasons=None,
    freshest: str | None = None,
    reason: str | None = None,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    entry_extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    aki: bytes | None = None,
    name: x509.Name | None = None,
    signer=None,
    digest=None,
) -> bytes:
    """A list; ``revoked`` holds entities, serial numbers or pairs (serial number, issuer's name)."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(name or issuer.name)
        .last_update(start)
        .next_update(end)
    )
    signer = signer or issuer.key
    extensions = [(x509.AuthorityKeyIdentifier(aki or key_id(signer), None, None), False)]
    if number is not None:
        extensions.append((x509.CRLNumber(number), False))
    if full or relative or user or authority or attribute or indirect or reasons:
        extensions.append(
            (
                x509.IssuingDistributionPoint(
                    full_name=full,
                    relative_name=relative,
                    only_contains_user_certs=user,
                    only_contains_ca_certs=authority,
                    only_some_reasons=reasons,
                    indirect_crl=indirect,
                    only_contains_attribute_certs=attribute,
                ),
                True,
            )
        )
    if base is not None:
        extensions.append((x509.DeltaCRLIndicator(base), True))
    if freshest is not None:
        extensions.append((x509.FreshestCRL([point(uri(freshest))]), False))
    for extension, critical in [*extensions, *extra]:
        builder = builder.add_extension(extension, critical=critical)
    for row in revoked:
        builder = builder.add_revoked_certificate(_entry(row, reason, entry_extra))
    return builder.sign(signer, digest or SHA256()).public_bytes(Encoding.DER)


def _entry(row, reason, extra):
    serial, name = row if isinstance(row, tuple) else (getattr(row, "serial", row), None)
    entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(AT - 2 * HOUR)
    if reason:
        entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(reason)), critical=False)
    if name is not None:
        issuer = x509.CertificateIssuer([x509.DirectoryName(name)])
        entry = entry.add_extension(issuer, critical=True)
    for extension, critical in extra:
        entry = entry.add_extension(extension, critical=critical)
    return entry.build()


def make_ocsp(
    subject: Entity,
    issuer: Entity,
    *,
    status: str = "GOOD",
    responder: Entity | None = None,
    start: datetime = AT - HOUR,
    end: datetime | None = AT + HOUR,
    nonce: bytes | None = None,
    named_by=None,
    by_name: bool = False,
    signer=None,
    embed: bool = True,
    digest=None,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
) -> bytes:
    responder = responder or issuer
    encoding = ocsp.OCSPResponderEncoding
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            subject.certificate,
            issuer.certificate,
            named_by or SHA1(),
            ocsp.OCSPCertStatus[status],
            start,
            end,
            AT - 2 * HOUR if status == "REVOKED" else None,
            None,
        )
        .responder_id(encoding.NAME if by_name else encoding.HASH, responder.certificate)
    )
    if embed and responder is not issuer:
        builder = builder.certificates([responder.certificate])
    if nonce is not None:
        builder = builder.add_extension(x509.OCSPNonce(nonce), critical=False)
    for extension, critical in extra:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(signer or responder.key, digest or SHA256()).public_bytes(Encoding.DER)


def responder(issuer: Entity, **bent) -> Entity:
    fields = {
        "eku": [ExtendedKeyUsageOID.OCSP_SIGNING],
        "extra": [(x509.OCSPNoCheck(), False)],
        "policies": None,
    }
    return issuer.holder("Responder", **fields | bent)


def settings(*anchors, evidence: Evidence | None = None, **bent) -> Settings:
    fields: Mapping[str, object] = {
        "anchors": tuple(getattr(anchor, "der", anchor) for anchor in anchors),
        "at": AT,
        "require": Require(evidence=evidence or Evidence.NONE, indirect=True),
        "strict": False,
        # Counts decide, on a busy machine too.
        "bounds": Bounds(deadline_s=60),
    }
    return Settings(**{**fields, **bent})


def verdict(
    subject, *anchors, known=(), crls=(), ocsps=(), evidence: Evidence | None = None, **bent
) -> Verdict:
    """The verdict on an entity or its DER; revocation is asked exactly when evidence is given."""
    if evidence is None and (crls or ocsps):
        evidence = Evidence.ANY
    material = Material(
        known=[getattr(row, "der", row) for row in known], crls=tuple(crls), ocsps=tuple(ocsps)
    )
    der = getattr(subject, "der", subject)
    return Validator().validate(der, material, settings(*anchors, evidence=evidence, **bent))


def resign(der: bytes, old: bytes, new: bytes, key) -> bytes:
    """The artefact with bytes of its signed part replaced (of equal length) and signed again by a P-256 key."""
    assert len(old) == len(new)
    load = x509.load_der_x509_crl if b"\x55\x1d\x14" in der else x509.load_der_x509_certificate
    parsed = load(der)
    tbs = getattr(parsed, "tbs_certlist_bytes", None) or parsed.tbs_certificate_bytes
    assert tbs.count(old) >= 1
    return signed(tbs.replace(old, new), key)


def signed(tbs: bytes, key) -> bytes:
    """A certificate or list of this signed part, signed by a P-256 key."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")
    signature = key.sign(tbs, ec.ECDSA(SHA256()))
    return sequence(tbs + algorithm + _long(0x03, b"\x00" + signature))


def sequence(contents: bytes) -> bytes:
    """A DER SEQUENCE of these contents."""
    return _long(0x30, contents)


def _long(tag: int, contents: bytes) -> bytes:
    length = len(contents)
    if length < 0x80:
        return bytes([tag, length]) + contents
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(octets)]) + octets + contents
