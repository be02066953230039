"""Staff accounts: who they are, what they may, and their end. Lost rights end every login at once (threat 26)."""

from typing import Any

from inkan.accounts import store
from inkan.accounts.model import (
    Account,
    AccountClosed,
    AccountKind,
    AccountUnknown,
    LoginEnd,
    OwnProposal,
    Proposal,
    RoleChange,
)
from inkan.accounts.rules import verify_staff_roles
from inkan.accounts.service.logins import end_logins
from inkan.accounts.service.parts import Parts
from inkan.audit import Actor
from inkan.kernel.ids import EventID
from inkan.store.database import Step
from inkan.web.input import decode


def list_staff(parts: Parts) -> Step[list[Account]]:
    """Step: every staff account, the oldest first, ended ones included."""
    rows = yield store.STAFF.all()
    return [parts.read_account(row) for row in rows]


def get_account(parts: Parts, account_id: str) -> Step[Account]:
    """Step: one account.

    Raises:
        AccountUnknown: no such account.
    """
    row = yield store.ACCOUNT_BY_ID.one(key=account_id)
    if row is None:
        raise AccountUnknown()
    return parts.read_account(row)


def end_account(parts: Parts, account_id: str, *, actor: Actor) -> Step[None]:
    """Step: end an account with its logins, passkeys, invitations and contacts, for ever.

    Raises:
        AccountUnknown: no such account.
        AccountClosed: it had ended before.
    """
    row = yield from _hold(account_id)
    event = yield from parts.audit.record(
        "accounts.ended", actor=actor, subject=row.person or row.id, object=row.id
    )
    ended = yield store.END_ACCOUNT.run(key=row.id, event=event)
    if not ended:
        raise AccountClosed()
    yield from end_logins(row.id, why=LoginEnd.ACCOUNT_ENDED, event=event)
    yield store.WITHDRAW_INVITES.run(whose=row.id, event=event)
    yield store.DELETE_PASSKEYS.run(whose=row.id)
    yield from parts.notices.forget(row.id)


def _hold(account_id: str) -> Step[Any]:
    row = yield store.HOLD_ACCOUNT.one(key=account_id)
    if row is None:
        raise AccountUnknown()
    return row


def parse_role_change(content: bytes) -> RoleChange:
    """The content of a proposal ``accounts.change_roles``.

    Raises:
        Malformed: it does not name an account and its roles.
        RolesRefused: no role, a role twice, or one that no staff account holds.
    """
    change = decode(content, RoleChange, limit=len(content))
    verify_staff_roles(change.roles)
    return change


def change_roles(proposal: Proposal, event: EventID) -> Step[None]:
    """Step: carry an approved ``accounts.change_roles`` out; every login of the account ends.

    Raises:
        OwnProposal: the account's owner proposed or approved it.
        AccountUnknown: no staff account has this id.
        AccountClosed: it has ended.
    """
    change = parse_role_change(proposal.content)
    if change.account in {proposal.proposer, proposal.decided_by}:
        raise OwnProposal()
    row = yield from _hold(change.account)
    if row.kind is not AccountKind.STAFF:
        raise AccountUnknown()
    changed = yield store.SET_ROLES.run(key=row.id, new_roles=sorted(change.roles), event=event)
    if not changed:
        raise AccountClosed()
    yield from end_logins(row.id, why=LoginEnd.ROLES_CHANGED, event=event)
