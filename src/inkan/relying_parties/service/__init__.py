"""The register of relying parties, client authentication, access tokens, and who sends a request.

A system proves itself at the token endpoint by a client assertion (RFC 7523) and a DPoP proof (RFC 9449),
and in every request by the token bound to the same key. Whether it is suspended is looked up each time:
a suspension holds from its COMMIT on, not from the end of a token.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, Audit
from inkan.crypto import dpop
from inkan.crypto.dpop import DPoPProofRefused
from inkan.kernel.clock import Clock
from inkan.kernel.ids import SystemID
from inkan.relying_parties import store
from inkan.relying_parties.model import (
    OAuthInvalidClient,
    OAuthInvalidDPoPProof,
    OAuthUnsupportedGrant,
    System,
    SystemPrincipal,
    SystemRegistration,
    SystemState,
    SystemSuspended,
    TokenRefused,
)
from inkan.relying_parties.model.window import LiveKey
from inkan.relying_parties.rules import OWN_SYSTEM, TOKEN_LIFE
from inkan.relying_parties.service import register
from inkan.relying_parties.service.applications import Applications
from inkan.relying_parties.service.authentication import ClientAuthentication, Form
from inkan.relying_parties.service.exporting import Exporter
from inkan.relying_parties.service.load_rates import LoadRates
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.register import OPERATOR, Register
from inkan.relying_parties.service.tokens import Tokens
from inkan.store.database import Database, Step


class TokenAnswer(msgspec.Struct, frozen=True):
    """The answer of the token endpoint (RFC 6749 §5.1, RFC 9449 §5)."""

    access_token: str
    token_type: str
    expires_in: int


class Client(msgspec.Struct, frozen=True):
    """An authenticated caller of the token endpoint: a system and the key of its DPoP proof."""

    code: str
    jkt: str


Grant = Callable[[Client, Form], Awaitable[TokenAnswer]]


class RelyingParties:
    """Organisations, systems, keys and tokens of one instance.

    Attributes:
        register_of_systems: the register itself, for :class:`Applications`.
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
        loopback: bool = False,
        imports_only: bool = False,
    ) -> None:
        """Issue tokens as ``issuer`` (the platform's origin) under ``token_key`` (P-256).

        With ``loopback`` addresses of this machine may be registered; never in production. With ``imports_only`` a
        system is registered by a signed export and by nothing else (TW-64).
        """
        self._db = db
        self._clock = clock
        self.register_of_systems = Register(
            db=db, audit=audit, loopback=loopback, imports_only=imports_only
        )
        self._clients = ClientAuthentication(db=db, clock=clock, issuer=issuer)
        self._load_rates = LoadRates(db)
        self._tokens = Tokens(clock=clock, issuer=issuer, key=token_key)
        self.issuer = issuer
        self.grants: dict[str, Grant] = {"client_credentials": self._client_credentials}

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

    def system(self, system_id: SystemID) -> Step[System | None]:
        """Step: the system of that id, or None."""
        return register.find(system_id)

    # --- the token endpoint ----------------------------------------------------------------------

    async def token(self, form: Form, *, proof: str | None, url: str) -> TokenAnswer:
        """Answer ``POST /token``: the grant's row, after client authentication and DPoP.

        Args:
            form: parameters of the request, none repeated.
            proof: the ``DPoP`` field.
            url: the endpoint's own address.

        Raises:
            OAuthError: one of its leaves; nothing was issued.
        """
        grant = self.grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthUnsupportedGrant()
        code = await self._clients.verify(form)
        try:
            proved = dpop.verify_proof(
                proof or "", method="POST", url=url, now=self._clock.wire_now()
            )
        except DPoPProofRefused as refused:
            raise OAuthInvalidDPoPProof(str(refused)) from None
        return await grant(Client(code=code, jkt=proved.jkt), form)

    async def _client_credentials(self, client: Client, form: Form) -> TokenAnswer:
        row = await self._db.read(_state_of, client.code)
        if row is None or row.state != SystemState.ACTIVE:
            raise OAuthInvalidClient("suspended")
        return TokenAnswer(
            access_token=await self._tokens.make(client.code, jkt=client.jkt),
            token_type="DPoP",  # noqa: S106 - the name of a scheme
            expires_in=int(TOKEN_LIFE.total_seconds()),
        )

    # --- every request ---------------------------------------------------------------------------

    async def authenticate(
        self, authorization: str, *, proof: str, method: str, url: str
    ) -> tuple[SystemPrincipal, str]:
        """Who sends a request, and the id of its proof for the replay memory.

        1. ``Authorization: DPoP <token>``; the token is ours, in its term (verified once, then remembered
           by its SHA-256 until it ends);
        2. the proof is for this request and this token, made by the key the token is bound to;
        3. the system is active now.

        Raises:
            TokenRefused, DPoPProofRefused: 1 and 2.
            SystemSuspended: 3.
        """
        scheme, _, access_token = authorization.partition(" ")
        if scheme != "DPoP":
            raise TokenRefused("the scheme is DPoP")
        token = self._tokens.verify(access_token)  # 1
        now = self._clock.wire_now()
        proved = dpop.verify_proof(
            proof, method=method, url=url, now=now, access_token=access_token
        )
        if proved.jkt != token.jkt:  # 2
            raise TokenRefused("bound to another key")
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


def _state_of(code: str) -> Step[Any]:
    return (yield store.STATE.one(code=code))


def _by_code(code: str) -> Step[Any]:
    return (yield store.TEXT_BY_CODE.one(code=code))


def _registered(code: str) -> Step[tuple[System, str, list[LiveKey]]]:
    row = yield from register.get_row(code)
    return register.read_system(row), row.state, (yield from register.live_keys(row.id))


def _keys_of(code: str) -> Step[list[LiveKey]]:
    row = yield from register.get_row(code)
    return (yield from register.live_keys(row.id))


__all__ = ["Applications", "Client", "Exporter", "Grant", "Parts", "RelyingParties", "TokenAnswer"]
