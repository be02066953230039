"""The rows of the register and every query on them."""

from typing import Any

import sqlalchemy as sa

from inkan.store.query import Query, insert_new
from inkan.store.schema import NOW, JSONText, Moment, metadata

organisation = sa.Table(
    "relying_parties_organisation",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("code", sa.String(64), nullable=False, unique=True),
    sa.Column("name", JSONText, nullable=False),
    sa.Column("sector", sa.String(16), nullable=False),
    # Whose it is (an account's tenant, or the account) and its registered number; NULL for an operator's own entry.
    sa.Column("owner", sa.String),
    sa.Column("number", sa.String(32)),
    sa.Column("event_id", sa.String(40), nullable=False),
)

system = sa.Table(
    "relying_parties_system",
    metadata,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("organisation", sa.String(40), sa.ForeignKey(organisation.c.id), nullable=False),
    sa.Column("code", sa.String(64), nullable=False, unique=True),
    sa.Column("name", sa.String(200), nullable=False),
    sa.Column("domain", sa.String(260), nullable=False),
    sa.Column("state", sa.String(12), nullable=False),
    sa.Column("doors", JSONText, nullable=False),
    sa.Column("purposes", JSONText, nullable=False),
    sa.Column("internal", sa.Boolean, nullable=False),
    sa.Column("binding_min", sa.String(12)),
    sa.Column("sector", sa.String(64), nullable=False),
    sa.Column("return_urls", JSONText, nullable=False),
    sa.Column("webhooks", JSONText, nullable=False),
    sa.Column("tap_only", sa.Boolean, nullable=False),
    # The client metadata of the OpenID provider; NULL for a system that does not use it.
    sa.Column("openid", JSONText),
    # The application that it came from; NULL for an operator's own entry and for an import.
    sa.Column("application", sa.String(40)),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("event_id", sa.String(40), nullable=False),
)

key = sa.Table(
    "relying_parties_key",
    metadata,
    sa.Column("thumbprint", sa.String(43), primary_key=True),
    sa.Column("system", sa.String(40), sa.ForeignKey(system.c.id), nullable=False, index=True),
    sa.Column("jwk", JSONText, nullable=False),
    sa.Column("added_at", Moment, nullable=False),
    sa.Column("ends_at", Moment),
    sa.Column("event_id", sa.String(40), nullable=False),
)

assertion = sa.Table(
    "relying_parties_assertion",
    metadata,
    sa.Column("jti_sha256", sa.String(43), primary_key=True),
    sa.Column("expires_at", Moment, nullable=False, index=True),
)


def _bind(name: str, type_: Any = sa.String) -> Any:
    return sa.bindparam(name, type_=type_)


_SYSTEM = (
    *(column for column in system.c if column.name != "event_id"),
    organisation.c.name.label("organisation_name"),
    organisation.c.owner,
)
_JOINED = system.join(organisation, system.c.organisation == organisation.c.id)

INSERT_ORGANISATION = insert_new(organisation)
ORGANISATION = Query(
    sa.select(organisation.c.id, organisation.c.owner, organisation.c.number).where(
        organisation.c.code == _bind("code")
    )
)
INSERT_SYSTEM = insert_new(system)
BY_CODE = Query(sa.select(*_SYSTEM).select_from(_JOINED).where(system.c.code == _bind("code")))
BY_ID = Query(sa.select(*_SYSTEM).select_from(_JOINED).where(system.c.id == _bind("key")))
# The same row with its JSON as the text that it is: what was read from these very texts before is known.
_AS_TEXT = tuple(
    sa.type_coerce(column, sa.Text).label(column.name)
    if isinstance(column.type, JSONText)
    else column
    for column in _SYSTEM
)
TEXT_BY_CODE = Query(
    sa.select(*_AS_TEXT).select_from(_JOINED).where(system.c.code == _bind("code"))
)
JSON_COLUMNS = tuple(column.name for column in _SYSTEM if isinstance(column.type, JSONText))
ALL = Query(sa.select(*_SYSTEM).select_from(_JOINED).order_by(system.c.code))
STATE = Query(sa.select(system.c.state, system.c.version).where(system.c.code == _bind("code")))
SET_STATE = Query(
    sa.update(system)
    .where(system.c.code == _bind("code"), system.c.state != _bind("new_state"))
    .values(state=_bind("new_state"), version=system.c.version + 1, event_id=_bind("event"))
)
CHANGE_SYSTEM = Query(
    sa.update(system)
    .where(system.c.code == _bind("code"), system.c.version == _bind("seen", sa.Integer))
    .values(
        name=_bind("new_name"),
        domain=_bind("new_domain"),
        doors=_bind("new_doors", JSONText),
        purposes=_bind("new_purposes", JSONText),
        version=system.c.version + 1,
        event_id=_bind("event"),
    )
)
# What a later application or export of its organisation says; its code and its organisation stay.
REPLACE_SYSTEM = Query(
    sa.update(system)
    .where(system.c.code == _bind("code"), system.c.organisation == _bind("whose"))
    .values(
        application=_bind("new_application"),
        name=_bind("new_name"),
        domain=_bind("new_domain"),
        doors=_bind("new_doors", JSONText),
        purposes=_bind("new_purposes", JSONText),
        binding_min=_bind("new_binding_min"),
        return_urls=_bind("new_return_urls", JSONText),
        webhooks=_bind("new_webhooks", JSONText),
        openid=_bind("new_openid", JSONText),
        version=system.c.version + 1,
        event_id=_bind("event"),
    )
)
SET_OPENID = Query(
    sa.update(system)
    .where(system.c.code == _bind("code"))
    .values(
        openid=_bind("new_openid", JSONText),
        version=system.c.version + 1,
        event_id=_bind("event"),
    )
)
OF_OWNER = Query(
    sa.select(*_SYSTEM)
    .select_from(_JOINED)
    .where(organisation.c.owner == _bind("whose"))
    .order_by(system.c.code)
)
INSERT_KEY = insert_new(key)
# Two who add a key at once come one after the other: the second one counts what the first one added.
TOUCH_SYSTEM = Query(
    sa.update(system)
    .where(system.c.id == _bind("key"))
    .values(version=system.c.version + 1, event_id=_bind("event"))
)
LIVE_KEYS = Query(
    sa.select(key.c.thumbprint, key.c.added_at, key.c.ends_at)
    .where(
        key.c.system == _bind("whose"),
        sa.or_(key.c.ends_at.is_(None), key.c.ends_at > NOW),
    )
    .order_by(key.c.added_at, key.c.thumbprint)
)
EVERY_KEY = Query(sa.select(key.c.thumbprint).where(key.c.system == _bind("whose")))
KEYS_OF = Query(
    sa.select(key.c.thumbprint, key.c.jwk)
    .select_from(key.join(system, key.c.system == system.c.id))
    .where(
        system.c.code == _bind("code"),
        sa.or_(key.c.ends_at.is_(None), key.c.ends_at > NOW),
    )
)
END_KEY = Query(
    sa.update(key)
    .where(key.c.thumbprint == _bind("thumbprint"), key.c.system == _bind("system_id"))
    .values(ends_at=_bind("new_ends_at", Moment), event_id=_bind("event"))
)
# 0 rows: this assertion was used before.
USE_ASSERTION = insert_new(assertion)
FORGET_ASSERTIONS = Query(
    sa.delete(assertion).where(assertion.c.expires_at <= _bind("before", Moment))
)

EVENT_PAIRS = [
    Query(sa.select(organisation.c.id, organisation.c.event_id)),
    Query(sa.select(system.c.id, system.c.event_id)),
    Query(sa.select(key.c.thumbprint, key.c.event_id)),
]
