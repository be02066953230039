"""Queries on the command of a case that waits for its answer; the case's row is held by whoever asks."""

import sqlalchemy as sa

from inkan.counter.store.tables import case
from inkan.store.query import Query
from inkan.store.schema import NOW, Moment

_id = case.c.id == sa.bindparam("key", type_=sa.String)
PENDING = Query(
    sa.select(case.c.command_sha256, case.c.command_act, case.c.command_terminal).where(
        _id, case.c.command_expires_at > NOW
    )
)
# A new command takes the place of the one before: that one's answer comes too late.
SET_COMMAND = Query(
    sa.update(case)
    .where(_id)
    .values(
        command_sha256=sa.bindparam("mark", type_=sa.LargeBinary),
        command_act=sa.bindparam("act", type_=sa.String),
        command_terminal=sa.bindparam("terminal", type_=sa.String),
        command_expires_at=sa.bindparam("until", type_=Moment),
    )
)
# 0 rows: another answer was faster, or another command was given.
TAKE_COMMAND = Query(
    sa.update(case)
    .where(
        _id,
        case.c.command_sha256 == sa.bindparam("mark", type_=sa.LargeBinary),
        case.c.command_act == sa.bindparam("act", type_=sa.String),
        case.c.command_terminal == sa.bindparam("terminal", type_=sa.String),
        case.c.command_expires_at > NOW,
    )
    .values(command_sha256=None, command_act=None, command_terminal=None, command_expires_at=None)
)
