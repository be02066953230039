"""What stands on a card and in its text memory, by two paths: for who may use My Numbers by law, and for everybody else.

Surface data are pictures of the two sides; input-assist data are name, address, birth date and sex as text, and the
number. Each opens by a key that shows what the reader may know: the twelve digits of the number itself, or fourteen
digits from the front (birth date 6, year of expiry 4, security code 4); input assistance opens by a PIN of its own, too.

:class:`OpenData` is the path of everybody: no call of it takes or gives a number. :class:`EntitledData` is made with an
entitlement only. The card keeps the two apart besides: a key opens its own containers and no other (WAT-60 to 62).
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

import msgspec

from inkan.client import ber_tlv
from inkan.client.card import PINLocked, WrongPIN
from inkan.client.card_link import CardReaders, choose_reader
from inkan.client.card_refusals import CardAnswerMalformed
from inkan.client.piv import Piv
from inkan.kernel.clock import Clock
from inkan.kernel.errors import Forbidden, Malformed
from inkan.kernel.identifiers import (
    MyNumber,
    MyNumberMalformed,
    holds_my_number,
    parse_my_number,
)
from inkan.kernel.sensitive import Personal, Secret

_DATA, _SIGNATURE = 0xC1, 0xC2
_NAME, _ADDRESS, _BIRTH_DATE, _SEX = 0xD1, 0xD2, 0xD3, 0xD4
_FACE_DIGITS: Final = re.compile(r"[0-9]{14}", re.ASCII)
_ASSIST_PIN: Final = re.compile(r"[0-9]{4}", re.ASCII)


class FaceDigitsMalformed(Malformed):
    """Not the fourteen digits of a card's front, or not the PIN of its text data; no try is lost."""

    code = "card_face_digits_malformed"
    title = "The digits from the front of the card are not complete"
    public = ()


class DataKeyWrong(Forbidden):
    """The digits are not those of this card; ``tries_left`` says how many tries remain."""

    code = "card_data_key_wrong"
    title = "The digits do not belong to this card"
    public = ("tries_left",)


class DataKeyLocked(Forbidden):
    """No try is left for these digits."""

    code = "card_data_key_locked"
    title = "The card does not open by these digits any more"


class NotEntitled(Forbidden):
    """The organisation may not use My Numbers, or not any more."""

    code = "my_number_not_entitled"
    title = "This organisation may not use My Numbers"


class Content(StrEnum):
    """What a container holds."""

    FRONT = "front"
    BACK = "back"
    ATTRIBUTES = "attributes"
    NUMBER = "number"


class Way(StrEnum):
    """By which key which data are read."""

    SURFACE_BY_NUMBER = "surface_by_number"
    SURFACE_BY_FACE = "surface_by_face"
    ASSIST_BY_PIN = "assist_by_pin"
    ASSIST_BY_NUMBER = "assist_by_number"
    ASSIST_BY_FACE = "assist_by_face"


class WayRow(NamedTuple):
    """One way.

    Attributes:
        reference: of the key in the card.
        containers: what it opens.
        is_entitled: whether only who may use My Numbers goes it.
    """

    reference: int
    containers: Mapping[Content, int]
    is_entitled: bool


# WAT-60, WAT-61. References and containers are this product's own: PIV knows no such data.
WAYS: Final[Mapping[Way, WayRow]] = MappingProxyType(
    {
        Way.SURFACE_BY_NUMBER: WayRow(
            0x91, {Content.FRONT: 0x5FFF11, Content.BACK: 0x5FFF12}, is_entitled=True
        ),
        Way.SURFACE_BY_FACE: WayRow(0x92, {Content.FRONT: 0x5FFF11}, is_entitled=False),
        Way.ASSIST_BY_PIN: WayRow(
            0x93, {Content.ATTRIBUTES: 0x5FFF13, Content.NUMBER: 0x5FFF14}, is_entitled=True
        ),
        Way.ASSIST_BY_NUMBER: WayRow(0x94, {Content.NUMBER: 0x5FFF14}, is_entitled=True),
        Way.ASSIST_BY_FACE: WayRow(0x95, {Content.ATTRIBUTES: 0x5FFF13}, is_entitled=False),
    }
)


class Entitlement(msgspec.Struct, frozen=True, kw_only=True):
    """That an organisation may use My Numbers, as its terminal was set up with it.

    Attributes:
        organisation: code in the register of relying parties.
        basis: the provision of law.
        until: when it ends, aware.
    """

    organisation: str
    basis: str
    until: datetime


class Attributes(msgspec.Struct, frozen=True, kw_only=True):
    """The four attributes as the card spells them, and the issuer's signature over their octets (unverified)."""

    name: Personal[str]
    address: Personal[str]
    birth_date: Personal[str]
    sex: Personal[str]
    signed: Personal[bytes]
    signature: bytes


class CertifiedNumber(msgspec.Struct, frozen=True, kw_only=True):
    """The number, and the issuer's signature over its octets (unverified)."""

    number: MyNumber
    signature: bytes


def read_face_digits(text: str) -> Secret[str]:
    """Return the fourteen digits of a card's front: birth date (YYMMDD), year of expiry, security code.

    Raises:
        FaceDigitsMalformed: another form.
    """
    if not _FACE_DIGITS.fullmatch(text):
        raise FaceDigitsMalformed
    return Secret(text)


class OpenData:
    """The path of who may not use My Numbers. Nothing here takes a number, asks for one, or gives one back.

    Args:
        readers: the way to the readers.
    """

    def __init__(self, readers: CardReaders) -> None:
        self._card = _Card(readers)

    def front(self, face: Secret[str]) -> Personal[bytes]:
        """Return the picture of the front, on which no number stands.

        Args:
            face: from :func:`read_face_digits`.

        Raises:
            DataKeyWrong, DataKeyLocked: the digits are another card's.
            NoCard, CardRemoved, CardAnswerMalformed: of card and reader.
        """
        found = self._card.read(Way.SURFACE_BY_FACE, face, Content.FRONT)
        return Personal(found[Content.FRONT])

    def attributes(self, face: Secret[str]) -> Attributes:
        """Return the four attributes; refusals as :meth:`front`.

        Raises:
            CardAnswerMalformed: also when an attribute holds what is a My Number.
        """
        found = self._card.read(Way.ASSIST_BY_FACE, face, Content.ATTRIBUTES)
        return _attributes(found[Content.ATTRIBUTES])


class EntitledData:
    """The path of an organisation that may use My Numbers by law.

    Args:
        readers: the way to the readers.
        entitlement: of the organisation.
        clock: true time; an entitlement that has ended opens nothing.
    """

    def __init__(self, readers: CardReaders, entitlement: Entitlement, *, clock: Clock) -> None:
        self._card = _Card(readers)
        self._entitlement = entitlement
        self._clock = clock

    def sides(self, number: MyNumber) -> tuple[Personal[bytes], Personal[bytes]]:
        """Return the pictures of front and back.

        Raises:
            NotEntitled: the entitlement has ended; the card was not asked.
            DataKeyWrong, DataKeyLocked, NoCard, CardRemoved, CardAnswerMalformed: as :meth:`OpenData.front`.
        """
        key = self._key(number)
        found = self._card.read(Way.SURFACE_BY_NUMBER, key, Content.FRONT, Content.BACK)
        return Personal(found[Content.FRONT]), Personal(found[Content.BACK])

    def number(self, number: MyNumber) -> CertifiedNumber:
        """Return the number as the card certifies it, to compare a typed one; refusals as :meth:`sides`."""
        found = self._card.read(Way.ASSIST_BY_NUMBER, self._key(number), Content.NUMBER)
        return _number(found[Content.NUMBER])

    def all(self, pin: Secret[str]) -> tuple[Attributes, CertifiedNumber]:
        """Return attributes and number by the PIN of the text data.

        Raises:
            FaceDigitsMalformed: not four digits; no try is lost.
            NotEntitled, DataKeyWrong, DataKeyLocked, NoCard, CardRemoved, CardAnswerMalformed: as :meth:`sides`.
        """
        self._require()
        if not _ASSIST_PIN.fullmatch(pin.reveal()):
            raise FaceDigitsMalformed
        found = self._card.read(Way.ASSIST_BY_PIN, pin, Content.ATTRIBUTES, Content.NUMBER)
        return _attributes(found[Content.ATTRIBUTES]), _number(found[Content.NUMBER])

    def _key(self, number: MyNumber) -> Secret[str]:
        self._require()
        return Secret(number.reveal())

    def _require(self) -> None:
        if self._clock.now() > self._entitlement.until:
            raise NotEntitled


class _Card:
    """One reading of one card: a connection, a key, the containers of its row, and nothing kept."""

    def __init__(self, readers: CardReaders) -> None:
        self._readers = readers

    def read(self, way: Way, key: Secret[str], *wanted: Content) -> dict[Content, bytes]:
        row = WAYS[way]
        with self._piv() as piv:
            try:
                piv.verify(row.reference, key)
            except WrongPIN as wrong:
                raise DataKeyWrong(tries_left=wrong.tries_left) from None
            except PINLocked:
                raise DataKeyLocked from None
            try:
                return {each: _required(piv, row.containers[each]) for each in wanted}
            finally:
                piv.forget(row.reference)

    @contextmanager
    def _piv(self) -> Iterator[Piv]:
        link = self._readers.connect(choose_reader(self._readers.readers(), None))
        try:
            with link.transaction():
                piv = Piv(link)
                piv.select()
                yield piv
        finally:
            link.close()


def _required(piv: Piv, container: int) -> bytes:
    contents = piv.get_data(container)
    if contents is None:
        raise CardAnswerMalformed("a container that should hold data is empty")
    return contents


def _signed(contents: bytes) -> tuple[bytes, bytes]:
    objects = ber_tlv.read_all(contents)
    return ber_tlv.find(objects, _DATA), ber_tlv.find(objects, _SIGNATURE)


def _attributes(contents: bytes) -> Attributes:
    """The attributes of a container; a My Number among them is refused on either path: its place is another one."""
    data, signature = _signed(contents)
    objects = ber_tlv.read_all(data)
    try:
        texts = {
            tag: ber_tlv.find(objects, tag).decode("utf-8")
            for tag in (_NAME, _ADDRESS, _BIRTH_DATE, _SEX)
        }
    except UnicodeDecodeError:
        raise CardAnswerMalformed("an attribute that is no text") from None
    if any(map(holds_my_number, texts.values())):
        raise CardAnswerMalformed("an attribute holds what must not stand there")
    return Attributes(
        name=Personal(texts[_NAME]),
        address=Personal(texts[_ADDRESS]),
        birth_date=Personal(texts[_BIRTH_DATE]),
        sex=Personal(texts[_SEX]),
        signed=Personal(data),
        signature=signature,
    )


def _number(contents: bytes) -> CertifiedNumber:
    data, signature = _signed(contents)
    try:
        return CertifiedNumber(
            number=parse_my_number(data.decode("ascii", "replace")), signature=signature
        )
    except MyNumberMalformed:
        raise CardAnswerMalformed("a number that is none") from None
