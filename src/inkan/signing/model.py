"""What is signed: documents by their digest, in batches, and what became of each."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from inkan.kernel.errors import NotFound
from inkan.wire.contents import DigestAlgorithm
from inkan.wire.forms import CONTENTS_LIMIT, Digest, Identifier, Name


class Result(StrEnum):
    """What became of a document."""

    PENDING = "pending"  # nobody has answered
    SIGNED = "signed"
    REFUSED = "refused"  # a session about it ended without a signature


class OrderKind(StrEnum):
    """What one creating request made."""

    DOCUMENT = "document"
    BATCH = "batch"


class DocumentOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/documents``: one document, whose bytes stay with the relying party.

    Attributes:
        name: what the person reads beside the digest's fingerprint.
        digest: base64url hash of the document's bytes.
        alg: its algorithm.
    """

    name: Name
    digest: Digest
    alg: DigestAlgorithm = DigestAlgorithm.SHA_256


class BatchOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/batches``: 1 to 100 documents that are signed by one gesture, in this order.

    Attributes:
        name: what the relying party calls the batch.
        items: ids of documents, or documents to be made now.
    """

    name: Name
    items: Annotated[
        list[Identifier | DocumentOrder], msgspec.Meta(min_length=1, max_length=CONTENTS_LIMIT)
    ]


class DocumentView(msgspec.Struct, frozen=True):
    """One document and what became of it.

    Attributes:
        result: ``signed`` if any session about it ended so, else ``refused`` if any ended otherwise.
        sessions: the sessions that signed it; their receipts are the signatures.
        expires_at: until when it may be referred to and read.
    """

    id: str
    name: str
    digest: str
    alg: DigestAlgorithm
    result: Result
    sessions: list[str]
    expires_at: str


class BatchView(msgspec.Struct, frozen=True):
    """A batch with a result for each of its items."""

    id: str
    name: str
    items: list[DocumentView]
    created_at: str
    expires_at: str


class Document(msgspec.Struct, frozen=True):
    """One row, its name opened."""

    id: str
    name: str
    digest: str
    alg: DigestAlgorithm
    expires_at: datetime


class DocumentNotFound(NotFound):
    """Unknown, another system's, or no longer kept: one answer."""

    code = "document_not_found"
    title = "There is no such document"


class BatchNotFound(NotFound):
    """Unknown, another system's, or no longer kept: one answer."""

    code = "batch_not_found"
    title = "There is no such batch"
