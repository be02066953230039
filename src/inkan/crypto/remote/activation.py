"""Keys of phones that another process holds and releases: its passkeys, its book, its look at every assertion.

A lost answer is not asked for again: the assertion is used up by then, and the person confirms once more.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from inkan.crypto.activation.port import ActivatedKeys, KeyOrder, MadeKey, Release
from inkan.crypto.remote import messages
from inkan.crypto.remote.client import RemoteKeyProvider

T = TypeVar("T")


class RemoteActivatedKeys(ActivatedKeys):
    """A holder of activated keys behind the signer's socket; calls wait in the provider's threads."""

    def __init__(self, signer: RemoteKeyProvider) -> None:
        self._signer = signer

    async def make(self, order: KeyOrder) -> tuple[MadeKey, ...]:
        """See :meth:`ActivatedKeys.make`."""
        request = messages.MakeKeys(order)
        ask = partial(self._signer.ask, request, messages.MadeKeys)
        return (await self._wait(ask)).keys

    async def release(self, wish: Release) -> bytes:
        """See :meth:`ActivatedKeys.release`."""
        request = messages.ReleaseKey(wish)
        ask = partial(self._signer.ask, request, messages.Signature, tries=1)
        return (await self._wait(ask)).signature

    async def end(self, spki_sha256: bytes) -> None:
        """See :meth:`ActivatedKeys.end`."""
        await self._wait(partial(self._signer.ask, messages.EndKey(spki_sha256), messages.Done))

    async def _wait(self, ask: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._signer.executor, ask)
