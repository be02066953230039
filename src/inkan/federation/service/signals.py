"""Signals: security events for the streams of those who know the person, and their delivery (RFC 8417, RFC 8935).

A signal is a row and a job of one transaction. Its ``jti`` comes from what happened and from the stream, so what is
reported twice is one row, and what is sent twice is one event to its receiver. Two receivers see nothing in common:
no ``jti``, no ``txn``, no certificate, and each its own reference of the person.
"""

from datetime import datetime
from typing import Any, Final

import msgspec

from inkan.audit import Actor, ActorKind
from inkan.crypto.jose import Algorithm
from inkan.federation.model.streams import Signal, SignalType, Stream, StreamStatus
from inkan.federation.rules import (
    DELIVERY_LIFE,
    DELIVERY_TRIES,
    SET_DELIVERED,
    SET_TYP,
    SIGNAL_KEPT,
    SUPPORTED,
)
from inkan.federation.service.issuing import id_token_alg
from inkan.federation.service.keys import Keys
from inkan.federation.service.parts import AUTHORIZATION, Parts, hashed
from inkan.federation.service.sending import Sending
from inkan.federation.store import streams as store
from inkan.kernel.clock import to_seconds
from inkan.kernel.ids import SystemID
from inkan.relying_parties import System
from inkan.store.database import MOMENT, Step
from inkan.store.outbox import Handler, Job, enqueue

JOB: Final = "federation.signal"
CONCURRENCY: Final = 16
TRANSMITTER: Final = Actor(ActorKind.PLATFORM, "signals")
DEFAULT_ALG: Final = Algorithm.RS256
"""What every receiver reads; a client that registered ES256 for its ID tokens gets that."""


class SignalJob(msgspec.Struct, frozen=True):
    """Which signal is to be sent."""

    jti: str


def delivered_of(stream: Stream) -> list[str]:
    """``events_delivered``: what was requested and is supported, in the transmitter's order."""
    requested = stream.events_requested
    return [str(each) for each in SUPPORTED if requested is None or each in requested]


def emit(
    parts: Parts,
    stream: Stream,
    type_: SignalType,
    *,
    occurred_at: datetime,
    cause: str,
    subject: str = "",
    sid: str = "",
    claims: dict[str, Any] | None = None,
) -> Step[None]:
    """Step: let the receiver of a stream know after COMMIT, once for each ``cause``.

    Nothing happens when the stream is disabled, or its receiver did not request this type.

    Args:
        parts: of the feature.
        stream: of the receiver.
        type_: of the event.
        occurred_at: when it happened, by the instance's time.
        cause: opaque name of what happened; the same cause is the same signal.
        subject: the receiver's own reference of the person; empty for an event about the stream.
        sid: of the session that it is about.
        claims: members of the event.
    """
    wanted = type_ is SignalType.VERIFICATION or type_ in delivered_of(stream)
    if stream.status is StreamStatus.DISABLED or not wanted:
        return
    jti = hashed(f"inkan-signal-v1\0{stream.id}\0{type_}\0{cause}")
    known = yield store.KNOWN_SIGNAL.one(key=jti)
    if known is not None:
        return
    event = yield from parts.audit.record(
        "federation.signal_written", actor=TRANSMITTER, object=stream.id, details={"type": type_}
    )
    moment = yield MOMENT
    yield store.INSERT_SIGNAL.run(
        jti=jti,
        stream=stream.id,
        type=str(type_),
        subject=subject,
        sid=sid,
        claims=claims or {},
        occurred_at=occurred_at,
        sent_at=None,
        expires_at=moment + SIGNAL_KEPT,
        event_id=event,
    )
    if stream.status is StreamStatus.ENABLED:
        yield from order(jti)


def order(jti: str) -> Step[None]:
    """Step: send that signal after COMMIT."""
    yield from enqueue(JOB, SignalJob(jti=jti), key=f"{JOB}:{jti}")


class Signals:
    """Signs security event tokens and carries them out.

    Attributes:
        handler: delivers the jobs of :func:`emit`; composition puts it into the outbox's table.
    """

    def __init__(self, parts: Parts, *, keys: Keys, sending: Sending) -> None:
        self._parts = parts
        self._keys = keys
        self._sending = sending
        self.handler = Handler(
            self.deliver, concurrency=CONCURRENCY, tries=DELIVERY_TRIES, life=DELIVERY_LIFE
        )

    async def deliver(self, job: Job) -> None:
        """Send one signal; returns when the receiver took it, or when its stream is no longer enabled.

        A paused stream keeps the row, and orders it again when it is enabled.

        Raises:
            InkanError: see :meth:`Sending.send`; the outbox tries again.
        """
        jti = job.decode(SignalJob).jti
        row = await self._parts.db.read(_unsent, jti)
        if row is None or row.status != StreamStatus.ENABLED:
            return
        system = await self._parts.db.read(self._parts.relying_parties.system, SystemID(row.system))
        token = await self._keys.sign(
            self._claims(read_signal(row), row.audience), typ=SET_TYP, alg=_alg(system)
        )
        await self._sending.send(
            row.endpoint_url,
            body=token.encode(),
            headers=self._headers(row),
            delivered=SET_DELIVERED,
        )
        await self._parts.db.transact(_sent, jti)

    def _headers(self, row: Any) -> dict[str, str]:
        headers = {"content-type": "application/secevent+jwt", "accept": "application/json"}
        if row.authorization is not None:
            opened = self._parts.sealer.open_text(AUTHORIZATION, row.stream, row.authorization)
            headers["authorization"] = opened.reveal()
        return headers

    def _claims(self, signal: Signal, audience: str) -> bytes:
        """RFC 8417 §2.2 and SSF: one event, ``sub_id`` at the top, neither ``sub`` nor ``exp``."""
        clock = self._parts.clock
        event = dict(signal.claims)
        if signal.type is not SignalType.VERIFICATION:
            # True time, as everywhere in the token; the instance may be ahead of it outside production.
            event["event_timestamp"] = to_seconds(signal.occurred_at - clock.offset)
        claims = {
            "iss": self._parts.issuer,
            "aud": audience,
            "iat": to_seconds(clock.wire_now()),
            "jti": signal.jti,
            "sub_id": self._subject(signal),
            "events": {str(signal.type): event},
        }
        return msgspec.json.encode(claims)

    def _subject(self, signal: Signal) -> dict[str, Any]:
        """RFC 9493: the stream itself, the person, or one session of the person."""
        if not signal.subject:
            return {"format": "opaque", "id": signal.sid}
        user = {"format": "iss_sub", "iss": self._parts.issuer, "sub": signal.subject}
        if not signal.sid:
            return user
        session = {"format": "opaque", "id": signal.sid}
        return {"format": "complex", "user": user, "session": session}


def read_signal(row: Any) -> Signal:
    """The signal of a row."""
    return Signal(
        jti=row.jti,
        type=SignalType(row.type),
        subject=row.subject,
        sid=row.sid,
        claims=row.claims,
        occurred_at=row.occurred_at,
    )


def _alg(system: System | None) -> Algorithm:
    if system is None or system.openid is None:
        return DEFAULT_ALG
    return id_token_alg(system.openid)


def _unsent(jti: str) -> Step[Any]:
    return (yield store.UNSENT_SIGNAL.one(key=jti))


def _sent(jti: str) -> Step[None]:
    moment = yield MOMENT
    yield store.SENT.run(key=jti, new_sent_at=moment)
