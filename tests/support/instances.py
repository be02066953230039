"""An instance with the keys that its settings name, without processes for workers and without HTTP."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path

from inkan.composition.keys import open_others, ring
from inkan.composition.platform import Platform, assemble
from inkan.composition.settings import Settings
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.pki import Ceremony, read_ceremony
from inkan.store import connect, migrate
from support.inline_workers import InlineWorkers


def demo_ceremony() -> Ceremony:
    text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
    return read_ceremony(text)


@asynccontextmanager
async def instance(settings: Settings) -> AsyncIterator[Platform]:
    """What ``compose`` makes, upon the settings' own database file."""
    clock = Clock(may_advance=True)
    home = Path(settings.home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)  # noqa: ASYNC240 - a test's own folder
    async with AsyncExitStack() as stack:
        store = EncryptedFileKeyProvider(home / "keys", Secret("a passphrase"), cost=2**10)
        keys = ring(settings, clock, store, await open_others(settings, clock, stack))
        url = settings.database_url
        if migrate.current(url) != migrate.head():
            migrate.upgrade(url)
        db = connect.database(url, clock=clock)
        await db.open()
        stack.push_async_callback(db.close)
        platform = assemble(settings, clock=clock, db=db, keys=keys, workers=InlineWorkers())
        await platform.pki.load()
        yield platform
