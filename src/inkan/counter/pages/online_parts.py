"""What the pages of the online window share: addresses, who may come, how often, and refusals told on the page."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from inkan.counter.model.online import CardNotOurs
from inkan.counter.rules import PROFILES
from inkan.counter.service import Counter
from inkan.kernel.errors import Category, InkanError
from inkan.pki import CardExpired, CardRevoked, CardWrongPurpose, PublicState, Showing, Shown
from inkan.web.catalogue import card_texts, entry
from inkan.web.exchange import Exchange
from inkan.web.headers import PAGES, Policy
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.problems import status_of
from inkan.web.response import Response
from inkan.web.routes import Bare, Endpoint

ONLINE_PATH: Final = "/online"
REVOKE_PATH: Final = "/online/revoke"
BEGIN_PATH: Final = "/online/revoke/begin"
VALIDITY_PATH: Final = "/online/validity"
CARD_PATH: Final = "/online/card"
PIN_PATH: Final = "/online/pin"
READERS_PATH: Final = "/online/readers"
PREPARE_PATH: Final = "/online/prepare"
TERMS_PATH: Final = "/online/terms"
INQUIRIES_PATH: Final = "/online/inquiries"

OPEN: Final = open_to_all(
    "whoever holds a card; what ends something is signed by the card itself (JPKI-26)"
)
FORM_LIMIT: Final = 192 * 1024
"""Four certificates of a card in base64url, or a file of 64 KiB."""
LOOKING: Final = RateLimit(name="online", requests=120, window=timedelta(minutes=1))
CHECKING: Final = RateLimit(name="online-checks", requests=30, window=timedelta(minutes=1))

CertificateFacts = Callable[[Shown], dict[str, Any]]
"""What the templates of ``pki`` ask of a certificate: words, serial number, addresses."""

_ENDED: Final[Mapping[PublicState, type[InkanError]]] = {
    PublicState.VALID: InkanError,
    PublicState.SUSPENDED: CardRevoked,
    PublicState.REVOKED: CardRevoked,
    PublicState.EXPIRED: CardExpired,
    PublicState.UNKNOWN: CardNotOurs,
}
"""How a certificate that is no longer valid is refused before the card is asked to sign."""


@dataclass(frozen=True, kw_only=True)
class OnlineWindow:
    """What the pages stand on.

    Attributes:
        certificate_facts: of the viewer of ``pki``.
        agent_address: where the loopback agent may be, empty where only the extension is asked.
    """

    counter: Counter
    showing: Showing
    certificate_facts: CertificateFacts
    agent_address: str = ""

    @property
    def policy(self) -> Policy:
        """Pages that may ask the loopback agent as well."""
        return PAGES.allowing("connect-src", self.agent_address) if self.agent_address else PAGES


def page(endpoint: Endpoint) -> Bare:
    """A page that everybody may open."""
    return Bare(endpoint=endpoint, access=OPEN)


def form(endpoint: Endpoint) -> Bare:
    """The target of a form with certificates."""
    return Bare(endpoint=endpoint, access=OPEN, body_limit=FORM_LIMIT)


def card_page(
    exchange: Exchange,
    window: OnlineWindow,
    template: str,
    *,
    refusal: InkanError | None = None,
    **facts: Any,
) -> Response:
    """A page that asks the card agent; a refusal is told on it, with its status."""
    return exchange.page(
        template,
        status=HTTPStatus(status_of(refusal)) if refusal else HTTPStatus.OK,
        fault=entry(refusal.code).text(exchange.language) if refusal else "",
        agent_address=window.agent_address,
        card_words=card_texts(exchange.language),
        prepare_path=PREPARE_PATH,
        online_path=ONLINE_PATH,
        **facts,
    )


def told(refusal: InkanError) -> InkanError:
    """A refusal that the page itself can tell.

    Raises:
        InkanError: the very refusal, when nobody in front of the page can do anything about it.
    """
    if refusal.category is Category.UNAVAILABLE:
        raise refusal
    return refusal


def require_living(shown: Shown) -> None:
    """Refuse a certificate that no card could end here, before the person types a PIN for nothing.

    Raises:
        CardNotOurs: another authority issued it, or nobody did.
        CardWrongPurpose: it is no signature certificate of a card.
        CardRevoked, CardExpired: it has ended.
    """
    if shown.issued_by is None or shown.state is None:
        raise CardNotOurs
    if PROFILES["signature"] not in shown.issued_by.profiles:
        raise CardWrongPurpose
    if shown.state.state is not PublicState.VALID:
        raise _ENDED[shown.state.state]
