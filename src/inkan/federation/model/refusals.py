"""Refusals of the OpenID provider in OAuth's own language; each leaf has the ``error`` of its standard."""

from inkan.kernel.errors import Forbidden, Malformed, NotFound, Unauthenticated
from inkan.wire.oauth import OAuthError


class RequestRefused(OAuthError, Malformed):
    """A parameter is missing, repeated, malformed or not admitted for this client (RFC 6749 §4.1.2.1)."""

    code = "openid_request_refused"
    title = "The request is not well formed"
    error = "invalid_request"


class ClientUnauthorized(OAuthError, Forbidden):
    """The client's registration does not have this grant, profile or purpose."""

    code = "openid_client_unauthorized"
    title = "The client is not registered for this"
    error = "unauthorized_client"


class ClientUnknown(OAuthError, Malformed):
    """No active system of this code is a client; told on a page, because there is nowhere to lead the browser."""

    code = "openid_client_unknown"
    title = "No client of this name is registered here"
    error = "invalid_client"


class RedirectRefused(OAuthError, Malformed):
    """``redirect_uri`` is missing or not one of the client's, letter by letter (RFC 9700 §2.1); told on a page."""

    code = "openid_redirect_refused"
    title = "The address to return to is not registered for this client"
    error = "invalid_request"


class ResponseTypeRefused(OAuthError, Malformed):
    """Only ``code`` is offered (RFC 9700 §2.1.2)."""

    code = "openid_response_type_refused"
    title = "Only the code flow is offered"
    error = "unsupported_response_type"


class RegistrationUnsupported(OAuthError, Malformed):
    """The parameter ``registration`` (OIDC Core §7.2.1): clients are registered beforehand."""

    code = "openid_registration_unsupported"
    title = "A client cannot be registered inside of a request"
    error = "registration_not_supported"


class RequestURIUnsupported(OAuthError, Malformed):
    """A ``request_uri`` that would have to be fetched (OIDC Core §6.2); nothing is fetched for a stranger."""

    code = "openid_request_uri_unsupported"
    title = "A request_uri is only taken from the endpoint for pushed requests"
    error = "request_uri_not_supported"


class ScopeRefused(OAuthError, Malformed):
    """A scope is unknown or not the client's (RFC 6749 §5.2)."""

    code = "openid_scope_refused"
    title = "A scope is not offered to this client"
    error = "invalid_scope"


class GrantRefused(OAuthError, Malformed):
    """Code, refresh token, auth_req_id or device_code is unknown, used, another client's or over: one answer."""

    code = "openid_grant_refused"
    title = "The grant is unknown, used, or not yours"
    error = "invalid_grant"


class AnswerDenied(OAuthError, Forbidden):
    """The person refused, or the answer failed."""

    code = "openid_access_denied"
    title = "The person did not agree"
    error = "access_denied"


class LoginNeeded(OAuthError, Forbidden):
    """``prompt=none``, and nothing is there that could be used again (OIDC Core §3.1.2.6)."""

    code = "openid_login_required"
    title = "The person has to answer on a phone"
    error = "login_required"


class RequirementsUnmet(OAuthError, Forbidden):
    """An essential ``acr`` was not reached; nothing is downgraded in silence."""

    code = "openid_requirements_unmet"
    title = "The level that was asked for was not reached"
    error = "unmet_authentication_requirements"


class RequestURIRefused(OAuthError, Malformed):
    """The ``request_uri`` is unknown, used, over, or another client's (RFC 9126 §4)."""

    code = "openid_request_uri_refused"
    title = "The request_uri is not valid"
    error = "invalid_request_uri"


class RequestObjectRefused(OAuthError, Malformed):
    """The request object does not hold (RFC 9101 §6)."""

    code = "openid_request_object_refused"
    title = "The request object does not hold"
    error = "invalid_request_object"


class DetailsRefused(OAuthError, Malformed):
    """RFC 9396 §5: a type that is unknown, or a member that it does not have."""

    code = "openid_authorization_details_refused"
    title = "The authorization details are not usable"
    error = "invalid_authorization_details"


class ResourceRefused(OAuthError, Malformed):
    """RFC 8707 §2: not an audience of this client."""

    code = "openid_resource_refused"
    title = "The resource is not one of this client"
    error = "invalid_target"


class AuthorizationPending(OAuthError, Malformed):
    """Nobody has answered yet (CIBA Core §11, RFC 8628 §3.5)."""

    code = "openid_authorization_pending"
    title = "There is no answer yet"
    error = "authorization_pending"


class PollTooOften(OAuthError, Malformed):
    """Sooner than the interval; it grows by five seconds (RFC 8628 §3.5)."""

    code = "openid_slow_down"
    title = "Polling too often: wait five seconds longer"
    error = "slow_down"


class HandleExpired(OAuthError, Malformed):
    """The auth_req_id or device_code is over."""

    code = "openid_expired_token"
    title = "The time to answer is over"
    error = "expired_token"


class BindingMessageRefused(OAuthError, Malformed):
    """CIBA Core §13: not printable, or too long to be shown on both screens."""

    code = "openid_binding_message_refused"
    title = "The binding message cannot be shown"
    error = "invalid_binding_message"


class GrantNotFound(NotFound):
    """No grant awaits this browser: unknown, over, or begun in another one."""

    code = "openid_grant_not_found"
    title = "There is nothing to finish in this browser"


class AccessTokenRefused(OAuthError, Unauthenticated):
    """Unknown, ended, revoked, of another kind or audience, or without its key (RFC 6750 §3.1): one answer."""

    code = "openid_token_refused"
    title = "The access token or its proof does not hold"
    error = "invalid_token"


class AccessProofRefused(OAuthError, Unauthenticated):
    """The DPoP proof does not hold for this request and this token (RFC 9449 §7.1)."""

    code = "openid_proof_refused"
    title = "The DPoP proof does not hold"
    error = "invalid_dpop_proof"


class AccessTokenMissing(OAuthError, Unauthenticated):
    """No access token came along; the challenge names no error (RFC 6750 §3.1)."""

    code = "openid_token_missing"
    title = "This needs an access token"
    error = "invalid_token"


class ScopeMissing(OAuthError, Forbidden):
    """The access token does not reach as far as this (RFC 6750 §3.1)."""

    code = "openid_scope_missing"
    title = "The access token is not for this"
    error = "insufficient_scope"
