"""Kiosks, and what is known of a registration that is finished at one (WAT-09 to WAT-11), as values and refusals."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import msgspec

from inkan.kernel.errors import Conflict, Forbidden, Gone, NotFound, Unauthenticated
from inkan.kernel.ids import EnrolmentID
from inkan.schemes import Texts


class KioskKind(StrEnum):
    """What a kiosk is (WAT-11)."""

    COPIER = "copier"
    READER = "reader"


class Kiosk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A managed terminal with a card reader at which phones are bound (WAT-51).

    Attributes:
        name: of the terminal, for the audit log.
        place: where it stands, in three languages; the page shows it.
        secret_sha256: base64url SHA-256 of the 32-byte secret that its browser holds; the secret is typed once, when
            the terminal is set up.
        photo: whether the SHA-256 of the photo in the card is registered; its card agent is installed as a kiosk's
            (WAT-50).
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,38}\Z")]
    kind: KioskKind
    place: Texts
    secret_sha256: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{43}\Z")]
    photo: bool = False


class SignedCard(msgspec.Struct, frozen=True):
    """The card that signed a request, as it was verified: what a binding remembers of it (WAT-52).

    Attributes:
        authority: name of the card's issuer in this instance.
        serial: hexadecimal serial of the card certificate.
        subject_serial: finds the person.
        cms_sha256: base64url SHA-256 of the signed message.
    """

    authority: str
    serial: str
    subject_serial: str
    cms_sha256: str


class KioskRegistration(msgspec.Struct, frozen=True):
    """What is known of a registration beside its request.

    Attributes:
        key_sha256: base64url SHA-256 of the registration key; None until the phone has made its keys.
        kiosk: the kiosk that took it last.
        visit_sha256: SHA-256 of the secret of the visit that holds it; None while nobody does.
        card: who signed, once the card has.
        number_at: when the device number was shown.
        tries: numbers that were typed and wrong.
        typed_at: when the right one was typed.
    """

    request: EnrolmentID
    key_sha256: str | None
    kiosk: str | None
    visit_sha256: bytes | None
    card: SignedCard | None
    number_at: datetime | None
    tries: int
    typed_at: datetime | None


class PlaceRefused(Forbidden):
    """The scheme binds phones elsewhere: at the person's own reader, or at a kiosk (WAT-51)."""

    code = "enrolment_place_refused"
    title = "Phones are bound elsewhere under these rules"
    public = ("places",)


class KioskUnknown(Unauthenticated):
    """The browser holds no secret of a kiosk of this instance."""

    code = "kiosk_unknown"
    title = "This device is not a kiosk of this service"


class RegistrationUnknown(NotFound):
    """No phone waits with this key: mistyped, used, or over; one answer for all."""

    code = "registration_unknown"
    title = "No phone waits with this registration key"


class RegistrationTaken(Conflict):
    """Another kiosk has taken the registration key (threat: a photographed key)."""

    code = "registration_taken"
    title = "This registration key is in use at another kiosk"


class KioskVisitOver(Gone):
    """The visit was left, wiped or replaced; nothing of it is shown again."""

    code = "kiosk_visit_over"
    title = "This visit at the kiosk is over"


class KioskLeft(Gone):
    """The kiosk was left after the card had signed and before anybody said that the shown person is them."""

    code = "kiosk_left"
    title = "The kiosk was left before the person was confirmed"


class DeviceNumberWrong(Forbidden):
    """Another number than the kiosk shows for this registration; the third one ends it."""

    code = "device_number_wrong"
    title = "The device number is wrong"
    public = ("tries_left",)
