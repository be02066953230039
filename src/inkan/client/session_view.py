"""A session as the RP API shows it, and what a relying party says to open one (design §5.5)."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, Self, TypeAlias

import msgspec

from inkan.crypto import base64url
from inkan.kernel.ids import random_bytes
from inkan.kernel.sensitive import Personal, Secret
from inkan.wire import qr
from inkan.wire.binding import BindingLevel, Door, StatementDoor
from inkan.wire.session import Kind, Outcome, SessionState

DoorName: TypeAlias = Door | Literal["qr", "push", "web_link", "redirect", "app_link"]
LevelName: TypeAlias = BindingLevel | Literal["none", "matched", "paired", "returned", "strong"]
KindName: TypeAlias = Kind | Literal["identify", "approve", "sign"]
HintType: TypeAlias = Literal["person_ref", "phone_ref", "national_id"]
FINAL_STATES = frozenset({SessionState.CLOSED, SessionState.CANCELLED, SessionState.EXPIRED})


class Next(msgspec.Struct, frozen=True):
    """What the relying party does now: ``present``, ``wait``, ``redeem`` or ``none``."""

    action: str
    retry_after_ms: int = 0


class Binding(msgspec.Struct, frozen=True):
    """How strongly the answer is tied to the asking browser, and the evidence for it."""

    level: BindingLevel
    evidence: tuple[str, ...] = ()


class Subject(msgspec.Struct, frozen=True):
    """Who answered: the pairwise references of person and phone for this system."""

    person_ref: str
    phone_ref: str | None = None


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One reading of a session. Everything after ``next`` is None until it is known and may be told.

    Attributes:
        match: whether the person is the expected one; None when nobody was expected.
        young: whether the phone was bound only hours ago.
        back_end: where the phone keeps its certificate keys, as declared.
        attested: whether an attestation proves the model of its authenticator, with a passkey that cannot be copied.
        status_now: state of the certificate at the time of reading; unsigned.
        times: RFC 3339, UTC.
    """

    id: str
    kind: Kind
    purpose: str
    state: SessionState
    next: Next
    outcome: Outcome | None = None
    reason: str | None = None
    door: StatementDoor | None = None
    binding: Binding | None = None
    subject: Subject | None = None
    claims: dict[str, Any] = {}
    match: bool | None = None
    young: bool | None = None
    back_end: str | None = None
    attested: bool | None = None
    created_at: str
    expires_at: str
    opened_at: str | None = None
    decided_at: str | None = None
    released_at: str | None = None
    purge_at: str | None = None
    status_now: str | None = None

    @property
    def is_final(self) -> bool:
        """Whether waiting longer changes nothing: it ended, or waits to be redeemed."""
        return self.state in FINAL_STATES or self.next.action == "redeem"

    @property
    def is_ok(self) -> bool:
        """Whether the person approved and the answer was released."""
        return self.state is SessionState.CLOSED and self.outcome is Outcome.OK


class SubjectHint(msgspec.Struct, frozen=True):
    """Who is expected: ``person_ref``, ``phone_ref`` or ``national_id`` and its value.

    The value goes into the body only; the platform compares it after the approval and forgets it (TW-43).
    """

    type: HintType
    value: Personal[str]


class ContentOrder(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A document to approve or sign.

    Attributes:
        id: the relying party's name for it.
        name: what the person reads.
        digest: hash of its bytes, base64url.
        alg: ``sha-256``, ``sha-384`` or ``sha-512``.
    """

    id: str
    name: str
    digest: str
    alg: str = "sha-256"

    @classmethod
    def of(cls, content: str, name: str, data: bytes) -> Self:
        """The order for these bytes, by SHA-256; the bytes stay here."""
        return cls(id=content, name=name, digest=base64url.encode(hashlib.sha256(data).digest()))


class Return(msgspec.Struct, frozen=True):
    """Where the browser goes back to, and SHA-256 of the verifier that it keeps (base64url)."""

    url: str
    binding: str


def begin_return(url: str) -> tuple[Return, Secret[str]]:
    """What a session needs to come back to ``url``, and the verifier that stays in the browser that begins.

    Keep the verifier in a ``__Host-`` cookie of that browser (or in the app), and nowhere else.
    """
    verifier = random_bytes(32)
    binding = base64url.encode(hashlib.sha256(verifier).digest())
    return Return(url=url, binding=binding), Secret(base64url.encode(verifier))


class SessionOrder(msgspec.Struct, frozen=True, kw_only=True):
    """What a relying party asks for.

    Attributes:
        kind: identify, approve or sign.
        purpose: a code that is registered for the system.
        challenge: 32 to 64 bytes, base64url; drawn for this session alone.
        doors: which doors to make at once.
        subject_hint: who is expected, if anybody.
        binding_min: the weakest accepted binding; the platform's default when None.
        contents: what is approved or signed.
        documents, batch: registered documents, instead of ``contents``.
        claims: codes of attributes that are asked for.
        return_to: for doors that come back to a browser or app; see :func:`begin_return`.
        phone_name: to which of the person's phones a push goes; all of them when empty (TW-47, TW-48).
        browser: 32 bytes (base64url) by which the asking system knows this browser again.
        notify: id of a registered webhook that is told of every change.
        expires_in: seconds until an undecided session ends, 30 to 600 (TW-45: 180).
    """

    kind: Kind
    purpose: str
    challenge: str
    doors: Sequence[DoorName] = (Door.QR,)
    subject_hint: SubjectHint | None = None
    binding_min: LevelName | None = None
    contents: Sequence[ContentOrder] = ()
    documents: Sequence[str] = ()
    batch: str | None = None
    claims: Sequence[str] = ()
    return_to: Return | None = None
    phone_name: str = ""
    browser: str | None = None
    notify: str | None = None
    expires_in: int | None = None

    def body(self) -> bytes:
        """Return the JSON body; members without a value are left out."""
        hint = self.subject_hint
        members: dict[str, Any] = {
            "kind": self.kind,
            "purpose": self.purpose,
            "challenge": self.challenge,
            "doors": self.doors,
            "subject_hint": hint and {"type": hint.type, "value": hint.value.reveal()},
            "binding_min": self.binding_min,
            "contents": self.contents,
            "documents": self.documents,
            "batch": self.batch,
            "claims": self.claims,
            "return": self.return_to,
            "phone_name": self.phone_name,
            "browser": self.browser,
            "notify": self.notify,
            "expires_in": self.expires_in,
        }
        return msgspec.json.encode({name: value for name, value in members.items() if value})


class QRDoor(msgspec.Struct, frozen=True, kw_only=True):
    """What frames are drawn with; the secret never goes to a browser.

    Attributes:
        handle: finds the session.
        secret: base64url of 32 bytes.
        origin: the wallet's.
        t: seconds since the platform's ``t0`` when it answered.
        generation: rises when an opened approval is released and the door opens again.
    """

    handle: str
    secret: str
    origin: str
    t: int
    generation: int = 0

    def __repr__(self) -> str:
        return f"<QRDoor {self.handle}>"


class PushDoor(msgspec.Struct, frozen=True):
    """What the page shows after a push: the code to type into the phone, unless the system is `tap_only`."""

    code: str | None = None
    resend_after_s: int = 30


class AddressDoor(msgspec.Struct, frozen=True):
    """An address that the person's browser opens."""

    url: str


class Doors(msgspec.Struct, frozen=True):
    """The doors that were made with the session."""

    qr: QRDoor | None = None
    push: PushDoor | None = None
    web_link: AddressDoor | None = None
    redirect: AddressDoor | None = None
    app_link: AddressDoor | None = None

    def with_door(self, door: DoorName, made: QRDoor | PushDoor | AddressDoor) -> Self:
        """These doors and one that was made since."""
        return msgspec.structs.replace(self, **{Door(door).value: made})


DOOR_KINDS: Final[Mapping[Door, type[QRDoor | PushDoor | AddressDoor]]] = {
    Door.QR: QRDoor,
    Door.PUSH: PushDoor,
    Door.WEB_LINK: AddressDoor,
    Door.REDIRECT: AddressDoor,
    Door.APP_LINK: AddressDoor,
}


class Created(msgspec.Struct, frozen=True):
    """The answer to an opened session."""

    session: SessionView
    doors: Doors = Doors()


class FrameSource:
    """Draws the rotating code of one QR door.

    It counts on from the platform's own second, so that neither the relying party's clock nor an instance that
    has travelled forward matters; the platform accepts a frame for three seconds (design §5.4).

    Args:
        door: as the platform gave it.
        received_at: monotonic seconds when its answer came in.
    """

    def __init__(self, door: QRDoor, *, received_at: float) -> None:
        self.generation = door.generation
        self._origin = door.origin
        self._handle = door.handle
        self._key = qr.qr_key(Secret(base64url.decode(door.secret, size=32)))
        self._t = door.t
        self._received_at = received_at

    def frame(self, monotonic_now: float) -> str:
        """Return the address that the code holds now; draw a new one every second."""
        t = self._t + int(monotonic_now - self._received_at)
        return qr.frame(self._origin, handle=self._handle, t=t, key=self._key)
