"""CMS SignedData with one signer and enclosed content (RFC 5652): how a card or a key signs, and the gate before
verification.

Every signed object carries its type under the signature (design §5.1): the content type is the caller's own, and it
stands in the signed attributes beside the digest and the signer's certificate. The gate reads structure only; whether
the signature holds and whose it is says :mod:`inkan.crypto.workers.signed_data`.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final, TypeAlias

import msgspec
from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS, PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto.certificates import parse_certificate
from inkan.crypto.der import DERMalformed, verify_der
from inkan.crypto.keys import PrivateKey
from inkan.crypto.path import MAX_CERTIFICATES, ValidatedPath
from inkan.kernel.errors import Malformed, TooLarge, Unauthenticated

MAX_SIZE: Final = 64 * 1024

Signer: TypeAlias = Callable[[bytes], bytes]

_SET: Final = b"\x31"
_PSS: Final = "06092a864886f70d01010a"
_MGF1: Final = "06092a864886f70d010108"
_SHA256: Final = "0609608648016503040201"
_SALT_LENGTH: Final = 32
_CONTENT_TYPE, _MESSAGE_DIGEST, _SIGNING_TIME = "content_type", "message_digest", "signing_time"
_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_SHA1 = "signing_certificate_v2", "signing_certificate"
# What asn1crypto raises, at the moment when a field is first looked at.
_PARSER_ERRORS: Final = (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)


class CMSMalformed(Malformed):
    """Not one DER SignedData of the accepted shape."""

    code = "cms_malformed"
    title = "The signed message cannot be read"


class CMSTooLarge(TooLarge):
    """More bytes than a signed message may have; nothing of them was parsed."""

    code = "cms_too_large"
    title = "The signed message is larger than allowed"


class CMSContentTypeWrong(Malformed):
    """A signed message of another type than the one asked for."""

    code = "cms_content_type_wrong"
    title = "The signed message is of another kind than required here"
    public = ("expected",)


class CMSSignatureWrong(Unauthenticated):
    """The content was changed, or the signature is not one of the certificate's key."""

    code = "cms_signature_wrong"
    title = "The signature does not fit the message"


class CMSAlgorithm(StrEnum):
    """How the signed attributes are signed; the digest is SHA-256 throughout (RFC 5754, RFC 4056)."""

    RSA_PKCS1 = "rsa_pkcs1_sha256"
    RSA_PSS = "rsa_pss_sha256"
    ECDSA = "ecdsa_sha256"


# AlgorithmIdentifiers, whole, because another parameter is another algorithm; the first one is written, all are read.
# RSA: RFC 5754 §3.2, RFC 4056 §2.2 with and without NULL after SHA-256; ECDSA: RFC 5754 §3.3.
_IDENTIFIERS: Final[Mapping[CMSAlgorithm, tuple[bytes, ...]]] = {
    CMSAlgorithm.RSA_PKCS1: (
        bytes.fromhex("300d06092a864886f70d01010b0500"),
        bytes.fromhex("300d06092a864886f70d0101010500"),
    ),
    CMSAlgorithm.RSA_PSS: (
        bytes.fromhex(
            f"3041{_PSS}3034a00f300d{_SHA256}0500a11c301a{_MGF1}300d{_SHA256}0500a203020120"
        ),
        bytes.fromhex(f"303d{_PSS}3030a00d300b{_SHA256}a11a3018{_MGF1}300b{_SHA256}a203020120"),
    ),
    CMSAlgorithm.ECDSA: (bytes.fromhex("300a06082a8648ce3d040302"),),
}


class UnverifiedCMS(msgspec.Struct, frozen=True, kw_only=True):
    """A SignedData of the right shape. Nothing in it is true yet.

    Attributes:
        content: the enclosed octets.
        content_type: eContentType, dotted.
        certificates: DER, all that came along, 1 to 8.
        signer: DER, the one among them that the SignerInfo names.
        algorithm: of the signature.
        signed_attributes: DER SET OF Attribute, the bytes under the signature.
        signature: as received.
        signing_time: as the signer says, aware, or None.
    """

    content: bytes
    content_type: str
    certificates: tuple[bytes, ...]
    signer: bytes
    algorithm: CMSAlgorithm
    signed_attributes: bytes
    signature: bytes
    signing_time: datetime | None


class VerifiedCMS(msgspec.Struct, frozen=True, kw_only=True):
    """A SignedData that is intact, validly signed, and by whom the path says.

    Attributes:
        content: the enclosed octets.
        content_type: eContentType, dotted.
        certificate: DER of the signer.
        algorithm: of the signature.
        signing_time: as the signer says, or None; not proved by anybody else.
        path: the validated path of the signer's certificate.
        sha256: of the whole message.
    """

    content: bytes
    content_type: str
    certificate: bytes
    algorithm: CMSAlgorithm
    signing_time: datetime | None
    path: ValidatedPath
    sha256: bytes


class SignedContent(msgspec.Struct, frozen=True, kw_only=True):
    """What one of a few known certificates signed; no path was asked for.

    Attributes:
        content: the enclosed octets.
        certificate: DER of the signer.
        signing_time: as the signer says, aware, or None.
    """

    content: bytes
    certificate: bytes
    signing_time: datetime | None


def algorithm_of(key: PrivateKey) -> CMSAlgorithm:
    """Return the algorithm that a key signs with unless told otherwise (RSA: PKCS #1 v1.5)."""
    is_ec = isinstance(key, EllipticCurvePrivateKey)
    return CMSAlgorithm.ECDSA if is_ec else CMSAlgorithm.RSA_PKCS1


def key_signer(key: PrivateKey, algorithm: CMSAlgorithm | None = None) -> Signer:
    """Return the function that signs bytes with ``key``; a card brings its own.

    Raises:
        ValueError: the algorithm is not one of this kind of key.
    """
    chosen = algorithm or algorithm_of(key)
    if isinstance(key, EllipticCurvePrivateKey) and chosen is CMSAlgorithm.ECDSA:
        return lambda data: key.sign(data, ECDSA(SHA256()))
    if isinstance(key, RSAPrivateKey) and chosen is CMSAlgorithm.RSA_PKCS1:
        return lambda data: key.sign(data, PKCS1v15(), SHA256())
    if isinstance(key, RSAPrivateKey) and chosen is CMSAlgorithm.RSA_PSS:
        return lambda data: key.sign(data, PSS(MGF1(SHA256()), _SALT_LENGTH), SHA256())
    raise ValueError(f"{chosen} is not an algorithm of this key")


def issuer_and_serial(certificate: bytes) -> bytes:
    """Return the DER IssuerAndSerialNumber by which a SignedData names a certificate (RFC 5652 §10.2.4)."""
    named = x509.Certificate.load(certificate)
    value = {"issuer": named.issuer, "serial_number": named.serial_number}
    return bytes(cms.IssuerAndSerialNumber(value).dump())


def signed_attributes(
    content: bytes, *, content_type: str, certificate: bytes, signing_time: datetime | None = None
) -> bytes:
    """Return the DER SET OF Attribute that a signer signs (RFC 5652 §5.3-5.4, RFC 5035 §3).

    Args:
        content: the octets to be enclosed.
        content_type: eContentType, dotted.
        certificate: DER of the signer, named by its SHA-256.
        signing_time: aware, to the second; left out when None.
    """
    identifier = tsp.ESSCertIDv2({"cert_hash": hashlib.sha256(certificate).digest()})
    values: list[tuple[str, Any]] = [
        (_CONTENT_TYPE, content_type),
        (_MESSAGE_DIGEST, hashlib.sha256(content).digest()),
        (_SIGNING_CERTIFICATE, tsp.SigningCertificateV2({"certs": [identifier]})),
    ]
    if signing_time is not None:
        when = signing_time.astimezone(UTC).replace(microsecond=0)
        # RFC 5652 §11.3: two digits of the year until 2049.
        form = "utc_time" if when.year < 2050 else "generalized_time"
        values.append((_SIGNING_TIME, cms.Time({form: when})))
    attributes = cms.CMSAttributes(
        [cms.CMSAttribute({"type": name, "values": [value]}) for name, value in values]
    )
    return bytes(attributes.dump())


def build_signed_data(
    content: bytes,
    *,
    content_type: str,
    chain: Sequence[bytes],
    algorithm: CMSAlgorithm,
    sign: Signer,
    signing_time: datetime | None = None,
) -> bytes:
    """Return the DER ContentInfo of a SignedData with enclosed content and one signer.

    Args:
        content: the octets to be enclosed.
        content_type: eContentType, dotted; the caller's own, never id-data.
        chain: DER certificates, the signer's first, without the root.
        algorithm: what ``sign`` does.
        sign: signs the bytes it is given (they are hashed inside: a card never sees a bare digest).
        signing_time: aware.
    """
    attributes = signed_attributes(
        content, content_type=content_type, certificate=chain[0], signing_time=signing_time
    )
    digest = {"algorithm": "sha256"}
    info = cms.SignerInfo(
        {
            "version": "v1",
            "sid": cms.SignerIdentifier(
                "issuer_and_serial_number",
                cms.IssuerAndSerialNumber.load(issuer_and_serial(chain[0])),
            ),
            "digest_algorithm": digest,
            "signed_attrs": cms.CMSAttributes.load(attributes),
            "signature_algorithm": algos.SignedDigestAlgorithm.load(_IDENTIFIERS[algorithm][0]),
            "signature": sign(attributes),
        }
    )
    signed = cms.SignedData(
        {
            "version": "v3",
            "digest_algorithms": [digest],
            "encap_content_info": {"content_type": content_type, "content": content},
            "certificates": [x509.Certificate.load(der) for der in chain],
            "signer_infos": [info],
        }
    )
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def parse_signed_data(der: bytes) -> UnverifiedCMS:
    """Return the parts of a SignedData, after the checks that need no key (threat 21).

    Plan:
        1. Size; strict DER, bounded depth and number of elements.
        2. ContentInfo of a SignedData, version 3 (RFC 5652 §5.1: a content type other than id-data), with enclosed
           content and without CRLs: revocation is the verifier's to know.
        3. One digest algorithm, SHA-256, in the set and in the SignerInfo.
        4. 1 to 8 X.509 certificates, each strict in itself, no two with the same issuer and serial number.
        5. Exactly one SignerInfo, without unsigned attributes (so that one signature has one message), which names
           one of the certificates.
        6. Signature algorithm from the table.
        7. Signed attributes in DER, each type once with one value: content type as in 2, digest of 32 bytes; no
           SHA-1 certificate reference.

    Raises:
        CMSTooLarge: more than 64 KiB.
        CMSMalformed: any other departure.
    """
    if len(der) > MAX_SIZE:  # 1
        raise CMSTooLarge(limit_bytes=MAX_SIZE)
    try:
        verify_der(der)
        return _parse(cms.ContentInfo.load(der, strict=True))
    except DERMalformed as error:
        raise CMSMalformed(error.detail) from None
    except _PARSER_ERRORS as error:
        raise CMSMalformed(f"not a SignedData: {error}") from None


def _parse(info: cms.ContentInfo) -> UnverifiedCMS:
    _require(info["content_type"].native == "signed_data", "a ContentInfo of another type")  # 2
    signed = info["content"]
    enclosed = signed["encap_content_info"]
    _require(signed["version"].native == "v3", "a SignedData of another version than 3")
    _require(isinstance(enclosed["content"], core.ParsableOctetString), "no enclosed octets")
    _require(signed["crls"] is core.VOID or not signed["crls"], "CRLs came along")
    _require(len(signed["digest_algorithms"]) == 1, "several digest algorithms")  # 3
    _require_sha256(signed["digest_algorithms"][0])
    certificates = _parse_certificates(signed)  # 4
    _require(len(signed["signer_infos"]) == 1, "not exactly one signer")  # 5
    signer_info = signed["signer_infos"][0]
    _require(signer_info["unsigned_attrs"] is core.VOID, "unsigned attributes")
    _require_sha256(signer_info["digest_algorithm"])  # 3
    content_type = enclosed["content_type"].dotted
    attributes, signing_time = _parse_attributes(signer_info, content_type)  # 7
    return UnverifiedCMS(
        content=bytes(enclosed["content"]),
        content_type=content_type,
        certificates=tuple(certificate.dump() for certificate in certificates),
        signer=_signer(signer_info, certificates),
        algorithm=_parse_algorithm(signer_info["signature_algorithm"]),  # 6
        signed_attributes=attributes,
        signature=signer_info["signature"].native,
        signing_time=signing_time,
    )


def _parse_certificates(signed: cms.SignedData) -> list[x509.Certificate]:
    choices = signed["certificates"]
    _require(choices is not core.VOID and 1 <= len(choices) <= MAX_CERTIFICATES, "certificates")
    _require(all(choice.name == "certificate" for choice in choices), "no X.509 certificate")
    certificates = [choice.chosen for choice in choices]
    names = {certificate.issuer_serial for certificate in certificates}
    _require(len(names) == len(certificates), "two certificates of one issuer and serial number")
    for certificate in certificates:
        parse_certificate(certificate.dump())
    return certificates


def _signer(signer_info: cms.SignerInfo, certificates: list[x509.Certificate]) -> bytes:
    identifier = signer_info["sid"].chosen
    if signer_info["sid"].name == "issuer_and_serial_number":
        issuer, serial = identifier["issuer"].dump(), identifier["serial_number"].native
        named = [c for c in certificates if (c.issuer.dump(), c.serial_number) == (issuer, serial)]
    else:
        named = [c for c in certificates if c.key_identifier == identifier.native]
    _require(len(named) == 1, "the signer's certificate did not come along")
    return bytes(named[0].dump())


def _parse_attributes(
    signer_info: cms.SignerInfo, content_type: str
) -> tuple[bytes, datetime | None]:
    implicit = signer_info["signed_attrs"]
    _require(implicit is not core.VOID, "no signed attributes")
    der = _SET + implicit.dump()[1:]
    verify_der(der)
    values: dict[str, Any] = {}
    for attribute in cms.CMSAttributes.load(der, strict=True):
        name = attribute["type"].native
        _require(name not in values and len(attribute["values"]) == 1, f"{name} more than once")
        values[name] = attribute["values"][0]
    _require(values[_CONTENT_TYPE].dotted == content_type, "another content type was signed")
    _require(len(values[_MESSAGE_DIGEST].native) == _SALT_LENGTH, "a digest of another size")
    _require(_SIGNING_CERTIFICATE_SHA1 not in values, "a certificate reference by SHA-1")
    signing_time = values.get(_SIGNING_TIME)
    return der, None if signing_time is None else signing_time.native


def _parse_algorithm(identifier: algos.SignedDigestAlgorithm) -> CMSAlgorithm:
    der = identifier.dump()
    for algorithm, encodings in _IDENTIFIERS.items():
        if der in encodings:
            return algorithm
    raise CMSMalformed(f"signature algorithm {identifier['algorithm'].native} is not accepted")


def _require_sha256(identifier: algos.DigestAlgorithm) -> None:
    _require(identifier["algorithm"].native == "sha256", "another digest algorithm than SHA-256")
    # Absent or NULL (RFC 5754 §2).
    _require(identifier["parameters"].native is None, "SHA-256 with parameters")


def _require(holds: bool, departure: str) -> None:  # noqa: FBT001
    if not holds:
        raise CMSMalformed(departure)
