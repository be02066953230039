"""What a certificate says of a natural person beside the name: SubjectDirectoryAttributes (RFC 5280 §4.2.1.8).

A card's signature certificate holds birth date, sex and address of its holder (JPKI-09). They stand in one extension,
not critical, in this order and this spelling, so that the same facts are always the same bytes:

    dateOfBirth    1.3.6.1.5.5.7.9.1  GeneralizedTime, noon GMT, so that the day is the same in every zone (RFC 3739 §3.2.2)
    gender         1.3.6.1.5.5.7.9.3  PrintableString, M or F; left out where it is not stated (RFC 3739 §3.2.2)
    postalAddress  2.5.4.16           SEQUENCE SIZE (1..6) OF UTF8String, 30 characters each (X.520 §6.6.1)

An address is cut into lines of exactly 30 characters, so :func:`join_lines` gives back what the register spells.
"""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Final, NamedTuple

from inkan.crypto import der_writer
from inkan.crypto.certificate_view import Sex
from inkan.crypto.der import DERMalformed, verify_der
from inkan.crypto.der_values import Members
from inkan.crypto.der_writer import GENERALIZED_TIME, SEQUENCE
from inkan.kernel.errors import Malformed

LINE_LENGTH: Final = 30
MAX_LINES: Final = 6

_OBJECT_IDENTIFIER: Final = 0x06
_SET: Final = 0x31
_PRINTABLE_STRING: Final = 0x13
_UTF8_STRING: Final = 0x0C
_TEXTS: Final = (_UTF8_STRING, _PRINTABLE_STRING)
_NOON: Final = time(12, tzinfo=UTC)
_DATE_OF_BIRTH: Final = bytes.fromhex("06082b06010505070901")
_GENDER: Final = bytes.fromhex("06082b06010505070903")
_POSTAL_ADDRESS: Final = bytes.fromhex("0603550410")
_LETTERS: Final[Mapping[Sex, bytes]] = {Sex.MALE: b"M", Sex.FEMALE: b"F", Sex.UNSTATED: b""}
# As in names: nothing that changes how a text looks without being seen (threat 22).
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"})


class HolderAttributesMalformed(Malformed):
    """A fact about a person cannot be written into a certificate."""

    code = "holder_attributes_malformed"
    title = "A fact about the holder cannot be written into a certificate"
    public = ("where",)


class HolderAttributes(NamedTuple):
    """What the extension states, as far as programs compare it; None for what it does not."""

    birth_date: date | None
    address: str | None


def encode_holder_attributes(birth_date: date, sex: Sex, address: str) -> bytes:
    """Return the DER value of the extension.

    Raises:
        HolderAttributesMalformed: with the fact ``where``: the address is empty, longer than 180 characters, padded
            with blanks or holds invisible characters.
    """
    noon = datetime.combine(birth_date, _NOON)
    letter = _LETTERS[sex]
    attributes = [_attribute(_DATE_OF_BIRTH, der_writer.generalized_time(noon))]
    if letter:
        attributes.append(_attribute(_GENDER, der_writer.value(_PRINTABLE_STRING, letter)))
    lines = [der_writer.value(_UTF8_STRING, each.encode()) for each in _cut(address)]
    attributes.append(_attribute(_POSTAL_ADDRESS, der_writer.value(SEQUENCE, *lines)))
    return der_writer.value(SEQUENCE, *attributes)


def join_lines(lines: Sequence[str]) -> str:
    """Return an address of its lines: a full line goes on in the next one, any other ends with a blank."""
    joined = "".join(line if len(line) == LINE_LENGTH else f"{line} " for line in lines[:-1])
    return joined + "".join(lines[-1:])


def read_holder_attributes(value: bytes) -> HolderAttributes:
    """Return birth date and address in the DER value of the extension; None for what it does not state.

    Raises:
        DERMalformed: it is no such extension.
        HolderAttributesMalformed: with the fact ``where``: the date is none of the calendar, or a line of the address
            is no PrintableString or UTF8String.
    """
    verify_der(value)
    attributes, birth_date, address = Members(value).enter(SEQUENCE), None, None
    while attributes.next_is(SEQUENCE):
        attribute = attributes.enter(SEQUENCE)
        kind, values = attribute.take_whole(_OBJECT_IDENTIFIER), attribute.enter(_SET)
        if kind == _DATE_OF_BIRTH:
            birth_date = _day(values.take(GENERALIZED_TIME))
        elif kind == _POSTAL_ADDRESS:
            address = join_lines(list(_lines(values.enter(SEQUENCE))))
    attributes.finish()
    return HolderAttributes(birth_date, address)


def _day(moment: bytes) -> date:
    # YYYYMMDDHHMMSSZ, as verify_der has seen.
    digits = moment[:8].decode("ascii")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        raise HolderAttributesMalformed("no day", where="birth_date") from None


def _lines(members: Members) -> Iterator[str]:
    while True:
        tag = next((each for each in _TEXTS if members.next_is(each)), None)
        if tag is None:
            break
        try:
            yield members.take(tag).decode()
        except UnicodeDecodeError:
            raise HolderAttributesMalformed("no text", where="address") from None
    try:
        members.finish()
    except DERMalformed:
        raise HolderAttributesMalformed("another kind of text", where="address") from None


def _attribute(oid: bytes, value: bytes) -> bytes:
    return der_writer.value(SEQUENCE, oid, der_writer.value(_SET, value))


def _cut(address: str) -> list[str]:
    if not 0 < len(address) <= LINE_LENGTH * MAX_LINES or address != address.strip():
        raise HolderAttributesMalformed("empty, too long or padded with blanks", where="address")
    if any(unicodedata.category(each) in _INVISIBLE for each in address):
        raise HolderAttributesMalformed("holds invisible characters", where="address")
    return [address[at : at + LINE_LENGTH] for at in range(0, len(address), LINE_LENGTH)]
