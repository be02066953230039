"""People over a database, with keys that a test may change."""

from collections.abc import Callable

import pytest

from inkan.audit import Audit
from inkan.kernel.sensitive import Secret
from inkan.people import People
from inkan.store.database import Database
from people.persons import sealer
from support.keyring import ec_key


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(db=database, mac_key=Secret(bytes(32)), head_signer=ec_key())


@pytest.fixture
def people_with(database: Database, audit: Audit) -> Callable[[int], People]:
    """People with so many key versions."""
    return lambda versions: People(
        db=database, audit=audit, sealer=sealer(versions), pairwise_key=Secret(b"p" * 32)
    )


@pytest.fixture
def people(people_with: Callable[[int], People]) -> People:
    return people_with(1)
