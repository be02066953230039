"""``/help``: the comparison of card, FIDO and mobile certificate (TW-70), questions, a lost phone, and phishing."""

from datetime import timedelta
from typing import Final, NamedTuple

from inkan.portal.pages.places import (
    ENROL_PATH,
    HELP_PATH,
    HOME_PATH,
    STATUS_PATH,
    VERIFY_PATH,
)
from inkan.web.exchange import Exchange
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response
from inkan.web.routes import Bare, Group, Surface

_LIMIT: Final = RateLimit(name="help", requests=120, window=timedelta(minutes=1))
_OPEN: Final = open_to_all("advice for everybody")


class Feature(NamedTuple):
    """One row of the comparison; the texts are English, the keys of their translations."""

    name: str
    card: str
    fido: str
    certificate: str


COMPARED: Final = (
    Feature("What you need", "Card and reader", "Phone or key", "Your phone"),
    Feature("What you remember", "The card's PIN", "Nothing", "Nothing; or the phone's PIN"),
    Feature("Password kept by the service", "None", "None", "None"),
    Feature(
        "Says who you are",
        "Yes, by certificate",
        "No, only that you are the same as before",
        "Yes, by certificate",
    ),
    Feature(
        "Signs with legal effect",
        "Yes (Electronic Signatures Act)",
        "No",
        "Yes (Electronic Signatures Act)",
    ),
    Feature(
        "Resists imitated sites",
        "The reader's software decides",
        "Yes",
        "Yes, where the answer returns to your browser",
    ),
    Feature(
        "If recognition fails", "Another try, then locked", "Another try", "Another try or PIN"
    ),
    Feature("Where the key is", "In the card", "In the phone or key", "On the phone, locked"),
    Feature("Anybody can check it later", "Yes", "No", "Yes, by a receipt"),
)
"""Nine features (TW-70, after TW-11, TW-12, TW-13, TW-20, TW-26)."""

QUESTIONS: Final = (
    (
        "Why does the wallet ask for my face, finger or PIN each time?",
        "So that nobody else answers with your phone. What the phone recognises stays in the phone.",
    ),
    (
        "What does a service learn of me?",
        "What the wallet lists before you confirm, and nothing else. Two services cannot tell that you are the same person, unless you give both your name.",
    ),
    (
        "How many phones may I have?",
        "As many as the rules of your certificate allow; for the citizen certificate two. A tablet counts as a phone.",
    ),
    (
        "What does it cost?",
        "Nothing. Binding and renewing are free of charge.",
    ),
    (
        "My certificate ends soon. What do I do?",
        "The wallet renews it within the last 60 days, without the card. Your card must still be good.",
    ),
    (
        "What happens when my card ends?",
        "The certificate on your phone stays good to its last day. It is not renewed until you have a good card again.",
    ),
    (
        "May I use it abroad or on another network?",
        "Yes. The phone needs a connection; nothing is sent but what you confirm.",
    ),
)
WORDS: Final = frozenset(
    [*(word for row in COMPARED for word in row), *(word for pair in QUESTIONS for word in pair)]
)


def help_routes() -> Group:
    """The page."""

    async def page(exchange: Exchange) -> Response:
        return exchange.page(
            "portal/help.html",
            compared=COMPARED,
            questions=QUESTIONS,
            enrol_path=ENROL_PATH,
            home_path=HOME_PATH,
            status_path=STATUS_PATH,
            verify_path=VERIFY_PATH,
        )

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={("GET", HELP_PATH): Bare(endpoint=page, access=_OPEN)},
    )
