"""Ending one's certificates by the card itself (JPKI-23, JPKI-26).

The page reads the certificate from the card, asks here what is to be signed, has the card sign it, and sends the
signature. What the card signs names this origin, the cause and the certificate; a cookie ties it to this browser.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from inkan.counter.model import TermsNotAccepted
from inkan.counter.model.online import Acceptance
from inkan.counter.pages.online_parts import (
    BEGIN_PATH,
    CARD_PATH,
    CHECKING,
    INQUIRIES_PATH,
    REVOKE_PATH,
    TERMS_PATH,
    OnlineWindow,
    card_page,
    form,
    page,
    require_living,
    told,
)
from inkan.counter.rules import CHALLENGE_LIFE
from inkan.counter.rules.online import ONLINE_CAUSES
from inkan.crypto import base64url
from inkan.crypto.serial_numbers import show_serial
from inkan.kernel.errors import InkanError
from inkan.web.cookies import SameSite
from inkan.web.exchange import Exchange
from inkan.web.response import Response, ok
from inkan.web.routes import Group, Surface
from inkan.wire.enrolment_request import RevokeCause

ONLINE_COOKIE: Final = "__Host-inkan-online"

CAUSES: Final[Mapping[RevokeCause, str]] = {
    RevokeCause.NO_LONGER_NEEDED: "I no longer need the certificate",
    RevokeCause.LOST: "The card is lost",
    RevokeCause.STOLEN: "The card was stolen",
    RevokeCause.DAMAGED: "The card is damaged or does not work",
    RevokeCause.MISUSED: "Somebody has used it in my name",
    RevokeCause.SUSPECTED_MISUSE: "Somebody may have used it, or knows my PIN",
}
"""Causes as people read them; English msgids."""

COUNTER_CAUSES: Final = tuple(each for each in RevokeCause if each not in ONLINE_CAUSES)


class RevokeForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The form of the page; at first without a signature, at last with it."""

    cause: RevokeCause
    certificate: str = ""
    accepted: Literal["", "yes"] = ""
    key: str = ""
    issuers: str = ""
    cms: str = ""


class ToSign(msgspec.Struct, frozen=True):
    """What the page has the card sign."""

    content: str
    content_type: str


def routes(window: OnlineWindow) -> Group:
    """The form, what is to be signed, and the acceptance."""
    online = window.counter.online

    async def ask(exchange: Exchange) -> Response:
        return _form(exchange, window)

    async def begin(exchange: Exchange) -> Response:
        filled = await exchange.form(RevokeForm)
        if not filled.accepted:
            raise TermsNotAccepted
        certificate = base64url.decode(filled.certificate)
        require_living(await window.showing.show(certificate))
        challenge = await online.begin(certificate, filled.cause)
        exchange.set_cookie(
            ONLINE_COOKIE,
            challenge.browser.reveal(),
            max_age_s=int(CHALLENGE_LIFE.total_seconds()),
            same_site=SameSite.STRICT,
        )
        return ok(ToSign(base64url.encode(challenge.content), challenge.content_type))

    async def take(exchange: Exchange) -> Response:
        try:
            filled = await exchange.form(RevokeForm)
            browser = exchange.cookie(ONLINE_COOKIE) or ""
            accepted = await online.take(base64url.decode(filled.cms), browser=browser)
        except InkanError as refusal:
            return _form(exchange, window, told(refusal))
        exchange.set_cookie(ONLINE_COOKIE, "", max_age_s=0, same_site=SameSite.STRICT)
        return _accepted(exchange, window, accepted)

    return Group(
        surface=Surface.PAGES,
        limit=CHECKING,
        policy=window.policy,
        bare={
            ("GET", REVOKE_PATH): page(ask),
            ("POST", BEGIN_PATH): form(begin),
            ("POST", REVOKE_PATH): form(take),
        },
    )


def _form(exchange: Exchange, window: OnlineWindow, refusal: InkanError | None = None) -> Response:
    return card_page(
        exchange,
        window,
        "counter/online_revoke.html",
        refusal=refusal,
        action=REVOKE_PATH,
        begin=BEGIN_PATH,
        causes=[(each.value, CAUSES[each]) for each in ONLINE_CAUSES],
        counter_causes=[CAUSES[each] for each in COUNTER_CAUSES],
        terms_path=TERMS_PATH,
        inquiries_path=INQUIRIES_PATH,
        card_path=CARD_PATH,
    )


def _accepted(exchange: Exchange, window: OnlineWindow, accepted: Acceptance) -> Response:
    titles = {each.name: each.title for each in window.showing.authorities().all()}
    ended = [
        (titles.get(each.authority, each.authority), show_serial(each.serial))
        for each in accepted.certificates
    ]
    return card_page(
        exchange,
        window,
        "counter/online_revoked.html",
        accepted=accepted,
        cause=CAUSES[accepted.cause],
        ended=ended,
        inquiries_path=INQUIRIES_PATH,
    )
