"""What a relying party runs: open a session, draw the code, wait, keep the receipt.

:class:`RelyingParty` is for event loops, :class:`SyncRelyingParty` for threads; both carry the conversations of
``rp_calls``. What the person did is data in the session; refusals of a call itself are exceptions.

    async with RelyingParty(credentials, anchors=roots) as inkan:
        session = await inkan.create_session("identify", purpose="login")
        show(session.frame())            # once a second
        view = await session.wait()
        if view.is_ok:
            receipt = await session.receipt()
"""

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Final, Self, TypedDict, Unpack

from inkan.client.chain import Anchors
from inkan.client.event_stream import EventReader
from inkan.client.exchange import Conversation, pause
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.rp_calls import RPCalls, SystemCredentials
from inkan.client.rp_session import FetchedReceipt, SessionCalls
from inkan.client.session_view import (
    ContentOrder,
    Doors,
    Return,
    SessionOrder,
    SessionView,
    SubjectHint,
)
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.evidence import EvidenceBundle
from inkan.wire.session import Kind

REOPEN_AFTER_S: Final = 0.5


class OrderMembers(TypedDict, total=False):
    """What may be said besides kind and purpose; see :class:`~inkan.client.session_view.SessionOrder`."""

    challenge: str
    doors: Sequence[Door]
    subject_hint: SubjectHint
    binding_min: BindingLevel
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
    """What both forms share: who asks, and how a session is opened."""

    def __init__(
        self, credentials: SystemCredentials, *, anchors: Anchors, clock: Clock | None
    ) -> None:
        self._calls = RPCalls(credentials, clock or Clock())
        self._anchors = anchors

    def _create(
        self, kind: Kind | str, purpose: str, key: str | None, members: OrderMembers
    ) -> Conversation[SessionCalls]:
        members.setdefault("challenge", base64url.encode(random_bytes(32)))
        order = SessionOrder(kind=Kind(kind), purpose=purpose, **members)
        created = yield from self._calls.create(order, idempotency_key=key or new_id("idem"))
        return SessionCalls(self._calls, created, challenge=order.challenge, anchors=self._anchors)


class _Followed:
    """The parts of a session that need no input or output."""

    def __init__(self, calls: SessionCalls) -> None:
        self._calls = calls

    @property
    def id(self) -> str:
        """The platform's name of the session."""
        return self._calls.id

    @property
    def view(self) -> SessionView:
        """The last reading."""
        return self._calls.reading.view

    @property
    def doors(self) -> Doors:
        """What was given for each door that is made: addresses, the code of a push."""
        return self._calls.doors

    @property
    def challenge(self) -> str:
        """The bytes that statement and receipt repeat (base64url)."""
        return self._calls.challenge

    def frame(self) -> str:
        """Return the address that the QR code shows now; draw it anew every second.

        Raises:
            NoDoor: the session has no QR code.
        """
        return self._calls.frame()


class Session(_Followed):
    """A session on the platform, followed from an event loop."""

    def __init__(self, calls: SessionCalls, transport: AsyncTransport) -> None:
        super().__init__(calls)
        self._transport = transport

    async def refresh(self, *, wait_s: int = 0) -> SessionView:
        """Read the session; with ``wait_s`` (at most 120) hold on until it changes."""
        return await self._transport.run(self._calls.refresh(wait_s=wait_s))

    async def wait(self, *, timeout_s: float | None = None) -> SessionView:
        """Follow the session to its end, or for ``timeout_s``; returns the last view either way."""
        return await self._transport.run(self._calls.wait(timeout_s=timeout_s))

    async def events(self) -> AsyncIterator[SessionView]:
        """Give each view as the platform sends it, the present one first, until a final one.

        A stream that breaks is opened again.
        """
        while not self.view.is_final:
            request = await self._transport.run(self._calls.stream())
            reader = EventReader()
            async with self._transport.stream(request) as chunks:
                async for chunk in chunks:
                    for data in reader.feed(chunk):
                        yield await self._transport.run(self._calls.heard(data))
            await self._transport.run(pause(REOPEN_AFTER_S))

    async def make_door(self, door: Door) -> Doors:
        """Make a further door, or get one again; a push is sent once more (TW-49)."""
        return await self._transport.run(self._calls.make_door(door))

    async def redeem(self, verifier: Secret[str], *, return_code: str | None = None) -> SessionView:
        """Get the withheld answer for the browser that began.

        Args:
            verifier: of ``begin_return``, from that browser's cookie.
            return_code: what came back in the address; None where nothing comes back from the phone (`qr`).

        Raises:
            CallForbidden: another browser came back; the session has ended.
            CallConflict: nothing is decided yet.
            CallGone: too late, or redeemed before.
        """
        return await self._transport.run(self._calls.redeem(verifier, return_code=return_code))

    async def cancel(self) -> SessionView:
        """End the session if nobody has decided yet."""
        return await self._transport.run(self._calls.cancel())

    async def receipt(self) -> FetchedReceipt:
        """Fetch the receipt and verify it when anchors are known; raises ReceiptNotValid."""
        return await self._transport.run(self._calls.receipt())

    async def evidence(self) -> tuple[EvidenceBundle, FetchedReceipt]:
        """Fetch the evidence with its receipt and verify both when anchors are known; raises ReceiptNotValid."""
        return await self._transport.run(self._calls.evidence())


class SyncSession(_Followed):
    """A session on the platform, followed from a thread; the methods are those of :class:`Session`."""

    def __init__(self, calls: SessionCalls, transport: SyncTransport) -> None:
        super().__init__(calls)
        self._transport = transport

    def refresh(self, *, wait_s: int = 0) -> SessionView:
        """Read the session; with ``wait_s`` (at most 120) hold on until it changes."""
        return self._transport.run(self._calls.refresh(wait_s=wait_s))

    def wait(self, *, timeout_s: float | None = None) -> SessionView:
        """Follow the session to its end, or for ``timeout_s``; returns the last view either way."""
        return self._transport.run(self._calls.wait(timeout_s=timeout_s))

    def events(self) -> Iterator[SessionView]:
        """Give each view as the platform sends it, the present one first, until a final one."""
        while not self.view.is_final:
            request = self._transport.run(self._calls.stream())
            reader = EventReader()
            with self._transport.stream(request) as chunks:
                for chunk in chunks:
                    for data in reader.feed(chunk):
                        yield self._transport.run(self._calls.heard(data))
            self._transport.run(pause(REOPEN_AFTER_S))

    def make_door(self, door: Door) -> Doors:
        """Make a further door, or get one again; a push is sent once more (TW-49)."""
        return self._transport.run(self._calls.make_door(door))

    def redeem(self, verifier: Secret[str], *, return_code: str | None = None) -> SessionView:
        """Get the withheld answer for the browser that began; see :meth:`Session.redeem`."""
        return self._transport.run(self._calls.redeem(verifier, return_code=return_code))

    def cancel(self) -> SessionView:
        """End the session if nobody has decided yet."""
        return self._transport.run(self._calls.cancel())

    def receipt(self) -> FetchedReceipt:
        """Fetch the receipt and verify it when anchors are known; raises ReceiptNotValid."""
        return self._transport.run(self._calls.receipt())

    def evidence(self) -> tuple[EvidenceBundle, FetchedReceipt]:
        """Fetch the evidence with its receipt and verify both when anchors are known; raises ReceiptNotValid."""
        return self._transport.run(self._calls.evidence())


class RelyingParty(_Core):
    """One system of a relying party, for event loops.

    Args:
        credentials: issuer, system code and key.
        anchors: root certificates (DER); with them every fetched receipt is verified.
        clock: true time.
        transport: an own one is made, and closed with this object, when None.
    """

    def __init__(
        self,
        credentials: SystemCredentials,
        *,
        anchors: Anchors = (),
        clock: Clock | None = None,
        transport: AsyncTransport | None = None,
    ) -> None:
        super().__init__(credentials, anchors=anchors, clock=clock)
        self._own = transport is None
        self._transport = transport or AsyncTransport()

    async def create_session(
        self,
        kind: Kind | str,
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
            CallTooMany: a quota is used up.
            PlatformUnreachable: also after repeating.
        """
        conversation = self._create(kind, purpose, idempotency_key, members)
        return Session(await self._transport.run(conversation), self._transport)

    async def aclose(self) -> None:
        """Close the connections, if they are this object's own."""
        if self._own:
            await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class SyncRelyingParty(_Core):
    """One system of a relying party, for threads; arguments as :class:`RelyingParty`."""

    def __init__(
        self,
        credentials: SystemCredentials,
        *,
        anchors: Anchors = (),
        clock: Clock | None = None,
        transport: SyncTransport | None = None,
    ) -> None:
        super().__init__(credentials, anchors=anchors, clock=clock)
        self._own = transport is None
        self._transport = transport or SyncTransport()

    def create_session(
        self,
        kind: Kind | str,
        *,
        purpose: str,
        idempotency_key: str | None = None,
        **members: Unpack[OrderMembers],
    ) -> SyncSession:
        """Open a session; arguments and refusals as :meth:`RelyingParty.create_session`."""
        conversation = self._create(kind, purpose, idempotency_key, members)
        return SyncSession(self._transport.run(conversation), self._transport)

    def close(self) -> None:
        """Close the connections, if they are this object's own."""
        if self._own:
            self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
