"""Streams: what a receiver does with its own (SSF, Event Stream Management API).

A system has one stream. Whoever it knows is in it: there is nobody to add or remove, and no answer says whether a
person is known here.
"""

import math
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import UNSET

from inkan.audit import Actor, ActorKind
from inkan.federation.model.streams import (
    PUSH_METHOD,
    Delivery,
    SignalType,
    StatusOrder,
    StatusView,
    Stream,
    StreamChange,
    StreamDisabled,
    StreamExists,
    StreamMoved,
    StreamNotFound,
    StreamOrder,
    StreamRefused,
    StreamReplacement,
    StreamStatus,
    StreamView,
    VerificationOrder,
    VerificationTooOften,
)
from inkan.federation.rules import DELIVERY_LIFE, SUPPORTED, VERIFICATION_INTERVAL
from inkan.federation.service.parts import AUTHORIZATION, Parts, draw
from inkan.federation.service.signals import delivered_of, emit, order
from inkan.federation.store import streams as store
from inkan.kernel.ids import EventID, SystemID, new_id
from inkan.people import verify_free_text
from inkan.relying_parties import System, is_address, is_within
from inkan.store.database import MOMENT, Step

_SUPPORTED: Final = [str(each) for each in SUPPORTED]
_INTERVAL_S: Final = int(VERIFICATION_INTERVAL.total_seconds())


class Streams:
    """The streams of one instance."""

    def __init__(self, parts: Parts, *, loopback: bool) -> None:
        """``loopback`` admits addresses of this very machine; never in production."""
        self._parts = parts
        self._loopback = loopback

    def configuration(self) -> dict[str, Any]:
        """The transmitter's metadata (SSF, Transmitter Configuration Metadata); only what works is in it."""
        issuer = self._parts.issuer
        return {
            "spec_version": "1_0",
            "issuer": issuer,
            "jwks_uri": f"{issuer}/openid/jwks",
            "delivery_methods_supported": [PUSH_METHOD],
            "configuration_endpoint": f"{issuer}/ssf/streams",
            "status_endpoint": f"{issuer}/ssf/status",
            "verification_endpoint": f"{issuer}/ssf/verify",
            # OAuth 2.0, and DPoP for systems whose tokens are bound to a key.
            "authorization_schemes": [
                {"spec_urn": "urn:ietf:rfc:6749"},
                {"spec_urn": "urn:ietf:rfc:9449"},
            ],
            "default_subjects": "ALL",
        }

    async def create(self, system: System, wanted: StreamOrder) -> StreamView:
        """Begin a stream.

        Raises:
            StreamRefused: the address is not one of the system's domain.
            StreamExists: the system has one.
            MyNumberRefused: the description holds one (WAT-62).
        """
        self._verify_address(system, wanted.delivery)
        verify_free_text(wanted.description, where="/description")
        stream_id = new_id("stm")
        stream = Stream(
            id=stream_id,
            system=system.id,
            audience=system.code,
            status=StreamStatus.ENABLED,
            endpoint_url=wanted.delivery.endpoint_url,
            authorization=self._sealed(stream_id, wanted.delivery),
            events_requested=_or_none(wanted.events_requested),
            description=wanted.description,
            created_at=self._parts.clock.now(),
            verified_at=None,
            version=1,
        )
        await self._parts.db.transact(self._create, stream)
        return self._view(stream)

    async def read(self, system: System, stream_id: str) -> StreamView:
        """One stream's configuration.

        Raises:
            StreamNotFound: unknown, or another system's: one answer.
        """
        return self._view(await self._parts.db.read(_own, system.id, stream_id))

    async def every(self, system: System) -> list[StreamView]:
        """The configurations of the system's streams: one or none."""
        stream = await self._parts.db.read(_of_system, system.id)
        return [] if stream is None else [self._view(stream)]

    async def change(self, system: System, wanted: StreamChange) -> StreamView:
        """Change what the request names.

        Raises:
            StreamNotFound, StreamRefused, StreamMoved: see their texts.
        """

        def changed(stream: Stream) -> Stream:
            values: dict[str, Any] = {}
            if wanted.delivery is not UNSET:
                values |= self._delivery(system, stream, wanted.delivery)
            if wanted.events_requested is not UNSET:
                values["events_requested"] = wanted.events_requested
            if wanted.description is not UNSET:
                values["description"] = verify_free_text(wanted.description, where="/description")
            return msgspec.structs.replace(stream, **values)

        return await self._configure(system, wanted, changed)

    async def replace(self, system: System, wanted: StreamReplacement) -> StreamView:
        """Put a whole configuration in the place of the present one.

        Raises:
            StreamNotFound, StreamRefused, StreamMoved: see their texts.
        """

        def changed(stream: Stream) -> Stream:
            return msgspec.structs.replace(
                stream,
                **self._delivery(system, stream, wanted.delivery),
                events_requested=_or_none(wanted.events_requested),
                description=verify_free_text(wanted.description, where="/description"),
            )

        return await self._configure(system, wanted, changed)

    async def delete(self, system: System, stream_id: str) -> None:
        """End a stream and forget its events.

        Raises:
            StreamNotFound, StreamMoved: see their texts.
        """
        await self._parts.db.transact(self._delete, system.id, stream_id)

    async def status(self, system: System, stream_id: str) -> StatusView:
        """A stream's status.

        Raises:
            StreamNotFound: unknown, or another system's.
        """
        stream = await self._parts.db.read(_own, system.id, stream_id)
        return StatusView(stream_id=stream.id, status=stream.status)

    async def set_status(self, system: System, wanted: StatusOrder) -> StatusView:
        """Pause, disable or enable; what a pause kept is sent in its order, what a disabled stream held is forgotten.

        Raises:
            StreamNotFound, StreamMoved: see their texts.
        """
        return await self._parts.db.transact(self._set_status, system.id, wanted)

    async def verify(self, system: System, wanted: VerificationOrder) -> None:
        """Send a verification event with the receiver's ``state``.

        Raises:
            StreamNotFound, StreamMoved, StreamDisabled, VerificationTooOften: see their texts.
        """
        await self._parts.db.transact(self._verify, system.id, wanted)

    async def sweep(self) -> None:
        """Forget what was kept for thirty days, and order what an enabled stream has not got; a schedule's work.

        A signal that was written while its stream was being enabled has no job; the order of one that waits adds
        nothing.
        """
        await self._parts.db.transact(_sweep)

    # --- steps -----------------------------------------------------------------------------------

    def _create(self, stream: Stream) -> Step[None]:
        event = yield from self._record("created", stream)
        values = msgspec.structs.asdict(stream) | {"status": str(stream.status)}
        made = yield store.INSERT.run(**values, event_id=event)
        if not made:
            raise StreamExists()

    async def _configure(
        self,
        system: System,
        wanted: StreamChange | StreamReplacement,
        changed: Callable[[Stream], Stream],
    ) -> StreamView:
        return self._view(
            await self._parts.db.transact(self._set_configuration, system.id, wanted, changed)
        )

    def _set_configuration(
        self,
        system: SystemID,
        wanted: StreamChange | StreamReplacement,
        changed: Callable[[Stream], Stream],
    ) -> Step[Stream]:
        stream = yield from _own(system, wanted.stream_id)
        after = changed(stream)
        self._verify_supplied(wanted, self._view(stream), self._view(after))
        event = yield from self._record("configured", stream)
        done = yield store.SET_CONFIGURATION.run(
            key=stream.id,
            seen=stream.version,
            event=event,
            new_endpoint_url=after.endpoint_url,
            new_authorization=after.authorization,
            new_events_requested=after.events_requested,
            new_description=after.description,
        )
        _require(done)
        return after

    def _delete(self, system: SystemID, stream_id: str) -> Step[None]:
        stream = yield from _own(system, stream_id)
        yield from self._record("deleted", stream)
        _require((yield store.DELETE.run(key=stream.id, seen=stream.version)))
        yield store.FORGET_ALL.run(key=stream.id)

    def _set_status(self, system: SystemID, wanted: StatusOrder) -> Step[StatusView]:
        stream = yield from _own(system, wanted.stream_id)
        if wanted.status is not stream.status:
            event = yield from self._record(str(wanted.status), stream)
            _require(
                (
                    yield store.SET_STATUS.run(
                        key=stream.id,
                        seen=stream.version,
                        event=event,
                        new_status=str(wanted.status),
                    )
                )
            )
            yield from _AFTER[wanted.status](stream.id)
        return StatusView(stream_id=stream.id, status=wanted.status)

    def _verify(self, system: SystemID, wanted: VerificationOrder) -> Step[None]:
        stream = yield from _own(system, wanted.stream_id)
        if stream.status is StreamStatus.DISABLED:
            raise StreamDisabled()
        moment = yield MOMENT
        if stream.verified_at is not None:
            left = stream.verified_at + VERIFICATION_INTERVAL - moment
            if left.total_seconds() > 0:
                raise VerificationTooOften(retry_after_s=math.ceil(left.total_seconds()))
        event = yield from self._record("verified", stream)
        _require((yield store.SET_VERIFIED.run(key=stream.id, seen=stream.version, event=event)))
        yield from emit(
            self._parts,
            stream,
            SignalType.VERIFICATION,
            occurred_at=moment,
            cause=draw(),
            sid=stream.id,
            claims={} if wanted.state is UNSET else {"state": wanted.state},
        )

    # --- checks and views ------------------------------------------------------------------------

    def _delivery(self, system: System, stream: Stream, wanted: Delivery) -> dict[str, Any]:
        self._verify_address(system, wanted)
        return {
            "endpoint_url": wanted.endpoint_url,
            "authorization": self._sealed(stream.id, wanted),
        }

    def _verify_address(self, system: System, delivery: Delivery) -> None:
        url = delivery.endpoint_url
        if not is_address(url, loopback=self._loopback) or not is_within(url, system.domain):
            raise StreamRefused(
                where="/delivery/endpoint_url", expected=f"https, {system.domain} or below it"
            )

    def _sealed(self, stream_id: str, delivery: Delivery) -> bytes | None:
        value = delivery.authorization_header
        if value is UNSET:
            return None
        return self._parts.sealer.seal(AUTHORIZATION, stream_id, str(value).encode())

    def _verify_supplied(
        self, wanted: StreamChange | StreamReplacement, before: StreamView, after: StreamView
    ) -> None:
        """What the transmitter supplies may be repeated, as it was read or as it becomes, and not be changed."""
        for name in (
            "iss",
            "aud",
            "events_supported",
            "events_delivered",
            "min_verification_interval",
        ):
            said = getattr(wanted, name)
            if said is not UNSET and said not in (getattr(before, name), getattr(after, name)):
                raise StreamRefused(where=f"/{name}", expected="as the transmitter supplied it")

    def _view(self, stream: Stream) -> StreamView:
        requested = stream.events_requested
        return StreamView(
            stream_id=stream.id,
            iss=self._parts.issuer,
            aud=stream.audience,
            delivery=Delivery(method=PUSH_METHOD, endpoint_url=stream.endpoint_url),
            events_supported=_SUPPORTED,
            events_requested=UNSET if requested is None else requested,
            events_delivered=delivered_of(stream),
            min_verification_interval=_INTERVAL_S,
            description=stream.description,
        )

    def _record(self, did: str, stream: Stream) -> Step[EventID]:
        actor = Actor(ActorKind.SYSTEM, stream.system)
        return self._parts.audit.record(f"federation.stream_{did}", actor=actor, object=stream.id)


def read_stream(row: Any) -> Stream:
    """The stream of a row."""
    values = row._asdict()
    values |= {"system": SystemID(row.system), "status": StreamStatus(row.status)}
    return Stream(**values)


def _of_system(system: SystemID) -> Step[Stream | None]:
    row = yield store.OF_SYSTEM.one(key=system)
    return None if row is None else read_stream(row)


def _own(system: SystemID, stream_id: str) -> Step[Stream]:
    stream = yield from _of_system(system)
    if stream is None or stream.id != stream_id:
        raise StreamNotFound()
    return stream


def _require(done: int) -> None:
    if not done:
        raise StreamMoved()


def _or_none(value: Any) -> list[str] | None:
    return None if value is UNSET else list(value)


def _send_kept(stream_id: str) -> Step[None]:
    rows = yield store.UNSENT_OF.all(key=stream_id)
    for row in rows:
        yield from order(row.jti)


def _keep(_: str) -> Step[None]:
    return
    yield


def _drop(stream_id: str) -> Step[None]:
    yield store.FORGET_UNSENT.run(key=stream_id)


_AFTER: Final = {
    StreamStatus.ENABLED: _send_kept,
    StreamStatus.PAUSED: _keep,
    StreamStatus.DISABLED: _drop,
}


def _sweep() -> Step[None]:
    yield store.PURGE.run()
    moment = yield MOMENT
    rows = yield store.UNSENT_OF_ENABLED.all(
        status=str(StreamStatus.ENABLED), after=moment - DELIVERY_LIFE
    )
    for row in rows:
        yield from order(row.jti)
