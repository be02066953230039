"""Logins at the tax office: begun for one browser, answered by the platform, and believed only after every check.

What an answer has to fulfil before somebody is logged in is one plan (:func:`judge`). The conformance kit attacks each
of its steps.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from inkan.apps.showcase.tax_office.doors import DOORS, DoorRow
from inkan.client import (
    CallForbidden,
    CallGone,
    CallNotFound,
    CallRefused,
    CallTooMany,
    FetchedReceipt,
    RelyingParty,
    Session,
    SessionView,
    SubjectHint,
)
from inkan.client.relying_party import OrderMembers
from inkan.client.session_view import FINAL_STATES, AddressDoor, Return, begin_return
from inkan.crypto import base64url
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError, Unavailable
from inkan.kernel.identifiers import parse_typed_national_id
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Personal, Secret
from inkan.wire.binding import BindingLevel, Door

VISITS_KEPT: Final = 1000
_STATUS_GOOD: Final = frozenset({None, "valid"})


class Standing(StrEnum):
    """How a browser stands at the office."""

    WAITING = "waiting"
    LOGGED_IN = "logged_in"
    REFUSED = "refused"


class Wish(msgspec.Struct, frozen=True):
    """What a browser asks for.

    Attributes:
        number: national ID as it was typed; only its holder can finish then. Empty when nobody is expected.
        phone_name: which of the person's phones a message goes to; all when empty.
    """

    purpose: str
    door: Door
    number: str = ""
    phone_name: str = ""


@dataclass
class Visit:
    """One browser's try: the session that it started and what came of it.

    Attributes:
        sent_at: monotonic seconds when the door was made, or the message sent the last time.
        camera: unguessable name under which a phone without a camera reads the code as text.
        standing: moves once from waiting to what was decided, and then stays.
        refusal: why nobody is logged in, where the session itself does not say.
    """

    session: Session
    door: Door
    sent_at: float
    camera: str
    is_expected: bool
    standing: Standing = Standing.WAITING
    receipt: FetchedReceipt | None = None
    refusal: str = ""

    @property
    def row(self) -> DoorRow:
        """How the office offers this try's door."""
        return DOORS[self.door]

    @property
    def address(self) -> str:
        """The address that this try's door has; empty for those without one."""
        made = getattr(self.session.doors, self.door.value)
        return made.url if isinstance(made, AddressDoor) else ""

    @property
    def person(self) -> str | None:
        """The signed reference of who is logged in."""
        subject = self.receipt.receipt.subject if self.receipt else None
        return subject.person_ref if self.is_in and subject else None

    @property
    def is_waiting(self) -> bool:
        """Whether nothing is decided yet."""
        return self.standing is Standing.WAITING

    @property
    def is_in(self) -> bool:
        """Whether somebody is logged in."""
        return self.standing is Standing.LOGGED_IN

    def refuse(self, why: str) -> None:
        """End the try."""
        self.standing, self.refusal = Standing.REFUSED, why

    def decide(self, why_not: str, receipt: FetchedReceipt | None) -> None:
        """Log the person of this receipt in, or nobody; a decision that came first (a webhook, another page) stays."""
        if not self.is_waiting:
            return
        if why_not:
            self.refuse(why_not)
        else:
            self.standing, self.receipt = Standing.LOGGED_IN, receipt


class Begun(NamedTuple):
    """A fresh try: the token for the browser's cookie, and the verifier where the browser keeps one."""

    visit: Visit
    token: str
    verifier: Secret[str] | None


class Logins:
    """The tries of the office, each under the token that its browser's cookie holds.

    Args:
        agency: asks the platform.
        issuer: the platform.
        domain: the office's, as receipts name it.
        return_url: where browsers come back to.
        clock: tells how long ago a message was sent.
    """

    def __init__(
        self, agency: RelyingParty, *, issuer: str, domain: str, return_url: str, clock: Clock
    ) -> None:
        self.issuer = issuer
        self._agency = agency
        self._domain = domain
        self._return_url = return_url
        self._clock = clock
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._cameras: dict[str, Visit] = {}

    async def begin(self, wish: Wish) -> Begun:
        """Open a session for a browser.

        Raises:
            NationalIDMalformed: the number is none, or the door needs one.
            CallRefused, PlatformUnreachable: the platform did not open one.
        """
        returns = DOORS[wish.door].returns
        back, verifier = begin_return(self._return_url) if returns else (None, None)
        visit = Visit(
            session=await self._ask(wish, back),
            door=wish.door,
            sent_at=self._clock.monotonic(),
            camera=base64url.encode(random_bytes(16)),
            is_expected=bool(wish.number),
        )
        token = base64url.encode(random_bytes(32))
        self._visits[token] = self._cameras[visit.camera] = visit
        while len(self._visits) > VISITS_KEPT:
            _, oldest = self._visits.popitem(last=False)
            del self._cameras[oldest.camera]
        return Begun(visit, token, verifier)

    def find(self, token: str | None) -> Visit | None:
        """The try of the browser that holds this token."""
        return self._visits.get(token or "")

    def seen_by_camera(self, name: str) -> Visit | None:
        """The try whose code is read as text under this name."""
        return self._cameras.get(name)

    async def come_back(
        self, visit: Visit | None, *, verifier: str | None, return_code: str, session: str
    ) -> Standing | None:
        """Finish what this very browser began, with what came back in its address.

        Returns how its try stands then; None when the return is not its own. The verifier is the browser's, so a return
        that was begun elsewhere cannot be finished here. Without a return code the person said no, or went back.

        Raises:
            Unavailable, CallTooMany: the platform does not answer, or not now; nothing is decided.
        """
        if visit is None or session != visit.session.id:
            return None
        if visit.is_waiting and return_code:
            if not verifier:
                return None
            if not await self._redeem(visit, Secret(verifier), return_code):
                return None
        await self.look(visit)
        return visit.standing

    async def _redeem(self, visit: Visit, verifier: Secret[str], return_code: str) -> bool:
        """Whether the platform heard of it; a return that it refuses for good ends the try."""
        try:
            await visit.session.redeem(verifier, return_code=return_code)
        except (CallForbidden, CallGone):
            visit.refuse("return_other_browser")
        except CallRefused as refused:
            if isinstance(refused, Unavailable | CallTooMany):
                raise
            return False
        return True

    async def resend(self, visit: Visit) -> bool:
        """Send the message once more: the same digits, the same end (TW-49). False before its time, and nothing is sent.

        Raises:
            CallRefused, PlatformUnreachable: the platform did not send it.
        """
        push, now = visit.session.doors.push, self._clock.monotonic()
        if push is None or now - visit.sent_at < push.resend_after_s:
            return False
        await visit.session.make_door(Door.PUSH)
        visit.sent_at = now
        return True

    async def cancel(self, visit: Visit) -> None:
        """End the try, unless somebody decided meanwhile.

        Raises:
            Unavailable: the platform does not answer.
        """
        try:
            await visit.session.cancel()
        except CallRefused as refused:
            if isinstance(refused, Unavailable):
                raise
        await self.look(visit)

    async def look(self, visit: Visit) -> None:
        """Read the session if the try is undecided, and decide it when there is something to decide by.

        Raises:
            PlatformUnreachable, CallRefused: the platform does not answer, or not now; nothing is decided.
        """
        if not visit.is_waiting:
            return
        receipt = None
        try:
            view = await visit.session.refresh()
            if view.state not in FINAL_STATES:
                return
            receipt = await visit.session.receipt() if view.is_ok else None
            found = judge(visit, view, receipt, issuer=self.issuer, domain=self._domain)
        except (CallNotFound, CallGone):
            found = "expired"  # it is no longer kept
        except (CallRefused, Unavailable):
            raise
        except InkanError as wrong:
            # A reading or a receipt that is not understood or does not hold is a no.
            found = wrong.code
        visit.decide(found, receipt)

    async def hear(self, session: str) -> None:
        """A webhook named this session: look at its try, if it is one of here."""
        named = (visit for visit in self._visits.values() if visit.session.id == session)
        visit = next(named, None)
        if visit is not None:
            await self.look(visit)

    async def _ask(self, wish: Wish, back: Return | None) -> Session:
        """Open a session; with a number only its holder can finish it."""
        row = DOORS[wish.door]
        members: OrderMembers = {"doors": (wish.door,), "expires_in": row.life_s}
        if row.demanded > BindingLevel.NONE:
            members["binding_min"] = row.demanded
        if back is not None:
            members["return_to"] = back
        if wish.number or row.needs_number:
            expected = Personal(parse_typed_national_id(wish.number).reveal())
            members["subject_hint"] = SubjectHint(type="national_id", value=expected)
        if wish.phone_name:
            members["phone_name"] = wish.phone_name
        return await self._agency.create_session("identify", purpose=wish.purpose, **members)


def judge(
    visit: Visit, view: SessionView, fetched: FetchedReceipt | None, *, issuer: str, domain: str
) -> str:
    """Why this answer logs nobody in; empty when it does. The receipt's signature was verified when it was fetched.

    1. The session is closed and the person approved.
    2. The receipt says so too, is this platform's and for this office. (Session and challenge: the client.)
    3. Reading and receipt name the same person.
    4. The expected person, where there was one.
    5. The binding level in the receipt is at least the demanded one.
    6. The certificate is still good.
    """
    receipt = fetched.receipt if fetched else None
    if not view.is_ok or receipt is None:  # 1
        return view.reason or str(view.state)
    if receipt.subject is None:  # 2: it stands exactly beside the outcome ok
        return "receipt_not_valid"
    if receipt.iss != issuer or receipt.relying_party.domain != domain:
        return "receipt_not_valid"
    if view.subject is None or view.subject.person_ref != receipt.subject.person_ref:  # 3
        return "receipt_not_valid"
    if visit.is_expected and view.match is not True:  # 4
        return "subject_mismatch"
    if receipt.binding.level < visit.row.demanded:  # 5
        return "level_too_low"
    return "" if view.status_now in _STATUS_GOOD else "cert_revoked"  # 6
