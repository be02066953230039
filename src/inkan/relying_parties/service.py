"""The register of relying parties, client authentication, access tokens, and who sends a request.

A system proves itself at the token endpoint by a client assertion (RFC 7523) and a DPoP proof (RFC 9449),
and in every request by the token bound to the same key. Whether it is suspended is looked up each time:
a suspension holds from its COMMIT on, not from the end of a token.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from inkan.audit import Actor, ActorKind, Audit
from inkan.crypto import base64url, dpop, jose, jwk
from inkan.crypto.dpop import DPoPProofRefused
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock, from_seconds, to_seconds
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import RelyingPartyID, SystemID, new_id
from inkan.relying_parties import store
from inkan.relying_parties.model import (
    OAuthInvalidClient,
    OAuthInvalidDPoPProof,
    OAuthInvalidRequest,
    OAuthUnsupportedGrant,
    Purpose,
    RegistrationWrong,
    System,
    SystemExists,
    SystemNotFound,
    SystemPrincipal,
    SystemRegistration,
    SystemSuspended,
    TokenRefused,
)
from inkan.relying_parties.rules import (
    ACCESS_TOKEN_TYP,
    ASSERTION_LIFE,
    ASSERTION_TYPE,
    ASSERTION_TYPS,
    CLOCK_LEEWAY,
    LANGUAGES,
    TOKEN_LIFE,
)
from inkan.store.database import MOMENT, Database, Step
from inkan.wire.binding import BindingLevel, Door

Form = Mapping[str, str]
OPERATOR = Actor(ActorKind.OPERATOR, "register")
TOKEN_CACHE = 4096


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


class _Claims(msgspec.Struct, frozen=True):
    """Claims of a client assertion (RFC 7523 §3) or an access token (RFC 9068 §2.2)."""

    iss: str
    sub: str
    aud: str
    iat: int
    exp: int
    jti: str
    cnf: dict[str, str] = {}


class _Token(msgspec.Struct, frozen=True):
    """A verified access token."""

    code: str
    jkt: str
    expires_at: datetime


class RelyingParties:
    """Organisations, systems, keys and tokens of one instance."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        clock: Clock,
        issuer: str,
        token_key: EllipticCurvePrivateKey,
    ) -> None:
        """Issue tokens as ``issuer`` (the platform's origin) under ``token_key`` (P-256)."""
        self._db = db
        self._audit = audit
        self._clock = clock
        self.issuer = issuer
        self._key = token_key
        self._public_key = token_key.public_key()
        self._tokens: OrderedDict[bytes, _Token] = OrderedDict()
        self.grants: dict[str, Grant] = {"client_credentials": self._client_credentials}

    # --- the register ----------------------------------------------------------------------------

    async def register(
        self, registration: SystemRegistration, *, actor: Actor = OPERATOR
    ) -> System:
        """Register an organisation (once) and one system of it.

        Raises:
            SystemExists: the code is taken (TW-66), or a key belongs to another system.
            RegistrationWrong: a text misses a language, or a key is no public P-256 JWK.
        """
        keys = _keys(registration)
        _check_texts(registration)
        return await self._db.transact(self._register, registration, keys, actor)

    async def suspend(self, code: str, *, actor: Actor = OPERATOR) -> None:
        """Refuse every request of a system from now on.

        Raises:
            SystemNotFound: no such code.
        """
        await self._db.transact(self._set_state, code, "suspended", actor)

    async def resume(self, code: str, *, actor: Actor = OPERATOR) -> None:
        """End a suspension.

        Raises:
            SystemNotFound: no such code.
        """
        await self._db.transact(self._set_state, code, "active", actor)

    async def systems(self) -> list[tuple[System, str]]:
        """Every system and its state, by code."""
        return await self._db.scan(_all)

    def system(self, system_id: SystemID) -> Step[System | None]:
        """Step: the system of that id, or None."""
        row = yield store.BY_ID.one(key=system_id)
        return _system(row) if row else None

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
        code = await self._authenticate_client(form)
        try:
            proved = dpop.verify_proof(
                proof or "", method="POST", url=url, now=self._clock.wire_now()
            )
        except DPoPProofRefused as refused:
            raise OAuthInvalidDPoPProof(str(refused)) from None
        return await grant(Client(code=code, jkt=proved.jkt), form)

    async def _authenticate_client(self, form: Form) -> str:
        """The code of the system that signed the assertion.

        1. the assertion's type and form (RFC 7523 §2.2);
        2. a system of that code with a key that verifies it (ES256);
        3. iss = sub = the code, aud = the issuer as one string (RFC 7523 §3, the draft's own addendum);
        4. a life of at most 60 s, begun and not ended;
        5. used once: its jti is written down with the COMMIT.

        Every failure is one answer, so that the endpoint is no oracle of codes.
        """
        if form.get("client_assertion_type") != ASSERTION_TYPE:  # 1
            raise OAuthInvalidRequest("client_assertion_type")
        try:
            token = jose.parse_compact(
                form.get("client_assertion", ""), typ=ASSERTION_TYPS, optional=("kid",)
            )
            claims = msgspec.convert(jose.parse_object(token.payload), _Claims)
        except (InkanError, msgspec.ValidationError) as wrong:
            raise OAuthInvalidClient(str(wrong)) from None
        keys = await self._db.read(_keys_of, claims.sub)  # 2
        if not any(_signed_by(token, key) for key in keys):
            raise OAuthInvalidClient("no registered key signed it")
        if claims.iss != claims.sub or claims.aud != self.issuer:  # 3
            raise OAuthInvalidClient("iss, sub or aud")
        self._check_term(claims)  # 4
        await self._db.transact(_use_assertion, claims, self._clock.wire_now())  # 5
        return claims.sub

    def _check_term(self, claims: _Claims) -> None:
        now = self._clock.wire_now()
        issued, ends = from_seconds(claims.iat), from_seconds(claims.exp)
        if ends - issued > ASSERTION_LIFE or not 16 <= len(claims.jti) <= 128:
            raise OAuthInvalidClient("an assertion lives at most 60 s and has a jti of 16 to 128")
        if not issued - CLOCK_LEEWAY <= now < ends + CLOCK_LEEWAY:
            raise OAuthInvalidClient("outside its term")

    async def _client_credentials(self, client: Client, form: Form) -> TokenAnswer:
        row = await self._db.read(_state_of, client.code)
        if row is None or row.state != "active":
            raise OAuthInvalidClient("suspended")
        return TokenAnswer(
            access_token=self.access_token(client),
            token_type="DPoP",  # noqa: S106 - the name of a scheme
            expires_in=int(TOKEN_LIFE.total_seconds()),
        )

    def access_token(self, client: Client) -> str:
        """An access token of RFC 9068 for the system, bound to the key (RFC 9449 §6.1)."""
        now = to_seconds(self._clock.wire_now())
        claims = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": client.code,
            "client_id": client.code,
            "iat": now,
            "exp": now + int(TOKEN_LIFE.total_seconds()),
            "jti": new_id("tok"),
            "cnf": {"jkt": client.jkt},
        }
        payload = msgspec.json.encode(claims)
        return jose.sign_compact(payload, self._key, alg=Algorithm.ES256, typ=ACCESS_TOKEN_TYP)

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
        token = self._verify_token(access_token)  # 1
        now = self._clock.wire_now()
        proved = dpop.verify_proof(
            proof, method=method, url=url, now=now, access_token=access_token
        )
        if proved.jkt != token.jkt:  # 2
            raise TokenRefused("bound to another key")
        row = await self._db.read(_by_code, token.code)  # 3
        if row is None or row.state != "active":
            raise SystemSuspended()
        principal = SystemPrincipal(system=_system(row), jkt=proved.jkt)
        return principal, f"{proved.jkt}:{proved.jti}"

    def _verify_token(self, access_token: str) -> _Token:
        digest = hashlib.sha256(access_token.encode()).digest()
        known = self._tokens.get(digest)
        now = self._clock.wire_now()
        if known is None:
            known = self._parse_token(access_token)
            self._tokens[digest] = known
            if len(self._tokens) > TOKEN_CACHE:
                self._tokens.popitem(last=False)
        if known.expires_at <= now:
            raise TokenRefused("expired")
        return known

    def _parse_token(self, access_token: str) -> _Token:
        try:
            verified = jose.verify_compact(
                access_token, self._public_key, algs=(Algorithm.ES256,), typ=ACCESS_TOKEN_TYP
            )
            claims = msgspec.json.decode(verified.payload, type=_Claims)
        except (InkanError, msgspec.ValidationError) as wrong:
            raise TokenRefused(str(wrong)) from None
        if claims.iss != self.issuer or claims.aud != self.issuer or "jkt" not in claims.cnf:
            raise TokenRefused("iss, aud or cnf")
        return _Token(code=claims.sub, jkt=claims.cnf["jkt"], expires_at=from_seconds(claims.exp))

    # --- bodies ----------------------------------------------------------------------------------

    def _register(
        self, registration: SystemRegistration, keys: dict[str, dict[str, Any]], actor: Actor
    ) -> Step[System]:
        moment = yield MOMENT
        system_id = SystemID(new_id("sys"))
        event = yield from self._audit.record(
            "relying_parties.system_registered",
            actor=actor,
            object=system_id,
            details={"code": registration.code, "keys": sorted(keys)},
        )
        organisation = yield from _organisation(registration, event)
        made = yield store.INSERT_SYSTEM.run(
            id=system_id,
            organisation=organisation,
            code=registration.code,
            name=registration.name,
            domain=registration.domain,
            state="active",
            doors=[str(door) for door in registration.doors],
            purposes=registration.purposes,
            internal=registration.internal,
            binding_min=registration.binding_min,
            sector=organisation,
            version=1,
            event_id=event,
        )
        if not made:
            raise SystemExists()
        for thumbprint, public in keys.items():
            added = yield store.INSERT_KEY.run(
                thumbprint=thumbprint,
                system=system_id,
                jwk=public,
                added_at=moment,
                ends_at=None,
                event_id=event,
            )
            if not added:
                raise SystemExists("a key belongs to another system")
        row = yield store.BY_CODE.one(code=registration.code)
        return _system(row)

    def _set_state(self, code: str, state: str, actor: Actor) -> Step[None]:
        row = yield store.BY_CODE.one(code=code)
        if row is None:
            raise SystemNotFound()
        event = yield from self._audit.record(
            f"relying_parties.system_{'suspended' if state == 'suspended' else 'resumed'}",
            actor=actor,
            object=row.id,
        )
        yield store.SET_STATE.run(code=code, new_state=state, event=event)


def _organisation(registration: SystemRegistration, event: str) -> Step[RelyingPartyID]:
    yield store.INSERT_ORGANISATION.run(
        id=new_id("org"),
        code=registration.organisation,
        name=registration.organisation_name,
        sector=registration.sector,
        event_id=event,
    )
    row = yield store.ORGANISATION.one(code=registration.organisation)
    return RelyingPartyID(row.id)


def _use_assertion(claims: _Claims, now: datetime) -> Step[None]:
    named = hashlib.sha256(f"{claims.sub}\x00{claims.jti}".encode()).digest()
    ends = from_seconds(claims.exp) + CLOCK_LEEWAY
    yield store.FORGET_ASSERTIONS.run(before=now - CLOCK_LEEWAY)
    fresh = yield store.USE_ASSERTION.run(jti_sha256=base64url.encode(named), expires_at=ends)
    if not fresh:
        raise OAuthInvalidClient("used before")


def _keys_of(code: str) -> Step[list[dict[str, Any]]]:
    rows = yield store.KEYS_OF.all(code=code)
    return [row.jwk for row in rows]


def _state_of(code: str) -> Step[Any]:
    return (yield store.STATE.one(code=code))


def _by_code(code: str) -> Step[Any]:
    return (yield store.BY_CODE.one(code=code))


def _all() -> Step[list[tuple[System, str]]]:
    rows = yield store.ALL.all()
    return [(_system(row), row.state) for row in rows]


def _signed_by(token: jose.UnverifiedJWS, public: dict[str, Any]) -> bool:
    try:
        jose.verify_signature(token, jwk.load_jwk(public), algs=(Algorithm.ES256,))
    except jose.JWSSignatureWrong:
        return False
    return True


def _system(row: Any) -> System:
    purposes = msgspec.convert(row.purposes, list[Purpose])
    return System(
        id=SystemID(row.id),
        organisation=RelyingPartyID(row.organisation),
        organisation_name=row.organisation_name,
        code=row.code,
        name=row.name,
        domain=row.domain,
        doors=frozenset(Door(door) for door in row.doors),
        purposes={purpose.code: purpose for purpose in purposes},
        internal=row.internal,
        binding_min=BindingLevel(row.binding_min) if row.binding_min else None,
        sector=row.sector,
    )


def _keys(registration: SystemRegistration) -> dict[str, dict[str, Any]]:
    found = {}
    for index, public in enumerate(registration.keys):
        try:
            key = jwk.load_jwk(public)
        except InkanError as wrong:
            raise RegistrationWrong(str(wrong), where=f"/keys/{index}") from None
        found[jwk.thumbprint(key)] = jwk.to_jwk(key)
    if not found:
        raise RegistrationWrong("a system needs a key", where="/keys")
    return found


def _check_texts(registration: SystemRegistration) -> None:
    texts = [("/organisation_name", registration.organisation_name)]
    texts += [(f"/purposes/{each.code}/text", each.text) for each in registration.purposes]
    for where, text in texts:
        if text.keys() != LANGUAGES:
            raise RegistrationWrong("en, ja and zh-Hant", where=where)
