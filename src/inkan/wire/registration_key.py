"""The registration key that a phone shows at a kiosk, and the device number that the kiosk shows for it (WAT-09, WAT-10).

The key holds the hashes of everything that the phone made: it is their digest, cut to 128 bits, under the request's
nonce. So it finds the request, nobody can guess it, and whoever reads it can tell whether the content in front of the
card is that phone's. It is typed or scanned as 26 characters of Crockford's base32, which has no letters to mistake.
"""

import hashlib
import re
from typing import Any, Final

from inkan.crypto import base64url
from inkan.kernel.errors import Malformed
from inkan.wire.enrolment_request import BindContent, made_values

KEY_BYTES: Final = 16
KEY_CHARACTERS: Final = 26
NUMBER_DIGITS: Final = 6
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISTAKEN: Final = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})
_LONGEST: Final = 64
# 130 bits in 26 characters: the first one holds three bits only, so that every key has one spelling.
_KEY: Final = re.compile(r"[0-7][0-9A-HJKMNP-TV-Z]{25}")
_NUMBER: Final = re.compile(r"[0-9]{6}")
_KEY_LABEL: Final = b"inkan-kiosk-v1\x00"
_NUMBER_LABEL: Final = b"inkan-device-number-v1\x00"


class RegistrationKeyMalformed(Malformed):
    """Not the 26 characters that a phone shows."""

    code = "registration_key_malformed"
    title = "This is not a registration key"


class DeviceNumberMalformed(Malformed):
    """Not six digits."""

    code = "device_number_malformed"
    title = "A device number has six digits"


def registration_key(**made: Any) -> bytes:
    """Return the 16-byte key of what a phone made; arguments as :func:`inkan.wire.enrolment_request.made_values`.

    The first 16 bytes of SHA-256("inkan-kiosk-v1" ‖ 0x00 ‖ the values).

    Raises:
        Base64URLMalformed: an argument is not 32 bytes.
    """
    return hashlib.sha256(_KEY_LABEL + made_values(**made)).digest()[:KEY_BYTES]


def key_of(content: BindContent) -> bytes:
    """Return the 16-byte key of the phone whose keys a content names."""
    return registration_key(
        nonce=content.nonce,
        keys=[key.spki_sha256 for key in content.keys],
        credential_id_sha256=content.credential_id_sha256,
        cose_key_sha256=content.cose_key_sha256,
        channel_jkt=content.channel_jkt,
        attestation_sha256=content.attestation_sha256,
    )


def spell_key(key: bytes) -> str:
    """Return a 16-byte key as the 26 characters that a phone shows."""
    bits = int.from_bytes(key, "big")
    return "".join(_ALPHABET[bits >> shift & 31] for shift in range(125, -5, -5))


def parse_key(text: str) -> bytes:
    """Return the 16 bytes of a key as it was typed or scanned: any case, with spaces or hyphens, O for 0, I or L for 1.

    Raises:
        RegistrationKeyMalformed: anything else.
    """
    is_read = text.isascii() and len(text) <= _LONGEST
    spelt = text.upper().translate(_MISTAKEN) if is_read else ""
    if _KEY.fullmatch(spelt) is None:
        raise RegistrationKeyMalformed(where="/key", expected=f"{KEY_CHARACTERS} characters")
    bits = 0
    for letter in spelt:
        bits = bits << 5 | _ALPHABET.index(letter)
    return bits.to_bytes(KEY_BYTES, "big")


def number_challenge(nonce: str, number: str) -> bytes:
    """Return the 32-byte WebAuthn challenge under which a phone hands in a device number.

    SHA-256("inkan-device-number-v1" ‖ 0x00 ‖ nonce ‖ the six digits as ASCII), so that each typed number is confirmed by
    the person with the passkey of that very request (WAT-09 steps 7 and 8).

    Args:
        nonce: of the request, base64url of 32 bytes.
        number: as it was typed.

    Raises:
        DeviceNumberMalformed: not six digits.
        Base64URLMalformed: not a nonce.
    """
    if _NUMBER.fullmatch(number) is None:
        raise DeviceNumberMalformed(where="/number", expected="six digits")
    return hashlib.sha256(
        _NUMBER_LABEL + base64url.decode(nonce, size=32) + number.encode("ascii")
    ).digest()
