"""Attributes that a statement names: looked up when the answer is given out, noted as the person's consent."""

from collections.abc import Sequence
from typing import Any

from inkan.approvals import Approval
from inkan.attributes import receipt_claims
from inkan.identification.model import Session
from inkan.identification.service.parts import Parts
from inkan.identification.service.records import Mark
from inkan.kernel.ids import EventID, PersonID
from inkan.store.database import Step
from inkan.wire.reasons import Reason


def values(
    parts: Parts, session: Session, approval: Approval, mark: Mark | None
) -> Step[tuple[Reason | None, dict[str, Any]]]:
    """Step: what the receipt gives of the claims, or why the answer fails: all of them, or none (TW-68).

    A session that omits what is missing gives what is there (OIDC Core §5.5.1).
    """
    claims = approval.question.claims
    if not claims or mark is None:
        return None, {}
    found = yield from parts.attributes.available(PersonID(mark.person), claims, scheme=mark.scheme)
    if found.missing and not session.terms.omit_missing:
        return Reason.ATTRIBUTE_MISSING, {}
    return None, receipt_claims(found.values)


def note(
    parts: Parts, session: Session, closed: Approval, *, codes: Sequence[str], event: EventID
) -> Step[None]:
    """Step: write down what the person gave to whom; the signed statement is the consent (WAT-44)."""
    yield from parts.attributes.note_consent(
        PersonID(closed.person or ""),
        system=session.system,
        session=session.id,
        codes=codes,
        statement_sha256=closed.statement_sha256 or "",
        event=event,
    )
