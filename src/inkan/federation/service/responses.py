"""How an answer travels back to the client: in the query or a form, plain or as a signed token (JARM)."""

from typing import Any, NamedTuple, Protocol
from urllib.parse import urlencode

import msgspec

from inkan.crypto.jose import Algorithm
from inkan.federation.model.request import Asked
from inkan.federation.model.response import AuthorizationResponse, Rendered
from inkan.federation.rules import RESPONSE_LIFE, RESPONSE_TYP
from inkan.federation.service.modes import MODES
from inkan.federation.service.parts import Parts
from inkan.kernel.clock import to_seconds
from inkan.relying_parties import OpenIDRegistration
from inkan.wire.oauth import OAuthError


class Sign(Protocol):
    """The provider's ring."""

    async def __call__(self, payload: bytes, *, typ: str, alg: Algorithm) -> str:
        """The compact JWS of a payload under the key that signs now."""


class Place(NamedTuple):
    """Where an answer goes: an address that was verified, how, and with which state."""

    redirect_uri: str
    response_mode: str
    state: str | None


def place_of(asked: Asked) -> Place:
    """Where the answer to a valid request goes."""
    return Place(asked.redirect_uri, asked.response_mode, asked.state)


def succeeded(parts: Parts, client: str, place: Place, *, code: str) -> AuthorizationResponse:
    """The answer with a code (RFC 6749 §4.1.2, RFC 9207 §2)."""
    return _response(parts, client, place, code=code)


def refused(parts: Parts, client: str, place: Place, error: OAuthError) -> AuthorizationResponse:
    """The answer with an error (RFC 6749 §4.1.2.1); its description says nothing of the person."""
    return _response(parts, client, place, error=error.error, error_description=error.title)


def render(response: AuthorizationResponse, fields: dict[str, str]) -> Rendered:
    """The answer as its mode has it; ``fields`` are its members, or the one that signs them (:func:`sign`)."""
    if MODES[response.response_mode].is_form:
        return Rendered(location=response.redirect_uri, fields=fields)
    joint = "&" if "?" in response.redirect_uri else "?"
    return Rendered(location=f"{response.redirect_uri}{joint}{urlencode(fields)}")


def _response(parts: Parts, client: str, place: Place, **members: str) -> AuthorizationResponse:
    given_back = {"state": place.state} if place.state is not None else {}
    return AuthorizationResponse(
        client=client,
        redirect_uri=place.redirect_uri,
        response_mode=place.response_mode,
        members={**members, **given_back, "iss": parts.issuer},
    )


async def sign(
    parts: Parts, by: Sign, response: AuthorizationResponse, client: OpenIDRegistration
) -> str:
    """JARM §2.1: iss, aud and exp beside the parameters."""
    expires = parts.clock.wire_now() + RESPONSE_LIFE
    claims: dict[str, Any] = {
        **response.members,
        "iss": parts.issuer,
        "aud": response.client,
        "exp": to_seconds(expires),
    }
    # FAPI 2.0 Security Profile §5.4.1: ES256 or PS256, whatever else the client takes.
    alg = "ES256" if client.is_fapi else client.id_token_signed_response_alg
    return await by(msgspec.json.encode(claims), typ=RESPONSE_TYP, alg=Algorithm(alg))
