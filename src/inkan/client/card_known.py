"""What a card itself tells of its holder, so that a new PIN is not made of it (JPKI-30)."""

from collections.abc import Iterable
from contextlib import suppress
from datetime import date

from inkan.client.card import CardCertificate
from inkan.client.card_refusals import CardAccessDenied
from inkan.client.guessable_pins import Known
from inkan.client.piv import Piv
from inkan.client.piv_layout import KEYS, KeyUse, read_certificate, read_number
from inkan.crypto import oid_names
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.holder_attributes import read_holder_attributes
from inkan.kernel.errors import Malformed


def birth_date_in(der: bytes) -> date | None:
    """Return the birth date that a certificate (DER) names; None where it names none that can be read."""
    with suppress(Malformed):
        value = parse_certificate(der).find_extension(oid_names.SUBJECT_DIRECTORY_ATTRIBUTES)
        return None if value is None else read_holder_attributes(value).birth_date
    return None


def known_of(certificates: Iterable[CardCertificate]) -> Known:
    """Return what the certificates of a card tell."""
    dates = (birth_date_in(each.der) for each in certificates)
    return Known(birth_date=next((each for each in dates if each is not None), None))


def read_known(piv: Piv) -> Known:
    """Return the card's number and the birth date in its signature certificate, as far as anybody may read them."""
    born, numbers = None, []
    with suppress(Malformed, CardAccessDenied):
        der = read_certificate(piv, KEYS[KeyUse.SIGNATURE].container)
        born = None if der is None else birth_date_in(der)
    with suppress(Malformed, CardAccessDenied):
        numbers.append(read_number(piv))
    return Known(birth_date=born, numbers=tuple(numbers))
