"""Every query on cases."""

from typing import Any

import sqlalchemy as sa

from inkan.counter.model import CaseState, CaseStep, ReportCause
from inkan.counter.rules import DOCUMENT_LIFE, MACHINE
from inkan.counter.store.tables import case
from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, Choice, JSONText

LIVE = "on"
LIST_LIMIT = 100
SWEEP_LIMIT = 500


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# 0 rows: the person has an open case.
INSERT = insert_new(case)
CASE = Query(sa.select(case).where(case.c.id == _bind("key")))
# Every change takes its row first: a loser of a race sees the winner's state.
HELD = Query(sa.select(case).where(case.c.id == _bind("key")).with_for_update())
OPEN_OF_OFFICE = Query(
    sa.select(case)
    .where(case.c.office == _bind("office"), case.c.live == LIVE)
    .order_by(case.c.created_at.desc(), case.c.id)
    .limit(LIST_LIMIT)
)
OPEN_OF_PERSON = Query(
    sa.select(case).where(case.c.person == _bind("person"), case.c.live == LIVE).with_for_update()
)
EXPIRED = Query(
    sa.select(case.c.id)
    .where(case.c.live == LIVE, case.c.expires_at <= NOW)
    .order_by(case.c.expires_at)
    .limit(SWEEP_LIMIT)
)
UNORDERED = Query(
    sa.select(case.c.id)
    .where(case.c.live == LIVE, case.c.state == CaseState.KEYED)
    .order_by(case.c.created_at)
    .limit(SWEEP_LIMIT)
)
# The row stays, with its event; what lay under the seal is gone. An open case has no moment of closing.
PURGE_DOCUMENTS = Query(
    sa.update(case)
    .where(case.c.document.is_not(None), case.c.closed_at <= NOW - DOCUMENT_LIFE)
    .values(document=None)
)

_CLOSING = frozenset({CaseState.DONE, CaseState.WITHDRAWN})


def _change(**values: Any) -> sa.Update:
    """One compare-and-set of an open case."""
    return (
        sa.update(case)
        .where(
            case.c.id == _bind("key"),
            case.c.live == LIVE,
            case.c.version == _bind("seen", sa.Integer),
        )
        .values(version=case.c.version + 1, event_id=_bind("event"), **values)
    )


def _step(step: CaseStep, **values: Any) -> Query:
    """One step of the machine; what ends a case frees its person and its card for another."""
    after = MACHINE.after(min(MACHINE.before(step)), step)
    closing = {"live": None, "closed_at": NOW} if after in _CLOSING else {}
    # No answer of the card program is taken for a step that is over.
    changed = _change(state=after, command_sha256=None, **closing, **values)
    return Query(changed.where(case.c.state.in_(sorted(MACHINE.before(step)))))


IDENTIFY = _step(
    CaseStep.IDENTIFY,
    clerk=_bind("new_clerk"),
    document=_bind("new_document", sa.LargeBinary),
    terms_version=_bind("new_terms_version"),
)
MAKE_KEYS = _step(
    CaseStep.MAKE_KEYS,
    card=_bind("new_card"),
    certificates=_bind("new_certificates", JSONText),
)
ORDER = _step(CaseStep.ORDER)
WRITE = _step(CaseStep.WRITE)
HAND_OVER = _step(CaseStep.HAND_OVER)
UNLOCK = _step(CaseStep.UNLOCK, card=_bind("new_card"))
REVOKE = _step(
    CaseStep.REVOKE,
    cause=_bind("new_cause", Choice(ReportCause)),
    certificates=_bind("new_certificates", JSONText),
)
WITHDRAW = _step(CaseStep.WITHDRAW)
CONFIRM = Query(
    _change(confirmed_by=_bind("new_clerk")).where(
        case.c.state == CaseState.IDENTIFIED, case.c.confirmed_by.is_(None)
    )
)
PAY = Query(_change(paid=_bind("new_paid", sa.Integer)).where(case.c.paid.is_(None)))
