"""The page ``/device`` (RFC 8628 §3.3): type what a device shows, see who asks, say that the device is yours.

A GET changes nothing, a code in the address only fills the form (§3.3.1), and no code is ever confirmed without the
page that names the client and warns of codes that came from somebody else (§5.4). Tries are limited by sender (§5.1).
"""

from datetime import timedelta
from typing import Annotated, Final, Literal

import msgspec

from inkan.crypto import base64url
from inkan.federation.model.device import UserCodeUnknown
from inkan.federation.model.refusals import GrantNotFound
from inkan.federation.service import PAGE_PATH, RETURN_PATH, OpenIDProvider
from inkan.kernel.errors import InkanError, Malformed
from inkan.kernel.ids import random_bytes
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, see_other
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.shown import Language

DEVICE_COOKIE: Final = "__Host-inkan-device"
CONFIRM_PATH: Final = f"{PAGE_PATH}/confirm"
_COOKIE_BYTES: Final = 32
_CODE_LIMIT: Final = 32

# By sender's address: 10 in a minute leave a guesser 10⁻⁹ for each code that waits.
_TRY_LIMIT: Final = RateLimit(name="device-code", requests=10, window=timedelta(minutes=1))
_PAGE_LIMIT: Final = RateLimit(name="device-page", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("whoever is asked is not known yet; the cookie binds the browser")


class CodeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was typed."""

    user_code: Annotated[str, msgspec.Meta(max_length=_CODE_LIMIT)]


class ConfirmForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the person says of the device."""

    user_code: Annotated[str, msgspec.Meta(max_length=_CODE_LIMIT)]
    say: Literal["mine", "not_mine"]


def device_routes(provider: OpenIDProvider) -> Group:
    """The page, its two forms, and where the browser comes back to."""
    devices = provider.devices

    async def show(exchange: Exchange) -> Response:
        typed = exchange.query("user_code") or ""
        return _form(exchange, typed if len(typed) <= _CODE_LIMIT else "")

    async def find(exchange: Exchange) -> Response:
        form = await _code(exchange)
        _count_try(exchange)
        try:
            view = await devices.find(form.user_code, lang=Language(exchange.language))
        except UserCodeUnknown:
            return _form(exchange, form.user_code, is_wrong=True)
        return exchange.page(
            "federation/device_confirm.html", view=view, action=CONFIRM_PATH, again=PAGE_PATH
        )

    async def confirm(exchange: Exchange) -> Response:
        form = await exchange.form(ConfirmForm)
        _count_try(exchange)
        try:
            if form.say == "not_mine":
                await devices.refuse(form.user_code)
                return exchange.page("federation/device_done.html", outcome="refused")
            return see_other(await devices.confirm(form.user_code, browser=_begun(exchange)))
        except UserCodeUnknown:
            return _form(exchange, "", is_wrong=True)

    async def done(exchange: Exchange) -> Response:
        session, return_code = exchange.query("session"), exchange.query("return_code")
        browser = exchange.cookie(DEVICE_COOKIE) or ""
        try:
            is_good = await devices.finish(session or "", return_code, browser=browser)
        except GrantNotFound:
            return exchange.page("federation/device_done.html", status=404, outcome="elsewhere")
        except InkanError:
            is_good = False
        return exchange.page(
            "federation/device_done.html", outcome="granted" if is_good else "refused"
        )

    return Group(
        surface=Surface.PAGES,
        limit=_PAGE_LIMIT,
        bare={
            ("GET", PAGE_PATH): Bare(endpoint=show, access=_OPEN),
            ("POST", PAGE_PATH): Bare(endpoint=find, access=_OPEN),
            ("POST", CONFIRM_PATH): Bare(endpoint=confirm, access=_OPEN),
            ("GET", RETURN_PATH): Bare(endpoint=done, access=_OPEN),
        },
    )


def _count_try(exchange: Exchange) -> None:
    """Count one code of this sender.

    Raises:
        RateExceeded: it has tried too many.
    """
    exchange.site.rates.take(_TRY_LIMIT, exchange.source, now=exchange.site.clock.monotonic())


async def _code(exchange: Exchange) -> CodeForm:
    try:
        return await exchange.form(CodeForm)
    except Malformed:
        return CodeForm(user_code="")


def _form(exchange: Exchange, typed: str, *, is_wrong: bool = False) -> Response:
    return exchange.page(
        "federation/device.html",
        status=404 if is_wrong else 200,
        action=PAGE_PATH,
        typed=typed,
        is_wrong=is_wrong,
    )


def _begun(exchange: Exchange) -> str:
    """The cookie of this browser, given to it when it has none."""
    browser = exchange.cookie(DEVICE_COOKIE) or ""
    if len(browser) != len(base64url.encode(bytes(_COOKIE_BYTES))):
        browser = base64url.encode(random_bytes(_COOKIE_BYTES))
        exchange.set_cookie(DEVICE_COOKIE, browser)
    return browser
