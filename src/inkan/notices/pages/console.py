"""Announcements for those who write them: write in three languages, look at it, publish, withdraw (TW-39).

Nothing is kept before it is published: what was written travels in the forms of the browser that writes it. What is
read here is read by the rule ``console.news``, what is done by ``notices.publish``.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.audit import Actor
from inkan.kernel.errors import InkanError
from inkan.notices.model import NewsRefused, NewsTexts
from inkan.notices.pages.news import NEWS_PATH
from inkan.notices.rules import TEXT_LIMIT, TITLE_LIMIT, verify_news
from inkan.notices.service import Notices
from inkan.web.catalogue import entry
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.languages import Language
from inkan.web.limits import RateLimit
from inkan.web.principal import Access, Principal
from inkan.web.problems import status_of
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Endpoint, Group, Surface

CONSOLE_NEWS: Final = "/console/news"
_WRITE: Final = f"{CONSOLE_NEWS}/write"
_PREVIEW: Final = f"{CONSOLE_NEWS}/preview"
_LIMIT: Final = RateLimit(name="console-news", requests=120, window=timedelta(minutes=1))
# Six texts of 4000 characters at most, which a form writes with up to twelve bytes for one.
FORM_LIMIT: Final = 192 * 1024
_READ: Final = Access("console.news")
_PUBLISH: Final = Access("notices.publish")


class NewsForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An announcement as it is written; ``starts`` is empty (at once) or minutes in UTC: ``2026-11-22T09:00``."""

    title_en: str = ""
    title_ja: str = ""
    title_zh_hant: str = msgspec.field(name="title_zh-Hant", default="")
    text_en: str = ""
    text_ja: str = ""
    text_zh_hant: str = msgspec.field(name="text_zh-Hant", default="")
    starts: str = ""

    @property
    def title(self) -> NewsTexts:
        """The title in every language."""
        return NewsTexts(en=self.title_en, ja=self.title_ja, zh_hant=self.title_zh_hant)

    @property
    def text(self) -> NewsTexts:
        """The text in every language."""
        return NewsTexts(
            en=_lines(self.text_en), ja=_lines(self.text_ja), zh_hant=_lines(self.text_zh_hant)
        )

    @property
    def starts_at(self) -> datetime | None:
        """From when it is read; None: at once.

        Raises:
            NewsRefused: no such minute.
        """
        if not self.starts:
            return None
        try:
            at = datetime.fromisoformat(self.starts)
        except ValueError:
            at = None
        if at is None or at.tzinfo is not None or at.year < 2000:
            raise NewsRefused(where="/starts", expected="a minute")
        return at.replace(tzinfo=UTC)


def console_routes(
    notices: Notices,
    authenticator: Authenticator,
    *,
    login_path: str,
    actor_of: Callable[[Principal], Actor],
) -> Group:
    """The writers' pages; ``actor_of`` names the writer for the audit log."""

    async def every(exchange: Exchange) -> Response:
        return exchange.page(
            "notices/console_news.html",
            states=await notices.all_news(),
            now=exchange.now,
            write_path=_WRITE,
            news_path=NEWS_PATH,
            path=CONSOLE_NEWS,
        )

    async def write(exchange: Exchange) -> Response:
        return _form(exchange, NewsForm())

    async def change(exchange: Exchange) -> Response:
        return _form(exchange, await exchange.form(NewsForm))

    async def preview(exchange: Exchange) -> Response:
        form = await exchange.form(NewsForm)
        try:
            verify_news(form.title, form.text)
            starts_at = form.starts_at
        except NewsRefused as refusal:
            return _form(exchange, form, refusal)
        return exchange.page(
            "notices/console_news_preview.html",
            form=_fields(form),
            title=form.title,
            lines={each: form.text.in_language(each).splitlines() for each in Language},
            starts_at=starts_at,
            write_path=_WRITE,
            path=CONSOLE_NEWS,
        )

    async def publish(exchange: Exchange) -> Response:
        form = await exchange.form(NewsForm)
        actor = actor_of(await exchange.get_principal())
        try:
            await notices.publish_news(
                form.title, form.text, actor=actor, published_at=form.starts_at
            )
        except NewsRefused as refusal:
            return _form(exchange, form, refusal)
        return see_other(CONSOLE_NEWS)

    async def withdraw(exchange: Exchange) -> Response:
        actor = actor_of(await exchange.get_principal())
        await notices.withdraw_news(exchange.parameters["id"], actor=actor)
        return see_other(CONSOLE_NEWS)

    def post(endpoint: Endpoint) -> Bare:
        return Bare(endpoint=endpoint, access=_PUBLISH, body_limit=FORM_LIMIT)

    return Group(
        surface=Surface.PAGES,
        authenticator=authenticator,
        login_path=login_path,
        limit=_LIMIT,
        bare={
            ("GET", CONSOLE_NEWS): Bare(endpoint=every, access=_READ),
            ("GET", _WRITE): Bare(endpoint=write, access=_PUBLISH),
            ("POST", _WRITE): post(change),
            ("POST", _PREVIEW): post(preview),
            ("POST", CONSOLE_NEWS): post(publish),
            ("POST", f"{CONSOLE_NEWS}/{{id}}/withdraw"): post(withdraw),
        },
    )


def _form(exchange: Exchange, form: NewsForm, refusal: InkanError | None = None) -> Response:
    facts: dict[str, Any] = {
        "form": _fields(form),
        "title_limit": TITLE_LIMIT,
        "text_limit": TEXT_LIMIT,
        "preview_path": _PREVIEW,
        "path": CONSOLE_NEWS,
        "fault": "",
        "fault_at": "",
    }
    if refusal is None:
        return exchange.page("notices/console_news_write.html", **facts)
    facts["fault"] = entry(refusal.code).text(exchange.language)
    facts["fault_at"] = str(refusal.public_facts.get("where", "")).strip("/").replace("/", "_")
    status = HTTPStatus(status_of(refusal))
    return exchange.page("notices/console_news_write.html", status=status, **facts)


def _fields(form: NewsForm) -> Mapping[str, str]:
    """The fields by the names that the forms have for them."""
    fields: dict[str, str] = msgspec.to_builtins(form)
    return fields


def _lines(text: str) -> str:
    """With the line ends that are kept; a form sends those of RFC 7578's kind."""
    return text.replace("\r\n", "\n").strip()
