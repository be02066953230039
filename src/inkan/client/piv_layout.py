"""Where a PIV card has what: the two keys and their PINs, the objects, the authorities' certificates. Tables only.

The numbers are those of NIST SP 800-73-4 part 1; the forms of the PINs are those of the scheme.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from inkan.client import ber_tlv, card_proof
from inkan.client.card import PINMalformed
from inkan.client.card_refusals import (
    AuthenticationPINMalformed,
    CardAnswerMalformed,
    SignaturePINMalformed,
)
from inkan.client.piv import Piv
from inkan.client.signed_types import SIGNED_TYPES
from inkan.wire import card_request


class KeyUse(StrEnum):
    """The two keys of a card."""

    SIGNATURE = "signature"
    AUTHENTICATION = "authentication"


class KeyRow(NamedTuple):
    """Where a key lies and what its PIN is.

    Attributes:
        slot: key reference (SP 800-73-4 part 1 table 4b).
        container: of its certificate (part 1 table 3).
        pin_reference: of its PIN (part 1 table 4a).
        pin_form: what its PINs look like.
        malformed: the refusal of another form.
        signs: the types (OIDs) of what is signed with it.
    """

    slot: int
    container: int
    pin_reference: int
    pin_form: re.Pattern[str]
    malformed: type[PINMalformed]
    signs: frozenset[str]


# Lengths and alphabets of the PINs: requirements of the scheme (JPKI), not of PIV. A PIN of up to eight characters is
# sent as PIV has it; a longer one needs a card that knows longer fields.
KEYS: Final[Mapping[KeyUse, KeyRow]] = {
    KeyUse.SIGNATURE: KeyRow(
        slot=0x9C,
        container=0x5FC10A,
        pin_reference=0x80,
        pin_form=re.compile(r"[A-Za-z0-9]{6,16}", re.ASCII),
        malformed=SignaturePINMalformed,
        signs=frozenset(SIGNED_TYPES)
        - {card_request.CONTENT_TYPES[card_request.CardPurpose.LOGIN]},
    ),
    KeyUse.AUTHENTICATION: KeyRow(
        slot=0x9A,
        container=0x5FC105,
        pin_reference=0x00,
        pin_form=re.compile(r"[0-9]{4}", re.ASCII),
        malformed=AuthenticationPINMalformed,
        signs=frozenset({card_request.CONTENT_TYPES[card_request.CardPurpose.LOGIN]}),
    ),
}


class CardObject(StrEnum):
    """What a card holds beside keys and their certificates."""

    PHOTO = "photo"
    SURFACE = "surface"


# Cardholder facial image and printed information (part 1 table 3); the card's own rules say who reads them.
OBJECTS: Final[Mapping[CardObject, int]] = {
    CardObject.PHOTO: 0x5FC108,
    CardObject.SURFACE: 0x5FC109,
}
# Retired-key containers 1 to 3 hold no retired keys here but the authorities' certificates, the self-signed one first.
ISSUERS: Final = (0x5FC10D, 0x5FC10E, 0x5FC10F)


# Card holder unique identifier (part 1 table 3); the GUID in it (tag 34, §3.4.1) is the card's number.
CHUID: Final = 0x5FC102
_GUID, _GUID_OCTETS = 0x34, 16


def read_number(piv: Piv) -> str:
    """Return the card's number: the GUID of its CHUID, 32 hexadecimal digits.

    Raises:
        CardAnswerMalformed: it has none, or one of zeros.
    """
    contents = piv.get_data(CHUID)
    if contents is None:
        raise CardAnswerMalformed("a card without a number")
    number = ber_tlv.find(ber_tlv.read_all(contents), _GUID)
    if len(number) != _GUID_OCTETS or not any(number):
        raise CardAnswerMalformed("a card's number has 16 octets that are not all zero")
    return number.hex()


def wrap_certificate(der: bytes) -> bytes:
    """Return the contents of a certificate container: certificate, CertInfo (not compressed), error detection code."""
    return ber_tlv.write(0x70, der) + ber_tlv.write(0x71, b"\x00") + ber_tlv.write(0xFE)


def read_certificate(piv: Piv, container: int) -> bytes | None:
    """Return the certificate (DER) in a container, None when there is none (part 1 appendix A).

    Raises:
        CardAnswerMalformed: what it holds is no certificate, or a compressed one.
    """
    contents = piv.get_data(container)
    if contents is None:
        return None
    objects = ber_tlv.read_all(contents)
    if ber_tlv.find(objects, 0x71) != b"\x00":
        raise CardAnswerMalformed("a compressed certificate")
    der = ber_tlv.find(objects, 0x70)
    card_proof.read_card_certificate(der)
    return der


def read_issuers(piv: Piv) -> list[bytes]:
    """Return the authorities' certificates, in the order of their containers.

    Raises:
        CardAnswerMalformed: what a container holds is no certificate.
    """
    found = (read_certificate(piv, container) for container in ISSUERS)
    return [der for der in found if der is not None]
