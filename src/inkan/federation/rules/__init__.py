"""The tables of the OpenID provider; each row cites its source."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, NamedTuple

from inkan.crypto.path import RevocationReason
from inkan.federation.model.grant import GrantEvent, GrantState
from inkan.federation.model.streams import SignalType
from inkan.kernel.machine import Machine
from inkan.web.principal import Permission

GRANT_MACHINE: Final[Machine[GrantState, GrantEvent]] = Machine(
    GrantState.PENDING,
    {
        (GrantState.PENDING, GrantEvent.ANSWER): GrantState.GRANTED,
        (GrantState.PENDING, GrantEvent.DENY): GrantState.DENIED,
        (GrantState.GRANTED, GrantEvent.USE): GrantState.USED,
        # RFC 6749 §6: a refresh uses the grant again.
        (GrantState.USED, GrantEvent.USE): GrantState.USED,
        (GrantState.GRANTED, GrantEvent.REVOKE): GrantState.REVOKED,
        (GrantState.USED, GrantEvent.REVOKE): GrantState.REVOKED,
    },
)

CODE_LIFE: Final = timedelta(seconds=60)
"""FAPI 2.0 Security Profile §5.3.2.1: a code lives at most 60 s."""
PUSHED_LIFE: Final = timedelta(seconds=90)
"""RFC 9126 §2.2 and FAPI 2.0 §5.3.2.2: less than 600 s; long enough for one redirect."""
REFRESH_LIFE: Final = timedelta(days=30)
LOGIN_LIFE: Final = timedelta(hours=8)
"""How long a browser's login is remembered for logout; using it again is another, shorter matter."""
POLL_INTERVAL_S: Final = 5
"""CIBA Core §7.3 and RFC 8628 §3.2: the default interval."""
SLOW_DOWN_S: Final = 5
"""RFC 8628 §3.5."""
SECRET_BYTES: Final = 32
"""Random bytes of codes, auth_req_id, device_code, refresh tokens and request_uri."""

# --- tokens -----------------------------------------------------------------------------------------

TOKEN_LIFE: Final = timedelta(minutes=10)
"""Of access tokens (design §5.5)."""
ID_TOKEN_LIFE: Final = timedelta(hours=1)
"""How long a client may take an ID token at its word; it proves nothing at any endpoint but as a hint of logout."""
VERIFIER: Final = re.compile(r"[A-Za-z0-9._~-]{43,128}")
"""RFC 7636 §4.1: what a ``code_verifier`` may look like."""
TOKEN_LIMIT: Final = 8192
"""Characters of a token that a caller presents; nothing longer was made here."""
TOKEN_CACHE: Final = 4096
"""Access tokens that are remembered as verified."""
REFRESH_TRIES: Final = 3
"""How often a refresh that lost against a parallel one is tried again, where the token does not rotate."""

ACCESS_TYP: Final = "at+jwt"
"""RFC 9068 §2.1."""
ID_TOKEN_TYP: Final = "JWT"  # noqa: S105 - a type, no secret
"""OIDC Core §2 names no type, and stock clients expect none but this one (RFC 7519 §5.1)."""
USERINFO_TYP: Final = "JWT"
"""OIDC Core §5.3.2: signed claims, without a type of their own."""
INTROSPECTION_TYP: Final = "token-introspection+jwt"
"""RFC 9701 §5."""
SIGNED_TYPS: Final = frozenset(
    {
        ACCESS_TYP,
        ID_TOKEN_TYP,
        USERINFO_TYP,
        INTROSPECTION_TYP,
        "logout+jwt",  # OIDC Back-Channel Logout §2.4
        "secevent+jwt",  # RFC 8417 §2.3
        "oauth-authz-resp+jwt",  # JARM; the type is ours
    }
)
"""What the keys of the provider's ring sign, and nothing besides."""

# --- signing keys -----------------------------------------------------------------------------------

KEY_LEAD: Final = timedelta(hours=1)
"""A new key stands in the JWKS this long before it signs (OIDC Core §10.1.1); caches hold the JWKS for less."""
KEY_TAIL: Final = timedelta(days=1)
"""The key before stays this long after: longer than anything lives that it signed."""
JWKS_MAX_AGE_S: Final = 900
DISCOVERY_MAX_AGE_S: Final = 3600
KEYS_LOOK_S: Final = 60.0
"""Another process may have rotated: the rows are looked at again after so many seconds."""


RESPONSE_LIFE: Final = timedelta(minutes=10)
"""JARM §2.1 recommends ten minutes at most for a signed answer."""
RESPONSE_TYP: Final = "oauth-authz-resp+jwt"
"""Of a signed answer, so that it passes for no other token of this provider (RFC 8725 §3.11)."""

# --- CIBA and the device grant ---------------------------------------------------------------------------

CIBA_GRANT: Final = "urn:openid:params:grant-type:ciba"
DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
COLLECT_LIFE: Final = timedelta(seconds=120)
"""How long an answer that came in time may still be collected: a redirect's return, one interval, a slow network."""
POLL_LEEWAY: Final = timedelta(milliseconds=500)
"""A poll that its network made early is on time."""
SIGNED_REQUEST_LIFE: Final = timedelta(minutes=60)
"""FAPI-CIBA §5.2.2: from nbf to exp, and nbf no older."""
SIGNED_REQUEST_LEEWAY: Final = timedelta(seconds=10)
BINDING_MESSAGE_LIMIT: Final = 64
"""CIBA Core §7.1: relatively short, and shown on both screens."""
REQUESTED_EXPIRY: Final = (30, 180, 600)
"""CIBA Core §7.1 requested_expiry: least, default and most seconds; the most is that of the door (design §5.4)."""
NOTIFICATION_TOKEN_LIMITS: Final = (22, 1024)
"""CIBA Core §7.1: at least 128 random bits, at most 1024 characters."""
USER_CODE_LETTERS: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""RFC 8628 §6.1: no vowels, so that no words come about."""
USER_CODE_SIZE: Final = 8
DEVICE_LIFE: Final = timedelta(minutes=10)
DEVICE_LEAST: Final = timedelta(seconds=30)
"""With less time left nobody could answer: the code counts as over."""
PING_DELIVERY: Final = "ping"
PING_TRIES: Final = 24
PING_LIFE: Final = timedelta(minutes=10)
PING_CONCURRENCY: Final = 16
PING_REST_S: Final = 20.0
"""How long an endpoint that failed is left alone; the client may poll meanwhile (CIBA Core §10.2)."""
PINGS_AT_ONCE: Final = 3
"""To one endpoint, so that one that hangs does not hold up the others."""

LOGIN_COOKIE: Final = "__Host-inkan-openid"
"""Of a browser's login here; ``__Host-inkan-login`` is the portal's."""

# --- logout ----------------------------------------------------------------------------------------------

LOGOUT_TOKEN_TYP: Final = "logout+jwt"  # noqa: S105 - a type
"""OIDC Back-Channel Logout 1.0 §2.4."""
LOGOUT_EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LOGOUT_TOKEN_LIFE: Final = timedelta(minutes=2)
"""OIDC Back-Channel Logout 1.0 §4: preferably at most two minutes ahead."""
LOGOUT_DELIVERED: Final = frozenset({200, 204})
"""OIDC Back-Channel Logout 1.0 §2.8: 200; §2.7: some frameworks answer 204 instead."""
LIVING_STATES: Final = frozenset({GrantState.GRANTED, GrantState.USED})

# --- shared signals --------------------------------------------------------------------------------------

SET_TYP: Final = "secevent+jwt"
"""RFC 8417 §2.3."""
SET_DELIVERED: Final = frozenset({200, 202, 204})
"""RFC 8935 §2.2: 202; a receiver that says 200 or 204 has taken the token too."""
DELIVERY_LIFE: Final = timedelta(hours=24)
DELIVERY_TRIES: Final = 96
"""More than the pauses leave room for within a day; the life ends a delivery, not the count."""
VERIFICATION_INTERVAL: Final = timedelta(seconds=60)
SIGNAL_KEPT: Final = timedelta(days=30)
"""How long an event is kept, sent or held by a paused stream."""

SUPPORTED: Final = (
    SignalType.SESSION_REVOKED,
    SignalType.CREDENTIAL_CHANGE,
    SignalType.CREDENTIAL_COMPROMISE,
)
"""What a receiver may request; a verification comes whether it was requested or not."""

_REVOKED: Final = (
    SignalType.CREDENTIAL_CHANGE,
    {"credential_type": "x509", "change_type": "revoke"},
)
_UPDATED: Final = (
    SignalType.CREDENTIAL_CHANGE,
    {"credential_type": "x509", "change_type": "update"},
)
_COMPROMISED: Final = (SignalType.CREDENTIAL_COMPROMISE, {"credential_type": "x509"})
_ENDED: Final[tuple[SignalType, Mapping[str, str]]] = (SignalType.SESSION_REVOKED, {})


class Told(NamedTuple):
    """What follows for the person's systems when a certificate of a phone stops being good.

    Attributes:
        signals: types and members of the events.
        ends_grants: whether every grant of the person ends, at every client.
    """

    signals: tuple[tuple[SignalType, Mapping[str, str]], ...]
    ends_grants: bool


# CAEP 1.0 §3.1 session-revoked, §3.3 credential-change; RISC 1.0 §2.7 credential-compromise. The reasons are those of
# RFC 5280 §5.3.1, as the person's act or the card's end sets them (enrolment: REASON_OF_CAUSE, parents).
TOLD_OF_REASON: Final[Mapping[RevocationReason, Told]] = {
    # Lost, stolen, misused: whoever has the phone may be somebody else.
    RevocationReason.KEY_COMPROMISE: Told((_COMPROMISED, _REVOKED, _ENDED), ends_grants=True),
    RevocationReason.CA_COMPROMISE: Told((_COMPROMISED, _REVOKED, _ENDED), ends_grants=True),
    RevocationReason.AA_COMPROMISE: Told((_COMPROMISED, _REVOKED, _ENDED), ends_grants=True),
    # Frozen by the person, or the card is on hold: in doubt the sessions end, the phone may come back.
    RevocationReason.CERTIFICATE_HOLD: Told((_UPDATED, _ENDED), ends_grants=True),
    # The card behind the phone ended.
    RevocationReason.PRIVILEGE_WITHDRAWN: Told((_REVOKED, _ENDED), ends_grants=True),
    RevocationReason.AFFILIATION_CHANGED: Told((_REVOKED, _ENDED), ends_grants=True),
    RevocationReason.UNSPECIFIED: Told((_REVOKED, _ENDED), ends_grants=True),
    # Given up by its owner, in good order: sessions that it opened were the owner's.
    RevocationReason.CESSATION_OF_OPERATION: Told((_REVOKED,), ends_grants=False),
    # Renewed.
    RevocationReason.SUPERSEDED: Told((_UPDATED,), ends_grants=False),
}

# --- who may do what -------------------------------------------------------------------------------------

PERMISSIONS: Final = (
    Permission(use_case="signals.use", roles=frozenset({"system"}), source="SSF 1.0; issue 6"),
)
