"""From an answered session to a grant that was answered or denied; every flow does it here.

Numbered plan:

1. the session was given out with yes, and says who answered; otherwise the grant is denied;
2. an essential ``acr`` was reached; nothing is downgraded in silence (OIDC Core §5.5.1.1);
3. who, how and when, and what was given, are written down with the grant.
"""

from datetime import datetime
from typing import Any

import msgspec

from inkan.federation.model.grant import Answered, Grant
from inkan.federation.model.refusals import AnswerDenied, LoginNeeded, RequirementsUnmet
from inkan.federation.model.request import Asked
from inkan.federation.service import grants
from inkan.federation.service.levels import acr_of, amr_of, meets, told
from inkan.federation.service.parts import Parts
from inkan.identification import SessionView
from inkan.store.database import Step
from inkan.wire.forms import parse_moment
from inkan.wire.oauth import OAuthError
from inkan.wire.session import Outcome, SessionState


def flaw_of(asked: Asked, view: SessionView) -> OAuthError | None:
    """Why a session gives nothing, in OAuth's words; None when it does (steps 1 and 2)."""
    is_ok = view.state is SessionState.CLOSED and view.outcome is Outcome.OK
    if not is_ok or view.subject is None:  # 1
        return LoginNeeded() if "none" in asked.prompt else AnswerDenied()
    if asked.essential_acr and not meets(acr_of(view), asked.essential_acr):  # 2
        return RequirementsUnmet()
    return None


def complete(
    parts: Parts,
    grant: Grant,
    view: SessionView,
    *,
    login: str | None = None,
    sid: str | None = None,
    receipt: str | None = None,
) -> Step[Grant]:
    """Step: answer or deny a pending grant by the session as it is; see the plan of this module.

    Args:
        parts: of the feature.
        grant: pending.
        view: its session, as its system reads it; it has ended.
        login: the browser's login that the grant belongs to.
        sid: of this client and that login.
        receipt: JWS of the session's receipt, where ``authorization_details`` asked for an approval.

    Raises:
        GrantRefused: a rival came first, or it is not pending.
    """
    if flaw_of(grant.asked, view) is not None:
        return (yield from grants.deny(parts, grant))
    assert view.subject is not None
    return (
        yield from grants.answer(  # 3
            parts,
            grant,
            answered=answered_by(view, receipt=receipt),
            sub=view.subject.person_ref,
            acr=told(acr_of(view), grant.asked.essential_acr),
            amr=amr_of(view),
            auth_time=auth_time_of(view),
            login=login,
            sid=sid,
            scope=grant.asked.scope,
        )
    )


def answered_by(view: SessionView, *, receipt: str | None = None) -> Answered:
    """What the session gave: its claims, and everything else of it."""
    kept: dict[str, Any] = msgspec.to_builtins(view)
    claims: dict[str, Any] = kept.pop("claims")
    return Answered(claims=claims, view=kept, receipt=receipt)


def auth_time_of(view: SessionView) -> datetime:
    """When the person decided."""
    assert view.decided_at is not None
    return parse_moment(view.decided_at)
