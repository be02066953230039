"""``POST /token`` and the authenticator of every route for systems."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Final

from inkan.kernel.clock import Clock
from inkan.relying_parties.model import SystemPrincipal
from inkan.relying_parties.rules import MAX_FORM_BYTES
from inkan.relying_parties.service import RelyingParties
from inkan.web.client_certificates import client_certificate
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.input import check_media_type, decode_form
from inkan.web.oauth import CHALLENGE, oauth_error
from inkan.web.principal import Assurance, Principal, PrincipalKind, open_to_all
from inkan.web.replay import ReplayMemory
from inkan.web.response import Response, ok
from inkan.web.routes import Bare, Group, Operation, Surface

SYSTEM_ROLE = "system"

Scheme = Callable[[str], Awaitable[SystemPrincipal]]
"""From the credential of an authentication scheme (RFC 9110 §11.4) to the system; raises what does not hold."""

_NO_OTHERS: Final[Mapping[str, Scheme]] = MappingProxyType({})


def routes(relying_parties: RelyingParties) -> Group:
    """The group of the token endpoint."""

    async def token(exchange: Exchange) -> Response:
        check_media_type(exchange.header("content-type"), "application/x-www-form-urlencoded")
        form = decode_form(await exchange.body(), dict[str, str])
        answer, nonce = await relying_parties.token(
            form,
            proof=exchange.header("dpop"),
            url=exchange.url,
            authorization=exchange.header("authorization"),
            certificate=client_certificate(exchange),
        )
        response = ok(answer).with_header("cache-control", "no-store")
        return response if nonce is None else response.with_header("dpop-nonce", nonce)

    return Group(
        surface=Surface.API,
        bare={
            ("POST", "/token"): Bare(
                endpoint=token,
                access=open_to_all("the client's own proof in the request is the authentication"),
                body_limit=MAX_FORM_BYTES,
                errors=oauth_error,
                operation=Operation(
                    name="token",
                    summary="Tokens for a client, by its proof of who it is and of its key",
                ),
            )
        },
    )


def authenticator(
    relying_parties: RelyingParties,
    *,
    replay: ReplayMemory,
    clock: Clock,
    others: Mapping[str, Scheme] = _NO_OTHERS,
) -> Authenticator:
    """From a request to the system that proved itself in it; None when it presents nothing.

    Args:
        relying_parties: the service.
        replay: remembers proofs.
        clock: the instance's.
        others: scheme to what reads its credential, beside ``DPoP``. Production has none (design §5.5).
    """

    async def authenticate(exchange: Exchange) -> Principal | None:
        authorization = exchange.header("authorization")
        if authorization is None:
            return None
        scheme, _, credential = authorization.partition(" ")
        if scheme in others and "." not in credential:  # a token has dots, a system's code none
            return principal_of(await others[scheme](credential))
        found, proof_id = await relying_parties.authenticate(
            authorization,
            proof=exchange.header("dpop") or "",
            method=exchange.method,
            url=exchange.url,
            certificate=client_certificate(exchange),
        )
        if proof_id:
            replay.admit(proof_id, now=clock.monotonic())
        return principal_of(found)

    return authenticate


def principal_of(found: SystemPrincipal) -> Principal:
    """A system as the toolkit knows its callers."""
    return Principal(
        kind=PrincipalKind.SYSTEM,
        id=found.system.id,
        roles=frozenset({SYSTEM_ROLE}),
        assurance=Assurance.POSSESSION,
        tenant=found.system.organisation,
        record=found,
    )


__all__ = ["CHALLENGE", "Scheme", "authenticator", "oauth_error", "principal_of", "routes"]
