"""Time-stamp replies and tokens of others: their structure, before anything in them is believed (RFC 3161 §2.4.2).

Reading needs no key. Whether the signature holds, and whose it is, says :mod:`inkan.client.timestamps`.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from inkan.crypto import der_values as der
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.der import DERMalformed, verify_der
from inkan.crypto.path import MAX_CERTIFICATES
from inkan.crypto.tsp import (
    DIGEST_OIDS,
    FAILURE_BITS,
    ImprintDigest,
    TimestampDigestUnsupported,
    TimestampRequestMalformed,
    read_imprint,
)
from inkan.crypto.tsp_response import (
    CONTENT_TYPE,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
    TST_INFO,
)
from inkan.kernel.errors import Malformed, TooLarge, Unavailable

MAX_TOKEN_SIZE: Final = 64 * 1024
MAX_INFO_SIZE: Final = 4096
MAX_SERIAL_OCTETS: Final = 20
GRANTED: Final = b"\x00"

_CONTEXT_1: Final = 0xA1
_SECONDS, _MILLIS, _MICROS = der.INTEGER, 0x80, 0x81
_BY_OID: Final = {oid: digest for digest, oid in DIGEST_OIDS.items()}
_CRITICAL: Final = b"\xff"


class TimestampMalformed(Malformed):
    """Not one DER time-stamp token, or reply, of the accepted shape."""

    code = "timestamp_malformed"
    title = "The time-stamp cannot be read"
    public = ()


class TimestampTooLarge(TooLarge):
    """More bytes than a token may have; nothing of them was parsed."""

    code = "timestamp_too_large"
    title = "The time-stamp is larger than allowed"


class TimestampRefused(Unavailable):
    """The authority gave no token; ``failure`` says why, in the words of RFC 3161."""

    code = "timestamp_refused"
    title = "The time-stamping authority gave no time-stamp"
    public = ("failure",)


class TimestampInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a token states.

    Attributes:
        policy: dotted.
        digest: by which the imprint was made.
        imprint: the hashed data.
        serial: unique for the authority.
        at: genTime, aware.
        accuracy: how far ``at`` may be off on either side, or None when nothing is said.
        ordering: whether two tokens of the authority are ordered by their times alone.
        nonce: of the request, or None.
    """

    policy: str
    digest: ImprintDigest
    imprint: bytes
    serial: int
    at: datetime
    accuracy: timedelta | None
    ordering: bool
    nonce: int | None


class UnverifiedTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """A token of the right shape. Nothing in it is true yet.

    Attributes:
        der: the token.
        info: what it states.
        certificates: that came along, each past the structural gate.
        issuer: DER name of the signer certificate's issuer.
        serial: of the signer's certificate.
        certificate_digest: by which ``certificate_hash`` was made.
        certificate_hash: of the signer's certificate, under the signature (RFC 5816).
    """

    der: bytes
    info: TimestampInfo
    certificates: tuple[Certificate, ...]
    issuer: bytes
    serial: int
    certificate_digest: ImprintDigest
    certificate_hash: bytes


def parse_reply(data: bytes) -> bytes:
    """Return the token of a DER TimeStampResp.

    Raises:
        TimestampTooLarge, TimestampMalformed: no such reply.
        TimestampRefused: any other status than "granted".
    """
    _verify_size(data)
    try:
        verify_der(data)
        reply = der.Members(data).enter(der.SEQUENCE)
        status = reply.enter(der.SEQUENCE)
        is_granted = status.take(der.INTEGER) == GRANTED
        status.find(der.SEQUENCE)
        failure = status.take(der.BIT_STRING) if status.next_is(der.BIT_STRING) else b""
        status.finish()
        if not is_granted:
            raise TimestampRefused(failure=_failure_name(failure))
        token = reply.take_whole(der.SEQUENCE)
        reply.finish()
    except DERMalformed as departure:
        raise TimestampMalformed(departure.detail) from None
    return token


def parse_token(data: bytes) -> UnverifiedTimestamp:
    """Return the parts of a token, after the checks that need no key (threat 21).

    Plan:
        1. At most 64 KiB; strict DER.
        2. ContentInfo of a SignedData, version 3, one digest of the table, with an enclosed TSTInfo.
        3. At most eight X.509 certificates, each past the gate; no CRLs.
        4. Exactly one SignerInfo, version 1, by issuer and serial number, without unsigned attributes.
        5. Signed attributes in the order of DER, each once: content type TSTInfo; the digest of the very TSTInfo;
           a reference to the signer's certificate by SHA-2 (ESSCertIDv2, RFC 5816).
        6. The TSTInfo: version 1, an imprint of its digest's length, no critical extension.

    Raises:
        TimestampTooLarge, TimestampMalformed, CertificateMalformed, CertificateTooLarge: any departure.
    """
    _verify_size(data)  # 1
    try:
        verify_der(data)
        return _parse_token(data)
    except (DERMalformed, TimestampDigestUnsupported, TimestampRequestMalformed) as departure:
        raise TimestampMalformed(departure.detail) from None


def _verify_size(data: bytes) -> None:
    if len(data) > MAX_TOKEN_SIZE:
        raise TimestampTooLarge(limit_bytes=MAX_TOKEN_SIZE)


def _failure_name(bits: bytes) -> str:
    """The first named bit that is set; a reply without one says nothing."""
    value = int.from_bytes(bits[1:]) << 8 * (4 - len(bits[1:])) if len(bits) <= 5 else 0
    names = (str(name) for name, bit in FAILURE_BITS.items() if value >> (31 - bit) & 1)
    return next(names, "unexplained")


def _parse_token(data: bytes) -> UnverifiedTimestamp:
    content = der.Members(data).enter(der.SEQUENCE)
    _require(_oid(content) == SIGNED_DATA, "a ContentInfo of another type")  # 2
    signed = content.enter(der.CONTEXT_0).enter(der.SEQUENCE)
    _require(signed.take(der.INTEGER) == b"\x03", "a SignedData of another version than 3")
    digests = signed.enter(der.SET)
    digest = _digest(digests)
    digests.finish()
    enclosed = signed.enter(der.SEQUENCE)
    _require(_oid(enclosed) == TST_INFO, "a signed message of another type")
    info = enclosed.enter(der.CONTEXT_0).take(der.OCTET_STRING)
    certificates = _certificates(signed)  # 3
    signers = signed.enter(der.SET)  # 4
    signer = signers.enter(der.SEQUENCE)
    signers.finish()
    signed.finish()
    _require(signer.take(der.INTEGER) == b"\x01", "a SignerInfo of another version than 1")
    named = signer.enter(der.SEQUENCE)
    issuer, serial = named.take_whole(der.SEQUENCE), der.number_of(named.take(der.INTEGER))
    _require(_digest(signer) == digest, "two digest algorithms")
    attributes = _attributes(signer.take_whole(der.CONTEXT_0))  # 5
    signer.take(der.SEQUENCE)
    signer.take(der.OCTET_STRING)
    signer.finish()
    _verify_attributes(attributes, hashlib.new(digest, info).digest())
    certificate_digest, certificate_hash = _certificate_reference(attributes)
    return UnverifiedTimestamp(
        der=data,
        info=_parse_info(info),  # 6
        certificates=certificates,
        issuer=issuer,
        serial=serial,
        certificate_digest=certificate_digest,
        certificate_hash=certificate_hash,
    )


def _certificates(signed: der.Members) -> tuple[Certificate, ...]:
    """The enclosed certificates; the SET OF under its implicit tag may stand in any order, as it is not signed."""
    found: list[Certificate] = []
    if signed.next_is(der.CONTEXT_0):
        choices = signed.enter(der.CONTEXT_0)
        while choices.next_is(der.SEQUENCE):
            _require(len(found) < MAX_CERTIFICATES, "more certificates than a path has")
            found.append(parse_certificate(choices.take_whole(der.SEQUENCE)))
        choices.finish()
    return tuple(found)


def _attributes(implicit: bytes) -> dict[str, der.Members]:
    """Each type with the members of its one value."""
    encoding = bytes((der.SET,)) + implicit[1:]
    verify_der(encoding)
    found: dict[str, der.Members] = {}
    members = der.Members(encoding).enter(der.SET)
    while members.next_is(der.SEQUENCE):
        attribute = members.enter(der.SEQUENCE)
        kind = _oid(attribute)
        _require(kind not in found, "an attribute more than once")
        found[kind] = attribute.enter(der.SET)
        attribute.finish()
    members.finish()
    return found


def _verify_attributes(attributes: dict[str, der.Members], digest: bytes) -> None:
    required = {CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_CERTIFICATE_V2}
    _require(required <= attributes.keys(), "a signed attribute is missing")
    kind, value = attributes[CONTENT_TYPE], attributes[MESSAGE_DIGEST]
    _require(_oid(kind) == TST_INFO, "another content type was signed")
    _require(value.take(der.OCTET_STRING) == digest, "another TSTInfo was signed")
    kind.finish()
    value.finish()


def _certificate_reference(attributes: dict[str, der.Members]) -> tuple[ImprintDigest, bytes]:
    """The first ESSCertIDv2 is the signer's (RFC 5035 §3)."""
    reference = attributes[SIGNING_CERTIFICATE_V2].enter(der.SEQUENCE).enter(der.SEQUENCE)
    identifier = reference.enter(der.SEQUENCE)
    has_digest = identifier.next_is(der.SEQUENCE)
    digest = _digest(identifier) if has_digest else ImprintDigest.SHA256
    value = identifier.take(der.OCTET_STRING)
    _require(len(value) == digest.size, "a certificate reference of another size")
    return digest, value


def _parse_info(encoding: bytes) -> TimestampInfo:
    _require(len(encoding) <= MAX_INFO_SIZE, "a TSTInfo larger than any needs to be")
    verify_der(encoding, fractions=True)
    info = der.Members(encoding).enter(der.SEQUENCE)
    _require(info.take(der.INTEGER) == b"\x01", "a TSTInfo of another version than 1")
    policy = _oid(info)
    digest, imprint = read_imprint(info.take_whole(der.SEQUENCE))
    serial = info.take(der.INTEGER)
    _require(len(serial) <= MAX_SERIAL_OCTETS, "a serial number of more than 20 octets")
    at = _time(info.take(der.GENERALIZED_TIME))
    accuracy = _accuracy(info.enter(der.SEQUENCE)) if info.next_is(der.SEQUENCE) else None
    ordering = info.find(der.BOOLEAN) is not None
    nonce = der.number_of(info.take(der.INTEGER)) if info.next_is(der.INTEGER) else None
    info.find(der.CONTEXT_0)
    if info.next_is(_CONTEXT_1):
        _verify_extensions(info.enter(_CONTEXT_1))
    info.finish()
    return TimestampInfo(
        policy=policy,
        digest=digest,
        imprint=imprint,
        serial=der.number_of(serial),
        at=at,
        accuracy=accuracy,
        ordering=ordering,
        nonce=nonce,
    )


def _verify_extensions(extensions: der.Members) -> None:
    while extensions.next_is(der.SEQUENCE):
        extension = extensions.enter(der.SEQUENCE)
        extension.take(der.OBJECT_IDENTIFIER)
        is_critical = extension.next_is(der.BOOLEAN) and extension.take(der.BOOLEAN) == _CRITICAL
        _require(not is_critical, "a critical extension")
    extensions.finish()


def _time(contents: bytes) -> datetime:
    """The moment of a GeneralizedTime that the gate admitted; digits beyond the microsecond are cut off."""
    whole, _, fraction = contents.decode("ascii").removesuffix("Z").partition(".")
    try:
        moment = datetime.strptime(f"{whole}+0000", "%Y%m%d%H%M%S%z")
    except ValueError:
        raise TimestampMalformed("a time that no calendar has") from None
    return moment.astimezone(UTC).replace(microsecond=int(fraction.ljust(6, "0")[:6]))


def _accuracy(members: der.Members) -> timedelta:
    """Seconds, milliseconds and microseconds, each 0 where it is missing (RFC 3161 §2.4.2)."""
    parts = [
        der.number_of(members.take(tag)) if members.next_is(tag) else 0
        for tag in (_SECONDS, _MILLIS, _MICROS)
    ]
    members.finish()
    seconds, millis, micros = parts
    is_sane = 0 <= seconds < 2**31 and 0 <= millis < 1000 and 0 <= micros < 1000
    _require(is_sane, "an accuracy that is none")
    return timedelta(seconds=seconds, milliseconds=millis, microseconds=micros)


def _oid(members: der.Members) -> str:
    return der.dotted(members.take(der.OBJECT_IDENTIFIER))


def _digest(members: der.Members) -> ImprintDigest:
    """The digest of an AlgorithmIdentifier whose parameters are absent or NULL (RFC 5754 §2)."""
    algorithm = members.enter(der.SEQUENCE)
    digest = _BY_OID.get(_oid(algorithm))
    algorithm.find(der.NULL)
    algorithm.finish()
    if digest is None:
        raise TimestampDigestUnsupported("none of SHA-256, SHA-384, SHA-512")
    return digest


def _require(holds: bool, departure: str) -> None:  # noqa: FBT001
    if not holds:
        raise TimestampMalformed(departure)
