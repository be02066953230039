"""An office with two clerks on duty, a resident, and cards as far as the platform sees them: numbers, requests, hashes."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import Any

import pytest
import sqlalchemy as sa

from inkan.accounts import Role
from inkan.audit import Actor, ActorKind
from inkan.counter.model import (
    Case,
    CaseKind,
    Clerk,
    DocumentKind,
    HeldCard,
    Office,
    PhotoDocument,
)
from inkan.counter.rules import FEE, TERMS
from inkan.counter.service import Counter
from inkan.crypto import base64url
from inkan.crypto.certificate_requests import build_csr
from inkan.crypto.certificate_view import Sex
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalID, parse_national_id
from inkan.kernel.ids import AccountID, random_bytes
from inkan.kernel.sensitive import Personal
from inkan.people import Identity, Person, new_identity
from inkan.pki import CertificateStatus
from inkan.store.query import Query
from inkan.web.languages import Language
from relying_parties.applicants import hire
from support.keyring import ec_key
from support.world import CITIZENS, World

OPERATOR = Actor(ActorKind.OPERATOR, "console")
HERE, THERE = "chiyoda", "naha"
OFFICE = Office(
    code="chiyoda-1",
    name="千代田窓口",
    municipality=HERE,
    authority="card",
    phone="+81 3 0000 0000",
)
ELSEWHERE = Office(
    code="naha-1", name="那覇窓口", municipality=THERE, authority="card", phone="+81 98 000 0000"
)
ADDRESS = Personal("千代田区千代田1-1")
PASSPORT = PhotoDocument(
    kind=DocumentKind.PASSPORT, number=Personal("TK1234567"), expires_on=date(2030, 1, 1)
)
CHIP = PhotoDocument(
    kind=DocumentKind.RESIDENT_CARD,
    number=Personal("RC00012345"),
    expires_on=date(2030, 1, 1),
    chip_read=True,
)
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def new_number() -> str:
    """The number of a blank card; it begins and ends with a letter, and so is nobody's PIN."""
    return (b"\xca" + random_bytes(14) + b"\x0d").hex()


def requests(start: int = 10) -> dict[str, str]:
    """What a card answers after making its keys."""
    return {
        key: base64url.encode(build_csr(ec_key(start + n)))
        for n, key in enumerate(("signature", "authentication"))
    }


@dataclass
class Desk:
    """One office at work.

    Attributes:
        first, second: its clerks on duty.
        other: a clerk of the office elsewhere, on duty.
    """

    world: World
    first: Clerk
    second: Clerk
    other: Clerk
    person: Person
    national_id: NationalID

    @property
    def counter(self) -> Counter:
        return self.world.platform.counter

    @property
    def cases(self) -> Any:
        return self.counter.cases

    async def open(self, kind: CaseKind = CaseKind.ISSUE, *, clerk: Clerk | None = None) -> Case:
        return await self.cases.open(clerk or self.first, kind, self.national_id)

    async def identified(
        self, kind: CaseKind = CaseKind.ISSUE, *, document: PhotoDocument = CHIP
    ) -> Case:
        case = await self.open(kind)
        return await self.cases.identify(self.first, case.id, document, TERMS.version)

    async def make_keys(
        self, case: Case, number: str, *, start: int = 10, clerk: Clerk | None = None
    ) -> Case:
        """What the step of the card command does."""
        keys = self.cases.proven_keys(requests(start))
        return await self.world.platform.db.transact(
            self._keys, clerk or self.first, case.id, number, keys
        )

    def _keys(self, clerk, case_id, number, keys):
        row = yield from self.cases.held(clerk, case_id)
        return (yield from self.cases.keys_made(row, number, keys))

    async def write(self, case: Case, number: str | None = None, **bent: str) -> Case:
        digests = {
            key: await self.digest_of(certificate) for key, certificate in case.certificates.items()
        }
        return await self.world.platform.db.transact(
            self._write, case.id, number or case.card, digests | bent
        )

    def _write(self, case_id, number, digests):
        row = yield from self.cases.held(self.first, case_id)
        return (yield from self.cases.written(row, number, digests))

    async def unlock(self, case: Case, number: str) -> Case:
        return await self.world.platform.db.transact(self._unlock, case.id, number)

    def _unlock(self, case_id, number):
        row = yield from self.cases.held(self.first, case_id)
        return (yield from self.cases.unlocked(row, number))

    async def digest_of(self, certificate: str) -> str:
        issued = await self.world.platform.pki.certificate(certificate)
        return base64url.encode(hashlib.sha256(issued.der).digest())

    async def at(self, state: str, *, number: str | None = None, start: int = 10) -> Case:
        """An issue that has come as far as this state."""
        number = number or new_number()
        steps = {
            "opened": lambda case: self.open(),
            "identified": lambda case: self.cases.identify(
                self.first, case.id, CHIP, TERMS.version
            ),
            "keyed": lambda case: self.make_keys(case, number, start=start),
            "ordered": lambda case: self.cases.order(self.first, case.id),
            "written": self.write,
            "paid": lambda case: self.cases.pay(self.first, case.id, FEE),
            "done": lambda case: self.cases.hand_over(self.first, case.id),
        }
        case = None
        for name, step in steps.items():
            case = await step(case)
            if name == state:
                break
        return case

    async def status(self, certificate: str) -> CertificateStatus:
        return await self.world.platform.db.read(self.world.platform.pki.find_status, certificate)

    async def states(self, case: Case) -> set[tuple[str, str | None]]:
        """How the certificates of a case stand, and why."""
        found = [await self.status(each) for each in case.certificates.values()]
        return {(each.state.value, each.reason and each.reason.value) for each in found}

    async def told(self, person: str) -> list[str]:
        """The templates of the person's notices, the newest first."""
        inbox = await self.world.platform.notices.inbox(person, language=Language.EN)
        return [each.template.value for each in inbox]

    async def card(self, number: str) -> HeldCard | None:
        return await self.world.platform.db.read(self.cases.card, number)


async def clerk_at(world: World, office: Office, name: str) -> Clerk:
    """A clerk on duty whose person is this citizen."""
    login = await hire(world.platform.accounts, Role.CLERK, name=name)
    person = await person_of(world, name)
    offices = world.platform.counter.offices
    await offices.add_clerk(AccountID(login.account), person.id, office.code, actor=OPERATOR)
    return await offices.begin_shift(AccountID(login.account))


def identity_of(key: str, /, **bent: Any) -> Identity:
    shown, born, number = CITIZENS[key]
    facts = {"name": shown, "birth_date": born, "national_id": parse_national_id(number)}
    return new_identity(**{**facts, **bent})


async def person_of(world: World, name: str) -> Person:
    return await world.platform.people.register(identity_of(name), actor=OPERATOR)


async def desk_in(world: World) -> Desk:
    """Two offices; the second clerk of the first is its resident too."""
    counter = world.platform.counter
    for office in (OFFICE, ELSEWHERE):
        await counter.offices.add_office(office, actor=OPERATOR)
    first, second, other = [
        await clerk_at(world, office, name)
        for office, name in ((OFFICE, "lin"), (OFFICE, "tanaka"), (ELSEWHERE, "child"))
    ]
    person = await person_of(world, "chen")
    await counter.residents.record(person.id, Sex.FEMALE, ADDRESS, HERE, OPERATOR)
    await counter.residents.record(second.person, Sex.FEMALE, ADDRESS, HERE, OPERATOR)
    return Desk(world, first, second, other, person, identity_of("chen").national_id)


async def refused(call: Any) -> str:
    """The code of a refusal."""
    with pytest.raises(InkanError) as caught:
        await call
    return caught.value.code


async def rows(world: World, table: sa.Table, **wanted: Any) -> list[Any]:
    """The rows of a table with these values."""
    query = Query(sa.select(table))

    def read():
        return (yield query.all())

    found = await world.platform.db.scan(read)
    return [row for row in found if all(getattr(row, k) == v for k, v in wanted.items())]
