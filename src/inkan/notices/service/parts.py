"""What the use cases of notices share, and how sealed columns are written and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from inkan.audit import Audit
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Secret
from inkan.notices import store
from inkan.notices.model import Contact, MailAddress, PushAddress
from inkan.store.database import Database
from inkan.store.sealing import Sealer
from inkan.web.languages import Formats, Language

Facts = dict[str, str]


class _Keys(msgspec.Struct, frozen=True):
    """The keys of a push subscription as they lie in their sealed column."""

    p256dh: str
    auth: str


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The dependencies of every use case of this feature."""

    db: Database
    audit: Audit
    sealer: Sealer
    clock: Clock
    formats: Mapping[Language, Formats]

    def seal_facts(self, notice: str, facts: Facts) -> bytes:
        """The facts of a notice as they rest in its row."""
        return self.sealer.seal(store.FACTS, notice, msgspec.json.encode(facts))

    def open_facts(self, row: Any) -> Facts:
        """The facts of a notice's row."""
        plain = self.sealer.open(store.FACTS, row.id, row.facts).reveal()
        return msgspec.json.decode(plain, type=Facts)

    def read_contact(self, row: Any) -> Contact:
        """The contact of a row."""
        address = self.sealer.open_text(store.ADDRESS, row.id, row.address)
        return Contact(
            id=row.id,
            channel=row.channel,
            address=MailAddress(address.reveal()),
            language=row.language,
            known_from=row.known_from,
        )

    def seal_address(
        self, subscription: str, address: PushAddress | None
    ) -> tuple[bytes | None, bytes | None]:
        """Endpoint and keys of a push subscription as they rest in its row."""
        if address is None:
            return None, None
        keys = _Keys(address.p256dh, address.auth.reveal())
        return (
            self.sealer.seal(store.ENDPOINT, subscription, address.endpoint),
            self.sealer.seal(store.KEYS, subscription, msgspec.json.encode(keys)),
        )

    def open_address(self, row: Any) -> PushAddress | None:
        """Endpoint and keys of a push subscription's row; None when it has none."""
        if row.endpoint is None:
            return None
        keys = self.sealer.open(store.KEYS, row.id, row.keys).reveal()
        read = msgspec.json.decode(keys, type=_Keys)
        return PushAddress(
            endpoint=self.sealer.open_text(store.ENDPOINT, row.id, row.endpoint),
            p256dh=read.p256dh,
            auth=Secret(read.auth),
        )
