"""How strongly an approval is bound to the browser that asked, as one table of door and evidence.

The level says what a relay attacker would have had to overcome (threat 1), not how well the person was
verified. A relying party demands a level by ``binding_min``; receipts record the level reached and the
evidence for it, never a better one.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple


class BindingLevel(StrEnum):
    """From weak to strong, in this order; the comparison operators follow it."""

    NONE = "none"
    MATCHED = "matched"
    PAIRED = "paired"
    RETURNED = "returned"
    STRONG = "strong"

    @property
    def rank(self) -> int:
        """0 for none to 4 for strong."""
        return _RANK[self]

    # A string enum would compare by spelling, where "matched" < "none".
    def __lt__(self, other: str) -> bool:
        return self.rank < BindingLevel(other).rank

    def __le__(self, other: str) -> bool:
        return self.rank <= BindingLevel(other).rank

    def __gt__(self, other: str) -> bool:
        return self.rank > BindingLevel(other).rank

    def __ge__(self, other: str) -> bool:
        return self.rank >= BindingLevel(other).rank


_RANK: Final = {level: rank for rank, level in enumerate(BindingLevel)}


class Door(StrEnum):
    """How a session reaches the phone (TW-40, modes 1 to 5)."""

    QR = "qr"
    PUSH = "push"
    WEB_LINK = "web_link"
    REDIRECT = "redirect"
    APP_LINK = "app_link"


class StatementDoor(StrEnum):
    """The door inside a statement: a redirect says by which of its page's three ways it was opened (TW-54)."""

    QR = "qr"
    PUSH = "push"
    WEB_LINK = "web_link"
    APP_LINK = "app_link"
    REDIRECT_QR = "redirect/qr"
    REDIRECT_PUSH = "redirect/push"
    REDIRECT_OPEN = "redirect/open"

    @property
    def door(self) -> Door:
        """The door of the session."""
        return Door(self.value.partition("/")[0])


class Evidence(StrEnum):
    """What was seen of the tie between the asking browser and the phone."""

    CODE_ENTERED = "code_entered"
    PAIRED_BROWSER = "paired_browser"
    REDEEMED = "redeemed"
    BROWSER_BOUND = "browser_bound"
    SAME_DEVICE_WEBAUTHN = "same_device_webauthn"
    HYBRID = "hybrid"
    CARD_IN_READER = "card_in_reader"


class Stage(StrEnum):
    """The moments at which ``binding_min`` is checked, in their order."""

    MADE = "made"  # a door is made
    DECIDED = "decided"
    RELEASED = "released"


class BackEnd(StrEnum):
    """Where the certificate keys of a phone are kept. *Declared* by the phone unless attested."""

    A = "A"  # wrapped under the passkey's PRF secret
    B = "B"  # in the HSM of a service window, released by an assertion that the signer checks
    C = "C"  # native or hardware key store
    PLAIN = "plain"  # a browser's own store, not wrapped


class Row(NamedTuple):
    """All of ``needs`` together reach ``level``."""

    needs: frozenset[Evidence]
    level: BindingLevel
    source: str


def _row(level: BindingLevel, source: str, *needs: Evidence) -> Row:
    return Row(frozenset(needs), level, source)


# Somebody may have relayed the code or tapped on another's request.
_QR = (_row(BindingLevel.NONE, "TW-42; IETF Cross-Device Flows BCP: a QR code can be relayed"),)
_PUSH = (
    _row(BindingLevel.NONE, "TW-50; NIST SP 800-63B-4 §3.1.3: tapping alone is no transfer"),
    _row(
        BindingLevel.MATCHED,
        "NIST SP 800-63B-4 §3.1.3: transfer of a secret",
        Evidence.CODE_ENTERED,
    ),
    _row(
        BindingLevel.PAIRED,
        "NIST SP 800-63B-4 §3.1.3; IETF Cross-Device Flows BCP: a known device",
        Evidence.CODE_ENTERED,
        Evidence.PAIRED_BROWSER,
    ),
)
_RETURN = (
    _row(BindingLevel.NONE, "TW-59; RFC 7636 §1: whoever started it has not come back yet"),
    _row(BindingLevel.RETURNED, "TW-59, TW-60; RFC 7636 §4.6", Evidence.REDEEMED),
)
_STRONG = (
    _row(BindingLevel.STRONG, "WebAuthn Level 3 §7.2", Evidence.SAME_DEVICE_WEBAUTHN),
    _row(BindingLevel.STRONG, "CTAP 2.2 hybrid transport: proximity", Evidence.HYBRID),
    _row(BindingLevel.STRONG, "JPKI-34", Evidence.CARD_IN_READER),
)

ROWS: Final[Mapping[StatementDoor, tuple[Row, ...]]] = MappingProxyType(
    {
        StatementDoor.QR: (*_QR, *_STRONG),
        StatementDoor.PUSH: (*_PUSH, *_STRONG),
        StatementDoor.WEB_LINK: (*_RETURN, *_STRONG),
        StatementDoor.APP_LINK: (*_RETURN, *_STRONG),
        StatementDoor.REDIRECT_QR: (*_QR, *_STRONG),
        StatementDoor.REDIRECT_PUSH: (*_PUSH, *_STRONG),
        StatementDoor.REDIRECT_OPEN: (*_RETURN, *_STRONG),
    }
)

# What finishing with the right verifier proves: for a way that came back from the phone itself it is the
# return; for the others it only shows that the asking browser finished what it began.
REDEEM_EVIDENCE: Final[Mapping[StatementDoor, Evidence]] = MappingProxyType(
    {
        StatementDoor.QR: Evidence.BROWSER_BOUND,
        StatementDoor.PUSH: Evidence.BROWSER_BOUND,
        StatementDoor.WEB_LINK: Evidence.REDEEMED,
        StatementDoor.APP_LINK: Evidence.REDEEMED,
        StatementDoor.REDIRECT_QR: Evidence.BROWSER_BOUND,
        StatementDoor.REDIRECT_PUSH: Evidence.BROWSER_BOUND,
        StatementDoor.REDIRECT_OPEN: Evidence.REDEEMED,
    }
)

_CODE_DOORS: Final = frozenset({StatementDoor.PUSH, StatementDoor.REDIRECT_PUSH})

# What a passkey shows when the browser that began asks for it after the answer: the redirect page alone does
# so, whatever way the phone took.
PASSKEY_EVIDENCE: Final = frozenset({Evidence.SAME_DEVICE_WEBAUTHN, Evidence.HYBRID})

# Evidence that a door brings by itself, with the last stage at which it is still to come. What is missing
# here (a paired browser, a card) is known when the door is made, or comes by no door of its own.
TO_COME: Final[Mapping[StatementDoor, Mapping[Evidence, Stage]]] = MappingProxyType(
    {
        door: MappingProxyType(
            {finished: Stage.DECIDED}
            | ({Evidence.CODE_ENTERED: Stage.MADE} if door in _CODE_DOORS else {})
            | (dict.fromkeys(PASSKEY_EVIDENCE, Stage.DECIDED) if door.door is Door.REDIRECT else {})
        )
        for door, finished in REDEEM_EVIDENCE.items()
    }
)


def level_of(door: StatementDoor, evidence: Collection[Evidence]) -> BindingLevel:
    """Return the level that this evidence reaches by this door: the strongest row that it fulfils."""
    seen = frozenset(evidence)
    return max((row.level for row in ROWS[door] if row.needs <= seen), key=lambda level: level.rank)


def highest_reachable(
    door: Door | StatementDoor,
    *,
    stage: Stage,
    evidence: Collection[Evidence] = (),
    excluded: Collection[Evidence] = (),
) -> BindingLevel:
    """Return the highest level that can still be reached.

    Args:
        door: of the session before it is opened (the best of its ways counts), then of the statement.
        stage: the moment of the question.
        evidence: what is there already (:attr:`Evidence.PAIRED_BROWSER` when the door is made).
        excluded: what will not come: the code under the policy `tap_only`, the redeem evidence of a session
            without `return`.
    """
    return _highest(door, stage, frozenset(evidence), frozenset(excluded))


# Asked in every request of a session, about a handful of combinations.
@lru_cache(maxsize=1024)
def _highest(
    door: Door | StatementDoor,
    stage: Stage,
    evidence: frozenset[Evidence],
    excluded: frozenset[Evidence],
) -> BindingLevel:
    ways = (door,) if isinstance(door, StatementDoor) else ways_of(door)
    reachable = [level_of(way, (evidence | _to_come(way, stage)) - excluded) for way in ways]
    return max(reachable, key=lambda level: level.rank)


@lru_cache(maxsize=len(Door))
def ways_of(door: Door) -> tuple[StatementDoor, ...]:
    """The statement doors by which a session of this door may be opened."""
    return tuple(way for way in StatementDoor if way.door == door)


def _to_come(door: StatementDoor, stage: Stage) -> set[Evidence]:
    later = list(Stage)[list(Stage).index(stage) :]
    return {evidence for evidence, last in TO_COME[door].items() if last in later}
