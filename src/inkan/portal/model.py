"""How a person's login goes on, how an instance stands, and the refusals of both."""

from enum import StrEnum

import msgspec

from inkan.kernel.errors import Forbidden, Malformed, NotFound


class LoginUnproved(Forbidden):
    """This browser holds no session that was answered with yes within the last minute: one answer for all causes."""

    code = "login_unproved"
    title = "No answer of a phone proves this login"


class CertificateNotFound(NotFound):
    """Unknown, or of another person's phone: one answer."""

    code = "certificate_not_found"
    title = "There is no such certificate on your phones"


class NothingToVerify(Malformed):
    """What was sent is neither a receipt, nor its evidence, nor the proof of a use, nor a certificate."""

    code = "nothing_to_verify"
    title = "This is nothing that can be verified here"


class Health(StrEnum):
    """How a component stands."""

    WORKING = "working"
    SLOW = "slow"
    DOWN = "down"


class ComponentName(StrEnum):
    """What an instance consists of, for those who use it."""

    SESSIONS = "sessions"
    JOBS = "jobs"
    LISTS = "lists"
    LOG = "log"
    WORKS = "works"


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
