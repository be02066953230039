"""Where a browser or app goes back to, and what it brings."""

from collections.abc import Collection
from urllib.parse import urlencode

from inkan.approvals import Approval
from inkan.identification.model import Session
from inkan.identification.rules import RETURNING, Leader, finished
from inkan.identification.service.parts import Parts
from inkan.wire.binding import PASSKEY_EVIDENCE, level_of
from inkan.wire.session import Outcome

PAGE_PATH = "/identify"


def page_url(parts: Parts, session: Session) -> str:
    """The address of the session's redirect page."""
    return f"{parts.issuer}{PAGE_PATH}/{session.page}"


def return_url(parts: Parts, session: Session, approval: Approval) -> str | None:
    """Where the phone leads its browser back to, if this way comes back from the phone.

    To the redirect page first where more is demanded than coming back shows: there the browser that began confirms.
    """
    if session.terms.return_url is None or approval.door not in RETURNING:
        return None
    is_ok = approval.outcome is Outcome.OK
    if is_ok and session.page and not is_enough(session, approval, by=Leader.PHONE):
        return page_url(parts, session)
    return address_of(parts, session, approval, by=Leader.PHONE)


def address_of(parts: Parts, session: Session, approval: Approval, *, by: Leader) -> str:
    """The relying party's address; with a return code while there is an answer to redeem."""
    url = session.terms.return_url or ""
    brought: dict[str, str] = {"session": session.id}
    if approval.statement_sha256 is not None:
        brought["return_code"] = parts.return_code(approval, by=by)
    return f"{url}{'&' if '?' in url else '?'}{urlencode(brought)}"


def is_enough(session: Session, approval: Approval, *, by: Leader) -> bool:
    """Whether an answer that is taken back so reaches the level that the session demands."""
    assert approval.door is not None
    evidence = {*approval.evidence, finished(approval.door, by)}
    return level_of(approval.door, evidence) >= session.binding_min


def is_confirmed(evidence: Collection[str]) -> bool:
    """Whether the browser that began has shown a passkey of the phone that answered."""
    return not PASSKEY_EVIDENCE.isdisjoint(evidence)
