"""The hostile platform: it keeps sessions as the true one does, and lies about one of them when an attack says so."""

import asyncio
import contextlib
import hashlib
import hmac
from typing import Final

from inkan.conformance.model import Unproved
from inkan.conformance.service.authority import KitRoot
from inkan.conformance.service.plays import (
    EXPECTED,
    LIFE,
    Order,
    Play,
    View,
)
from inkan.conformance.service.receipts import Scribe
from inkan.crypto import base64url, jwk
from inkan.crypto.base64url import Base64URLMalformed
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.errors import Conflict, Forbidden, Gone, NotFound
from inkan.kernel.ids import random_bytes
from inkan.wire import qr
from inkan.wire.binding import Door, StatementDoor
from inkan.wire.session import Outcome, SessionState

LINK_PATH: Final = "l"


class HostilePlatform:
    """The kit's platform.

    Attributes:
        plays: every session, by its id, in the order of their opening.
        webhook_key: signs webhooks; its public half stands in the key set.

    Args:
        issuer: under which the relying party reaches it.
        domain: of the relying party, for receipts.
    """

    def __init__(self, issuer: str, root: KitRoot, clock: Clock, *, domain: str) -> None:
        self.issuer = issuer
        self.root = root
        self.clock = clock
        self.scribe = Scribe(issuer, domain, root.receipts)
        self.webhook_key = root.webhook
        self.plays: dict[str, Play] = {}

    # What the relying party calls.

    def create(self, order: Order) -> tuple[Play, dict[str, View]]:
        """Open a session; returns it and what was made for each door."""
        play = Play(order=order, created_at=self.clock.wire_now())
        self.plays[play.id] = play
        return play, {str(door): self.door(play, door) for door in order.doors}

    def door(self, play: Play, door: Door) -> View:
        """What the relying party gets for one door."""
        if door is Door.QR:
            return {
                "handle": play.handle,
                "secret": base64url.encode(play.secret),
                "origin": self.issuer,
                "t0": rfc3339(play.created_at),
                "t": self._t(play),
                "generation": 1,
            }
        if door is Door.PUSH:
            return {"code": "000000", "resend_after_s": 30}
        return {"url": f"{self.issuer}/{LINK_PATH}#1.{play.handle}"}

    def find(self, session: str) -> Play:
        """The session of this id.

        Raises:
            NotFound: there is none.
        """
        play = self.plays.get(session)
        if play is None:
            raise NotFound("no such session")
        if not play.is_final and self.clock.wire_now() >= play.created_at + LIFE:
            play.move(SessionState.EXPIRED)
        return play

    async def wait(self, play: Play, *, seconds: int, known: str | None) -> None:
        """Hold on until the session differs from the known entity tag, has ended, or the time is over."""
        if known != etag(play) or play.is_final:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(play.changed.wait(), seconds)

    def redeem(self, play: Play, verifier: str, return_code: str | None) -> Play:
        """Release the answer to the browser that began.

        Raises:
            Conflict: nothing is decided.
            Gone: redeemed before, or ended.
            Forbidden: another browser; the session has ended.
        """
        if play.is_final:
            raise Gone("redeemed before, or ended")
        if play.state is not SessionState.DECIDED:
            raise Conflict("nothing is decided yet")
        if not (self._is_bound(play, verifier) and return_code == play.return_code):
            play.outcome, play.reason = Outcome.FAILED, "return_other_browser"
            play.move(SessionState.CLOSED)
            raise Forbidden("another browser came back")
        self._release(play)
        return play

    def cancel(self, play: Play) -> Play:
        """End the session.

        Raises:
            Conflict: it is decided.
        """
        if play.is_final or play.state is SessionState.DECIDED:
            raise Conflict("decided or ended")
        play.move(SessionState.CANCELLED)
        return play

    def receipt(self, play: Play) -> str:
        """The session's receipt, true or not.

        Raises:
            Conflict: there is none yet.
        """
        if play.lie.receipt is not None:
            return play.lie.receipt(play)
        if play.state is not SessionState.CLOSED:
            raise Conflict("there is no receipt before the end")
        play.receipt = play.receipt or self.scribe.true(play)
        return play.receipt

    def key_set(self) -> dict[str, list[dict[str, str]]]:
        """The public keys of webhooks."""
        public = self.webhook_key.public_key()
        return {"keys": [{**jwk.to_jwk(public), "kid": jwk.thumbprint(public)}]}

    # What phones do here.

    def scan(self, frame: str) -> tuple[Play, int]:
        """Find the session of a frame that is current now; returns it and the frame's second.

        Raises:
            QRFrameMalformed, QRFrameForged, QRFrameStale: see ``inkan.wire.qr``.
            Unproved: a frame of no session here.
        """
        scanned = qr.parse_frame(frame, origin=self.issuer)
        play = next((each for each in self.plays.values() if each.handle == scanned.handle), None)
        if play is None:
            raise Unproved("the code is of no session of this platform")
        qr.verify_frame(scanned, play.frame_key, t_now=self._t(play))
        return play, scanned.t

    def answer(self, play: Play, *, person: str, door: StatementDoor) -> str:
        """A person approves on a phone; returns the return code, empty where nothing comes back."""
        play.door = door
        play.decided_at = self.clock.wire_now()
        play.person = person
        is_wrong = play.order.is_expected and person != EXPECTED
        play.outcome = Outcome.FAILED if is_wrong else Outcome.OK
        play.reason = "subject_mismatch" if is_wrong else None
        if play.order.back is None or is_wrong:
            play.move(SessionState.CLOSED)
            return ""
        play.return_code = base64url.encode(random_bytes(32))
        play.move(SessionState.DECIDED)
        return play.return_code

    def _release(self, play: Play) -> None:
        if play.door is StatementDoor.WEB_LINK:
            play.level, play.evidence = "returned", ("redeemed",)
        else:
            play.evidence = ("browser_bound",)
        play.move(SessionState.CLOSED)

    def _is_bound(self, play: Play, verifier: str) -> bool:
        if play.order.back is None:
            return False
        try:
            digest = hashlib.sha256(base64url.decode(verifier)).digest()
        except Base64URLMalformed:
            return False
        return hmac.compare_digest(base64url.encode(digest), play.order.back.binding)

    def _t(self, play: Play) -> int:
        return int((self.clock.wire_now() - play.created_at).total_seconds())


def etag(play: Play) -> str:
    """The entity tag of a session's present reading."""
    return f'"{play.version}"'
