"""Logins at the tax office: begun for one browser, answered by the platform, and believed only after every check.

What an answer has to fulfil before somebody is logged in is one plan (:func:`judge`). The conformance kit attacks each
of its steps.
"""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from inkan.client import FetchedReceipt, RelyingParty, Session, SessionView, SubjectHint
from inkan.client.exchange import CallForbidden, CallGone, CallRefused
from inkan.client.relying_party import OrderMembers
from inkan.client.session_view import FINAL_STATES, Return, begin_return
from inkan.crypto import base64url
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


@dataclass
class Visit:
    """One browser's try: the session that it started and what came of it.

    Attributes:
        camera: unguessable name under which a phone without a camera reads the code as text.
        standing: moves once from waiting to what was decided, and then stays.
        refusal: why nobody is logged in, where the session itself does not say.
    """

    session: Session
    purpose: str
    camera: str
    demanded: BindingLevel
    is_expected: bool
    standing: Standing = Standing.WAITING
    receipt: FetchedReceipt | None = None
    refusal: str = ""

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


class Logins:
    """The tries of the office, each under the token that its browser's cookie holds."""

    def __init__(self, agency: RelyingParty, *, issuer: str, domain: str, return_url: str) -> None:
        self._agency = agency
        self._issuer = issuer
        self._domain = domain
        self._return_url = return_url
        self._visits: OrderedDict[str, Visit] = OrderedDict()
        self._cameras: dict[str, Visit] = {}

    async def begin(
        self, purpose: str, door: Door, *, number: str = ""
    ) -> tuple[str, Secret[str] | None]:
        """Open a session; returns the fresh token for the browser, and the verifier where it keeps one.

        Raises:
            NationalIDMalformed: the number is none.
            CallRefused, PlatformUnreachable: the platform did not open one.
        """
        back, verifier = begin_return(self._return_url) if door is Door.WEB_LINK else (None, None)
        session = await self._ask(purpose, door, number, back)
        token = base64url.encode(random_bytes(32))
        visit = Visit(
            session=session,
            purpose=purpose,
            camera=base64url.encode(random_bytes(16)),
            demanded=demanded(door),
            is_expected=bool(number),
        )
        self._visits[token] = self._cameras[visit.camera] = visit
        while len(self._visits) > VISITS_KEPT:
            _, oldest = self._visits.popitem(last=False)
            del self._cameras[oldest.camera]
        return token, verifier

    def find(self, token: str | None) -> Visit | None:
        """The try of the browser that holds this token."""
        return self._visits.get(token or "")

    def seen_by_camera(self, name: str) -> Visit | None:
        """The try whose code is read as text under this name."""
        return self._cameras.get(name)

    async def come_back(
        self, visit: Visit | None, *, verifier: str | None, return_code: str, session: str
    ) -> bool:
        """Finish what this very browser began, with what came back in its address; False refuses the return.

        The verifier is the browser's own, so a return that was begun elsewhere cannot be finished here.
        """
        if visit is None or session != visit.session.id:
            return False
        if not visit.is_waiting:
            return visit.is_in
        if not verifier:
            return False
        try:
            await visit.session.redeem(Secret(verifier), return_code=return_code)
        except (CallForbidden, CallGone):
            visit.refuse("return_other_browser")
            return False
        except CallRefused:
            return False
        await self.look(visit)
        return visit.is_in

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
            found = judge(visit, view, receipt, issuer=self._issuer, domain=self._domain)
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

    async def _ask(self, purpose: str, door: Door, number: str, back: Return | None) -> Session:
        """Open a session; with a number only its holder can finish it."""
        members: OrderMembers = {"doors": (door,)}
        if demanded(door) > BindingLevel.NONE:
            members["binding_min"] = demanded(door)
        if back is not None:
            members["return_to"] = back
        if number:
            expected = Personal(parse_typed_national_id(number).reveal())
            members["subject_hint"] = SubjectHint(type="national_id", value=expected)
        return await self._agency.create_session("identify", purpose=purpose, **members)


def demanded(door: Door) -> BindingLevel:
    """The binding level that the office demands: what comes back from a phone has to come back to its browser."""
    return BindingLevel.RETURNED if door is Door.WEB_LINK else BindingLevel.NONE


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
    if receipt.binding.level < visit.demanded:  # 5
        return "level_too_low"
    return "" if view.status_now in _STATUS_GOOD else "cert_revoked"  # 6
