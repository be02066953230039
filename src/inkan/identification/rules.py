"""What a session may ask, how long it lives, and which level each kind demands."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.wire.binding import REDEEM_EVIDENCE, BindingLevel, Door, Evidence, StatementDoor
from inkan.wire.session import SessionState

# Design §5.5: `binding_min` by kind, unless the request or an internal system says otherwise.
BINDING_MIN = {
    "identify": BindingLevel.NONE,
    "approve": BindingLevel.MATCHED,
    "sign": BindingLevel.MATCHED,
}

# Levels that only a system registered for internal use may set below the default (DOC-02).
INTERNAL_ONLY = frozenset({("approve", BindingLevel.NONE), ("sign", BindingLevel.NONE)})


class Opening(StrEnum):
    """What a phone brings to open a question."""

    FRAME = "frame"
    LINK = "link"
    PUSH = "push"


class DoorRule(NamedTuple):
    """What one door demands and allows (design §5.4).

    Attributes:
        life: the longest life of a session with this door.
        returns: whether it comes back to a browser or app, so that a `return` is needed.
        is_alone: whether a session with it has no other door.
        openings: what a phone may bring, and how the statement then calls the way.
    """

    life: timedelta
    returns: bool
    is_alone: bool
    openings: Mapping[Opening, StatementDoor]
    source: str


DOORS: Final[Mapping[Door, DoorRule]] = MappingProxyType(
    {
        Door.QR: DoorRule(
            timedelta(seconds=180),
            returns=False,
            is_alone=False,
            openings={Opening.FRAME: StatementDoor.QR},
            source="TW-42, TW-45",
        ),
        Door.PUSH: DoorRule(
            timedelta(seconds=600),
            returns=False,
            is_alone=False,
            openings={Opening.PUSH: StatementDoor.PUSH},
            source="TW-46 to TW-50; NIST SP 800-63B-4 §3.1.3: a secret lives ten minutes at most",
        ),
        Door.WEB_LINK: DoorRule(
            timedelta(seconds=180),
            returns=True,
            is_alone=False,
            openings={Opening.LINK: StatementDoor.WEB_LINK},
            source="TW-58, TW-59",
        ),
        # NOTE(divergence-8): 180 s are the life of each try on the page (TW-45); people type there before they scan.
        Door.REDIRECT: DoorRule(
            timedelta(seconds=600),
            returns=True,
            is_alone=True,
            openings={
                Opening.FRAME: StatementDoor.REDIRECT_QR,
                Opening.PUSH: StatementDoor.REDIRECT_PUSH,
                Opening.LINK: StatementDoor.REDIRECT_OPEN,
            },
            source="TW-53 to TW-57",
        ),
        Door.APP_LINK: DoorRule(
            timedelta(seconds=180),
            returns=True,
            is_alone=False,
            openings={Opening.LINK: StatementDoor.APP_LINK},
            source="TW-60",
        ),
    }
)


def way_of(opening: Opening, doors: Collection[Door]) -> StatementDoor | None:
    """How the statement calls a phone's opening of a session with these doors; None: no door is meant so."""
    ways = (DOORS[door].openings.get(opening) for door in doors)
    return next((way for way in ways if way is not None), None)


# The ways from which the phone itself leads its browser back, with the return code.
RETURNING: Final = frozenset(
    {StatementDoor.WEB_LINK, StatementDoor.APP_LINK, StatementDoor.REDIRECT_OPEN}
)


class Leader(StrEnum):
    """Who led the browser back: each hands out a return code of its own."""

    PHONE = "phone"
    PAGE = "page"


# Whose return code is taken. The page also leads back where the phone was to do so; that a browser came back by
# it does not show that the phone is near (threat 3: an address that was passed on).
LEADERS: Final[Mapping[StatementDoor, frozenset[Leader]]] = MappingProxyType(
    {
        StatementDoor.QR: frozenset(),
        StatementDoor.PUSH: frozenset(),
        StatementDoor.WEB_LINK: frozenset({Leader.PHONE}),
        StatementDoor.APP_LINK: frozenset({Leader.PHONE}),
        StatementDoor.REDIRECT_QR: frozenset({Leader.PAGE}),
        StatementDoor.REDIRECT_PUSH: frozenset({Leader.PAGE}),
        StatementDoor.REDIRECT_OPEN: frozenset({Leader.PHONE, Leader.PAGE}),
    }
)


def finished(way: StatementDoor, by: Leader | None) -> Evidence:
    """What finishing with the right verifier brings, by who led back."""
    return Evidence.BROWSER_BOUND if by is Leader.PAGE else REDEEM_EVIDENCE[way]


class Attachment(StrEnum):
    """Where the browser says that the authenticator is (WebAuthn Level 3 §5.4.5); nothing signs it."""

    PLATFORM = "platform"
    CROSS_PLATFORM = "cross-platform"


# Both reach the same level, so that an untrue word of the browser gains nothing.
ATTACHED: Final[Mapping[Attachment, Evidence]] = MappingProxyType(
    {
        Attachment.PLATFORM: Evidence.SAME_DEVICE_WEBAUTHN,
        Attachment.CROSS_PLATFORM: Evidence.HYBRID,
    }
)

PUSHED: Final = frozenset({StatementDoor.PUSH, StatementDoor.REDIRECT_PUSH})

# A push that names a person must not tell whether there is such a person; a phone_ref was given out by us.
ENUMERABLE_HINTS: Final = frozenset({"national_id", "person_ref"})

# Design §5.4 `push`, TW-49.
RESEND_AFTER: Final = timedelta(seconds=30)
CODE_DIGITS: Final = 6

# Evidence that only a browser with a known past or another device can bring.
EVIDENCE_OF_BROWSER: Final = Evidence.PAIRED_BROWSER
PAIRING_LEVEL: Final = BindingLevel.RETURNED


class Quota(NamedTuple):
    """How many prompts are sent within a time; beyond it they wait silently in the wallet (threat 2).

    Attributes:
        per_system: whether only prompts of this system count, and only they are kept back.
        unpaired: whether a start from a known browser is exempt.
    """

    limit: int
    within: timedelta
    per_system: bool
    unpaired: bool
    source: str


QUOTAS: Final = (
    Quota(
        3, timedelta(minutes=10), per_system=True, unpaired=False, source="design §5.4; threat 2"
    ),
    Quota(
        5, timedelta(minutes=10), per_system=False, unpaired=True, source="design §5.4; threat 2"
    ),
)


class Mute(NamedTuple):
    """After how many bad answers of a kind prompts are no longer sent, and for how long.

    Attributes:
        results: of :class:`PromptResult` that count.
        per_person: whether this person alone is spared; else every person is, from this system.
        share: smallest share of these results among the system's answered prompts.
    """

    limit: int
    within: timedelta
    results: frozenset[str]
    per_person: bool
    share: float
    source: str


class PromptResult(StrEnum):
    """What a person made of a prompt."""

    OK = "ok"
    REFUSED = "refused"
    REPORTED = "reported"
    WRONG_CODE = "wrong_code"


MUTES: Final = (
    Mute(
        2,
        timedelta(hours=24),
        frozenset({PromptResult.REFUSED}),
        per_person=True,
        share=0.0,
        source="eid-systems: automatic mute after 2 refusals; threat 2",
    ),
    Mute(
        1,
        timedelta(hours=24),
        frozenset({PromptResult.REPORTED}),
        per_person=True,
        share=0.0,
        source="threat 2: not me",
    ),
    Mute(
        5,
        timedelta(hours=24),
        frozenset({PromptResult.REPORTED}),
        per_person=False,
        share=0.05,
        source="eid-systems new thing 12: prompt reputation",
    ),
)


def comparable(name: str) -> str:
    """A phone's name as it is compared: people type it on another device (TW-48)."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


# Design §5.5: an Idempotency-Key holds its answer for a day, and so long the session is readable.
IDEMPOTENCY_LIFE = timedelta(hours=24)
READABLE = timedelta(hours=24)
MAX_WAIT_S = 120
# A proof of the channel key opens a phone's event stream for so long; a wallet has one or two of them open.
WATCH_LIFE: Final = timedelta(minutes=5)
STREAMS_PER_PHONE: Final = 3

FINAL = frozenset({SessionState.CLOSED, SessionState.CANCELLED, SessionState.EXPIRED})
