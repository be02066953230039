"""What the card desk does: take a request over from the enrolment page, show its very bytes, have a card sign them.

The digits are computed from the bytes that the card is about to sign and compared by the card connection; nothing
here ever gives them out (design §5.2 step 2, threat 6).
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inkan.client import (
    AsyncTransport,
    CallRefused,
    CardConnection,
    EnrolmentClient,
    StartedEnrolment,
)
from inkan.client.enrolment import ToSign
from inkan.client.exchange import CallConflict, CallGone, CallNotFound
from inkan.crypto import base64url
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Secret
from inkan.web.languages import Language
from inkan.wire import shown
from inkan.wire.enrolment_request import BindContent, parse_bind

VISITS_KEPT: Final = 200
_KEY: Final = re.compile(r"(enr_[a-z2-7]{1,40})\.([\w-]{43})", re.ASCII)


@dataclass(frozen=True)
class DeskCard:
    """One card on the desk.

    Attributes:
        key: names it in the form.
        holder: whose card it is, as the desk shows it.
        card: the connection to it.
    """

    key: str
    holder: str
    card: CardConnection


class Standing(StrEnum):
    """Where a request that was handed over stands."""

    WAITING = "waiting"
    READY = "ready"
    SIGNED = "signed"
    OVER = "over"


@dataclass
class Visit:
    """One browser's request at the desk.

    Attributes:
        wanted: what the card is about to sign, as the platform gave it once; it is shown, and signed, from here.
        content: the same, parsed.
    """

    request: str
    secret: Secret[str]
    standing: Standing = Standing.WAITING
    wanted: ToSign | None = None
    content: BindContent | None = None


class Signing:
    """The desk's requests, each under the token that its browser's cookie holds."""

    def __init__(
        self, cards: Sequence[DeskCard], *, platform: str, transport: AsyncTransport
    ) -> None:
        self.cards = {each.key: each for each in cards}
        self.platform = platform
        self._transport = transport
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def take(self, key: str) -> str | None:
        """Take a request over; returns the token for the browser, None when ``key`` is not one."""
        found = _KEY.fullmatch(key.strip())
        if found is None:
            return None
        token = base64url.encode(random_bytes(32))
        self._visits[token] = Visit(found[1], Secret(found[2]))
        while len(self._visits) > VISITS_KEPT:
            self._visits.popitem(last=False)
        return token

    def find(self, token: str | None) -> Visit | None:
        """The request of the browser that holds this token."""
        return self._visits.get(token or "")

    def forget(self, token: str | None) -> None:
        """Put a request away."""
        self._visits.pop(token or "", None)

    async def look(self, visit: Visit, language: Language) -> None:
        """Ask where the request stands, and fetch what is to be signed as soon as there is something.

        Raises:
            CallRefused, PlatformUnreachable: the platform does not say.
            EnrolmentContentMalformed, NotCanonical, JSONTooLarge: what it gives is no request to bind a phone.
        """
        if visit.standing is not Standing.WAITING:
            return
        try:
            wanted = await self._started(visit, language).to_sign()
        except (CallGone, CallNotFound):
            visit.standing = Standing.OVER
        except CallConflict as refused:
            # The phone is still at work; whatever comes after the signature is over for this desk.
            if (await self._started(visit, language).status()).state not in {"started", "joined"}:
                visit.standing = Standing.OVER
            elif refused.problem_code != "enrolment_out_of_order":
                raise
        else:
            visit.content = parse_bind(wanted.content)
            visit.wanted, visit.standing = wanted, Standing.READY

    async def sign(
        self, visit: Visit, card: DeskCard, *, pin: Secret[str], digits: str, language: Language
    ) -> None:
        """Have the card sign what was shown, and hand the signature in.

        Raises:
            DigitsMismatch, WrongPIN, PINLocked, CardRequestRefused, NoCard, CardRemoved: the card's; nothing was sent.
            CallRefused, PlatformUnreachable: the platform's; nothing is bound.
        """
        assert visit.wanted is not None
        cms = await asyncio.to_thread(_signed, card.card, visit.wanted, pin, digits)
        try:
            await self._started(visit, language).submit(cms)
        except CallRefused as refused:
            if isinstance(refused, CallGone | CallNotFound):
                visit.standing = Standing.OVER
            raise
        visit.standing = Standing.SIGNED

    def _started(self, visit: Visit, language: Language) -> StartedEnrolment:
        client = EnrolmentClient(
            self.platform, lang=shown.Language(language), transport=self._transport
        )
        return client.resume(visit.request, visit.secret.reveal())


def _signed(card: CardConnection, wanted: ToSign, pin: Secret[str], digits: str) -> bytes:
    """Open the card, sign these very bytes, close it."""
    card.open()
    try:
        return card.sign_request(
            wanted.content, content_type=wanted.content_type, pin=pin, confirm=lambda _: digits
        )
    finally:
        card.close()
