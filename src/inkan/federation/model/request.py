"""What a client asks of the OpenID provider, once it passed every check."""

from typing import Any, Final

import msgspec

OFFLINE_SCOPE: Final = "offline_access"


class ClaimWish(msgspec.Struct, frozen=True):
    """One member of the ``claims`` parameter (OIDC Core §5.5.1)."""

    essential: bool = False
    values: list[Any] = []
    purpose: str = ""


class VerifiedWish(msgspec.Struct, frozen=True):
    """One element of ``verified_claims`` in the ``claims`` parameter (OIDC4IDA §6).

    Attributes:
        verification: the constraints, as they were asked.
        claims: name to wish.
    """

    verification: dict[str, Any]
    claims: dict[str, ClaimWish | None]


class ClaimWishes(msgspec.Struct, frozen=True):
    """What is wished at one place: in the ID token, or at the userinfo endpoint."""

    plain: dict[str, ClaimWish | None] = {}
    verified: list[VerifiedWish] = []


class Asked(msgspec.Struct, frozen=True):
    """One request for an answer: the same for code, ``auth_req_id`` and ``device_code``.

    Attributes:
        scope: in the order of the request, each once.
        redirect_uri: where the code goes; empty without a redirect.
        state, response_mode: given back with it.
        code_challenge: RFC 7636, S256; empty where the Basic profile's confidential client sent none.
        acr_values: wished, the best first; ``essential_acr`` obliges (OIDC Core §5.5.1.1).
        authorization_details: RFC 9396, each of a known type.
        resource: RFC 8707.
        dpop_jkt: thumbprint that the code is bound to (RFC 9449 §10).
        ui_locales: of the page.
    """

    scope: list[str]
    redirect_uri: str = ""
    state: str | None = None
    nonce: str | None = None
    response_mode: str = "query"
    code_challenge: str = ""
    prompt: list[str] = []
    max_age: int | None = None
    login_hint: str = ""
    acr_values: list[str] = []
    essential_acr: list[str] = []
    id_token_claims: ClaimWishes = ClaimWishes()
    userinfo_claims: ClaimWishes = ClaimWishes()
    authorization_details: list[dict[str, Any]] = []
    resource: list[str] = []
    dpop_jkt: str = ""
    ui_locales: list[str] = []
