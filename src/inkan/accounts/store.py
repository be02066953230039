"""The rows of accounts, invitations, passkeys, logins and proposals, and every query on them.

Tokens are here as SHA-256 only, names and proposals sealed. A login that this file finds is live: its clocks,
its account's state and its end are part of the query, so that no caller can forget one of them.
"""

from typing import Any

import sqlalchemy as sa

from inkan.accounts.model import (
    AccountKind,
    AccountState,
    AccountStep,
    CeremonyPurpose,
    InviteState,
    InviteStep,
    LoginEnd,
    ProposalState,
    ProposalStep,
)
from inkan.accounts.rules import ACCOUNT_MACHINE, INVITE_MACHINE, PROPOSAL_MACHINE
from inkan.store.query import Query, insert_new, insert_row
from inkan.store.schema import NOW, Choice, JSONText, Moment, Span, metadata
from inkan.store.sealing import SealedColumn

NAME = SealedColumn("accounts_account", "name")
CONTENT = SealedColumn("accounts_proposal", "content")

account = sa.Table(
    "accounts_account",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("kind", Choice(AccountKind), nullable=False),
    sa.Column("state", Choice(AccountState), nullable=False),
    sa.Column("roles", JSONText, nullable=False),
    sa.Column("tenant", sa.String, nullable=False),
    sa.Column("person", sa.String, unique=True),
    sa.Column("name", sa.LargeBinary),
    sa.Column("mail_lookup", sa.LargeBinary, unique=True),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String, nullable=False),
)

invite = sa.Table(
    "accounts_invite",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account", sa.String, nullable=False, index=True),
    sa.Column("token_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("state", Choice(InviteState), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("event_id", sa.String, nullable=False),
)

passkey = sa.Table(
    "accounts_passkey",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("account", sa.String, nullable=False, index=True),
    sa.Column("credential_id", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("cose_key", sa.LargeBinary, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("backup_eligible", sa.Boolean, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("used_at", Moment),
    sa.Column("event_id", sa.String, nullable=False),
)

ceremony = sa.Table(
    "accounts_ceremony",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("purpose", Choice(CeremonyPurpose), nullable=False),
    sa.Column("invite", sa.String),
    sa.Column("challenge", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)

login = sa.Table(
    "accounts_login",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("token_sha256", sa.LargeBinary, nullable=False, unique=True),
    sa.Column("account", sa.String, nullable=False, index=True),
    # The session that a person answered to log in; unique, so that one answer opens one login. None for staff.
    sa.Column("session", sa.String, index=True, unique=True),
    sa.Column("assurance", sa.Integer, nullable=False),
    sa.Column("verified_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("idle_until", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False, index=True),
    sa.Column("ended_at", Moment),
    sa.Column("ended_by", Choice(LoginEnd)),
    sa.Column("event_id", sa.String, nullable=False),
)

proposal = sa.Table(
    "accounts_proposal",
    metadata,
    sa.Column("id", sa.String, primary_key=True),
    sa.Column("use_case", sa.String, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("state", Choice(ProposalState), nullable=False),
    sa.Column("proposer", sa.String, nullable=False),
    sa.Column("decided_by", sa.String),
    sa.Column("proposed_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String, nullable=False),
    sa.Index(None, "state", "expires_at"),
)


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_, required=True)


# --- accounts --------------------------------------------------------------------------------------

# 0 rows: the person, or the mail address, has an account.
INSERT_ACCOUNT = insert_new(account)
ACCOUNT_BY_ID = Query(sa.select(account).where(account.c.id == _bind("key")))
ACCOUNT_OF_PERSON = Query(sa.select(account).where(account.c.person == _bind("whose")))
STAFF = Query(
    sa.select(account).where(account.c.kind == AccountKind.STAFF).order_by(account.c.created_at)
)
# Held until COMMIT: logins, roles and ends of one account come one after the other.
HOLD_ACCOUNT = Query(sa.select(account).where(account.c.id == _bind("key")).with_for_update())


def _account_step(step: AccountStep, **values: Any) -> sa.Update:
    before = ACCOUNT_MACHINE.before(step)
    return (
        sa.update(account)
        .where(account.c.id == _bind("key"), account.c.state.in_(sorted(before)))
        .values(
            state=ACCOUNT_MACHINE.after(min(before), step),
            version=account.c.version + 1,
            event_id=_bind("event"),
            **values,
        )
    )


ACCEPT_ACCOUNT = Query(_account_step(AccountStep.ACCEPT))
# The address is free again for another account.
END_ACCOUNT = Query(_account_step(AccountStep.END, mail_lookup=sa.null()))
SET_ROLES = Query(
    sa.update(account)
    .where(account.c.id == _bind("key"), account.c.state != AccountState.ENDED)
    .values(
        roles=_bind("new_roles", JSONText()),
        version=account.c.version + 1,
        event_id=_bind("event"),
    )
)

# --- invitations -----------------------------------------------------------------------------------

INSERT_INVITE = insert_row(invite)
OPEN_INVITE = Query(
    sa.select(invite).where(
        invite.c.token_sha256 == _bind("digest", sa.LargeBinary()),
        invite.c.state == InviteState.OPEN,
        invite.c.expires_at > NOW,
    )
)
# 0 rows: used before, withdrawn, or run out in the meantime.
USE_INVITE = Query(
    sa.update(invite)
    .where(
        invite.c.id == _bind("key"),
        invite.c.state.in_(sorted(INVITE_MACHINE.before(InviteStep.USE))),
        invite.c.expires_at > NOW,
    )
    .values(state=InviteState.USED, event_id=_bind("event"))
)
WITHDRAW_INVITES = Query(
    sa.update(invite)
    .where(
        invite.c.account == _bind("whose"),
        invite.c.state.in_(sorted(INVITE_MACHINE.before(InviteStep.WITHDRAW))),
    )
    .values(state=InviteState.WITHDRAWN, event_id=_bind("event"))
)
PURGE_INVITES = Query(sa.delete(invite).where(invite.c.expires_at <= _bind("before", Moment())))

# --- passkeys and challenges -----------------------------------------------------------------------

# 0 rows: the credential is another account's.
INSERT_PASSKEY = insert_new(passkey)
PASSKEY_BY_CREDENTIAL = Query(
    sa.select(passkey).where(passkey.c.credential_id == _bind("credential", sa.LargeBinary()))
)
# No event: a use changes nothing that another decision depends on.
USE_PASSKEY = Query(
    sa.update(passkey)
    .where(passkey.c.id == _bind("key"))
    .values(sign_count=_bind("new_count", sa.BigInteger()), used_at=NOW)
)
DELETE_PASSKEYS = Query(sa.delete(passkey).where(passkey.c.account == _bind("whose")))

INSERT_CEREMONY = insert_row(ceremony)
_fits = (
    ceremony.c.id == _bind("key"),
    ceremony.c.purpose == _bind("wanted", Choice(CeremonyPurpose)),
    ceremony.c.expires_at > NOW,
)
CEREMONY = Query(sa.select(ceremony).where(*_fits))
# 0 rows: somebody has answered it before.
TAKE_CEREMONY = Query(sa.delete(ceremony).where(*_fits))
PURGE_CEREMONIES = Query(
    sa.delete(ceremony).where(ceremony.c.expires_at <= _bind("before", Moment()))
)

# --- logins ----------------------------------------------------------------------------------------

# 0 rows: the session has opened a login before.
INSERT_LOGIN = insert_new(login)
_is_live = (login.c.ended_at.is_(None), login.c.idle_until > NOW, login.c.expires_at > NOW)
LIVE_LOGIN = Query(
    sa.select(
        login.c.id,
        login.c.account,
        login.c.assurance,
        login.c.verified_at,
        login.c.created_at,
        login.c.idle_until,
        login.c.expires_at,
        account.c.kind,
        account.c.person,
        account.c.roles,
        account.c.tenant,
    )
    .join_from(login, account, login.c.account == account.c.id)
    .where(
        login.c.token_sha256 == _bind("digest", sa.LargeBinary()),
        account.c.state == AccountState.ACTIVE,
        *_is_live,
    )
)
# 0 rows: it ended between the look and the touch.
TOUCH_LOGIN = Query(
    sa.update(login)
    .where(login.c.id == _bind("key"), *_is_live)
    .values(idle_until=NOW + _bind("idle", Span()))
)
_end = {
    "ended_at": NOW,
    "ended_by": _bind("why", Choice(LoginEnd)),
    "event_id": _bind("event"),
}
END_LOGIN = Query(sa.update(login).where(login.c.id == _bind("key"), *_is_live).values(_end))
END_LOGINS = Query(
    sa.update(login)
    .where(login.c.account == _bind("whose"), login.c.ended_at.is_(None))
    .values(_end)
)
PURGE_LOGINS = Query(sa.delete(login).where(login.c.expires_at <= _bind("before", Moment())))

# --- proposals -------------------------------------------------------------------------------------

INSERT_PROPOSAL = insert_row(proposal)
PROPOSAL_BY_ID = Query(sa.select(proposal).where(proposal.c.id == _bind("key")))
OPEN_PROPOSALS = Query(
    sa.select(proposal)
    .where(proposal.c.state == ProposalState.OPEN, proposal.c.expires_at > NOW)
    .order_by(proposal.c.expires_at)
)
DUE_PROPOSALS = Query(
    sa.select(proposal.c.id, proposal.c.version)
    .where(proposal.c.state == ProposalState.OPEN, proposal.c.expires_at <= NOW)
    .limit(100)
)


def _decision(step: ProposalStep) -> Query:
    """Deciding is a compare-and-set: of two who decide, one wins, whatever each of them wants."""
    run_out = proposal.c.expires_at <= NOW
    return Query(
        sa.update(proposal)
        .where(
            proposal.c.id == _bind("key"),
            proposal.c.version == _bind("seen", sa.Integer()),
            proposal.c.state.in_(sorted(PROPOSAL_MACHINE.before(step))),
            run_out if step is ProposalStep.EXPIRE else sa.not_(run_out),
        )
        .values(
            state=PROPOSAL_MACHINE.after(ProposalState.OPEN, step),
            decided_by=_bind("decider"),
            version=proposal.c.version + 1,
            event_id=_bind("event"),
        )
    )


DECIDE = {step: _decision(step) for step in ProposalStep}

EVENT_PAIRS = [
    Query(sa.select(table.c.id, table.c.event_id))
    for table in (account, invite, passkey, login, proposal)
]
