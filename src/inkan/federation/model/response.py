"""The answer that a browser takes from the authorization endpoint to the client."""

import msgspec


class AuthorizationResponse(msgspec.Struct, frozen=True):
    """Code or error, for a redirect address that was verified.

    Attributes:
        client: ``client_id``, the audience of a signed answer.
        members: parameters in their order; ``iss`` is always among them (RFC 9207 §2).
    """

    client: str
    redirect_uri: str
    response_mode: str
    members: dict[str, str]


class Rendered(msgspec.Struct, frozen=True):
    """The answer as it travels: an address for a redirect, or the fields of a form for ``redirect_uri``."""

    location: str
    fields: dict[str, str] = {}


class LoginPage(msgspec.Struct, frozen=True):
    """Where the person answers.

    Attributes:
        url: of the redirect page.
        ui_locales: wishes for its language, the best first.
    """

    url: str
    ui_locales: list[str] = []
