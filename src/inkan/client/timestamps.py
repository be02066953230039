"""Time-stamps: ask an authority for one, and verify one offline (RFC 3161, RFC 5816).

The signature is verified by rfc3161-client, a second and independent reader of the format. What that library leaves
to its caller is done here before it is called: the digest of the imprint, the reference to the certificate, the purpose
of the certificate alone, and a path to a root that was given, each link checked. The library is Rust without
network or files; data of strangers reaches it only past the gate of :mod:`inkan.crypto.tsp_token` (strict DER, 64 KiB,
eight certificates), so it runs in the process of the caller and not in a worker.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response

from inkan.client.chain import Anchors, verify_in_term, verify_links, verify_root
from inkan.client.chain_status import links_of, read_findings, verify_not_revoked
from inkan.client.exchange import Conversation, Request, ask, verify_success
from inkan.crypto.certificates import Certificate, parse_certificate
from inkan.crypto.path import MAX_CERTIFICATES, CertificateRevoked, RevocationReason
from inkan.crypto.tsp import QUERY_TYPE, REPLY_TYPE, ImprintDigest, build_request
from inkan.crypto.tsp_response import granted
from inkan.crypto.tsp_token import (
    MAX_TOKEN_SIZE,
    TimestampInfo,
    UnverifiedTimestamp,
    parse_reply,
    parse_token,
)
from inkan.kernel.errors import Forbidden
from inkan.kernel.ids import random_bytes

NONCE_OCTETS: Final = 8

_STAMPING: Final = frozenset({ExtendedKeyUsageOID.TIME_STAMPING.dotted_string})
_SIGNING: Final = frozenset({"digitalSignature", "contentCommitment"})
# Reasons that leave earlier time-stamps valid (RFC 3161 §4 note 1); any other, and none given, ends all of them.
_HARMLESS: Final = frozenset(
    {
        RevocationReason.AFFILIATION_CHANGED,
        RevocationReason.SUPERSEDED,
        RevocationReason.CESSATION_OF_OPERATION,
    }
)


class TimestampMismatch(Forbidden):
    """A token for other data, of another policy, or with another nonce; ``field`` says which."""

    code = "timestamp_mismatch"
    title = "The time-stamp does not belong to this"
    public = ("field",)


class TimestampUntrusted(Forbidden):
    """The token was not signed by an authority for time-stamps under a trusted root."""

    code = "timestamp_untrusted"
    title = "The time-stamp does not come from a trusted authority"


class VerifiedTimestamp(msgspec.Struct, frozen=True, kw_only=True):
    """A token that holds: the imprint existed at ``not_after``, the latest moment that it can mean.

    Attributes:
        info: what it states.
        authority_sha256: thumbprint of the signer's certificate.
        revocation_checked: whether proofs of status were given and held; without them a revoked key goes unseen.
    """

    info: TimestampInfo
    authority_sha256: bytes
    revocation_checked: bool

    @property
    def not_after(self) -> datetime:
        """The stated time and its accuracy."""
        return self.info.at + (self.info.accuracy or timedelta(0))


def stamp(
    url: str,
    imprint: bytes,
    *,
    digest: ImprintDigest = ImprintDigest.SHA256,
    policy: str | None = None,
) -> Conversation[bytes]:
    """Ask the authority at ``url`` to stamp an imprint and return the token, its structure and nonce checked.

    What it is worth says :func:`verify_timestamp`.

    Raises:
        TimestampRefused: the authority gave none.
        TimestampMalformed, TimestampTooLarge: the answer is no reply.
        TimestampMismatch: a token for something else.
        CallRefused and its like: an HTTP error without a reply.
    """
    nonce = int.from_bytes(random_bytes(NONCE_OCTETS))
    answer = yield from ask(
        Request(
            method="POST",
            url=url,
            headers={"content-type": QUERY_TYPE, "accept": REPLY_TYPE},
            body=build_request(imprint, digest=digest, policy=policy, nonce=nonce),
            limit=MAX_TOKEN_SIZE,
        )
    )
    if answer.headers.get("content-type") != REPLY_TYPE:
        verify_success(answer)
    token = parse_reply(answer.body)
    _verify_statement(parse_token(token).info, imprint, digest, nonce, policy)
    return token


def verify_timestamp(
    token: bytes,
    imprint: bytes,
    anchors: Anchors,
    *,
    digest: ImprintDigest = ImprintDigest.SHA256,
    policy: str | None = None,
    nonce: int | None = None,
    certificates: Sequence[bytes] = (),
    crls: Sequence[bytes] = (),
    ocsps: Sequence[bytes] = (),
) -> VerifiedTimestamp:
    """Return what a token proves about data with this digest.

    Plan:
        1. The structural gate.
        2. Imprint and its digest; policy and nonce where they were asked for.
        3. The signer's certificate: named by issuer and serial number, and by its hash under the signature.
        4. Its purpose: time-stamping, alone and critical; signatures only; no authority; the key in its own period.
        5. Its path: every link up to an anchor, all in their terms at genTime.
        6. Its status, where proofs are given: good at genTime, and never revoked for a reason that puts the key in
           doubt (RFC 3161 §4).
        7. The signature, and once more everything that rfc3161-client knows, by that library.

    Args:
        token: DER TimeStampToken.
        imprint: digest of the data, made by the caller.
        anchors: trusted roots.
        digest: by which ``imprint`` was made.
        policy: dotted, or None for any.
        nonce: of the request, or None.
        certificates: DER, beside those that the token encloses.
        crls: DER lists about certificates of the path, of any time from genTime on.
        ocsps: DER answers, likewise.

    Raises:
        TimestampMalformed, TimestampTooLarge, CertificateMalformed, CertificateTooLarge: step 1.
        TimestampMismatch: step 2.
        TimestampUntrusted: steps 3, 4 and 7.
        CertificateUntrusted, CertificateNotYetValid, CertificateExpired: step 5.
        CertificateRevoked, RevocationUnknown, StatusUnproved and what the proofs' own checks raise: step 6.
    """
    parsed = parse_token(token)  # 1
    info = parsed.info
    _verify_statement(info, imprint, digest, nonce, policy)  # 2
    supplied = (*parsed.certificates, *map(parse_certificate, certificates[:MAX_CERTIFICATES]))
    signer = _signer(parsed, supplied)  # 3
    _verify_purpose(signer, info.at)  # 4
    chain = verify_root(verify_links(_ordered(signer, supplied)), anchors)  # 5
    for certificate in chain:
        verify_in_term(certificate, info.at)
    is_checked = bool(crls or ocsps)
    if is_checked:  # 6
        _verify_status(chain, crls=crls, ocsps=ocsps, at=info.at)
    _verify_by_peer(parsed, chain, imprint, nonce)  # 7
    return VerifiedTimestamp(
        info=info, authority_sha256=signer.sha256, revocation_checked=is_checked
    )


def _verify_statement(
    info: TimestampInfo,
    imprint: bytes,
    digest: ImprintDigest,
    nonce: int | None,
    policy: str | None,
) -> None:
    if (info.digest, info.imprint) != (digest, imprint):
        raise TimestampMismatch("another imprint", field="imprint")
    if nonce is not None and info.nonce != nonce:
        raise TimestampMismatch("another nonce", field="nonce")
    if policy is not None and info.policy != policy:
        raise TimestampMismatch(f"policy {info.policy}", field="policy")


def _signer(parsed: UnverifiedTimestamp, supplied: Sequence[Certificate]) -> Certificate:
    for certificate in supplied:
        named = (certificate.issuer.public_bytes(), certificate.serial)
        if named == (parsed.issuer, parsed.serial):
            actual = hashlib.new(parsed.certificate_digest, certificate.der).digest()
            if actual == parsed.certificate_hash:
                return certificate
    raise TimestampUntrusted("the certificate that the token names is not there")


def _verify_purpose(certificate: Certificate, at: datetime) -> None:
    extension = certificate.extensions.get(ExtensionOID.EXTENDED_KEY_USAGE.dotted_string)
    is_for_stamps = (
        certificate.extended_key_usage == _STAMPING and extension is not None and extension.critical
    )
    if not is_for_stamps or certificate.is_ca:
        raise TimestampUntrusted("signed by a certificate that is not for time-stamps alone")
    if not certificate.key_usage or not certificate.key_usage <= _SIGNING:
        raise TimestampUntrusted("signed by a key that is not for signatures alone")
    period = certificate.extensions.get(ExtensionOID.PRIVATE_KEY_USAGE_PERIOD.dotted_string)
    if period is not None and not _is_within(period.value, at):
        raise TimestampUntrusted("signed outside the period of the key")


def _is_within(period: x509.ExtensionType, at: datetime) -> bool:
    if not isinstance(period, x509.PrivateKeyUsagePeriod):
        return False
    begins, ends = period.not_before, period.not_after
    return (begins is None or begins.replace(tzinfo=UTC) <= at) and (
        ends is None or at <= ends.replace(tzinfo=UTC)
    )


def _ordered(signer: Certificate, supplied: Sequence[Certificate]) -> list[bytes]:
    """The signer's certificate and whatever of the others leads upwards, each once."""
    ordered = [signer]
    while len(ordered) < MAX_CERTIFICATES and ordered[-1].issuer != ordered[-1].subject:
        above = (
            each
            for each in supplied
            if each.subject == ordered[-1].issuer
            and ordered[-1].authority_key_id in {None, each.subject_key_id}
            and each not in ordered
        )
        found = next(above, None)
        if found is None:
            break
        ordered.append(found)
    return [each.der for each in ordered]


def _verify_status(
    chain: Sequence[Certificate], *, crls: Sequence[bytes], ocsps: Sequence[bytes], at: datetime
) -> None:
    findings = read_findings(links_of(chain), ocsps=ocsps, crls=crls, at=at)
    for certificate in chain[:-1]:
        verify_not_revoked(certificate, findings, at=at)
    for finding in findings:
        revocation = finding.revocation
        if (
            revocation is not None
            and finding.certificate == chain[0].der
            and revocation.reason not in _HARMLESS
        ):
            raise CertificateRevoked(reason=revocation.reason, revoked_at=revocation.revoked_at)


def _verify_by_peer(
    parsed: UnverifiedTimestamp, chain: Sequence[Certificate], imprint: bytes, nonce: int | None
) -> None:
    """Steps 1 to 5 again, and the signature; what it is given as trusted is the path of step 5 alone."""
    verifier = VerifierBuilder(
        tsa_certificate=chain[0].x509,
        intermediates=[certificate.x509 for certificate in chain[1:-1]],
        roots=[chain[-1].x509],
        nonce=nonce,
    ).build()
    try:
        verifier.verify(decode_timestamp_response(granted(parsed.der)), imprint)
    except (VerificationError, ValueError, TypeError) as refusal:
        raise TimestampUntrusted(f"rfc3161-client: {refusal}") from None
