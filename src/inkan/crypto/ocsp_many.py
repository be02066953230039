"""OCSP requests about several certificates (RFC 6960 §4.1.1), which the library does not read.

A plain descent along the one path that is of interest; the walk of :mod:`inkan.crypto.der` has refused everything
that is not one strict DER value before, so a tag and its place decide what an element is.
"""

from typing import Final, NamedTuple

from inkan.crypto.der import DERMalformed, verify_der

_SEQUENCE: Final = 0x30
_INTEGER: Final = 0x02
_OCTET_STRING: Final = 0x04
_OBJECT_IDENTIFIER: Final = 0x06
_BOOLEAN: Final = 0x01
_NAME: Final = 0xA1
_VERSION: Final = 0xA0
_EXTENSIONS: Final = 0xA2
_SINGLE_EXTENSIONS: Final = 0xA0
_NONCE: Final = bytes.fromhex("2b0601050507300102")
_DIGESTS: Final = {
    bytes.fromhex("2b0e03021a"): ("sha1", 20),
    bytes.fromhex("608648016503040201"): ("sha256", 32),
}

Element = tuple[int, bytes]
"""Tag and contents."""


class NamedCertificate(NamedTuple):
    """How a request names one certificate: digest, hash of the issuer's name, of its key, serial number."""

    digest: str
    issuer_name_hash: bytes
    issuer_key_hash: bytes
    serial: int


def read_many(der: bytes) -> tuple[list[NamedCertificate], bytes | None]:
    """Return which certificates a request asks about, and its nonce.

    Raises:
        DERMalformed: not one strict DER value.
        ValueError: not such a request, another digest than SHA-1 or SHA-256, an unknown critical extension.
    """
    verify_der(der)
    outer = _elements(_only(_elements(der), _SEQUENCE))
    tbs = _elements(outer[0][1]) if outer and outer[0][0] == _SEQUENCE else []
    parts = [element for element in tbs if element[0] not in {_VERSION, _NAME}]
    if not parts or parts[0][0] != _SEQUENCE:
        raise ValueError("no list of requests")
    nonce = None
    for tag, contents in parts[1:]:
        if tag != _EXTENSIONS:
            raise ValueError("an unknown element of the request")
        nonce = _nonce(_elements(_only(_elements(contents), _SEQUENCE)))
    return [_named(contents) for _, contents in _elements(parts[0][1])], nonce


def _named(request: bytes) -> NamedCertificate:
    (tag, cert_id), *rest = _elements(request)
    for rest_tag, contents in rest:
        if rest_tag != _SINGLE_EXTENSIONS:
            raise ValueError("an unknown element of a single request")
        _nonce(_elements(_only(_elements(contents), _SEQUENCE)))
    algorithm, name, key, serial = _elements(cert_id)
    oid = _elements(algorithm[1])[0]
    tags = [tag, algorithm[0], oid[0], name[0], key[0], serial[0]]
    wanted = [_SEQUENCE, _SEQUENCE, _OBJECT_IDENTIFIER, _OCTET_STRING, _OCTET_STRING, _INTEGER]
    digest, size = _DIGESTS.get(oid[1], ("", 0))
    if tags != wanted or not digest or (len(name[1]), len(key[1])) != (size, size):
        raise ValueError("no name of a certificate by SHA-1 or SHA-256")
    return NamedCertificate(digest, name[1], key[1], int.from_bytes(serial[1], signed=True))


def _nonce(rows: list[Element]) -> bytes | None:
    """The nonce among extensions, or None."""
    found = None
    for _, row in rows:
        oid, *rest = _elements(row)
        if oid[1] == _NONCE:
            found = _only(_elements(rest[-1][1]), _OCTET_STRING)
        elif rest and rest[0][0] == _BOOLEAN:
            raise ValueError("an unknown critical extension")
    return found


def _only(elements: list[Element], tag: int) -> bytes:
    if len(elements) != 1 or elements[0][0] != tag:
        raise ValueError("another element than expected")
    return elements[0][1]


def _elements(data: bytes) -> list[Element]:
    """The values that stand one after the other; lengths are strict DER already, at this depth or not at all."""
    found: list[Element] = []
    position = 0
    while position < len(data):
        tag, start, end = _place(data, position)
        found.append((tag, data[start:end]))
        position = end
    return found


def _place(data: bytes, position: int) -> tuple[int, int, int]:
    # Inside an OCTET STRING, which the walk does not enter, anything may stand.
    if len(data) - position < 2:
        raise DERMalformed("truncated")
    length = data[position + 1]
    start = position + 2
    if length >= 0x80:
        count = length & 0x7F
        start += count
        length = int.from_bytes(data[position + 2 : start])
        if not 0 < count <= 4:
            raise DERMalformed("a length that no request has")
    if start + length > len(data):
        raise DERMalformed("longer than its parent")
    return data[position], start, start + length
