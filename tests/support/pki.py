"""A small PKI for tests, built with cryptography's builders and never with the product's.

``Authority.root()`` makes a root, ``.subordinate()`` an authority below it, ``.issue()`` a certificate, ``.crl()`` and
``.ocsp()`` revocation evidence. Everything is dated around ``AT``; every departure is a keyword.

    hierarchy = Hierarchy()
    hierarchy.leaf.certificate, hierarchy.leaf.key, hierarchy.policy()
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.path import KeyUsage, ValidationPolicy
from support.keyring import ec_key, rsa_key

AT = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = "2.25.1.1"
OTHER_POLICY = "2.25.1.2"
OCSP_URL = "http://pki.localhost/ocsp"
USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

_serials = count(2**64 + 1)
_keys = count(1000)


def key_usage(*bits: str) -> x509.KeyUsage:
    flags = {usage: usage in bits for usage in USAGES}
    return x509.KeyUsage(**flags, encipher_only=False, decipher_only=False)


def name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "TW"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def digest_of(key):
    return SHA384() if isinstance(getattr(key, "curve", None), ec.SECP384R1) else SHA256()


@dataclass(frozen=True)
class Issued:
    """A certificate and its key."""

    certificate: Certificate
    key: object

    @property
    def der(self) -> bytes:
        return self.certificate.der


@dataclass(frozen=True)
class Authority:
    """An issuer: certificate, key, and everything that it can sign."""

    certificate: Certificate
    key: object

    @property
    def der(self) -> bytes:
        return self.certificate.der

    @classmethod
    def root(cls, text: str = "Test Root", **bent) -> "Authority":
        key = ec_key(next(_keys), curve=ec.SECP384R1)
        return cls(_certificate(name(text), name(text), key, key, ca=True, aki=None, **bent), key)

    def subordinate(self, text: str = "Test Issuing CA", *, key=None, **bent) -> "Authority":
        key = key or ec_key(next(_keys))
        return Authority(self._sign(text, key, ca=True, **{"policies": [POLICY]} | bent), key)

    def issue(self, text: str = "Holder", *, key=None, **bent) -> Issued:
        """An end-entity certificate; see ``_certificate`` for what can be bent."""
        key = key or ec_key(0)
        return Issued(self._sign(text, key, **{"policies": [POLICY]} | bent), key)

    def responder(self, **bent) -> Issued:
        """A delegated OCSP responder (RFC 6960 §4.2.2.2)."""
        defaults = {
            "usage": ["digital_signature"],
            "eku": [ExtendedKeyUsageOID.OCSP_SIGNING],
            "extra": [(x509.OCSPNoCheck(), False)],
            "policies": [],
        }
        return self.issue("OCSP responder", key=ec_key(next(_keys)), **defaults | bent)

    def _sign(self, text: str, key, **bent) -> Certificate:
        identifier = x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()).digest
        issuer = self.certificate.subject
        subject = bent.pop("subject", None) or name(text)
        return _certificate(subject, issuer, key, self.key, **{"aki": identifier} | bent)

    def crl(
        self,
        revoked: Mapping[Certificate | int, str] | Iterable[Certificate] = (),
        *,
        number: int | None = 1,
        this_update: datetime = AT - timedelta(hours=1),
        next_update: datetime = AT + DAY,
        revoked_at: datetime = AT - timedelta(hours=2),
        url: str | None = None,
        idp: Mapping[str, object] | None = None,
        idp_critical: bool = True,
        delta_of: int | None = None,
        freshest: str | None = None,
        extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
        signer: "Authority | None" = None,
        aki: bytes | None = None,
        issuer: x509.Name | None = None,
        digest=None,
    ) -> bytes:
        """A CRL; ``revoked`` holds certificates or serial numbers, with a reason (RFC 5280 name) or without."""
        key = (signer or self).key
        identifier = aki or x509.SubjectKeyIdentifier.from_public_key(key.public_key()).digest
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer or self.certificate.subject)
            .last_update(this_update)
            .next_update(next_update)
            .add_extension(x509.AuthorityKeyIdentifier(identifier, None, None), critical=False)
        )
        if number is not None:
            builder = builder.add_extension(x509.CRLNumber(number), critical=False)
        if url or idp:
            builder = builder.add_extension(_idp(url, idp or {}), critical=idp_critical)
        if delta_of is not None:
            builder = builder.add_extension(x509.DeltaCRLIndicator(delta_of), critical=True)
        if freshest is not None:
            builder = builder.add_extension(x509.FreshestCRL(_points(freshest)), critical=False)
        for extension, critical in extra:
            builder = builder.add_extension(extension, critical=critical)
        reasons = revoked if isinstance(revoked, Mapping) else dict.fromkeys(revoked)
        for certificate, reason in reasons.items():
            serial = certificate if isinstance(certificate, int) else certificate.serial
            entry = (
                x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(revoked_at)
            )
            if reason:
                entry = entry.add_extension(
                    x509.CRLReason(x509.ReasonFlags(reason)), critical=False
                )
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key, digest or digest_of(key)).public_bytes(Encoding.DER)

    def ocsp(
        self,
        certificate: Certificate,
        *,
        status: str = "good",
        responder: Issued | None = None,
        issuer: "Authority | None" = None,
        this_update: datetime = AT - timedelta(hours=1),
        next_update: datetime | None = AT + timedelta(hours=1),
        revoked_at: datetime = AT - timedelta(hours=2),
        reason: str | None = None,
        nonce: bytes | None = None,
        by_name: bool = False,
        embed: Iterable[Certificate] | None = None,
        digest=None,
        signer=None,
        critical_nonce: bool = False,
    ) -> bytes:
        """An OCSP response about one certificate, by a delegated responder unless one is given."""
        responder = responder or self.responder()
        is_revoked = status == "revoked"
        embedded = [responder.certificate] if embed is None else list(embed)
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                certificate.x509,
                (issuer or self).certificate.x509,
                SHA1(),
                ocsp.OCSPCertStatus[status.upper()],
                this_update,
                next_update,
                revoked_at if is_revoked else None,
                x509.ReasonFlags(reason) if reason else None,
            )
            .responder_id(
                ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH,
                responder.certificate.x509,
            )
        )
        if embedded:
            builder = builder.certificates([row.x509 for row in embedded])
        if nonce is not None:
            builder = builder.add_extension(x509.OCSPNonce(nonce), critical=critical_nonce)
        key = signer or responder.key
        return builder.sign(key, digest or digest_of(key)).public_bytes(Encoding.DER)


def _points(url: str) -> list[x509.DistributionPoint]:
    return [x509.DistributionPoint([x509.UniformResourceIdentifier(url)], None, None, None)]


def _idp(url: str | None, bent: Mapping[str, object]) -> x509.IssuingDistributionPoint:
    fields = {
        "full_name": [x509.UniformResourceIdentifier(url)] if url else None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    }
    return x509.IssuingDistributionPoint(**fields | dict(bent))


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key,
    issuer_key,
    *,
    ca: bool = False,
    aki: bytes | None = None,
    usage: Iterable[str] | None = None,
    eku: Iterable[x509.ObjectIdentifier] = (),
    policies: Iterable[str] = (),
    path_length: int | None = None,
    not_before: datetime = AT - 30 * DAY,
    not_after: datetime = AT + 300 * DAY,
    serial: int | None = None,
    crl_url: str | None = None,
    freshest: str | None = None,
    ocsp_url: str | None = None,
    extra: Iterable[tuple[x509.ExtensionType, bool]] = (),
    ski: bytes | None = None,
    digest=None,
) -> Certificate:
    if usage is None:
        usage = ["key_cert_sign", "crl_sign"] if ca else ["digital_signature"]
    identifier = x509.SubjectKeyIdentifier(ski) if ski else None
    extensions = [
        (x509.BasicConstraints(ca=ca, path_length=path_length), True),
        (key_usage(*usage), True),
        (identifier or x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
    ]
    if aki is not None:
        extensions.append((x509.AuthorityKeyIdentifier(aki, None, None), False))
    if eku:
        extensions.append((x509.ExtendedKeyUsage(list(eku)), False))
    if policies:
        rows = [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in policies]
        extensions.append((x509.CertificatePolicies(rows), False))
    if crl_url:
        extensions.append((x509.CRLDistributionPoints(_points(crl_url)), False))
    if freshest:
        extensions.append((x509.FreshestCRL(_points(freshest)), False))
    if ocsp_url:
        where = x509.UniformResourceIdentifier(ocsp_url)
        access = x509.AccessDescription(AuthorityInformationAccessOID.OCSP, where)
        extensions.append((x509.AuthorityInformationAccess([access]), False))
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(serial or next(_serials))
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )
    for extension, critical in [*extensions, *extra]:
        builder = builder.add_extension(extension, critical=critical)
    signed = builder.sign(issuer_key, digest or digest_of(issuer_key))
    return parse_certificate(signed.public_bytes(Encoding.DER))


@dataclass
class Hierarchy:
    """Root (P-384), issuing authority (P-256), one holder, and clean CRLs of both authorities."""

    root: Authority = field(default_factory=Authority.root)
    issuing: Authority = field(default=None)
    leaf: Issued = field(default=None)

    def __post_init__(self):
        self.issuing = self.issuing or self.root.subordinate()
        self.leaf = self.leaf or self.issuing.issue()

    @property
    def crls(self) -> tuple[bytes, ...]:
        return self.root.crl(), self.issuing.crl()

    def policy(self, **bent) -> ValidationPolicy:
        settings = {
            "anchors": (self.root.der,),
            "at": AT,
            "key_usage": frozenset({KeyUsage.DIGITAL_SIGNATURE}),
            "policies": frozenset({POLICY}),
            "intermediates": (self.issuing.der,),
            "crls": self.crls,
        }
        return ValidationPolicy(**settings | bent)


def rsa_leaf(issuing: Authority, **bent) -> Issued:
    return issuing.issue(key=rsa_key(), **bent)
