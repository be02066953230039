"""How a person's login goes on, and its one refusal."""

from enum import StrEnum

import msgspec

from inkan.kernel.errors import Forbidden, NotFound


class LoginUnproved(Forbidden):
    """This browser holds no session that was answered with yes within the last minute: one answer for all causes."""

    code = "login_unproved"
    title = "No answer of a phone proves this login"


class CertificateNotFound(NotFound):
    """Unknown, or of another person's phone: one answer."""

    code = "certificate_not_found"
    title = "There is no such certificate on your phones"


class LoginStage(StrEnum):
    """Where the login of one browser stands, as its page shows it."""

    WAITING = "waiting"
    OPENED = "opened"
    ANSWERED = "answered"
    REFUSED = "refused"
    FAILED = "failed"
    OVER = "over"


class LoginTry(msgspec.Struct, frozen=True):
    """One browser's try to log in.

    Attributes:
        session: id of the session of Inkan's own system.
        state: of that session; the page is drawn for it.
        stage: what the page shows.
    """

    session: str
    state: str
    stage: LoginStage
