"""Logouts: what a client asks, whom the person gave a login to, and the refusals."""

from datetime import datetime
from typing import Annotated

import msgspec

from inkan.kernel.errors import Malformed, NotFound, Unavailable
from inkan.kernel.ids import SystemID

_Short = Annotated[str, msgspec.Meta(max_length=512)]
_Long = Annotated[str, msgspec.Meta(max_length=4096)]


class LogoutWish(msgspec.Struct, frozen=True):
    """The parameters of a logout request (RP-Initiated Logout 1.0 §2); others are ignored, as OAuth does.

    Attributes:
        id_token_hint: an ID token of this provider; its term may be over.
        post_logout_redirect_uri: registered, letter by letter.
        state: given back with it.
    """

    id_token_hint: _Long = ""
    client_id: _Short = ""
    post_logout_redirect_uri: _Short = ""
    state: _Short = ""


class Leaving(msgspec.Struct, frozen=True):
    """A logout request that passed every check.

    Attributes:
        client: the ``client_id``; empty when the request names none.
        name: of the client's system, for the page.
        sub, sid: of the hint; empty without one.
        back: where the browser is led afterwards, ``state`` included; empty for the platform's own page.
    """

    client: str = ""
    name: str = ""
    sub: str = ""
    sid: str = ""
    back: str = ""


class LivingClient(msgspec.Struct, frozen=True):
    """A client that may still act on what the person answered.

    Attributes:
        scopes: what was granted, each once, in alphabetical order.
        since: of the oldest grant that lives.
        latest: when the person answered last.
        until: the end of the last grant.
    """

    system: SystemID
    name: str
    domain: str
    scopes: list[str]
    since: datetime
    latest: datetime
    until: datetime


class LogoutRefused(Malformed):
    """The hint is no ID token of this provider, is another client's, or the address is not registered."""

    code = "openid_logout_refused"
    title = "This logout request is not usable"


class ClientGrantsNotFound(NotFound):
    """The person has no living grant at a client of that id: unknown, ended, or another person's."""

    code = "openid_client_grants_not_found"
    title = "This service holds no login of yours"


class ReceiverResting(Unavailable):
    """The receiver failed shortly before; it is left alone for a while."""

    code = "openid_receiver_resting"
    title = "The receiver of a message failed shortly before and is left alone for a while"


class ReceiverUndelivered(Unavailable):
    """The receiver answered, and not that it took the message."""

    code = "openid_receiver_undelivered"
    title = "The receiver did not take the message"
