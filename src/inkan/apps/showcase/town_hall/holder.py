"""What a certificate says of the person who holds it, and whether that is the person named in a form."""

import unicodedata
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.apps.showcase.town_hall.forms import Form, PersonFact
from inkan.crypto.certificates import Certificate, CertificateMalformed
from inkan.crypto.der import DERMalformed
from inkan.crypto.holder_attributes import HolderAttributesMalformed, read_holder_attributes
from inkan.wire.card_request import SubmissionContent

_DIRECTORY_ATTRIBUTES: Final = "2.5.29.9"  # RFC 5280 §4.2.1.8


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
        except (DERMalformed, HolderAttributesMalformed) as error:
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
    read = read_holder_attributes(extension)
    found: dict[PersonFact, str] = {}
    if read.birth_date is not None:
        found[PersonFact.BIRTH_DATE] = read.birth_date.isoformat()
    if read.address is not None:
        found[PersonFact.ADDRESS] = read.address
    return found
