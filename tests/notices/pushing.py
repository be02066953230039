"""Notices that wake phones by a push service on loopback, and looks at what is stored."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from inkan.audit import Audit
from inkan.notices import Carrier, CarrierName, Notices, WebPush
from inkan.store.database import Database, Step
from inkan.store.outbox import Outbox
from inkan.store.query import Query
from inkan.store.schema import metadata
from inkan.store.sealing import Sealer
from inkan.web.fetch import Fetcher
from support.clock import StandingClock
from support.keyring import ec_key
from support.push_service import Browser, PushService

PHONE = "phn_one"
OTHER = "phn_two"
HANDLE = "h" * 43
VAPID = ec_key(40)
SUBJECT = "mailto:operator@id.example"


def web_push(fetch: Fetcher, clock: StandingClock, **more: Any) -> WebPush:
    return WebPush(fetch=fetch, key=VAPID, subject=SUBJECT, clock=clock, **more)


class Rig:
    """Notices with carriers, and their worker."""

    def __init__(
        self,
        database: Database,
        audit: Audit,
        sealer: Sealer,
        clock: StandingClock,
        carriers: Mapping[CarrierName, Carrier],
        *,
        push_key: str = "",
    ) -> None:
        self.database = database
        self.clock = clock
        self.notices = Notices(
            db=database,
            audit=audit,
            sealer=sealer,
            clock=clock,
            spool=Path("nowhere"),
            sender="inkan@id.example",
            carriers=carriers,
            push_key=push_key,
        )
        self.outbox = Outbox(database, self.notices.handlers)

    async def wake(self, *phones: str, handle: str = HANDLE, ttl_s: int = 180) -> int:
        return await self.database.transact(
            self.notices.wake, phones=phones or (PHONE,), handle=handle, ttl_s=ttl_s
        )

    async def run(self) -> int:
        """Deliver what is due; return how many tries were made."""
        return await self.outbox.run_due()

    async def row(self, phone: str = PHONE) -> Any:
        """The newest subscription of a phone."""
        found = [row for row in await rows(self.database) if row.phone == phone]
        return found[-1] if found else None


async def rows(database: Database, table: str = "notices_push_subscription") -> list[Any]:
    """The rows of a table, oldest first where they have a moment."""
    wanted = metadata.tables[table]
    order = [wanted.c.created_at] if "created_at" in wanted.c else []
    query = Query(wanted.select().order_by(*order))

    def read() -> Step[list[Any]]:
        return (yield query.all())

    return await database.read(read)


async def dump(database: Database) -> str:
    """Every row of every table as text; bytes as they are."""
    texts = [repr(await rows(database, name)) for name in sorted(metadata.tables)]
    return "\n".join(texts)


async def subscribed(
    rig: Rig, service: PushService, phone: str = PHONE, number: int = 30
) -> Browser:
    browser = service.subscribe(rig.notices.push_key, number=number)
    await rig.notices.subscribe(phone, CarrierName.WEBPUSH, browser.address)
    return browser
