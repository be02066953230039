"""A signed message as whoever received it reads it: is it intact, and whose key signed it (RFC 5652 §5.6).

For agencies that take forms signed by a card. Whether the signer's certificate is to be believed is another question,
and :class:`inkan.client.PathVerifier` answers it; nothing here trusts anybody.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final

import msgspec
from asn1crypto import cms as asn1
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.cms import (
    CMSAlgorithm,
    CMSContentTypeWrong,
    CMSMalformed,
    CMSSignatureWrong,
    UnverifiedCMS,
    parse_signed_data,
)
from inkan.crypto.foreign_keys import ECDSA_SCHEMES, SignatureScheme, verify_message

_SCHEMES: Final[Mapping[CMSAlgorithm, SignatureScheme]] = {
    CMSAlgorithm.RSA_PKCS1: SignatureScheme.RSA_PKCS1_SHA256,
    CMSAlgorithm.RSA_PSS: SignatureScheme.RSA_PSS_SHA256,
    CMSAlgorithm.ECDSA: SignatureScheme.ECDSA_SHA256,
}
_DIGEST, _CERTIFICATE = "message_digest", "signing_certificate_v2"
# What asn1crypto raises when a field is first looked at.
_PARSER_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class SignedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is intact and signed by the key of ``signer``; who that is, its path has to say.

    Attributes:
        content: what was signed.
        signer: DER of the certificate whose key signed.
        others: DER of what else came along, for building a path.
        signing_time: as the signer says, aware, or None; proved by nobody.
        sha256: of the whole message.
    """

    content: bytes
    signer: bytes
    others: tuple[bytes, ...]
    signing_time: datetime | None
    sha256: bytes


def open_signed(der: bytes, content_type: str) -> SignedMessage:
    """Return what a SignedData (DER, at most 64 KiB) holds, if its one signature holds.

    Plan:
        1. The structural gate: see :func:`inkan.crypto.cms.parse_signed_data`.
        2. eContentType exactly as asked for.
        3. The content has the digest that was signed.
        4. The certificate reference under the signature names the signer's certificate (RFC 5035 §3, SHA-256).
        5. The signed attributes carry a signature by the certificate's key, by the algorithm that goes with it.

    Args:
        der: ContentInfo.
        content_type: dotted.

    Raises:
        CMSTooLarge, CMSMalformed: step 1, and an algorithm of another kind of key.
        CMSContentTypeWrong: step 2.
        CMSSignatureWrong: steps 3 to 5.
    """
    parsed = parse_signed_data(der)  # 1
    if parsed.content_type != content_type:  # 2
        raise CMSContentTypeWrong(expected=content_type)
    try:
        digest, reference = _attributes(parsed)
    except _PARSER_ERRORS as error:
        raise CMSMalformed(f"signed attributes: {error}") from None
    if not hmac.compare_digest(digest, hashlib.sha256(parsed.content).digest()):  # 3
        raise CMSSignatureWrong("the content was changed")
    if reference != hashlib.sha256(parsed.signer).digest():  # 4
        raise CMSSignatureWrong("another certificate was named when this was signed")
    _verify_signature(parse_certificate(parsed.signer), parsed)  # 5
    return SignedMessage(
        content=parsed.content,
        signer=parsed.signer,
        others=tuple(each for each in parsed.certificates if each != parsed.signer),
        signing_time=parsed.signing_time,
        sha256=hashlib.sha256(der).digest(),
    )


def _attributes(parsed: UnverifiedCMS) -> tuple[bytes, bytes]:
    """The digest of the content and the hash of the signer's certificate, as they were signed; empty where missing."""
    values = {
        each["type"].native: each["values"][0]
        for each in asn1.CMSAttributes.load(parsed.signed_attributes)
    }
    reference = b""
    if _CERTIFICATE in values:
        identifier = values[_CERTIFICATE]["certs"][0]
        if identifier["hash_algorithm"]["algorithm"].native == "sha256":
            reference = bytes(identifier["cert_hash"].native)
    return bytes(values[_DIGEST].native), reference


def _verify_signature(signer: Certificate, parsed: UnverifiedCMS) -> None:
    key, scheme = signer.public_key, _SCHEMES[parsed.algorithm]
    if isinstance(key, EllipticCurvePublicKey) != (scheme in ECDSA_SCHEMES):
        raise CMSMalformed("the signature algorithm does not go with the key")
    try:
        verify_message(key, parsed.signature, parsed.signed_attributes, scheme)
    except InvalidSignature:
        raise CMSSignatureWrong("the signature is not one of the signer's key") from None
