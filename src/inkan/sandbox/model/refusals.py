"""What the sandbox refuses."""

from inkan.kernel.errors import Conflict, Forbidden, Malformed, NotFound, Unavailable


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


class NothingWaits(NotFound):
    """Nothing that was pushed to this phone waits to be opened."""

    code = "sandbox_nothing_waits"
    title = "Nothing waits for this phone"


class WebhookDelayed(Unavailable):
    """This webhook is held back on purpose; the outbox comes again when its time has come."""

    code = "sandbox_webhook_delayed"
    title = "This webhook is held back on purpose"


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
