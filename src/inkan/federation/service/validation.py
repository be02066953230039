"""The checks of an authorization request, without any input or output: a table of rows, each with its source.

Two questions come before them, in this order, because their answers are told on a page and never by a redirect:
who is the client, and is the address to return to one of its own (RFC 6749 §4.1.2.1, RFC 9700 §4.11.2).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from inkan.federation.model.refusals import (
    ClientUnauthorized,
    RedirectRefused,
    RegistrationUnsupported,
    RequestRefused,
    RequestURIUnsupported,
    ResourceRefused,
    ResponseTypeRefused,
    ScopeRefused,
)
from inkan.federation.model.request import OFFLINE_SCOPE, Asked
from inkan.federation.rules.claims import CLAIMS_OF_SCOPE, OPENID
from inkan.federation.service.claims import (
    essential_acr,
    parse_authorization_details,
    parse_claims,
)
from inkan.federation.service.modes import MODES, default_mode, modes_of
from inkan.federation.service.parameters import Parameters
from inkan.kernel.identifiers import holds_my_number
from inkan.relying_parties import OpenIDRegistration, System

Members = dict[str, Any]

SCOPES: Final = frozenset({OPENID, OFFLINE_SCOPE, *CLAIMS_OF_SCOPE})
"""The scopes that are understood; others are left out (OIDC Core §3.1.2.1)."""
PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
REQUEST_URI_PREFIX: Final = "urn:ietf:params:oauth:request_uri:"

# RFC 6749 appendix A: visible ASCII and the blank; a scope has neither quote nor backslash.
_VISIBLE: Final = re.compile(r"[\x20-\x7e]{1,1024}\Z")
_SCOPE: Final = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,128}\Z")
_SHA256: Final = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]\Z")
_SECONDS: Final = re.compile(r"0|[1-9][0-9]{0,8}\Z")
_WORDS_LIMIT: Final = 10
# A person's pairwise reference; everything else that a hint may be says nothing to the platform.
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{43}\Z")
_NATIONAL_ID: Final = re.compile(r"[A-Z][A-D0-9][0-9]{8}\Z", re.IGNORECASE)


class Row(NamedTuple):
    """One check: what it reads becomes members of :class:`Asked`."""

    read: Callable[[Parameters, OpenIDRegistration], Members]
    source: str


def verify_redirect(parameters: Parameters, client: OpenIDRegistration) -> str:
    """The address to return to, if it is registered letter by letter.

    Raises:
        RedirectRefused: missing, or another one.
    """
    wanted = parameters.get("redirect_uri")
    if wanted not in client.redirect_uris:
        raise RedirectRefused()
    return wanted


def usable_mode(parameters: Parameters, client: OpenIDRegistration) -> str:
    """How even a refusal is told: as was asked where that is possible, else as the profile has it."""
    wanted = parameters.get("response_mode")
    return wanted if wanted in modes_of(client) else default_mode(client)


def usable_state(parameters: Parameters) -> str | None:
    """The state that goes back with a refusal; one that could not be given back is left out."""
    state = parameters.get("state")
    return state if _VISIBLE.match(state) else None


def validate_authorization(
    parameters: Parameters, client: OpenIDRegistration, *, system: System, is_pushed: bool
) -> Asked:
    """What a client asks, after every check that needs no database.

    Args:
        parameters: of the query, the pushed request or the request object.
        client: its registration.
        system: whose registration it is.
        is_pushed: whether they came to the endpoint for pushed requests, from the authenticated client.

    Raises:
        OAuthError: the leaf of the first row that does not hold.
    """
    if client.is_fapi and not is_pushed:
        raise RequestRefused("FAPI 2.0 Security Profile §5.3.2.2: requests are pushed")
    members: Members = {"redirect_uri": verify_redirect(parameters, client)}
    for row in ROWS:
        members |= row.read(parameters, client)
    return Asked(**members, **_details(parameters, system))


def _flow(_: Parameters, client: OpenIDRegistration) -> Members:
    if "authorization_code" not in client.grant_types:
        raise ClientUnauthorized("the code flow is not registered")
    return {}


def _unsupported(parameters: Parameters, _: OpenIDRegistration) -> Members:
    if parameters.get("registration"):
        raise RegistrationUnsupported()
    if parameters.get("request_uri") or parameters.get("request"):
        raise RequestURIUnsupported("a request inside of a request")
    return {}


def _response_type(parameters: Parameters, _: OpenIDRegistration) -> Members:
    if not parameters.get("response_type"):
        raise RequestRefused("response_type is missing")
    if parameters.get("response_type") != "code":
        raise ResponseTypeRefused()
    return {}


def _response_mode(parameters: Parameters, client: OpenIDRegistration) -> Members:
    wanted = parameters.get("response_mode") or default_mode(client)
    if wanted not in MODES or wanted not in modes_of(client):
        raise RequestRefused("response_mode is not offered to this client")
    return {"response_mode": wanted}


def _texts(parameters: Parameters, _: OpenIDRegistration) -> Members:
    found: Members = {}
    for name in ("state", "nonce"):
        text = parameters.get(name)
        if text and not _VISIBLE.match(text):
            raise RequestRefused(f"{name} is too long or not visible ASCII")
        found[name] = text or None
    return found


def _pkce(parameters: Parameters, client: OpenIDRegistration) -> Members:
    challenge, method = parameters.get("code_challenge"), parameters.get("code_challenge_method")
    if not challenge:
        if method:
            raise RequestRefused("code_challenge_method without code_challenge")
        if client.is_fapi or not parameters.get("nonce"):
            raise RequestRefused("code_challenge is missing")
        return {}
    # RFC 7636 §4.3: without a method it would be plain.
    if method != "S256" or not _SHA256.match(challenge):
        raise RequestRefused("code_challenge is one of S256")
    return {"code_challenge": challenge}


def _scope(parameters: Parameters, client: OpenIDRegistration) -> Members:
    wanted = parameters.words("scope")
    if not wanted or not all(_SCOPE.match(each) for each in wanted):
        raise ScopeRefused("scope is missing or malformed")
    known = [each for each in wanted if each in SCOPES]
    if "refresh_token" not in client.grant_types:
        known = [each for each in known if each != OFFLINE_SCOPE]
    if not known:
        raise ScopeRefused("no scope of these is offered")
    return {"scope": known}


def _prompt(parameters: Parameters, _: OpenIDRegistration) -> Members:
    wanted = parameters.words("prompt")
    if not PROMPTS.issuperset(wanted) or ("none" in wanted and len(wanted) > 1):
        raise RequestRefused("prompt")
    return {"prompt": wanted}


def _max_age(parameters: Parameters, _: OpenIDRegistration) -> Members:
    text = parameters.get("max_age")
    if not text:
        return {}
    if not _SECONDS.match(text):
        raise RequestRefused("max_age is a number of seconds")
    return {"max_age": int(text)}


def _login_hint(parameters: Parameters, _: OpenIDRegistration) -> Members:
    hint = parameters.get("login_hint")
    if _NATIONAL_ID.match(hint) or holds_my_number(hint):
        raise RequestRefused("no number of a person belongs into an address")
    return {"login_hint": hint if _REFERENCE.match(hint) else ""}


def _levels(parameters: Parameters, client: OpenIDRegistration) -> Members:
    text, wanted = parameters.get("claims"), parameters.words("acr_values")
    if len(wanted) > _WORDS_LIMIT:
        raise RequestRefused("acr_values")
    found: Members = {"acr_values": wanted or list(client.default_acr_values)}
    if text:
        id_token, userinfo = parse_claims(text)
        found |= {"id_token_claims": id_token, "userinfo_claims": userinfo}
        found["essential_acr"] = essential_acr(id_token)
    return found


def _resource(parameters: Parameters, client: OpenIDRegistration) -> Members:
    if not set(parameters.resource).issubset(client.resources):
        raise ResourceRefused()
    return {"resource": list(dict.fromkeys(parameters.resource))}


def _details(parameters: Parameters, system: System) -> Members:
    """RFC 9396 §5: the row that has to know the system's purposes."""
    text = parameters.get("authorization_details")
    return {"authorization_details": parse_authorization_details(text, system)} if text else {}


def _key(parameters: Parameters, _: OpenIDRegistration) -> Members:
    thumbprint = parameters.get("dpop_jkt")
    if thumbprint and not _SHA256.match(thumbprint):
        raise RequestRefused("dpop_jkt is a SHA-256 thumbprint")
    return {"dpop_jkt": thumbprint}


def _locales(parameters: Parameters, _: OpenIDRegistration) -> Members:
    return {"ui_locales": parameters.words("ui_locales")[:_WORDS_LIMIT]}


ROWS: Final = (
    Row(_flow, "RFC 7591 §2 grant_types"),
    Row(_unsupported, "OIDC Core §3.1.2.6, §7.2.1; RFC 9126 §2.1"),
    Row(_response_type, "RFC 6749 §3.1.1, RFC 9700 §2.1.2"),
    Row(_response_mode, "OAuth 2.0 Multiple Response Types §2.1; JARM §2.3"),
    Row(_texts, "RFC 6749 appendix A.5; OIDC Core §3.1.2.1"),
    Row(_pkce, "RFC 7636 §4.4.1; RFC 9700 §2.1.1: PKCE, or nonce of a confidential client"),
    Row(_scope, "RFC 6749 §3.3; OIDC Core §3.1.2.1, §11"),
    Row(_prompt, "OIDC Core §3.1.2.1"),
    Row(_max_age, "OIDC Core §3.1.2.1"),
    Row(_login_hint, "OIDC Core §3.1.2.1"),
    Row(_levels, "OIDC Core §3.1.2.1, §5.5"),
    Row(_resource, "RFC 8707 §2"),
    Row(_key, "RFC 9449 §10"),
    Row(_locales, "OIDC Core §3.1.2.1"),
)
"""The rows, in the order of their refusals."""

SOURCES: Final[Mapping[str, str]] = {row.read.__name__: row.source for row in ROWS}
