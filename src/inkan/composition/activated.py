"""Who holds keys of phones that are released by assertions (back end B): a signer process, or this process itself.

Only with a signer process does the check of an assertion stand outside the process that serves the web. So production
has it there; a holder in this process is for trying it out (docs/keys.md).
"""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Final

from inkan.composition.keys import guard, passphrase
from inkan.composition.settings import Environment, Settings, SettingsWrong
from inkan.crypto.activation.book import Book
from inkan.crypto.activation.pinned import PinnedKeys
from inkan.crypto.activation.port import ActivatedKeys
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_providers import KeyPairProvider
from inkan.crypto.remote.activation import RemoteActivatedKeys
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.kernel.clock import Clock
from inkan.wire.activation import FORMATS

FOLDER: Final = "phone-keys"
BOOK_FILE: Final = "phone-keys.jsonl"


async def activated_keys(
    settings: Settings,
    clock: Clock,
    others: Mapping[str, KeyPairProvider],
    stack: AsyncExitStack,
) -> ActivatedKeys | None:
    """The holder that a platform asks; None where the settings name none.

    Args:
        settings: say who it is.
        clock: dates the book.
        others: the providers besides the files, by name.
        stack: closes the book.

    Raises:
        SettingsWrong: production without a signer process.
        KeyStoreLocked, KeyStoreDamaged: keys or book cannot be used.
    """
    place = settings.keys.phones
    if not place:
        return None
    signer = others.get(place)
    if isinstance(signer, RemoteKeyProvider):
        return RemoteActivatedKeys(signer)
    if settings.environment is Environment.PRODUCTION:
        raise SettingsWrong(
            "keys of phones lie with a signer process in production", where="keys.phones"
        )
    return await pinned_keys(settings, clock, others, stack)


async def pinned_keys(
    settings: Settings,
    clock: Clock,
    others: Mapping[str, KeyPairProvider],
    stack: AsyncExitStack,
) -> PinnedKeys:
    """A holder in this process: keys in a folder of their own or in the token, and the book beside them.

    Raises:
        KeyStoreLocked, KeyStoreDamaged: keys or book cannot be used.
    """
    keys = others.get(settings.keys.phones)
    if keys is None:
        keys = await asyncio.to_thread(
            EncryptedFileKeyProvider, settings.home_path / FOLDER, passphrase(settings)
        )
    book = await asyncio.to_thread(Book, settings.home_path / BOOK_FILE, clock.now)
    stack.callback(book.close)
    return PinnedKeys(
        guard(keys, settings, clock),
        book,
        FORMATS,
        origin=settings.origins.wallet,
        rp_id=settings.rp_id,
    )
