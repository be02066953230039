"""What the town hall says when a form is not taken: what is wrong, and what to do. One row for each cause.

Texts are msgids of the town hall's catalogue.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

import msgspec

from inkan.apps.showcase.town_hall.checks import Cause
from inkan.apps.showcase.town_hall.forms import Fault, PersonFact


class Refusal(msgspec.Struct, frozen=True):
    """What is said.

    Attributes:
        title: what is wrong.
        happened, to_do: one sentence or two each.
        status: of the answer.
    """

    title: str
    happened: str
    to_do: str
    status: int = HTTPStatus.FORBIDDEN


_SIGN_AGAIN: Final = "Look at the form once more and sign it again with your own card."
_COUNTER: Final = "Go to the counter of your municipality for a new certificate, then sign again."

REFUSALS: Final[Mapping[Cause, Refusal]] = MappingProxyType(
    {
        Cause.UNREADABLE: Refusal(
            "The signature cannot be read",
            "What arrived is not a form signed by a card.",
            _SIGN_AGAIN,
            HTTPStatus.BAD_REQUEST,
        ),
        Cause.OTHER_KIND: Refusal(
            "This signature is for something else",
            "The card signed something that is not a form for this town hall.",
            _SIGN_AGAIN,
        ),
        Cause.CHANGED: Refusal(
            "The form was changed after it was signed",
            "What was signed is not, letter for letter, the form that this page showed you.",
            "Do not send it again. Fill in the form anew, compare it with what your card program shows, and sign that.",
        ),
        Cause.OVER: Refusal(
            "This form was already used, or it is too old",
            "Each form can be signed and sent once, within 30 minutes.",
            "Look at your list of filed forms. If it is not there, fill in the form anew.",
            HTTPStatus.GONE,
        ),
        Cause.FOREIGN: Refusal(
            "The certificate is not one that this town hall accepts",
            "No chain of authorities leads from the certificate over the bridge to the root that the town hall trusts.",
            "Use the card that your own municipality gave you.",
        ),
        Cause.WRONG_KEY: Refusal(
            "The wrong key of the card was used",
            "This certificate is for logging in. A form is signed with the signature certificate.",
            "Sign again, and type the longer signature PIN.",
        ),
        Cause.EXPIRED: Refusal(
            "The certificate has expired",
            "Its term was over when the form arrived.",
            _COUNTER,
        ),
        Cause.NOT_YET: Refusal(
            "The certificate is not valid yet",
            "Its term had not begun when the form arrived.",
            "Wait until its term begins, then sign again.",
        ),
        Cause.WITHDRAWN: Refusal(
            "The certificate has been withdrawn",
            "It was revoked before the form arrived: at its holder's wish, or because what it states has changed.",
            _COUNTER,
        ),
        Cause.UNKNOWN: Refusal(
            "The certificate cannot be checked at the moment",
            "Nobody could say just now whether it has been withdrawn. Nothing was decided, and nothing was filed.",
            "Send the form again in a few minutes.",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
        Cause.WRONG_PERSON: Refusal(
            "The card belongs to somebody else",
            "The person named in the form is not the person to whom the card was given.",
            "Sign with the card of the person named in the form, or correct the form.",
        ),
    }
)

FAULTS: Final[Mapping[Fault, str]] = MappingProxyType(
    {
        Fault.MISSING: "Fill this in.",
        Fault.WRONG: "This cannot be read.",
        Fault.MY_NUMBER: "This looks like a My Number. The town hall does not take it; leave it out.",
    }
)

FACTS: Final[Mapping[PersonFact, str]] = MappingProxyType(
    {
        PersonFact.NAME: "name",
        PersonFact.BIRTH_DATE: "birth date",
        PersonFact.ADDRESS: "address",
    }
)

# What the page itself says of the card agent: it is not the platform's to say.
AGENT_TEXTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "card_agent_missing": "No card program was found. Install it, or start it, and try again.",
        "card_agent_unpaired": "The card program is not connected to this page yet. Type the pairing code that it shows.",
    }
)

# Refusals of card and reader that people run into while they sign; texts of the platform's catalogue.
CARD_CODES: Final = (
    "card_no_reader",
    "card_missing",
    "card_removed",
    "card_several",
    "card_in_use",
    "card_reset",
    "card_unknown",
    "card_wrong_pin",
    "card_pin_locked",
    "card_signature_pin_malformed",
    "card_request_declined",
    "card_request_refused",
    "card_service_missing",
    "card_agent_busy",
    "card_agent_origin_unlisted",
    "card_origin_refused",
    "card_dialog_unavailable",
)

WORDS: Final = frozenset(
    {
        *(text for each in REFUSALS.values() for text in (each.title, each.happened, each.to_do)),
        *FAULTS.values(),
        *FACTS.values(),
        *AGENT_TEXTS.values(),
    }
)
"""Every msgid of this module."""
