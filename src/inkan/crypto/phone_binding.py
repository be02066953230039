"""The certificate extension that ties a phone certificate to its FIDO2 credential (design §5.2 step 3).

With it an offline verifier knows which credential's assertion belongs to the certificate. Not critical: who does
not know it may still verify the certificate.

    PhoneBinding ::= SEQUENCE {
        credentialHash  OCTET STRING (SIZE (32)),   -- SHA-256(credential id ‖ COSE key)
        bindingId       UTF8String (SIZE (1..64)) }
"""

from typing import Final

import msgspec

from inkan.kernel.errors import Malformed

_HASH: Final = b"\x04\x20"
_UTF8_STRING: Final = 0x0C
_SEQUENCE: Final = 0x30
_ID_LENGTHS: Final = range(1, 64 + 1)


class PhoneBindingMalformed(Malformed):
    """Not the DER value of the binding extension."""

    code = "phone_binding_malformed"
    title = "The certificate's binding to its phone cannot be read"


class PhoneBinding(msgspec.Struct, frozen=True):
    """Which credential and which binding a phone certificate belongs to.

    Attributes:
        credential_sha256: 32 bytes, SHA-256 of credential id ‖ COSE key.
        binding_id: ASCII, 1 to 64 characters.
    """

    credential_sha256: bytes
    binding_id: str


def encode_phone_binding(binding: PhoneBinding) -> bytes:
    """Return the DER value of the extension.

    Raises:
        PhoneBindingMalformed: the hash has not 32 bytes, or the id is empty, too long or not ASCII.
    """
    name = binding.binding_id
    if len(binding.credential_sha256) != 32 or len(name) not in _ID_LENGTHS or not name.isascii():
        raise PhoneBindingMalformed(
            "expected a hash of 32 bytes and an id of 1 to 64 ASCII characters"
        )
    body = _HASH + binding.credential_sha256 + bytes([_UTF8_STRING, len(name)]) + name.encode()
    return bytes([_SEQUENCE, len(body)]) + body


def parse_phone_binding(value: bytes) -> PhoneBinding:
    """Return the binding whose DER value this is; every other spelling is refused.

    Raises:
        PhoneBindingMalformed: not that value.
    """
    # Fixed offsets: 2 bytes of header, 2 + 32 of hash, 2 of header, then the id.
    try:
        binding = PhoneBinding(value[4:36], value[38:].decode("ascii"))
    except UnicodeDecodeError:
        raise PhoneBindingMalformed("the id is not ASCII") from None
    if encode_phone_binding(binding) != value:
        raise PhoneBindingMalformed("not the DER encoding")
    return binding
