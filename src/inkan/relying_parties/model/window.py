"""Announced load tests (TW-67), and live keys: values and refusals."""

from datetime import datetime
from enum import StrEnum

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound
from inkan.kernel.ids import SystemID


class WindowState(StrEnum):
    """Where an announcement stands; whether its time has come is a question of its dates."""

    ANNOUNCED = "announced"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class WindowStep(StrEnum):
    """What happens to an announcement. A confirmed one can still be taken back, by either side."""

    CONFIRM = "confirm"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"


class LoadWindow(msgspec.Struct, frozen=True, kw_only=True):
    """An announced load test.

    Attributes:
        begins_at, ends_at: aware; the end itself is outside.
        rate: requests in a minute that the system may send meanwhile.
        announced_by: account.
    """

    id: str
    system: SystemID
    system_code: str
    begins_at: datetime
    ends_at: datetime
    rate: int
    state: WindowState
    announced_by: str
    version: int


class LiveKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of a system that proves it now.

    Attributes:
        thumbprint: RFC 7638, base64url.
        ends_at: from when on it proves nothing; None while no end is set.
    """

    thumbprint: str
    added_at: datetime
    ends_at: datetime | None


class KeysFull(Conflict):
    """A system has two live keys at most: the present one and its successor (threat 4)."""

    code = "system_keys_full"
    title = "This system has two keys already"
    public = ("limit",)


class WindowNotFound(NotFound):
    """No announcement has this id, or it is another organisation's."""

    code = "window_not_found"
    title = "There is no such announcement"


class WindowWrong(Malformed):
    """Too late, too long, too much, or not a time at all."""

    code = "window_wrong"
    title = "A load test cannot be announced so"


class WindowChanged(Conflict):
    """The announcement no longer stands where this step begins."""

    code = "window_changed"
    title = "The announcement was changed meanwhile"
    public = ("state",)


class OwnWindow(Forbidden):
    """Whoever announced a load test does not confirm it."""

    code = "own_window"
    title = "Somebody else has to confirm this load test"
