"""The settings about how often the RP API may be asked (docs/webhooks.md tells the rest of it)."""

from typing import Annotated

import msgspec


class SystemLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one system was promised: ``times`` the ordinary rates by system."""

    code: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{2,62}$")]
    times: Annotated[int, msgspec.Meta(ge=1, le=1_000)]


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requests in a minute, and at once after a rest; counted by each process.

    By system: ``sessions_per_minute`` creating sessions, ``calls_per_minute`` everything else. By sender:
    ``published_per_minute`` what is open to all, ``verifications_per_minute`` receipts that anybody shows. Systems
    that were promised more stand as tables of the file: ``[[limits.systems]]``.
    """

    sessions_per_minute: int = 6_000
    calls_per_minute: int = 60_000
    published_per_minute: int = 600
    verifications_per_minute: int = 60
    systems: tuple[SystemLimit, ...] = ()
