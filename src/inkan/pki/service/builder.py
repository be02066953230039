"""From a profile to a certificate builder: fill, never decide.

What is in a certificate follows from its profile, its order and its issuer; nothing here looks at who asks.
"""

import functools
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509.oid import (
    AuthorityInformationAccessOID,
    ExtendedKeyUsageOID,
)

from inkan.crypto import oid_names, oids
from inkan.crypto.cross_terms import CrossTerms
from inkan.crypto.cross_terms import extensions as cross_extensions
from inkan.crypto.keys import KeySpec, PublicKey, generate
from inkan.crypto.names import build_name
from inkan.kernel.clock import EPOCH
from inkan.pki.model import Authority, Role
from inkan.pki.rules import Profile, get_profile
from inkan.pki.service.hierarchy import PublicURLs

_EKU = {
    "ocsp_signing": ExtendedKeyUsageOID.OCSP_SIGNING,
    "client_auth": ExtendedKeyUsageOID.CLIENT_AUTH,
    "time_stamping": ExtendedKeyUsageOID.TIME_STAMPING,
}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)


class Contents(msgspec.Struct, frozen=True):
    """What differs from one certificate of a profile to the next."""

    subject: x509.Name
    spki: bytes
    serial: int
    not_before: datetime
    not_after: datetime
    shard: int = 0
    binding: bytes | None = None
    holder_attributes: bytes | None = None


def ca_name(*, country: str, organisation: str, common_name: str) -> x509.Name:
    """The distinguished name of an authority or signer."""
    return build_name((("C", country), ("O", organisation), ("CN", common_name)))


def holder_name(
    profile: Profile, *, country: str, common_name: str, serial_number: str
) -> x509.Name:
    """The distinguished name of a person: no national ID, a random number instead (design §5.2 step 5).

    A profile that names nobody leaves the number alone (WAT-59).
    """
    name = (("CN", common_name),) if profile.holder_name else ()
    return build_name((("C", country), *name, ("serialNumber", serial_number)))


def self_signed(profile: Profile, contents: Contents) -> x509.CertificateBuilder:
    """The builder of a root: its issuer is its subject."""
    builder = _start(contents, issuer=contents.subject)
    return _extend(builder, _fixed(profile, contents.spki, cps=None))


def issued(
    profile: Profile, contents: Contents, *, issuer: Authority, urls: PublicURLs
) -> x509.CertificateBuilder:
    """The builder of a certificate under an authority."""
    parts = _issuer(issuer.certificate)
    builder = _start(contents, issuer=parts.name)
    builder = _extend(
        builder, [(parts.key_identifier, False), *_fixed(profile, contents.spki, cps=urls.cps)]
    )
    if profile.revocation or profile.purpose == "ca":
        builder = _extend(builder, _pointers(issuer, contents.shard, urls))
    if profile.private_key_days is not None:
        builder = builder.add_extension(
            _key_period(contents.not_before, profile.private_key_days), critical=False
        )
    for oid, value in (
        (oids.PHONE_BINDING, contents.binding),
        (oid_names.SUBJECT_DIRECTORY_ATTRIBUTES, contents.holder_attributes),
    ):
        if value is not None:
            extension = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
            builder = builder.add_extension(extension, critical=False)
    return builder


def crossed(
    profile: Profile,
    contents: Contents,
    *,
    issuer: Authority,
    urls: PublicURLs,
    terms: CrossTerms,
) -> x509.CertificateBuilder:
    """The builder of an authority's certificate for another authority's key, on these terms."""
    parts = _issuer(issuer.certificate)
    key = load_der_public_key(contents.spki)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)  # type: ignore[arg-type]
    builder = _start(contents, issuer=parts.name)
    builder = _extend(builder, [(parts.key_identifier, False), (identifier, False)])
    builder = builder.add_extension(_usage(profile), critical=True)
    builder = _extend(builder, cross_extensions(terms))
    return _extend(builder, _pointers(issuer, contents.shard, urls))


def probe(name: x509.Name) -> x509.CertificateBuilder:
    """What a drill has a key sign, and nobody keeps: a certificate for nobody's key that ended in 1970."""
    return x509.CertificateBuilder(
        issuer_name=name,
        subject_name=x509.Name([]),
        public_key=generate(KeySpec.P256).public_key(),
        serial_number=1,
        not_valid_before=EPOCH,
        not_valid_after=EPOCH,
    )


class _Issuer(msgspec.Struct, frozen=True):
    name: x509.Name
    key_identifier: x509.AuthorityKeyIdentifier


@functools.lru_cache(maxsize=64)
def _issuer(der: bytes) -> _Issuer:
    certificate = x509.load_der_x509_certificate(der)
    ski = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return _Issuer(
        name=certificate.subject,
        key_identifier=x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ski),
    )


def _start(contents: Contents, *, issuer: x509.Name) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=contents.subject,
        public_key=load_der_public_key(contents.spki),  # type: ignore[arg-type]
        serial_number=contents.serial,
        not_valid_before=contents.not_before,
        not_valid_after=contents.not_after,
    )


def _extend(
    builder: x509.CertificateBuilder, rows: Iterable[tuple[x509.ExtensionType, bool]]
) -> x509.CertificateBuilder:
    for extension, critical in rows:
        builder = builder.add_extension(extension, critical=critical)
    return builder


def _fixed(
    profile: Profile, spki: bytes, *, cps: str | None
) -> list[tuple[x509.ExtensionType, bool]]:
    key = load_der_public_key(spki)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key)  # type: ignore[arg-type]
    return [(identifier, False), *_of_profile(profile.name, cps)]


@functools.cache
def _of_profile(name: str, cps: str | None) -> list[tuple[x509.ExtensionType, bool]]:
    """The extensions that every certificate of a profile shares; who holds a policy is told where its terms stand."""
    profile = get_profile(name)
    rows: list[tuple[x509.ExtensionType, bool]] = [(_usage(profile), True)]
    if profile.purpose == "ca":
        rows.append((x509.BasicConstraints(ca=True, path_length=profile.path_length), True))
    if profile.policies:
        terms = [cps] if cps is not None and profile.purpose != "ca" else None
        policies = [
            x509.PolicyInformation(x509.ObjectIdentifier(oids.POLICIES[each]), terms)
            for each in profile.policies
        ]
        rows.append((x509.CertificatePolicies(policies), False))
    if profile.extended_key_usage:
        usages = [_EKU[each] for each in profile.extended_key_usage]
        rows.append((x509.ExtendedKeyUsage(usages), profile.extended_key_usage_critical))
    if profile.ocsp_no_check:
        rows.append((x509.OCSPNoCheck(), False))
    return rows


def _usage(profile: Profile) -> x509.KeyUsage:
    return x509.KeyUsage(**{each: each in profile.key_usage for each in _USAGES})


def _key_period(begins: datetime, days: int) -> x509.PrivateKeyUsagePeriod:
    """When the key signs; the library takes UTC without a zone."""
    start = begins.replace(tzinfo=None)
    return x509.PrivateKeyUsagePeriod(start, start + timedelta(days=days))


@functools.lru_cache(maxsize=4096)
def _pointers(
    issuer: Authority, shard: int, urls: PublicURLs
) -> tuple[tuple[x509.ExtensionType, bool], ...]:
    """Where to ask about the certificate (RFC 5280 §4.2.1.13, §4.2.2.1); a root answers no OCSP."""
    list_url = urls.crl(issuer.name, shard=shard, shards=issuer.crl_shards)
    point = x509.DistributionPoint(
        full_name=[x509.UniformResourceIdentifier(list_url)],
        relative_name=None,
        reasons=None,
        crl_issuer=None,
    )
    places = [(AuthorityInformationAccessOID.CA_ISSUERS, urls.certificate(issuer.name))]
    if issuer.role is Role.ISSUING:
        places.insert(0, (AuthorityInformationAccessOID.OCSP, urls.ocsp(issuer.name)))
    access = [
        x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
        for method, url in places
    ]
    return (
        (x509.CRLDistributionPoints([point]), False),
        (x509.AuthorityInformationAccess(access), False),
    )


@functools.lru_cache(maxsize=64)
def public_key_of(authority: Authority) -> PublicKey:
    """The parsed public key of an authority."""
    return x509.load_der_x509_certificate(authority.certificate).public_key()  # type: ignore[return-value]
