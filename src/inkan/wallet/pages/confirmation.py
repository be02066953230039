"""The passkey asked for after an answer, in the browser that began.

The passkeys of phones are this origin's, so the browser in which an identification began comes here to show one
(``docs/doors.md``, "The passkey in the browser that began"). What it shows here counts for nothing yet.
"""

from datetime import timedelta
from typing import Annotated, Final
from urllib.parse import urlencode

import msgspec

from inkan.crypto import base64url
from inkan.crypto.webauthn import Assertion
from inkan.identification import Attachment, Identification
from inkan.kernel.errors import Malformed
from inkan.web import headers
from inkan.web.exchange import Exchange
from inkan.web.input import decode
from inkan.web.limits import RateLimit
from inkan.web.principal import open_to_all
from inkan.web.response import Response, ok, see_other
from inkan.web.routes import Bare, Endpoint, Group, Surface
from inkan.wire import wallet_paths

_CONFIRMATION: Final = f"/{wallet_paths.CONFIRMATION_PATH}/{{handle}}"
_HANDLE_OPEN: Final = open_to_all(
    "the handle names what is confirmed, the passkey whose phone it is"
)
_ASKS_FOR_PASSKEY: Final = headers.PAGES.granting("publickey-credentials-get")
_LIMIT: Final = RateLimit(name="passkey-confirmation", requests=60, window=timedelta(minutes=1))
_ANSWER_LIMIT: Final = 16 * 1024


class _Response(msgspec.Struct, frozen=True, rename="camel"):
    client_data_json: str = msgspec.field(name="clientDataJSON")
    authenticator_data: str
    signature: str


class Answer(msgspec.Struct, frozen=True, rename="camel"):
    """AuthenticationResponseJSON (WebAuthn §5.1.8); what else the browser says is not read."""

    id: str
    type: str
    response: _Response
    authenticator_attachment: Attachment


class AnswerForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A passkey's answer: the browser's JSON."""

    credential: Annotated[str, msgspec.Meta(max_length=_ANSWER_LIMIT)]
    ceremony: Annotated[str, msgspec.Meta(max_length=64)] = ""


class Ceremony(msgspec.Struct, frozen=True):
    """What ``passkey.js`` asks the browser for."""

    id: str
    options: dict[str, object]


def confirmation_routes(identification: Identification) -> Group:
    """The page on which the browser that began shows a passkey of the phone that answered."""
    strengthening = identification.strengthening

    async def show(exchange: Exchange) -> Response:
        handle = exchange.parameters["handle"]
        asked = await strengthening.find(handle)
        # What the form brings goes on to the page that began, by a redirect.
        exchange.allow_form_to(strengthening.platform)
        path = _CONFIRMATION.format(handle=handle)
        return exchange.page("wallet/confirmation.html", asked=asked, path=path)

    async def begin(exchange: Exchange) -> Response:
        options = await strengthening.options(exchange.parameters["handle"])
        # The secret of the passkey wraps the phone's keys; no page of a browser has to see it.
        asked = {name: value for name, value in options.items() if name != "extensions"}
        return ok(Ceremony(id="", options=asked))

    async def prove(exchange: Exchange) -> Response:
        form = await exchange.form(AnswerForm)
        assertion, attachment = parse_answer(form.credential.encode())
        proved = await strengthening.prove(
            exchange.parameters["handle"], assertion, attachment=attachment
        )
        return see_other(f"{proved.page}?{urlencode({'confirmation': proved.token})}")

    def bare(endpoint: Endpoint, policy: headers.Policy | None = None) -> Bare:
        return Bare(endpoint=endpoint, access=_HANDLE_OPEN, policy=policy)

    return Group(
        surface=Surface.PAGES,
        limit=_LIMIT,
        bare={
            ("GET", _CONFIRMATION): bare(show, _ASKS_FOR_PASSKEY),
            ("POST", f"{_CONFIRMATION}/begin"): bare(begin),
            ("POST", _CONFIRMATION): bare(prove),
        },
    )


def parse_answer(answer: bytes) -> tuple[Assertion, Attachment]:
    """The assertion in a browser's answer, and where it says the authenticator is; nothing of it is verified.

    Raises:
        TooLarge, Malformed, NameRepeated, Base64URLMalformed: it cannot be read.
    """
    received = decode(answer, Answer, limit=_ANSWER_LIMIT)
    if received.type != "public-key":
        raise Malformed("no public-key credential", where="/type", expected="public-key")
    assertion = Assertion(
        credential_id=base64url.decode(received.id),
        client_data_json=base64url.decode(received.response.client_data_json),
        authenticator_data=base64url.decode(received.response.authenticator_data),
        signature=base64url.decode(received.response.signature),
    )
    return assertion, received.authenticator_attachment
