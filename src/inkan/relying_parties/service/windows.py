"""Load tests are announced; outside of a confirmed announcement a system's ordinary rate holds (TW-67)."""

from datetime import datetime

from inkan.accounts import Login, actor_of
from inkan.kernel.ids import SystemID, new_id
from inkan.relying_parties.model import SystemNotFound
from inkan.relying_parties.model.window import (
    LoadWindow,
    OwnWindow,
    WindowChanged,
    WindowNotFound,
    WindowState,
    WindowStep,
    WindowWrong,
)
from inkan.relying_parties.rules import (
    USE_CASE_OF_WINDOW,
    WINDOW_AHEAD,
    WINDOW_LENGTH,
    WINDOW_NOTICE,
    WINDOW_RATE,
)
from inkan.relying_parties.service.parts import Parts, owner_of
from inkan.relying_parties.service.register import get_row
from inkan.relying_parties.store import applications as store
from inkan.store.database import MOMENT, Step
from inkan.store.plan import Row


def rate_of(system: SystemID, now: datetime) -> Step[int | None]:
    """Step: how many requests in a minute a confirmed load test admits at ``now``; None outside of every one."""
    row = yield store.RATE.one(whose=system, at=now)
    return None if row.rate is None else int(row.rate)


def announce(
    parts: Parts, code: str, *, begins_at: datetime, ends_at: datetime, rate: int, by: Login
) -> Step[LoadWindow]:
    """Step: announce a load test of a system of one's own.

    Args:
        parts: the feature's dependencies.
        code: the system's.
        begins_at: aware; at least a day ahead.
        ends_at: aware; at most eight hours later.
        rate: requests in a minute.
        by: somebody of the organisation.

    Raises:
        SystemNotFound: no such code, or another's.
        WindowWrong: with the place that is out of its range.
    """
    row = yield from get_row(code)
    if row.owner is None or row.owner != owner_of(by):
        raise SystemNotFound()
    moment = yield MOMENT
    _check(moment, begins_at, ends_at, rate)
    window_id = new_id("win")
    event = yield from parts.audit.record(
        "relying_parties.window_announced",
        actor=actor_of(by),
        object=window_id,
        details={"system": row.id, "rate": rate},
    )
    yield store.INSERT_WINDOW.run(
        id=window_id,
        system=row.id,
        begins_at=begins_at,
        ends_at=ends_at,
        rate=rate,
        state=WindowState.ANNOUNCED,
        announced_by=by.account,
        version=1,
        event_id=event,
    )
    return _read((yield store.WINDOW_BY_ID.one(key=window_id)))


def decide(
    parts: Parts, window_id: str, step: WindowStep, *, by: Login, seen: int
) -> Step[LoadWindow]:
    """Step: an operator confirms, refuses or takes back an announcement.

    Raises:
        WindowNotFound: no such id.
        OwnWindow: announced by the same account, or of its own organisation.
        WindowChanged: decided, changed or over by now.
    """
    window, row = yield from _get(window_id)
    if by.account == window.announced_by or (by.tenant and by.tenant == row.owner):
        raise OwnWindow()
    return (yield from _take(parts, window, step, by=by, seen=seen))


def withdraw(parts: Parts, window_id: str, *, by: Login, seen: int) -> Step[LoadWindow]:
    """Step: an organisation takes its announcement back.

    Raises:
        WindowNotFound: no such id, or another's.
        WindowChanged: refused, changed or over by now.
    """
    window, row = yield from _get(window_id)
    if row.owner is None or row.owner != owner_of(by):
        raise WindowNotFound()
    return (yield from _take(parts, window, WindowStep.WITHDRAW, by=by, seen=seen))


def windows_of(system: SystemID) -> Step[list[LoadWindow]]:
    """Step: the announcements of a system, the latest first."""
    return [_read(row) for row in (yield store.WINDOWS_OF.all(whose=system))]


def coming() -> Step[list[LoadWindow]]:
    """Step: every announcement that is not over, the next first."""
    return [_read(row) for row in (yield store.COMING_WINDOWS.all())]


def _take(
    parts: Parts, window: LoadWindow, step: WindowStep, *, by: Login, seen: int
) -> Step[LoadWindow]:
    event = yield from parts.audit.record(
        USE_CASE_OF_WINDOW[step], actor=actor_of(by), object=window.id
    )
    if not (yield store.WINDOW_STEP[step].run(key=window.id, seen=seen, event=event)):
        raise WindowChanged(state=window.state.value)
    return _read((yield store.WINDOW_BY_ID.one(key=window.id)))


def _get(window_id: str) -> Step[tuple[LoadWindow, Row]]:
    found = yield store.WINDOW_BY_ID.one(key=window_id)
    if found is None:
        raise WindowNotFound()
    window = _read(found)
    return window, (yield from get_row(window.system_code))


def _read(row: Row) -> LoadWindow:
    return LoadWindow(
        id=row.id,
        system=SystemID(row.system),
        system_code=row.system_code,
        begins_at=row.begins_at,
        ends_at=row.ends_at,
        rate=row.rate,
        state=row.state,
        announced_by=row.announced_by,
        version=row.version,
    )


def _check(moment: datetime, begins_at: datetime, ends_at: datetime, rate: int) -> None:
    if not WINDOW_NOTICE <= begins_at - moment <= WINDOW_AHEAD:
        hours = int(WINDOW_NOTICE.total_seconds()) // 3600
        raise WindowWrong(where="/from", expected=f"{hours} h to {WINDOW_AHEAD.days} days ahead")
    if not begins_at < ends_at <= begins_at + WINDOW_LENGTH:
        hours = int(WINDOW_LENGTH.total_seconds()) // 3600
        raise WindowWrong(where="/to", expected=f"later, by {hours} h at most")
    if not 1 <= rate <= WINDOW_RATE:
        raise WindowWrong(where="/rate", expected=f"1 to {WINDOW_RATE} requests in a minute")
