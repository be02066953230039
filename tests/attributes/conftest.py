"""Attributes over a database of each kind, with one registered person."""

from datetime import date

import pytest

from attributes.registry import CLERK, Registry
from inkan.attributes import Attributes
from inkan.audit import Audit
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Secret
from inkan.people import People, Person, new_identity
from inkan.store.database import Database
from people.persons import sealer
from support.keyring import ec_key


@pytest.fixture
def audit(database: Database) -> Audit:
    return Audit(db=database, mac_key=Secret(bytes(32)), head_signer=ec_key())


@pytest.fixture
def people(database: Database, audit: Audit) -> People:
    return People(db=database, audit=audit, sealer=sealer(1), pairwise_key=Secret(b"p" * 32))


@pytest.fixture
def attributes(database: Database, audit: Audit, people: People) -> Attributes:
    return Attributes(db=database, audit=audit, people=people, sealer=sealer(1))


@pytest.fixture
async def chen(people: People) -> Person:
    identity = new_identity(
        name="陳怡君", birth_date=date(1988, 3, 14), national_id=parse_national_id("A234567893")
    )
    return await people.register(identity, actor=CLERK)


@pytest.fixture
def registry(attributes: Attributes, database: Database, chen: Person) -> Registry:
    return Registry(attributes, database, chen)
