"""The values of ``acr``: what a login shows of the tie between the browser that asked and the phone that answered.

Each names the binding level that was reached, with user verification by the phone's own lock in every row but the
first. None is a level of assurance of any framework: no assessor has examined one, and none is claimed (TW-16).
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from inkan.wire.binding import BindingLevel

REUSED: Final = "urn:inkan:acr:reused"


class Row(NamedTuple):
    """One value of ``acr``.

    Attributes:
        value: stable; a changed meaning gets a new one.
        level: the binding level that was reached; None when nobody answered for this client.
        says: what happened.
        source: the clause.
    """

    value: str
    level: BindingLevel | None
    says: str
    source: str


def _row(level: BindingLevel, says: str, source: str) -> Row:
    return Row(f"urn:inkan:acr:uv:{level}", level, says, source)


ROWS: Final = (
    Row(
        REUSED,
        None,
        "nobody answered for this client; this browser's answer to another client, at most 30 minutes old, was used again",
        "design §5.7; OIDC Core §2 (acr)",
    ),
    _row(
        BindingLevel.NONE,
        "a phone answered, verified its user and signed; nothing ties it to the browser that asked",
        "WebAuthn Level 3 §6.1 (flag UV); IETF Cross-Device Flows BCP: a code can be relayed",
    ),
    _row(
        BindingLevel.MATCHED,
        "besides, the person typed into the phone what the asking page showed",
        "NIST SP 800-63B-4 §3.1.3: transfer of a secret",
    ),
    _row(
        BindingLevel.PAIRED,
        "besides, the digits were typed, and the asking page was open in a browser that this person had come back to before",
        "IETF Cross-Device Flows BCP: a known device",
    ),
    _row(
        BindingLevel.RETURNED,
        "besides, the phone led its own browser or app back, which held the secret of the start",
        "RFC 7636 §4.6; TW-59",
    ),
    _row(
        BindingLevel.STRONG,
        "besides, the browser that asked showed a passkey of the phone that answered, or the card was in its reader",
        "WebAuthn Level 3 §7.2; CTAP 2.2 hybrid transport: proximity; JPKI-34",
    ),
)
"""From weak to strong, in the order of the binding levels: what a relay attacker would have had to overcome."""

_RANK: Final[Mapping[str, int]] = MappingProxyType({row.value: at for at, row in enumerate(ROWS)})


def value_of(level: BindingLevel) -> str:
    """The value for an answer that reached this level."""
    return next(row.value for row in ROWS if row.level == level)


def meets(acr: str, wanted: Collection[str]) -> bool:
    """Whether ``acr`` is at least one of ``wanted``; nothing wanted is always met, an unknown value never."""
    if not wanted:
        return True
    return any(value in _RANK and _RANK.get(acr, -1) >= _RANK[value] for value in wanted)


def told(acr: str, wanted: Collection[str]) -> str:
    """The value to tell a client that demanded some: one of its own (OIDC Core §5.5.1.1), the strongest one reached.

    A value told so means: this row or a stronger one. Without a demand, or with none met, it is ``acr``.
    """
    met = [value for value in wanted if meets(acr, [value])]
    return max(met, key=_RANK.__getitem__, default=acr)


def weakest_level(wanted: Collection[str]) -> BindingLevel | None:
    """The binding level below which no value of ``wanted`` can be reached; None when there is no such demand."""
    known = sorted(_RANK[value] for value in wanted if value in _RANK)
    return ROWS[known[0]].level if known else None
