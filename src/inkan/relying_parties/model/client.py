"""Clients of the OAuth endpoints: who was authenticated, how, with which key; and what they are answered."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from inkan.relying_parties.model import System
from inkan.relying_parties.model.openid import OpenIDRegistration

Form: TypeAlias = Mapping[str, str]
"""The parameters of a request, none repeated (RFC 6749 §3.2)."""


class Client(msgspec.Struct, frozen=True):
    """An authenticated client: an active system, and the keys that it proved.

    Attributes:
        code: of the system: the ``client_id``.
        method: how it was authenticated, as in ``token_endpoint_auth_method``.
        jkt: thumbprint of the key of its DPoP proof (RFC 7638); None without one.
        x5t: base64url SHA-256 of the certificate of its connection (RFC 8705 §3.1); None without one.
    """

    code: str
    system: System
    method: str = "private_key_jwt"
    jkt: str | None = None
    x5t: str | None = None

    @property
    def openid(self) -> OpenIDRegistration | None:
        """The client metadata of the system; None when it registered none."""
        return self.system.openid


class TokenAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer of the token endpoint (RFC 6749 §5.1, RFC 9449 §5, OIDC Core §3.1.3.3, RFC 9396 §7).

    Attributes:
        token_type: ``DPoP`` or ``Bearer``; a token bound to a certificate is a ``Bearer`` (RFC 8705 §3).
        expires_in: seconds.
        scope: what was granted, where it differs from what was asked.
    """

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str | None = None
    id_token: str | None = None
    scope: str | None = None
    authorization_details: list[dict[str, Any]] | None = None


Grant: TypeAlias = Callable[[Client, Form], Awaitable[TokenAnswer]]
"""A row of the grant table: from the client and its parameters to tokens; raises an ``OAuthError``."""
