"""What an error of PostgreSQL or of the connection to it means for the transaction it hit.

The messages of the server quote values (``Key (id)=(…) already exists``), so none of them travels on: a
refusal names the SQLSTATE and the constraint, and does not carry the original.
"""

from collections.abc import Mapping
from typing import Final

import asyncpg

from inkan.kernel.errors import InkanError, Malformed
from inkan.store.database import (
    RowExists,
    RowMissing,
    StoreBusy,
    StoreDamaged,
    StoreFull,
    StoreUnreachable,
)

_BY_STATE: Final[Mapping[str, type[InkanError]]] = {
    "23505": RowExists,
    "23503": RowMissing,
    "40001": StoreBusy,  # serialization failure
    "40P01": StoreBusy,  # deadlock
    "53100": StoreFull,
    "55P03": StoreBusy,  # lock_timeout
    "22021": Malformed,  # a NUL in a text
    "22P05": Malformed,
    "25006": StoreUnreachable,  # the server has become a standby
}
_BY_CLASS: Final[Mapping[str, type[InkanError]]] = {
    "08": StoreUnreachable,
    "53": StoreBusy,  # connections or memory exhausted
    "57": StoreUnreachable,  # the server shuts down, crashed or starts
    "58": StoreDamaged,
    "XX": StoreDamaged,
}
_COLLISIONS: Final = {"40001", "40P01", asyncpg.InvalidCachedStatementError.sqlstate}

LOST = (OSError, TimeoutError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""What asyncpg raises when there is no connection, or none any more."""


def refusal_of(error: Exception, *, connected: bool) -> Exception:
    """Return what the caller hears about an error that came before COMMIT, so that nothing was written.

    Args:
        error: from asyncpg, or from the body itself, which is returned as it is.
        connected: whether the connection outlived the error.
    """
    if isinstance(error, asyncpg.PostgresError):
        state = error.sqlstate or ""
        if isinstance(error, asyncpg.InvalidCachedStatementError):
            # The schema was changed under a prepared statement, which asyncpg has now forgotten
            return StoreBusy(_names(error), sqlstate=state)
        kind = _BY_STATE.get(state) or _BY_CLASS.get(state[:2])
        return kind(_names(error), sqlstate=state) if kind else type(error)(_names(error))
    if isinstance(error, LOST) and not connected:
        return StoreUnreachable(type(error).__name__)
    return error


def is_outcome_unknown(error: Exception) -> bool:
    """Whether a failed COMMIT may have taken effect: only a server that answers and lives on denies it."""
    return not isinstance(error, asyncpg.PostgresError) or isinstance(
        refusal_of(error, connected=True), StoreUnreachable
    )


def is_worth_repeating(refusal: Exception) -> bool:
    """Whether the same body may succeed at a second try."""
    if isinstance(refusal, StoreBusy):
        return refusal.facts.get("sqlstate") in _COLLISIONS
    return isinstance(refusal, StoreUnreachable)


def _names(error: asyncpg.PostgresError) -> str:
    return " ".join(filter(None, [error.sqlstate, error.table_name, error.constraint_name]))
