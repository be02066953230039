"""Requests for time-stamps (RFC 3161 §2.4.1), and why an authority refuses one (§2.4.2).

The reader is strict: one DER spelling, bounded size, three digests. What it returns keeps the encodings that a token
has to repeat, so that nothing is encoded a second time.
"""

import hashlib
from enum import StrEnum
from typing import Final

import msgspec

from inkan.crypto import der_values as der
from inkan.crypto.der import DERMalformed, verify_der
from inkan.kernel.errors import Malformed, TooLarge, Unavailable

MAX_REQUEST_SIZE: Final = 1024
MAX_NONCE_SIZE: Final = 20
MAX_DEPTH: Final = 6
MAX_ELEMENTS: Final = 64
QUERY_TYPE: Final = "application/timestamp-query"
REPLY_TYPE: Final = "application/timestamp-reply"

_V1: Final = b"\x01"
_TRUE: Final = b"\xff"
_NULL: Final = b"\x05\x00"


class ImprintDigest(StrEnum):
    """The digests that are stamped, by their names in hashlib; SHA-1 is none of them."""

    SHA256 = "sha256"
    SHA384 = "sha384"
    SHA512 = "sha512"

    @property
    def size(self) -> int:
        """Octets of a value."""
        return hashlib.new(self.value).digest_size


DIGEST_OIDS: Final = {
    ImprintDigest.SHA256: "2.16.840.1.101.3.4.2.1",
    ImprintDigest.SHA384: "2.16.840.1.101.3.4.2.2",
    ImprintDigest.SHA512: "2.16.840.1.101.3.4.2.3",
}
_DIGESTS: Final = {der.object_identifier(oid): digest for digest, oid in DIGEST_OIDS.items()}


class PKIFailure(StrEnum):
    """Why no token is given: PKIFailureInfo of RFC 3161 §2.4.2."""

    BAD_ALG = "badAlg"
    BAD_REQUEST = "badRequest"
    BAD_DATA_FORMAT = "badDataFormat"
    TIME_NOT_AVAILABLE = "timeNotAvailable"
    UNACCEPTED_POLICY = "unacceptedPolicy"
    UNACCEPTED_EXTENSION = "unacceptedExtension"
    ADD_INFO_NOT_AVAILABLE = "addInfoNotAvailable"
    SYSTEM_FAILURE = "systemFailure"


FAILURE_BITS: Final = {
    PKIFailure.BAD_ALG: 0,
    PKIFailure.BAD_REQUEST: 2,
    PKIFailure.BAD_DATA_FORMAT: 5,
    PKIFailure.TIME_NOT_AVAILABLE: 14,
    PKIFailure.UNACCEPTED_POLICY: 15,
    PKIFailure.UNACCEPTED_EXTENSION: 16,
    PKIFailure.ADD_INFO_NOT_AVAILABLE: 17,
    PKIFailure.SYSTEM_FAILURE: 25,
}


class TimestampRequestTooLarge(TooLarge):
    """More bytes than a request has."""

    code = "timestamp_request_too_large"
    title = "The time-stamp request is larger than allowed"


class TimestampRequestMalformed(Malformed):
    """Not one DER TimeStampReq, or an imprint of another length than its digest has."""

    code = "timestamp_request_malformed"
    title = "The time-stamp request cannot be read"
    public = ()


class TimestampRequestUnsupported(Malformed):
    """Another version than 1, or a nonce of more than 20 octets."""

    code = "timestamp_request_unsupported"
    title = "A time-stamp request of this kind is not served"
    public = ()


class TimestampDigestUnsupported(Malformed):
    """The imprint was made by another digest than SHA-256, SHA-384 or SHA-512."""

    code = "timestamp_digest_unsupported"
    title = "Imprints by this digest are not stamped"
    public = ()


class TimestampPolicyUnsupported(Malformed):
    """The request asks for a policy that is not this authority's."""

    code = "timestamp_policy_unsupported"
    title = "Time-stamps under this policy are not given here"
    public = ()


class TimestampExtensionUnsupported(Malformed):
    """The request carries an extension; none is known here, critical or not (RFC 3161 §2.4.1)."""

    code = "timestamp_extension_unsupported"
    title = "The time-stamp request has an extension that is not known here"
    public = ()


class TimeNotAvailable(Unavailable):
    """The authority does not trust its clock at the moment, so it stamps nothing."""

    code = "time_not_available"
    title = "The time-stamping authority is not sure of the time"
    public = ()


class TimestampRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed request.

    Attributes:
        digest: by which the imprint was made.
        imprint: the hashed message.
        imprint_der: DER MessageImprint as sent; a token repeats it.
        policy: DER OBJECT IDENTIFIER, or None for the authority's own choice.
        nonce_der: DER INTEGER as sent, or None; a token repeats it.
        cert_req: whether the authority's certificates are to be enclosed.
    """

    digest: ImprintDigest
    imprint: bytes
    imprint_der: bytes
    policy: bytes | None
    nonce_der: bytes | None
    cert_req: bool


def parse_request(data: bytes) -> TimestampRequest:
    """Return what a request asks (RFC 3161 §2.4.1).

    Plan:
        1. At most 1 KiB; strict DER, so that a certReq of FALSE is left out.
        2. Version 1.
        3. A digest of the table, its parameters absent or NULL, and an imprint of its length.
        4. A nonce of at most 20 octets.
        5. No extension: an authority that does not know one must refuse it, critical or not.

    Raises:
        TimestampRequestTooLarge, TimestampRequestMalformed: step 1, and a wrong length in step 3.
        TimestampRequestUnsupported: steps 2 and 4.
        TimestampDigestUnsupported: step 3.
        TimestampExtensionUnsupported: step 5.
    """
    if len(data) > MAX_REQUEST_SIZE:  # 1
        raise TimestampRequestTooLarge(limit_bytes=MAX_REQUEST_SIZE)
    try:
        verify_der(data, max_depth=MAX_DEPTH, max_elements=MAX_ELEMENTS)
        return _parse(der.Members(data))
    except DERMalformed as departure:
        raise TimestampRequestMalformed(departure.detail) from None


def _parse(outer: der.Members) -> TimestampRequest:
    members = outer.enter(der.SEQUENCE)
    if members.take(der.INTEGER) != _V1:  # 2
        raise TimestampRequestUnsupported("another version than 1")
    imprint_der = members.take_whole(der.SEQUENCE)
    policy = members.find(der.OBJECT_IDENTIFIER)
    nonce_der = members.find(der.INTEGER)
    cert_req = members.next_is(der.BOOLEAN)
    if cert_req and members.take(der.BOOLEAN) != _TRUE:  # 1
        raise TimestampRequestMalformed("a default value that is written out")
    extensions = members.find(der.CONTEXT_0)
    members.finish()
    digest, imprint = read_imprint(imprint_der)  # 3
    if nonce_der is not None and len(nonce_der) - 2 > MAX_NONCE_SIZE:  # 4
        raise TimestampRequestUnsupported("a nonce of more than 20 octets")
    if extensions is not None:  # 5
        raise TimestampExtensionUnsupported("no extension is known here")
    return TimestampRequest(
        digest=digest,
        imprint=imprint,
        imprint_der=imprint_der,
        policy=policy,
        nonce_der=nonce_der,
        cert_req=cert_req,
    )


def read_imprint(encoding: bytes) -> tuple[ImprintDigest, bytes]:
    """Return digest and value of a DER MessageImprint that the gate admitted.

    Raises:
        DERMalformed: other members than its own.
        TimestampDigestUnsupported: another digest than those of the table.
        TimestampRequestMalformed: a value of another length than the digest's.
    """
    members = der.Members(encoding).enter(der.SEQUENCE)
    algorithm = members.enter(der.SEQUENCE)
    digest = _DIGESTS.get(algorithm.take_whole(der.OBJECT_IDENTIFIER))
    if digest is None:
        raise TimestampDigestUnsupported("none of SHA-256, SHA-384, SHA-512")
    algorithm.find(der.NULL)
    algorithm.finish()
    value = members.take(der.OCTET_STRING)
    members.finish()
    if len(value) != digest.size:
        raise TimestampRequestMalformed(f"an imprint of {len(value)} octets by {digest}")
    return digest, value


def build_request(
    imprint: bytes,
    *,
    digest: ImprintDigest = ImprintDigest.SHA256,
    policy: str | None = None,
    nonce: int | None = None,
    cert_req: bool = True,
) -> bytes:
    """Return the DER request for a time-stamp of an imprint.

    Args:
        imprint: digest of the data, by ``digest``.
        digest: of the table.
        policy: dotted, or None for the authority's own.
        nonce: at most 159 bits; the token repeats it.
        cert_req: ask for the authority's certificates.

    Raises:
        TimestampRequestMalformed: the imprint has another length than the digest's.
    """
    if len(imprint) != digest.size:
        raise TimestampRequestMalformed(f"an imprint of {len(imprint)} octets by {digest}")
    algorithm = der.sequence(der.object_identifier(DIGEST_OIDS[digest]))
    return der.sequence(
        der.integer(1),
        der.sequence(algorithm, der.tlv(der.OCTET_STRING, imprint)),
        b"" if policy is None else der.object_identifier(policy),
        b"" if nonce is None else der.integer(nonce),
        der.tlv(der.BOOLEAN, _TRUE) if cert_req else b"",
    )
