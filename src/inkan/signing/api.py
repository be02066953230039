"""Documents and batches in the RP API (``/v1``)."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from inkan.kernel.errors import InkanError
from inkan.kernel.idempotency import (
    IdempotencyConflict,
    IdempotencyKeyMissing,
    verify_idempotency_key,
)
from inkan.kernel.ids import SystemID
from inkan.people import MyNumberRefused
from inkan.signing.model import (
    BatchNotFound,
    BatchOrder,
    BatchView,
    DocumentNotFound,
    DocumentOrder,
    DocumentView,
)
from inkan.signing.rules import BATCH_BODY_LIMIT
from inkan.signing.service import Signing
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, Permission, Principal
from inkan.web.response import Response, created, ok
from inkan.web.routes import IDEMPOTENCY_KEY, Bare, Group, Link, Operation, Surface

PERMISSIONS = (
    Permission(use_case="document.use", roles=frozenset({"system"}), source="design §5.5"),
)
_DOCUMENT = Access("document.use")
_ORDER_REFUSALS = (IdempotencyKeyMissing, IdempotencyConflict, MyNumberRefused)
_ORDERED: Final[dict[str, Any]] = {
    "name": "Rental agreement",
    "digest": "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
}
_EXAMPLE: Final[dict[str, Any]] = _ORDERED | {
    "id": "doc_6vq3vb3m2c7g4kq1h8d0y5tzja",
    "alg": "sha-256",
    "result": "pending",
    "sessions": [],
    "expires_at": "2026-11-22T22:55:04Z",
}
_BATCH_EXAMPLE: Final[dict[str, Any]] = {
    "id": "bat_6vq3vb3m2c7g4kq1h8d0y5tzja",
    "name": "Agreements of November",
    "items": [_EXAMPLE],
    "created_at": "2026-11-21T22:55:04Z",
    "expires_at": "2026-11-22T22:55:04Z",
}
_BATCH_ORDERED: Final[dict[str, Any]] = {"name": "Agreements of November", "items": [_ORDERED]}


def _read(operation: str) -> dict[str, Link]:
    return {"read": Link(operation=operation, parameters={"id": "$response.body#/id"})}


def rp_routes(
    signing: Signing,
    authenticator: Authenticator,
    *,
    limit: RateLimit,
    share: Callable[[Principal], int],
    refusals: Sequence[type[InkanError]],
) -> Group:
    """The routes of relying parties' systems.

    Args:
        signing: the feature.
        authenticator: of systems; ``refusals`` is what it refuses with, for the document.
        limit: how often a system may call.
        share: how many times as often this one may.
        refusals: see ``authenticator``.
    """

    async def register(exchange: Exchange) -> Response:
        system = await _system(exchange)
        key = verify_idempotency_key(exchange.header("idempotency-key"))
        order = await exchange.json(DocumentOrder)
        made = await signing.register(
            system, order, body=await exchange.body(), idempotency_key=key
        )
        return created(made, location=f"/v1/documents/{made.id}")

    async def document(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await signing.document(system, exchange.parameters["id"]))

    async def make_batch(exchange: Exchange) -> Response:
        system = await _system(exchange)
        key = verify_idempotency_key(exchange.header("idempotency-key"))
        order = await exchange.json(BatchOrder)
        made = await signing.batch(system, order, body=await exchange.body(), idempotency_key=key)
        return created(made, location=f"/v1/batches/{made.id}")

    async def batch(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await signing.find_batch(system, exchange.parameters["id"]))

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        limit=limit,
        share=share,
        refusals=refusals,
        bare={
            ("POST", "/v1/documents"): Bare(
                endpoint=register,
                access=_DOCUMENT,
                operation=Operation(
                    name="createDocument",
                    summary="Register a document by its digest; it is kept for 24 hours",
                    body=DocumentOrder,
                    answer=DocumentView,
                    status=201,
                    headers=(IDEMPOTENCY_KEY,),
                    refusals=_ORDER_REFUSALS,
                    links=_read("getDocument"),
                    body_example=_ORDERED,
                    example=_EXAMPLE,
                ),
            ),
            ("GET", "/v1/documents/{id}"): Bare(
                endpoint=document,
                access=_DOCUMENT,
                operation=Operation(
                    name="getDocument",
                    summary="The document and what became of it",
                    answer=DocumentView,
                    refusals=(DocumentNotFound,),
                    example=_EXAMPLE,
                ),
            ),
            ("POST", "/v1/batches"): Bare(
                endpoint=make_batch,
                access=_DOCUMENT,
                body_limit=BATCH_BODY_LIMIT,
                operation=Operation(
                    name="createBatch",
                    summary="Up to 100 documents that are signed by one gesture",
                    body=BatchOrder,
                    answer=BatchView,
                    status=201,
                    headers=(IDEMPOTENCY_KEY,),
                    refusals=(*_ORDER_REFUSALS, DocumentNotFound),
                    links=_read("getBatch"),
                    body_example=_BATCH_ORDERED,
                    example=_BATCH_EXAMPLE,
                ),
            ),
            ("GET", "/v1/batches/{id}"): Bare(
                endpoint=batch,
                access=_DOCUMENT,
                operation=Operation(
                    name="getBatch",
                    summary="The batch with a result for each document",
                    answer=BatchView,
                    refusals=(BatchNotFound,),
                    example=_BATCH_EXAMPLE,
                ),
            ),
        },
    )


async def _system(exchange: Exchange) -> SystemID:
    principal = await exchange.get_principal()
    system: SystemID = principal.record.system.id
    return system
