"""What is signed: documents by their digest, alone or in batches of up to 100, and what became of each.

A digest list is signed by the statement that names every digest, under the phone's ``sign`` certificate. This
feature knows no session: ``identification`` takes the contents from here and notes here how it ended. Start
with :class:`Signing`; ``docs/signing.md`` tells the way of a batch.
"""

from inkan.signing.model import (
    BatchNotFound,
    BatchOrder,
    BatchView,
    DocumentNotFound,
    DocumentOrder,
    DocumentView,
    Result,
)
from inkan.signing.rules import DOCUMENT_LIFE, PURGE_EVERY, refusal
from inkan.signing.service import Signing
from inkan.signing.store import EVENT_PAIRS

__all__ = [
    "DOCUMENT_LIFE",
    "EVENT_PAIRS",
    "PURGE_EVERY",
    "BatchNotFound",
    "BatchOrder",
    "BatchView",
    "DocumentNotFound",
    "DocumentOrder",
    "DocumentView",
    "Result",
    "Signing",
    "refusal",
]
