"""The certificate viewer (JPKI-14, JPKI-15, JPKI-28, JPKI-39): tabs Basic and Detail, HTML view, close.

A certificate names a person. It is read in memory by a worker, shown, and forgotten; the next page gets it from the
browser's own form again. It comes by POST only, so that no address, history or log ever holds it.
"""

from typing import Any, Final

from inkan.crypto.certificate_file import pem
from inkan.crypto.serial_numbers import show_serial
from inkan.kernel.errors import InkanError
from inkan.pki.pages import status
from inkan.pki.pages.parts import (
    CHECKING,
    TEXT_FIELD,
    answer,
    form,
    page,
    sent_certificate,
    told,
)
from inkan.pki.pages.texts import REASONS, SEXES, STATES
from inkan.pki.service.showing import Showing, Shown
from inkan.web.exchange import Exchange
from inkan.web.response import Response
from inkan.web.routes import Group, Surface
from inkan.web.uploads import read_upload

PATH: Final = "/certificates/view"
STATIC_PATH: Final = "/certificates/view/html"


async def show_certificate(showing: Showing, exchange: Exchange, data: bytes) -> Response:
    """The page of a certificate that somebody sent here or to another page.

    Raises:
        CertificateFileTooLarge, CertificateFileUnreadable, CertificateMalformed: the file holds no certificate.
        WorkerTimeout, WorkerCrashed, WorkersBusy: it could not be read now.
    """
    return exchange.page("pki/certificate.html", **facts(await showing.show(data)))


def routes(showing: Showing) -> Group:
    """Choose a certificate, look at it, and take it along as one page."""

    async def choose(exchange: Exchange) -> Response:
        return _form(exchange)

    async def show(exchange: Exchange) -> Response:
        try:
            data = sent_certificate(await read_upload(exchange))
            return await show_certificate(showing, exchange, data)
        except InkanError as refusal:
            return _form(exchange, told(refusal))

    async def keep(exchange: Exchange) -> Response:
        try:
            shown = await showing.show(sent_certificate(await read_upload(exchange)))
        except InkanError as refusal:
            return _form(exchange, told(refusal))
        return exchange.page("pki/certificate_static.html", **facts(shown))

    return Group(
        surface=Surface.PAGES,
        limit=CHECKING,
        bare={
            ("GET", PATH): page(choose),
            ("POST", PATH): form(show),
            ("POST", STATIC_PATH): form(keep),
        },
    )


def _form(exchange: Exchange, refusal: InkanError | None = None) -> Response:
    return answer(exchange, "pki/view.html", refusal, action=PATH)


def facts(shown: Shown) -> dict[str, Any]:
    """What the templates of this package ask of a certificate, for pages of other packages too."""
    return {
        "view": shown.view,
        "ours": shown.ours,
        "issued_by": shown.issued_by,
        "chain": shown.chain,
        "state": shown.state,
        "states": STATES,
        "reasons": REASONS,
        "serial": show_serial(shown.view.serial),
        "sexes": SEXES,
        "pem": pem(shown.view.der),
        "text_field": TEXT_FIELD,
        "view_path": PATH,
        "static_path": STATIC_PATH,
        "status_path": status.PATH,
    }
