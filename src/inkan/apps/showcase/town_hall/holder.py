"""What a certificate says of the person who holds it, and whether that is the person named in a form."""

import unicodedata
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final

import msgspec
from asn1crypto import core
from asn1crypto.x509 import DirectoryString

from inkan.apps.showcase.town_hall.forms import Form, PersonFact
from inkan.crypto.certificates import Certificate, CertificateMalformed
from inkan.crypto.holder_attributes import join_lines
from inkan.wire.card_request import SubmissionContent

_DIRECTORY_ATTRIBUTES: Final = "2.5.29.9"  # RFC 5280 §4.2.1.8
_BIRTH_DATE: Final = "1.3.6.1.5.5.7.9.1"  # RFC 3739 §3.2.2: GeneralizedTime
_POSTAL_ADDRESS: Final = "2.5.4.16"  # X.520 §6.6.1: SEQUENCE OF DirectoryString
_PARSER_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class Mismatch(msgspec.Struct, frozen=True):
    """Where form and certificate do not speak of one person.

    Attributes:
        fact: which one.
        named: as the form has it.
        certified: as the certificate has it; empty when it says nothing.
    """

    fact: PersonFact
    named: str
    certified: str


class _Values(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


class _Attribute(core.Sequence):  # type: ignore[misc]
    _fields = [("type", core.ObjectIdentifier), ("values", _Values)]  # noqa: RUF012 - asn1crypto reads a list


class _Attributes(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Attribute


class _Lines(core.SequenceOf):  # type: ignore[misc]
    _child_spec = DirectoryString


def read_holder(certificate: Certificate) -> Mapping[PersonFact, str]:
    """Return what the certificate states of its holder; a fact that it does not state is left out.

    Raises:
        CertificateMalformed: it states something in a form that nobody can read.
    """
    stated = {PersonFact.NAME: certificate.common_name or ""}
    extension = certificate.find_extension(_DIRECTORY_ATTRIBUTES)
    if extension is not None:
        try:
            stated |= _directory(extension)
        except _PARSER_ERRORS as error:
            # A fact that cannot be read is no fact that is missing: nobody is compared by the rest alone.
            raise CertificateMalformed(f"subject directory attributes: {error}") from None
    return MappingProxyType(stated)


def find_mismatch(
    form: Form, content: SubmissionContent, holder: Mapping[PersonFact, str]
) -> Mismatch | None:
    """Return the first item of the form that names another person than the certificate, None when there is none.

    The name has to be the same. Birth date and address are compared where the certificate states them: those of some
    countries hold the name alone.
    """
    values = {field.name: field.value for field in content.fields}
    for item in form.items:
        if item.of is None:
            continue
        named, certified = values.get(item.name, ""), holder.get(item.of)
        if certified is None and item.of is not PersonFact.NAME:
            continue
        if not certified or _folded(named) != _folded(certified):
            return Mismatch(item.of, named, certified or "")
    return None


def _folded(text: str) -> str:
    """Full-width forms and blanks make no difference; any other letter does."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _directory(extension: bytes) -> dict[PersonFact, str]:
    found: dict[PersonFact, str] = {}
    for attribute in _Attributes.load(extension, strict=True):
        kind, value = attribute["type"].dotted, attribute["values"][0]
        if kind == _BIRTH_DATE:
            born: date = value.parse(core.GeneralizedTime).native.date()
            found[PersonFact.BIRTH_DATE] = born.isoformat()
        elif kind == _POSTAL_ADDRESS:
            found[PersonFact.ADDRESS] = join_lines(value.parse(_Lines).native)
    return found
