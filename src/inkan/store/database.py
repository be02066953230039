"""What a transaction is: the interface of both databases, and everything that can go wrong in them.

A transaction body is a plain generator function. It yields calls of compiled queries and receives their
answers, never awaits, touches nothing outside the database and may run twice::

    def close(session: SessionID) -> Step[bool]:
        row = yield FIND.one(id=session)
        if row is None:
            raise SessionUnknown()
        changed = yield CLOSE.run(id=session, version=row.version)
        yield Wake(f"session:{session}")
        return changed == 1


    closed = await db.transact(close, session)

Several bodies become one transaction by ``yield from``. What a body raises rolls it back and reaches the
caller; what it returns reaches the caller after COMMIT, and never before.
"""

import asyncio
from collections.abc import Callable, Generator
from datetime import datetime
from types import GeneratorType
from typing import Any, ClassVar, Final, NamedTuple, ParamSpec, Protocol, TypeAlias, TypeVar

from inkan.kernel.clock import Clock
from inkan.kernel.errors import Conflict, Unavailable
from inkan.store.bus import Bus
from inkan.store.plan import DialectName, Misused
from inkan.store.query import Call

T = TypeVar("T")
P = ParamSpec("P")


class Wake(NamedTuple):
    """Yielded by a body: call this topic of the bus after COMMIT. A read may not yield it."""

    topic: str


class MomentRequest:
    """The type of ``MOMENT``."""

    __slots__ = ()


MOMENT: Final = MomentRequest()
"""Yielded by a body: answer with the transaction's moment, the datetime that its queries bind as ``moment``."""

Step: TypeAlias = Generator[Call | Wake | MomentRequest, Any, T]
"""A transaction body at work, or a part of one that another body joins by ``yield from``."""


class StoreFull(Unavailable):
    """The disk or the database's size limit is reached; the transaction left nothing behind."""

    code = "store_full"
    title = "The database is full"


class StoreBusy(Unavailable):
    """Another process holds the database, or rivals collided too often; nothing was written."""

    code = "store_busy"
    title = "The database is busy"


class StoreUnreachable(Unavailable):
    """There is no connection to the database; nothing was written."""

    code = "store_unreachable"
    title = "The database cannot be reached"


class StoreClosed(Unavailable):
    """This process is shutting down and begins nothing new."""

    code = "store_closed"
    title = "The service is stopping"


class StoreDamaged(Unavailable):
    """The disk or the file fails; an operator has to look at it."""

    code = "store_damaged"
    title = "The database cannot be used"


class StoreOutcomeUnknown(Unavailable):
    """The connection or the disk failed while COMMIT was under way: it may or may not have taken effect.

    The caller repeats the request; idempotency keys and compare-and-set make the repetition harmless.
    """

    code = "store_outcome_unknown"
    title = "It is not known whether this took effect"


class RowExists(Conflict):
    """A unique key is taken. Where that is an expected answer, ask ``insert_new`` instead."""

    code = "row_exists"
    title = "There is already an entry of this kind"


class RowMissing(Conflict):
    """A foreign key names a row that is not there, or that others still need."""

    code = "row_missing"
    title = "This refers to something that is not there"


class Database(Protocol):
    """A database that runs transaction bodies; SQLite and PostgreSQL behave alike behind it."""

    dialect: ClassVar[DialectName]
    clock: Clock
    bus: Bus

    async def open(self) -> None:
        """Connect. The running event loop becomes the only one that may use this object."""

    async def close(self) -> None:
        """Refuse new work, finish what was accepted, disconnect."""

    def now(self) -> datetime:
        """The moment that a transaction starting now would get."""

    def transact(
        self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs
    ) -> asyncio.Future[T]:
        """Run the body in a transaction; the future resolves to its return value after COMMIT.

        The transaction runs whether or not anybody waits: cancelling the future abandons the answer only.

        Raises:
            StoreFull, StoreBusy, StoreUnreachable, StoreClosed, StoreDamaged: nothing was written.
            StoreOutcomeUnknown: the COMMIT may have taken effect.
            RowExists, RowMissing: a constraint would break.
            Misused: the body breaks its contract.
            Exception: whatever the body raises.
        """

    async def read(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a body of point look-ups that write nothing.

        It sees every transaction acknowledged before it began; two of its queries may see different ones.
        On SQLite it runs in the event loop: only what an index answers belongs here.

        Raises:
            StoreBusy, StoreUnreachable, StoreClosed, StoreDamaged: no answer.
            Misused: the body writes, or breaks its contract otherwise.
        """

    async def scan(self, body: Callable[P, Step[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Like ``read`` for long reads: all its queries see one state, and the event loop goes on meanwhile."""


def begin_body(body: Callable[..., Step[T]], args: Any, kwargs: Any) -> Step[T]:
    """Return the body at work.

    Raises:
        Misused: the function is not a generator function.
    """
    steps = body(*args, **kwargs)
    if type(steps) is not GeneratorType:
        raise Misused(f"{body!r} is not a generator function")
    return steps


def abandon_body(steps: Step[Any], error: BaseException) -> None:
    """End a body that met an error in the driver, and note on the error where the body stood."""
    inner: Any = steps
    while isinstance(inner.gi_yieldfrom, GeneratorType):
        inner = inner.gi_yieldfrom
    if inner.gi_frame is not None:
        code = inner.gi_code
        error.add_note(
            f"at the yield in {code.co_qualname}, {code.co_filename}:{inner.gi_frame.f_lineno}"
        )
    steps.close()


def refused() -> asyncio.Future[Any]:
    """The future of a transaction that begins no more."""
    future = asyncio.get_running_loop().create_future()
    future.set_exception(StoreClosed())
    return future
