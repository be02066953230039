"""Time-stamp tokens and replies (RFC 3161 §2.4.2, RFC 5816), from templates: what is constant is encoded once.

A token is a CMS SignedData over a TSTInfo. Of its members only imprint, serial number, time and nonce vary, so a
:class:`TokenMaker` encodes the rest when it is made. General libraries rebuild all of it each time.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias

from inkan.crypto import der_values as der
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.tsp import (
    FAILURE_BITS,
    PKIFailure,
    TimeNotAvailable,
    TimestampDigestUnsupported,
    TimestampExtensionUnsupported,
    TimestampPolicyUnsupported,
    TimestampRequest,
    TimestampRequestMalformed,
    TimestampRequestTooLarge,
    TimestampRequestUnsupported,
)
from inkan.kernel.errors import InkanError

Sign: TypeAlias = Callable[[bytes], bytes]
"""Signs bytes with the authority's P-256 key by ECDSA over SHA-256; returns the DER signature."""

TST_INFO: Final = "1.2.840.113549.1.9.16.1.4"
SIGNED_DATA: Final = "1.2.840.113549.1.7.2"
CONTENT_TYPE: Final = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST: Final = "1.2.840.113549.1.9.4"
SIGNING_CERTIFICATE_V2: Final = "1.2.840.113549.1.9.16.2.47"

_SHA256: Final = der.sequence(der.object_identifier("2.16.840.1.101.3.4.2.1"))
_ECDSA_SHA256: Final = der.sequence(der.object_identifier("1.2.840.10045.4.3.2"))
_STATUS_GRANTED: Final = der.sequence(der.integer(0))
_MILLIS: Final = 0x80
_SECOND_MS: Final = 1000

# Each refusal of a leaf in the words of the protocol; whatever is not listed is a failure of the system.
FAILURES: Final[Mapping[type[InkanError], PKIFailure]] = {
    TimestampRequestTooLarge: PKIFailure.BAD_REQUEST,
    TimestampRequestUnsupported: PKIFailure.BAD_REQUEST,
    TimestampRequestMalformed: PKIFailure.BAD_DATA_FORMAT,
    TimestampDigestUnsupported: PKIFailure.BAD_ALG,
    TimestampPolicyUnsupported: PKIFailure.UNACCEPTED_POLICY,
    TimestampExtensionUnsupported: PKIFailure.UNACCEPTED_EXTENSION,
    TimeNotAvailable: PKIFailure.TIME_NOT_AVAILABLE,
}


class TokenMaker:
    """Makes tokens of one key, certificate, policy and accuracy."""

    def __init__(
        self, *, chain: Sequence[bytes], policy: str, accuracy_ms: int, sign: Sign
    ) -> None:
        """Encode what every token shares.

        Args:
            chain: DER certificates, the authority's own first, without the root.
            policy: dotted, stated in every token.
            accuracy_ms: how far genTime may be off, stated in every token.
            sign: of the first certificate's key.

        Raises:
            CertificateMalformed: the first certificate does not pass the gate.
        """
        certificate = parse_certificate(chain[0])
        self._sign = sign
        self._info_head = der.integer(1) + der.object_identifier(policy)
        self._accuracy = _accuracy(accuracy_ms)
        self._before_digest, self._after_digest = _attributes(certificate.sha256)
        name = certificate.issuer.public_bytes()
        issuer_and_serial = der.sequence(name, der.integer(certificate.serial))
        self._signer_head = der.integer(1) + issuer_and_serial + _SHA256
        self._data_head = der.integer(3) + der.set_of(_SHA256)
        self._certificates = der.tlv(der.CONTEXT_0, *sorted(chain))

    def make(self, request: TimestampRequest, *, serial: int, at: datetime) -> bytes:
        """Return the DER TimeStampToken.

        Args:
            request: imprint, nonce and whether certificates are enclosed; its policy was checked by the caller.
            serial: unique for the authority, at most 159 bits.
            at: genTime, aware; stated to the millisecond.
        """
        info = der.sequence(
            self._info_head,
            request.imprint_der,
            der.integer(serial),
            generalized_time(at),
            self._accuracy,
            # ordering is FALSE, the default: several processes stamp (RFC 3161 §2.4.2)
            request.nonce_der or b"",
        )
        digest = hashlib.sha256(info).digest()
        attributes = self._before_digest + digest + self._after_digest
        signature = self._sign(der.tlv(der.SET, attributes))
        signer = der.sequence(
            self._signer_head,
            der.tlv(der.CONTEXT_0, attributes),
            _ECDSA_SHA256,
            der.tlv(der.OCTET_STRING, signature),
        )
        enclosed = der.tlv(der.CONTEXT_0, der.tlv(der.OCTET_STRING, info))
        signed = der.sequence(
            self._data_head,
            der.sequence(der.object_identifier(TST_INFO), enclosed),
            self._certificates if request.cert_req else b"",
            der.tlv(der.SET, signer),
        )
        return der.sequence(der.object_identifier(SIGNED_DATA), der.tlv(der.CONTEXT_0, signed))


def granted(token: bytes) -> bytes:
    """Return the DER TimeStampResp that carries a token."""
    return der.sequence(_STATUS_GRANTED, token)


def refused(failure: PKIFailure) -> bytes:
    """Return the DER TimeStampResp that says why there is no token (status 2, rejection)."""
    return _REFUSALS[failure]


def failure_of(refusal: InkanError) -> PKIFailure:
    """Return how the protocol calls a refusal."""
    return FAILURES.get(type(refusal), PKIFailure.SYSTEM_FAILURE)


def generalized_time(at: datetime) -> bytes:
    """Return the DER GeneralizedTime to the millisecond, without trailing zeros (RFC 3161 §2.4.2)."""
    moment = at.astimezone(UTC)
    text = moment.strftime("%Y%m%d%H%M%S")
    millis = moment.microsecond // 1000
    fraction = f".{millis:03d}".rstrip("0") if millis else ""
    return der.tlv(der.GENERALIZED_TIME, f"{text}{fraction}Z".encode("ascii"))


def _accuracy(milliseconds: int) -> bytes:
    seconds, millis = divmod(milliseconds, _SECOND_MS)
    return der.sequence(
        der.integer(seconds) if seconds else b"",
        der.integer(millis, _MILLIS) if millis else b"",
    )


def _attributes(certificate_sha256: bytes) -> tuple[bytes, bytes]:
    """The signed attributes before and after the digest, in the order of a SET OF.

    ESSCertIDv2 names the certificate by SHA-256, its default, which DER leaves out (RFC 5035 §4).
    """
    identifier = der.sequence(der.tlv(der.OCTET_STRING, certificate_sha256))
    place = bytes(hashlib.sha256().digest_size)
    members = sorted(
        (
            _attribute(CONTENT_TYPE, der.object_identifier(TST_INFO)),
            _attribute(MESSAGE_DIGEST, der.tlv(der.OCTET_STRING, place)),
            _attribute(SIGNING_CERTIFICATE_V2, der.sequence(der.sequence(identifier))),
        ),
        # By length first: members of one tag sort so, and a digest cannot change their order.
        key=lambda member: (len(member), member),
    )
    before, after = b"".join(members).split(place)
    return before, after


def _attribute(kind: str, value: bytes) -> bytes:
    return der.sequence(der.object_identifier(kind), der.tlv(der.SET, value))


_REFUSALS: Final = {
    failure: der.sequence(
        der.sequence(
            der.integer(2),
            der.sequence(der.tlv(der.UTF8_STRING, failure.value.encode("ascii"))),
            der.named_bit(bit),
        )
    )
    for failure, bit in FAILURE_BITS.items()
}
