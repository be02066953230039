"""One session as a relying party follows it: readings, frames, receipt; as conversations."""

from typing import Final

import msgspec

from inkan.client.chain import Anchors
from inkan.client.exchange import (
    CallUnauthenticated,
    Conversation,
    Pause,
    PlatformUnreachable,
    Request,
    pause,
)
from inkan.client.receipt_report import Report, Verdict
from inkan.client.repeating import REPEATABLE, Patience, pause_after
from inkan.client.rp_calls import Reading, RPCalls, read_event
from inkan.client.session_view import (
    Created,
    DoorName,
    Doors,
    FrameSource,
    QRDoor,
    SessionView,
)
from inkan.client.verifier import verify_receipt
from inkan.crypto import jose
from inkan.kernel.errors import Conflict, Forbidden, InkanError
from inkan.kernel.sensitive import Secret
from inkan.wire.binding import Door
from inkan.wire.evidence import EvidenceBundle, parse_evidence
from inkan.wire.receipt import RECEIPT_LIMIT, RECEIPT_TYP, Receipt, parse_receipt
from inkan.wire.session import SessionState

LONGEST_WAIT_S: Final = 60
HASTE_S: Final = 0.25
REOPEN_AFTER_S: Final = 0.5
# A stream outlives a restart of the platform: six tries within some twenty seconds.
STREAM_PATIENCE: Final = Patience(pauses_s=(0.5, 1.0, 2.0, 4.0, 8.0))
BREAKS: Final = (*REPEATABLE, CallUnauthenticated)
"""What breaks a stream that is then opened again; a token may end while it is open."""
_RECEIPT_CHARACTERS: Final = 2 * RECEIPT_LIMIT


class NoDoor(Conflict):
    """The session was opened without this door."""

    code = "session_without_door"
    title = "This session has no QR code"


class ReceiptNotValid(Forbidden):
    """The platform gave a receipt that does not hold, or another session's. ``report`` says why."""

    code = "receipt_not_valid"
    title = "The receipt does not hold"

    def __init__(self, detail: str, report: Report | None = None) -> None:
        super().__init__(detail)
        self.report = report


class FetchedReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A receipt as a relying party keeps it.

    Attributes:
        jws: the compact JWS; this is what goes into the archive.
        receipt: what it says.
        report: how it was verified; None when no anchors were given, and nothing was verified.
    """

    jws: str
    receipt: Receipt
    report: Report | None


class SessionCalls:
    """The conversations of one session.

    Args:
        calls: of the system that opened it.
        created: what the platform answered.
        challenge: what the receipt must repeat; None when whoever goes on with the session does not know it.
        anchors: roots that receipts are verified with; empty verifies nothing.
    """

    def __init__(
        self, calls: RPCalls, created: Created, *, challenge: str | None, anchors: Anchors
    ) -> None:
        self.reading = Reading(created.session, None)
        self.challenge = challenge
        self._calls = calls
        self._anchors = anchors
        self.doors = created.doors
        self._frames: FrameSource | None = None
        if created.doors.qr is not None:
            self._draw(created.doors.qr)

    @property
    def id(self) -> str:
        """The platform's name of the session."""
        return self.reading.view.id

    def frame(self) -> str:
        """Return the address that the code shows now.

        Raises:
            NoDoor: the session has no QR code.
        """
        if self._frames is None:
            raise NoDoor
        return self._frames.frame(self._calls.clock.monotonic())

    def _note(self, reading: Reading) -> Conversation[SessionView]:
        """Remember a reading; when an opened code was given back, fetch what the next one is drawn with."""
        before, self.reading = self.reading, reading
        if self._frames is not None and _is_presented_again(before, reading):
            yield from self.make_door(Door.QR)
        return reading.view

    def make_door(self, door: DoorName) -> Conversation[Doors]:
        """Make a further door, or get one again; a push is sent once more (TW-49)."""
        made = yield from self._calls.door(self.id, Door(door))
        self.doors = self.doors.with_door(door, made)
        if isinstance(made, QRDoor):
            self._draw(made)
        return self.doors

    def redeem(
        self, verifier: Secret[str], *, return_code: str | None
    ) -> Conversation[SessionView]:
        """Give back what the browser kept and brought, and get the answer; see ``begin_return``."""
        view = yield from self._calls.redeem(self.id, verifier=verifier, return_code=return_code)
        self.reading = Reading(view, None)
        return view

    def refresh(self, *, wait_s: int = 0) -> Conversation[SessionView]:
        """Read the session; with ``wait_s`` (at most 120) hold on until it changes."""
        reading = yield from self._calls.read(self.id, wait_s=wait_s, known=self.reading)
        return (yield from self._note(reading))

    def follow(self) -> "Following":
        """Return what keeps a stream of events open until the session's end."""
        return Following(self, self._calls)

    def heard(self, data: bytes) -> Conversation[SessionView]:
        """Take one event of the stream."""
        return (yield from self._note(read_event(data)))

    def wait(self, *, timeout_s: float | None) -> Conversation[SessionView]:
        """Follow the session to its end, or for ``timeout_s``; returns the last view either way."""
        clock = self._calls.clock
        ends_at = None if timeout_s is None else clock.monotonic() + timeout_s
        view = self.reading.view
        while not view.is_final:
            left_s = LONGEST_WAIT_S if ends_at is None else ends_at - clock.monotonic()
            if left_s < 1:
                return view
            view = yield from self._hold_on(min(int(left_s), LONGEST_WAIT_S))
        return view

    def _hold_on(self, wait_s: int) -> Conversation[SessionView]:
        """Wait for a change; a platform that answers at once although nothing changed is asked no faster."""
        clock, before = self._calls.clock, self.reading.view
        asked_at = clock.monotonic()
        view = yield from self.refresh(wait_s=wait_s)
        if view == before and clock.monotonic() - asked_at < HASTE_S:
            yield Pause(max(view.next.retry_after_ms / 1000, HASTE_S))
        return view

    def cancel(self) -> Conversation[SessionView]:
        """End the session if nobody has decided yet."""
        view = yield from self._calls.cancel(self.id)
        self.reading = Reading(view, None)
        return view

    def receipt(self) -> Conversation[FetchedReceipt]:
        """Fetch the receipt, see that it is this session's, and verify it when anchors are known.

        Raises:
            ReceiptNotValid: it is another session's, or the verdict is not ``valid``.
        """
        jws = yield from self._calls.receipt(self.id)
        return self._receipt(jws, evidence=None)

    def evidence(self) -> Conversation[tuple[EvidenceBundle, FetchedReceipt]]:
        """Fetch the evidence of a session of full evidence, with the receipt inside it, and verify both.

        Raises:
            ReceiptNotValid: as :meth:`receipt`.
            EvidenceMalformed: not a bundle.
        """
        bundle = parse_evidence((yield from self._calls.evidence(self.id)))
        return bundle, self._receipt(bundle.receipt, evidence=bundle)

    def _receipt(self, jws: str, *, evidence: EvidenceBundle | None) -> FetchedReceipt:
        parsed = jose.parse_compact(
            jws, typ=RECEIPT_TYP, required=("x5c",), limit=_RECEIPT_CHARACTERS
        )
        receipt = parse_receipt(parsed.payload)
        challenge = receipt.challenge if self.challenge is None else self.challenge
        if (receipt.session, receipt.challenge) != (self.id, challenge):
            raise ReceiptNotValid("the receipt of another session")
        report = None
        if self._anchors:
            report = verify_receipt(jws, self._anchors, evidence=evidence)
            if report.verdict is not Verdict.VALID:
                raise ReceiptNotValid(report.summary, report)
        return FetchedReceipt(jws=jws, receipt=receipt, report=report)

    def _draw(self, door: QRDoor) -> None:
        self._frames = FrameSource(door, received_at=self._calls.clock.monotonic())


class Following:
    """A stream of events that is opened again whenever it breaks, until the session has ended.

    Each opening begins with the present state, so nothing is missed; a state that was told is not told again.
    """

    def __init__(self, session: SessionCalls, calls: RPCalls) -> None:
        self._session = session
        self._calls = calls
        self._told: SessionView | None = None
        self._breaks = 0

    def request(self) -> Conversation[Request]:
        """Return the request that opens the stream."""
        return (yield from self._calls.events(self._session.id))

    def heard(self, data: bytes) -> Conversation[list[SessionView]]:
        """Take one event; returns the view in it, or nothing when it was told before."""
        view = yield from self._session.heard(data)
        self._breaks = 0
        if view == self._told:
            return []
        self._told = view
        return [view]

    def broke(self, refusal: InkanError | None) -> Conversation[None]:
        """Let the time pass after which the stream may be opened again.

        Args:
            refusal: what broke it; None when the platform ended it without an end of the session.

        Raises:
            InkanError: the refusal, after the sixth break without an event in between.
        """
        if isinstance(refusal, CallUnauthenticated):
            self._calls.forget_token()
        yield from pause(
            REOPEN_AFTER_S if refusal is None and not self._breaks else self._wait_s(refusal)
        )
        self._breaks += 1

    def _wait_s(self, refusal: InkanError | None) -> float:
        refusal = refusal or PlatformUnreachable("the stream ends without an event")
        if self._breaks >= len(STREAM_PATIENCE.pauses_s):
            raise refusal
        wait_s = pause_after(refusal, STREAM_PATIENCE.pauses_s[self._breaks], STREAM_PATIENCE)
        if wait_s is None:
            raise refusal
        return wait_s


def _is_presented_again(before: Reading, now: Reading) -> bool:
    """Whether the session was opened and given back between two readings.

    It may have happened unseen: then only the tag has changed.
    """
    if now.view.state is not SessionState.PRESENTED:
        return False
    was_opened = before.view.state is SessionState.OPENED
    return was_opened or (before.etag is not None and now.etag not in {None, before.etag})
