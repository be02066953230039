"""What is done when an instance opens and when it ends."""

import asyncio
from contextlib import suppress

from inkan.composition.settings import Settings
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.pki import PKI
from inkan.store import connect, migrate
from inkan.store.database import Database


async def count_last_uses(*, pki: PKI) -> None:
    """Write down what the keys did since the last minute; a command has no schedule that would."""
    with suppress(
        InkanError
    ):  # an instance that ends because its database is gone ends all the same
        await pki.record_key_uses()


async def open_database(settings: Settings, clock: Clock) -> Database:
    """The database, its schema brought up to date."""
    url = settings.database_url
    if await asyncio.to_thread(migrate.current, url) != migrate.head():
        await asyncio.to_thread(migrate.upgrade, url)
    return connect.database(url, clock=clock)
