"""``GET`` and ``POST /userinfo``, and its refusals in the language of RFC 6750 §3 and RFC 9449 §7.1."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from inkan.federation.model.refusals import (
    AccessProofRefused,
    AccessTokenMissing,
    AccessTokenRefused,
    RequestRefused,
)
from inkan.federation.rules import TOKEN_LIMIT
from inkan.federation.service import Tokens
from inkan.federation.service.userinfo import Presented
from inkan.kernel.clock import Clock
from inkan.kernel.errors import Category, InkanError
from inkan.web.cors import ANYBODY
from inkan.web.exchange import Exchange
from inkan.web.input import check_media_type, decode_form
from inkan.web.principal import open_to_all
from inkan.web.replay import ProofReplayed, ReplayMemory
from inkan.web.response import Response, json_response
from inkan.web.routes import Bare, Group, Surface
from inkan.wire.oauth import OAuthError

CertificateOf = Callable[[Exchange], str | None]
"""SHA-256 (base64url) of the certificate that a request's connection was opened with; None without one."""

_FORM: Final = "application/x-www-form-urlencoded"
_SCHEMES: Final = {"bearer": "Bearer", "dpop": "DPoP"}
_CHALLENGES: Final = {"Bearer": "Bearer", "DPoP": 'DPoP algs="ES256"'}
_STATUS: Final = {
    **dict.fromkeys(Category, HTTPStatus.BAD_REQUEST),
    Category.UNAUTHENTICATED: HTTPStatus.UNAUTHORIZED,
    Category.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Category.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


def no_certificate(_: Exchange) -> str | None:
    """The instance sees no client certificates."""
    return None


def userinfo_routes(
    tokens: Tokens,
    *,
    replay: ReplayMemory,
    clock: Clock,
    certificate_of: CertificateOf = no_certificate,
) -> Group:
    """The userinfo endpoint (OIDC Core §5.3).

    Args:
        tokens: the service.
        replay: remembers proofs.
        clock: the instance's.
        certificate_of: how a client certificate is found.
    """

    async def userinfo(exchange: Exchange) -> Response:
        scheme, access_token = await _credential(exchange)
        answer = await tokens.userinfo.answer(
            Presented(
                scheme=scheme,
                access_token=access_token,
                proof=exchange.header("dpop") or "",
                method=exchange.method,
                url=exchange.url,
                x5t=certificate_of(exchange),
            )
        )
        if answer.proof_id is not None:
            replay.admit(answer.proof_id, now=clock.monotonic())
        media_type = "application/jwt" if answer.is_signed else "application/json"
        return Response(HTTPStatus.OK, answer.body, media_type=media_type)

    access = open_to_all("the access token is the authorization")
    row = Bare(endpoint=userinfo, access=access, body_limit=TOKEN_LIMIT, errors=_resource_error)
    return Group(
        surface=Surface.API,
        cors=ANYBODY,
        bare={("GET", "/userinfo"): row, ("POST", "/userinfo"): row},
    )


async def _credential(exchange: Exchange) -> tuple[str, str]:
    """Scheme and token: from the header, or from the body of a form (RFC 6750 §2.1, §2.2), never from the address.

    Raises:
        AccessTokenMissing: there is none.
        RequestRefused: in two places at once.
    """
    authorization = exchange.header("authorization")
    in_body = await _from_body(exchange)
    if authorization is None:
        if in_body is None:
            raise AccessTokenMissing()
        return "Bearer", in_body
    if in_body is not None:
        raise RequestRefused("the access token stands in two places")
    name, _, credential = authorization.partition(" ")
    scheme = _SCHEMES.get(name.lower())
    if scheme is None or not credential:
        raise AccessTokenMissing()
    return scheme, credential


async def _from_body(exchange: Exchange) -> str | None:
    body = await exchange.body() if exchange.method == "POST" else b""
    if not body:
        return None
    check_media_type(exchange.header("content-type"), _FORM)
    return decode_form(body, dict[str, str]).get("access_token")


def _resource_error(error: InkanError, exchange: Exchange) -> Response:
    """RFC 6750 §3: a challenge that names the error; a request without a token hears which schemes there are."""
    if isinstance(error, AccessTokenMissing):
        response = Response(HTTPStatus.UNAUTHORIZED)
        for challenge in _CHALLENGES.values():
            response.with_header("www-authenticate", challenge)
        return response
    code, status = _told(error)
    response = json_response(status, {"error": code, "error_description": error.title})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return response
    quoted = f'error="{code}", error_description="{error.title}"'
    if _scheme(exchange) == "DPoP":
        return response.with_header("www-authenticate", f'DPoP {quoted}, algs="ES256"')
    return response.with_header("www-authenticate", f"Bearer {quoted}")


def _told(error: InkanError) -> tuple[str, HTTPStatus]:
    if isinstance(error, ProofReplayed):
        return AccessProofRefused.error, HTTPStatus.UNAUTHORIZED
    status = _STATUS[error.category]
    if isinstance(error, OAuthError):
        return error.error, status
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        return "temporarily_unavailable", status
    if status == HTTPStatus.UNAUTHORIZED:
        return AccessTokenRefused.error, status
    return RequestRefused.error, HTTPStatus.BAD_REQUEST


def _scheme(exchange: Exchange) -> str:
    try:
        authorization = exchange.header("authorization") or ""
    except InkanError:  # it stands twice, which is why the request is refused
        return "Bearer"
    return _SCHEMES.get(authorization.partition(" ")[0].lower(), "Bearer")
