"""How an event is made, kept as a row, and read back."""

import hmac
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from inkan.audit.model import Details, verify_opaque, verify_use_case
from inkan.audit.rules import SALT_SIZE
from inkan.crypto import aead, base64url
from inkan.kernel.clock import to_microseconds
from inkan.kernel.ids import EventID, random_bytes
from inkan.kernel.sensitive import Secret
from inkan.store.plan import Row
from inkan.wire.audit_log import Actor, Event, details_digest

_LETTERS: Final = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
ID_RANDOM_SIZE: Final = 7

# Every member is text in ASCII, an integer or null: sorted names alone make it RFC 8785.
_encode = msgspec.json.Encoder(order="sorted").encode


class Act(NamedTuple):
    """What a use case says of itself; see ``Audit.record``."""

    use_case: str
    actor: Actor
    subject: str | None
    object: str | None
    details: Details | None


class Macs:
    """The keyed hashes of the log: one key outside the database, a derived one for each use."""

    def __init__(self, mac_key: Secret[bytes]) -> None:
        """Derive the keys from 32 bytes that no backup of the database holds."""
        self._event = aead.hkdf(mac_key, b"inkan-audit-event-v1").reveal()
        self._chain = aead.hkdf(mac_key, b"inkan-audit-chain-v1").reveal()
        self._tip = aead.hkdf(mac_key, b"inkan-audit-tip-v1").reveal()

    def event(self, leaf: bytes, salt: bytes) -> bytes:
        """MAC of one event. Every leaf begins with the same letters, so salt and leaf cannot trade bytes."""
        return hmac.digest(self._event, salt + leaf, "sha256")

    def chain(self, before: bytes, index: int, mac: bytes) -> bytes:
        """The chain value at ``index``, from the one before it and the event's MAC."""
        return hmac.digest(self._chain, before + index.to_bytes(8, "big") + mac, "sha256")

    def tip(self, *, size: int, chain: bytes, heads: int, head_hash: bytes) -> bytes:
        """MAC of the tip: how many events and heads there are, and the last value of both chains."""
        numbers = size.to_bytes(8, "big") + heads.to_bytes(8, "big")
        return hmac.digest(self._tip, numbers + chain + head_hash, "sha256")

    def genuine_leaf(self, row: Row) -> bytes | None:
        """The leaf of a stored event that is, in every column, the one a use case wrote; None of any other."""
        try:
            written = leaf_of(row)
            mac = self.event(written, row.salt)
        except (TypeError, ValueError):  # SQLite keeps a text where somebody put a text
            return None
        return written if row.mac == mac else None

    def is_tip(self, row: Row) -> bool:
        """Whether a stored tip is the one that the sequencer wrote."""
        try:
            mac = self.tip(size=row.size, chain=row.chain, heads=row.heads, head_hash=row.head_hash)
        except (TypeError, AttributeError, OverflowError):
            return False
        return bool(row.mac == mac)


def event_id(at: int, random: bytes) -> EventID:
    """Return an id of the usual form: the milliseconds of ``at``, then 56 random bits.

    Events are what is written most. Ids that grow with time keep their index in one place, where random ones
    would change another page of it for each event; they are no secret, and tell no more than the event does.
    """
    return EventID("ev_" + f"{at // 1000:012x}{random.hex()}".translate(_LETTERS))


def compose(at: datetime, act: Act) -> tuple[Event, bytes, bytes]:
    """Return an event, the salt of its details and their salted digest.

    Raises:
        ValueError: something is not an opaque id.
        NotCanonical: the details are no canonical JSON.
    """
    random = random_bytes(SALT_SIZE + ID_RANDOM_SIZE)
    salt = random[:SALT_SIZE]
    digest = details_digest(salt, act.details or {})
    verify_opaque(act.actor.id)
    microseconds = to_microseconds(at)
    event = Event(
        v=1,
        id=event_id(microseconds, random[SALT_SIZE:]),
        at=microseconds,
        use_case=verify_use_case(act.use_case),
        actor=act.actor,
        subject=verify_opaque(act.subject),
        object=verify_opaque(act.object),
        details=base64url.encode(digest),
    )
    return event, salt, digest


def leaf(event: Event) -> bytes:
    """The canonical JSON (RFC 8785) of an event: a leaf of the tree."""
    return _encode(event)


def leaf_of(row: Row) -> bytes:
    """The leaf that a stored event stands for.

    Raises:
        TypeError: a column holds something else than was written.
    """
    event = Event(
        v=1,
        id=row.id,
        at=row.at,
        use_case=row.use_case,
        actor=Actor(row.actor_kind, row.actor_id),
        subject=row.subject,
        object=row.object,
        details=base64url.encode(row.details),
    )
    return _encode(event)


def row_of(event: Event, *, salt: bytes, digest: bytes, mac: bytes) -> dict[str, Any]:
    """The columns of a new event."""
    return {
        "id": event.id,
        "at": event.at,
        "use_case": event.use_case,
        "actor_kind": event.actor.kind,
        "actor_id": event.actor.id,
        "subject": event.subject,
        "object": event.object,
        "details": digest,
        "salt": salt,
        "mac": mac,
    }
