"""Certificates of the tests: a holder's and an authority's, good as they are or with one thing changed."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID

from inkan.crypto import keys, names, oids
from inkan.crypto.keys import KeySpec
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding

CA_KEY = keys.generate(KeySpec.P256)
KEY = keys.generate(KeySpec.P256)
ISSUER = names.build_name([("C", "TW"), ("O", "Inkan"), ("CN", "Phone CA")])
SUBJECT = names.build_name([("C", "TW"), ("CN", "陳筱玲"), ("serialNumber", "ps7a2b")])
START = datetime(2026, 1, 1, tzinfo=UTC)
END = datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC)
BINDING = PhoneBinding(hashlib.sha256(b"credential").digest(), "bnd_abc")


Rows = dict[type[x509.ExtensionType] | str, tuple[x509.ExtensionType, bool]]


def usage(*bits: str) -> x509.KeyUsage:
    fields = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
    fields += ("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in bits for name in fields})


def holder_rows() -> Rows:
    uri = x509.UniformResourceIdentifier
    point = x509.DistributionPoint([uri("http://ca/7.crl")], None, None, None)
    access = [
        x509.AccessDescription(Access.OCSP, uri("http://ca/ocsp")),
        x509.AccessDescription(Access.CA_ISSUERS, uri("http://ca/phone.cer")),
    ]
    policy = x509.PolicyInformation(x509.ObjectIdentifier(oids.POLICY_PHONE_AUTH), None)
    values: list[tuple[x509.ExtensionType, bool]] = [
        (usage("digital_signature"), True),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False),
        (x509.CertificatePolicies([policy]), False),
        (x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(CA_KEY.public_key()), False),
        (x509.CRLDistributionPoints([point]), False),
        (x509.AuthorityInformationAccess(access), False),
    ]
    rows: Rows = {type(value): (value, critical) for value, critical in values}
    binding = x509.ObjectIdentifier(oids.PHONE_BINDING)
    rows["binding"] = (x509.UnrecognizedExtension(binding, encode_phone_binding(BINDING)), False)
    return rows


def ca_rows() -> Rows:
    rows = holder_rows()
    for kind in (x509.ExtendedKeyUsage, "binding"):
        del rows[kind]
    rows[x509.KeyUsage] = (usage("key_cert_sign", "crl_sign"), True)
    rows[x509.BasicConstraints] = (x509.BasicConstraints(ca=True, path_length=0), True)
    return rows


def issue(
    rows: Rows | None = None,
    *,
    subject: x509.Name = SUBJECT,
    issuer: x509.Name = ISSUER,
    public: Any = None,
    serial: int = 0x1234,
    term: tuple[datetime, datetime] = (START, END),
    signer: Any = CA_KEY,
    **options: Any,
) -> bytes:
    """DER of a certificate with these extensions; the signer's digest and padding may be chosen."""
    builder = x509.CertificateBuilder(issuer, subject, public or KEY.public_key(), serial, *term)
    for extension, critical in (holder_rows() if rows is None else rows).values():
        builder = builder.add_extension(extension, critical=critical)
    algorithm = options.pop("algorithm", SHA256())
    return builder.sign(signer, algorithm, **options).public_bytes(Encoding.DER)


GOOD = issue()


def with_rows(make: Callable[[], Rows] = holder_rows, **changes: Any) -> bytes:
    """The good certificate with extensions replaced (a pair) or left out (None), by class name."""
    rows = {kind if isinstance(kind, str) else kind.__name__: row for kind, row in make().items()}
    rows.update(changes)
    return issue({name: row for name, row in rows.items() if row is not None})
