"""``/v1/sandbox``: what a relying party's system asks of the sandbox itself."""

from http import HTTPStatus
from typing import Any

import msgspec

from inkan.kernel.clock import rfc3339
from inkan.kernel.ids import SystemID
from inkan.sandbox.model import (
    Action,
    ActionResult,
    ClockOrder,
    ClockView,
    ExpectedOutcome,
    FaultOrder,
    FaultView,
    PersonRow,
    PhoneOrder,
    VirtualPhone,
)
from inkan.sandbox.rules import MAKE_LIMIT, USE_LIMIT, expected_by_push
from inkan.sandbox.service import Sandbox
from inkan.web.exchange import Authenticator, Exchange
from inkan.web.principal import Access
from inkan.web.response import Response, created, no_content, ok
from inkan.web.routes import Bare, Endpoint, Group, Operation, Surface

_USE = Access("sandbox.use")
_ACTION: Any = Action
_CHALLENGE = 'DPoP algs="ES256", Bearer'


class PersonView(msgspec.Struct, frozen=True):
    """A test person of this system, and what comes of asking: by QR code (or link), and by push."""

    person: str
    name: str
    birth_date: str
    national_id: str
    behaviour: str
    phones: int
    expected: ExpectedOutcome
    expected_by_push: ExpectedOutcome
    text: dict[str, str]


class PersonList(msgspec.Struct, frozen=True):
    """The test persons of this system."""

    persons: list[PersonView]


class PhoneView(msgspec.Struct, frozen=True):
    """A virtual phone; times are true time.

    Attributes:
        last: what came of its last action.
        return_url: where its browser goes now, after its last answer by a door that comes back from the phone.
    """

    id: str
    person: str
    name: str
    behaviour: str
    after_s: int
    state: str
    last: str | None
    created_at: str
    used_at: str
    return_url: str | None = None


class PhoneList(msgspec.Struct, frozen=True):
    """The virtual phones of this system, oldest first."""

    phones: list[PhoneView]


def groups(sandbox: Sandbox, authenticator: Authenticator) -> list[Group]:
    """The routes of the sandbox, for systems; the making of phones has a rate of its own."""
    making = {("POST", "/v1/sandbox/phones"): _make_phone(sandbox)}
    return [
        Group(
            surface=Surface.API,
            authenticator=authenticator,
            challenge=_CHALLENGE,
            limit=MAKE_LIMIT,
            bare=making,
        ),
        Group(
            surface=Surface.API,
            authenticator=authenticator,
            challenge=_CHALLENGE,
            limit=USE_LIMIT,
            bare={**_phones(sandbox), **_clock(sandbox), **_faults(sandbox)},
        ),
    ]


def _make_phone(sandbox: Sandbox) -> Bare:
    async def make(exchange: Exchange) -> Response:
        system = await _system(exchange)
        made = await sandbox.make_phone(system, await exchange.json(PhoneOrder))
        return created(_view(sandbox, made), location=f"/v1/sandbox/phones/{made.id}")

    return _bare(
        make,
        "makeVirtualPhone",
        "Bind a virtual phone to a test person",
        body=PhoneOrder,
        answer=PhoneView,
        status=HTTPStatus.CREATED,
    )


def _phones(sandbox: Sandbox) -> dict[tuple[str, str], Bare]:
    async def persons(exchange: Exchange) -> Response:
        rows = await sandbox.persons(await _system(exchange))
        return ok(PersonList(persons=[_person(row, number) for row, number in rows]))

    async def listed(exchange: Exchange) -> Response:
        phones = await sandbox.phones(await _system(exchange))
        return ok(PhoneList(phones=[_view(sandbox, phone) for phone in phones]))

    async def read(exchange: Exchange) -> Response:
        phone = await sandbox.phone(await _system(exchange), exchange.parameters["id"])
        return ok(_view(sandbox, phone))

    async def end(exchange: Exchange) -> Response:
        await sandbox.end_phone(await _system(exchange), exchange.parameters["id"])
        return no_content()

    async def act(exchange: Exchange) -> Response:
        system = await _system(exchange)
        action: Action = await exchange.json(_ACTION)
        return ok(await sandbox.act(system, exchange.parameters["id"], action))

    one = "/v1/sandbox/phones/{id}"
    return {
        ("GET", "/v1/sandbox/persons"): _bare(
            persons, "listTestPersons", "The test persons and their outcomes", answer=PersonList
        ),
        ("GET", "/v1/sandbox/phones"): _bare(
            listed, "listVirtualPhones", "The virtual phones of this system", answer=PhoneList
        ),
        ("GET", one): _bare(read, "getVirtualPhone", "One virtual phone", answer=PhoneView),
        ("DELETE", one): _bare(
            end,
            "endVirtualPhone",
            "Revoke and forget a virtual phone",
            status=HTTPStatus.NO_CONTENT,
        ),
        ("POST", f"{one}/actions"): _bare(
            act,
            "actOnVirtualPhone",
            "Let a virtual phone scan, follow a link, type a code, answer, get lost or be revoked",
            body=Action,
            answer=ActionResult,
        ),
    }


def _clock(sandbox: Sandbox) -> dict[tuple[str, str], Bare]:
    async def read(_: Exchange) -> Response:
        return ok(sandbox.clock())

    async def advance(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(await sandbox.advance(system, await exchange.json(ClockOrder)))

    path = "/v1/sandbox/clock"
    return {
        ("GET", path): _bare(read, "getSandboxClock", "The clock of the sandbox", answer=ClockView),
        ("POST", path): _bare(
            advance,
            "advanceSandboxClock",
            "Move the clock forward, for every system of the instance; it never goes back",
            body=ClockOrder,
            answer=ClockView,
        ),
    }


def _faults(sandbox: Sandbox) -> dict[tuple[str, str], Bare]:
    async def read(exchange: Exchange) -> Response:
        return ok(sandbox.faults.view(await _system(exchange)))

    async def put(exchange: Exchange) -> Response:
        system = await _system(exchange)
        return ok(sandbox.faults.set(system, await exchange.json(FaultOrder)))

    async def end(exchange: Exchange) -> Response:
        sandbox.faults.end(await _system(exchange))
        return no_content()

    path = "/v1/sandbox/faults"
    return {
        ("GET", path): _bare(
            read, "getFaults", "The faults in force for this system", answer=FaultView
        ),
        ("PUT", path): _bare(
            put,
            "setFaults",
            "Let requests, pushes and webhooks of this system go wrong on purpose",
            body=FaultOrder,
            answer=FaultView,
        ),
        ("DELETE", path): _bare(
            end, "endFaults", "End the faults of this system", status=HTTPStatus.NO_CONTENT
        ),
    }


def _bare(endpoint: Endpoint, name: str, summary: str, **more: Any) -> Bare:
    operation = Operation(name=name, summary=summary, **more)
    return Bare(endpoint=endpoint, access=_USE, operation=operation)


async def _system(exchange: Exchange) -> SystemID:
    return SystemID((await exchange.get_principal()).id)


def _person(row: PersonRow, national_id: str) -> PersonView:
    return PersonView(
        person=row.key,
        name=row.name,
        birth_date=row.birth_date.isoformat(),
        national_id=national_id,
        behaviour=row.behaviour,
        phones=row.phones,
        expected=row.outcome,
        expected_by_push=expected_by_push(row),
        text=row.text,
    )


def _view(sandbox: Sandbox, phone: VirtualPhone) -> PhoneView:
    return PhoneView(
        id=phone.id,
        person=phone.person,
        name=phone.name,
        behaviour=phone.behaviour,
        after_s=phone.after_s,
        state=phone.state,
        last=phone.last or None,
        created_at=rfc3339(phone.created_at),
        used_at=rfc3339(phone.used_at),
        return_url=sandbox.returns.get(phone.id),
    )
