"""What the use cases of notices share, and how sealed columns are written and read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from inkan.audit import Audit
from inkan.kernel.clock import Clock
from inkan.notices import store
from inkan.notices.model import Contact, MailAddress
from inkan.store.database import Database
from inkan.store.sealing import Sealer
from inkan.web.languages import Formats, Language

Facts = dict[str, str]


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
