"""The rows of applications, announced load tests and imports, and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.relying_parties.model.application import ApplicationState, ApplicationStep
from inkan.relying_parties.model.window import WindowState, WindowStep
from inkan.relying_parties.rules import APPLICATION_MACHINE, WINDOW_MACHINE
from inkan.relying_parties.store import system
from inkan.store.query import Query, insert_new, insert_row
from inkan.store.schema import NOW, Choice, JSONText, Moment, metadata
from inkan.store.sealing import SealedColumn

application = sa.Table(
    "relying_parties_application",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("owner", sa.String, nullable=False, index=True),
    sa.Column("state", Choice(ApplicationState), nullable=False),
    # Contacts are personal, so the whole draft is sealed.
    sa.Column("draft", sa.LargeBinary, nullable=False),
    sa.Column("hands", JSONText, nullable=False),
    sa.Column("form_sha256", sa.String(43), nullable=False),
    sa.Column("consent_sha256", sa.String(43), nullable=False),
    sa.Column("seal", sa.LargeBinary),
    sa.Column("seal_facts", JSONText),
    sa.Column("reason", sa.LargeBinary),
    sa.Column("proposal", sa.String(40), nullable=False),
    sa.Column("reviewers", JSONText, nullable=False),
    sa.Column("changed_at", Moment, nullable=False, index=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

window = sa.Table(
    "relying_parties_window",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("system", sa.String(40), sa.ForeignKey(system.c.id), nullable=False, index=True),
    sa.Column("begins_at", Moment, nullable=False),
    sa.Column("ends_at", Moment, nullable=False, index=True),
    sa.Column("rate", sa.Integer, nullable=False),
    sa.Column("state", Choice(WindowState), nullable=False),
    sa.Column("announced_by", sa.String(40), nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

# The exports that came in; they stay for ever.
imported = sa.Table(
    "relying_parties_import",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("system", sa.String(40), sa.ForeignKey(system.c.id), nullable=False, index=True),
    sa.Column("jws_sha256", sa.String(43), nullable=False),
    sa.Column("issued_at", Moment, nullable=False),
    sa.Column("imported_at", Moment, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

DRAFT = SealedColumn("relying_parties_application", "draft")
REASON = SealedColumn("relying_parties_application", "reason")


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


# --- applications ------------------------------------------------------------------------------------------

INSERT = insert_row(application)
BY_ID = Query(sa.select(application).where(application.c.id == _bind("key")))
OF_OWNER = Query(
    sa.select(application)
    .where(application.c.owner == _bind("whose"))
    .order_by(application.c.changed_at.desc(), application.c.id)
    .limit(100)
)
# What officers see: nothing of a draft that nobody has sealed.
_SEEN = (
    ApplicationState.IN_REVIEW,
    ApplicationState.RETURNED,
    ApplicationState.REFUSED,
    ApplicationState.APPROVED,
)
SUBMITTED = Query(
    sa.select(application)
    .where(application.c.state.in_(_SEEN))
    .order_by(application.c.changed_at.desc(), application.c.id)
    .limit(200)
)


def _step(step: ApplicationStep, **values: Any) -> Query:
    """A step is a compare-and-set: of two who take one, one wins, whatever each of them wants."""
    before = APPLICATION_MACHINE.before(step)
    return Query(
        sa.update(application)
        .where(
            application.c.id == _bind("key"),
            application.c.version == _bind("seen", sa.Integer),
            application.c.state.in_(sorted(before)),
        )
        .values(
            state=APPLICATION_MACHINE.after(min(before), step),
            changed_at=NOW,
            version=application.c.version + 1,
            event_id=_bind("event"),
            **values,
        )
    )


_HANDS = {"hands": _bind("new_hands", JSONText)}
_REASON = {"reason": _bind("new_reason", sa.LargeBinary), "proposal": ""}
STEP: dict[ApplicationStep, Query] = {
    ApplicationStep.EDIT: _step(
        ApplicationStep.EDIT,
        draft=_bind("new_draft", sa.LargeBinary),
        form_sha256="",
        consent_sha256="",
        seal=sa.null(),
        seal_facts=sa.null(),
        **_HANDS,
    ),
    ApplicationStep.COMPLETE: _step(
        ApplicationStep.COMPLETE,
        form_sha256=_bind("new_form_sha256"),
        consent_sha256=_bind("new_consent_sha256"),
        **_HANDS,
    ),
    ApplicationStep.SEAL: _step(
        ApplicationStep.SEAL,
        seal=_bind("new_seal", sa.LargeBinary),
        seal_facts=_bind("new_seal_facts", JSONText),
        **_HANDS,
    ),
    ApplicationStep.SUBMIT: _step(ApplicationStep.SUBMIT, reason=sa.null(), proposal="", **_HANDS),
    ApplicationStep.RETURN: _step(ApplicationStep.RETURN, **_REASON),
    ApplicationStep.REFUSE: _step(ApplicationStep.REFUSE, **_REASON),
    ApplicationStep.APPROVE: _step(
        ApplicationStep.APPROVE, reviewers=_bind("new_reviewers", JSONText)
    ),
}
# The proposal belongs to this very version: whatever happens to the application afterwards ends it.
PROPOSE = Query(
    sa.update(application)
    .where(
        application.c.id == _bind("key"),
        application.c.version == _bind("seen", sa.Integer),
        application.c.proposal == _bind("old_proposal"),
        application.c.state == ApplicationState.IN_REVIEW,
    )
    .values(proposal=_bind("new_proposal"), event_id=_bind("event"))
)

# --- imports -----------------------------------------------------------------------------------------------

# 0 rows: this export was imported before.
INSERT_IMPORT = insert_new(imported)
NEWEST_IMPORT = Query(
    sa.select(sa.func.max(imported.c.issued_at).label("issued_at")).where(
        imported.c.system == _bind("whose")
    )
)
IMPORT_BY_ID = Query(sa.select(imported.c.system).where(imported.c.id == _bind("key")))

# --- load tests --------------------------------------------------------------------------------------------

_WINDOW = (*window.c, system.c.code.label("system_code"))
_WINDOWS = sa.select(*_WINDOW).select_from(window.join(system, window.c.system == system.c.id))
INSERT_WINDOW = insert_row(window)
WINDOW_BY_ID = Query(_WINDOWS.where(window.c.id == _bind("key")))
WINDOWS_OF = Query(
    _WINDOWS.where(window.c.system == _bind("whose")).order_by(window.c.begins_at.desc()).limit(50)
)
COMING_WINDOWS = Query(
    _WINDOWS.where(window.c.ends_at > NOW).order_by(window.c.begins_at, window.c.id).limit(200)
)
# What the rate limiter asks; the highest of overlapping windows.
RATE = Query(
    sa.select(sa.func.max(window.c.rate).label("rate")).where(
        window.c.system == _bind("whose"),
        window.c.state == WindowState.CONFIRMED,
        window.c.begins_at <= _bind("at", Moment),
        window.c.ends_at > _bind("at", Moment),
    )
)


def _window_step(step: WindowStep) -> Query:
    before = WINDOW_MACHINE.before(step)
    return Query(
        sa.update(window)
        .where(
            window.c.id == _bind("key"),
            window.c.version == _bind("seen", sa.Integer),
            window.c.state.in_(sorted(before)),
            window.c.ends_at > NOW,
        )
        .values(
            state=WINDOW_MACHINE.after(min(before), step),
            version=window.c.version + 1,
            event_id=_bind("event"),
        )
    )


WINDOW_STEP: dict[WindowStep, Query] = {step: _window_step(step) for step in WindowStep}

EVENT_PAIRS = [
    Query(sa.select(table.c.id, table.c.event_id)) for table in (application, window, imported)
]
