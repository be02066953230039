"""The figures of a person's login, the words of its question, and who may read what at home."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from inkan.portal.model import LoginStage
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


FRESH: Final = timedelta(minutes=10)
"""Design §5.6: what ends something needs an act of the person within this time."""


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
)
"""Beside ``portal.enter`` (accounts) and ``notices.read`` (notices)."""
