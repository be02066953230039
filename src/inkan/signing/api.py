"""Documents and batches in the RP API (``/v1``)."""

from inkan.kernel.idempotency import verify_idempotency_key
from inkan.kernel.ids import SystemID
from inkan.signing.model import BatchOrder, BatchView, DocumentOrder, DocumentView
from inkan.signing.rules import BATCH_BODY_LIMIT
from inkan.signing.service import Signing
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access, Permission
from inkan.web.response import Response, created, ok
from inkan.web.routes import Bare, Group, Operation, Surface

PERMISSIONS = (
    Permission(use_case="document.use", roles=frozenset({"system"}), source="design §5.5"),
)
_DOCUMENT = Access("document.use")


def rp_routes(signing: Signing, authenticator: Authenticator) -> Group:
    """The routes of relying parties' systems."""

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
                ),
            ),
            ("GET", "/v1/documents/{id}"): Bare(
                endpoint=document,
                access=_DOCUMENT,
                operation=Operation(
                    name="getDocument",
                    summary="The document and what became of it",
                    answer=DocumentView,
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
                ),
            ),
            ("GET", "/v1/batches/{id}"): Bare(
                endpoint=batch,
                access=_DOCUMENT,
                operation=Operation(
                    name="getBatch",
                    summary="The batch with a result for each document",
                    answer=BatchView,
                ),
            ),
        },
    )


async def _system(exchange: Exchange) -> SystemID:
    principal = await exchange.get_principal()
    system: SystemID = principal.record.system.id
    return system
