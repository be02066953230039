"""Which authentication requests are answered (CIBA Core §7.1, FAPI-CIBA §5.2.2): pure checks, row by row."""

import re
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from inkan.federation.model.backchannel import BackchannelAsked, Hint, HintKind
from inkan.federation.model.refusals import (
    BindingMessageRefused,
    ClientUnauthorized,
    DetailsRefused,
    RequestRefused,
    ScopeRefused,
)
from inkan.federation.model.request import OFFLINE_SCOPE, Asked
from inkan.federation.rules import (
    BINDING_MESSAGE_LIMIT,
    CIBA_GRANT,
    NOTIFICATION_TOKEN_LIMITS,
    PING_DELIVERY,
    REQUESTED_EXPIRY,
)
from inkan.kernel.errors import Malformed
from inkan.people import verify_free_text
from inkan.relying_parties import OpenIDRegistration, System
from inkan.wire.binding import Door
from inkan.wire.forms import verify_line

Parameters = Mapping[str, str]

HINTS: Final = ("login_hint", "id_token_hint", "login_hint_token")
HINT_FORMS: Final[Mapping[HintKind, re.Pattern[str]]] = {
    "person_ref": re.compile(r"[A-Za-z0-9._~-]{1,64}"),
    "phone_ref": re.compile(r"[A-Za-z0-9._~-]{1,64}"),
    # The number itself is judged where every typed one is; here only that it is short.
    "national_id": re.compile(r".{1,32}"),
}
_SCOPE: Final = re.compile(r"[!#-\[\]-~]{1,64}( [!#-\[\]-~]{1,64}){0,31}")
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# They frame the message in the text that the person reads, so that it cannot go on as our own words.
_QUOTES: Final = frozenset("“”「」『』")
_LONGEST: Final = 8_192


class Check(NamedTuple):
    """One thing that is demanded of every request, and where it stands.

    Attributes:
        holds: raises what does not hold.
    """

    holds: Callable[[Parameters, OpenIDRegistration], None]
    source: str


def client_openid(system: System, *, grant: str, door: Door) -> OpenIDRegistration:
    """What a client registered, if it may use this grant by this door.

    Raises:
        ClientUnauthorized: it may not.
    """
    openid = system.openid
    if openid is None or grant not in openid.grant_types or door not in system.doors:
        raise ClientUnauthorized(f"{grant} is not registered")
    return openid


def validate_backchannel(
    parameters: Parameters, system: System, *, is_signed: bool
) -> BackchannelAsked:
    """Return the request that these parameters make.

    Args:
        parameters: of the form, or of the signed request.
        system: the client.
        is_signed: whether they came in a signed request.

    Raises:
        ClientUnauthorized: the client does not use CIBA, or has no push.
        RequestRefused, ScopeRefused, BindingMessageRefused, DetailsRefused: the first row that does not hold.
    """
    openid = client_openid(system, grant=CIBA_GRANT, door=Door.PUSH)
    if not openid.backchannel_token_delivery_mode:
        raise ClientUnauthorized("no delivery mode is registered")
    if openid.is_fapi and not is_signed:
        raise RequestRefused("FAPI-CIBA §5.2.2: the request is signed")
    for check in CHECKS:
        check.holds(parameters, openid)
    is_ping = openid.backchannel_token_delivery_mode == PING_DELIVERY
    return BackchannelAsked(
        asked=Asked(
            scope=list(dict.fromkeys(parameters["scope"].split(" "))),
            acr_values=parameters.get("acr_values", "").split(),
        ),
        hint=_hint(parameters),
        binding_message=parameters.get("binding_message", ""),
        expires_in=_expiry(parameters.get("requested_expiry")),
        notification_token=parameters["client_notification_token"] if is_ping else "",
    )


def _check_sizes(parameters: Parameters, _: OpenIDRegistration) -> None:
    if any(len(value) > _LONGEST for value in parameters.values()):
        raise RequestRefused("a parameter is too long")


def _check_scope(parameters: Parameters, openid: OpenIDRegistration) -> None:
    check_scope(parameters.get("scope", ""), openid)


def check_scope(scope: str, openid: OpenIDRegistration) -> None:
    """Refuse a scope without ``openid``, or with a refresh token for a client that has none.

    Raises:
        RequestRefused: not a list of scope tokens (RFC 6749 §3.3).
        ScopeRefused: not this client's.
    """
    if _SCOPE.fullmatch(scope) is None:
        raise RequestRefused("scope")
    names = scope.split(" ")
    if "openid" not in names:
        raise ScopeRefused("openid is missing")
    if OFFLINE_SCOPE in names and "refresh_token" not in openid.grant_types:
        raise ScopeRefused("no refresh token is registered")


def _check_one_hint(parameters: Parameters, _: OpenIDRegistration) -> None:
    if sum(name in parameters for name in HINTS) != 1:
        raise RequestRefused("exactly one hint")


def _check_hint_kind(parameters: Parameters, _: OpenIDRegistration) -> None:
    if "login_hint_token" in parameters:
        raise RequestRefused("login_hint_token is not taken")
    if not any(parameters.get(name) for name in HINTS):
        raise RequestRefused("an empty hint")


def _check_message(parameters: Parameters, openid: OpenIDRegistration) -> None:
    message = parameters.get("binding_message")
    if message is None:
        if openid.is_fapi and not openid.inkan_code:
            raise BindingMessageRefused("nothing else ties the two screens together")
        return
    try:
        verify_free_text(verify_line(message, limit=BINDING_MESSAGE_LIMIT), where="binding_message")
    except Malformed:
        raise BindingMessageRefused() from None
    if not _QUOTES.isdisjoint(message):
        raise BindingMessageRefused("quotation marks frame it on the phone")


def _check_notification(parameters: Parameters, openid: OpenIDRegistration) -> None:
    if openid.backchannel_token_delivery_mode != PING_DELIVERY:
        return
    token = parameters.get("client_notification_token", "")
    least, most = NOTIFICATION_TOKEN_LIMITS
    if not least <= len(token) <= most or _TOKEN.fullmatch(token) is None:
        raise RequestRefused("client_notification_token")


def _check_not_offered(parameters: Parameters, _: OpenIDRegistration) -> None:
    if "user_code" in parameters:
        raise RequestRefused("user_code is not taken: nobody has one")
    if "request_uri" in parameters:
        raise RequestRefused("request_uri is not taken here")


def _check_details(parameters: Parameters, _: OpenIDRegistration) -> None:
    if "authorization_details" in parameters:
        raise DetailsRefused("not by this grant")


CHECKS: Final = (
    Check(_check_sizes, "RFC 6749 §3.1"),
    Check(_check_not_offered, "CIBA Core §4 backchannel_user_code_parameter_supported; RFC 9126"),
    Check(_check_scope, "CIBA Core §7.1 scope; OIDC Core §11"),
    Check(_check_one_hint, "CIBA Core §7.1: exactly one of the hints"),
    Check(_check_hint_kind, "CIBA Core §7.1 login_hint_token"),
    Check(_check_notification, "CIBA Core §7.1 client_notification_token"),
    Check(_check_message, "CIBA Core §7.1 binding_message; FAPI-CIBA §5.2.2"),
    Check(_check_details, "RFC 9396 §5"),
)


def _hint(parameters: Parameters) -> Hint:
    if "id_token_hint" in parameters:
        return Hint("id_token", parameters["id_token_hint"])
    kind, _, value = parameters["login_hint"].partition(":")
    for known, form in HINT_FORMS.items():
        if kind == known and form.fullmatch(value):
            return Hint(known, value)
    raise RequestRefused("login_hint is person_ref:, phone_ref: or national_id: and its value")


def _expiry(wished: str | None) -> int:
    least, default, most = REQUESTED_EXPIRY
    if wished is None:
        return default
    if re.fullmatch(r"[1-9][0-9]{0,5}", wished) is None:
        raise RequestRefused("requested_expiry is a positive whole number")
    return min(max(int(wished), least), most)
