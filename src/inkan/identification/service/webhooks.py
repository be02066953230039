"""Webhooks: telling a relying party's registered address that a session changed (design §5.5).

A change and its note are one transaction: the note is a job of the outbox. The job says what to tell and whom, in
plain values; nothing is looked up when it is sent, so a purged session or a changed registration breaks nothing. A
note is delivered when the address answers 2xx. Else it is sent again, signed afresh, after a growing pause of at
most an hour, and lies among the dead after a day.

An address that fails rests for a while: its notes wait without a connection, so that one dead receiver, which keeps
each try for five seconds, does not hold up the others.
"""

from datetime import timedelta
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.crypto import base64url, jwk
from inkan.crypto.foreign_keys import signing
from inkan.identification.model import WebhookResting, WebhookUndelivered
from inkan.identification.ports import Post
from inkan.kernel.clock import Clock, rfc3339
from inkan.kernel.ids import new_id, random_bytes
from inkan.store.database import MOMENT, Step
from inkan.store.outbox import Handler, Job, enqueue
from inkan.store.outbox.resting import Resting
from inkan.wire.session import SessionState
from inkan.wire.webhook import METHOD, Webhook, sign_webhook, webhook_bytes

JOB: Final = "identification.webhook"
LIFE: Final = timedelta(hours=24)
"""How long a delivery is tried."""
TRIES: Final = 96
"""More than the pauses leave room for within a day; the life ends a delivery, not the count."""
CONCURRENCY: Final = 32


class WebhookJob(msgspec.Struct, frozen=True):
    """What is to be told, and where."""

    delivery: str
    session: str
    state: str
    at: str
    url: str


def announce(session: str, state: str, url: str) -> Step[None]:
    """Step: tell ``url`` after COMMIT that ``session`` is now in ``state``.

    Whoever calls it asks first whether a reader may see the change (a session by person hint shows none before its
    release or end); a webhook must not say more than a GET at the same moment would.

    Args:
        session: its id.
        state: a value of :class:`~inkan.wire.session.SessionState`.
        url: the registered address that the session named.
    """
    moment = yield MOMENT
    told = WebhookJob(
        delivery=new_id("whd"),
        session=session,
        state=str(SessionState(state)),
        at=rfc3339(moment),
        url=url,
    )
    yield from enqueue(JOB, told)


class WebhookSender:
    """Signs notes and carries them out.

    Attributes:
        handler: delivers the jobs of :func:`announce`; composition puts it into the outbox's table.
    """

    def __init__(self, *, post: Post, key: EllipticCurvePrivateKey, clock: Clock) -> None:
        """``key`` is a P-256 key for webhooks alone; ``clock`` gives true time (``wire_now``)."""
        self._post = post
        self._key = key
        self._clock = clock
        self._keyid = jwk.thumbprint(key.public_key())
        self._resting = Resting(clock, refusal=WebhookResting)
        self.handler = Handler(self.deliver, concurrency=CONCURRENCY, tries=TRIES, life=LIFE)

    def jwks(self) -> bytes:
        """The key set that receivers check webhooks with (RFC 7517 §5); the thumbprint is the ``kid``."""
        members = {"alg": "ES256", "kid": self._keyid, "use": "sig"}
        return msgspec.json.encode({"keys": [jwk.to_jwk(self._key.public_key()) | members]})

    async def deliver(self, job: Job) -> None:
        """Send one note; returns when the address took it.

        Raises:
            WebhookResting: the address failed shortly before.
            WebhookUndelivered: it answered, and not with 2xx.
            TargetRefused, FetchFailed, AnswerRefused: it was not called, or gave no usable answer.
        """
        told = job.decode(WebhookJob)
        receiver = told.url.partition("://")[2].partition("/")[0]
        await self._resting.attempt(receiver, lambda: self._send(told))

    async def _send(self, told: WebhookJob) -> None:
        state = SessionState(told.state)
        body = webhook_bytes(
            Webhook(v=1, id=told.delivery, session=told.session, state=state, at=told.at)
        )
        nonce = base64url.encode(random_bytes(16))
        now = self._clock.wire_now()
        headers = await signing(
            self._key,
            lambda: sign_webhook(
                told.url, body, self._key, keyid=self._keyid, nonce=nonce, now=now
            ),
        )
        heard = await self._post.request(METHOD, told.url, body=body, headers=headers)
        if not 200 <= heard.status < 300:
            raise WebhookUndelivered(str(heard.status))
