"""The online window (``/online``): what a person does at home with the card and a reader.

No page needs a login. Whatever ends something is signed by the card; whatever is shown is shown and forgotten; a PIN
is asked for by the card agent's own dialog and never by a page.
"""

from typing import Final

from inkan.counter.pages import online_card, online_reading, online_revoke
from inkan.counter.pages.online_parts import ONLINE_PATH, CertificateFacts, OnlineWindow
from inkan.counter.service import Counter
from inkan.pki import Showing
from inkan.web.exchange import MenuItem
from inkan.web.routes import Group

FOOT: Final = (MenuItem(text="Online window", path=ONLINE_PATH),)
"""The link at the foot of the platform's pages (JPKI-41)."""


def routes(
    counter: Counter,
    showing: Showing,
    *,
    certificate_facts: CertificateFacts,
    agent_address: str = "",
) -> tuple[Group, ...]:
    """The groups of these pages.

    Args:
        counter: the feature.
        showing: reads and judges certificates.
        certificate_facts: what the templates of ``pki`` ask of a certificate.
        agent_address: origin at which the loopback agent may be asked, empty for the extension alone.
    """
    window = OnlineWindow(
        counter=counter,
        showing=showing,
        certificate_facts=certificate_facts,
        agent_address=agent_address,
    )
    return (
        online_reading.routes(window),
        online_card.routes(window),
        online_revoke.routes(window),
    )


__all__ = ["FOOT", "ONLINE_PATH", "routes"]
