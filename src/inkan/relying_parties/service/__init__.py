"""The register of relying parties, client authentication, access tokens, and who sends a request.

A system proves itself at the token endpoint by a client assertion (RFC 7523) and a DPoP proof (RFC 9449),
and in every request by the token bound to the same key. Client metadata admits more methods
(docs/relying-parties/openid-registration.md). Whether it is suspended is looked up each time: a suspension
holds from its COMMIT on, not from the end of a token.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, Audit
from inkan.crypto import dpop
from inkan.kernel.clock import Clock
from inkan.kernel.ids import SystemID
from inkan.kernel.sensitive import Secret
from inkan.relying_parties import store
from inkan.relying_parties.model import (
    OAuthUnauthorizedClient,
    OAuthUnsupportedGrant,
    System,
    SystemNotFound,
    SystemPrincipal,
    SystemRegistration,
    SystemState,
    SystemSuspended,
    TokenRefused,
)
from inkan.relying_parties.model.client import Client, Form, Grant, TokenAnswer
from inkan.relying_parties.model.window import LiveKey
from inkan.relying_parties.rules import OWN_SYSTEM
from inkan.relying_parties.service import register
from inkan.relying_parties.service.applications import Applications
from inkan.relying_parties.service.authentication import ClientAuthentication
from inkan.relying_parties.service.client_credentials import (
    GRANT_TYPE,
    ClientCredentials,
)
from inkan.relying_parties.service.client_secrets import secret_hash
from inkan.relying_parties.service.entitlements import Entitlements
from inkan.relying_parties.service.exporting import Exporter
from inkan.relying_parties.service.load_rates import LoadRates
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.proofs import Nonces, Proofs
from inkan.relying_parties.service.register import OPERATOR, Register
from inkan.relying_parties.service.tokens import SignToken, Tokens, is_same_certificate
from inkan.store.database import Database, Step


class RelyingParties:
    """Organisations, systems, keys and tokens of one instance.

    Attributes:
        register_of_systems: the register itself, for :class:`Applications`.
        entitlements: which organisations may use My Numbers.
        issuer: what assertions and tokens name as their audience.
        grants: grant type to handler; a later feature adds its rows in composition (design §5.5).
    """

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        clock: Clock,
        issuer: str,
        token_key: EllipticCurvePrivateKey,
        nonce_key: Secret[bytes],
        loopback: bool = False,
        imports_only: bool = False,
    ) -> None:
        """Issue tokens as ``issuer`` (the platform's origin) under ``token_key`` (P-256); nonces under ``nonce_key``.

        With ``loopback`` addresses of this machine may be registered; never in production. With ``imports_only`` a
        system is registered by a signed export and by nothing else (TW-64).
        """
        self._db = db
        self._clock = clock
        self.register_of_systems = Register(
            db=db, audit=audit, issuer=issuer, loopback=loopback, imports_only=imports_only
        )
        self.entitlements = Entitlements(db=db, audit=audit)
        self._clients = ClientAuthentication(db=db, clock=clock, issuer=issuer)
        self._load_rates = LoadRates(db)
        self._tokens = Tokens(clock=clock, issuer=issuer, key=token_key)
        self._proofs = Proofs(clock=clock, nonce_key=nonce_key)
        self.issuer = issuer
        self._credentials = ClientCredentials(self._tokens, issuer=issuer)
        self.grants: dict[str, Grant] = {GRANT_TYPE: self._credentials.grant}

    # --- the register ----------------------------------------------------------------------------

    async def register(
        self, registration: SystemRegistration, *, actor: Actor = OPERATOR
    ) -> System:
        """See :meth:`Register.add`."""
        return await self.register_of_systems.add(registration, actor=actor)

    async def own_system(self, registration: SystemRegistration) -> System:
        """See :meth:`Register.own`."""
        return await self.register_of_systems.own(registration)

    async def add_key(self, code: str, public: dict[str, Any], *, actor: Actor = OPERATOR) -> str:
        """See :meth:`Register.add_key`."""
        return await self.register_of_systems.add_key(code, public, actor=actor)

    async def end_key(
        self, code: str, thumbprint: str, *, at: datetime, actor: Actor = OPERATOR
    ) -> None:
        """See :meth:`Register.end_key`."""
        await self.register_of_systems.end_key(code, thumbprint, at=at, actor=actor)

    async def draw_secret(self, code: str, *, actor: Actor = OPERATOR) -> str:
        """A new client secret of a system, in the place of the one before: the only time that it is seen.

        Raises:
            SystemNotFound: no such code.
            RegistrationWrong: the system is no client that proves itself by a secret.
        """
        return await self.register_of_systems.draw_secret(code, actor=actor)

    async def suspend(self, code: str, *, actor: Actor = OPERATOR) -> None:
        """Refuse every request of a system from now on.

        Raises:
            SystemNotFound: no such code.
        """
        await self.register_of_systems.set_state(code, SystemState.SUSPENDED, actor=actor)

    async def resume(self, code: str, *, actor: Actor = OPERATOR) -> None:
        """End a suspension.

        Raises:
            SystemNotFound: no such code.
        """
        await self.register_of_systems.set_state(code, SystemState.ACTIVE, actor=actor)

    async def keys_of(self, code: str) -> list[LiveKey]:
        """The keys that prove a system now, the oldest first.

        Raises:
            SystemNotFound: no such code.
        """
        return await self._db.read(_keys_of, code)

    async def registered(self, code: str) -> tuple[System, str, list[LiveKey]]:
        """A system, its state, and its live keys.

        Raises:
            SystemNotFound: no such code.
        """
        return await self._db.read(_registered, code)

    async def systems(self) -> list[tuple[System, str]]:
        """Every system and its state, by code."""
        return await self._db.scan(register.all_systems)

    def client(self, code: str) -> Step[System | None]:
        """Step: the active system of that code, or None; the instance's own is nobody's client."""
        row = yield store.TEXT_BY_CODE.one(code=code)
        if row is None or row.state != SystemState.ACTIVE or code == OWN_SYSTEM:
            return None
        return register.read_text_row(row)

    async def active(self, code: str) -> System:
        """The active system of that code.

        Raises:
            SystemNotFound: no such code, a suspended system, or the instance's own.
        """
        system = await self._db.read(self.client, code)
        if system is None:
            raise SystemNotFound()
        return system

    async def public_keys(self, code: str) -> list[dict[str, Any]]:
        """The public JWKs that prove a system now; none for an unknown code."""
        return await self._db.read(_public_keys, code)

    def system(self, system_id: SystemID) -> Step[System | None]:
        """Step: the system of that id, or None."""
        return register.find(system_id)

    # --- the OAuth endpoints -----------------------------------------------------------------------

    @property
    def nonces(self) -> Nonces:
        """The nonces of DPoP proofs; resources hand out the same ones (RFC 9449 §9)."""
        return self._proofs.nonces

    def join(self, grants: Mapping[str, Grant], *, sign: SignToken) -> None:
        """Take in the OpenID provider: its rows of the grant table, and the keys that resources know it by.

        Args:
            grants: grant type to handler.
            sign: signs tokens for resources, with a key that the provider publishes.
        """
        self.grants |= grants
        self._tokens.sign_for_resources = sign

    async def authenticate_client(
        self, form: Form, authorization: str | None = None, certificate: bytes | None = None
    ) -> Client:
        """Which client sends a request to an OAuth endpoint; see :meth:`ClientAuthentication.authenticate`.

        Raises:
            OAuthInvalidRequest, OAuthInvalidClient: as there.
        """
        return await self._clients.authenticate(form, authorization, certificate)

    def prove(self, client: Client, proof: str | None, *, url: str, method: str = "POST") -> Client:
        """The client with the key of its DPoP proof, if it brought one; see :meth:`Proofs.verify`.

        Raises:
            OAuthInvalidDPoPProof, OAuthUseDPoPNonce: as there.
        """
        return self._proofs.verify(client, proof, url=url, method=method)

    async def token(
        self,
        form: Form,
        *,
        proof: str | None,
        url: str,
        authorization: str | None = None,
        certificate: bytes | None = None,
    ) -> tuple[TokenAnswer, str | None]:
        """Answer ``POST /token``: the grant's row, after client authentication and what binds the tokens.

        Args:
            form: parameters of the request, none repeated.
            proof: the ``DPoP`` field.
            url: the endpoint's own address.
            authorization: the ``Authorization`` field.
            certificate: of the connection, DER.

        Returns:
            The answer, and the nonce for the client's next proof; None for a client that needs none.

        Raises:
            OAuthError: one of its leaves; nothing was issued.
        """
        grant_type = form.get("grant_type", "")
        grant = self.grants.get(grant_type)
        if grant is None:
            raise OAuthUnsupportedGrant()
        client = await self._clients.authenticate(form, authorization, certificate)
        _verify_registered(client, grant_type)
        own = grant_type == GRANT_TYPE and self._credentials.is_for_own_api(client, form)
        bound = self._proofs.bound(client, proof, url=url, own=own)
        nonce = None if client.openid is None or bound.jkt is None else self.nonces.present
        return await grant(bound, form), nonce

    # --- every request ---------------------------------------------------------------------------

    async def authenticate(
        self,
        authorization: str,
        *,
        proof: str,
        method: str,
        url: str,
        certificate: bytes | None = None,
    ) -> tuple[SystemPrincipal, str]:
        """Who sends a request, and the id of its proof for the replay memory; empty for a token bound to a certificate.

        1. ``Authorization: DPoP <token>``; the token is ours, in its term (verified once, then remembered
           by its SHA-256 until it ends);
        2. the proof is for this request and this token, made by the key the token is bound to;
        3. the system is active now.

        A token that is bound to a certificate comes as ``Bearer`` over a connection with that certificate, which
        stands in the place of 2 (RFC 8705 §3).

        Raises:
            TokenRefused, DPoPProofRefused: 1 and 2.
            SystemSuspended: 3.
        """
        scheme, _, access_token = authorization.partition(" ")
        if scheme == "Bearer" and certificate is not None:
            token = self._tokens.verify(access_token)
            if token.jkt or not is_same_certificate(token.x5t, certificate):
                raise TokenRefused("bound to another certificate")
            return await self._active(token.code, jkt=""), ""
        if scheme != "DPoP":
            raise TokenRefused("the scheme is DPoP")
        token = self._tokens.verify(access_token)  # 1
        now = self._clock.wire_now()
        proved = dpop.verify_proof(
            proof, method=method, url=url, now=now, access_token=access_token
        )
        if proved.jkt != token.jkt:  # 2
            raise TokenRefused("bound to another key")
        if token.x5t and not is_same_certificate(token.x5t, certificate):
            raise TokenRefused("bound to another certificate")
        principal = await self._active(token.code, jkt=proved.jkt)  # 3
        return principal, f"{proved.jkt}:{proved.jti}"

    async def named(self, code: str) -> SystemPrincipal:
        """The active system of a relying party that has this code, with no proof of anything; sandboxes only.

        Raises:
            TokenRefused: no system has it, or it is the instance's own, which nobody may name.
            SystemSuspended: it is suspended.
        """
        if code == OWN_SYSTEM or await self._db.read(_state_of, code) is None:
            raise TokenRefused("no system has this code")
        return await self._active(code, jkt="")

    async def _active(self, code: str, *, jkt: str) -> SystemPrincipal:
        row = await self._db.read(_by_code, code)
        if row is None or row.state != SystemState.ACTIVE:
            raise SystemSuspended()
        system = register.read_text_row(row)
        return SystemPrincipal(
            system=system, jkt=jkt, load_rate=await self._load_rates.of(system.id)
        )


def _verify_registered(client: Client, grant_type: str) -> None:
    """Every system has tokens for itself; every other grant is one that its client metadata names.

    Raises:
        OAuthUnauthorizedClient: it does not.
    """
    registered = client.openid.grant_types if client.openid is not None else []
    if grant_type != GRANT_TYPE and grant_type not in registered:
        raise OAuthUnauthorizedClient()


def _state_of(code: str) -> Step[Any]:
    return (yield store.STATE.one(code=code))


def _by_code(code: str) -> Step[Any]:
    return (yield store.TEXT_BY_CODE.one(code=code))


def _public_keys(code: str) -> Step[list[dict[str, Any]]]:
    rows = yield store.KEYS_OF.all(code=code)
    return [row.jwk for row in rows]


def _registered(code: str) -> Step[tuple[System, str, list[LiveKey]]]:
    row = yield from register.get_row(code)
    return register.read_system(row), row.state, (yield from register.live_keys(row.id))


def _keys_of(code: str) -> Step[list[LiveKey]]:
    row = yield from register.get_row(code)
    return (yield from register.live_keys(row.id))


__all__ = [
    "Applications",
    "Client",
    "Exporter",
    "Form",
    "Grant",
    "Parts",
    "RelyingParties",
    "TokenAnswer",
    "secret_hash",
]
