"""The use cases and steps of what is signed: register, list, hand out as contents, note what became of it.

Nothing here knows what a session is but its id. A document is a digest: its bytes stay with the relying party.
"""

import contextlib
import hashlib
import hmac
from collections.abc import Sequence

import msgspec

from inkan.audit import Actor, ActorKind, Audit
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import Malformed
from inkan.kernel.idempotency import IdempotencyConflict
from inkan.kernel.ids import EventID, SessionID, SystemID, new_id
from inkan.people import verify_free_text
from inkan.signing import store
from inkan.signing.model import (
    BatchNotFound,
    BatchOrder,
    BatchView,
    Document,
    DocumentNotFound,
    DocumentOrder,
    DocumentView,
    OrderKind,
    Result,
)
from inkan.signing.rules import DOCUMENT_LIFE, RESULT_OF, result_of, verify_digest, verify_ids
from inkan.store.database import MOMENT, Database, Step
from inkan.store.plan import Row
from inkan.store.sealing import Sealer
from inkan.wire.contents import Content, ContentFormat, DigestAlgorithm
from inkan.wire.session import Outcome


class _Plan(msgspec.Struct, frozen=True):
    """A creating request that passed every check that needs no database."""

    kind: OrderKind
    name: str
    items: list[str | DocumentOrder]
    key: str
    body: str


class _UsedBefore(Exception):
    """The key has its order: nothing of this attempt stays, its audit event neither."""


class Signing:
    """Documents and batches of one instance."""

    def __init__(self, *, db: Database, audit: Audit, sealer: Sealer) -> None:
        self._db = db
        self._audit = audit
        self._sealer = sealer

    # --- registering ---------------------------------------------------------------------------------

    async def register(
        self, system: SystemID, order: DocumentOrder, *, body: bytes, idempotency_key: str
    ) -> DocumentView:
        """Keep a document by its digest for a day; the same digest twice is two documents.

        Args:
            system: whose.
            order: the checked body.
            body: its bytes, by which a retry is known.
            idempotency_key: of :func:`~inkan.kernel.idempotency.verify_idempotency_key`.

        Raises:
            Malformed: a digest of another length than its algorithm's.
            MyNumberRefused: the name holds one (WAT-62).
            IdempotencyConflict: the key was used with another body.
        """
        _verify(order, where="/digest")
        plan = _Plan(OrderKind.DOCUMENT, order.name, [order], idempotency_key, _sha256(body))
        made = await self._make(system, plan)
        return (await self._db.read(self._views, system, made.documents))[0]

    async def batch(
        self, system: SystemID, order: BatchOrder, *, body: bytes, idempotency_key: str
    ) -> BatchView:
        """Make a batch of documents that are there already and of documents made now.

        It is kept for a day, and no longer than any of its documents.

        Raises:
            Malformed: a document twice, or a digest of another length than its algorithm's.
            MyNumberRefused: a name holds one (WAT-62).
            DocumentNotFound: an id that is unknown, another system's or no longer kept.
            IdempotencyConflict: the key was used with another body.
        """
        verify_free_text(order.name, where="/name")
        named = [item for item in order.items if isinstance(item, str)]
        if len(set(named)) != len(named):
            raise Malformed(where="/items", expected="no document twice")
        for index, item in enumerate(order.items):
            if isinstance(item, DocumentOrder):
                _verify(item, where=f"/items/{index}/digest")
        plan = _Plan(OrderKind.BATCH, order.name, order.items, idempotency_key, _sha256(body))
        made = await self._make(system, plan)
        return await self._db.read(self._batch_view, system, made.id)

    # --- reading -------------------------------------------------------------------------------------

    async def document(self, system: SystemID, document_id: str) -> DocumentView:
        """A document and what became of it.

        Raises:
            DocumentNotFound: unknown, another system's, or no longer kept.
        """
        return (await self._db.read(self._views, system, [document_id]))[0]

    async def find_batch(self, system: SystemID, batch_id: str) -> BatchView:
        """A batch with a result for each item.

        Raises:
            BatchNotFound: unknown, another system's, or no longer kept.
        """
        return await self._db.read(self._batch_view, system, batch_id)

    # --- steps for sessions --------------------------------------------------------------------------

    def contents_of(
        self,
        system: SystemID,
        *,
        documents: Sequence[str] = (),
        batch: str | None = None,
    ) -> Step[tuple[Content, ...]]:
        """Step: what a statement lists of these documents, or of this batch, in their order.

        The format is ``statement``: the statement itself, which names every digest, is the signature.

        Raises:
            Malformed: both or neither are named, a document twice, or more than 100.
            DocumentNotFound, BatchNotFound: unknown, another system's, or no longer kept.
        """
        if (batch is None) == (not documents):
            raise Malformed(where="/contents", expected="documents or one batch")
        if batch is not None:
            documents = (yield from self._order(system, batch)).documents
        verify_ids(documents, where="/contents")
        found = yield from self._documents(system, documents)
        return tuple(
            Content(
                id=each.id,
                name=each.name,
                digest=each.digest,
                alg=each.alg,
                format=ContentFormat.STATEMENT,
                tbs_sha256=None,
            )
            for each in found
        )

    def note_signed(
        self,
        system: SystemID,
        documents: Sequence[str],
        *,
        session: SessionID,
        outcome: Outcome,
        event: EventID,
    ) -> Step[None]:
        """Step: write down for each document how the session about it ended; the first word stays.

        Contents that are no documents of this system (an approval's own), or are no longer kept, are passed over.

        Args:
            system: whose session.
            documents: ids of the session's contents.
            session: whose receipt is the signature.
            outcome: ``ok`` is signed, every other one is refused.
            event: the audit event of the decision.
        """
        rows = yield store.DOCUMENTS.all(system=system, ids=list(documents))
        moment = yield MOMENT
        yield store.INSERT_RESULT.many(
            [
                {
                    "document": row.id,
                    "session": session,
                    "result": RESULT_OF[outcome],
                    "at": moment,
                    "expires_at": row.expires_at,
                    "event_id": event,
                }
                for row in rows
            ]
        )

    async def purge(self) -> None:
        """Forget what is a day old."""
        await self._db.transact(_purge)

    # --- rows ----------------------------------------------------------------------------------------

    async def _make(self, system: SystemID, plan: _Plan) -> Row:
        with contextlib.suppress(_UsedBefore):
            await self._db.transact(self._insert, system, plan)
        return await self._db.read(self._same_order, system, plan)

    def _insert(self, system: SystemID, plan: _Plan) -> Step[None]:
        moment = yield MOMENT
        named = [item for item in plan.items if isinstance(item, str)]
        made = [(new_id("doc"), item) for item in plan.items if not isinstance(item, str)]
        known = (yield store.DOCUMENTS.all(system=system, ids=named)) if named else []
        expires_at = min([moment + DOCUMENT_LIFE, *(row.expires_at for row in known)])
        order_id = new_id("bat" if plan.kind is OrderKind.BATCH else "ord")
        event = yield from self._audit.record(
            f"signing.{plan.kind}_registered",
            actor=Actor(ActorKind.SYSTEM, system),
            object=order_id,
            details={"documents": len(plan.items), "new": len(made)},
        )
        ids = iter([document_id for document_id, _ in made])
        inserted = yield store.INSERT_ORDER.run(
            id=order_id,
            system=system,
            kind=plan.kind,
            name=self._sealer.seal(store.ORDER_NAME, order_id, plan.name.encode()),
            documents=[item if isinstance(item, str) else next(ids) for item in plan.items],
            idempotency_key=plan.key,
            body_mac=self._sealer.lookup(store.BODY, plan.body),
            created_at=moment,
            expires_at=expires_at,
            event_id=event,
        )
        if not inserted:
            raise _UsedBefore
        if len(known) != len(named):
            raise DocumentNotFound
        yield store.INSERT_DOCUMENT.many(
            [
                {
                    "id": document_id,
                    "system": system,
                    "name": self._sealer.seal(store.NAME, document_id, item.name.encode()),
                    "digest": item.digest,
                    "alg": item.alg,
                    "expires_at": moment + DOCUMENT_LIFE,
                    "event_id": event,
                }
                for document_id, item in made
            ]
        )

    def _same_order(self, system: SystemID, plan: _Plan) -> Step[Row]:
        row = yield store.ORDER_BY_KEY.one(system=system, kind=plan.kind, key=plan.key)
        known = self._sealer.lookups(store.BODY, plan.body)
        if row is None or not any(hmac.compare_digest(each, row.body_mac) for each in known):
            raise IdempotencyConflict
        return row

    def _order(self, system: SystemID, batch_id: str) -> Step[Row]:
        row = yield store.ORDER.one(id=batch_id, system=system, kind=OrderKind.BATCH)
        if row is None:
            raise BatchNotFound
        return row

    def _documents(self, system: SystemID, ids: Sequence[str]) -> Step[list[Document]]:
        rows = yield store.DOCUMENTS.all(system=system, ids=list(ids))
        found = {row.id: row for row in rows}
        if len(found) != len(ids):
            raise DocumentNotFound
        return [self._document(found[each]) for each in ids]

    def _views(self, system: SystemID, ids: Sequence[str]) -> Step[list[DocumentView]]:
        documents = yield from self._documents(system, ids)
        rows = yield store.RESULTS.all(ids=list(ids))
        results: dict[str, list[Row]] = {}
        for row in rows:
            results.setdefault(row.document, []).append(row)
        return [_view(each, results.get(each.id, [])) for each in documents]

    def _batch_view(self, system: SystemID, batch_id: str) -> Step[BatchView]:
        row = yield from self._order(system, batch_id)
        items = yield from self._views(system, row.documents)
        return BatchView(
            id=row.id,
            name=self._sealer.open_text(store.ORDER_NAME, row.id, row.name).reveal(),
            items=items,
            created_at=rfc3339(row.created_at),
            expires_at=rfc3339(row.expires_at),
        )

    def _document(self, row: Row) -> Document:
        return Document(
            id=row.id,
            name=self._sealer.open_text(store.NAME, row.id, row.name).reveal(),
            digest=row.digest,
            alg=DigestAlgorithm(row.alg),
            expires_at=row.expires_at,
        )


def _verify(order: DocumentOrder, *, where: str) -> None:
    verify_digest(order, where=where)
    verify_free_text(order.name, where=where.replace("/digest", "/name"))


def _sha256(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _view(document: Document, rows: Sequence[Row]) -> DocumentView:
    results = [Result(row.result) for row in rows]
    return DocumentView(
        id=document.id,
        name=document.name,
        digest=document.digest,
        alg=document.alg,
        result=result_of(results),
        sessions=[row.session for row in rows if row.result == Result.SIGNED],
        expires_at=rfc3339(document.expires_at),
    )


def _purge() -> Step[None]:
    for query in store.PURGE:
        yield query.run()
