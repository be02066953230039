"""The card in the reader, looked at: its certificates, its authorities' thumbprints, whether it is valid.

Certificates come from the card by the page's form, are read in memory by a worker, shown, and forgotten. The
authorities in the card are compared by machine with those of this instance, and the page helps to compare them by
hand with the printed handbook, because a thumbprint is worth as much as the way on which it was learned (JPKI-36 to
JPKI-39).
"""

import re
from typing import Any, Final

import msgspec

from inkan.counter.pages.online_parts import (
    CARD_PATH,
    CHECKING,
    VALIDITY_PATH,
    OnlineWindow,
    card_page,
    form,
    page,
    told,
)
from inkan.crypto import base64url
from inkan.crypto.certificate_file import CertificateFileUnreadable
from inkan.kernel.errors import InkanError
from inkan.pki import Shown
from inkan.web.exchange import Exchange
from inkan.web.response import Response
from inkan.web.routes import Group, Surface
from inkan.web.uploads import Upload, read_upload

ISSUERS_LIMIT: Final = 3
"""As many authorities' certificates as a card holds."""
_PAIRS: Final = re.compile("[0-9A-F]{2}")


class HeldAuthority(msgspec.Struct, frozen=True, kw_only=True):
    """An authority's certificate in the card, for people.

    Attributes:
        title: what it is called, by itself.
        is_self_signed: whether it names itself as its issuer; its thumbprint is what people compare.
        groups: its SHA-256 thumbprint as it is printed: sixteen groups of four.
    """

    shown: Shown
    title: str
    is_self_signed: bool
    groups: tuple[str, ...]


def routes(window: OnlineWindow) -> Group:
    """What the card holds, and whether its certificate is valid."""

    async def choose(exchange: Exchange) -> Response:
        return _card_form(exchange, window)

    async def show(exchange: Exchange) -> Response:
        try:
            upload = await read_upload(exchange)
            shown = await window.showing.show(_certificate(upload))
            held = [await _authority(window, each) for each in _issuers(upload)]
        except InkanError as refusal:
            return _card_form(exchange, window, told(refusal))
        return card_page(
            exchange,
            window,
            "counter/online_shown.html",
            **window.certificate_facts(shown),
            authorities=held,
            key=upload.fields.get("key", ""),
            card_path=CARD_PATH,
        )

    async def ask(exchange: Exchange) -> Response:
        return _validity(exchange, window)

    async def answer(exchange: Exchange) -> Response:
        try:
            upload = await read_upload(exchange)
            shown = await window.showing.show(upload.files.get("file") or _certificate(upload))
        except InkanError as refusal:
            return _validity(exchange, window, refusal=told(refusal))
        return _validity(exchange, window, shown=shown)

    return Group(
        surface=Surface.PAGES,
        limit=CHECKING,
        policy=window.policy,
        bare={
            ("GET", CARD_PATH): page(choose),
            ("POST", CARD_PATH): form(show),
            ("GET", VALIDITY_PATH): page(ask),
            ("POST", VALIDITY_PATH): form(answer),
        },
    )


async def _authority(window: OnlineWindow, der: bytes) -> HeldAuthority:
    shown = await window.showing.show(der)
    view = shown.view
    named = [part.value for part in view.subject]
    pairs = "".join(_PAIRS.findall(view.sha256))
    return HeldAuthority(
        shown=shown,
        title=shown.ours.title if shown.ours else (named[-1] if named else ""),
        is_self_signed=view.subject == view.issuer,
        groups=tuple(pairs[place : place + 4] for place in range(0, len(pairs), 4)),
    )


def _certificate(upload: Upload) -> bytes:
    """The holder's certificate.

    Raises:
        CertificateFileUnreadable: none was sent.
        Base64URLMalformed: it is not what a card agent sends.
    """
    text = upload.fields.get("certificate", "")
    if not text:
        raise CertificateFileUnreadable("nothing was sent")
    return base64url.decode(text)


def _issuers(upload: Upload) -> list[bytes]:
    texts = upload.fields.get("issuers", "").split()
    return [base64url.decode(text) for text in texts[:ISSUERS_LIMIT]]


def _card_form(
    exchange: Exchange, window: OnlineWindow, refusal: InkanError | None = None
) -> Response:
    return card_page(
        exchange, window, "counter/online_card.html", refusal=refusal, action=CARD_PATH
    )


def _validity(
    exchange: Exchange,
    window: OnlineWindow,
    *,
    shown: Shown | None = None,
    refusal: InkanError | None = None,
) -> Response:
    facts: dict[str, Any] = {"asked": shown is not None, "action": VALIDITY_PATH}
    if shown is not None:
        facts |= window.certificate_facts(shown)
    return card_page(exchange, window, "counter/online_validity.html", refusal=refusal, **facts)
