"""What a phone reads here, its notices and the news, and how it says where it is woken (``/phone/v1``)."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import msgspec

from inkan.kernel.clock import rfc3339
from inkan.kernel.sensitive import Personal, Secret
from inkan.notices.model import CarrierName, PushAddress, PushSubscriptionRefused
from inkan.notices.service import Notices
from inkan.store.database import Step
from inkan.web.cors import CORS
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access, Principal
from inkan.web.response import Response, no_content, ok
from inkan.web.routes import Bare, Group, Operation, Surface

_READ, _PUSH = Access("notices.read"), Access("notices.push")
_Endpoint = Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]
_Key = Annotated[str, msgspec.Meta(max_length=128)]


class NoticeView(msgspec.Struct, frozen=True):
    """A notice in the reader's language."""

    id: str
    template: str
    title: str
    text: str
    created_at: str


class NoticesView(msgspec.Struct, frozen=True):
    """The phone's inbox, newest first."""

    notices: list[NoticeView]


class NewsView(msgspec.Struct, frozen=True):
    """An announcement in the reader's language."""

    id: str
    title: str
    text: str
    published_at: str


class AllNewsView(msgspec.Struct, frozen=True):
    """The announcements, newest first."""

    news: list[NewsView]


class PushKeyView(msgspec.Struct, frozen=True):
    """The application server's key (RFC 8292 §3.2): base64url of the 65-byte point."""

    key: str


class PushKeysBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """For whom messages are encrypted: base64url of a P-256 point and of 16 bytes."""

    p256dh: _Key
    auth: _Key


class PushBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A browser's ``PushSubscription.toJSON()``, and by which carrier it is reached.

    ``expirationTime`` is taken and not used: a push service says itself when a subscription is over.
    """

    carrier: CarrierName = CarrierName.WEBPUSH
    endpoint: _Endpoint | None = None
    expiration_time: float | None = msgspec.field(default=None, name="expirationTime")
    keys: PushKeysBody | None = None

    def address(self) -> PushAddress | None:
        """Endpoint and keys, which come together or not at all.

        Raises:
            PushSubscriptionRefused: one without the other.
        """
        if self.endpoint is None and self.keys is None:
            return None
        if self.endpoint is None or self.keys is None:
            missing = "/keys" if self.keys is None else "/endpoint"
            raise PushSubscriptionRefused(where=missing, expected="endpoint and keys together")
        return PushAddress(
            endpoint=Personal(self.endpoint),
            p256dh=self.keys.p256dh,
            auth=Secret(self.keys.auth),
        )


def phone_routes(
    notices: Notices,
    authenticator: Authenticator,
    *,
    cors: CORS | None = None,
    hold: Callable[[Principal], Step[bool]] | None = None,
) -> Group:
    """The routes of phones.

    Args:
        notices: the feature.
        authenticator: knows phones by their channel key.
        cors: lets the wallet call.
        hold: takes the phone's row until COMMIT; False when it changed since the request was authenticated.
    """

    async def inbox(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        mine = await notices.inbox(principal.id, language=exchange.language)
        return ok(
            NoticesView(
                notices=[
                    NoticeView(
                        id=each.id,
                        template=each.template,
                        title=each.title,
                        text=each.text.reveal(),
                        created_at=rfc3339(each.created_at),
                    )
                    for each in mine
                ]
            )
        )

    async def news(exchange: Exchange) -> Response:
        published = await notices.news(exchange.language)
        return ok(
            AllNewsView(
                news=[
                    NewsView(
                        id=each.id,
                        title=each.title,
                        text=each.text,
                        published_at=rfc3339(each.published_at),
                    )
                    for each in published
                ]
            )
        )

    async def push_key(_: Exchange) -> Response:
        return ok(PushKeyView(key=notices.push_key))

    async def subscribe(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        body = await exchange.json(PushBody)
        held = None if hold is None else partial(hold, principal)
        await notices.subscribe(principal.id, body.carrier, body.address(), hold=held)
        return no_content()

    async def unsubscribe(exchange: Exchange) -> Response:
        principal = await exchange.get_principal()
        await notices.unsubscribe(principal.id)
        return no_content()

    return Group(
        surface=Surface.API,
        authenticator=authenticator,
        challenge='DPoP algs="ES256"',
        cors=cors,
        bare={
            ("GET", "/phone/v1/notices"): Bare(
                endpoint=inbox,
                access=_READ,
                operation=Operation(
                    name="listNotices",
                    summary="What this phone was told, newest first",
                    answer=NoticesView,
                ),
            ),
            ("GET", "/phone/v1/news"): Bare(
                endpoint=news,
                access=_READ,
                operation=Operation(
                    name="listNews", summary="Announcements, newest first", answer=AllNewsView
                ),
            ),
            ("GET", "/phone/v1/push/key"): Bare(
                endpoint=push_key,
                access=_PUSH,
                operation=Operation(
                    name="getPushKey",
                    summary="The key that a push subscription is made with",
                    answer=PushKeyView,
                ),
            ),
            ("PUT", "/phone/v1/push"): Bare(
                endpoint=subscribe,
                access=_PUSH,
                operation=Operation(
                    name="subscribePush",
                    summary="Wake this phone here, and nowhere else",
                    body=PushBody,
                    status=204,
                ),
            ),
            ("DELETE", "/phone/v1/push"): Bare(
                endpoint=unsubscribe,
                access=_PUSH,
                operation=Operation(
                    name="unsubscribePush", summary="Wake this phone no more", status=204
                ),
            ),
        },
    )
