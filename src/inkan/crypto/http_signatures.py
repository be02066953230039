"""HTTP message signatures (RFC 9421) with ECDSA on P-256, and content digests (RFC 9530): the parts that webhooks use.

A message names in a structured field which of its components it signs, and by which parameters. Here each field has
one spelling: the parameters in one order, none missing, none besides. So two readers cannot see two messages, and
what a key signs can be read again from the signature base alone (``to_be_signed``).
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.kernel.errors import Forbidden, Malformed

FIELD_LIMIT: Final = 2_048
"""Characters of one field: more is not looked at."""

_NAME: Final = r'"@?[a-z][a-z-]{0,62}"'
_SECONDS: Final = "(?:0|[1-9][0-9]{0,14})"
_INPUT: Final = re.compile(
    rf"(?P<label>[a-z][a-z0-9_-]{{0,31}})=(?P<text>\((?P<components>{_NAME}(?: {_NAME})*)\)"
    rf";created=(?P<created>{_SECONDS});expires=(?P<expires>{_SECONDS})"
    r';nonce="(?P<nonce>[A-Za-z0-9_-]{1,86})";keyid="(?P<keyid>[A-Za-z0-9_-]{1,86})";tag="(?P<tag>[a-z][a-z-]{0,62})")'
)
_SIGNATURE: Final = re.compile(
    r"(?P<label>[a-z][a-z0-9_-]{0,31})=:(?P<octets>[A-Za-z0-9+/]{86}==):"
)
_DIGEST: Final = re.compile(r"sha-256=:(?P<octets>[A-Za-z0-9+/]{43}=):")
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")
_ECDSA: Final = ECDSA(SHA256())


class HTTPSignatureMalformed(Malformed):
    """A field of the signature is missing, or is not in the one spelling that is read."""

    code = "http_signature_malformed"
    title = "The signature of the message does not have the required form"


class HTTPSignatureWrong(Forbidden):
    """The signature, or the digest of the content that it covers, does not hold."""

    code = "http_signature_wrong"
    title = "The signature of the message does not hold"


class SignatureParameters(msgspec.Struct, frozen=True, kw_only=True):
    """What a signature covers, and by which parameters (RFC 9421 §2.3).

    Attributes:
        components: names of the covered components in their order.
        created, expires: seconds since 1970; it holds from the one to just before the other.
        nonce: drawn for this message alone.
        keyid: names the key.
        tag: names the application, so that no other one takes the message for its own.
    """

    components: tuple[str, ...]
    created: int
    expires: int
    nonce: str
    keyid: str
    tag: str

    @property
    def text(self) -> str:
        """The value of ``@signature-params`` (RFC 9421 §2.3); the tag stands last."""
        names = " ".join(f'"{name}"' for name in self.components)
        return (
            f"({names});created={self.created};expires={self.expires}"
            f';nonce="{self.nonce}";keyid="{self.keyid}";tag="{self.tag}"'
        )


def content_digest(content: bytes) -> str:
    """Return the value of ``Content-Digest`` over the content as it is sent (RFC 9530 §2)."""
    return f"sha-256=:{_encode(hashlib.sha256(content).digest())}:"


def verify_content_digest(value: str, content: bytes) -> bytes:
    """Return ``content`` if ``value`` is its digest.

    Raises:
        HTTPSignatureMalformed: not one SHA-256 digest in its one spelling.
        HTTPSignatureWrong: the digest of other content.
    """
    found = _DIGEST.fullmatch(value)
    if found is None:
        raise HTTPSignatureMalformed(where="content-digest", expected="one sha-256 digest")
    if not hmac.compare_digest(_decode(found["octets"]), hashlib.sha256(content).digest()):
        raise HTTPSignatureWrong("content-digest")
    return content


def parse_signature_input(value: str, *, label: str) -> SignatureParameters:
    """Return the parameters of the one signature of a message.

    Raises:
        HTTPSignatureMalformed: another label, several signatures, or another spelling.
    """
    found = _INPUT.fullmatch(value) if len(value) <= FIELD_LIMIT else None
    if found is None or found["label"] != label:
        raise HTTPSignatureMalformed(where="signature-input", expected=f"one signature {label}")
    parameters = SignatureParameters(
        components=tuple(name.strip('"') for name in found["components"].split(" ")),
        created=int(found["created"]),
        expires=int(found["expires"]),
        nonce=found["nonce"],
        keyid=found["keyid"],
        tag=found["tag"],
    )
    if len(set(parameters.components)) != len(parameters.components):
        raise HTTPSignatureMalformed(where="signature-input", expected="each component once")
    return parameters


def signature_base(components: Iterable[tuple[str, str]], parameters: str) -> bytes:
    """Return the bytes that are signed (RFC 9421 §2.5).

    Args:
        components: name and value of each covered component, in the order of the parameters.
        parameters: the value of ``@signature-params``.

    Raises:
        HTTPSignatureMalformed: a value that is not one line of ASCII: a line break would begin another component.
    """
    lines = [*components, ("@signature-params", parameters)]
    for name, value in lines:
        if _UNPRINTABLE.search(value) or value != value.strip(" "):
            raise HTTPSignatureMalformed(where=name, expected="one line of ASCII")
    return "\n".join(f'"{name}": {value}' for name, value in lines).encode("ascii")


def sign(base: bytes, key: EllipticCurvePrivateKey) -> bytes:
    """Return the signature r ‖ s over a signature base (RFC 9421 §3.3.4, ecdsa-p256-sha256)."""
    r, s = decode_dss_signature(key.sign(base, _ECDSA))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signature_field(signature: bytes, *, label: str) -> str:
    """Return the value of ``Signature`` (RFC 9421 §4.2)."""
    return f"{label}=:{_encode(signature)}:"


def parse_signature(value: str, *, label: str) -> bytes:
    """Return the 64 bytes of the one signature of a message.

    Raises:
        HTTPSignatureMalformed: another label, several signatures, or another length or spelling.
    """
    found = _SIGNATURE.fullmatch(value)
    if found is None or found["label"] != label:
        raise HTTPSignatureMalformed(where="signature", expected=f"one signature {label}")
    return _decode(found["octets"])


def verify(base: bytes, signature: bytes, key: EllipticCurvePublicKey) -> None:
    """Check a signature r ‖ s over a signature base.

    Raises:
        HTTPSignatureWrong: it does not hold, or the key is not on P-256.
    """
    if len(signature) != 64 or not isinstance(key.curve, SECP256R1):
        raise HTTPSignatureWrong("64 bytes by a P-256 key are expected")
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(encode_dss_signature(r, s), base, _ECDSA)
    except InvalidSignature:
        raise HTTPSignatureWrong("signature") from None


def _encode(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _decode(text: str) -> bytes:
    """Standard base64 with padding (RFC 8941 §3.3.5), unused bits zero."""
    try:
        octets = base64.b64decode(text, validate=True)
    except binascii.Error:
        raise HTTPSignatureMalformed(where="signature", expected="base64") from None
    if _encode(octets) != text:
        raise HTTPSignatureMalformed(where="signature", expected="base64, unused bits zero")
    return octets
