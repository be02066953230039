"""The redirect page (TW-53 to TW-57): the platform's own page asks by one of three ways, for a relying party.

How it is bound: the relying party's browser comes with the page's handle. The first form that is sent from the
page claims it for that browser, by a cookie of 256 random bits whose hash the session keeps; a GET changes
nothing. To every other browser the page is over. The same browser takes the return code back to the relying
party, which redeems it with the verifier that it left there itself, so both origins see one browser.

What is typed here is the expectation of whoever sits before the screen: it is compared after the approval, and
an unknown number, an unbound person and a refusal look alike to the end (design §5.4, threat 15).
"""

import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from enum import StrEnum

import msgspec

from inkan.approvals import (
    UNDECIDED,
    ApprovalEnded,
    ApprovalMoved,
    is_releasable,
    state_at,
)
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.identification import store
from inkan.identification.model import HintType, PageNotFound, PushUnderWay, Session, Terms
from inkan.identification.rules import DOORS, RESEND_AFTER, Leader, Opening, comparable
from inkan.identification.service import announcing, cancelling, pushing, returning
from inkan.identification.service.opening import release_stale
from inkan.identification.service.parts import (
    Found,
    Parts,
    is_veiled,
    qr_seconds,
    read_session,
    shown_state,
    topic,
)
from inkan.kernel.errors import Malformed
from inkan.kernel.identifiers import parse_typed_national_id
from inkan.kernel.ids import new_id
from inkan.store.database import MOMENT, Step
from inkan.wire import link, qr
from inkan.wire.binding import Door
from inkan.wire.session import Outcome, SessionState
from inkan.wire.shown import Language

TRY_LIFE = timedelta(seconds=180)
REREAD_S = 5.0


class Stage(StrEnum):
    """What the page shows."""

    CHOOSE = "choose"  # no way chosen, or its three minutes are over
    ELSEWHERE = "elsewhere"  # another browser began
    SCAN = "scan"
    SENT = "sent"
    OPEN = "open"
    OPENED = "opened"
    ANSWERED = "answered"
    ENDED = "ended"  # refused, failed or out of time: back to the relying party with nothing
    DONE = "done"  # given out


class PageView(msgspec.Struct, frozen=True):
    """Everything the page shows of one session; nothing of who answered.

    Attributes:
        handle: of the page.
        way: the chosen one.
        asks_number: whether the person may type a number: the relying party has named nobody.
        code: six digits to type into the phone (`push`).
        address: of the wallet (`open`).
        resend_after_s: seconds until the push may be sent again.
        is_confirmed: this browser has shown a passkey of the phone that answered.
        is_enough: the answer, taken back from this page, reaches the level that the relying party demands.
    """

    handle: str
    stage: Stage
    relying_party: str
    domain: str
    purpose: str
    asks_number: bool
    way: Opening | None = None
    code: str | None = None
    address: str | None = None
    resend_after_s: int = 0
    is_confirmed: bool = False
    is_enough: bool = True

    @property
    def returns(self) -> bool:
        """Whether the page goes back by itself: everything is there, and it is not the phone that leads back."""
        is_led = self.way is not Opening.LINK or self.is_confirmed
        return self.stage is Stage.ANSWERED and self.is_enough and is_led


class Choice(msgspec.Struct, frozen=True):
    """What the form says (TW-55): the way, and the data that it needs."""

    way: Opening
    national_id: str = ""
    phone_name: str = ""


_ACTOR = Actor(ActorKind.PLATFORM, "redirect-page")


def read_page(parts: Parts, handle: str) -> Step[Found]:
    """Step: the session of a page and its approval.

    Raises:
        PageNotFound: no session has such a page.
    """
    session = read_session((yield store.BY_PAGE.one(key=handle)))
    if session is None:
        raise PageNotFound()
    approval = yield from parts.approvals.get(session.approval)
    return Found(session=session, approval=approval)


def is_ours(page: Found, browser: str) -> bool:
    """Whether this cookie is that of the browser which began."""
    claimed = page.session.page_browser or ""
    return hmac.compare_digest(claimed, browser_hash(page.session.page or "", browser))


def browser_hash(handle: str, browser: str) -> str:
    """What the session keeps of the cookie of the browser that began; another one for each page."""
    mark = f"inkan-page-v1\x00{handle}\x00{browser}".encode()
    return base64url.encode(hashlib.sha256(mark).digest())


async def find(parts: Parts, handle: str, *, browser: str, lang: Language) -> PageView:
    """What this browser sees of the page now.

    Raises:
        PageNotFound: no session has such a page.
    """
    page = await parts.db.read(read_page, parts, handle)
    now = parts.db.now()
    if is_releasable(page.approval, now):
        # A rival (another tab, the phone's decision) may come first: the next reading tells.
        with suppress(ApprovalMoved, ApprovalEnded):
            await parts.db.transact(release_stale, parts, page.session, page.approval)
        page = await parts.db.read(read_page, parts, handle)
    return _view(parts, page, browser=browser, lang=lang)


def _view(parts: Parts, page: Found, *, browser: str, lang: Language) -> PageView:
    session, approval = page.session, page.approval
    question = approval.question
    stage = _stage(parts, page, browser=browser)
    shows = stage in (Stage.SCAN, Stage.SENT, Stage.OPEN)
    way = session.terms.way
    return PageView(
        handle=session.page or "",
        stage=stage,
        relying_party=question.relying_party.name,
        domain=question.relying_party.domain,
        purpose=question.purpose_text[lang],
        asks_number=session.hint_type == "none" or session.terms.is_hint_typed,
        way=Opening(way) if way else None,
        code=parts.code(approval.id)
        if stage is Stage.SENT and not session.terms.tap_only
        else None,
        address=link.address(parts.wallet_origin, handle=approval.link)
        if shows and approval.link and stage is Stage.OPEN
        else None,
        resend_after_s=int(RESEND_AFTER.total_seconds()),
        is_confirmed=returning.is_confirmed(approval.evidence),
        is_enough=stage is not Stage.ANSWERED
        or returning.is_enough(session, approval, by=Leader.PAGE),
    )


_WAITING = {Opening.FRAME: Stage.SCAN, Opening.PUSH: Stage.SENT, Opening.LINK: Stage.OPEN}


def _stage(parts: Parts, page: Found, *, browser: str) -> Stage:
    """One row after the other: whose page it is, whether there is an answer to take back, what waits."""
    session, approval = page.session, page.approval
    now = parts.db.now()
    state = state_at(approval, now)
    if session.page_browser is not None and not is_ours(page, browser):
        return Stage.ELSEWHERE
    if state is SessionState.DECIDED:
        return Stage.ANSWERED
    if state is SessionState.CLOSED and approval.outcome is Outcome.OK:
        return Stage.DONE
    waits = _WAITING.get(Opening(session.terms.way)) if session.terms.way else None
    if is_veiled(session, approval) and approval.expires_at > now and waits is Stage.SENT:
        return Stage.SENT
    if state not in UNDECIDED:
        return Stage.ENDED
    if state is SessionState.OPENED:
        return Stage.OPENED
    is_over = session.terms.way_at is not None and session.terms.way_at + TRY_LIFE <= now
    return Stage.CHOOSE if waits is None or is_over else waits


async def choose(parts: Parts, handle: str, choice: Choice, *, browser: str) -> None:
    """Begin one of the three ways in this browser; choosing anew draws a new code or address.

    Raises:
        PageNotFound: no such page, or another browser has begun it.
        NationalIDMalformed: a number was typed that is none.
        Malformed: a push without a number.
        ApprovalEnded, ApprovalMoved: over, or opened on a phone meanwhile.
    """
    lookup = None
    if choice.national_id.strip():
        lookup = parts.people.lookup(parse_typed_national_id(choice.national_id.strip().upper()))
    await parts.db.transact(_choose, parts, handle, choice, lookup, browser)


def _choose(
    parts: Parts, handle: str, choice: Choice, lookup: bytes | None, browser: str
) -> Step[None]:
    moment = yield MOMENT
    page = yield from _claimed(parts, handle, browser)
    session, approval = page.session, page.approval
    terms, is_hint_ours = session.terms, session.hint_type == "none" or session.terms.is_hint_typed
    if terms.way == Opening.PUSH and is_veiled(session, approval):
        # NOTE(divergence-9): whether the person has refused must not show by what this page still admits.
        raise PushUnderWay()
    if choice.way is Opening.PUSH and lookup is None and is_hint_ours:
        raise Malformed(where="/national_id", expected="whose phone the push goes to")
    if choice.way not in DOORS[Door.REDIRECT].openings:
        raise Malformed(where="/way", expected="one of the three ways")
    event = yield from parts.audit.record(
        "identification.way_chosen",
        actor=_ACTOR,
        object=session.id,
        details={"approval": approval.id, "way": choice.way.value},
    )
    terms = msgspec.structs.replace(
        terms,
        way=choice.way,
        way_at=moment,
        phone_name=comparable(choice.phone_name),
        is_hint_typed=is_hint_ours,
    )
    changed = yield from _write(session, terms, lookup if is_hint_ours else None, event=event)
    presented = yield from parts.approvals.present(
        approval,
        event=event,
        handle=new_id("qr") if choice.way is Opening.FRAME else None,
        link=new_id("ln") if choice.way is Opening.LINK else None,
    )
    if choice.way is Opening.PUSH:
        yield from pushing.order(session.id)
        yield from announcing.order_end(changed)
    yield from announcing.changed(changed, before=approval, after=presented, was=session)


def _write(session: Session, terms: Terms, lookup: bytes | None, *, event: str) -> Step[Session]:
    """Step: write the choice; returns the session as it is then."""
    session = msgspec.structs.replace(session, terms=terms)
    yield store.ADD_DOOR.run(key=session.id, new_terms=terms, new_page=session.page, event=event)
    if terms.is_hint_typed:
        hint_type: HintType = "national_id" if lookup else "none"
        yield store.SET_HINT.run(
            key=session.id,
            new_hint_type=hint_type,
            new_hint=lookup,
        )
        session = msgspec.structs.replace(session, hint_type=hint_type, hint=lookup)
    return session


def _claimed(parts: Parts, handle: str, browser: str) -> Step[Found]:
    """Step: the page, held by this browser: it claims what nobody has begun."""
    page = yield from read_page(parts, handle)
    if page.session.page_browser is None:
        mark = browser_hash(handle, browser)
        yield store.CLAIM_PAGE.run(key=handle, new_browser=mark)
        page = yield from read_page(parts, handle)
    if not is_ours(page, browser):
        raise PageNotFound()
    return page


async def resend(parts: Parts, handle: str, *, browser: str) -> None:
    """Send the push again: the same code, the same end (TW-49).

    Raises:
        PageNotFound: no such page, or another browser has begun it.
    """
    await parts.db.transact(_resend, parts, handle, browser)


def _resend(parts: Parts, handle: str, browser: str) -> Step[None]:
    page = yield from _claimed(parts, handle, browser)
    if page.session.terms.way == Opening.PUSH:
        yield from pushing.order(page.session.id)


async def finish(
    parts: Parts, handle: str, *, browser: str
) -> tuple[str, cancelling.TakenBack | None]:
    """The relying party's address for this browser: with the return code when there is an answer.

    An undecided question is taken back: the person goes back without one.

    Raises:
        PageNotFound: no such page, or another browser has begun it.
    """
    page, taken_back = await parts.db.transact(_finish, parts, handle, browser)
    address = returning.address_of(parts, page.session, page.approval, by=Leader.PAGE)
    return address, taken_back


def _finish(
    parts: Parts, handle: str, browser: str
) -> Step[tuple[Found, cancelling.TakenBack | None]]:
    moment = yield MOMENT
    page = yield from _claimed(parts, handle, browser)
    taken_back = None
    if shown_state(page.session, page.approval, moment) in UNDECIDED and not _is_answered(page):
        taken_back = yield from cancelling.take_back(parts, page, actor=_ACTOR)
    return page, taken_back


def _is_answered(page: Found) -> bool:
    """Whether an answer awaits its return; behind the veil the session still shows as waiting."""
    return page.approval.state is SessionState.DECIDED


async def frame(parts: Parts, handle: str, *, browser: str) -> str | None:
    """The frame of this second for the browser that began; None while there is nothing to scan."""
    page = await parts.db.read(read_page, parts, handle)
    approval = page.approval
    if _stage(parts, page, browser=browser) is not Stage.SCAN or approval.handle is None:
        return None
    key = qr.qr_key(parts.qr_secret(approval))
    t = qr_seconds(approval, parts.db.now())
    return qr.frame(parts.wallet_origin, handle=approval.handle, t=t, key=key)


async def stages(parts: Parts, handle: str, *, browser: str) -> AsyncIterator[Stage]:
    """The stage of the page in this browser, now and after every change, until it is over."""
    page = await parts.db.read(read_page, parts, handle)
    known: Stage | None = None
    async with parts.db.bus.subscribe(topic(page.session.id)) as calls:
        while True:
            page = await parts.db.read(read_page, parts, handle)
            stage = _stage(parts, page, browser=browser)
            if stage is not known:
                yield stage
            known = stage
            if stage in (Stage.ENDED, Stage.DONE, Stage.ELSEWHERE):
                return
            await calls.wait(timeout_s=REREAD_S)
