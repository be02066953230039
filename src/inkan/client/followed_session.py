"""One session as a relying party's program holds it: read, followed, redeemed, its receipt kept.

:class:`Session` is for event loops, :class:`SyncSession` for threads; both carry the conversations of
``rp_session``.
"""

from collections.abc import AsyncIterator, Iterator

from inkan.client.event_stream import EventReader
from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.rp_session import BREAKS, FetchedReceipt, SessionCalls
from inkan.client.session_view import DoorName, Doors, SessionView
from inkan.kernel.errors import InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.evidence import EvidenceBundle


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
    def challenge(self) -> str | None:
        """The bytes that statement and receipt repeat (base64url); None in a session that was taken up again without."""
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

        A stream that breaks is opened again; six breaks without an event in between are the platform's refusal.
        """
        following = self._calls.follow()
        while not self.view.is_final:
            broken: InkanError | None = None
            try:
                request = await self._transport.run(following.request())
                reader = EventReader()
                async with self._transport.stream(request) as chunks:
                    async for chunk in chunks:
                        for data in reader.feed(chunk):
                            for view in await self._transport.run(following.heard(data)):
                                yield view
            except BREAKS as refusal:
                broken = refusal
            if not self.view.is_final:
                await self._transport.run(following.broke(broken))

    async def make_door(self, door: DoorName) -> Doors:
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
        following = self._calls.follow()
        while not self.view.is_final:
            broken: InkanError | None = None
            try:
                request = self._transport.run(following.request())
                reader = EventReader()
                with self._transport.stream(request) as chunks:
                    for chunk in chunks:
                        for data in reader.feed(chunk):
                            yield from self._transport.run(following.heard(data))
            except BREAKS as refusal:
                broken = refusal
            if not self.view.is_final:
                self._transport.run(following.broke(broken))

    def make_door(self, door: DoorName) -> Doors:
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
