"""Documents by digest and batches of them, as the RP API takes and shows them (docs/signing.md)."""

import hashlib
from typing import Literal, Self, TypeAlias

import msgspec

from inkan.crypto import base64url

Result: TypeAlias = Literal["pending", "signed", "refused"]


class DocumentOrder(msgspec.Struct, frozen=True, kw_only=True):
    """A document to register; its bytes stay here.

    Attributes:
        name: one visible line of at most 200 characters, which the person reads.
        digest: hash of the document's bytes, base64url.
        alg: ``sha-256``, ``sha-384`` or ``sha-512``.
    """

    name: str
    digest: str
    alg: str = "sha-256"

    @classmethod
    def of(cls, name: str, data: bytes) -> Self:
        """The order for these bytes, by SHA-256."""
        return cls(name=name, digest=base64url.encode(hashlib.sha256(data).digest()))


class Document(msgspec.Struct, frozen=True):
    """A registered document and what became of it.

    Attributes:
        result: ``signed`` if any session about it ended so, else ``refused`` if any ended otherwise.
        sessions: the sessions that signed it; their receipts are the signatures.
        expires_at: until when it may be referred to and read (RFC 3339).
    """

    id: str
    name: str
    digest: str
    alg: str
    result: Result
    sessions: list[str]
    expires_at: str


class Batch(msgspec.Struct, frozen=True):
    """Up to 100 documents that are signed by one gesture, with a result for each."""

    id: str
    name: str
    items: list[Document]
    created_at: str
    expires_at: str
