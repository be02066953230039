"""Where a browser or app goes back to, and what it brings."""

from urllib.parse import urlencode

from inkan.approvals import Approval
from inkan.identification.model import Session
from inkan.identification.rules import RETURNING
from inkan.identification.service.parts import Parts


def return_url(parts: Parts, session: Session, approval: Approval) -> str | None:
    """Where the phone leads its browser back to, if this way comes back from the phone."""
    if session.terms.return_url is None or approval.door not in RETURNING:
        return None
    return address_of(parts, session, approval)


def address_of(parts: Parts, session: Session, approval: Approval) -> str:
    """The relying party's address; with a return code while there is an answer to redeem."""
    url = session.terms.return_url or ""
    brought: dict[str, str] = {"session": session.id}
    if approval.statement_sha256 is not None:
        brought["return_code"] = parts.return_code(approval)
    return f"{url}{'&' if '?' in url else '?'}{urlencode(brought)}"
