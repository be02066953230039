"""An authority's clerk at the registry, and the step of a session that asks it."""

from typing import Any

from attributes.test_rules import GOOD
from inkan.attributes import Attributes, Source, SourceKind, receipt_claims
from inkan.audit import Actor, ActorKind
from inkan.crypto import base64url
from inkan.kernel.ids import EventID, PersonID, SessionID, SystemID
from inkan.people import Person
from inkan.schemes import LevelOfAssurance
from inkan.store.database import Database, Step
from inkan.store.query import Query
from inkan.wire.claims import Claim

CLERK = Actor(ActorKind.OPERATOR, "registry")
MOI = Source(SourceKind.AUTHORITY, "moi")
CITY = Source(SourceKind.AUTHORITY, "taipei")
BANK = Source(SourceKind.ISSUER, "first-bank")
SCHEME = "tw-citizen"
EVENT = EventID("evt_test")
SIGNED = base64url.encode(b"s" * 32)
MY_NUMBER = "123456789018"
HIGH, MEDIUM, LOW = LevelOfAssurance.HIGH, LevelOfAssurance.MEDIUM, LevelOfAssurance.LOW


class Registry:
    """An authority's clerk, and the step of a session."""

    def __init__(self, attributes: Attributes, database: Database, person: Person) -> None:
        self.attributes = attributes
        self.db = database
        self.person = person.id

    async def record(self, code: str, value: Any = None, **more: Any) -> None:
        given = {"source": MOI, "level": HIGH, "valid_until": None, "actor": CLERK} | more
        person = given.pop("person", self.person)
        value = GOOD[Claim(code)] if value is None else value
        await self.attributes.record(person, code, value, **given)

    async def available(self, *codes: str) -> Any:
        return await self.db.read(self.attributes.available, self.person, codes, scheme=SCHEME)

    async def claims(self, *codes: str) -> dict[str, Any]:
        found = await self.available(*codes)
        assert found.missing == ()
        return receipt_claims(found.values)

    async def consent(self, *codes: str, signed: str = SIGNED, person: str | None = None) -> None:
        await self.db.transact(
            self.attributes.note_consent,
            PersonID(person or self.person),
            system=SystemID("sys_tax"),
            session=SessionID("ses_one"),
            codes=codes,
            statement_sha256=signed,
            event=EVENT,
        )


def run(query: Query, **parameters: Any) -> Step[int]:
    changed: int = yield query.run(**parameters)
    return changed
