"""The figures of a person's login and of the status page, and who may read what at home and at the console."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from inkan.portal.model import Health, LoginStage
from inkan.web.principal import Assurance, Permission
from inkan.wire.session import Outcome, SessionState

VERIFIER_BYTES: Final = 32
"""Design §5.4, return doors: a 256-bit verifier that lives only in the browser that began."""

CHALLENGE_BYTES: Final = 32

FINISH_WITHIN: Final = timedelta(seconds=60)
"""Design §5.3 Release: an answer that nobody fetched within 60 s is worth nothing any more."""

PURPOSE: Final = "login"
PURPOSE_TEXTS: Final = {
    "en": "Log in to your home at Inkan",
    "ja": "Inkanのマイページへのログイン",
    "zh-Hant": "登入您的Inkan個人專區",
}
ORGANISATION_NAMES: Final = {"en": "Inkan", "ja": "Inkan", "zh-Hant": "Inkan"}

STAGES: Final[Mapping[SessionState, LoginStage]] = {
    SessionState.CREATED: LoginStage.WAITING,
    SessionState.PRESENTED: LoginStage.WAITING,
    SessionState.OPENED: LoginStage.OPENED,
    SessionState.DECIDED: LoginStage.OPENED,
    SessionState.CLOSED: LoginStage.FAILED,
    SessionState.CANCELLED: LoginStage.OVER,
    SessionState.EXPIRED: LoginStage.OVER,
}
"""What a page shows of a state; of a closed session its outcome says more."""

OUTCOME_STAGES: Final[Mapping[Outcome, LoginStage]] = {
    Outcome.OK: LoginStage.ANSWERED,
    Outcome.REFUSED: LoginStage.REFUSED,
    Outcome.FAILED: LoginStage.FAILED,
    Outcome.BLOCKED: LoginStage.FAILED,
}

HOME_RECORDS: Final = 5
HOME_NOTICES: Final = 3


# --- the status page ---------------------------------------------------------------------------------

STANDING_LIFE: Final = timedelta(seconds=5)
"""As old as ``GET /v1/status`` may be."""
STANDING_WINDOW: Final = 60
"""Minutes of sessions that are told of."""


class Wait(NamedTuple):
    """How long the oldest thing may wait before a component is called slow, and down."""

    slow: timedelta
    down: timedelta
    source: str


class Failures(NamedTuple):
    """Which share of sessions may fail, once at least so many did."""

    least: int
    slow: float
    down: float
    source: str


JOBS_WAIT: Final = Wait(timedelta(minutes=2), timedelta(minutes=30), "issue 5 point 6")
EVENTS_WAIT: Final = Wait(timedelta(seconds=30), timedelta(minutes=5), "design §6, audit: 1 s")
SESSIONS_FAIL: Final = Failures(5, 0.1, 0.5, "issue 5 point 6")


def health_of_wait(oldest: datetime | None, now: datetime, wait: Wait) -> Health:
    """How a component stands whose oldest thing waits since then; None: nothing waits."""
    if oldest is None or now - oldest < wait.slow:
        return Health.WORKING
    return Health.DOWN if now - oldest >= wait.down else Health.SLOW


# --- the console ---------------------------------------------------------------------------------------

DEAD_SHOWN: Final = 100
REPORTS_SHOWN: Final = 200
FRESH: Final = timedelta(minutes=10)
"""What ends, repeats or reveals something needs the human being's own act within this (ASVS 7.5.3; design §5.6)."""


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


# --- who may do what -----------------------------------------------------------------------------------


def _person(use_case: str, source: str, *, fresh_within: timedelta | None = None) -> Permission:
    return Permission(
        use_case=use_case,
        roles=frozenset({"person"}),
        source=source,
        assurance=Assurance.TWO_FACTORS,
        fresh_within=fresh_within,
    )


PERMISSIONS: Final = (
    _person("portal.records", "TW-38; design §1, person"),
    _person("portal.report", "threat 2; design §1, person"),
    _person("portal.phones", "TW-36; design §1, person"),
    # Whoever is in doubt freezes at once, without a phone to prove themselves with; the card brings it back.
    _person("portal.freeze", "design §5.6, freeze"),
    _person("portal.revoke", "design §5.6, an act of the last ten minutes", fresh_within=FRESH),
    _person("portal.consents", "TW-68; design §1, person"),
    _person("portal.browsers", "design §5.4, known browsers"),
    _person("portal.clients", "design §5.7, logout; §1, person"),
    _staff("console.retry_job", "operator", source="design §1, operator", fresh_within=FRESH),
    _staff("console.reports", "operator", "rp_officer", "auditor", source="threat 2"),
    _staff(
        "console.reveal_report",
        "operator",
        "rp_officer",
        source="threat 2; HCA-48",
        fresh_within=FRESH,
    ),
)
"""Beside ``portal.enter`` (accounts) and ``notices.read`` (notices)."""
