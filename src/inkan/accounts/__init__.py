"""Accounts: everybody who logs in, their roles, and the acts that need two of them.

Staff log in by a passkey of the platform's host and come here by an invitation; persons log in by an answer of
their phone that other features have verified. Start with :class:`Accounts`; a group of pages takes
:func:`authenticator` and names its use cases, and the permission matrix does the rest.
"""

from inkan.accounts.model import (
    Account,
    AccountClosed,
    AccountExists,
    AccountKind,
    AccountNameRefused,
    AccountState,
    AccountUnknown,
    Ceremony,
    CeremonyEnded,
    Handover,
    Invitation,
    InviteUnknown,
    Login,
    LoginEnded,
    LoginRefused,
    LoginToken,
    OwnProposal,
    PasskeyTaken,
    Proposal,
    ProposalClosed,
    ProposalState,
    ProposalUnknown,
    Role,
    RoleChange,
    RolesRefused,
)
from inkan.accounts.ports import CarryOut, FourEyes
from inkan.accounts.rules import PERMISSIONS, PURGE_EVERY
from inkan.accounts.service import (
    LOGIN_COOKIE,
    Accounts,
    actor_of,
    authenticator,
    end_browser_login,
    give_login,
    login_token,
    principal_of,
)
from inkan.accounts.store import EVENT_PAIRS

__all__ = [
    "EVENT_PAIRS",
    "LOGIN_COOKIE",
    "PERMISSIONS",
    "PURGE_EVERY",
    "Account",
    "AccountClosed",
    "AccountExists",
    "AccountKind",
    "AccountNameRefused",
    "AccountState",
    "AccountUnknown",
    "Accounts",
    "CarryOut",
    "Ceremony",
    "CeremonyEnded",
    "FourEyes",
    "Handover",
    "Invitation",
    "InviteUnknown",
    "Login",
    "LoginEnded",
    "LoginRefused",
    "LoginToken",
    "OwnProposal",
    "PasskeyTaken",
    "Proposal",
    "ProposalClosed",
    "ProposalState",
    "ProposalUnknown",
    "Role",
    "RoleChange",
    "RolesRefused",
    "actor_of",
    "authenticator",
    "end_browser_login",
    "give_login",
    "login_token",
    "principal_of",
]
