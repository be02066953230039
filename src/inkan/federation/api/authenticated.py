"""How an endpoint for clients learns who sends a request."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

from inkan.relying_parties import Client
from inkan.web.exchange import Exchange

Authenticate = Callable[[Exchange, Mapping[str, str]], Awaitable[Client]]
"""From a request and its form to the client that it proves; raises OAuthError."""


class Prove(Protocol):
    """The client with the key of its DPoP proof, if it brought one (RFC 9449 §4.3)."""

    def __call__(self, client: Client, proof: str | None, *, url: str) -> Client:
        """Raises OAuthError: the proof does not hold, or lacks the server's nonce."""
