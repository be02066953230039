"""Test persons, their virtual phones, and what these do."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from inkan.kernel.ids import SystemID


class Behaviour(StrEnum):
    """What a virtual phone does by itself when a session reaches it."""

    MANUAL = "manual"
    APPROVE = "approve"
    REFUSE = "refuse"
    REPORT = "report"
    SLOW = "slow"
    NO_RESPONSE = "no_response"
    WRONG_CODE = "wrong_code"
    SUSPENDED = "suspended"
    LOST = "lost"
    REVOKED = "revoked"


class Move(StrEnum):
    """One thing that a virtual phone, or the world around it, does about a session."""

    OPEN = "open"
    WRONG_CODE = "wrong_code"
    WAIT = "wait"
    SUSPEND = "suspend"
    REINSTATE = "reinstate"
    APPROVE = "approve"
    REFUSE = "refuse"
    REPORT = "report"


class VirtualState(StrEnum):
    """Where a virtual phone is."""

    HELD = "held"
    LOST = "lost"
    REVOKED = "revoked"


class Done(StrEnum):
    """What came of an action."""

    OPENED = "opened"
    APPROVED = "approved"
    REFUSED = "refused"
    REPORTED = "reported"
    LATER = "later"
    SILENT = "silent"
    LOST = "lost"
    REVOKED = "revoked"
    DECLINED = "declined"
    """The platform, or the phone's own checks, did not let it happen; ``declined`` says why."""


class ExpectedOutcome(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What comes of asking a test person by QR code.

    Attributes:
        session: how the session ends (an outcome, ``expired``, or ``waits`` when nothing reached it).
        reason: the reason code of the session.
        action: why the phone's own step was declined.
        phone: why no phone can be made at all.
    """

    session: str = ""
    reason: str = ""
    action: str = ""
    phone: str = ""


class PersonRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One row of ``persons.toml``: a test person and what comes of asking.

    Attributes:
        national_id: of the first system's person.
        behaviour: of the person's phones, where the maker names none.
        phones: how many phones one can make.
        card_hours: life of the card, where it is not three years.
        young: whether phones stay young for as long as the scheme says.
        registered: whether the platform knows the person.
    """

    key: str
    name: str
    birth_date: date
    national_id: str
    outcome: ExpectedOutcome
    text: dict[str, str]
    behaviour: Behaviour = Behaviour.MANUAL
    phones: int = 2
    card_hours: int = 0
    young: bool = False
    registered: bool = True


Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
PersonKey = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z_]{0,39}$")]


class PhoneOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sandbox/phones``.

    Attributes:
        person: key of a test person.
        behaviour: by default the person's own.
        name: what the person calls the phone.
        after_s: how long a ``slow`` phone waits, in seconds of true time.
    """

    person: PersonKey
    behaviour: Behaviour | None = None
    name: Name = "virtual phone"
    after_s: Annotated[int, msgspec.Meta(ge=0, le=120)] = 5


class Scan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="scan", tag_field="action"):
    """The phone's camera sees a frame."""

    frame: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Open(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="open", tag_field="action"):
    """The phone's browser, or another app, hands the wallet an address."""

    link: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="code", tag_field="action"):
    """The person opens a request that was pushed to the phone.

    Attributes:
        approval: which one; by default the newest that waits.
        code: what the person types; by default the code that the asking page shows.
    """

    approval: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=20)] | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is done with an open approval: by default the one opened last."""

    approval: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class Approve(Answer, frozen=True, tag="approve", tag_field="action"):
    """The person says yes."""


class Refuse(Answer, frozen=True, tag="refuse", tag_field="action"):
    """The person says no."""


class Report(Answer, frozen=True, tag="report", tag_field="action"):
    """The person says "I did not start this"."""


class Lose(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="lose", tag_field="action"):
    """The phone is out of the person's hands: nothing reaches it any more."""


class Revoke(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="revoke", tag_field="action"
):
    """The person revokes the phone."""


Action = Scan | Open | Code | Approve | Refuse | Report | Lose | Revoke


class VirtualPhone(msgspec.Struct, frozen=True):
    """One virtual phone of a system.

    Attributes:
        phone: the platform's id of the bound phone.
        last: what came of its last action, or the code why it was declined.
        created_at, used_at: in true time.
    """

    id: str
    system: SystemID
    person: str
    name: str
    behaviour: Behaviour
    after_s: int
    phone: str
    state: VirtualState
    last: str
    created_at: datetime
    used_at: datetime


class Declined(msgspec.Struct, frozen=True):
    """Why a step of a phone did not happen: the code and title that the phone heard."""

    code: str
    title: str


class ActionResult(msgspec.Struct, frozen=True):
    """What came of an action.

    Attributes:
        approval: the approval that it was about.
        text: what the person read, of an opened approval.
        return_url: where the phone's browser goes now, of an answer by a door that comes back from the phone.
        declined: of ``done: declined``.
    """

    done: Done
    approval: str | None = None
    text: str | None = None
    return_url: str | None = None
    declined: Declined | None = None
