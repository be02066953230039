"""Verify the transcript of a key ceremony offline: with nothing but root certificates.

It tells what the instance says it made. The thumbprints in it are compared with what is published, and the place of
the ceremony in the audit log is proved by the log; both are the reader's work.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from inkan.client.chain import parse_x5c, verify_chain, verify_in_term
from inkan.client.log_checks import HEAD_POLICIES, HEAD_USAGE
from inkan.crypto import jose
from inkan.crypto.jose import Algorithm
from inkan.kernel.errors import Malformed, Unauthenticated
from inkan.wire.ceremony_transcript import (
    TRANSCRIPT_LIMIT,
    TRANSCRIPT_TYP,
    Transcript,
    parse_transcript,
)
from inkan.wire.forms import parse_moment

_CHAIN: Final = "x5c"


class TranscriptUnsigned(Malformed):
    """A transcript as plain JSON: anybody can have written it."""

    code = "transcript_unsigned"
    title = "The transcript is not signed"


class TranscriptUncertified(Unauthenticated):
    """Signed before any ceremony had certified the key of the instance's log: the rehearsal of a founding."""

    code = "transcript_uncertified"
    title = "No certificate stands beside the signature of the transcript"


def verify_transcript(text: str, anchors: Sequence[bytes], *, at: datetime) -> Transcript:
    """Return the transcript that an instance below one of the anchors signed.

    Plan:
        1. Form: one compact JWS of the transcript's type, canonical payload.
        2. Signer: its chain (``x5c``) leads to an anchor and held at the ceremony; key usage digitalSignature
           alone, policy "heads of the audit log".
        3. Signature.
        4. The chain still holds at the time asked about: afterwards its key may be in other hands, and nothing in
           the file proves that the signature is older. Revocation is not asked for.

    Args:
        text: of the file.
        anchors: trusted roots, DER.
        at: the time asked about.

    Raises:
        TranscriptUnsigned: plain JSON.
        JWSTooLarge, JWSMalformed, NotCanonical, JSONTooLarge, CeremonyTranscriptMalformed, MomentMalformed: 1.
        TranscriptUncertified: there is no chain.
        CertificateMalformed, CertificateUntrusted, CertificateExpired, CertificateNotYetValid,
            CertificateWrongPurpose, CertificatePolicyUnmet: 2 and 4, see ``chain.verify_chain``.
        JWSSignatureWrong: 3.
    """
    if text.lstrip().startswith("{"):
        raise TranscriptUnsigned("plain JSON, as earlier versions wrote it")
    token = jose.parse_compact(  # 1
        text.strip(), typ=TRANSCRIPT_TYP, optional=(_CHAIN,), limit=2 * TRANSCRIPT_LIMIT
    )
    transcript = parse_transcript(token.payload)
    if _CHAIN not in token.header:
        raise TranscriptUncertified
    chain = verify_chain(  # 2
        parse_x5c(token.header[_CHAIN]),
        anchors,
        at=parse_moment(transcript.held_at),
        key_usage=HEAD_USAGE,
        policies=HEAD_POLICIES,
    )
    jose.verify_signature(token, chain[0].public_key, algs=(Algorithm.ES256,))  # 3
    for certificate in chain:  # 4
        verify_in_term(certificate, at)
    return transcript
