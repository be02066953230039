"""What a phone reads here: its notices and the news (``/phone/v1``)."""

import msgspec

from inkan.kernel.clock import rfc3339
from inkan.notices.service import Notices
from inkan.web.cors import CORS
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Operation, Surface

_READ = Access("notices.read")


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


def phone_routes(
    notices: Notices, authenticator: Authenticator, *, cors: CORS | None = None
) -> Group:
    """The routes of phones; ``authenticator`` is the one that knows phones by their channel key."""

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
        },
    )
