"""Detached CMS signatures (RFC 5652 §5.2: eContent is absent): the signature file beside what it signs.

What is signed is the digest of the content, wherever the content stands. So a detached message is checked by putting
the content that the verifier itself holds into it and going the one way of :mod:`inkan.crypto.cms`: no second
verification, and no content that a stranger sent along.
"""

from asn1crypto import cms, core

from inkan.crypto.cms import MAX_SIZE, CMSMalformed, CMSTooLarge, parse_signed_data
from inkan.crypto.der import DERMalformed, verify_der

# What asn1crypto raises, at the moment when a field is first looked at.
_PARSER_ERRORS = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


def enclose(detached: bytes, content: bytes) -> bytes:
    """Return the SignedData with ``content`` enclosed, for :func:`inkan.crypto.cms.parse_signed_data`.

    Plan:
        1. Size; strict DER.
        2. A ContentInfo of a SignedData without eContent.
        3. The result passes the gate of enclosed messages.

    Args:
        detached: DER ContentInfo.
        content: the octets that must have been signed; the verifier's own.

    Raises:
        CMSTooLarge: more than 64 KiB.
        CMSMalformed: any other departure, content that came along among them.
    """
    if len(detached) > MAX_SIZE:  # 1
        raise CMSTooLarge(limit_bytes=MAX_SIZE)
    try:
        verify_der(detached)
        whole = _with_content(cms.ContentInfo.load(detached, strict=True), content)  # 2
    except DERMalformed as error:
        raise CMSMalformed(error.detail) from None
    except _PARSER_ERRORS as error:
        raise CMSMalformed(f"not a SignedData: {error}") from None
    parse_signed_data(whole)  # 3
    return whole


def _with_content(info: cms.ContentInfo, content: bytes) -> bytes:
    if info["content_type"].native != "signed_data":
        raise CMSMalformed("a ContentInfo of another type")
    signed = info["content"]
    if signed["encap_content_info"]["content"] is not core.VOID:
        raise CMSMalformed("content came along with a detached signature")
    return _rebuilt(signed, content)


def _rebuilt(signed: cms.SignedData, content: bytes) -> bytes:
    """The same message around the content; every other part keeps its bytes."""
    content_type = signed["encap_content_info"]["content_type"].dotted
    parts = {
        name: signed[name]
        for name in ("version", "digest_algorithms", "certificates", "crls", "signer_infos")
        if signed[name] is not core.VOID
    }
    encap = {"content_type": content_type, "content": content}
    rebuilt = cms.SignedData({**parts, "encap_content_info": encap})
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": rebuilt}).dump())
