"""CIBA: what a client asks for without a browser, and what it gets for it."""

from typing import Literal

import msgspec

from inkan.federation.model.request import Asked
from inkan.kernel.errors import Unavailable

HintKind = Literal["person_ref", "phone_ref", "national_id", "id_token"]


class Hint(msgspec.Struct, frozen=True):
    """Whom the client wants to ask; ``value`` is never stored or logged.

    Attributes:
        kind: ``id_token`` stands for the person reference in an ID token of this provider.
    """

    kind: HintKind
    value: str

    def __repr__(self) -> str:
        return f"Hint({self.kind})"


class BackchannelAsked(msgspec.Struct, frozen=True):
    """An authentication request that passed every check (CIBA Core §7.1).

    Attributes:
        expires_in: seconds in which the person may answer.
        notification_token: what a ping has to bring; empty for a client that polls.
    """

    asked: Asked
    hint: Hint
    binding_message: str
    expires_in: int
    notification_token: str


class BackchannelAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer to an authentication request (CIBA Core §7.3).

    Attributes:
        inkan_code: six digits that the client shows and the person types into the phone (design §5.7).
    """

    auth_req_id: str
    expires_in: int
    interval: int
    inkan_code: str | None = None


class Notification(msgspec.Struct, frozen=True):
    """What a ping brings, kept sealed until it is sent (CIBA Core §10.2)."""

    auth_req_id: str
    token: str


class PingJob(msgspec.Struct, frozen=True):
    """Which grant's client is told that it may collect."""

    grant: str


class PingUndelivered(Unavailable):
    """The client's endpoint answered with a status after which it is asked again."""

    code = "openid_ping_undelivered"
    title = "The client's notification endpoint did not take the notification"


class PingResting(Unavailable):
    """The endpoint failed shortly before, or has as many notifications under way as one endpoint may."""

    code = "openid_ping_resting"
    title = "The client's notification endpoint is left alone for a while"
