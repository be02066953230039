"""A resource server's side of the OpenID provider: check access tokens offline, and ask for a stronger login.

    keys = read_provider_keys(jwks)      # GET {issuer}/openid/jwks; again when a token names a key that is not there
    api = ResourceServer(issuer=ISSUER, audience="https://api.tax.example/", keys=keys, seen=NonceMemory())
    token = api.verify("GET", URL, headers, scope=["filings"], acr_values=["urn:inkan:acr:uv:matched"], max_age_s=300)

What is refused is a :class:`TokenChallenge`: answer with its ``status``, and with its ``challenge`` as the field
``WWW-Authenticate`` (RFC 6750 §3, RFC 9449 §7.1, RFC 9470 §3). A token is believed until it ends: whoever must hear
of a revocation sooner asks the introspection endpoint.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Final, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from inkan.client.webhooks import Nonces
from inkan.crypto import dpop, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.crypto.jwk import JWKMalformed
from inkan.kernel.clock import Clock, from_seconds
from inkan.kernel.errors import Forbidden, InkanError, Unauthenticated
from inkan.wire.authentication_context import meets

TOKEN_TYPES: Final = ("at+jwt", "application/at+jwt")
"""RFC 9068 §4: an ID token has another type and never passes."""
TOKEN_LIMIT: Final = 16 * 1024
PROOF_LIFE: Final = timedelta(seconds=dpop.MAX_AGE_S + dpop.LEEWAY_S)
KEYS_LIMIT: Final = 16
_JWKS_LIMIT: Final = 65_536
_FIELDS: Final = frozenset({"authorization", "dpop"})
_ALGS: Final = 'algs="ES256"'

Keys = Mapping[str, EllipticCurvePublicKey]
Headers = Mapping[str, str] | Iterable[tuple[str, str]]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=2**40)]


class TokenChallenge(InkanError):
    """What a resource server answers instead of the resource.

    Attributes:
        status: of the HTTP answer.
        error: of RFC 6750 §3.1 or RFC 9470 §3; empty where no token came, of which nothing more is said.
    """

    status: ClassVar[int] = 401
    error: ClassVar[str] = ""

    @property
    def challenge(self) -> str:
        """The value of ``WWW-Authenticate``."""
        members = {"error": self.error, **self.facts}
        told = [f'{name}="{value}"' for name, value in members.items() if value]
        # A token is shown with its proof; servers that admit bearers too need no other scheme to say so.
        return f"DPoP {', '.join([*told, _ALGS])}"


class ResourceTokenMissing(TokenChallenge, Unauthenticated):
    """No access token came along, or two."""

    code = "resource_token_missing"
    title = "The request needs one access token"


class ResourceTokenInvalid(TokenChallenge, Unauthenticated):
    """The token is not of this issuer, not for this resource, over, or not shown by the holder of its key."""

    code = "resource_token_invalid"
    title = "The access token does not hold for this request"
    error = "invalid_token"


class ResourceScopeMissing(TokenChallenge, Forbidden):
    """The token holds, but not for this (RFC 6750 §3.1)."""

    code = "resource_scope_missing"
    title = "The access token does not reach so far"
    status = 403
    error = "insufficient_scope"


class ResourceStepUpNeeded(TokenChallenge, Unauthenticated):
    """The person has to answer again, more strongly or more recently (RFC 9470 §3)."""

    code = "resource_step_up_needed"
    title = "The person has to answer again for this"
    error = "insufficient_user_authentication"


class AccessToken(msgspec.Struct, frozen=True):
    """A token that holds for this request.

    Attributes:
        sub: who answered, by the reference of the client's sector; the client itself for its own tokens.
        acr, amr, auth_time: how and when the person answered; empty and None in a client's own tokens.
        jti: of the token.
    """

    sub: str
    client_id: str
    scope: tuple[str, ...]
    acr: str
    amr: tuple[str, ...]
    auth_time: datetime | None
    jti: str
    expires_at: datetime


class _Confirmation(msgspec.Struct, frozen=True):
    jkt: str | None = None
    x5t: str | None = msgspec.field(name="x5t#S256", default=None)


class _Claims(msgspec.Struct, frozen=True):
    """What is read of a token's claims (RFC 9068 §2.2)."""

    iss: str
    sub: str
    aud: str | list[str]
    exp: Seconds
    jti: str
    client_id: str
    scope: str = ""
    acr: str = ""
    amr: list[str] = []
    auth_time: Seconds | None = None
    cnf: _Confirmation = _Confirmation()


class _Shown(NamedTuple):
    """How a request shows its token."""

    scheme: str
    token: str
    proof: str
    method: str
    url: str
    certificate_x5t: str | None


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def read_provider_keys(jwks: bytes) -> Keys:
    """Return the P-256 keys of the provider's key set by their ``kid``; other kinds sign no access tokens.

    Raises:
        JWKMalformed: no key set, more than 16 keys, a ``kid`` twice, or a key without one.
    """
    try:
        if len(jwks) > _JWKS_LIMIT:
            raise JWKMalformed("the key set is too large")
        found = msgspec.json.decode(jwks, type=_KeySet).keys
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise JWKMalformed(f"no key set: {error}") from None
    if len(found) > KEYS_LIMIT:
        raise JWKMalformed("the key set holds too many keys")
    keys: dict[str, EllipticCurvePublicKey] = {}
    for members in found:
        kid = members.get("kid")
        if not isinstance(kid, str) or kid in keys:
            raise JWKMalformed("each key has a kid of its own")
        if members.get("kty") == "EC":
            key = jwk.load_jwk(members)
            assert isinstance(key, EllipticCurvePublicKey)
            keys[kid] = key
    return keys


class ResourceServer:
    """Checks the access tokens of one resource.

    Args:
        issuer: of the provider, letter by letter.
        audience: the identifier of this resource, as clients ask for it (RFC 8707).
        keys: see :func:`read_provider_keys`; put a newer set in their place at any time.
        seen: remembers DPoP proofs; processes that serve one resource share one.
        clock: true time.
        admits_bearer: whether a token that is bound to no key passes.
    """

    def __init__(
        self,
        *,
        issuer: str,
        audience: str,
        keys: Keys,
        seen: Nonces,
        clock: Clock | None = None,
        admits_bearer: bool = False,
    ) -> None:
        self.keys = keys
        self._issuer = issuer
        self._audience = audience
        self._seen = seen
        self._clock = clock or Clock()
        self._admits_bearer = admits_bearer

    def verify(
        self,
        method: str,
        url: str,
        headers: Headers,
        *,
        scope: Collection[str] = (),
        acr_values: Sequence[str] = (),
        max_age_s: int | None = None,
        certificate_x5t: str | None = None,
    ) -> AccessToken:
        """Return the token that this request may use.

        Plan:
            1. one Authorization field, of scheme DPoP or Bearer;
            2. signed by a key of the provider, ES256, of type ``at+jwt`` (RFC 9068 §4);
            3. of this issuer, for this resource, and not over;
            4. shown by the holder of its key: a DPoP proof for this very request, once (RFC 9449 §7.1), or the
               certificate of this connection (RFC 8705 §3); neither passes as a bearer's token;
            5. the scope reaches so far;
            6. the person answered strongly enough, and recently enough (RFC 9470 §3).

        Args:
            method: of the request.
            url: the address that *you* serve, letter by letter; never one put together from the request's Host.
            headers: names and values; pairs are best, since a mapping hides a field that came twice.
            scope: each of them is needed.
            acr_values: one of them, or a stronger one, is needed; empty: any.
            max_age_s: seconds since the person answered.
            certificate_x5t: base64url SHA-256 of the client's certificate on this connection.

        Raises:
            ResourceTokenMissing: 1.
            ResourceTokenInvalid: 2 to 4.
            ResourceScopeMissing: 5.
            ResourceStepUpNeeded: 6.
        """
        fields = _table(headers)
        scheme, token = _credentials(fields.get("authorization", ""))  # 1
        claims = self._claims(token)  # 2
        now = self._clock.wire_now()
        self._check_use(claims, now)  # 3
        shown = _Shown(scheme, token, fields.get("dpop", ""), method, url, certificate_x5t)
        self._check_holder(claims.cnf, shown)  # 4
        granted = tuple(claims.scope.split())
        if not set(scope) <= set(granted):  # 5
            raise ResourceScopeMissing(scope=" ".join(scope))
        auth_time = None if claims.auth_time is None else from_seconds(claims.auth_time)
        is_old = max_age_s is not None and (
            auth_time is None or now - auth_time > timedelta(seconds=max_age_s)
        )
        if is_old or not meets(claims.acr, acr_values):  # 6
            raise ResourceStepUpNeeded(
                acr_values=" ".join(acr_values),
                max_age="" if max_age_s is None else str(max_age_s),
            )
        return AccessToken(
            sub=claims.sub,
            client_id=claims.client_id,
            scope=granted,
            acr=claims.acr,
            amr=tuple(claims.amr),
            auth_time=auth_time,
            jti=claims.jti,
            expires_at=from_seconds(claims.exp),
        )

    def _claims(self, token: str) -> _Claims:
        try:
            unverified = jose.parse_compact(
                token, typ=TOKEN_TYPES, required=("kid",), limit=TOKEN_LIMIT
            )
            key = self.keys.get(unverified.header["kid"])
            if key is None:
                raise ResourceTokenInvalid("signed by no key that is known here")
            verified = jose.verify_signature(unverified, key, algs=(Algorithm.ES256,))
            return msgspec.convert(jose.parse_object(verified.payload), _Claims)
        except TokenChallenge:
            raise
        except (InkanError, msgspec.ValidationError) as wrong:
            raise ResourceTokenInvalid(str(wrong)) from None

    def _check_use(self, claims: _Claims, now: datetime) -> None:
        audiences = [claims.aud] if isinstance(claims.aud, str) else claims.aud
        if claims.iss != self._issuer or self._audience not in audiences:
            raise ResourceTokenInvalid("of another issuer, or for another resource")
        if from_seconds(claims.exp) <= now:
            raise ResourceTokenInvalid("over")

    def _check_holder(self, bound: _Confirmation, shown: _Shown) -> None:
        if (shown.scheme == "dpop") != (bound.jkt is not None):
            raise ResourceTokenInvalid("the scheme does not fit the token")
        if bound.jkt is not None:
            self._check_proof(bound.jkt, shown)
        if bound.x5t is not None and bound.x5t != shown.certificate_x5t:
            raise ResourceTokenInvalid("bound to another certificate")
        if bound == _Confirmation() and not self._admits_bearer:
            raise ResourceTokenInvalid("bound to no key")

    def _check_proof(self, jkt: str, shown: _Shown) -> None:
        now = self._clock.wire_now()
        try:
            made = dpop.verify_proof(
                shown.proof, method=shown.method, url=shown.url, now=now, access_token=shown.token
            )
        except InkanError as wrong:
            raise ResourceTokenInvalid(str(wrong)) from None
        if made.jkt != jkt:
            raise ResourceTokenInvalid("bound to another key")
        if not self._seen.use(f"{jkt}.{made.jti}", until=made.at + PROOF_LIFE, now=now):
            raise ResourceTokenInvalid("the proof was used before")


def _credentials(authorization: str) -> tuple[str, str]:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() not in {"dpop", "bearer"} or not token:
        raise ResourceTokenMissing
    return scheme.lower(), token


def _table(headers: Headers) -> dict[str, str]:
    table: dict[str, str] = {}
    for name, value in headers.items() if isinstance(headers, Mapping) else headers:
        key = name.lower()
        if key in _FIELDS and key in table:
            raise ResourceTokenMissing
        table[key] = value
    return table
