"""The clock of a sandbox: it travels forward for the whole instance, and never back.

How far it is ahead stands in the database, so that a restart does not let what ended open again. The same row marks
the database as a sandbox's: an instance of another environment refuses it, and a sandbox refuses a database that is
somebody else's (its hierarchy stands, and no mark).
"""

from datetime import timedelta

from inkan.audit import Actor, ActorKind
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import SystemID
from inkan.sandbox import store
from inkan.sandbox.model import ClockStands, ClockTooFar, ClockView, WrongDatabase
from inkan.sandbox.rules import FARTHEST
from inkan.sandbox.service.parts import PLATFORM, Parts
from inkan.store.database import Database, Step

_LOCK = "clock"


async def resume(parts: Parts) -> None:
    """Take the clock to where the instance was; before anything that looks at it."""
    ahead = await parts.db.read(_ahead)
    if ahead is not None and ahead > parts.clock.offset:
        parts.clock.advance(ahead - parts.clock.offset)


async def claim(parts: Parts, *, founded: bool) -> None:
    """Mark a fresh database as a sandbox's.

    Args:
        parts: of the instance.
        founded: whether the database holds a hierarchy already.

    Raises:
        WrongDatabase: it holds one and was not marked before.
    """
    if await parts.db.read(_ahead) is not None:
        return
    if founded:
        raise WrongDatabase("this database was not founded as a sandbox")
    await parts.db.transact(_mark, parts)


async def refuse(db: Database) -> None:
    """Refuse the database of a sandbox, for instances of every other environment.

    Raises:
        WrongDatabase: it is one; its systems need no keys and its clock has travelled.
    """
    if await db.read(_ahead) is not None:
        raise WrongDatabase("this database was founded as a sandbox")


def view(parts: Parts) -> ClockView:
    """The clock as systems read it."""
    return ClockView(
        now=rfc3339(parts.clock.now()),
        ahead_s=int(parts.clock.offset.total_seconds()),
        may_advance=parts.may_advance,
    )


async def advance(parts: Parts, system: SystemID, by: timedelta) -> ClockView:
    """Move the clock forward for the whole instance, and do what became due.

    Raises:
        ClockStands: the operator does not let systems move it.
        ClockTooFar: it would be ahead by more than :data:`FARTHEST`.
    """
    if not parts.may_advance:
        raise ClockStands
    async with parts.locks[_LOCK]:
        ahead = parts.clock.offset + by
        if ahead > FARTHEST:
            left = FARTHEST - parts.clock.offset
            raise ClockTooFar(most_s=max(0, int(left.total_seconds())))
        await parts.db.transact(_advance, parts, system, ahead)
        parts.clock.advance(by)
    if parts.catch_up is not None:
        await parts.catch_up()
    return view(parts)


def _ahead() -> Step[timedelta | None]:
    row = yield store.INSTANCE.one()
    return None if row is None else row.ahead


def _mark(parts: Parts) -> Step[None]:
    event = yield from parts.audit.record("sandbox.founded", actor=PLATFORM)
    yield store.MARK.run(id=store.THE_INSTANCE, ahead=parts.clock.offset, event_id=event)


def _advance(parts: Parts, system: SystemID, ahead: timedelta) -> Step[None]:
    event = yield from parts.audit.record(
        "sandbox.clock_advanced",
        actor=Actor(ActorKind.SYSTEM, system),
        details={"ahead_s": int(ahead.total_seconds())},
    )
    yield store.ADVANCE.run(new_ahead=ahead, event=event)
