"""What the office says when nobody is logged in: what happened, and what to do. One row for each cause.

Texts are msgids of the office's catalogue. A cause is the reason or the state that the platform gave, or the office's
own judgement (:func:`inkan.apps.showcase.tax_office.logins.judge`); one without a row is told by :data:`ENDED`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from inkan.client import CallMalformed, CallTooMany

START_AGAIN: Final = "Start again when your phone is at hand."


class Refusal(msgspec.Struct, frozen=True):
    """What is said.

    Attributes:
        title: what it comes to.
        happened, to_do: one sentence or two each.
        kind: of the notice.
        status: of the answer.
    """

    title: str
    happened: str
    to_do: str
    kind: Literal["caution", "problem"] = "caution"
    status: int = HTTPStatus.OK


_NO_ANSWER: Final = Refusal(
    "Nobody answered", "The time is over. Nothing was given to this office.", START_AGAIN
)
_NOT_ACCEPTED: Final = Refusal(
    "This answer is not accepted",
    "It does not hold against the platform's published root, or it is another question's.",
    "Start again here. If it happens twice, tell the office.",
    "problem",
)
_CERTIFICATE: Final = Refusal(
    "The certificate is not in force",
    "The certificate on the phone is revoked, suspended or expired.",
    "Look at your phones in your home at the platform, and bind the phone again with your card.",
    "problem",
)
_ON_THE_PHONE: Final = Refusal(
    "Refused on the phone",
    "Nothing was given to this office.",
    "Start again if this was a slip.",
)

ENDED: Final = Refusal(
    "It ended without an answer",
    "The phone could not answer. Nothing was given to this office.",
    START_AGAIN,
    "problem",
)
FOREIGN: Final = Refusal(
    "This answer is not accepted",
    "It was not begun in this browser, or it came back before. Nobody is logged in by it.",
    "Start again here. If somebody sent you this address, do not use it.",
    "problem",
    HTTPStatus.FORBIDDEN,
)
DOWN: Final = Refusal(
    "The identification service does not answer",
    "Nothing was lost, and nobody is logged in.",
    "Please try again in a minute.",
    "problem",
    HTTPStatus.SERVICE_UNAVAILABLE,
)
TOO_SOON: Final = Refusal(
    "Not sent again yet",
    "The message may still be on its way.",
    "Wait for half a minute, then send it again.",
)

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "expired": _NO_ANSWER,
        "user_no_response": _NO_ANSWER,
        "cancelled": Refusal(
            "You cancelled", "Nothing was given to this office.", "Start again whenever you like."
        ),
        "user_refused": _ON_THE_PHONE,
        "user_reported_fraud": Refusal(
            "Reported on the phone",
            "Somebody said that they had not started this. Nothing was given to this office.",
            "If it was you by mistake, start again.",
        ),
        "user_wrong_code": Refusal(
            "Wrong digits",
            "The digits were typed wrongly three times.",
            "Start again; the next message has new digits.",
        ),
        "subject_mismatch": Refusal(
            "Another person answered",
            "The number that was typed does not belong to the person who answered.",
            "Start again with the right number, or without one.",
            "problem",
        ),
        "return_other_browser": Refusal(
            "This answer is not accepted",
            "It came back in another browser than the one that began, or it was used before.",
            "Start again, and let the phone open the browser that you began in.",
            "problem",
        ),
        "return_missing": Refusal(
            "Approved, and not delivered",
            "The phone approved, and this browser did not come back within a minute.",
            "Start again, and let the phone lead you back.",
        ),
        "level_too_low": Refusal(
            "Not firmly enough tied to this browser",
            "The way to the phone proved less than this office demands.",
            "Start again by another way.",
            "problem",
        ),
        "receipt_not_valid": _NOT_ACCEPTED,
        "receipt_malformed": _NOT_ACCEPTED,
        "cert_revoked": _CERTIFICATE,
        "cert_suspended": _CERTIFICATE,
        "cert_expired": _CERTIFICATE,
    }
)

BEGINNING: Final[Mapping[type[Exception], Refusal]] = MappingProxyType(
    {
        CallMalformed: Refusal(
            "This cannot be asked",
            "The platform does not take what was typed.",
            "Look at the name of the phone, or leave it empty.",
            "problem",
            HTTPStatus.BAD_REQUEST,
        ),
        CallTooMany: Refusal(
            "Too many at once",
            "This office has asked as often as it may just now.",
            "Please try again in a minute.",
            "caution",
            HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    }
)
"""What is said when no session was opened, by the refusal; :data:`DOWN` otherwise."""


def refusal_of(cause: str) -> Refusal:
    """What is said of a cause."""
    return REFUSALS.get(cause, ENDED)
