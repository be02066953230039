"""The pages of the town hall: forms, the form to be signed, what was filed, and why something was not."""

from http import HTTPStatus
from typing import Any, Final

import msgspec

from inkan.apps.showcase.town_hall.checks import CONTENT_TYPE, SubmissionRefused
from inkan.apps.showcase.town_hall.filing import Draft, Filed, Filing
from inkan.apps.showcase.town_hall.forms import FORMS, Fault, Form, Kind, read
from inkan.apps.showcase.town_hall.refusals import (
    AGENT_TEXTS,
    CARD_CODES,
    FACTS,
    FAULTS,
    REFUSALS,
)
from inkan.crypto import base64url
from inkan.crypto.base64url import Base64URLMalformed
from inkan.crypto.cms import MAX_SIZE
from inkan.kernel.ids import random_bytes
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.languages import Languages
from inkan.web.response import Response, binary, see_other

COOKIE: Final = "__Host-town-hall"
# A signed message of the largest size in base64url, the token and the names of the fields.
SEND_LIMIT: Final = MAX_SIZE * 4 // 3 + 1024

INPUTS: Final = {Kind.LINE: "text", Kind.DAY: "date", Kind.COUNT: "number"}
"""How the browser asks for an item."""


class SendForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The signed form, base64url of DER."""

    cms: str = ""


# The typed items of each form, as a form body has them.
TYPED: Final = {
    form.code: msgspec.defstruct(
        f"{form.code}_form",
        [(item.name, str, "") for item in form.items],
        frozen=True,
        forbid_unknown_fields=True,
    )
    for form in FORMS.values()
}


class Hall:
    """The pages over the filing.

    Args:
        filing: the use cases.
        languages: the texts, because a form is signed in the language in which it was read.
        agent: where the loopback agent may be; empty where there is none.
    """

    def __init__(self, filing: Filing, languages: Languages, *, agent: str) -> None:
        self._filing = filing
        self._languages = languages
        self._agent = agent

    async def first_page(self, exchange: Exchange) -> Response:
        """The forms."""
        return exchange.page("town_hall/start.html", forms=list(FORMS.values()))

    async def form_page(self, exchange: Exchange) -> Response:
        """An empty form; or one with what a draft of this browser has, to correct it."""
        form = FORMS.get(exchange.parameters["form"])
        if form is None:
            return Response(HTTPStatus.NOT_FOUND)
        before = await self._draft(exchange, exchange.query("from") or "")
        values = {each.name: each.value for each in before.content.fields} if before else {}
        return _form_page(exchange, form, values)

    async def fill(self, exchange: Exchange) -> Response:
        """Read what was typed and make what is to be signed of it."""
        form = FORMS.get(exchange.parameters["form"])
        if form is None:
            return Response(HTTPStatus.NOT_FOUND)
        typed = msgspec.structs.asdict(await exchange.form(TYPED[form.code]))

        def text(msgid: str) -> str:
            return self._languages.gettext(exchange.language, msgid)

        fields, faults = read(form, typed, text)
        if faults:
            # A My Number is not given back either: the page may be kept by a cache, a screen, a printer.
            kept = {
                name: "" if faults.get(name) is Fault.MY_NUMBER else v for name, v in typed.items()
            }
            return _form_page(exchange, form, kept, faults)
        browser = exchange.cookie(COOKIE)
        if not browser:
            browser = base64url.encode(random_bytes(32))
            exchange.set_cookie(COOKIE, browser)
        draft = await self._filing.begin(form, text(form.title), fields, browser=browser)
        return see_other(f"/drafts/{draft}")

    async def draft_page(self, exchange: Exchange) -> Response:
        """The form as it is going to be signed."""
        draft = await self._draft(exchange, exchange.parameters["draft"])
        if draft is None:
            return _gone(exchange)
        if draft.number is not None:
            return see_other(f"/filed/{draft.number}")
        return self._draft_page(exchange, draft)

    async def send(self, exchange: Exchange) -> Response:
        """The form arrives with its signature and certificate: check it and file it."""
        form = await exchange.form(SendForm)
        draft = await self._draft(exchange, exchange.parameters["draft"])
        browser = exchange.cookie(COOKIE)
        if draft is None or not browser:
            return _gone(exchange)
        try:
            cms = base64url.decode(form.cms)
        except Base64URLMalformed:
            cms = b""
        try:
            filed = await self._filing.send(draft, cms, browser=browser)
        except SubmissionRefused as refused:
            return _refused(exchange, refused, draft)
        return see_other(f"/filed/{filed.number}")

    async def list_page(self, exchange: Exchange) -> Response:
        """What this browser filed."""
        rows = await self._filing.list(browser=exchange.cookie(COOKIE))
        return exchange.page("town_hall/filed.html", rows=rows)

    async def receipt_page(self, exchange: Exchange) -> Response:
        """The receipt of one form."""
        filed = await self._filed(exchange)
        if filed is None:
            return _gone(exchange)
        return exchange.page("town_hall/receipt.html", filed=filed)

    async def receipt(self, exchange: Exchange) -> Response:
        """The receipt as a file."""
        filed = await self._filed(exchange)
        if filed is None:
            return Response(HTTPStatus.NOT_FOUND)
        return binary(filed.receipt, "application/json", file_name=f"{filed.number}.json")

    async def submission(self, exchange: Exchange) -> Response:
        """The signed form as a file."""
        filed = await self._filed(exchange)
        if filed is None:
            return Response(HTTPStatus.NOT_FOUND)
        return binary(filed.cms, "application/pkcs7-mime", file_name=f"{filed.number}.p7m")

    async def _draft(self, exchange: Exchange, draft_id: str) -> Draft | None:
        return await self._filing.draft(draft_id, browser=exchange.cookie(COOKIE))

    async def _filed(self, exchange: Exchange) -> Filed | None:
        number = exchange.parameters["number"]
        return await self._filing.filed(number, browser=exchange.cookie(COOKIE))

    def _draft_page(self, exchange: Exchange, draft: Draft) -> Response:
        if self._agent:
            policy = exchange.policy or exchange.route.policy
            exchange.policy = policy.allowing("connect-src", self._agent)
        return exchange.page(
            "town_hall/sign.html",
            draft=draft,
            content=base64url.encode(draft.bytes),
            content_type=CONTENT_TYPE,
            agent=self._agent,
            agent_texts=AGENT_TEXTS,
            card_texts={code: entry(code).text(exchange.language) for code in CARD_CODES},
        )


def _form_page(
    exchange: Exchange,
    form: Form,
    values: dict[str, Any],
    faults: dict[str, Fault] | None = None,
) -> Response:
    return exchange.page(
        "town_hall/form.html",
        status=HTTPStatus.BAD_REQUEST if faults else HTTPStatus.OK,
        form=form,
        values=values,
        inputs=INPUTS,
        faults={name: FAULTS[fault] for name, fault in (faults or {}).items()},
    )


def _refused(exchange: Exchange, refused: SubmissionRefused, draft: Draft) -> Response:
    refusal = REFUSALS[refused.cause]
    item = refused.facts.get("item")
    return exchange.page(
        "town_hall/refused.html",
        status=refusal.status,
        refusal=refusal,
        at=refused.facts.get("at"),
        fact=FACTS[item] if item else "",
        named=refused.facts.get("named", ""),
        certified=refused.facts.get("certified", ""),
        draft=draft,
    )


def _gone(exchange: Exchange) -> Response:
    return exchange.page("town_hall/gone.html", status=HTTPStatus.NOT_FOUND)
