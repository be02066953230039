"""What the reading room says when nobody is let in: what happened, and what to do. One row for each cause.

Texts are msgids of the room's catalogue. A cause is an error code of OAuth or OpenID Connect as it came back, or the
room's own judgement (:mod:`inkan.apps.showcase.reading_room.judging`); one without a row is told by :data:`ENDED`.
"""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final, Literal

import msgspec

from inkan.apps.showcase.reading_room.judging import FOREIGN, NOT_BELIEVED


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
    status: int = HTTPStatus.FORBIDDEN


_AGAIN: Final = "Start again whenever you like."
_DOWN: Final = Refusal(
    "The login service does not answer",
    "Nothing was lost, and nobody is logged in.",
    "Please try again in a minute.",
    "problem",
    HTTPStatus.SERVICE_UNAVAILABLE,
)

DOWN: Final = _DOWN
ENDED: Final = Refusal(
    "The login did not come about",
    "The login service says that it cannot be done like this.",
    "Start again. If it happens twice, tell the library.",
    "problem",
)
REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        FOREIGN: Refusal(
            "This answer is not accepted",
            "It was not begun in this browser, or it came back before. Nobody is logged in by it.",
            "Start again here. If somebody sent you this address, do not use it.",
            "problem",
        ),
        NOT_BELIEVED: Refusal(
            "This answer is not accepted",
            "It does not hold against what the library asked, or against the keys of the login service.",
            "Start again. If it happens twice, tell the library.",
            "problem",
        ),
        "access_denied": Refusal(
            "You are not logged in",
            "Nobody agreed on the phone, or the time was over. Nothing was given to the library.",
            _AGAIN,
        ),
        "login_required": Refusal(
            "You are not logged in",
            "The login service would have to ask you, and was told not to.",
            _AGAIN,
        ),
        "temporarily_unavailable": _DOWN,
        "server_error": _DOWN,
    }
)


def refusal_of(cause: str) -> Refusal:
    """What is said of a cause."""
    return REFUSALS.get(cause, ENDED)
