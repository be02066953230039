"""Any certificate, ours or a stranger's, taken apart for people to look at (JPKI-14, JPKI-15). Runs in a worker.

The strict gate of :mod:`inkan.crypto.certificates` would refuse what a viewer has to show: old algorithms, weak keys,
missing extensions. So this reader admits whatever the library can read at all, decodes what it knows and shows the
rest in hexadecimal. Characters that would change how a text looks without being seen are written out (threat 22).
"""

import contextlib
import hashlib
import re
import warnings
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from inkan.crypto import oid_names
from inkan.crypto.certificate_file import read_certificate_file
from inkan.crypto.certificate_view import (
    CertificateView,
    ExtensionView,
    Holder,
    Line,
    NamePart,
    Sex,
)
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.workers.certificate_values import hexadecimal, other_name_text, visible
from inkan.crypto.workers.extension_reader import directory_attributes, lines_of
from inkan.crypto.workers.raw_certificate import raw_extensions
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import Malformed

# What asn1crypto raises besides, at the moment when a field is first looked at.
_REFUSALS: Final = (*LIBRARY_REFUSALS, KeyError, IndexError, OverflowError)
_SEXES: Final[Mapping[str, Sex]] = {
    "1": Sex.MALE,
    "2": Sex.FEMALE,
    "3": Sex.UNSTATED,
    "M": Sex.MALE,
    "F": Sex.FEMALE,
}
# Japan writes one digit for the era before a common-era date; others write the date, or date and time.
_DATE: Final = re.compile(
    r"[0-9]?([0-9]{4})([0-9]{2})([0-9]{2})|([0-9]{4})-?([0-9]{2})-?([0-9]{2}).*"
)
_ISSUER_TERMS: Final = ("2.5.4.3", "2.5.4.11", "2.5.4.10")
_ADDRESS_TERMS: Final = ("2.5.4.8", "2.5.4.7", "2.5.4.9")


def read_certificate(data: bytes) -> CertificateView:
    """Return the first certificate of a file (DER, PEM, base64) as values for people.

    Raises:
        CertificateFileTooLarge, CertificateFileUnreadable: see :func:`read_certificate_file`.
        CertificateMalformed: the bytes are no certificate.
    """
    file = read_certificate_file(data)
    try:
        with warnings.catch_warnings():
            # The library only warns of what is wrong with a stranger's certificate; here it is shown.
            warnings.simplefilter("ignore")
            return _view(file.der, file.count)
    except _REFUSALS as error:
        raise CertificateMalformed(f"not a certificate: {type(error).__name__}") from None


def _view(der: bytes, count: int) -> CertificateView:
    parsed = x509.load_der_x509_certificate(der)
    extensions = _extensions(der, parsed)
    decoded = _decoded(parsed)
    issuer = _name(parsed.issuer)
    return CertificateView(
        der=der,
        count=count,
        version=parsed.version.name,
        serial=f"{parsed.serial_number:x}",
        holder=_holder(parsed.subject, decoded or {}),
        issuer_name=_short(issuer),
        subject=_name(parsed.subject),
        issuer=issuer,
        not_before=parsed.not_valid_before_utc,
        not_after=parsed.not_valid_after_utc,
        signature_algorithm=_algorithm(parsed.signature_algorithm_oid.dotted_string),
        key=_key(parsed),
        extensions=extensions,
        extensions_readable=decoded is not None,
        signature=hexadecimal(parsed.signature),
        sha256=hexadecimal(hashlib.sha256(der).digest()),
        # Older software shows this one; nothing here decides by it.
        sha1=hexadecimal(hashlib.sha1(der, usedforsecurity=False).digest()),
    )


def _algorithm(oid: str) -> str:
    named = oid_names.SIGNATURES.get(oid)
    return f"{named} ({oid})" if named else oid


def _name(name: x509.Name) -> tuple[NamePart, ...]:
    return tuple(
        NamePart(
            oid_names.ATTRIBUTES.get(part.oid.dotted_string, ""),
            part.oid.dotted_string,
            visible(part.value) if isinstance(part.value, str) else hexadecimal(part.value),
        )
        for part in name
    )


def _short(parts: tuple[NamePart, ...]) -> str:
    for wanted in _ISSUER_TERMS:
        found = [part.value for part in parts if part.oid == wanted]
        if found:
            return found[-1]
    return ", ".join(part.value for part in parts)


def _key(parsed: x509.Certificate) -> tuple[Line, ...]:
    try:
        key = parsed.public_key()
        spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except _REFUSALS:
        return (Line("Algorithm", parsed.public_key_algorithm_oid.dotted_string),)
    return (
        Line("Algorithm", _kind_of(key)),
        *_numbers_of(key),
        Line("SHA-256 of the key", hexadecimal(hashlib.sha256(spki).digest())),
    )


def _kind_of(key: Any) -> str:
    if isinstance(key, RSAPublicKey):
        return f"RSA, {key.key_size} bit"
    if isinstance(key, EllipticCurvePublicKey):
        return f"ECC, {key.curve.name}, {key.key_size} bit"
    return str(type(key).__name__).removesuffix("PublicKey")


def _numbers_of(key: Any) -> tuple[Line, ...]:
    if isinstance(key, RSAPublicKey):
        numbers = key.public_numbers()
        modulus = numbers.n.to_bytes((numbers.n.bit_length() + 7) // 8, "big")
        return Line("Modulus", hexadecimal(modulus)), Line("Exponent", str(numbers.e))
    if isinstance(key, EllipticCurvePublicKey):
        point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return (Line("Point", hexadecimal(point)),)
    return ()


def _decoded(parsed: x509.Certificate) -> dict[str, x509.ExtensionType] | None:
    """The extensions by OID; None when one of them is broken, since the library reads all or none."""
    try:
        return {each.oid.dotted_string: each.value for each in parsed.extensions}
    except _REFUSALS:
        return None


def _extensions(der: bytes, parsed: x509.Certificate) -> tuple[ExtensionView, ...]:
    decoded = _decoded(parsed) or {}
    return tuple(
        ExtensionView(
            oid=oid,
            name=oid_names.EXTENSIONS.get(oid, ""),
            critical=critical,
            lines=_lines(decoded.get(oid), oid, value),
        )
        for oid, critical, value in raw_extensions(der)
    )


def _lines(value: x509.ExtensionType | None, oid: str, raw: bytes) -> tuple[Line, ...]:
    try:
        lines = tuple(lines_of(value, oid, raw))
    except (*_REFUSALS, Malformed):
        lines = ()
    return lines or (Line("Value", hexadecimal(raw)),)


def _holder(subject: x509.Name, extensions: Mapping[str, x509.ExtensionType]) -> Holder:
    facts = _personal_facts(extensions)
    parts = {part.oid: part.value for part in _name(subject)}
    full = " ".join(parts[oid] for oid in ("2.5.4.42", "2.5.4.4") if oid in parts)
    places = " ".join(parts[oid] for oid in _ADDRESS_TERMS if oid in parts)
    organised = parts.get("2.5.4.11") or parts.get("2.5.4.10")
    return Holder(
        name=facts.get(oid_names.JPKI_NAME) or parts.get("2.5.4.3") or full or organised,
        birth_date=_date(
            facts.get(oid_names.JPKI_BIRTH_DATE) or facts.get(oid_names.DATE_OF_BIRTH)
        ),
        sex=_SEXES.get(facts.get(oid_names.JPKI_SEX) or facts.get(oid_names.GENDER) or ""),
        address=facts.get(oid_names.JPKI_ADDRESS)
        or facts.get(oid_names.POSTAL_ADDRESS)
        or parts.get(oid_names.POSTAL_ADDRESS)
        or places
        or None,
    )


def _personal_facts(extensions: Mapping[str, x509.ExtensionType]) -> dict[str, str]:
    """Facts by OID: other names as Japan has them, directory attributes as RFC 3739 has them."""
    facts: dict[str, str] = {}
    names = extensions.get("2.5.29.17")
    if isinstance(names, x509.SubjectAlternativeName):
        for name in names:
            if isinstance(name, x509.OtherName) and (text := other_name_text(name)):
                facts.setdefault(name.type_id.dotted_string, text)
    attributes = extensions.get(oid_names.SUBJECT_DIRECTORY_ATTRIBUTES)
    if isinstance(attributes, x509.UnrecognizedExtension):
        with contextlib.suppress(*_REFUSALS):
            facts |= dict(directory_attributes(attributes.value))
    return facts


def _date(text: str | None) -> date | None:
    found = _DATE.fullmatch(text or "")
    if found is None:
        return None
    year, month, day = found.groups()[:3] if found[1] else found.groups()[3:]
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None
