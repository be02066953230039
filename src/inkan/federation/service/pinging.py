"""Ping: the client is told that it may collect (CIBA Core §10.2); what there is to collect is not told.

The end of a session comes as an event through the outbox, at the moment at which the client itself could read it; so
a ping says no more than a poll would (design §5.4). A ping is a job of its own, which the next try repeats:

1. the grant still waits to be collected, and its client is registered for ping now;
2. the endpoint failed not long ago, or has enough of them under way: later;
3. it is called with the client's own token, by the one fetcher, which follows no redirect;
4. 2xx is done; 401, 403, every other 4xx, a redirect and an address inside are done too: asked again they would
   say the same, and the client can poll. What may pass, 408, 429, 5xx and silence, is tried again for ten minutes.
"""

import logging
from collections import Counter, OrderedDict
from typing import Final

import msgspec

from inkan.federation.model.backchannel import (
    Notification,
    PingJob,
    PingResting,
    PingUndelivered,
)
from inkan.federation.model.grant import Grant, GrantState
from inkan.federation.ports import Post
from inkan.federation.rules import (
    PING_CONCURRENCY,
    PING_DELIVERY,
    PING_LIFE,
    PING_REST_S,
    PING_TRIES,
    PINGS_AT_ONCE,
)
from inkan.federation.service import grants
from inkan.federation.service.parts import NOTIFICATION, Parts, active_system
from inkan.federation.store import grants as store
from inkan.identification import SessionEnded
from inkan.kernel.errors import Category, InkanError
from inkan.relying_parties import System
from inkan.store.database import Step
from inkan.store.outbox import Handler, Job, enqueue

PING_JOB: Final = "federation.ping"
_COLLECTABLE: Final = frozenset({GrantState.PENDING, GrantState.GRANTED, GrantState.DENIED})
_PASSING: Final = frozenset({408, 429})
_RESTING_LIMIT: Final = 10_000

_log = logging.getLogger(__name__)


class Pings:
    """Tells clients that there is something to collect.

    Attributes:
        handler: delivers the jobs; composition puts it into the outbox's table.
    """

    def __init__(self, parts: Parts, *, post: Post) -> None:
        self._parts = parts
        self._post = post
        self._rests: OrderedDict[str, float] = OrderedDict()
        self._under_way: Counter[str] = Counter()
        self.handler = Handler(
            self.deliver, concurrency=PING_CONCURRENCY, tries=PING_TRIES, life=PING_LIFE
        )

    async def on_session_ended(self, ended: SessionEnded) -> None:
        """Leave the job that tells the client, if this session's client wants to be told."""
        await self._parts.db.transact(_order, ended.session)

    async def deliver(self, job: Job) -> None:
        """Tell one client; see the plan of this module.

        Raises:
            PingResting: 2.
            PingUndelivered, FetchFailed, AnswerRefused: 4, to be tried again.
        """
        wanted = job.decode(PingJob)
        grant = await self._parts.db.read(grants.find, store.BY_ID, wanted.grant)  # 1
        if grant is None or grant.notification_token is None or grant.state not in _COLLECTABLE:
            return
        system = await active_system(self._parts, grant.client)
        endpoint = _endpoint_of(system)
        if not endpoint:
            return
        authority = endpoint.partition("://")[2].partition("/")[0]
        self._verify_awake(authority)  # 2
        self._under_way[authority] += 1
        try:
            await self._send(grant, endpoint)
        except InkanError as fault:
            if fault.category is not Category.UNAVAILABLE:
                _log.info("a notification endpoint is not called: %s", fault.code)
                return
            self._rest(authority)
            raise
        finally:
            self._under_way -= Counter((authority,))

    async def _send(self, grant: Grant, endpoint: str) -> None:
        sealed = grant.notification_token or b""
        told = msgspec.json.decode(
            self._parts.sealer.open(NOTIFICATION, grant.id, sealed).reveal(), type=Notification
        )
        heard = await self._post.request(  # 3
            "POST",
            endpoint,
            body=msgspec.json.encode({"auth_req_id": told.auth_req_id}),
            headers={
                "authorization": f"Bearer {told.token}",
                "content-type": "application/json",
            },
        )
        if heard.status in _PASSING or heard.status >= 500:  # 4
            raise PingUndelivered(str(heard.status))
        if not 200 <= heard.status < 300:
            _log.info("a notification endpoint answered %s and is not asked again", heard.status)

    def _verify_awake(self, authority: str) -> None:
        now = self._parts.clock.monotonic()
        if self._rests.get(authority, now) > now:
            raise PingResting(retry_after_s=PING_REST_S)
        if self._under_way[authority] >= PINGS_AT_ONCE:
            raise PingResting(retry_after_s=1)

    def _rest(self, authority: str) -> None:
        self._rests[authority] = self._parts.clock.monotonic() + PING_REST_S
        self._rests.move_to_end(authority)
        if len(self._rests) > _RESTING_LIMIT:
            self._rests.popitem(last=False)


def _order(session: str) -> Step[None]:
    grant = yield from grants.find(store.BY_SESSION, session)
    if grant is None or grant.notification_token is None:
        return
    yield from enqueue(PING_JOB, PingJob(grant=grant.id), key=f"{PING_JOB}:{grant.id}")


def _endpoint_of(system: System | None) -> str:
    """Where the client is told today; empty when it no longer is."""
    if system is None or system.openid is None:
        return ""
    if system.openid.backchannel_token_delivery_mode != PING_DELIVERY:
        return ""
    return system.openid.backchannel_client_notification_endpoint
