"""A valid My Number is planted at every boundary where people type text, and stands nowhere afterwards (WAT-62)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from composition.my_number_sweep import FORMS, Findings, listening, rows_of
from inkan.accounts import Role
from inkan.attributes import Source, SourceKind
from inkan.client import CallRefused, DocumentOrder
from inkan.client.session_view import ContentOrder, SubjectHint
from inkan.counter import Office as CounterOffice
from inkan.crypto.certificate_view import Sex
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import parse_national_id
from inkan.kernel.sensitive import Personal
from inkan.notices import NewsTexts
from inkan.people import new_identity
from inkan.sandbox.model.phones import PhoneOrder
from inkan.schemes import LevelOfAssurance
from inkan.store.database import Database
from relying_parties.applicants import NAMES, SEAL_AUTHORITY, Office, draft_of
from sandbox.homes import sandbox_settings
from support.asgi import Client
from support.clock import StandingClock
from support.world import CITIZENS, CLERK, PURPOSES, World, world_on

Plant = Callable[["Ground", str], Awaitable[object]]


class Ground:
    """An instance with an applicant, officers, a system and a phone."""

    def __init__(self, world: World, office: Office) -> None:
        self.world = world
        self.office = office
        self.count = 0

    def fresh(self, word: str) -> str:
        """A code that is not taken."""
        self.count += 1
        return f"{word}-{self.count}"

    async def agency(self, **bent: Any) -> Any:
        return await self.world.agency(self.fresh("system"), **bent)

    async def session(self, **members: Any) -> Any:
        agency = await self.agency()
        kind = members.pop("kind", "identify")
        purpose = "login" if kind == "identify" else "approve_payment"
        return await agency.create_session(kind, purpose=purpose, **members)


def texts(text: str) -> dict[str, str]:
    return dict.fromkeys(("en", "ja", "zh-Hant"), text)


async def _identity(ground: Ground, text: str) -> object:
    _, born, number = CITIZENS["child"]
    identity = new_identity(name=text, birth_date=born, national_id=parse_national_id(number))
    return await ground.world.platform.people.register(identity, actor=CLERK)


async def _reveal(ground: Ground, text: str) -> object:
    person = (await ground.world.citizen("chen")).person
    return await ground.world.platform.people.reveal(person.id, actor=CLERK, reason=text)


async def _invitation(ground: Ground, text: str) -> object:
    accounts = ground.world.platform.accounts
    return await accounts.invite([Role.OPERATOR], name=Personal(text), actor=CLERK)


async def _phone_name(ground: Ground, text: str) -> object:
    return await ground.world.prepared(ground.world.new_phone(name=text))


async def _system_name(ground: Ground, text: str) -> object:
    return await ground.agency(name=text)


async def _organisation_name(ground: Ground, text: str) -> object:
    return await ground.agency(organisation_name=texts(text))


async def _purpose_text(ground: Ground, text: str) -> object:
    return await ground.agency(purposes=[{**PURPOSES[0], "text": texts(text)}])


async def _content_name(ground: Ground, text: str) -> object:
    content = ContentOrder(id="c1", name=text, digest="A" * 43)
    return await ground.session(kind="approve", contents=[content])


async def _wished_phone(ground: Ground, text: str) -> object:
    return await ground.session(phone_name=text)


async def _hint(ground: Ground, text: str) -> object:
    return await ground.session(subject_hint=SubjectHint("national_id", Personal(text)))


async def _reference(ground: Ground, text: str) -> object:
    return await ground.session(subject_hint=SubjectHint("person_ref", Personal(text)))


async def _purpose_code(ground: Ground, text: str) -> object:
    agency = await ground.agency()
    return await agency.create_session("identify", purpose=text)


async def _draft(ground: Ground, **bent: Any) -> object:
    office = ground.office
    begun = await office.applications.begin(by=office.developer)
    draft = draft_of(ground.fresh("draft"), **bent)
    return await office.applications.edit(begun.id, draft, by=office.developer, seen=begun.version)


async def _draft_organisation(ground: Ground, text: str) -> object:
    return await _draft(ground, organisation={"name": {**NAMES, "en": text}})


async def _draft_contact(ground: Ground, text: str) -> object:
    contact = {"role": "technical", "name": text, "mail": "chen@tax.example"}
    return await _draft(ground, contacts=[contact])


async def _draft_mail(ground: Ground, text: str) -> object:
    contact = {"role": "technical", "name": "陳美", "mail": f"{text}@tax.example"}
    return await _draft(ground, contacts=[contact])


async def _draft_system(ground: Ground, text: str) -> object:
    office = ground.office
    begun = await office.applications.begin(by=office.developer)
    draft = draft_of(ground.fresh("draft"))
    systems = [msgspec.structs.replace(each, name=text) for each in draft.systems]
    draft = msgspec.structs.replace(draft, systems=systems)
    return await office.applications.edit(begun.id, draft, by=office.developer, seen=begun.version)


async def _review_reason(ground: Ground, text: str) -> object:
    office = ground.office
    application = await office.submitted(ground.fresh("review"))
    return await office.applications.propose(
        application.id, reason=text, by=office.first, seen=application.version
    )


async def _return_reason(ground: Ground, text: str) -> object:
    office = ground.office
    application = await office.submitted(ground.fresh("return"))
    return await office.applications.give_back(
        application.id, reason=text, final=False, by=office.first, seen=application.version
    )


async def _news(ground: Ground, text: str) -> object:
    told = NewsTexts(en=text, ja=text, zh_hant=text)
    return await ground.world.platform.notices.publish_news(told, told, actor=CLERK)


async def _document(ground: Ground, text: str) -> object:
    agency = await ground.agency()
    return await agency.create_document(DocumentOrder.of(text, b"x"))


async def _batch(ground: Ground, text: str) -> object:
    agency = await ground.agency()
    return await agency.create_batch(text, [DocumentOrder.of("a document", b"x")])


async def _attribute(ground: Ground, text: str) -> object:
    person = (await ground.world.citizen("chen")).person
    return await ground.world.platform.attributes.record(
        person.id,
        "address",
        text,
        source=Source(SourceKind.AUTHORITY, "moi"),
        level=LevelOfAssurance.HIGH,
        valid_until=None,
        actor=CLERK,
    )


async def _resident(ground: Ground, text: str) -> object:
    person = (await ground.world.citizen("chen")).person
    return await ground.world.platform.counter.residents.record(
        person.id, Sex.UNSTATED, Personal(text), "taipei-zhongzheng", CLERK
    )


async def _office(ground: Ground, text: str) -> object:
    office = CounterOffice(
        code=ground.fresh("office"),
        name=text,
        municipality="taipei-zhongzheng",
        authority="card",
        phone="+886 2 0000 0000",
    )
    return await ground.world.platform.counter.offices.add_office(office, actor=CLERK)


async def _entitlement(ground: Ground, text: str) -> object:
    code = ground.fresh("system")
    await ground.world.agency(code)
    until = ground.world.clock.now() + timedelta(days=1)
    entitlements = ground.world.platform.relying_parties.entitlements
    return await entitlements.grant(f"{code}-org", basis=text, until=until, actor=CLERK)


async def _virtual_phone(ground: Ground, text: str) -> object:
    sandbox, code = ground.world.platform.sandbox, ground.fresh("system")
    await ground.world.agency(code)
    system = await ground.world.platform.relying_parties.active(code)
    [person, *_] = [row.key for row, _ in await sandbox.persons(system.id)]
    order = msgspec.convert({"person": person, "name": text}, PhoneOrder)
    return await sandbox.make_phone(system.id, order)


async def _address(ground: Ground, text: str) -> object:
    client = Client(ground.world.instance.application, ground.world.origins.platform)
    head = {"accept": "text/html", "user-agent": text.encode("ascii", "ignore").decode()}
    ascii_text = head["user-agent"].replace(" ", "_") or "x"
    return [
        await client.get(f"/{ascii_text}?{ascii_text}={ascii_text}", headers=head),
        await client.post("/v1/sessions", json={"purpose": text, text: text}),
        await client.post("/v1/sessions", body=text.encode()),
    ]


BOUNDARIES: Mapping[str, tuple[Plant, str]] = {
    "identity: name": (_identity, "my_number_refused"),
    "reason of a look at personal data": (_reveal, "my_number_refused"),
    "staff: name": (_invitation, "my_number_refused"),
    "phone: name": (_phone_name, "my_number_refused"),
    "system: name": (_system_name, "registration_wrong"),
    "organisation: name": (_organisation_name, "registration_wrong"),
    "purpose: text": (_purpose_text, "registration_wrong"),
    "session: name of a content": (_content_name, "my_number_refused"),
    "session: name of a phone": (_wished_phone, "my_number_refused"),
    "session: national ID": (_hint, "my_number_refused"),
    "session: reference": (_reference, "my_number_refused"),
    "session: purpose": (_purpose_code, "purpose_not_registered"),
    "application: organisation": (_draft_organisation, "application_incomplete"),
    "application: contact": (_draft_contact, "application_incomplete"),
    "application: mail": (_draft_mail, "application_incomplete"),
    "application: system": (_draft_system, "registration_wrong"),
    "application: reason of a proposal": (_review_reason, "my_number_refused"),
    "application: reason of a return": (_return_reason, "my_number_refused"),
    "news": (_news, "news_refused"),
    "document: name": (_document, "my_number_refused"),
    "batch: name": (_batch, "my_number_refused"),
    "attribute: value": (_attribute, "my_number_refused"),
    "resident: address": (_resident, "my_number_refused"),
    "office: name": (_office, "my_number_refused"),
    "entitlement: basis": (_entitlement, "my_number_refused"),
    "sandbox: name of a phone": (_virtual_phone, "my_number_refused"),
    "address, header and body of a request": (_address, ""),
}

"""Where a person or a program hands text in, and by which code it is told that this is none; "" where all is taken."""


@pytest.fixture
async def ground(
    database: Database, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[Ground, Findings]]:
    with listening(clock) as findings:
        async with world_on(
            database,
            clock,
            tmp_path,
            ceremony=SEAL_AUTHORITY,
            settings=sandbox_settings(tmp_path),
        ) as world:
            yield Ground(world, await Office.opened(world)), findings


@pytest.mark.req("WAT-62")
@pytest.mark.parametrize("text", FORMS)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_stands_nowhere(ground: tuple[Ground, Findings], text: str) -> None:
    place, findings = ground
    refused = {}
    for name, (plant, _) in BOUNDARIES.items():
        try:
            await plant(place, text)
        except CallRefused as told:
            refused[name] = told.problem_code
        except InkanError as told:
            refused[name] = told.code
    await place.world.instance.catch_up()
    await place.world.platform.audit.sequence_once()
    rows = await rows_of(place.world.platform.db)
    assert rows["audit_event"]
    assert findings.sealed
    assert findings.find(rows) == []
    assert refused == {name: code for name, (_, code) in BOUNDARIES.items() if code}
