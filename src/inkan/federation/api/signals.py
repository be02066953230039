"""Shared Signals for relying parties' systems: the transmitter's metadata, and the system's own stream (SSF 1.0)."""

from datetime import timedelta
from typing import Any, Final

import msgspec

from inkan.federation.model.streams import (
    StatusOrder,
    StreamChange,
    StreamOrder,
    StreamRefused,
    StreamReplacement,
    VerificationOrder,
)
from inkan.federation.service import Streams
from inkan.relying_parties import System
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, open_to_all
from inkan.web.response import Response, created, no_content, ok
from inkan.web.routes import Bare, Group, Surface

CONFIGURATION_PATH: Final = "/.well-known/ssf-configuration"
STREAMS_PATH: Final = "/ssf/streams"
STATUS_PATH: Final = "/ssf/status"
VERIFY_PATH: Final = "/ssf/verify"

_CALLS: Final = RateLimit(name="signals", requests=120, window=timedelta(minutes=1))
_USE: Final = Access("signals.use")
_METADATA_AGE: Final = "public, max-age=300"


def signal_routes(streams: Streams, systems: Authenticator) -> list[Group]:
    """The groups of the transmitter; ``systems`` authenticates relying parties' systems."""
    metadata = msgspec.json.encode(streams.configuration())

    async def configuration(_: Exchange) -> Response:
        answer = Response(200, metadata, media_type="application/json")
        return answer.with_header("cache-control", _METADATA_AGE)

    async def create(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return created(await streams.create(system, await exchange.json(StreamOrder)))

    async def read(exchange: Exchange) -> Response:
        system, stream = await _system(exchange), exchange.query("stream_id")
        return ok(await (streams.every(system) if stream is None else streams.read(system, stream)))

    async def change(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await streams.change(system, await exchange.json(StreamChange)))

    async def replace(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await streams.replace(system, await exchange.json(StreamReplacement)))

    async def delete(exchange: Exchange) -> Response:
        await streams.delete(await _system(exchange), _stream(exchange))
        return no_content()

    async def read_status(exchange: Exchange) -> Response:
        return ok(await streams.status(await _system(exchange), _stream(exchange)))

    async def set_status(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await streams.set_status(system, await exchange.json(StatusOrder)))

    async def verify(exchange: Exchange) -> Response:
        system = await _system(exchange)
        await streams.verify(system, await exchange.json(VerificationOrder))
        return no_content()

    def bare(endpoint: Any) -> Bare:
        return Bare(endpoint=endpoint, access=_USE)

    return [
        Group(
            surface=Surface.PUBLIC,
            bare={
                ("GET", CONFIGURATION_PATH): Bare(
                    endpoint=configuration, access=open_to_all("the transmitter's metadata")
                )
            },
        ),
        Group(
            surface=Surface.API,
            authenticator=systems,
            challenge='DPoP algs="ES256"',
            limit=_CALLS,
            bare={
                ("POST", STREAMS_PATH): bare(create),
                ("GET", STREAMS_PATH): bare(read),
                ("PATCH", STREAMS_PATH): bare(change),
                ("PUT", STREAMS_PATH): bare(replace),
                ("DELETE", STREAMS_PATH): bare(delete),
                ("GET", STATUS_PATH): bare(read_status),
                ("POST", STATUS_PATH): bare(set_status),
                ("POST", VERIFY_PATH): bare(verify),
            },
        ),
    ]


async def _system(exchange: Exchange) -> System:
    principal = await exchange.get_principal()
    system: System = principal.record.system
    return system


def _stream(exchange: Exchange) -> str:
    stream = exchange.query("stream_id")
    if not stream:
        raise StreamRefused(where="stream_id", expected="the id of the stream")
    return stream
