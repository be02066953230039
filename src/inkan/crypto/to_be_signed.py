"""What a key is asked to sign, read again from the very bytes: a type, and then its fields.

A signature says only what its bytes say, whatever the caller called them. So the bytes are completed with a
signature of zeroes and handed to the strict parser of their format; no format's bytes pass for another's: the
to-be-signed parts of RFC 5280, RFC 6960 and RFC 2986 begin differently, signed attributes (RFC 5652 §5.4) are
a SET, and a JWS (RFC 7515 §5.1) or an HTTP message (RFC 9421 §2.5) is text.
"""

import re
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec
from cryptography import x509
from cryptography.x509 import ocsp

from inkan.crypto import base64url
from inkan.crypto.der import read_header, verify_der
from inkan.crypto.der_writer import nested
from inkan.crypto.x509_admission import LIBRARY_REFUSALS
from inkan.kernel.errors import InkanError, Malformed

ATTRIBUTES_LIMIT: Final = 4096
HEADER_LIMIT: Final = 16 * 1024


class SignedFormat(StrEnum):
    """The formats that keys of the platform sign."""

    CERTIFICATE = "certificate"
    CERTIFICATE_REQUEST = "certificate_request"
    CRL = "crl"
    OCSP_RESPONSE = "ocsp_response"
    TIMESTAMP = "timestamp"
    CMS = "cms"
    JWS = "jws"
    HTTP_MESSAGE = "http_message"


class ToBeSignedMalformed(Malformed):
    """The bytes are not the to-be-signed part of any format that was asked for."""

    code = "to_be_signed_malformed"
    title = "This is not something that this key signs"
    public = ("expected",)


class ToBeSigned(msgspec.Struct, frozen=True):
    """Bytes to be signed, after reading.

    Attributes:
        parsed: of ``CERTIFICATE``, ``CERTIFICATE_REQUEST``, ``CRL`` and ``OCSP_RESPONSE`` the library's object,
            completed with a signature of zeroes; else None.
        kind: of ``CMS`` and ``TIMESTAMP`` the dotted content type, of ``JWS`` the header's ``typ``, of
            ``HTTP_MESSAGE`` the tag; else "".
    """

    format: SignedFormat
    parsed: Any
    kind: str


_ECDSA_SHA256: Final = bytes.fromhex("300a06082a8648ce3d040302")
_ZEROES: Final = bytes.fromhex("030900") + bytes(8)
_OCSP_BASIC: Final = bytes.fromhex("06092b0601050507300101")
_OCSP_RESPONSE: Final = (
    (0x30, b"\x0a\x01\x00"),
    (0xA0, b""),
    (0x30, _OCSP_BASIC),
    (0x04, b""),
    (0x30, b""),
)
_JWS: Final = re.compile(rb"([A-Za-z0-9_-]{2,})\.[A-Za-z0-9_-]*")
_HTTP: Final = re.compile(
    rb'(?:(?!"@signature-params")"[a-z@;="-]+": [\x20-\x7e]*\n)+"@signature-params": \([\x20-\x7e]*\)[\x20-\x7e]*;tag="([a-z-]+)"'
)
_TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"  # RFC 3161 §2.4.2, id-ct-TSTInfo


def read_to_be_signed(data: bytes, formats: Collection[SignedFormat]) -> ToBeSigned:
    """Return what the bytes are, if they are of one of these formats.

    Raises:
        ToBeSignedMalformed: of none of them.
    """
    for each in formats:
        try:
            return _READERS[each](data)
        except (InkanError, *LIBRARY_REFUSALS):
            continue
    expected = ", ".join(sorted(formats))
    raise ToBeSignedMalformed(f"not of the form {expected or 'of anything'}", expected=expected)


def _element(tag: int, *parts: bytes) -> bytes:
    """A DER element; a list of a million entries is copied once."""
    length = sum(map(len, parts))
    if length < 0x80:
        return b"".join((bytes((tag, length)), *parts))
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return b"".join((bytes((tag, 0x80 | len(octets))), octets, *parts))


def _completed(data: bytes, algorithm: bytes = _ECDSA_SHA256) -> bytes:
    return _element(0x30, data, algorithm, _ZEROES)


def _nth(data: bytes, index: int) -> bytes:
    """The n-th member of the SEQUENCE that the data begin with."""
    _, position, _ = read_header(data)
    for _ in range(index):
        _, _, position = read_header(data, position)
    _, _, end = read_header(data, position)
    return data[position:end]


def _certificate(data: bytes) -> ToBeSigned:
    # version [0], serialNumber, signature: the outer algorithm must equal the inner (RFC 5280 §4.1.1.2)
    parsed = x509.load_der_x509_certificate(_completed(data, _nth(data, 2)))
    if parsed.version is not x509.Version.v3 or not parsed.issuer.rdns:
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.CERTIFICATE, parsed, "")


def _request(data: bytes) -> ToBeSigned:
    parsed = x509.load_der_x509_csr(_completed(data))
    return ToBeSigned(SignedFormat.CERTIFICATE_REQUEST, parsed, "")


def _crl(data: bytes) -> ToBeSigned:
    parsed = x509.load_der_x509_crl(_completed(data, _nth(data, 1)))  # version, signature
    if not parsed.issuer.rdns:
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.CRL, parsed, "")


def _ocsp(data: bytes) -> ToBeSigned:
    parsed = ocsp.load_der_ocsp_response(nested(_OCSP_RESPONSE, data, _ECDSA_SHA256, _ZEROES))
    if parsed.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL or not tuple(
        parsed.responses
    ):
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.OCSP_RESPONSE, parsed, "")


def _timestamp(data: bytes) -> ToBeSigned:
    kind = _content_type(data)
    if kind != _TST_INFO:
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.TIMESTAMP, None, kind)


def _cms(data: bytes) -> ToBeSigned:
    kind = _content_type(data)
    if kind == _TST_INFO:
        # Whoever may sign messages must not be able to tell the time with them.
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.CMS, None, kind)


def _content_type(data: bytes) -> str:
    """The content type in a SET OF Attribute that has one, with one value, and one digest (RFC 5652 §11.1-11.2)."""
    if len(data) > ATTRIBUTES_LIMIT or data[:1] != b"\x31":
        raise ToBeSignedMalformed
    verify_der(data)
    values: dict[bytes, bytes] = {}
    for attribute in _members(data):
        name, value = _pair(attribute)
        if values.setdefault(name, value) is not value:
            raise ToBeSignedMalformed
    kind = _only(values.get(_CONTENT_TYPE, b""), 0x06)
    _only(values.get(_MESSAGE_DIGEST, b""), 0x04)
    return x509.ObjectIdentifier(_dotted(kind)).dotted_string


_CONTENT_TYPE: Final = bytes.fromhex("06092a864886f70d010903")
_MESSAGE_DIGEST: Final = bytes.fromhex("06092a864886f70d010904")


def _members(element: bytes) -> list[bytes]:
    """The members of a constructed element that passed :func:`verify_der`."""
    members, position = [], read_header(element)[1]
    while position < len(element):
        _, _, end = read_header(element, position)
        members.append(element[position:end])
        position = end
    return members


def _pair(attribute: bytes) -> tuple[bytes, bytes]:
    parts = _members(attribute) if attribute[0] == 0x30 else []
    if len(parts) != 2 or parts[0][0] != 0x06 or parts[1][0] != 0x31:
        raise ToBeSignedMalformed
    return parts[0], parts[1]


def _only(values: bytes, tag: int) -> bytes:
    """The contents of the one value of an attribute."""
    members = _members(values) if values else []
    if len(members) != 1 or members[0][0] != tag:
        raise ToBeSignedMalformed
    return members[0][read_header(members[0])[1] :]


def _dotted(contents: bytes) -> str:
    """The dotted form of an OBJECT IDENTIFIER's contents (X.690 §8.19)."""
    arcs, value = [], 0
    for octet in contents:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


class _Header(msgspec.Struct):
    """The one member of a JWS header that says what the token is (RFC 8725 §3.11)."""

    typ: str


def _jws(data: bytes) -> ToBeSigned:
    found = _JWS.fullmatch(data)
    if found is None or len(found[1]) > HEADER_LIMIT:
        raise ToBeSignedMalformed
    try:
        header = msgspec.json.decode(base64url.decode(found[1].decode()), type=_Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ToBeSignedMalformed from None
    return ToBeSigned(SignedFormat.JWS, None, header.typ)


def _http(data: bytes) -> ToBeSigned:
    """The signature base of RFC 9421 §2.5, whose last line names the tag of the application."""
    found = _HTTP.fullmatch(data) if len(data) <= HEADER_LIMIT else None
    if found is None:
        raise ToBeSignedMalformed
    return ToBeSigned(SignedFormat.HTTP_MESSAGE, None, found[1].decode())


_READERS: Final[Mapping[SignedFormat, Callable[[bytes], ToBeSigned]]] = {
    SignedFormat.CERTIFICATE: _certificate,
    SignedFormat.CERTIFICATE_REQUEST: _request,
    SignedFormat.CRL: _crl,
    SignedFormat.OCSP_RESPONSE: _ocsp,
    SignedFormat.TIMESTAMP: _timestamp,
    SignedFormat.CMS: _cms,
    SignedFormat.JWS: _jws,
    SignedFormat.HTTP_MESSAGE: _http,
}
