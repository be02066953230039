"""Lives, machines, and who may do what. Each row cites its source; ``docs/accounts.md`` prints the matrix."""

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from inkan.accounts.model import (
    AccountKind,
    AccountNameRefused,
    AccountState,
    AccountStep,
    Handover,
    InviteState,
    InviteStep,
    ProposalState,
    ProposalStep,
    Role,
    RolesRefused,
)
from inkan.kernel.machine import Machine
from inkan.web.cookies import SameSite
from inkan.web.principal import Assurance, Permission

TOKEN_BYTES: Final = 32
"""NIST SP 800-63B-4 §5.1: at least 64 bits; ASVS 7.2.3: at least 128. Ours have 256."""

CHALLENGE_BYTES: Final = 32
CEREMONY_LIFE: Final = timedelta(minutes=5)
PROPOSAL_LIFE: Final = timedelta(days=7)
FRESH: Final = timedelta(minutes=10)
"""Acts that give or take rights need the human being's own act within this (ASVS 7.5.3)."""

TOUCH_AFTER: Final = timedelta(seconds=1)
"""A login's idle clock is wound at most once a second, so that a burst of requests is one write."""

KEEP_ENDED: Final = timedelta(days=30)
PURGE_EVERY: Final = timedelta(minutes=15)
NAME_LIMIT: Final = 100

INVITE_LIFE: Final[Mapping[Handover, timedelta]] = {
    # NIST SP 800-63B-4 §4.1.2: a binding code lives at most ten minutes
    Handover.IN_PERSON: timedelta(minutes=10),
    # NIST SP 800-63A §4.4.1.6: an enrolment code by mail lives at most 24 hours
    Handover.MAIL: timedelta(hours=24),
}


class LoginRules(NamedTuple):
    """How the logins of one kind of account live.

    Attributes:
        idle: the login ends when nothing was asked for so long.
        absolute: it ends after this whatever was asked.
        single: a new login ends every other one of the account.
        told: the account's owner gets a notice of each.
        same_site: of the cookie.
        source: where that stands.
    """

    idle: timedelta
    absolute: timedelta
    single: bool
    told: bool
    same_site: SameSite
    source: str


LOGIN_RULES: Final[Mapping[AccountKind, LoginRules]] = {
    AccountKind.STAFF: LoginRules(
        idle=timedelta(minutes=10),
        absolute=timedelta(hours=8),
        single=True,
        told=True,
        same_site=SameSite.STRICT,
        source="HCA-44, threat 26, ASVS 6.3.5",
    ),
    AccountKind.PERSON: LoginRules(
        idle=timedelta(minutes=30),
        absolute=timedelta(hours=12),
        single=False,
        told=False,
        same_site=SameSite.LAX,
        source="NIST SP 800-63B-4 §2.2.3, threat 26",
    ),
}

ACCOUNT_MACHINE: Final[Machine[AccountState, AccountStep]] = Machine(
    AccountState.INVITED,
    {
        (AccountState.INVITED, AccountStep.ACCEPT): AccountState.ACTIVE,
        (AccountState.ACTIVE, AccountStep.ACCEPT): AccountState.ACTIVE,
        (AccountState.INVITED, AccountStep.END): AccountState.ENDED,
        (AccountState.ACTIVE, AccountStep.END): AccountState.ENDED,
    },
)

INVITE_MACHINE: Final[Machine[InviteState, InviteStep]] = Machine(
    InviteState.OPEN,
    {
        (InviteState.OPEN, InviteStep.USE): InviteState.USED,
        (InviteState.OPEN, InviteStep.WITHDRAW): InviteState.WITHDRAWN,
    },
)

PROPOSAL_MACHINE: Final[Machine[ProposalState, ProposalStep]] = Machine(
    ProposalState.OPEN,
    {
        (ProposalState.OPEN, ProposalStep.APPROVE): ProposalState.APPROVED,
        (ProposalState.OPEN, ProposalStep.REFUSE): ProposalState.REFUSED,
        (ProposalState.OPEN, ProposalStep.WITHDRAW): ProposalState.WITHDRAWN,
        (ProposalState.OPEN, ProposalStep.EXPIRE): ProposalState.EXPIRED,
    },
)

ROLE_TITLES: Final[Mapping[Role, str]] = {
    Role.ADMINISTRATOR: "Administrator",
    Role.CA_OFFICER: "CA officer",
    Role.RP_OFFICER: "Officer for relying parties",
    Role.AUDITOR: "Auditor",
    Role.OPERATOR: "Operator",
    Role.DEVELOPER: "Developer",
    Role.CLERK: "Clerk",
    Role.PERSON: "Person",
}
"""What people read for a role: English, the key of its translations."""

STAFF_ROLES: Final = frozenset(Role) - {Role.PERSON}
CHANGE_ROLES: Final = "accounts.change_roles"


def _staff(
    use_case: str, *roles: Role, source: str, fresh_within: timedelta | None = None
) -> Permission:
    """A row for staff: nobody does anything here by less than a passkey."""
    return Permission(
        use_case=use_case,
        roles=frozenset(roles),
        source=source,
        assurance=Assurance.PHISHING_RESISTANT,
        fresh_within=fresh_within,
    )


PERMISSIONS: Final = (
    _staff("accounts.list", Role.ADMINISTRATOR, Role.AUDITOR, source="design §3, accounts"),
    _staff(
        "accounts.invite", Role.ADMINISTRATOR, source="NIST SP 800-63B-4 §4.1.2", fresh_within=FRESH
    ),
    _staff("accounts.end", Role.ADMINISTRATOR, source="threat 26", fresh_within=FRESH),
    _staff(CHANGE_ROLES, Role.ADMINISTRATOR, source="design §3, four eyes", fresh_within=FRESH),
    _staff(
        "accounts.decide_proposal",
        Role.ADMINISTRATOR,
        Role.CA_OFFICER,
        Role.RP_OFFICER,
        source="design §3, four eyes",
        fresh_within=FRESH,
    ),
    _staff("console.enter", *STAFF_ROLES, source="design §1"),
    _staff("console.authorities", Role.CA_OFFICER, Role.AUDITOR, source="design §1, CA officer"),
    _staff("console.ceremonies", Role.CA_OFFICER, source="design §6, keys", fresh_within=FRESH),
    _staff("console.relying_parties", Role.RP_OFFICER, Role.AUDITOR, source="TW-62, TW-63, TW-64"),
    _staff(
        "console.decide_application",
        Role.RP_OFFICER,
        source="TW-63, design §1",
        fresh_within=FRESH,
    ),
    _staff("console.audit", Role.AUDITOR, source="design §6, audit"),
    _staff(
        "console.status",
        Role.ADMINISTRATOR,
        Role.OPERATOR,
        Role.AUDITOR,
        source="design §1, operator",
    ),
    _staff("console.news", Role.ADMINISTRATOR, Role.OPERATOR, source="TW-39"),
    _staff("developer.enter", Role.DEVELOPER, source="design §1, relying party; TW-65"),
    Permission(
        use_case="portal.enter",
        roles=frozenset({Role.PERSON}),
        source="design §1, person; TW-36, TW-38",
        assurance=Assurance.TWO_FACTORS,
    ),
)


def verify_staff_roles(roles: Iterable[Role]) -> frozenset[Role]:
    """Return the roles of a staff account.

    Raises:
        RolesRefused: none, one twice, or ``person``.
    """
    given = list(roles)
    kept = frozenset(given)
    if not kept or len(kept) != len(given) or not kept <= STAFF_ROLES:
        raise RolesRefused(expected=", ".join(sorted(STAFF_ROLES)))
    return kept


def verify_name(name: str) -> str:
    """Return a name as colleagues will see it.

    Raises:
        AccountNameRefused: blank at an end, longer than 100 characters, or with characters that do not print
            (controls, marks of writing direction: threat 22).
    """
    hidden = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    if not name or name.strip() != name or len(name) > NAME_LIMIT:
        raise AccountNameRefused
    if any(unicodedata.category(char) in hidden for char in name):
        raise AccountNameRefused
    return name
