"""The extensions of certificates (RFC 5280 §4.2) as lines for people: one function a kind, in one table.

A kind that is not in the table, and one whose contents do not fit, is shown in hexadecimal by the caller.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar, Final

from asn1crypto import core
from cryptography import x509
from cryptography.x509.oid import AuthorityInformationAccessOID

from inkan.crypto import oid_names, oids
from inkan.crypto.certificate_view import Line
from inkan.crypto.holder_attributes import join_lines
from inkan.crypto.phone_binding import parse_phone_binding
from inkan.crypto.workers.certificate_values import (
    general_name,
    general_names,
    hexadecimal,
    visible,
)

_POLICY_MAPPINGS: Final = "2.5.29.33"
_ACCESS: Final = {
    AuthorityInformationAccessOID.OCSP.dotted_string: "OCSP",
    AuthorityInformationAccessOID.CA_ISSUERS.dotted_string: "Certificate of the issuer",
}


class _Values(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


class _Attribute(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [("type", core.ObjectIdentifier), ("values", _Values)]


class _Attributes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Attribute


class _Mapping(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [("issuer", core.ObjectIdentifier), ("subject", core.ObjectIdentifier)]


class _Mappings(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Mapping


def lines_of(value: x509.ExtensionType | None, oid: str, raw: bytes) -> Iterable[Line]:
    """Return the lines of an extension, none for an unknown kind.

    Args:
        value: as the library decoded it, or None.
        oid: of the extension, dotted.
        raw: DER of the value.

    Raises:
        ValueError and its like: contents that do not fit their kind.
    """
    if value is not None and type(value) in _KINDS:
        return _KINDS[type(value)](value)
    return _OWN[oid](raw) if oid in _OWN else ()


def directory_attributes(raw: bytes) -> Iterator[tuple[str, str]]:
    """Yield OID and text of the attributes of SubjectDirectoryAttributes (RFC 5280 §4.2.1.8).

    Raises:
        ValueError and its like: not such a value.
    """
    for attribute in _Attributes.load(raw, strict=True):
        for value in attribute["values"]:
            yield attribute["type"].dotted, _text(value.native)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y%m%d")
    if isinstance(value, Mapping):
        # A sequence without a known structure: its members by their places, here the lines of a postal address.
        return join_lines([_text(each) for each in value.values()])
    return visible(value) if isinstance(value, str) else hexadecimal(bytes(value))


def _listed(term: str, values: Iterable[str]) -> Iterator[Line]:
    """Lines of which only the first says what they are."""
    for place, value in enumerate(values):
        yield Line("" if place else term, value)


def _basic_constraints(value: x509.BasicConstraints) -> Iterator[Line]:
    yield Line("Kind", words=("Certification authority" if value.ca else "No authority",))
    if value.path_length is not None:
        yield Line("Authorities below it at most", str(value.path_length))


def _key_usage(value: x509.KeyUsage) -> Iterator[Line]:
    term = "Purpose"
    for field, name, meaning in oid_names.KEY_USAGES:
        if getattr(value, field):
            yield Line(term, name, (meaning,))
            term = ""
    if value.key_agreement and (value.encipher_only or value.decipher_only):
        yield Line("", "encipherOnly" if value.encipher_only else "decipherOnly")


def _extended_key_usage(value: x509.ExtendedKeyUsage) -> Iterator[Line]:
    for place, oid in enumerate(value):
        name, meaning = oid_names.PURPOSES.get(oid.dotted_string, ("", ""))
        told = f"{name} ({oid.dotted_string})" if name else oid.dotted_string
        yield Line("" if place else "Purpose", told, (meaning,) if meaning else ())


def _policies(value: x509.CertificatePolicies) -> Iterator[Line]:
    for policy in value:
        oid = policy.policy_identifier.dotted_string
        meaning = oid_names.POLICIES.get(oid)
        yield Line("Policy", oid, (meaning,) if meaning else ())
        for qualifier in policy.policy_qualifiers or ():
            if isinstance(qualifier, str):
                yield Line("Practice statement", visible(qualifier))
            elif qualifier.explicit_text:
                yield Line("Notice", visible(qualifier.explicit_text))


def _policy_constraints(value: x509.PolicyConstraints) -> Iterator[Line]:
    if value.require_explicit_policy is not None:
        yield Line("Explicit policy required after", str(value.require_explicit_policy))
    if value.inhibit_policy_mapping is not None:
        yield Line("No policy mapping after", str(value.inhibit_policy_mapping))


def _name_constraints(value: x509.NameConstraints) -> Iterator[Line]:
    yield from _listed("Admitted", general_names(value.permitted_subtrees))
    yield from _listed("Excluded", general_names(value.excluded_subtrees))


def _points(value: Any) -> Iterator[Line]:
    for point in value:
        yield from _listed("Address", general_names(point.full_name))
        yield from _listed("Issuer of the list", general_names(point.crl_issuer))
        reasons = sorted(reason.value for reason in point.reasons or ())
        yield from _listed("Reasons", [", ".join(reasons)] if reasons else [])


def _access(value: Any) -> Iterator[Line]:
    for each in value:
        method = each.access_method.dotted_string
        yield Line(_ACCESS.get(method, "Address"), general_name(each.access_location))


def _authority_key(value: x509.AuthorityKeyIdentifier) -> Iterator[Line]:
    if value.key_identifier is not None:
        yield Line("Key identifier", hexadecimal(value.key_identifier))
    yield from _listed("Issuer", general_names(value.authority_cert_issuer))
    if value.authority_cert_serial_number is not None:
        yield Line("Serial number", f"{value.authority_cert_serial_number:X}")


def _key_period(value: x509.PrivateKeyUsagePeriod) -> Iterator[Line]:
    for term, moment in (("From", value.not_before), ("Until", value.not_after)):
        if moment is not None:
            yield Line(term, f"{moment:%Y-%m-%d %H:%M:%S} UTC")


def _mappings(raw: bytes) -> Iterator[Line]:
    for pair in _Mappings.load(raw, strict=True):
        yield Line("Mapping", f"{pair['issuer'].dotted} → {pair['subject'].dotted}")


def _attributes(raw: bytes) -> Iterator[Line]:
    for oid, text in directory_attributes(raw):
        yield Line(
            oid_names.OTHER_NAMES.get(oid, ""),
            text if oid in oid_names.OTHER_NAMES else f"{oid}: {text}",
        )


def _binding(raw: bytes) -> Iterator[Line]:
    binding = parse_phone_binding(raw)
    yield Line("Binding", visible(binding.binding_id))
    yield Line("SHA-256 of the passkey", hexadecimal(binding.credential_sha256))


def _transparency(value: Any) -> Iterator[Line]:
    for each in value:
        yield Line("Log", f"{hexadecimal(each.log_id)} · {each.timestamp:%Y-%m-%d %H:%M:%S} UTC")


_KINDS: Final[Mapping[type, Callable[[Any], Iterable[Line]]]] = {
    x509.BasicConstraints: _basic_constraints,
    x509.KeyUsage: _key_usage,
    x509.ExtendedKeyUsage: _extended_key_usage,
    x509.CertificatePolicies: _policies,
    x509.PolicyConstraints: _policy_constraints,
    x509.InhibitAnyPolicy: lambda value: [Line("After", str(value.skip_certs))],
    x509.NameConstraints: _name_constraints,
    x509.CRLDistributionPoints: _points,
    x509.FreshestCRL: _points,
    x509.AuthorityInformationAccess: _access,
    x509.SubjectInformationAccess: _access,
    x509.SubjectKeyIdentifier: lambda value: [Line("Key identifier", hexadecimal(value.digest))],
    x509.AuthorityKeyIdentifier: _authority_key,
    x509.SubjectAlternativeName: lambda value: _listed("Names", general_names(value)),
    x509.IssuerAlternativeName: lambda value: _listed("Names", general_names(value)),
    x509.PrivateKeyUsagePeriod: _key_period,
    x509.OCSPNoCheck: lambda _: [Line("Kind", words=("Short-lived, without a status of its own",))],
    x509.TLSFeature: lambda value: _listed("Feature", [each.name for each in value]),
    x509.PrecertificateSignedCertificateTimestamps: _transparency,
}
_OWN: Final[Mapping[str, Callable[[bytes], Iterable[Line]]]] = {
    oids.PHONE_BINDING: _binding,
    _POLICY_MAPPINGS: _mappings,
    oid_names.SUBJECT_DIRECTORY_ATTRIBUTES: _attributes,
}
