"""The figures of client authentication, access tokens, applications and load tests; who may apply, and who may do what."""

import re
import tomllib
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, Final, NamedTuple

import msgspec
from msgspec import Meta

from inkan.kernel.machine import Machine
from inkan.relying_parties.model import SystemState
from inkan.relying_parties.model.application import (
    ApplicationState,
    ApplicationStep,
    Sector,
)
from inkan.relying_parties.model.window import WindowState, WindowStep
from inkan.web.principal import Assurance, Permission

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# Design §5.5: a client assertion lives at most 60 s and is used once; a token lives 10 minutes.
ASSERTION_LIFE = timedelta(seconds=60)
CLOCK_LEEWAY = timedelta(seconds=5)
TOKEN_LIFE = timedelta(minutes=10)
ACCESS_TOKEN_TYP = "at+jwt"  # noqa: S105  RFC 9068 §2.1: the header type, no secret
# RFC 7523 asks for no type; stock clients write none.
ASSERTION_TYPS = frozenset({"JWT", "client-authentication+jwt", None})
MAX_FORM_BYTES = 8192
LANGUAGES = frozenset({"en", "ja", "zh-Hant"})
TOKEN_CACHE = 4096

PROOF_WINDOW_S: Final = 70.0
"""RFC 9449 §11.1: a proof is admitted for its window, so its id is remembered as long."""
NONCE_WINDOW_S: Final = 120
"""How long a DPoP nonce is handed out; it is admitted during this window and the next (RFC 9449 §8)."""

# RFC 3986 in the one spelling that is admitted: lower-case host, no user, no fragment, no dot segment, no
# second spelling of a port; addresses are compared letter by letter, so each has exactly one form (threat 17).
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = rf"{_LABEL}(?:\.{_LABEL})*"
_PORT: Final = r"(?::[1-9][0-9]{0,4})?"
_PATH: Final = r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-F]{2})*"
_QUERY: Final = r"(?:\?(?:[A-Za-z0-9._~!$'()*+,;=:@/?&-]|%[0-9A-F]{2})*)?"
_HTTPS: Final = re.compile(rf"https://(?P<host>{_HOST})(?P<port>{_PORT})(?P<path>{_PATH}){_QUERY}")
_LOOPBACK: Final = re.compile(
    rf"https?://(?P<host>(?:{_LABEL}\.)*localhost|127\.0\.0\.1)(?P<port>{_PORT})(?P<path>{_PATH}){_QUERY}"
)
_NUMERIC_HOST: Final = re.compile(r"(?:.*\.)?[0-9]+")
_DEFAULT_PORTS: Final = frozenset({":443", ":80"})


def is_address(url: str, *, loopback: bool) -> bool:
    """Whether ``url`` may be registered to lead browsers or webhooks to.

    Args:
        url: an absolute address.
        loopback: whether plain http to this very machine is admitted; never in production.
    """
    found = _HTTPS.fullmatch(url) or (_LOOPBACK.fullmatch(url) if loopback else None)
    if found is None or found["port"] in _DEFAULT_PORTS or int(found["port"][1:] or 1) > 65535:
        return False
    segments = found["path"].split("/")
    is_local = found["host"] == "127.0.0.1" or found["host"].split(".")[-1] == "localhost"
    if is_local and not loopback:
        return False
    if _NUMERIC_HOST.fullmatch(found["host"]) and not is_local:
        return False
    return not any(segment in {".", ".."} for segment in segments) and "//" not in found["path"]


def is_within(url: str, domain: str) -> bool:
    """Whether the host of an address is a domain, or lies below it.

    A phone shows the domain beside the name, and refuses a question whose return leads anywhere else (threat 17).

    Args:
        url: an address that :func:`is_address` admits; anything else is within nothing.
        domain: in the form of a statement: lower case, A-labels, no dot at the end.
    """
    found = _HTTPS.fullmatch(url) or _LOOPBACK.fullmatch(url)
    if found is None:
        return False
    host = found["host"]
    return host == domain or (
        host.endswith(f".{domain}") and not _NUMERIC_HOST.fullmatch(host)  # numbers have no below
    )


# The instance's own system (persons log in by a session of it). It has no key, so nobody gets a token for it.
OWN_SYSTEM = "inkan"

# A number of seconds that is a date: the last one of the year 9999 (RFC 7519 §2, NumericDate).
NumericDate = Annotated[int, Meta(ge=0, le=253402300799)]
JTI = Annotated[str, Meta(min_length=16, max_length=128)]

USE_CASE_OF_STATE: Mapping[SystemState, str] = {
    SystemState.ACTIVE: "relying_parties.system_resumed",
    SystemState.SUSPENDED: "relying_parties.system_suspended",
}

# --- keys ------------------------------------------------------------------------------------------------

KEYS_LIMIT: Final = 2
"""Threat 4: the present key and its successor, so that a rotation has an overlap and a stolen key no third place."""

# --- applications ----------------------------------------------------------------------------------------


class Eligibility(NamedTuple):
    """Who may apply under a scheme.

    Attributes:
        sectors: of the organisation.
        country: that registers its number; the seal's certificate names it too.
        source: where that stands.
    """

    sectors: frozenset[Sector]
    country: str
    source: str


ELIGIBLE: Final[Mapping[str, Eligibility]] = {
    "tw-citizen": Eligibility(
        sectors=frozenset({"government", "finance", "telecom"}), country="TW", source="TW-61"
    ),
}

APPLICATION_MACHINE: Final[Machine[ApplicationState, ApplicationStep]] = Machine(
    ApplicationState.DRAFT,
    {
        # TW-62: form and consent are sealed; what is sealed does not change under the seal.
        (ApplicationState.DRAFT, ApplicationStep.EDIT): ApplicationState.DRAFT,
        (ApplicationState.SEALED, ApplicationStep.EDIT): ApplicationState.DRAFT,
        (ApplicationState.RETURNED, ApplicationStep.EDIT): ApplicationState.DRAFT,
        (ApplicationState.DRAFT, ApplicationStep.COMPLETE): ApplicationState.DRAFT,
        (ApplicationState.DRAFT, ApplicationStep.SEAL): ApplicationState.SEALED,
        (ApplicationState.SEALED, ApplicationStep.SUBMIT): ApplicationState.IN_REVIEW,
        (ApplicationState.IN_REVIEW, ApplicationStep.RETURN): ApplicationState.RETURNED,
        (ApplicationState.IN_REVIEW, ApplicationStep.REFUSE): ApplicationState.REFUSED,
        (ApplicationState.IN_REVIEW, ApplicationStep.APPROVE): ApplicationState.APPROVED,
    },
)
USE_CASE_OF_STEP: Final[Mapping[ApplicationStep, str]] = {
    ApplicationStep.EDIT: "relying_parties.application_edited",
    ApplicationStep.COMPLETE: "relying_parties.application_completed",
    ApplicationStep.SEAL: "relying_parties.application_sealed",
    ApplicationStep.SUBMIT: "relying_parties.application_submitted",
    ApplicationStep.RETURN: "relying_parties.application_returned",
    ApplicationStep.REFUSE: "relying_parties.application_refused",
    ApplicationStep.APPROVE: "relying_parties.application_approved",
}


class Consent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One edition of the consent text: paragraphs in each language of the platform."""

    edition: str
    text: dict[str, list[str]]


@cache
def consents() -> dict[str, Consent]:
    """Every edition of the consent text, the newest last; an edition never changes, its successor has a new name."""
    folder = files("inkan.relying_parties") / "documents"
    found = sorted(
        (each for each in folder.iterdir() if each.name.endswith(".toml")), key=lambda e: e.name
    )
    read = [
        msgspec.convert(tomllib.loads(each.read_text(encoding="utf-8")), Consent) for each in found
    ]
    return {each.edition: each for each in read}


def newest_consent() -> Consent:
    """The edition that a new application accepts."""
    return list(consents().values())[-1]


# --- from the sandbox into production (TW-64) -------------------------------------------------------------

REGISTRATION_TYP: Final = "inkan-registration+jws"
EXPORT_LIFE: Final = timedelta(hours=72)
"""Long enough to carry it over, short enough that a suspension in between is seen."""
REPORT_LIFE: Final = timedelta(days=30)
EXPORT_LIMIT: Final = 256 * 1024

# --- load tests (TW-67) -----------------------------------------------------------------------------------

WINDOW_NOTICE: Final = timedelta(hours=24)
WINDOW_AHEAD: Final = timedelta(days=90)
WINDOW_LENGTH: Final = timedelta(hours=8)
WINDOW_RATE: Final = 600_000

WINDOW_MACHINE: Final[Machine[WindowState, WindowStep]] = Machine(
    WindowState.ANNOUNCED,
    {
        (WindowState.ANNOUNCED, WindowStep.CONFIRM): WindowState.CONFIRMED,
        (WindowState.ANNOUNCED, WindowStep.REFUSE): WindowState.REFUSED,
        (WindowState.ANNOUNCED, WindowStep.WITHDRAW): WindowState.WITHDRAWN,
        (WindowState.CONFIRMED, WindowStep.WITHDRAW): WindowState.WITHDRAWN,
    },
)
USE_CASE_OF_WINDOW: Final[Mapping[WindowStep, str]] = {
    WindowStep.CONFIRM: "relying_parties.window_confirmed",
    WindowStep.REFUSE: "relying_parties.window_refused",
    WindowStep.WITHDRAW: "relying_parties.window_withdrawn",
}

# --- who may do what --------------------------------------------------------------------------------------

DECIDE_APPLICATION: Final = "console.decide_application"
"""The row of accounts for reviewing officers; the act of four eyes has its name."""

SUSPEND_SYSTEM: Final = "console.suspend_system"
EXPORT_SYSTEM: Final = "console.export_system"
IMPORT_SYSTEM: Final = "console.import_system"

FRESH: Final = timedelta(minutes=10)
"""Acts that give or take rights need the human being's own act within this (ASVS 7.5.3)."""


def _staff(
    use_case: str, *roles: str, source: str, fresh_within: timedelta | None = None
) -> Permission:
    return Permission(
        use_case=use_case,
        roles=frozenset(roles),
        source=source,
        assurance=Assurance.PHISHING_RESISTANT,
        fresh_within=fresh_within,
    )


PERMISSIONS: Final = (
    _staff("developer.apply", "developer", source="TW-62, TW-63"),
    _staff("developer.keys", "developer", source="threat 4", fresh_within=FRESH),
    _staff("developer.windows", "developer", source="TW-67"),
    _staff(
        SUSPEND_SYSTEM,
        "rp_officer",
        "operator",
        source="threat 4, issue 4",
        fresh_within=FRESH,
    ),
    _staff(EXPORT_SYSTEM, "operator", source="TW-64", fresh_within=FRESH),
    _staff(IMPORT_SYSTEM, "operator", source="TW-64", fresh_within=FRESH),
    _staff("console.windows", "rp_officer", "operator", "auditor", source="TW-67"),
    _staff(
        "console.decide_window",
        "rp_officer",
        "operator",
        source="TW-67",
        fresh_within=FRESH,
    ),
)
