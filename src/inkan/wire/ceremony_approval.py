"""What a custodian's card signs to approve a key ceremony: the hash of its one file (HCA-33).

Canonical JSON inside a CMS whose eContentType is :data:`CONTENT_TYPE`, so that the signature fits nothing else.
"""

import hashlib
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.crypto import base64url, oids
from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import Bytes32, Moment

CONTENT_TYPE: Final = oids.CONTENT_CEREMONY
LIMIT: Final = 2048


class CeremonyApprovalMalformed(Malformed):
    """Not the approval of a key ceremony, version 1."""

    code = "ceremony_approval_malformed"
    title = "The approval of the key ceremony does not have the required form"


class CeremonyApproval(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The approval of one ceremony.

    Attributes:
        title: of the ceremony file; the card's dialog shows it.
        file_sha256: base64url SHA-256 of the file's bytes.
        at: when the custodian approved.
    """

    v: Literal[1] = 1
    type: Literal["ceremony"] = "ceremony"
    title: Annotated[str, Meta(min_length=1, max_length=64)]
    file_sha256: Bytes32
    at: Moment


_FORMAT = Format(CeremonyApproval, limit=LIMIT, malformed=CeremonyApprovalMalformed)


def file_sha256(file: bytes) -> str:
    """The hash by which approvals, transcript and log name a ceremony file; base64url."""
    return base64url.encode(hashlib.sha256(file).digest())


def approval_bytes(approval: CeremonyApproval) -> bytes:
    """Return the canonical bytes of an approval: the eContent of the CMS.

    Raises:
        CeremonyApprovalMalformed: a member has a value that the format does not admit.
    """
    return _FORMAT.encode(approval)


def parse_approval(data: bytes) -> CeremonyApproval:
    """Return the approval whose canonical bytes ``data`` is (at most 2 KiB).

    Raises:
        JSONTooLarge, CeremonyApprovalMalformed, NotCanonical: see :class:`inkan.wire.documents.Format`.
    """
    return _FORMAT.parse(data)
