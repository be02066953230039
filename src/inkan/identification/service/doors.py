"""The doors of a session: what each demands when it is made, and what the asking side gets for it.

The differences between doors are rows of :data:`inkan.identification.rules.DOORS`; here they are applied.
"""

from collections.abc import Collection
from datetime import timedelta

import msgspec

from inkan.approvals import UNDECIDED, Approval, ApprovalEnded, is_releasable, state_at
from inkan.audit import Actor, ActorKind
from inkan.identification import store
from inkan.identification.model import (
    AddressDoor,
    DoorNotRegistered,
    DoorView,
    LevelTooLow,
    PushDoor,
    Return,
    ReturnNotRegistered,
    Session,
    SubjectHint,
    Terms,
)
from inkan.identification.rules import DOORS, ENUMERABLE_HINTS, RESEND_AFTER, Opening
from inkan.identification.service import announcing, pushing
from inkan.identification.service.opening import release_stale
from inkan.identification.service.parts import Found, Parts, find, is_veiled, shown_state
from inkan.identification.service.returning import page_url
from inkan.kernel.errors import Malformed
from inkan.kernel.ids import SystemID, new_id
from inkan.relying_parties import System
from inkan.store.database import MOMENT, Step
from inkan.wire import link
from inkan.wire.binding import (
    REDEEM_EVIDENCE,
    BindingLevel,
    Door,
    Evidence,
    Stage,
    highest_reachable,
    ways_of,
)
from inkan.wire.session import SessionState


def check(
    system: System,
    doors: Collection[Door],
    *,
    hint: SubjectHint,
    return_: Return | None,
    life: timedelta,
) -> None:
    """Refuse doors that the system may not use, or that lack what they need.

    Raises:
        DoorNotRegistered: the system's registration does not name it.
        ReturnNotRegistered: the return address is not one of the system's.
        Malformed: a door without its `return` or its person, two that come back, another one beside a push that
            names a person, or too long a life (TW-45).
    """
    if return_ is not None and return_.url not in system.return_urls:
        raise ReturnNotRegistered()
    if len(set(doors)) != len(doors):
        raise Malformed(where="/doors", expected="each door once")
    for door in doors:
        if door not in system.doors:
            raise DoorNotRegistered()
        if DOORS[door].returns and return_ is None:
            raise Malformed(where="/return", expected=f"a return address with {door}")
        if DOORS[door].is_alone and len(doors) > 1:
            raise Malformed(where="/doors", expected=f"no other door with {door}")
        if door is Door.PUSH and hint.type == "none":
            raise Malformed(where="/subject_hint", expected="whose phone the push goes to")
        check_life(door, life)
    if Door.PUSH in doors and len(doors) > 1 and hint.type in ENUMERABLE_HINTS:
        # Whoever scanned the other door would see whether the named person has ended the question.
        raise Malformed(where="/doors", expected="no other door with a push that names a person")
    if sum(DOORS[door].returns for door in doors) > 1:
        raise Malformed(where="/doors", expected="one door that comes back at most")


def check_life(door: Door, life: timedelta) -> None:
    """Refuse a door for a session that outlives it (TW-45: a code is scanned within 180 s).

    Raises:
        Malformed: with the longest life.
    """
    longest = DOORS[door].life
    if life > longest:
        raise Malformed(
            where="/expires_in", expected=f"at most {longest.total_seconds():.0f} with {door}"
        )


def check_level(door: Door, binding_min: BindingLevel, *, terms: Terms, is_known: bool) -> None:
    """Refuse a door that cannot reach the demanded level (design §5.4; checked when it is made).

    Args:
        door: to be made.
        binding_min: demanded level.
        terms: of the session.
        is_known: whether the asking browser stands in the register of known browsers.

    Raises:
        LevelTooLow: with what can be reached.
    """
    reachable = highest_reachable(
        door,
        stage=Stage.MADE,
        evidence={Evidence.PAIRED_BROWSER} if is_known else frozenset(),
        excluded=not_to_come(door, terms),
    )
    if reachable < binding_min:
        raise LevelTooLow(binding_min=str(binding_min), reachable=str(reachable))


def not_to_come(door: Door, terms: Terms) -> frozenset[Evidence]:
    """Evidence that this session's terms rule out: a code under `tap_only`, a return where none is awaited."""
    excluded = {Evidence.CODE_ENTERED} if terms.tap_only else set()
    if terms.return_url is None:
        excluded |= {REDEEM_EVIDENCE[way] for way in ways_of(door)}
    return frozenset(excluded)


def handles_for(doors: Collection[Door]) -> tuple[str | None, str | None, str | None]:
    """Fresh handles of the code, of the address and of the redirect page, as far as these doors need them."""
    openings = {opening for door in doors for opening in DOORS[door].openings}
    is_page = Door.REDIRECT in doors
    return (
        # The page shows a code only when somebody asks it to, and gives an address so too.
        new_id("qr") if Opening.FRAME in openings and not is_page else None,
        new_id("ln") if Opening.LINK in openings and not is_page else None,
        new_id("pg") if is_page else None,
    )


def view(parts: Parts, found: Found, door: Door) -> DoorView:
    """What the asking side gets for a door that is made."""
    session, approval = found.session, found.approval
    match door:
        case Door.QR:
            return parts.qr_door(approval, parts.db.now())
        case Door.PUSH:
            return push_view(parts, session, approval)
        case Door.REDIRECT:
            return AddressDoor(url=page_url(parts, session))
        case _:
            assert approval.link is not None
            return AddressDoor(url=link.address(parts.wallet_origin, handle=approval.link))


def push_view(parts: Parts, session: Session, approval: Approval) -> PushDoor:
    """The code for the asking page, and when it may send again."""
    code = None if session.terms.tap_only else parts.code(approval.id)
    return PushDoor(code=code, resend_after_s=int(RESEND_AFTER.total_seconds()))


async def make(parts: Parts, session_id: str, door: Door, *, system: System) -> DoorView:
    """Make a further door of a session, or give one again; a push is sent again (TW-49).

    A phone that left the approval undecided for 60 s loses it here: code and address are drawn anew.

    Raises:
        SessionNotFound: unknown, or another system's.
        ApprovalEnded: there is nothing left to open.
        DoorNotRegistered, LevelTooLow, Malformed: see :func:`check` and :func:`check_level`.
    """
    found = await parts.db.read(find, parts, session_id, system=system.id)
    session = found.session
    terms = session.terms
    if door not in terms.doors:
        wanted = [*terms.doors, door]
        given = terms.return_url and Return(
            url=terms.return_url, binding=terms.return_binding or ""
        )
        check(
            system,
            wanted,
            hint=SubjectHint(type=session.hint_type),
            return_=given or None,
            life=session.expires_at - session.created_at,
        )
        is_known = await parts.db.read(is_known_browser, terms.browser)
        check_level(door, session.binding_min, terms=terms, is_known=is_known)
    found = await parts.db.transact(_make, parts, session_id, door, system.id)
    return view(parts, found, door)


def _make(parts: Parts, session_id: str, door: Door, system: SystemID) -> Step[Found]:
    moment = yield MOMENT
    found = yield from find(parts, session_id, system=system)
    session, approval = found.session, found.approval
    state = state_at(approval, moment)
    veiled = is_veiled(session, approval)
    is_over = state not in UNDECIDED
    if veiled and approval.expires_at > moment and not session.is_withdrawn:
        is_over = False  # a push that ended unseen still looks as if it waited
    if is_over:
        raise ApprovalEnded(state=str(shown_state(session, approval, moment)))
    if not veiled and state in UNDECIDED and is_releasable(approval, moment):
        approval = yield from release_stale(parts, session, approval)
    if door not in session.terms.doors or state is SessionState.CREATED:
        session, approval = yield from _add(parts, found, approval, door)
    if door is Door.PUSH:
        yield from pushing.order(session.id)
    return Found(session=session, approval=approval)


def _add(
    parts: Parts, found: Found, approval: Approval, door: Door
) -> Step[tuple[Session, Approval]]:
    session = found.session
    made = session.terms.doors
    terms = msgspec.structs.replace(session.terms, doors=made if door in made else [*made, door])
    event = yield from parts.audit.record(
        "identification.door_made",
        actor=Actor(ActorKind.SYSTEM, session.system),
        object=session.id,
        details={"door": door.value},
    )
    handle, link_handle, page = handles_for([door])
    yield store.ADD_DOOR.run(
        key=session.id, new_terms=terms, new_page=page or session.page, event=event
    )
    if approval.state in (SessionState.CREATED, SessionState.PRESENTED):
        approval = yield from parts.approvals.present(
            approval, event=event, handle=handle, link=link_handle
        )
    session = msgspec.structs.replace(session, terms=terms, page=page or session.page)
    yield from announcing.changed(session, before=found.approval, after=approval, was=found.session)
    if door is Door.PUSH:
        yield from announcing.order_end(session)
    return session, approval


def is_known_browser(browser: str | None) -> Step[bool]:
    """Step: whether the system knows this browser from an earlier return, whoever's it was."""
    if browser is None:
        return False
    row = yield store.IS_KNOWN.one(browser=browser)
    return row is not None
