"""The checks of client metadata: what the OpenID part of a registration may say beside the rest of it.

One rule is one row: a pointer, what belongs there, and whether it holds. The first that does not is the refusal.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final, NamedTuple

from inkan.relying_parties.model import (
    RegistrationWrong,
    ReturnOutsideDomain,
    SystemRegistration,
)
from inkan.relying_parties.model.openid import OpenIDRegistration
from inkan.relying_parties.rules import is_address, is_within
from inkan.wire.binding import Door

CIBA: Final = "urn:openid:params:grant-type:ciba"
DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
CODE: Final = "authorization_code"
_BY_SECRET: Final = frozenset({"client_secret_basic", "client_secret_post"})
_ES256: Final = "ES256"
_KINDS: Final = frozenset({"approve", "sign"})


class Rule(NamedTuple):
    """One rule.

    Attributes:
        where: the member below ``/openid`` that breaks it.
        expected: what belongs there.
        holds: of a registration and its metadata.
        source: where it stands.
    """

    where: str
    expected: str
    holds: Callable[[SystemRegistration, OpenIDRegistration], bool]
    source: str


RULES: Final = (
    Rule(
        "purpose",
        "code of a purpose of kind identify",
        lambda said, openid: "identify" in _kinds_of(said, openid.purpose),
        "design §5.7: each login is an approval under a registered purpose",
    ),
    Rule(
        "approval_purposes",
        "codes of purposes of kind approve or sign, each once",
        lambda said, openid: (
            _are_unique(openid.approval_purposes)
            and all(_kinds_of(said, each) & _KINDS for each in openid.approval_purposes)
        ),
        "RFC 9396 §2",
    ),
    Rule(
        "grant_types",
        "each once, at least one",
        lambda _, openid: bool(openid.grant_types) and _are_unique(openid.grant_types),
        "RFC 7591 §2",
    ),
    Rule(
        "grant_types",
        "refresh_token beside a grant that a person answers",
        lambda _, openid: (
            "refresh_token" not in openid.grant_types
            or not {CODE, CIBA, DEVICE}.isdisjoint(openid.grant_types)
        ),
        "RFC 6749 §1.5",
    ),
    Rule(
        "grant_types",
        "authorization_code and device_code with the door redirect",
        lambda said, openid: (
            {CODE, DEVICE}.isdisjoint(openid.grant_types) or Door.REDIRECT in said.doors
        ),
        "design §5.7: the page is the door redirect",
    ),
    Rule(
        "grant_types",
        "CIBA with the door push",
        lambda said, openid: CIBA not in openid.grant_types or Door.PUSH in said.doors,
        "CIBA Core §1",
    ),
    Rule(
        "redirect_uris",
        "at least one for authorization_code, none without it, each once",
        lambda _, openid: (
            bool(openid.redirect_uris) == (CODE in openid.grant_types)
            and _are_unique(openid.redirect_uris)
        ),
        "RFC 7591 §2, RFC 9700 §2.1",
    ),
    Rule(
        "backchannel_token_delivery_mode",
        "poll or ping with CIBA, empty without it",
        lambda _, openid: (
            bool(openid.backchannel_token_delivery_mode) == (CIBA in openid.grant_types)
        ),
        "CIBA Core §4",
    ),
    Rule(
        "backchannel_client_notification_endpoint",
        "an address for ping, empty otherwise",
        lambda _, openid: (
            bool(openid.backchannel_client_notification_endpoint)
            == (openid.backchannel_token_delivery_mode == "ping")  # noqa: S105 - a mode
        ),
        "CIBA Core §4",
    ),
    Rule(
        "client_secret_sha256",
        "empty without client_secret_basic or client_secret_post",
        lambda _, openid: (
            not openid.client_secret_sha256 or openid.token_endpoint_auth_method in _BY_SECRET
        ),
        "RFC 7591 §2",
    ),
    Rule(
        "token_endpoint_auth_method",
        "private_key_jwt or self_signed_tls_client_auth",
        lambda _, openid: not openid.is_fapi or openid.token_endpoint_auth_method not in _BY_SECRET,
        "FAPI 2.0 Security Profile §5.3.2.1",
    ),
    Rule(
        "sender_constraint",
        "dpop or mtls",
        lambda _, openid: not openid.is_fapi or openid.sender_constraint != "none",
        "FAPI 2.0 Security Profile §5.3.2.1",
    ),
    Rule(
        "id_token_signed_response_alg",
        "ES256",
        lambda _, openid: not openid.is_fapi or openid.id_token_signed_response_alg == _ES256,
        "FAPI 2.0 Security Profile §5.4.1",
    ),
    Rule(
        "userinfo_signed_response_alg",
        "ES256 or empty",
        lambda _, openid: not openid.is_fapi or openid.userinfo_signed_response_alg != "RS256",
        "FAPI 2.0 Security Profile §5.4.1",
    ),
    Rule(
        "grant_types",
        "no device code in a FAPI profile",
        lambda _, openid: not openid.is_fapi or DEVICE not in openid.grant_types,
        "Cross-Device BCP: a way of low assurance",
    ),
    Rule(
        "resources",
        "each once",
        lambda _, openid: _are_unique(openid.resources),
        "RFC 8707 §2",
    ),
    Rule(
        "default_acr_values",
        "values of visible ASCII, each once",
        lambda _, openid: (
            _are_unique(openid.default_acr_values)
            and all(
                each.isascii() and each.isprintable() and each and " " not in each
                for each in openid.default_acr_values
            )
        ),
        "OIDC Dynamic Client Registration §2",
    ),
)


def check_openid(registration: SystemRegistration, *, loopback: bool, issuer: str) -> None:
    """Refuse client metadata that cannot be used; a registration without any passes.

    Args:
        registration: the whole of it.
        loopback: whether addresses of this machine are admitted.
        issuer: the platform's origin, whose addresses are no client's.

    Raises:
        RegistrationWrong: with a pointer to the first place.
        ReturnOutsideDomain: an address where browsers end leads out of the system's domain.
    """
    openid = registration.openid
    if openid is None:
        return
    for rule in RULES:
        if not rule.holds(registration, openid):
            raise RegistrationWrong(where=f"/openid/{rule.where}", expected=rule.expected)
    for where, url in _addresses(openid):
        if not is_address(url, loopback=loopback) or _is_of(url, issuer):
            raise RegistrationWrong(where=where, expected="an https address in its plain form")
    domain = registration.domain
    for where, url in _browser_addresses(openid):
        if not is_within(url, domain):
            raise ReturnOutsideDomain(where=where, expected=f"a host that is {domain} or below it")


def _browser_addresses(openid: OpenIDRegistration) -> Iterator[tuple[str, str]]:
    """Where browsers end: those are within the domain that the person reads (threat 17)."""
    lists = {
        "redirect_uris": openid.redirect_uris,
        "post_logout_redirect_uris": openid.post_logout_redirect_uris,
    }
    for name, urls in lists.items():
        yield from ((f"/openid/{name}/{index}", url) for index, url in enumerate(urls))


def _addresses(openid: OpenIDRegistration) -> Iterator[tuple[str, str]]:
    yield from _browser_addresses(openid)
    yield from ((f"/openid/resources/{i}", url) for i, url in enumerate(openid.resources))
    called = {
        "backchannel_logout_uri": openid.backchannel_logout_uri,
        "backchannel_client_notification_endpoint": (
            openid.backchannel_client_notification_endpoint
        ),
    }
    yield from ((f"/openid/{name}", url) for name, url in called.items() if url)


def _is_of(url: str, issuer: str) -> bool:
    """Whether an address is one of this platform itself."""
    return bool(issuer) and (url == issuer or url.startswith(f"{issuer}/"))


def _kinds_of(registration: SystemRegistration, code: str) -> set[str]:
    return {kind for each in registration.purposes if each.code == code for kind in each.kinds}


def _are_unique(values: Sequence[str]) -> bool:
    return len(set(values)) == len(values)
