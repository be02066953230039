"""What relying parties read: the session object, its long poll, its frames."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime

from inkan.approvals import (
    OPEN_LIFE,
    Approval,
    ApprovalEnded,
    ApprovalMoved,
    is_releasable,
    state_at,
)
from inkan.identification.model import SessionView
from inkan.identification.rules import FINAL, MAX_WAIT_S
from inkan.identification.service.consenting import WITHDRAWN
from inkan.identification.service.opening import release_stale
from inkan.identification.service.parts import (
    Found,
    Parts,
    find,
    is_veiled,
    next_step,
    qr_seconds,
    shown_state,
    topic,
)
from inkan.identification.service.views import view
from inkan.kernel.ids import SystemID
from inkan.wire import qr
from inkan.wire.session import SessionState

# The bus is a hint only: a waiter reads again after this long even when nobody called it.
REREAD_S = 10.0


async def get(parts: Parts, session_id: str, *, system: SystemID) -> tuple[SessionView, str]:
    """The session object now, and its ETag.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    found = await parts.db.read(find, parts, session_id, system=system)
    return await _view(parts, found), _etag(parts, found)


async def wait(
    parts: Parts, session_id: str, *, system: SystemID, seconds: float, known: str | None
) -> tuple[SessionView, str]:
    """The session object as soon as it differs from ``known`` (an ETag) or has ended; at the latest
    after ``seconds`` (0 to 120).

    Without ``known`` it waits for the end.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    if seconds <= 0:
        return await get(parts, session_id, system=system)
    deadline = asyncio.get_running_loop().time() + min(seconds, MAX_WAIT_S)
    async with parts.db.bus.subscribe(topic(session_id)) as calls:
        while True:
            found = await parts.db.read(find, parts, session_id, system=system)
            now = parts.db.now()
            etag = _etag(parts, found)
            changed = known is not None and etag != known
            left = deadline - asyncio.get_running_loop().time()
            is_over = shown_state(found.session, found.approval, now) in FINAL
            if changed or is_over or left <= 0:
                return await _view(parts, found), etag
            due_s = _due_s(found.approval, now)
            await calls.wait(timeout_s=max(0.001, min(left, REREAD_S, due_s + 0.001)))


def _due_s(approval: Approval, now: datetime) -> float:
    """Seconds until time alone changes what is read: the end, or a phone's minute is over."""
    dues = [approval.expires_at, approval.redeem_until]
    if approval.opened_at is not None and not is_releasable(approval, now):
        dues.append(approval.opened_at + OPEN_LIFE)
    return min((due - now).total_seconds() for due in dues if due is not None and due > now)


async def follow(
    parts: Parts, session_id: str, *, system: SystemID
) -> AsyncIterator[tuple[SessionView, str]]:
    """Every state of a session from now to its end, each once.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    known: str | None = None
    while True:
        seen, etag = (
            await get(parts, session_id, system=system)
            if known is None
            else await wait(parts, session_id, system=system, seconds=MAX_WAIT_S, known=known)
        )
        if etag != known:
            yield seen, etag
        known = etag
        if seen.state in FINAL:
            return


async def frames(parts: Parts, session_id: str, *, system: SystemID) -> AsyncIterator[str | None]:
    """One frame a second while the code may be scanned, None while a phone has it open; ends with it.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    while True:
        found, state = await _with_fresh_code(parts, session_id, system)
        if state in FINAL or state is SessionState.DECIDED:
            return
        yield draw(parts, found) if state is SessionState.PRESENTED else None
        await asyncio.sleep(qr.FRAME_SECONDS)


async def frame(parts: Parts, session_id: str, *, system: SystemID) -> str | None:
    """The frame of this second; None when there is nothing to scan: a phone has it open, or it has ended.

    Raises:
        SessionNotFound: unknown, or another system's.
    """
    found, state = await _with_fresh_code(parts, session_id, system)
    return draw(parts, found) if state is SessionState.PRESENTED else None


async def _with_fresh_code(
    parts: Parts, session_id: str, system: SystemID
) -> tuple[Found, SessionState]:
    """The session and its state, after a phone that let its minute pass undecided has lost it."""
    while True:
        found = await parts.db.read(find, parts, session_id, system=system)
        now = parts.db.now()
        if not is_releasable(found.approval, now):
            return found, state_at(found.approval, now)
        # A rival (another stream, the phone's decision) may come first: the next reading tells.
        with suppress(ApprovalMoved, ApprovalEnded):
            await parts.db.transact(release_stale, parts, found.session, found.approval)


def draw(parts: Parts, found: Found) -> str:
    """The frame of this second."""
    approval = found.approval
    assert approval.handle is not None
    key = qr.qr_key(parts.qr_secret(approval))
    t = qr_seconds(approval, parts.db.now())
    return qr.frame(parts.wallet_origin, handle=approval.handle, t=t, key=key)


async def _view(parts: Parts, found: Found) -> SessionView:
    status = None
    if found.session.certificate is not None and found.session.result is not None:
        status = await parts.db.read(parts.pki.find_status, found.session.certificate)
    state_now = str(status.state) if status else None
    return view(found.session, found.approval, now=parts.db.now(), status_now=state_now)


def _etag(parts: Parts, found: Found) -> str:
    """Changes with every step that shows, and with what time alone decides."""
    now = parts.db.now()
    session, approval = found.session, found.approval
    state = shown_state(session, approval, now)
    version = 0 if is_veiled(session, approval) else approval.version
    taken_back = "-withdrawn" if (session.result or {}).get(WITHDRAWN) else ""
    return f'"{version}-{state}-{next_step(session, approval, now).action}{taken_back}"'
