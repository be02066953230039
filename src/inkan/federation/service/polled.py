"""A new grant that its client polls for: by ``auth_req_id`` or ``device_code``."""

from datetime import datetime, timedelta
from typing import Final

from inkan.federation.model.grant import Grant, GrantKind
from inkan.federation.model.request import Asked
from inkan.federation.rules import COLLECT_LIFE, POLL_INTERVAL_S
from inkan.federation.service.parts import hashed
from inkan.kernel.ids import SessionID
from inkan.relying_parties import Client

AFTERLIFE: Final = timedelta(hours=1)
"""How long a grant that nobody collected is still known, so that its client hears why."""


def polled(
    grant_id: str,
    kind: GrantKind,
    client: Client,
    *,
    asked: Asked,
    handle: str,
    now: datetime,
    ends_at: datetime,
    session: SessionID | None = None,
    user_code_sha256: str | None = None,
    notification: bytes | None = None,
) -> Grant:
    """A pending grant.

    Args:
        grant_id: its id.
        kind: how the client takes the answer.
        client: who asks.
        asked: what for.
        handle: what the client polls with; only its hash is kept.
        now: when it begins.
        ends_at: until when the person may answer.
        session: where the person answers, if that is known.
        user_code_sha256: keyed hash of what the device shows.
        notification: sealed; what a ping brings.
    """
    handle_ends_at = ends_at + COLLECT_LIFE
    return Grant(
        id=grant_id,
        kind=kind,
        system=client.system.id,
        client=client.code,
        session=session,
        asked=asked,
        handle_sha256=hashed(handle),
        handle_expires_at=handle_ends_at,
        user_code_sha256=user_code_sha256,
        interval_s=POLL_INTERVAL_S,
        notification_token=notification,
        scope=asked.scope,
        created_at=now,
        expires_at=handle_ends_at + AFTERLIFE,
    )
