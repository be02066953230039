"""Documents and batches of the RP API as conversations; creating is known again by its Idempotency-Key."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec

from inkan.client.document_view import Batch, Document, DocumentOrder
from inkan.client.exchange import Conversation, segment
from inkan.client.rp_calls import RPCalls

T = TypeVar("T")


class DocumentCalls:
    """The calls of one system; refusals as :class:`~inkan.client.rp_calls.RPCalls`."""

    def __init__(self, calls: RPCalls) -> None:
        self._calls = calls

    def create_document(self, order: DocumentOrder, *, key: str) -> Conversation[Document]:
        """Register a document."""
        return (yield from self._create("/v1/documents", order, Document, key))

    def get_document(self, document: str) -> Conversation[Document]:
        """Read a document and what became of it."""
        answer = yield from self._calls.call("GET", f"/v1/documents/{segment(document)}")
        return answer.read(Document)

    def create_batch(
        self, name: str, items: Sequence[DocumentOrder | str], *, key: str
    ) -> Conversation[Batch]:
        """Make a batch of registered documents (ids) and of documents to be registered now."""
        order = {"name": name, "items": list(items)}
        return (yield from self._create("/v1/batches", order, Batch, key))

    def get_batch(self, batch: str) -> Conversation[Batch]:
        """Read a batch with a result for each item."""
        answer = yield from self._calls.call("GET", f"/v1/batches/{segment(batch)}")
        return answer.read(Batch)

    def _create(self, path: str, order: object, kind: type[T], key: str) -> Conversation[T]:
        answer = yield from self._calls.call(
            "POST", path, body=msgspec.json.encode(order), headers={"idempotency-key": key}
        )
        return answer.read(kind)
