"""Signing over a database of each kind."""

import pytest

from inkan.audit import Audit
from inkan.kernel.sensitive import Secret
from inkan.signing import Signing
from inkan.store.database import Database
from people.persons import sealer
from support.keyring import ec_key


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(db=database, mac_key=Secret(bytes(32)), head_signer=ec_key())


@pytest.fixture
def signing(database: Database, audit: Audit) -> Signing:
    return Signing(db=database, audit=audit, sealer=sealer(1))
