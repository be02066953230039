"""Verification of CMS SignedData: pyHanko's signature check behind the gate, and the path of the signer."""

import hashlib
from typing import Final

import msgspec
from asn1crypto import cms as asn1_cms
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from pyhanko.sign.general import extract_signer_info
from pyhanko.sign.validation.generic_cms import extract_certs_for_validation, validate_sig_integrity

from inkan.crypto.certificates import parse_certificate
from inkan.crypto.cms import (
    CMSAlgorithm,
    CMSContentTypeWrong,
    CMSMalformed,
    CMSSignatureWrong,
    SignedContent,
    UnverifiedCMS,
    VerifiedCMS,
    parse_signed_data,
)
from inkan.crypto.keys import PublicKey
from inkan.crypto.path import ValidationPolicy
from inkan.crypto.workers.validation import verify_path

_CURVES: Final = frozenset({"secp256r1", "secp384r1"})


def verify_cms(der: bytes, content_type: str, policy: ValidationPolicy) -> VerifiedCMS:
    """Return the content of a SignedData that is intact, valid and trusted (RFC 5652 §5.6).

    Plan:
        1. Structural gate (:func:`inkan.crypto.cms.parse_signed_data`).
        2. eContentType exactly as demanded.
        3. The algorithm goes with the key: RSA, or ECDSA on P-256 or P-384.
        4. pyHanko finds the same signer; signing-certificate-v2, when present, names its certificate.
        5. Intact: the content has the digest that was signed. Valid: the signature is one of the signer's key.
           Both are demanded, because changed content alone still gives "valid".
        6. Trusted: the path, with what came along as further intermediates.

    Raises:
        CMSTooLarge, CMSMalformed: steps 1, 3 and 4.
        CMSContentTypeWrong: step 2.
        CMSSignatureWrong: steps 4 and 5.
        InkanError: step 6, as :func:`inkan.crypto.workers.validation.verify_path`.
    """
    parsed = parse_signed_data(der)  # 1
    if parsed.content_type != content_type:  # 2
        raise CMSContentTypeWrong(expected=content_type)
    _verify_algorithm(parse_certificate(parsed.signer).public_key, parsed.algorithm)  # 3
    _verify_signature(der, parsed)  # 4, 5
    others = tuple(other for other in parsed.certificates if other != parsed.signer)
    path = verify_path(  # 6
        parsed.signer,
        msgspec.structs.replace(policy, intermediates=(*policy.intermediates, *others)),
    )
    return VerifiedCMS(
        content=parsed.content,
        content_type=parsed.content_type,
        certificate=parsed.signer,
        algorithm=parsed.algorithm,
        signing_time=parsed.signing_time,
        path=path,
        sha256=hashlib.sha256(der).digest(),
    )


def verify_cms_of(der: bytes, content_type: str, signers: frozenset[bytes]) -> SignedContent:
    """Return the content of a SignedData that one of these very certificates signed, with no path asked for.

    For signers that are known by their certificate, as the custodians of a ceremony are before there is any
    authority. Steps 1 to 5 of :func:`verify_cms`, and the signer's certificate has one of the SHA-256 in ``signers``.

    Raises:
        CMSTooLarge, CMSMalformed, CMSContentTypeWrong, CMSSignatureWrong: as there, and for any other signer.
    """
    parsed = parse_signed_data(der)
    if parsed.content_type != content_type:
        raise CMSContentTypeWrong(expected=content_type)
    if hashlib.sha256(parsed.signer).digest() not in signers:
        raise CMSSignatureWrong("signed by a certificate that is not asked for")
    _verify_algorithm(parse_certificate(parsed.signer).public_key, parsed.algorithm)
    _verify_signature(der, parsed)
    return SignedContent(
        content=parsed.content,
        certificate=parsed.signer,
        signing_time=parsed.signing_time,
    )


def _verify_algorithm(key: PublicKey, algorithm: CMSAlgorithm) -> None:
    is_ec = isinstance(key, EllipticCurvePublicKey)
    if is_ec != (algorithm is CMSAlgorithm.ECDSA):
        raise CMSMalformed("the signature algorithm does not go with the key")
    if isinstance(key, EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        raise CMSMalformed("another curve than P-256 and P-384")


def _verify_signature(der: bytes, parsed: UnverifiedCMS) -> None:
    signed = asn1_cms.ContentInfo.load(der)["content"]
    try:
        signer = extract_certs_for_validation(signed).signer_cert
        intact, valid = validate_sig_integrity(
            extract_signer_info(signed),
            signer,
            expected_content_type=signed["encap_content_info"]["content_type"].native,
            actual_digest=hashlib.sha256(parsed.content).digest(),
        )
    except (ValueError, TypeError, KeyError) as error:
        # pyHanko's refusals are ValueErrors: a certificate reference that names another certificate, above all.
        raise CMSSignatureWrong(f"signed attributes: {error}") from None
    if signer.dump() != parsed.signer:
        raise CMSMalformed("two readings of who signed")
    if not intact:
        raise CMSSignatureWrong("the content was changed")
    if not valid:
        raise CMSSignatureWrong("the signature is not one of the signer's key")
