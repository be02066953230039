"""Relying parties: organisations, their systems and their keys, as values and refusals."""

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

from inkan.kernel.errors import (
    Conflict,
    Forbidden,
    Malformed,
    NotFound,
    Unauthenticated,
)
from inkan.kernel.ids import RelyingPartyID, SystemID
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.wire.binding import BindingLevel, Door
from inkan.wire.forms import CLAIMS_LIMIT
from inkan.wire.oauth import OAuthError

WEBHOOKS_LIMIT = 5

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Code = Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9_-]{2,62}\Z")]
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]


class SystemState(StrEnum):
    """Whether a system's requests are answered."""

    ACTIVE = "active"
    SUSPENDED = "suspended"


class Purpose(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One registered reason to ask a person, with the words that the person reads.

    Attributes:
        evidence: ``platform`` keeps the proofs sealed here; ``full`` hands name, certificate and proofs
            to the relying party, and the approve screen says so (design §5.5).
        claims: codes of the attributes that may be asked for under this purpose (TW-68).
    """

    code: Code
    kinds: Annotated[list[Literal["identify", "approve", "sign"]], msgspec.Meta(min_length=1)]
    text: dict[str, Text]
    evidence: Literal["platform", "full"] = "platform"
    claims: Annotated[list[Code], msgspec.Meta(max_length=CLAIMS_LIMIT)] = []


class Webhook(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One registered address that is told of changes; a session names it by its id."""

    id: Code
    url: Address


class SystemRegistration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is registered for one application of a relying party: one file, one system code (TW-66).

    Attributes:
        code: the system code; it identifies and proves nothing (threat 4).
        domain: verified domain that the person reads beside the name.
        keys: public JWKs (P-256) that sign the system's client assertions.
        internal: registered for internal use: may ask for approvals without a binding level (DOC-02).
        return_urls: addresses to which a phone or the redirect page may lead a browser back; a session
            names one of them letter by letter (threat 17). Their hosts are the domain or below it.
        webhooks: addresses that are told of changes.
        tap_only: the named policy by which a push needs no code; such answers have the level ``none``.
        openid: how the system uses the OpenID provider; None when it does not.
    """

    organisation: Code
    organisation_name: dict[str, Text]
    sector: Literal["government", "finance", "telecom", "health", "education", "other"]
    code: Code
    name: Text
    domain: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9.-]{1,253}\Z")]
    doors: list[Door]
    purposes: list[Purpose]
    keys: list[dict[str, Any]]
    internal: bool = False
    binding_min: BindingLevel | None = None
    return_urls: Annotated[list[Address], msgspec.Meta(max_length=20)] = []
    webhooks: Annotated[list[Webhook], msgspec.Meta(max_length=WEBHOOKS_LIMIT)] = []
    tap_only: bool = False
    openid: OpenIDRegistration | None = None


class System(msgspec.Struct, frozen=True):
    """One application of a relying party, as every request of it is judged.

    Attributes:
        sector: identifier of the group of systems that see the same pairwise references.
    """

    id: SystemID
    organisation: RelyingPartyID
    organisation_name: dict[str, str]
    code: str
    name: str
    domain: str
    doors: frozenset[Door]
    purposes: dict[str, Purpose]
    internal: bool
    binding_min: BindingLevel | None
    sector: str
    return_urls: frozenset[str] = frozenset()
    webhooks: dict[str, str] = {}
    tap_only: bool = False
    openid: OpenIDRegistration | None = None


class SystemPrincipal(msgspec.Struct, frozen=True):
    """A system that proved its key in this request.

    Attributes:
        jkt: thumbprint of the key; a sandbox may know none.
        load_rate: requests in a minute that an announced load test admits now (TW-67); None outside of every one.
    """

    system: System
    jkt: str
    load_rate: int | None = None


class SystemNotFound(NotFound):
    """No system has this code."""

    code = "system_not_found"
    title = "There is no such system"


class SystemKeyNotFound(NotFound):
    """The system has no key of this thumbprint."""

    code = "system_key_not_found"
    title = "The system has no such key"


class SystemExists(Conflict):
    """One system has exactly one system code (TW-66), and this one is taken."""

    code = "system_exists"
    title = "This system code is taken"


class RegistrationWrong(Malformed):
    """The registration file does not say what a system needs."""

    code = "registration_wrong"
    title = "The registration of the system is not usable"
    public = ("where", "expected")


class ReturnOutsideDomain(RegistrationWrong):
    """A return address is on a host that is neither the system's domain nor below it; every phone would refuse it."""

    code = "return_outside_domain"
    title = "A return address lies outside of the system's domain"


class SystemSuspended(Forbidden):
    """Every request of a suspended system is refused from the moment of suspension."""

    code = "rp_suspended"
    title = "This system is suspended"


class TokenRefused(Unauthenticated):
    """No token, an expired one, another key's, or a proof that does not fit."""

    code = "token_refused"
    title = "The access token or its proof does not hold"


class OAuthInvalidRequest(OAuthError, Malformed):
    """A parameter is missing, repeated or malformed."""

    code = "oauth_invalid_request"
    title = "The token request is not well formed"
    error = "invalid_request"


class OAuthInvalidClient(OAuthError, Unauthenticated):
    """The client assertion, secret or certificate does not prove a registered system."""

    code = "oauth_invalid_client"
    title = "The client assertion, secret or certificate does not prove a registered system"
    error = "invalid_client"


class OAuthUnauthorizedClient(OAuthError, Forbidden):
    """The client is registered, but not for this grant (RFC 6749 §5.2)."""

    code = "oauth_unauthorized_client"
    title = "The client is not registered for this grant"
    error = "unauthorized_client"


class OAuthInvalidScope(OAuthError, Malformed):
    """A token without a person has no scopes (RFC 6749 §5.2)."""

    code = "oauth_invalid_scope"
    title = "This scope is not granted to this client"
    error = "invalid_scope"


class OAuthInvalidTarget(OAuthError, Malformed):
    """The resource is none that the client registered (RFC 8707 §2)."""

    code = "oauth_invalid_target"
    title = "The resource is not one of this client"
    error = "invalid_target"


class OAuthUseDPoPNonce(OAuthError, Malformed):
    """The proof lacks the nonce that the answer carries, or has an older one (RFC 9449 §8)."""

    code = "oauth_use_dpop_nonce"
    title = "The DPoP proof needs the nonce of this answer"
    error = "use_dpop_nonce"


class OAuthInvalidDPoPProof(OAuthError, Malformed):
    """The DPoP proof of the token request does not hold (RFC 9449 §5)."""

    code = "oauth_invalid_dpop_proof"
    title = "The DPoP proof does not hold"
    error = "invalid_dpop_proof"


class OAuthUnsupportedGrant(OAuthError, Malformed):
    """No row of the grant table."""

    code = "oauth_unsupported_grant_type"
    title = "This grant type is not offered"
    error = "unsupported_grant_type"
