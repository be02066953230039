"""The transcript of a key ceremony: what was made, from which file, approved by whom.

Canonical JSON inside a compact JWS whose ``typ`` is :data:`TRANSCRIPT_TYP`, signed by the key of the instance's audit
log. People compare its thumbprints with what is published (JPKI-36).
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import Bytes32, Flaw, Moment, Text, is_moment

TRANSCRIPT_TYP: Final = "inkan-transcript+jws"
"""``typ`` of a signed transcript."""
TRANSCRIPT_LIMIT: Final = 256 * 1024

_Count = Meta(max_length=2048)
_Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
_Thumbprint = Annotated[str, Meta(pattern=r"^[0-9A-F]{2}(?::[0-9A-F]{2}){31}\Z")]


class CeremonyTranscriptMalformed(Malformed):
    """Not the transcript of a key ceremony, version 1."""

    code = "ceremony_transcript_malformed"
    title = "The transcript of the key ceremony does not have the required form"


class Approver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A custodian who approved, and the SHA-256 of the approval (CMS) in hexadecimal."""

    name: Text
    unit: Text
    approval_sha256: _Hex32


class TranscriptLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a ceremony made, with the thumbprint that people compare (JPKI-36)."""

    name: Text
    role: Text
    subject: Text
    thumbprint_sha256: _Thumbprint
    not_after: Moment


class Transcript(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a ceremony did.

    Attributes:
        v: version of this form.
        kind: of the ceremony.
        title: of the ceremony file.
        file_sha256: base64url SHA-256 of the ceremony file.
        held_at: RFC 3339, seconds, UTC.
        is_rehearsal: made with throw-away keys: nothing in it exists.
        approvals: the custodians whose cards signed the file.
        made: every certificate, in the order in which they were made.
        revoked: names of authorities and cross-certificates that ended.
    """

    v: Literal[1] = 1
    kind: Text
    title: Text
    file_sha256: Bytes32
    held_at: Moment
    is_rehearsal: bool
    approvals: Annotated[list[Approver], _Count]
    made: Annotated[list[TranscriptLine], _Count]
    revoked: Annotated[list[Text], _Count] = []


def _flaw(transcript: Transcript) -> Flaw | None:
    days = {"/held_at": transcript.held_at}
    days |= {f"/made/{n}/not_after": line.not_after for n, line in enumerate(transcript.made)}
    wrong = next((where for where, day in days.items() if not is_moment(day)), None)
    return None if wrong is None else Flaw(wrong, "a day that exists")


_FORMAT = Format(
    Transcript, limit=TRANSCRIPT_LIMIT, malformed=CeremonyTranscriptMalformed, flaw=_flaw
)


def transcript_bytes(transcript: Transcript) -> bytes:
    """Return the canonical bytes of a transcript: the payload of the JWS.

    Raises:
        CeremonyTranscriptMalformed: a member has a value that the format does not admit.
        JSONTooLarge: it would be larger than 256 KiB.
    """
    return _FORMAT.encode(transcript)


def parse_transcript(data: bytes) -> Transcript:
    """Return the transcript whose canonical bytes ``data`` is; its signature is the caller's work.

    Raises:
        JSONTooLarge, CeremonyTranscriptMalformed, NotCanonical: see :class:`inkan.wire.documents.Format`.
    """
    return _FORMAT.parse(data)
