"""The use cases and steps of accounts: invite, log in, end; four eyes; how a browser carries a login."""

from inkan.accounts.service.accounts import Accounts
from inkan.accounts.service.browsers import (
    LOGIN_COOKIE,
    authenticator,
    end_browser_login,
    give_login,
    login_token,
    principal_of,
)
from inkan.accounts.service.inviting import INVITE_PATH
from inkan.accounts.service.parts import actor_of

__all__ = [
    "INVITE_PATH",
    "LOGIN_COOKIE",
    "Accounts",
    "actor_of",
    "authenticator",
    "end_browser_login",
    "give_login",
    "login_token",
    "principal_of",
]
