"""The grant ``client_credentials`` (RFC 6749 §4.4): tokens of a system for itself, without a person.

Without ``resource`` the token is for the RP API of this platform (design §5.5); a client that proves itself by no key
gets none. With ``resource`` (RFC 8707) it is for a resource that the client registered, which verifies it by the keys
of the provider. Such a token names no scope: what the client may do there, the resource knows of it.
"""

from typing import Final

from inkan.relying_parties.model import (
    OAuthInvalidScope,
    OAuthInvalidTarget,
    OAuthUnauthorizedClient,
)
from inkan.relying_parties.model.client import Client, Form, TokenAnswer
from inkan.relying_parties.rules import TOKEN_LIFE
from inkan.relying_parties.service.tokens import Tokens

GRANT_TYPE: Final = "client_credentials"
_BY_KEY: Final = frozenset({"private_key_jwt", "self_signed_tls_client_auth"})
"""Design §5.5: what the RP API accepts."""


class ClientCredentials:
    """Issues the tokens of this grant."""

    def __init__(self, tokens: Tokens, *, issuer: str) -> None:
        self._tokens = tokens
        self._issuer = issuer

    async def grant(self, client: Client, form: Form) -> TokenAnswer:
        """A token of ten minutes; :meth:`is_for_own_api` has admitted the request."""
        resource = None if self.is_for_own_api(client, form) else form["resource"]
        return TokenAnswer(
            access_token=await self._tokens.make(
                client.code, jkt=client.jkt, x5t=client.x5t, resource=resource
            ),
            token_type="Bearer" if client.jkt is None else "DPoP",
            expires_in=int(TOKEN_LIFE.total_seconds()),
        )

    def is_for_own_api(self, client: Client, form: Form) -> bool:
        """Whether a request of this grant is for the RP API; its parameters are checked on the way.

        Raises:
            OAuthInvalidScope: a client asks for a scope.
            OAuthInvalidTarget: the resource is none that it registered, or this platform itself.
            OAuthUnauthorizedClient: it registered no tokens of this grant, or proves itself by no key for the RP
                API.
        """
        openid = client.openid
        if openid is None:
            return True
        if form.get("scope"):
            raise OAuthInvalidScope()
        if "resource" not in form:
            if client.method not in _BY_KEY:
                raise OAuthUnauthorizedClient("a secret gives no token for the RP API")
            return True
        if GRANT_TYPE not in openid.grant_types:
            raise OAuthUnauthorizedClient()
        resource = form["resource"]
        if resource not in openid.resources or resource.startswith(self._issuer):
            raise OAuthInvalidTarget()
        return False
