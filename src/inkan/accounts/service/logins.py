"""Logins: opened with a fresh token, found while they live, ended for good (threat 26).

A token is never reused: every login and every step-up makes a new one and ends the old, so a token that was
planted or overheard before is worth nothing afterwards.
"""

from datetime import datetime, timedelta
from typing import Any

from msgspec import structs

from inkan.accounts import store
from inkan.accounts.model import AnswerUsed, Login, LoginEnd, LoginToken
from inkan.accounts.rules import LOGIN_RULES, TOUCH_AFTER
from inkan.accounts.service.parts import (
    Parts,
    actor_for,
    actor_of,
    digest_of,
    new_token,
    read_login,
)
from inkan.kernel.ids import SessionID, new_id
from inkan.store.database import MOMENT, Step
from inkan.web.principal import Assurance


def open_login(
    parts: Parts,
    account: Any,
    *,
    assurance: Assurance,
    replaces: str | None,
    session: SessionID | None = None,
    details: dict[str, Any] | None = None,
) -> Step[LoginToken]:
    """Step: log a browser in and end what it, or for staff any other browser, was logged in by.

    Args:
        parts: the feature's dependencies.
        account: the account's row, held until COMMIT.
        assurance: how it was proved.
        replaces: the token that the browser held before; the same account's makes this a step-up.
        session: that proved a person; None for staff.
        details: for the audit.

    Raises:
        AnswerUsed: the session has opened a login before.
    """
    rules = LOGIN_RULES[account.kind]
    before = (yield from find_login(replaces)) if replaces else None
    stepped_up = before is not None and before.account == account.id
    login_id = new_id("lgn")
    event = yield from parts.audit.record(
        "accounts.stepped_up" if stepped_up else "accounts.logged_in",
        actor=actor_for(account.kind, account=account.id, person=account.person),
        subject=account.person or account.id,
        object=login_id,
        details={"assurance": assurance.name.lower()} | (details or {}),
    )
    if before is not None:
        yield store.END_LOGIN.run(key=before.id, why=LoginEnd.STEPPED_UP, event=event)
    if rules.single:
        yield store.END_LOGINS.run(whose=account.id, why=LoginEnd.SECOND_LOGIN, event=event)
    token = yield from _insert(account, login_id, assurance, session, event)
    if rules.told and not stepped_up:
        yield from parts.notices.notify(account.id, "login", {})
    return token


def _insert(
    account: Any, login_id: str, assurance: Assurance, session: SessionID | None, event: str
) -> Step[LoginToken]:
    rules = LOGIN_RULES[account.kind]
    moment = yield MOMENT
    token = new_token()
    row: dict[str, Any] = {
        "id": login_id,
        "account": account.id,
        "session": session,
        "assurance": assurance.value,
        "verified_at": moment,
        "created_at": moment,
        "idle_until": moment + rules.idle,
        "expires_at": moment + rules.absolute,
    }
    digest = digest_of(token.reveal())
    opened = yield store.INSERT_LOGIN.run(
        **row, token_sha256=digest, ended_at=None, ended_by=None, event_id=event
    )
    if not opened:
        raise AnswerUsed
    return LoginToken(token=token, login=read_login((yield store.LIVE_LOGIN.one(digest=digest))))


def find_login(token: str) -> Step[Login | None]:
    """Step: the login of a token, None when it has ended by whatever cause."""
    row = yield store.LIVE_LOGIN.one(digest=digest_of(token))
    return None if row is None else read_login(row)


async def use_login(parts: Parts, token: str) -> Login | None:
    """The login of a token, its idle clock wound up; None when it has ended by whatever cause."""
    login = await parts.db.read(find_login, token)
    if login is None:
        return None
    idle = LOGIN_RULES[login.kind].idle
    if login.idle_until - parts.db.now() > idle - TOUCH_AFTER:
        return login
    until = await parts.db.transact(_touch, login.id, idle)
    return None if until is None else structs.replace(login, idle_until=until)


def _touch(login_id: str, idle: timedelta) -> Step[datetime | None]:
    moment: datetime = yield MOMENT
    touched = yield store.TOUCH_LOGIN.run(key=login_id, idle=idle)
    return moment + idle if touched else None


def log_out(parts: Parts, token: str) -> Step[bool]:
    """Step: end the login of a token; False when it had ended before."""
    login = yield from find_login(token)
    if login is None:
        return False
    event = yield from parts.audit.record(
        "accounts.logged_out",
        actor=actor_of(login),
        subject=login.person or login.account,
        object=login.id,
    )
    ended: int = yield store.END_LOGIN.run(key=login.id, why=LoginEnd.LOGOUT, event=event)
    return ended == 1


def end_logins(account_id: str, *, why: LoginEnd, event: str) -> Step[int]:
    """Step: end every login of an account, on the event that takes its rights away."""
    ended: int = yield store.END_LOGINS.run(whose=account_id, why=why, event=event)
    return ended
