"""The signer process: its keys, its look at the platform's register, its journal and its socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from inkan.composition.activated import pinned_keys
from inkan.composition.keys import open_others, passphrase, ring
from inkan.composition.settings import Environment, Settings, SettingsWrong
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.remote.journal import Journal
from inkan.crypto.remote.server import Signer, serving
from inkan.kernel.clock import Clock
from inkan.pki import PublicURLs
from inkan.pki.service.signing_policy import IssuingPolicy
from inkan.store import connect

JOURNAL_FILE = "journal.jsonl"


@asynccontextmanager
async def signing_process(
    settings: Settings, *, ceremony: bool = False, clock: Clock | None = None
) -> AsyncIterator[Path]:
    """Hold the keys of ``settings`` and answer on their socket until the block ends; gives the socket.

    The settings are the signer's own: its home and keys, and the platform's database and origins. The database is
    only read; on PostgreSQL by a role that may do nothing else.

    Args:
        settings: with ``database.url`` and ``origins`` of the platform.
        ceremony: admits new authorities; for as long as officers stand by.
        clock: for tests.

    Raises:
        SettingsWrong: the signer would ask another signer, or no database is named.
        KeyStoreLocked, KeyStoreExposed, KeyStoreDamaged: its keys, journal or socket cannot be used.
    """
    if settings.remote.socket:
        raise SettingsWrong("a signer holds its keys itself", where="remote.socket")
    if not settings.database.url:
        raise SettingsWrong("name the platform's database", where="database.url")
    clock = clock or Clock(may_advance=settings.environment is not Environment.PRODUCTION)
    settings.home_path.mkdir(mode=0o700, parents=True, exist_ok=True)
    async with AsyncExitStack() as stack:
        files = await asyncio.to_thread(
            EncryptedFileKeyProvider, settings.keys_path, passphrase(settings)
        )
        others = await open_others(settings, clock, stack)
        keys = ring(settings, clock, files, others)
        activated = None
        if settings.keys.phones:
            activated = await pinned_keys(settings, clock, others, stack)
        db = connect.database(settings.database_url, clock=clock, connections=2)
        await db.open()
        stack.push_async_callback(db.close)
        journal = await asyncio.to_thread(Journal, settings.home_path / JOURNAL_FILE, clock.now)
        stack.callback(journal.close)
        policy = IssuingPolicy(
            db=db,
            keys=keys,
            clock=clock,
            urls=PublicURLs(origin=settings.origins.platform),
            ceremony=ceremony,
        )
        signer = Signer(keys, policy, journal, activated=activated)
        path = settings.signer_path
        await stack.enter_async_context(serving(signer, path, peers=settings.signer.peers))
        yield path
