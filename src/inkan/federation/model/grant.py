"""The grant: one transaction object behind code, ``auth_req_id`` and ``device_code``."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from inkan.federation.model.request import Asked
from inkan.kernel.ids import SessionID, SystemID


class GrantKind(StrEnum):
    """How the client takes the answer."""

    CODE = "code"
    CIBA = "ciba"
    DEVICE = "device"


class GrantState(StrEnum):
    """Where a grant stands."""

    PENDING = "pending"  # nobody answered yet
    GRANTED = "granted"  # answered; the code, auth_req_id or device_code is not used yet
    USED = "used"  # tokens were issued
    DENIED = "denied"  # refused, failed, cancelled or out of time
    REVOKED = "revoked"  # everything issued from it is dead


class GrantEvent(StrEnum):
    """What happens to a grant."""

    ANSWER = "answer"
    DENY = "deny"
    USE = "use"
    REVOKE = "revoke"


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """One row; the defaults are those of one that nobody has answered.

    Attributes:
        client: the ``client_id``, a system's code.
        session: where the person answers; None before a device's code was confirmed, and for a login used again.
        browser_sha256: hash of the cookie of the browser that began (code), which alone finishes.
        login: the browser's login that it belongs to; what ends together.
        sid: session id of this client in tokens (OIDC Back-Channel Logout §2.1); says nothing to other clients.
        sub: pairwise reference of the person who answered.
        acr, amr: what happened, by the tables of rules.
        jkt, x5t: key that the tokens are bound to.
        scope: granted; may be less than asked.
        refresh_sha256: hash of the refresh token in force.
        expires_at: of all that may be issued from it.
    """

    id: str
    kind: GrantKind
    state: GrantState = GrantState.PENDING
    system: SystemID
    client: str
    session: SessionID | None = None
    asked: Asked
    handle_sha256: str | None = None
    handle_expires_at: datetime
    user_code_sha256: str | None = None
    interval_s: int = 0
    polled_at: datetime | None = None
    notification_token: bytes | None = None
    browser_sha256: str | None = None
    login: str | None = None
    sid: str | None = None
    sub: str | None = None
    acr: str = ""
    amr: list[str] = []
    auth_time: datetime | None = None
    jkt: str | None = None
    x5t: str | None = None
    scope: list[str] = []
    refresh_sha256: str | None = None
    created_at: datetime
    expires_at: datetime
    version: int = 1


class Answered(msgspec.Struct, frozen=True):
    """What the phone's answer gave, kept sealed with the grant until it ends.

    Attributes:
        claims: attribute codes to values, as released (``wire.claims``).
        view: the session view at release, without claims: binding, door, back end, young, times.
        receipt: the receipt's JWS for approvals and signatures that ``authorization_details`` asked; else None.
    """

    claims: dict[str, Any]
    view: dict[str, Any]
    receipt: str | None = None


class Login(msgspec.Struct, frozen=True):
    """A login of one browser: what it may use again, and what ends together.

    Attributes:
        reusable_until: until when another client may take this login without a new answer; None: never.
    """

    id: str
    browser_sha256: str
    person: str
    acr: str
    amr: list[str]
    auth_time: datetime
    reusable_until: datetime | None
