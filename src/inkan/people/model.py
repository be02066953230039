"""What a person is here: an opaque id with a state, and an identity that does not print."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

import msgspec

from inkan.kernel.errors import Forbidden, Malformed, NotFound
from inkan.kernel.identifiers import NationalID, Residence, mask_name
from inkan.kernel.ids import PersonID
from inkan.kernel.sensitive import Personal


class PersonNotFound(NotFound):
    """Nobody has this id."""

    code = "person_not_found"
    title = "There is no such person"


class NotEligible(Forbidden):
    """The scheme is not for this person; ``rule`` says whether it is the age or the residence (TW-08)."""

    code = "not_eligible"
    title = "This certificate is not available to this person"
    public = ("rule",)


class IdentityMalformed(Malformed):
    """A name or birth date that no person has."""

    code = "identity_malformed"
    title = "The name or the birth date is not valid"


class MyNumberRefused(Malformed):
    """A free text holds a My Number, which nobody here is entitled to keep (WAT-62)."""

    code = "my_number_refused"
    title = "The text holds a My Number, which must not be entered here"
    public = ("where",)


class RevealReasonRefused(Malformed):
    """Personal data are shown for a stated reason only."""

    code = "reveal_reason_refused"
    title = "A reason of 1 to 500 characters is needed to see personal data"


class PersonState(StrEnum):
    """Whether the person lives."""

    ACTIVE = "active"
    DECEASED = "deceased"


class PersonDeceased(msgspec.Struct, frozen=True):
    """It became known that a person died."""

    kind: ClassVar[str] = "people.person_deceased"
    person: PersonID


class PersonIdentityChanged(msgspec.Struct, frozen=True):
    """A person's name or birth date is another now (JPKI-12)."""

    kind: ClassVar[str] = "people.person_identity_changed"
    person: PersonID


class Person(msgspec.Struct, frozen=True):
    """A person without a name.

    Attributes:
        id: opaque, never leaves the platform.
        subject_serial: sixteen random digits in the subject of the person's certificates; says nothing.
        state: whether the person lives.
        created_at: when the person was first registered.
        identity_at: when the present identity was first stated here.
    """

    id: PersonID
    subject_serial: str
    state: PersonState
    created_at: datetime
    identity_at: datetime


class MaskedIdentity(msgspec.Struct, frozen=True):
    """What a screen may show of an identity (HCA-48): ``王○明``, ``A1******89``, the year of birth."""

    name: str
    national_id: str
    birth_year: int


class Identity(msgspec.Struct, frozen=True):
    """Who a person is. Made by :func:`inkan.people.new_identity`, which checks every part."""

    name: Personal[str]
    birth_date: date
    national_id: NationalID

    @property
    def residence(self) -> Residence:
        """National or resident, as the national ID says."""
        return self.national_id.residence

    @property
    def masked(self) -> MaskedIdentity:
        """What a screen may show."""
        return MaskedIdentity(
            mask_name(self.name.reveal()), self.national_id.masked, self.birth_date.year
        )

    def __repr__(self) -> str:
        """Nothing: a traceback must not show a birth date either."""
        return "<Identity>"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """Nothing, for the printers that ask for more."""
        return []


class Reveal(msgspec.Struct, frozen=True):
    """Somebody of the staff saw a person's data; the person may read this.

    Attributes:
        at: when.
        actor_kind: as in the audit event, for example ``staff``.
        reason: as it was stated.
        event_id: the audit event.
    """

    at: datetime
    actor_kind: str
    reason: str
    event_id: str
