"""Announcements for everybody: the list and each of them by itself (TW-39); the wallet reads the same ones."""

from datetime import timedelta
from typing import Final

from inkan.notices.service import Notices
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

NEWS_PATH: Final = "/news"
_LIMIT: Final = RateLimit(name="news", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("announcements are for everybody (TW-39)")


def news_routes(notices: Notices) -> Group:
    """The list, and one announcement."""

    async def every(exchange: Exchange) -> Response:
        items = await notices.news(exchange.language)
        return exchange.page("notices/news.html", items=items, path=NEWS_PATH)

    async def one(exchange: Exchange) -> Response:
        item = await notices.news_item(exchange.parameters["id"], exchange.language)
        return exchange.page("notices/news_item.html", item=item, path=NEWS_PATH)

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", NEWS_PATH): Bare(endpoint=every, access=_OPEN),
            ("GET", f"{NEWS_PATH}/{{id}}"): Bare(endpoint=one, access=_OPEN),
        },
    )
