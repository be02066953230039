"""What a relying party runs: open a session, draw the code, wait, keep the receipt.

:class:`RelyingParty` is for event loops, :class:`SyncRelyingParty` for threads; both carry the conversations of
``rp_calls``. What the person did is data in the session; refusals of a call itself are exceptions.

    async with RelyingParty(credentials, anchors=roots) as inkan:
        session = await inkan.create_session("identify", purpose="login")
        show(session.frame())            # once a second
        view = await session.wait()
        if view.is_ok:
            receipt = await session.receipt()

What may be asked again is asked again (``repeating``): reads, and creating, which the platform knows again by its
Idempotency-Key. Redeeming, cancelling and sending a push are not: after a lost answer, read the session.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Self, TypedDict, Unpack

from inkan.client.chain import Anchors
from inkan.client.document_calls import DocumentCalls
from inkan.client.document_view import Batch, Document, DocumentOrder
from inkan.client.exchange import Conversation
from inkan.client.followed_session import Session, SyncSession
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.published_calls import PublishedCalls
from inkan.client.published_view import (
    ErrorCodes,
    ErrorEntry,
    Limits,
    PlatformStatus,
    RemoteReport,
)
from inkan.client.rates import RateLeft
from inkan.client.repeating import PATIENCE, Patience
from inkan.client.rp_calls import RPCalls, SystemCredentials
from inkan.client.rp_session import SessionCalls
from inkan.client.session_view import (
    ContentOrder,
    Created,
    DoorName,
    KindName,
    LevelName,
    Return,
    SessionOrder,
    SubjectHint,
)
from inkan.client.webhook_receiver import ReceiverCalls, SyncWebhookReceiver, WebhookReceiver
from inkan.client.webhooks import NonceMemory, Nonces
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id, random_bytes
from inkan.wire.evidence import EvidenceBundle
from inkan.wire.session import Kind


class OrderMembers(TypedDict, total=False):
    """What may be said besides kind and purpose; see :class:`~inkan.client.session_view.SessionOrder`."""

    challenge: str
    doors: Sequence[DoorName]
    subject_hint: SubjectHint
    binding_min: LevelName
    contents: Sequence[ContentOrder]
    documents: Sequence[str]
    batch: str
    claims: Sequence[str]
    return_to: Return
    phone_name: str
    browser: str
    notify: str
    expires_in: int


class _Core:
    """What both forms share: who asks, and the conversations that a session begins with."""

    def __init__(
        self,
        credentials: SystemCredentials,
        *,
        anchors: Anchors,
        clock: Clock | None,
        patience: Patience,
    ) -> None:
        self._clock = clock or Clock()
        self._calls = RPCalls(credentials, self._clock, patience)
        self._documents = DocumentCalls(self._calls)
        self._published = PublishedCalls(credentials.issuer, patience)
        self._anchors = anchors

    @property
    def rates(self) -> Mapping[str, RateLeft]:
        """By name of a rate, what the platform's last answer said is left of it."""
        return dict(self._calls.rates)

    def _create(
        self, kind: KindName, purpose: str, key: str | None, members: OrderMembers
    ) -> Conversation[SessionCalls]:
        members.setdefault("challenge", base64url.encode(random_bytes(32)))
        order = SessionOrder(kind=Kind(kind), purpose=purpose, **members)
        created = yield from self._calls.create(order, idempotency_key=_key(key))
        return SessionCalls(self._calls, created, challenge=order.challenge, anchors=self._anchors)

    def _get(self, session: str, challenge: str | None) -> Conversation[SessionCalls]:
        reading = yield from self._calls.read(session)
        created = Created(session=reading.view)
        return SessionCalls(self._calls, created, challenge=challenge, anchors=self._anchors)

    def _receiver(self, url: str, seen: Nonces | None) -> ReceiverCalls:
        return ReceiverCalls(self._published, url, self._clock, seen or NonceMemory())


class RelyingParty(_Core):
    """One system of a relying party, for event loops.

    Args:
        credentials: issuer, system code and key.
        anchors: root certificates (DER); with them every fetched receipt is verified.
        clock: true time.
        transport: an own one is made, and closed with this object, when None.
        patience: how often and how long what may be asked again is asked again.
    """

    def __init__(
        self,
        credentials: SystemCredentials,
        *,
        anchors: Anchors = (),
        clock: Clock | None = None,
        transport: AsyncTransport | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        super().__init__(credentials, anchors=anchors, clock=clock, patience=patience)
        self._own = transport is None
        self._transport = transport or AsyncTransport()

    # --- sessions -----------------------------------------------------------------------------------

    async def create_session(
        self,
        kind: KindName,
        *,
        purpose: str,
        idempotency_key: str | None = None,
        **members: Unpack[OrderMembers],
    ) -> Session:
        """Open a session.

        Args:
            kind: identify, approve or sign.
            purpose: a code registered for the system.
            idempotency_key: 16 to 64 visible characters; the same key and order never open two sessions.
            members: the members of :class:`~inkan.client.session_view.SessionOrder`.

        Raises:
            CallForbidden: purpose, door or level outside the registration.
            CallConflict: the key was used with another order.
            CallTooMany: a rate is used up, and waiting for it would last longer than the patience.
            PlatformUnreachable: also after repeating.
        """
        conversation = self._create(kind, purpose, idempotency_key, members)
        return Session(await self._transport.run(conversation), self._transport)

    async def get_session(self, session: str, *, challenge: str | None = None) -> Session:
        """Take up a session again that another request or process opened.

        Args:
            session: its id.
            challenge: of the order, if it was kept; the receipt is then held against it.

        Raises:
            CallNotFound: unknown, or another system's.
            CallGone: no longer kept.
        """
        return Session(await self._transport.run(self._get(session, challenge)), self._transport)

    # --- documents ------------------------------------------------------------------------------------

    async def create_document(
        self, order: DocumentOrder, *, idempotency_key: str | None = None
    ) -> Document:
        """Register a document by its digest, for 24 hours."""
        conversation = self._documents.create_document(order, key=_key(idempotency_key))
        return await self._transport.run(conversation)

    async def get_document(self, document: str) -> Document:
        """Read a document and what became of it; CallNotFound when it is no longer kept."""
        return await self._transport.run(self._documents.get_document(document))

    async def create_batch(
        self,
        name: str,
        items: Sequence[DocumentOrder | str],
        *,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Make a batch of 1 to 100 documents, which one gesture signs.

        Args:
            name: what the relying party calls it.
            items: ids of registered documents, and documents to be registered now.
            idempotency_key: as for a session.
        """
        conversation = self._documents.create_batch(name, items, key=_key(idempotency_key))
        return await self._transport.run(conversation)

    async def get_batch(self, batch: str) -> Batch:
        """Read a batch with a result for each item; CallNotFound when it is no longer kept."""
        return await self._transport.run(self._documents.get_batch(batch))

    # --- what the platform tells everybody ------------------------------------------------------------

    async def errors(self, code: str) -> ErrorEntry:
        """Return all that is known of the code of a problem or of a reason; CallNotFound when nothing is."""
        return await self._transport.run(self._published.errors(code))

    async def error_codes(self) -> ErrorCodes:
        """Return every code."""
        return await self._transport.run(self._published.error_codes())

    async def limits(self) -> Limits:
        """Return rates, sizes, counts and lives; the rates are this system's own."""
        return await self._transport.run(self._calls.limits())

    async def status(self) -> PlatformStatus:
        """Return how sessions fared in the last 5 and 60 minutes."""
        return await self._transport.run(self._published.status())

    async def verify(
        self, receipt: str, *, evidence: EvidenceBundle | None = None, at: datetime | None = None
    ) -> RemoteReport:
        """Ask the platform whether a receipt holds; ``inkan.client.verify_receipt`` needs no platform.

        Args:
            receipt: the compact JWS.
            evidence: its evidence, if it was handed out.
            at: aware; the moment of the release when None.
        """
        return await self._transport.run(self._published.verify(receipt, evidence=evidence, at=at))

    def webhooks(self, url: str, *, seen: Nonces | None = None) -> WebhookReceiver:
        """Return what takes webhooks in at the registered address ``url``.

        Args:
            url: letter by letter as it was registered; make one receiver for each address, once.
            seen: the nonces that all processes of this address share; an own memory when None.
        """
        return WebhookReceiver(self._receiver(url, seen), self._transport)

    async def aclose(self) -> None:
        """Close the connections, if they are this object's own."""
        if self._own:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class SyncRelyingParty(_Core):
    """One system of a relying party, for threads; arguments, methods and refusals as :class:`RelyingParty`."""

    def __init__(
        self,
        credentials: SystemCredentials,
        *,
        anchors: Anchors = (),
        clock: Clock | None = None,
        transport: SyncTransport | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        super().__init__(credentials, anchors=anchors, clock=clock, patience=patience)
        self._own = transport is None
        self._transport = transport or SyncTransport()

    def create_session(
        self,
        kind: KindName,
        *,
        purpose: str,
        idempotency_key: str | None = None,
        **members: Unpack[OrderMembers],
    ) -> SyncSession:
        """Open a session."""
        conversation = self._create(kind, purpose, idempotency_key, members)
        return SyncSession(self._transport.run(conversation), self._transport)

    def get_session(self, session: str, *, challenge: str | None = None) -> SyncSession:
        """Take up a session again that another request or process opened."""
        return SyncSession(self._transport.run(self._get(session, challenge)), self._transport)

    def create_document(
        self, order: DocumentOrder, *, idempotency_key: str | None = None
    ) -> Document:
        """Register a document by its digest, for 24 hours."""
        conversation = self._documents.create_document(order, key=_key(idempotency_key))
        return self._transport.run(conversation)

    def get_document(self, document: str) -> Document:
        """Read a document and what became of it."""
        return self._transport.run(self._documents.get_document(document))

    def create_batch(
        self,
        name: str,
        items: Sequence[DocumentOrder | str],
        *,
        idempotency_key: str | None = None,
    ) -> Batch:
        """Make a batch of 1 to 100 documents, which one gesture signs."""
        conversation = self._documents.create_batch(name, items, key=_key(idempotency_key))
        return self._transport.run(conversation)

    def get_batch(self, batch: str) -> Batch:
        """Read a batch with a result for each item."""
        return self._transport.run(self._documents.get_batch(batch))

    def errors(self, code: str) -> ErrorEntry:
        """Return all that is known of the code of a problem or of a reason."""
        return self._transport.run(self._published.errors(code))

    def error_codes(self) -> ErrorCodes:
        """Return every code."""
        return self._transport.run(self._published.error_codes())

    def limits(self) -> Limits:
        """Return rates, sizes, counts and lives; the rates are this system's own."""
        return self._transport.run(self._calls.limits())

    def status(self) -> PlatformStatus:
        """Return how sessions fared in the last 5 and 60 minutes."""
        return self._transport.run(self._published.status())

    def verify(
        self, receipt: str, *, evidence: EvidenceBundle | None = None, at: datetime | None = None
    ) -> RemoteReport:
        """Ask the platform whether a receipt holds."""
        return self._transport.run(self._published.verify(receipt, evidence=evidence, at=at))

    def webhooks(self, url: str, *, seen: Nonces | None = None) -> SyncWebhookReceiver:
        """Return what takes webhooks in at the registered address ``url``."""
        return SyncWebhookReceiver(self._receiver(url, seen), self._transport)

    def close(self) -> None:
        """Close the connections, if they are this object's own."""
        if self._own:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _key(given: str | None) -> str:
    return given or new_id("idem")
