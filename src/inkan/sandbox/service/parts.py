"""What the use cases of the sandbox share: the features below, the way to the instance itself, its files."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from pathlib import Path

from inkan.audit import Actor, ActorKind, Audit
from inkan.client import AsyncTransport, guessable_pins
from inkan.crypto import base64url
from inkan.crypto.aead import hmac_sha256
from inkan.enrolment import Enrolment
from inkan.identification import Identification
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.people import People
from inkan.pki import PKI
from inkan.relying_parties import RelyingParties
from inkan.sandbox.model import SandboxUnready
from inkan.store.database import Database

PLATFORM = Actor(ActorKind.PLATFORM, "sandbox")


@dataclass(kw_only=True)
class Parts:
    """The dependencies of every use case of this feature.

    Attributes:
        secret: the passphrases of phones and the PINs of cards are derived from it, so that both survive a restart
            and neither is stored.
        folder: holds the files of cards and phones.
        platform, wallet: the origins that phones know.
        may_advance: whether systems may move the clock.
        most_phones: how many virtual phones one system may have.
        keep_for: after this span of true time a virtual phone ends, whatever it does.
        transport: the way to the instance itself; None until it listens.
        catch_up: does what became due after the clock leapt.
        locks: one for each system and each phone.
    """

    db: Database
    audit: Audit
    clock: Clock
    people: People
    pki: PKI
    enrolment: Enrolment
    relying_parties: RelyingParties
    identification: Identification
    secret: Secret[bytes]
    folder: Path
    platform: str
    wallet: str
    may_advance: bool = True
    most_phones: int = 20
    keep_for: timedelta = timedelta(days=30)
    transport: AsyncTransport | None = None
    catch_up: Callable[[], Awaitable[None]] | None = None
    locks: defaultdict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def way(self) -> AsyncTransport:
        """The way to the instance itself.

        Raises:
            SandboxUnready: it does not listen.
        """
        if self.transport is None:
            raise SandboxUnready
        return self.transport

    def passphrase(self, phone_id: str) -> Secret[str]:
        """What seals the file of a virtual phone."""
        return Secret(base64url.encode(self._derived("phone", phone_id)))

    def pin(self, card: str) -> Secret[str]:
        """The eight digits of a test card's PIN."""
        drawn = (self._derived("card", f"{card}{'.' * more}") for more in count())
        pins = (Secret(f"{int.from_bytes(each[:8]) % 10**8:08d}") for each in drawn)
        # One in ten thousand is one that no card takes.
        return next(pin for pin in pins if guessable_pins.find(pin) is None)

    def phone_file(self, phone_id: str) -> Path:
        """Where a virtual phone lies."""
        return self._folder("phones") / f"{phone_id}.phone"

    def card_file(self, number: int, person: str) -> Path:
        """Where the card of a system's test person lies."""
        return self._folder("cards") / f"{number:05d}-{person}.card"

    def files(self) -> list[Path]:
        """Every card and phone."""
        return [*self._folder("cards").glob("*.card"), *self._folder("phones").glob("*.phone")]

    def _derived(self, kind: str, name: str) -> bytes:
        return hmac_sha256(self.secret, f"inkan-sandbox-{kind}-v1\x00{name}".encode())

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder


def remove(path: Path) -> None:
    """Remove a card or phone, and the neighbour that its lock is held by."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
