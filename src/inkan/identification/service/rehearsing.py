"""What a sandbox asks of sessions, so that its virtual persons can do what a person before a screen does.

Only code of this process comes here, and only a sandbox composes a caller; no route of any instance leads here.
"""

from inkan.identification import store
from inkan.identification.service.parts import Parts, find_by_approval, read_session
from inkan.kernel.ids import SystemID
from inkan.store.database import Step


def system_of(session_id: str) -> Step[SystemID | None]:
    """Step: whose session this is; None when it was forgotten since."""
    session = read_session((yield store.BY_ID.one(key=session_id)))
    return None if session is None else session.system


def shown_code(parts: Parts, approval_id: str) -> Step[str | None]:
    """Step: the six digits that the asking page shows for a push; None where it shows none (`tap_only`)."""
    approval = yield from parts.approvals.find(approval_id)
    if approval is None:
        return None
    session = yield from find_by_approval(approval)
    return None if session.terms.tap_only else parts.code(approval.id)
