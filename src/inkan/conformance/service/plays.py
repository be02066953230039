"""One session on the kit's platform: what the relying party ordered, how it stands, and how it is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from inkan.crypto import base64url
from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import new_id, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.wire import qr
from inkan.wire.binding import Door, StatementDoor
from inkan.wire.session import Outcome, SessionState

LIFE: Final = timedelta(seconds=180)
View = dict[str, Any]

EXPECTED: Final = "kit-person-one"
"""The person reference of whom the relying party expects, where it expects somebody."""
OTHER: Final = "kit-person-two"


class Return(msgspec.Struct, frozen=True):
    """Where the browser goes back to, and SHA-256 of the verifier that it keeps."""

    url: str
    binding: str


class Hint(msgspec.Struct, frozen=True):
    """Who is expected; the value is not looked at."""

    type: str


class Order(msgspec.Struct, frozen=True):
    """What the relying party asked for; members that no attack looks at are passed over."""

    kind: str
    purpose: str
    challenge: str
    doors: tuple[Door, ...] = (Door.QR,)
    subject_hint: Hint | None = None
    binding_min: str | None = None
    back: Return | None = msgspec.field(name="return", default=None)

    @property
    def is_expected(self) -> bool:
        """Whether somebody in particular is expected."""
        return self.subject_hint is not None and self.subject_hint.type != "none"


def same(view: View) -> View:
    """No lie."""
    return view


@dataclass
class Lie:
    """How the platform deviates from the truth about one session.

    Attributes:
        view: from the true reading to the one that is told.
        receipt: makes the receipt in the place of the true one.
    """

    view: Callable[[View], View] = same
    receipt: "Callable[[Play], str] | None" = None


@dataclass
class Play:
    """One session.

    Attributes:
        evidence: names of the binding evidence, sorted.
        is_returned: whether the answer is withheld until it is redeemed.
        version: rises with each change; the entity tag.
        changed: set, and replaced, at each change.
    """

    order: Order
    created_at: datetime
    id: str = field(default_factory=lambda: new_id("ses"))
    handle: str = field(default_factory=lambda: base64url.encode(random_bytes(24)))
    secret: bytes = field(default_factory=lambda: random_bytes(32))
    state: SessionState = SessionState.PRESENTED
    outcome: Outcome | None = None
    reason: str | None = None
    person: str | None = None
    door: StatementDoor | None = None
    evidence: tuple[str, ...] = ()
    level: str = "none"
    decided_at: datetime | None = None
    return_code: str | None = None
    receipt: str | None = None
    lie: Lie = field(default_factory=Lie)
    version: int = 1
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def frame_key(self) -> Secret[bytes]:
        """What the frames of the QR door are made with."""
        return qr.qr_key(Secret(self.secret))

    @property
    def is_final(self) -> bool:
        """Whether it has ended."""
        return self.state in {
            SessionState.CLOSED,
            SessionState.CANCELLED,
            SessionState.EXPIRED,
        }

    def move(self, state: SessionState) -> None:
        """Change the state, and wake who waits."""
        self.state = state
        self.version += 1
        woken, self.changed = self.changed, asyncio.Event()
        woken.set()

    def view(self) -> View:
        """The reading that is told, lies included."""
        return self.lie.view(self._truth())

    def _truth(self) -> View:
        told = {
            "id": self.id,
            "kind": self.order.kind,
            "purpose": self.order.purpose,
            "state": str(self.state),
            "next": {"action": self._next(), "retry_after_ms": 0},
            "created_at": rfc3339(self.created_at),
            "expires_at": rfc3339(self.created_at + LIFE),
            "purge_at": rfc3339(self.created_at + timedelta(days=1)),
        }
        return EMPTY | told | (self._result() if self.state is SessionState.CLOSED else {})

    def _result(self) -> View:
        ok = self.outcome is Outcome.OK
        decided = rfc3339(self.decided_at or self.created_at)
        return {
            "outcome": self.outcome,
            "reason": self.reason,
            "door": self.door,
            "binding": {"level": self.level, "evidence": list(self.evidence)},
            "subject": {"person_ref": self.person, "phone_ref": "kit-phone"} if ok else None,
            "match": ok if self.order.is_expected else None,
            "young": False,
            "back_end": "A",
            "attested": False,
            "opened_at": decided,
            "decided_at": decided,
            "released_at": decided,
            "status_now": "valid",
        }

    def _next(self) -> str:
        if self.state is SessionState.DECIDED:
            return "redeem"
        return "none" if self.is_final else "wait"


EMPTY: Final[View] = dict.fromkeys(
    (
        "outcome",
        "reason",
        "door",
        "binding",
        "subject",
        "match",
        "young",
        "back_end",
        "attested",
        "opened_at",
        "decided_at",
        "released_at",
        "status_now",
    )
) | {"claims": {}}
