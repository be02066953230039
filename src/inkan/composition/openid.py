"""The routes of the OpenID provider: for browsers, and for clients that prove themselves in the request."""

from collections.abc import Mapping

from inkan.composition.platform import Platform
from inkan.crypto.client_certificates import certificate_thumbprint
from inkan.federation import api, pages
from inkan.relying_parties import Client
from inkan.web.client_certificates import client_certificate
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.oauth import oauth_error
from inkan.web.replay import ReplayMemory
from inkan.web.routes import Group


def groups(platform: Platform, systems: Authenticator, *, replay: ReplayMemory) -> list[Group]:
    """Every group of the feature; ``systems`` authenticates the callers of the RP API."""
    provider, clock = platform.openid, platform.clock

    async def authenticate(exchange: Exchange, form: Mapping[str, str]) -> Client:
        return await platform.relying_parties.authenticate_client(
            form, exchange.header("authorization"), client_certificate(exchange)
        )

    return [
        *pages.authorization_routes(provider),
        api.pushing_routes(
            provider,
            authenticate=authenticate,
            prove=platform.relying_parties.prove,
            errors=oauth_error,
        ),
        api.backchannel_routes(provider, authenticate=authenticate, errors=oauth_error),
        pages.device_routes(provider),
        api.logout_routes(),
        pages.logout_page_routes(provider.logout),
        *api.signal_routes(provider.streams, systems),
        api.published_routes(
            provider.tokens,
            clock,
            certificates=bool(platform.settings.server.certificate_header),
        ),
        api.userinfo_routes(
            provider.tokens, replay=replay, clock=clock, certificate_of=_thumbprint
        ),
        api.introspection_routes(provider.tokens, authenticate=authenticate, errors=oauth_error),
    ]


def _thumbprint(exchange: Exchange) -> str | None:
    """``x5t#S256`` of the certificate of a client's connection; None without one."""
    certificate = client_certificate(exchange)
    return None if certificate is None else certificate_thumbprint(certificate)
