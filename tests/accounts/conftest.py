"""Accounts over a database of each kind."""

from pathlib import Path

import pytest

from accounts.staff import ORIGIN, RP_ID
from inkan.accounts import Accounts
from inkan.audit import Audit
from inkan.kernel.sensitive import Secret
from inkan.notices import Notices
from inkan.store.database import Database
from inkan.store.sealing import Sealer
from support.browser import chromium  # noqa: F401
from support.clock import StandingClock
from support.keyring import ec_key


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
def accounts(
    database: Database, audit: Audit, sealer: Sealer, notices: Notices, clock: StandingClock
) -> Accounts:
    return Accounts(
        db=database,
        audit=audit,
        sealer=sealer,
        notices=notices,
        clock=clock,
        rp_id=RP_ID,
        origin=ORIGIN,
    )
