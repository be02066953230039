"""The phone's event stream (``GET /phone/v1/approvals/events``): that something waits, and that there is news.

The wallet reads it with ``fetch``, because its proof is a header. The stream says what to ask for and nothing else:
ids of approvals, never a name or a purpose. It ends when the phone is revoked, and after some minutes in any case, so
that a proof of the channel key does not stand for longer; the wallet then opens it again with a fresh one.
"""

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import msgspec

from inkan.enrolment import PhonePrincipal
from inkan.identification.model import TooManyStreams
from inkan.identification.rules import STREAMS_PER_PHONE
from inkan.identification.service import Hint, Identification
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Operation, Surface
from inkan.web.sse import HEARTBEAT_S, ServerEvent, event_stream

PATH = "/phone/v1/approvals/events"


def phone_event_routes(
    identification: Identification, authenticator: Authenticator, *, cors: Any
) -> Group:
    """The event stream of phones."""
    open_streams: Counter[str] = Counter()

    async def events(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        phone: PhonePrincipal = principal.record
        if open_streams[phone.phone] >= STREAMS_PER_PHONE:
            # A dead connection is found by the next heartbeat.
            raise TooManyStreams(retry_after_s=int(HEARTBEAT_S))
        hints = identification.watch_phone(phone)
        return event_stream(exchange, _counted(open_streams, phone.phone, hints))

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        bare={
            ("GET", PATH): Bare(
                endpoint=events,
                access=Access("approval.decide"),
                operation=Operation(
                    name="followApprovals",
                    summary="That something waits for this phone, or is announced (server-sent events)",
                    media_type="text/event-stream",
                    refusals=(TooManyStreams,),
                    example=(
                        'event: waiting\ndata: {"approvals":["apr_x"]}\n\nevent: news\ndata: {}\n\n'
                    ),
                ),
            )
        },
    )


async def _counted(
    open_streams: Counter[str], phone: str, hints: AsyncGenerator[Hint, None]
) -> AsyncGenerator[ServerEvent, None]:
    if open_streams[phone] >= STREAMS_PER_PHONE:
        return  # others began between the endpoint's look and this one's first event
    open_streams[phone] += 1
    try:
        async with aclosing(hints) as each:
            async for hint in each:
                yield _event(hint)
    finally:
        open_streams[phone] -= 1
        if not open_streams[phone]:
            del open_streams[phone]


def _event(hint: Hint) -> ServerEvent:
    facts = {"approvals": hint.approvals} if hint.approvals or hint.kind == "waiting" else {}
    return ServerEvent(data=msgspec.json.encode(facts).decode(), name=hint.kind)
