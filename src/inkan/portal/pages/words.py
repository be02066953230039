"""What people read for the codes of records: English, the key of its translations."""

from collections.abc import Mapping
from typing import Final

from inkan.approvals import UsageResult
from inkan.enrolment import PhoneState
from inkan.pki import PublicState
from inkan.wire.binding import BindingLevel, StatementDoor
from inkan.wire.enrolment_request import KeyUse, RevokeCause
from inkan.wire.session import Kind, Outcome

PHONE_STATES: Final[Mapping[PhoneState, str]] = {
    PhoneState.ISSUING: "being bound",
    PhoneState.ACTIVE: "in use",
    PhoneState.SUSPENDED: "on hold",
    PhoneState.REVOKED: "revoked",
}
"""The state of a phone."""

CERTIFICATE_STATES: Final[Mapping[PublicState, str]] = {
    PublicState.VALID: "good",
    PublicState.SUSPENDED: "on hold",
    PublicState.REVOKED: "revoked",
    PublicState.EXPIRED: "its term is over",
    PublicState.UNKNOWN: "not issued yet",
}
"""The status of a certificate now."""

KEY_USES: Final[Mapping[KeyUse, str]] = {
    KeyUse.AUTH: "Says who you are, and approves",
    KeyUse.SIGN: "Signs in your name",
    KeyUse.SINGLE: "Says who you are, approves and signs",
}
"""What a certificate is for (TW-23)."""

CAUSES: Final[Mapping[RevokeCause, str]] = {
    RevokeCause.NO_LONGER_NEEDED: "I do not need it any more",
    RevokeCause.LOST: "I have lost it",
    RevokeCause.STOLEN: "It was stolen",
    RevokeCause.DAMAGED: "It is broken",
    RevokeCause.MISUSED: "Somebody used it in my name",
    RevokeCause.SUSPECTED_MISUSE: "I suspect that somebody used it in my name",
}
"""Why a person revokes (JPKI-23, JPKI-24)."""

OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.OK: "You agreed",
    Outcome.REFUSED: "You refused",
    Outcome.FAILED: "Did not succeed",
    Outcome.BLOCKED: "Blocked",
}
"""The result of a use."""

RESULTS: Final[Mapping[UsageResult, str]] = {
    UsageResult.OK: "Agreements",
    UsageResult.REFUSED: "Refusals",
    UsageResult.FAILED: "Failures",
    UsageResult.BLOCKED: "Stopped uses",
    UsageResult.REPORTED: "Reported by me",
}
"""By what records are picked."""

KINDS: Final[Mapping[Kind, str]] = {
    Kind.IDENTIFY: "Identification",
    Kind.APPROVE: "Approval",
    Kind.SIGN: "Signature",
}

DOORS: Final[Mapping[StatementDoor, str]] = {
    StatementDoor.QR: "Scanned code",
    StatementDoor.PUSH: "Message to the phone",
    StatementDoor.WEB_LINK: "Link in the phone's browser",
    StatementDoor.APP_LINK: "Another app on the phone",
    StatementDoor.REDIRECT_QR: "Inkan's page, scanned code",
    StatementDoor.REDIRECT_PUSH: "Inkan's page, message to the phone",
    StatementDoor.REDIRECT_OPEN: "Inkan's page, on the phone itself",
}
"""By which way the question came."""

LEVELS: Final[Mapping[BindingLevel, str]] = {
    BindingLevel.NONE: "None: nothing ties your answer to one browser",
    BindingLevel.MATCHED: "Matched: you typed the code of the asking page",
    BindingLevel.PAIRED: "Paired: a browser that was known as yours",
    BindingLevel.RETURNED: "Returned: your answer went back to the browser or app that asked",
    BindingLevel.STRONG: "Strong: the asking device was at your phone",
}
"""How surely the asking browser and the phone belong together."""

SCOPES: Final[Mapping[str, str]] = {
    "profile": "Your name and what belongs to it",
    "email": "Your e-mail address",
    "phone": "Your phone number",
    "address": "Your address",
    "offline_access": "Also while you are away",
}
"""What a scope of OpenID Connect means for the person (OIDC Core §5.4, §11); ``openid`` alone says nothing more."""

WORDS: Final = frozenset(
    text
    for table in (
        PHONE_STATES,
        CERTIFICATE_STATES,
        KEY_USES,
        CAUSES,
        OUTCOMES,
        RESULTS,
        KINDS,
        DOORS,
        LEVELS,
        SCOPES,
    )
    for text in table.values()
)
"""Every one of them; a test looks for its translations."""
