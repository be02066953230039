"""A signer process for tests, in a thread of this one: the same frames, the same socket, no fork."""

import asyncio
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from inkan.crypto.activation.port import ActivatedKeys
from inkan.crypto.key_guard import GuardedKeys, rules_of
from inkan.crypto.key_providers import SIGNING_PURPOSES, KeyPairProvider, KeyPurpose
from inkan.crypto.remote.journal import Journal
from inkan.crypto.remote.server import Signer, SigningPolicy, serving
from inkan.crypto.to_be_signed import ToBeSigned
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError

PLENTY = rules_of(
    dict.fromkeys(SIGNING_PURPOSES, 1_000_000),
    {KeyPurpose.TOKEN: {"t"}, KeyPurpose.RECEIPT: {"r"}},
)


class AdmitAll(SigningPolicy):
    """Leaves it at the formats."""

    async def check_generate(self, label: str, purposes: Collection[KeyPurpose]) -> None:
        pass

    async def check_sign(
        self, label: str, purpose: KeyPurpose, message: bytes, read: ToBeSigned
    ) -> None:
        pass


def guarded(keys: KeyPairProvider) -> GuardedKeys:
    return GuardedKeys(keys, PLENTY, monotonic=Clock().monotonic)


@contextmanager
def signer_thread(
    keys: KeyPairProvider,
    folder: Path,
    *,
    policy: SigningPolicy | None = None,
    activated: ActivatedKeys | None = None,
    peers: Collection[int] = (),
) -> Iterator[Path]:
    """A signer at work on the keys; gives its socket."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "signer.sock"
    journal = Journal(folder / "journal.jsonl", Clock().now)
    signer = Signer(guarded(keys), policy or AdmitAll(), journal, activated=activated)
    ready = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    faults: list[Exception] = []

    async def run() -> None:
        stop = asyncio.Event()
        async with serving(signer, path, peers=peers):
            running.append((asyncio.get_running_loop(), stop))
            ready.set()
            await stop.wait()

    def work() -> None:
        try:
            asyncio.run(run())
        except InkanError as fault:
            faults.append(fault)
        finally:
            ready.set()

    thread = threading.Thread(target=work)
    thread.start()
    ready.wait(10)
    try:
        if faults:
            raise faults[0]
        yield path
    finally:
        for loop, stop in running:
            loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        journal.close()
