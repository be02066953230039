"""Virtual phones: made by a real enrolment over HTTP, listed, ended.

A virtual phone is the reference phone of :mod:`inkan.client`, one sealed file in the instance's folder. It is opened
for each action and closed again, so that it survives a restart and nothing of it stays in memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from inkan.client import CallRefused, EnrolmentClient, EnrolmentEnded, Phone, SoftwareCard
from inkan.kernel.ids import PhoneID, SystemID, new_id
from inkan.kernel.sensitive import Secret
from inkan.people import verify_free_text
from inkan.sandbox import store
from inkan.sandbox.model import (
    Behaviour,
    BindingRefused,
    PersonRow,
    PersonWithoutPhone,
    PhoneOrder,
    TooManyPhones,
    VirtualPhone,
    VirtualPhoneNotFound,
    VirtualState,
)
from inkan.sandbox.rules import FIRST_STATES, IDLE_AFTER, PHONE_SCRYPT_N, SCHEME, get_person
from inkan.sandbox.service.cards import card_of, number_of
from inkan.sandbox.service.parts import PLATFORM, Parts, remove
from inkan.schemes import get_scheme
from inkan.store.database import Step

_Card = tuple[SoftwareCard, Secret[str]]


async def make(parts: Parts, system: SystemID, order: PhoneOrder) -> VirtualPhone:
    """Bind one more virtual phone for a system; one at a time for each system.

    Raises:
        PersonNotOffered, PersonWithoutPhone: of the test person.
        TooManyPhones: the system has its share.
        BindingRefused: the platform refused, as it would have refused anybody.
        SandboxUnready: the instance does not listen.
        MyNumberRefused: the name holds one (WAT-62).
    """
    verify_free_text(order.name, where="/name")
    row = get_person(order.person)
    if row.phones == 0:
        raise PersonWithoutPhone
    async with parts.locks[system]:
        if len(await all_of(parts, system)) >= parts.most_phones:
            raise TooManyPhones(most=parts.most_phones)
        number = await number_of(parts, system)
        card, pin = await card_of(parts, row, number)
        return await _make(parts, system, order, row=row, card=(card, pin))


async def _make(
    parts: Parts, system: SystemID, order: PhoneOrder, *, row: PersonRow, card: _Card
) -> VirtualPhone:
    made = new_id("vph")
    behaviour = order.behaviour or row.behaviour
    try:
        async with _fresh(parts, made, name=order.name) as phone:
            bound = await _bind(parts, phone, card)
            if not row.young:
                await parts.db.transact(parts.enrolment.settle, bound, actor=PLATFORM)
            if behaviour is Behaviour.REVOKED:
                await phone.revoke(bound)
    except BaseException:
        remove(parts.phone_file(made))
        raise
    now = parts.clock.wire_now()
    virtual = VirtualPhone(
        id=made,
        system=system,
        person=row.key,
        name=order.name,
        behaviour=behaviour,
        after_s=order.after_s,
        phone=bound,
        state=FIRST_STATES[behaviour],
        last="",
        created_at=now,
        used_at=now,
    )
    await parts.db.transact(_insert, virtual)
    return virtual


def _insert(virtual: VirtualPhone) -> Step[None]:
    fields: dict[str, Any] = {
        name: getattr(virtual, name) for name in VirtualPhone.__struct_fields__
    }
    yield store.INSERT_PHONE.run(**fields)


async def _bind(parts: Parts, phone: Phone, card: _Card) -> PhoneID:
    """All of a binding: the page, the phone, the card (design §5.2)."""
    terms = get_scheme(SCHEME).terms.version
    try:
        desk = EnrolmentClient(parts.platform, transport=parts.way)
        started = await desk.start(SCHEME, terms_version=terms)
        await phone.join(await started.frame())
        digits = await phone.prepare()
        wanted = await started.to_sign()
        with card[0] as connection:
            cms = await asyncio.to_thread(
                connection.sign_request,
                wanted.content,
                content_type=wanted.content_type,
                pin=card[1],
                confirm=lambda _: digits,
            )
        await started.submit(cms)
        bound = await phone.collect()
    except CallRefused as refused:
        raise BindingRefused(refusal=refused.problem_code) from None
    except EnrolmentEnded as ended:
        raise BindingRefused(refusal=ended.facts["refusal"]) from None
    if bound is None:
        raise BindingRefused(refusal="unavailable")
    return PhoneID(bound.phone)


@asynccontextmanager
async def _fresh(parts: Parts, made: str, *, name: str) -> AsyncIterator[Phone]:
    phone = Phone.create(
        parts.phone_file(made),
        parts.passphrase(made),
        platform=parts.platform,
        wallet_origin=parts.wallet,
        name=name,
        verify_user=_recognise,
        scrypt_n=PHONE_SCRYPT_N,
        anchors=tuple(parts.pki.anchors()),
        transport=parts.way,
        clock=parts.clock,
    )
    async with phone:
        yield phone


@asynccontextmanager
async def held(parts: Parts, virtual: VirtualPhone) -> AsyncIterator[Phone]:
    """A virtual phone in the hand, for one action at a time.

    Raises:
        SandboxUnready: the instance does not listen.
        VirtualPhoneNotFound: it was ended meanwhile.
    """
    way = parts.way
    async with parts.locks[virtual.id]:
        path = parts.phone_file(virtual.id)
        if not path.exists():
            raise VirtualPhoneNotFound
        phone = Phone.open(
            path,
            parts.passphrase(virtual.id),
            verify_user=_recognise,
            anchors=tuple(parts.pki.anchors()),
            transport=way,
            clock=parts.clock,
        )
        async with phone:
            yield phone


def _recognise(*_: object) -> bool:
    """The person is always there; what they decide is the behaviour's matter."""
    return True


async def all_of(parts: Parts, system: SystemID) -> list[VirtualPhone]:
    """The virtual phones of a system, oldest first."""
    return await parts.db.scan(_all, system)


def _all(system: SystemID) -> Step[list[VirtualPhone]]:
    rows = yield store.PHONES.all(system=system)
    return [read_virtual(row) for row in rows]


async def all_held(parts: Parts) -> list[VirtualPhone]:
    """The virtual phones of every system that somebody has in the hand."""
    return await parts.db.scan(_all_held)


def _all_held() -> Step[list[VirtualPhone]]:
    rows = yield store.IN_STATE.all(state=VirtualState.HELD)
    return [read_virtual(row) for row in rows]


async def get(parts: Parts, system: SystemID, virtual_id: str) -> VirtualPhone:
    """A virtual phone of this system.

    Raises:
        VirtualPhoneNotFound: unknown, or another system's.
    """
    return await parts.db.read(_get, system, virtual_id)


def _get(system: SystemID, virtual_id: str) -> Step[VirtualPhone]:
    row = yield store.PHONE.one(key=virtual_id, system=system)
    if row is None:
        raise VirtualPhoneNotFound
    return read_virtual(row)


def read_virtual(row: Any) -> VirtualPhone:
    """The virtual phone of a row."""
    fields = {name: getattr(row, name) for name in VirtualPhone.__struct_fields__}
    fields |= {"behaviour": Behaviour(row.behaviour), "state": VirtualState(row.state)}
    return VirtualPhone(**fields)


async def note(
    parts: Parts, virtual: VirtualPhone, last: str, *, state: VirtualState | None = None
) -> None:
    """Remember what came of an action."""
    now = parts.clock.wire_now()
    await parts.db.transact(_note, virtual.id, state or virtual.state, last, now)


def _note(virtual_id: str, state: VirtualState, last: str, at: datetime) -> Step[None]:
    yield store.NOTE.run(key=virtual_id, new_state=state, new_last=last, at=at)


async def end(parts: Parts, virtual: VirtualPhone) -> None:
    """End a virtual phone: revoked at the platform, its row and file gone. Twice is once."""
    async with parts.locks[virtual.id]:
        await parts.db.transact(_end, parts, virtual)
        remove(parts.phone_file(virtual.id))
    parts.locks.pop(virtual.id, None)


def _end(parts: Parts, virtual: VirtualPhone) -> Step[None]:
    yield from parts.enrolment.end_phone(PhoneID(virtual.phone), actor=PLATFORM)
    yield store.FORGET_PHONE.run(key=virtual.id)


async def purge(parts: Parts) -> int:
    """End the phones that are old or idle, and remove the cards of their age; a schedule's work.

    Ages are in true time: a leap of the sandbox's clock wipes nothing.
    """
    now = parts.clock.wire_now()
    over = await parts.db.scan(_over, now - parts.keep_for, now - IDLE_AFTER)
    for virtual in over:
        await end(parts, virtual)
    oldest = (now - parts.keep_for).timestamp()
    for path in parts.files():
        if path.stat().st_mtime < oldest:
            remove(path)
    return len(over)


def _over(made_before: datetime, used_before: datetime) -> Step[list[VirtualPhone]]:
    rows = yield store.OVER.all(made_before=made_before, used_before=used_before)
    return [read_virtual(row) for row in rows]
