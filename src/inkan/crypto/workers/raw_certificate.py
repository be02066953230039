"""The extensions of a certificate as bytes, whatever is in them: the frame of RFC 5280 §4.1 and nothing more.

The library decodes all extensions or none. A viewer has to show the others when one is damaged.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

from asn1crypto import core


class _Extension(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("oid", core.ObjectIdentifier),
        ("critical", core.Boolean, {"default": False}),
        ("value", core.OctetString),
    ]


class _Extensions(core.SequenceOf):  # type: ignore[misc]
    _child_spec = _Extension


class _Signed(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("version", core.Integer, {"explicit": 0, "default": 0}),
        ("serial", core.Integer),
        ("algorithm", core.Any),
        ("issuer", core.Any),
        ("validity", core.Any),
        ("subject", core.Any),
        ("key", core.Any),
        ("issuer_id", core.OctetBitString, {"implicit": 1, "optional": True}),
        ("subject_id", core.OctetBitString, {"implicit": 2, "optional": True}),
        ("extensions", _Extensions, {"explicit": 3, "optional": True}),
    ]


class _Certificate(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("signed", _Signed),
        ("algorithm", core.Any),
        ("signature", core.Any),
    ]


def raw_extensions(der: bytes) -> Iterator[tuple[str, bool, bytes]]:
    """Yield OID (dotted), criticality and DER value of each extension, in the order of the certificate.

    Raises:
        ValueError and its like: not the frame of a certificate.
    """
    extensions = _Certificate.load(der, strict=True)["signed"]["extensions"]
    # What is absent has a value without contents.
    for extension in extensions if extensions.contents is not None else ():
        yield extension["oid"].dotted, extension["critical"].native, extension["value"].native
