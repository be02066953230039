"""What the platform keeps of a grant, looked at from behind."""

from typing import Any

import sqlalchemy as sa

from inkan.federation.service import grants
from inkan.federation.service.parts import hashed
from inkan.federation.store import grants as store
from inkan.store.database import Step
from inkan.store.query import Query
from inkan.store.schema import metadata
from support.world import World


async def answered_view(world: World, handle: str) -> dict[str, Any]:
    """The view of the session that was sealed with the grant of this handle."""

    def read() -> Step[Any]:
        grant = yield from grants.find(store.BY_HANDLE, hashed(handle))
        assert grant is not None
        return (yield from grants.answered_of(world.platform.openid.parts, grant))

    return dict((await world.platform.db.read(read)).view)


async def everything_kept(world: World) -> str:
    """Every row of every table, as one text."""

    def read() -> Step[str]:
        rows: list[Any] = []
        for table in metadata.sorted_tables:
            rows += yield Query(sa.select(*table.c)).all()
        return "\n".join(repr(tuple(row)) for row in rows)

    return await world.platform.db.scan(read)
