"""The login of a browser: which grants end together, and whether a login may be used again (design §5.7).

There is no single sign-on by default. Where the operator admits it, a login is used again under every one of these:

1. it has not ended, and is younger than ``reuse_s``;
2. the client is of no FAPI profile;
3. the request demands nothing that only a fresh answer gives: no essential ``acr``, no age that it exceeds
   (``max_age=0`` among them), no prompt but ``none``, no approval, and no attribute: those are given on the phone;
4. the person is the one whom the hint names.
"""

import hashlib
import hmac
from datetime import datetime, timedelta
from typing import Any

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.federation.model.grant import Login
from inkan.federation.model.request import Asked
from inkan.federation.rules import LOGIN_LIFE
from inkan.federation.service.clients import RegisteredClient
from inkan.federation.service.parts import Parts, draw, hashed
from inkan.federation.store import logins as store
from inkan.kernel.ids import PersonID, new_id
from inkan.store.database import MOMENT, Step

_FRESH_PROMPTS = frozenset({"login", "consent", "select_account"})


class Remembered(msgspec.Struct, frozen=True):
    """A login, and the cookie that its browser is to have: None when it has it already."""

    login: Login
    cookie: str | None


def find(cookie: str) -> Step[Login | None]:
    """Step: the login of a browser's cookie that has not ended."""
    row = (yield store.OF_BROWSER.one(key=hashed(cookie))) if cookie else None
    return _read(row) if row else None


def remember(
    parts: Parts, person: PersonID, *, cookie: str, acr: str, amr: list[str], auth_time: datetime
) -> Step[Remembered]:
    """Step: the person has logged in in this browser: the same login while it is the same person's, else a new one."""
    moment = yield MOMENT
    known = yield from find(cookie)
    is_same = known is not None and hmac.compare_digest(known.person, person)
    fresh = None if is_same else draw()
    login = Login(
        id=known.id if known and is_same else new_id("lgn"),
        browser_sha256=hashed(fresh or cookie),
        person=person,
        acr=acr,
        amr=amr,
        auth_time=auth_time,
        reusable_until=auth_time + timedelta(seconds=parts.reuse_s) if parts.reuse_s else None,
    )
    event = yield from parts.audit.record(
        "federation.login_remembered", actor=Actor(ActorKind.PERSON, person), object=login.id
    )
    ends_at = moment + LOGIN_LIFE
    if is_same:
        yield store.RENEW.run(
            key=login.id,
            new_acr=acr,
            new_amr=amr,
            new_auth_time=auth_time,
            new_reusable_until=login.reusable_until,
            new_expires_at=ends_at,
            event=event,
        )
    else:
        values = msgspec.structs.asdict(login)
        yield store.INSERT.run(**values, ended_at=None, expires_at=ends_at, event_id=event)
    return Remembered(login=login, cookie=fresh)


def sid_of(login: str, client: str) -> str:
    """The session id of one client (OIDC Back-Channel Logout §2.1): one for a login, and no help to other clients."""
    mark = f"inkan-sid-v1\x00{login}\x00{client}".encode()
    return base64url.encode(hashlib.sha256(mark).digest())


def is_reusable(
    parts: Parts, login: Login, client: RegisteredClient, asked: Asked, *, now: datetime
) -> bool:
    """Whether a request may be answered by a login without asking the person; see the plan of this module."""
    until = login.reusable_until
    if not parts.reuse_s or until is None or until <= now or client.openid.is_fapi:  # 1, 2
        return False
    age = (now - login.auth_time).total_seconds()
    return not (  # 3
        asked.essential_acr
        or asked.authorization_details
        or _FRESH_PROMPTS.intersection(asked.prompt)
        or (asked.max_age is not None and age >= asked.max_age)
        or _wishes(asked)
    ) and _is_expected(parts, login, client, asked)  # 4


def _wishes(asked: Asked) -> bool:
    places = (asked.id_token_claims, asked.userinfo_claims)
    is_wished = any(place.plain or place.verified for place in places)
    return is_wished or not {"openid", "offline_access"}.issuperset(asked.scope)


def _is_expected(parts: Parts, login: Login, client: RegisteredClient, asked: Asked) -> bool:
    reference = parts.people.reference(PersonID(login.person), sector=client.system.sector)
    return not asked.login_hint or hmac.compare_digest(
        reference.encode(), asked.login_hint.encode()
    )


def _read(row: Any) -> Login:
    values = row._asdict()
    del values["ended_at"]
    return Login(**values)
