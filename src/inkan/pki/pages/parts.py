"""What these pages share: who may come, how often, how large a form is, and a refusal told on the page itself."""

from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from inkan.crypto.certificate_file import CertificateFileUnreadable
from inkan.kernel.errors import Category, InkanError
from inkan.web.catalogue import entry
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Endpoint
from inkan.web.uploads import Upload

OPEN: Final = open_to_all("published for everybody who relies on a certificate (JPKI-28, JPKI-37)")
FORM_LIMIT: Final = 192 * 1024
"""A file of 64 KiB, or as much pasted text, which a form writes with up to three characters for one."""
LOOKING: Final = RateLimit(name="certificates", requests=120, window=timedelta(minutes=1))
CHECKING: Final = RateLimit(name="certificate-checks", requests=30, window=timedelta(minutes=1))

FILE_FIELD: Final = "file"
TEXT_FIELD: Final = "text"


def page(endpoint: Endpoint) -> Bare:
    """A page that everybody may open."""
    return Bare(endpoint=endpoint, access=OPEN)


def form(endpoint: Endpoint) -> Bare:
    """The target of a form with a file."""
    return Bare(endpoint=endpoint, access=OPEN, body_limit=FORM_LIMIT)


def sent_certificate(upload: Upload) -> bytes:
    """The file that was chosen, else the text that was pasted.

    Raises:
        CertificateFileUnreadable: neither.
    """
    found = upload.files.get(FILE_FIELD) or upload.fields.get(TEXT_FIELD, "").encode()
    if not found.strip():
        raise CertificateFileUnreadable("nothing was sent")
    return found


def told(refusal: InkanError) -> InkanError:
    """A refusal that the page itself can tell.

    Raises:
        InkanError: the very refusal, when it is our own fault; the toolkit logs and answers it.
    """
    if refusal.category not in {Category.MALFORMED, Category.TOO_LARGE, Category.NOT_FOUND}:
        raise refusal
    return refusal


def answer(exchange: Exchange, template: str, refusal: InkanError | None, **facts: Any) -> Response:
    """The page, with the refusal's own text and status when there is one."""
    if refusal is None:
        return exchange.page(template, fault="", **facts)
    fault = entry(refusal.code).text(exchange.language)
    return exchange.page(template, status=HTTPStatus(status_of(refusal)), fault=fault, **facts)
