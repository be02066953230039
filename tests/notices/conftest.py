"""Notices over a database of each kind, with a spool folder of their own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from inkan.audit import Audit
from inkan.kernel.sensitive import Secret
from inkan.notices import CarrierName, Notices
from inkan.store.database import Database
from inkan.store.sealing import Sealer
from notices.pushing import Rig, web_push
from support.clock import StandingClock
from support.keyring import ec_key
from support.push_service import PushService


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(db=database, mac_key=Secret(bytes(32)), head_signer=ec_key())


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(sealing={1: Secret(b"s" * 32)}, lookup={1: Secret(b"l" * 32)})


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path / "spool"


@pytest.fixture
def notices(
    database: Database, audit: Audit, sealer: Sealer, clock: StandingClock, spool: Path
) -> Notices:
    return Notices(
        db=database,
        audit=audit,
        sealer=sealer,
        clock=clock,
        spool=spool,
        sender="inkan@id.example",
    )


@pytest.fixture
async def service(clock: StandingClock) -> AsyncIterator[PushService]:
    async with PushService(clock).running() as running:
        yield running


@pytest.fixture
async def rig(
    database: Database,
    audit: Audit,
    sealer: Sealer,
    clock: StandingClock,
    service: PushService,
) -> AsyncIterator[Rig]:
    """Notices that wake phones by ``service``."""
    fetch = service.fetcher(timeout_s=0.5)
    sender = web_push(fetch, clock)
    carriers = {CarrierName.WEBPUSH: sender, CarrierName.UNIFIEDPUSH: sender}
    yield Rig(database, audit, sealer, clock, carriers, push_key=sender.public_key)
    await fetch.aclose()
