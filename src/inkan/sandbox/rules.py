"""The tables of the sandbox: what each behaviour does, who the test persons are, and the limits."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.kernel.identifiers import NationalID, national_id_check_digit, parse_national_id
from inkan.sandbox.model import (
    Behaviour,
    ExpectedOutcome,
    Move,
    PersonNotOffered,
    PersonRow,
    VirtualState,
)
from inkan.web.limits import RateLimit
from inkan.web.principal import Permission
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome, SessionState

PLANS: Final[Mapping[Behaviour, tuple[Move, ...]]] = {
    Behaviour.MANUAL: (Move.OPEN,),
    Behaviour.APPROVE: (Move.OPEN, Move.APPROVE),
    Behaviour.REFUSE: (Move.OPEN, Move.REFUSE),
    Behaviour.REPORT: (Move.OPEN, Move.REPORT),
    Behaviour.SLOW: (Move.OPEN, Move.WAIT, Move.APPROVE),
    Behaviour.NO_RESPONSE: (Move.OPEN,),
    Behaviour.WRONG_CODE: (Move.WRONG_CODE,),
    Behaviour.SUSPENDED: (Move.OPEN, Move.SUSPEND, Move.APPROVE, Move.REINSTATE),
    Behaviour.LOST: (),
    Behaviour.REVOKED: (Move.OPEN,),
}
"""What a virtual phone does when a session reaches it. A phone that was revoked tries, and is refused."""

FIRST_STATES: Final[Mapping[Behaviour, VirtualState]] = {
    **dict.fromkeys(Behaviour, VirtualState.HELD),
    Behaviour.LOST: VirtualState.LOST,
    Behaviour.REVOKED: VirtualState.REVOKED,
}
"""Where a virtual phone is once it is bound."""

ACTS_ON_PUSH: Final = frozenset(Behaviour) - {Behaviour.MANUAL}
"""Which behaviours follow their plan when a push reaches the phone, without anybody's word."""

LOOK_EVERY: Final = timedelta(minutes=10)
"""How often a phone looks although nothing woke it: as long as a push lives at most."""
ACT_AT_ONCE: Final = 4
"""How many phones of an instance act on pushes at a time; the others wait their turn."""

CARD_YEARS: Final = 3  # JPKI-11
IDLE_AFTER: Final = timedelta(days=7)
"""A virtual phone that did nothing for a week ends."""

PURGE_EVERY: Final = timedelta(hours=1)
FARTHEST: Final = timedelta(days=5 * 366)
"""How far the clock may be ahead in all: the authorities of a ceremony live longer."""

SCHEME: Final = "tw-citizen"
PHONE_SCRYPT_N: Final = 2**10
"""Cheap on purpose: the passphrase has 256 bits, and the phone guards nothing."""

SYSTEMS: Final = 100_000
"""Five digits of a test person's national ID count the system."""

# A phone is RSA keys and a whole enrolment; the rest is as cheap as the API that it imitates.
MAKE_LIMIT: Final = RateLimit(name="sandbox-phones", requests=60, window=timedelta(minutes=1))
USE_LIMIT: Final = RateLimit(name="sandbox", requests=600, window=timedelta(minutes=1))
ENTER_LIMIT: Final = RateLimit(name="sandbox-enter", requests=30, window=timedelta(minutes=1))

PERMISSIONS: Final = (
    Permission(
        use_case="sandbox.use", roles=frozenset({"system"}), source="design §3, Processes; §5.5"
    ),
)


class _Persons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    person: list[PersonRow]


@cache
def persons() -> Mapping[str, PersonRow]:
    """The test persons by key, in the order of their table."""
    text = (files("inkan.sandbox") / "persons.toml").read_text(encoding="utf-8")
    rows = msgspec.convert(tomllib.loads(text), _Persons).person
    return MappingProxyType({row.key: row for row in rows})


def get_person(key: str) -> PersonRow:
    """The test person of this key.

    Raises:
        PersonNotOffered: there is none.
    """
    row = persons().get(key)
    if row is None:
        raise PersonNotOffered()
    return row


def expected_by_push(row: PersonRow) -> ExpectedOutcome:
    """What comes of a push to this person: whatever is no agreement looks like nobody (TW-49; threat 15)."""
    if row.outcome.session == Outcome.OK:
        return ExpectedOutcome(session=Outcome.OK)
    return ExpectedOutcome(session=SessionState.EXPIRED, reason=Reason.USER_NO_RESPONSE)


def national_id_of(row: PersonRow, number: int) -> NationalID:
    """The national ID of a test person as the system with this number has it.

    Every system has persons of its own, so that none meets another's phones or quotas: the digits 3 to 7 count the
    system from 0, the next two the row. The check digit is right.
    """
    written = f"{row.national_id[:2]}{number:05d}{row.national_id[7:9]}"
    return parse_national_id(written + national_id_check_digit(written))
