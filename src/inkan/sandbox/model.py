"""What a sandbox has that production has not: virtual phones, test persons, a clock that travels, faults."""

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound, Unavailable
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


class Fault(StrEnum):
    """A way in which a request can go wrong on purpose."""

    LATENCY = "latency"
    ERROR = "error"
    DROP = "drop"


class FaultCode(StrEnum):
    """The refusals that can be injected: those that every client has to be ready for."""

    RATE_EXCEEDED = "rate_exceeded"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


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


Action = Scan | Approve | Refuse | Report | Lose | Revoke


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
        declined: of ``done: declined``.
    """

    done: Done
    approval: str | None = None
    text: str | None = None
    declined: Declined | None = None


class FaultOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``PUT /v1/sandbox/faults``: what goes wrong with this system's requests, and for how long.

    Attributes:
        latency_ms: added to every answer.
        error_rate: share of requests that are refused before anything is done.
        errors: the refusals, drawn evenly.
        drop_rate: share of requests that are carried out and whose answer is cut off.
        retry_after_s: what ``rate_exceeded`` and ``unavailable`` say.
        seed: the same seed draws the same faults for the same sequence of requests.
        lasts_s: after so many seconds of true time the faults end by themselves.
    """

    latency_ms: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 0
    error_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    errors: Annotated[list[FaultCode], msgspec.Meta(min_length=1, max_length=3)] = msgspec.field(
        default_factory=lambda: [FaultCode.UNAVAILABLE]
    )
    drop_rate: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.0
    retry_after_s: Annotated[int, msgspec.Meta(ge=1, le=120)] = 5
    seed: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    lasts_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)] = 3600


class FaultView(msgspec.Struct, frozen=True):
    """The faults in force.

    Attributes:
        ends_in_s: seconds of true time until they end; 0 when none are in force.
        requests: how many requests they were drawn for.
        injected: how many of each kind were injected.
    """

    faults: FaultOrder | None
    ends_in_s: int
    requests: int
    injected: dict[Fault, int]


class ClockView(msgspec.Struct, frozen=True):
    """The clock of the sandbox. It is one clock: whoever moves it moves it for every system of the instance."""

    now: str
    ahead_s: int
    may_advance: bool
    scope: Literal["instance"] = "instance"


class ClockOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of ``POST /v1/sandbox/clock``: how far forward, in seconds; a year at most."""

    advance_s: Annotated[int, msgspec.Meta(ge=1, le=31_622_400)]


class SandboxUnready(Unavailable):
    """The instance does not listen, so that its virtual phones reach nothing."""

    code = "sandbox_unready"
    title = "The sandbox does not listen yet"


class PersonNotOffered(NotFound):
    """No test person has this key."""

    code = "sandbox_person_unknown"
    title = "There is no such test person"


class PersonWithoutPhone(Conflict):
    """This test person is there to have no phone."""

    code = "sandbox_person_without_phone"
    title = "This test person has no phone"


class BindingRefused(Conflict):
    """The platform refused to bind the virtual phone, as it would have refused a real one; ``refusal`` says why."""

    code = "sandbox_binding_refused"
    title = "The platform refused to bind this phone"
    public = ("refusal",)


class TooManyPhones(Conflict):
    """The system has as many virtual phones as one may have; end one first."""

    code = "sandbox_too_many_phones"
    title = "This system has as many virtual phones as it may have"
    public = ("most",)


class VirtualPhoneNotFound(NotFound):
    """Unknown, or another system's: one answer."""

    code = "sandbox_phone_not_found"
    title = "There is no such virtual phone"


class DoorWithoutCode(Conflict):
    """The phone is there to type a wrong code, and this door asks for none."""

    code = "sandbox_door_without_code"
    title = "This way to the phone asks for no code"


class ClockStands(Forbidden):
    """The operator does not let systems move the clock (``sandbox.clock = "off"``)."""

    code = "sandbox_clock_stands"
    title = "The clock of this sandbox is not moved by systems"


class ClockTooFar(Conflict):
    """The clock would run out of the terms of the sandbox's authorities."""

    code = "sandbox_clock_too_far"
    title = "The clock of this sandbox cannot be moved that far"
    public = ("most_s",)


class CodeUnknown(Malformed):
    """No active system has the code that was typed on the sandbox's page."""

    code = "sandbox_code_unknown"
    title = "No system of this sandbox has this code"


class WrongDatabase(Conflict):
    """A database belongs to one kind of instance for good: a sandbox's is never production's, nor the reverse."""

    code = "sandbox_database"
    title = "This database belongs to another kind of instance"
