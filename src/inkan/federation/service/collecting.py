"""A client comes for what was answered elsewhere: polling by ``auth_req_id`` or ``device_code``.

Numbered plan:

1. the handle is one of this client and this kind of grant; unknown, used, revoked and another's get one answer;
2. its time has not passed;
3. the client waited for the interval; a hasty one waits five seconds longer from then on (RFC 8628 §3.5);
4. a pending grant looks at its session as the client itself would: behind the veil of design §5.4 that says
   nothing until a good end or the expiry, and neither does this;
5. an answer is collected once: the rival of it finds the grant used.
"""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

import msgspec

from inkan.federation.model.grant import Grant, GrantKind, GrantState
from inkan.federation.model.refusals import (
    AnswerDenied,
    AuthorizationPending,
    GrantRefused,
    HandleExpired,
    PollTooOften,
)
from inkan.federation.rules import COLLECT_LIFE, POLL_LEEWAY, SLOW_DOWN_S
from inkan.federation.service import completing, grants
from inkan.federation.service.parts import Parts, hashed
from inkan.federation.store import grants as store
from inkan.identification import BindingView, SessionNotFound
from inkan.relying_parties import Client
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import BindingLevel
from inkan.wire.session import SessionState

_ENDED: Final = frozenset({SessionState.CLOSED, SessionState.CANCELLED})


class Polled(msgspec.Struct, frozen=True):
    """A grant, and whether its client came too soon."""

    grant: Grant
    is_hasty: bool
    now: datetime


async def collect(parts: Parts, handle: str, kind: GrantKind, client: Client) -> Grant:
    """The grant that tokens are issued from now; see the plan of this module.

    Raises:
        GrantRefused, HandleExpired, PollTooOften, AuthorizationPending, AnswerDenied: 1 to 5.
    """
    polled = await parts.db.transact(_poll, handle, kind, client)  # 1 to 3
    if polled.is_hasty:
        raise PollTooOften()
    grant = await settle(parts, polled.grant)  # 4
    if grant.state is GrantState.PENDING:
        raise HandleExpired() if polled.now >= answer_ends_at(grant) else AuthorizationPending()
    if grant.state is GrantState.DENIED:
        raise AnswerDenied()
    if grant.state is not GrantState.GRANTED:
        raise GrantRefused(f"it is {grant.state}")
    return grant


def _poll(handle: str, kind: GrantKind, client: Client) -> Step[Polled]:
    moment: datetime = yield MOMENT
    grant = yield from grants.find(store.BY_HANDLE, hashed(handle))
    if grant is None or grant.kind is not kind or grant.system != client.system.id:  # 1
        raise GrantRefused()
    if grant.state in (GrantState.USED, GrantState.REVOKED):
        raise GrantRefused(f"it is {grant.state}")
    if grant.handle_expires_at <= moment:  # 2
        raise HandleExpired()
    before = moment - timedelta(seconds=grant.interval_s) + POLL_LEEWAY
    on_time = yield store.POLL.run(key=grant.id, before=before, new_polled_at=moment)  # 3
    if not on_time:
        yield store.SLOW_DOWN.run(key=grant.id, more=SLOW_DOWN_S, new_polled_at=moment)
    return Polled(grant=grant, is_hasty=not on_time, now=moment)


def answer_ends_at(grant: Grant) -> datetime:
    """Until when the person may answer: what the client was told when it began."""
    return grant.handle_expires_at - COLLECT_LIFE


async def settle(parts: Parts, grant: Grant) -> Grant:
    """The grant as its session has it now: granted, denied, or still pending.

    Raises:
        HandleExpired: the session is over without an answer.
    """
    if grant.state is not GrantState.PENDING or grant.session is None:
        return grant
    try:
        view, _ = await parts.identification.get(grant.session, system=grant.system)
    except SessionNotFound:
        raise HandleExpired() from None
    if view.state is SessionState.EXPIRED:
        raise HandleExpired()
    if view.state not in _ENDED:
        return grant
    if grant.kind is GrantKind.DEVICE and view.binding is not None:
        # RFC 8628 §5.4: what ties the answer to a browser ties it to no device that polls.
        view = msgspec.structs.replace(view, binding=BindingView(BindingLevel.NONE, []))
    with suppress(GrantRefused):  # a rival completed it first
        return await parts.db.transact(completing.complete, parts, grant, view)
    found = await parts.db.read(grants.find, store.BY_ID, grant.id)
    if found is None:
        raise HandleExpired()
    return found
