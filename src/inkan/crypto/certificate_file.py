"""A certificate as it comes in a file or is pasted: DER, PEM (RFC 7468), or the bare base64 between the PEM lines.

Nothing of the certificate itself is parsed here: what comes out is the bytes whose hash is the thumbprint.
"""

import base64
import binascii
import re
from typing import Final

import msgspec

from inkan.kernel.errors import Malformed, TooLarge

FILE_LIMIT: Final = 64 * 1024
"""Bytes of a file: a chain of some certificates in PEM."""
DER_LIMIT: Final = 32 * 1024
"""Bytes of one certificate: twice what the strict gate admits, so that a stranger's can be looked at."""

_BLOCK: Final = re.compile(
    rb"-----BEGIN (?:X509 )?CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END (?:X509 )?CERTIFICATE-----"
)
_BASE64: Final = re.compile(rb"\s*MI[A-Za-z0-9+/\s]+={0,2}\s*")
_SEQUENCE: Final = 0x30
_LONG_LENGTH: Final = 0x80


class CertificateFileUnreadable(Malformed):
    """Neither DER nor PEM nor base64 of a certificate."""

    code = "certificate_file_unreadable"
    title = "This file holds no certificate"
    public = ()


class CertificateFileTooLarge(TooLarge):
    """More bytes than a file with a certificate has; nothing of them was read."""

    code = "certificate_file_too_large"
    title = "This file is larger than a certificate"


class CertificateFile(msgspec.Struct, frozen=True):
    """What a file held.

    Attributes:
        der: the first certificate, not parsed.
        count: how many certificates the file holds.
    """

    der: bytes
    count: int = 1


def read_certificate_file(data: bytes) -> CertificateFile:
    """Return the first certificate of a file.

    Raises:
        CertificateFileTooLarge: more than 64 KiB, or a certificate of more than 32 KiB.
        CertificateFileUnreadable: no certificate in one of the three forms.
    """
    if len(data) > FILE_LIMIT:
        raise CertificateFileTooLarge(limit_bytes=FILE_LIMIT)
    found = _read(data)
    if len(found.der) > DER_LIMIT:
        raise CertificateFileTooLarge(limit_bytes=DER_LIMIT)
    if not found.der or found.der[0] != _SEQUENCE:
        raise CertificateFileUnreadable("no DER sequence")
    return found


def _read(data: bytes) -> CertificateFile:
    # DER goes first: a certificate that carries the text of another one inside is still itself.
    if len(data) > 1 and data[0] == _SEQUENCE and data[1] >= _LONG_LENGTH:
        return CertificateFile(data)
    blocks = _BLOCK.findall(data)
    if blocks:
        return CertificateFile(_decode(blocks[0]), len(blocks))
    if _BASE64.fullmatch(data):
        return CertificateFile(_decode(data))
    return CertificateFile(data)


def _decode(text: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        raise CertificateFileUnreadable("the base64 is damaged") from None


def pem(der: bytes) -> str:
    """Return a certificate as PEM text (RFC 7468 §5)."""
    body = base64.b64encode(der).decode()
    lines = [body[place : place + 64] for place in range(0, len(body), 64)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""])
