"""Back-channel logout: telling a client that a login of it has ended (OIDC Back-Channel Logout 1.0).

The end and its notice are one transaction: the notice is a job of the outbox that says all it needs. Its token is
made at each try, with a fresh ``jti`` and a fresh term: a client that took the notice and whose answer was lost would
otherwise refuse the repetition as a replay (§2.6 step 9).
"""

from typing import Final
from urllib.parse import urlencode

import msgspec

from inkan.crypto.jose import Algorithm
from inkan.federation.rules import (
    DELIVERY_LIFE,
    DELIVERY_TRIES,
    LOGOUT_DELIVERED,
    LOGOUT_EVENT,
    LOGOUT_TOKEN_LIFE,
    LOGOUT_TOKEN_TYP,
)
from inkan.federation.service.issuing import id_token_alg
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import draw
from inkan.federation.service.sending import Sending
from inkan.kernel.clock import Clock, to_seconds
from inkan.relying_parties import System
from inkan.store.database import Step
from inkan.store.outbox import Handler, Job, enqueue

JOB: Final = "federation.logout"
CONCURRENCY: Final = 16


class LogoutJob(msgspec.Struct, frozen=True):
    """Whom to tell that which login ended.

    Attributes:
        alg: of the client's ID tokens, hence of its logout tokens (§2.4).
        sid: empty for every session of the person at this client.
    """

    url: str
    client: str
    alg: str
    sub: str
    sid: str


def announce(system: System, *, sub: str, sid: str) -> Step[None]:
    """Step: tell the client after COMMIT; nothing when it registered no address."""
    openid = system.openid
    if openid is None or not openid.backchannel_logout_uri:
        return
    told = LogoutJob(
        url=openid.backchannel_logout_uri,
        client=system.code,
        alg=str(id_token_alg(openid)),
        sub=sub,
        sid=sid,
    )
    yield from enqueue(JOB, told, key=f"{JOB}:{system.code}:{sub}:{sid}")


class LogoutNotices:
    """Signs logout tokens and carries them out.

    Attributes:
        handler: delivers the jobs of :func:`announce`; composition puts it into the outbox's table.
    """

    def __init__(self, *, issuer: str, keys: Keys, sending: Sending, clock: Clock) -> None:
        self._issuer = issuer
        self._keys = keys
        self._sending = sending
        self._clock = clock
        self.handler = Handler(
            self.deliver, concurrency=CONCURRENCY, tries=DELIVERY_TRIES, life=DELIVERY_LIFE
        )

    async def deliver(self, job: Job) -> None:
        """Send one notice; returns when the client took it.

        Raises:
            InkanError: see :meth:`Sending.send`; the outbox tries again.
        """
        told = job.decode(LogoutJob)
        token = await self._keys.sign(
            self._claims(told), typ=LOGOUT_TOKEN_TYP, alg=Algorithm(told.alg)
        )
        await self._sending.send(
            told.url,
            body=urlencode({"logout_token": token}).encode(),
            headers={"content-type": "application/x-www-form-urlencoded"},
            delivered=LOGOUT_DELIVERED,
        )

    def _claims(self, told: LogoutJob) -> bytes:
        """§2.4; there is never a ``nonce``, so that no logout token passes as an ID token."""
        now = to_seconds(self._clock.wire_now())
        claims = {
            "iss": self._issuer,
            "aud": told.client,
            "iat": now,
            "exp": now + int(LOGOUT_TOKEN_LIFE.total_seconds()),
            "jti": draw(),
            "sub": told.sub,
            "events": {LOGOUT_EVENT: {}},
        }
        return msgspec.json.encode(claims | ({"sid": told.sid} if told.sid else {}))


__all__ = ["JOB", "LogoutJob", "LogoutNotices", "announce"]
