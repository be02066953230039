"""Test persons and their cards: every system of the sandbox has its own, made when it first needs them."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from inkan.client import SoftwareCard
from inkan.crypto.certificate_requests import parse_csr, verify_csr
from inkan.crypto.certificates import parse_certificate
from inkan.kernel.calendar import last_instant
from inkan.kernel.ids import SystemID, new_id
from inkan.kernel.sensitive import Secret
from inkan.people import Identity, Person, new_identity
from inkan.pki import CertificateOrder, SubjectName
from inkan.sandbox import store
from inkan.sandbox.model import PersonRow
from inkan.sandbox.rules import CARD_YEARS, SCHEME, SYSTEMS, national_id_of, persons
from inkan.sandbox.service.parts import PLATFORM, Parts, remove
from inkan.schemes import get_scheme
from inkan.store.database import Step

_TRIES = 5


async def number_of(parts: Parts, system: SystemID) -> int:
    """The number of a system, given at its first use; its test persons are registered with it."""
    known = await parts.db.read(_number, system)
    if known is not None:
        return known
    for _ in range(_TRIES):
        number = await parts.db.transact(_take_number, system)
        if number is not None:
            for row in persons().values():
                if row.registered:
                    await register(parts, row, number)
            return number
    raise RuntimeError("the numbers of systems are fought for without end")


def _number(system: SystemID) -> Step[int | None]:
    row = yield store.TENANT.one(system=system)
    return None if row is None else int(row.number)


def _take_number(system: SystemID) -> Step[int | None]:
    known = yield from _number(system)
    if known is not None:
        return known
    number = int((yield store.NEXT_NUMBER.one()).number)
    if number >= SYSTEMS:
        raise RuntimeError("every number of a system is given")
    taken: int = yield store.INSERT_TENANT.run(system=system, number=number)
    return number if taken else None


def identity_of(row: PersonRow, number: int) -> Identity:
    """Who the test person is for the system of this number."""
    return new_identity(
        name=row.name, birth_date=row.birth_date, national_id=national_id_of(row, number)
    )


async def register(parts: Parts, row: PersonRow, number: int) -> Person:
    """The person of a row, registered now or before."""
    return await parts.people.register(identity_of(row, number), actor=PLATFORM)


async def card_of(parts: Parts, row: PersonRow, number: int) -> tuple[SoftwareCard, Secret[str]]:
    """The card of a test person and its PIN; made and certified as a counter does; a new one when it has ended.

    A card that ends early on purpose (``card_hours``) is never made anew: its end is what it is there for.
    """
    path, now = parts.card_file(number, row.key), parts.clock.now()
    pin = parts.pin(path.stem)
    ends = await asyncio.to_thread(_end_of, path) if path.exists() else None
    if ends is not None and (row.card_hours or ends > now):
        return SoftwareCard(path), pin
    remove(path)
    person = await register(parts, row, number)
    card, request = await asyncio.to_thread(SoftwareCard.make, path, pin=pin)
    issued = await parts.pki.issue(
        CertificateOrder(
            order_key=f"sandbox:{new_id('card')}",
            profile="card-sign",
            owner=person.id,
            subject=SubjectName(
                common_name=identity_of(row, number).name, serial_number=person.subject_serial
            ),
            spki=verify_csr(parse_csr(request)).spki,
            not_after=_last_moment(row, now),
        )
    )
    card.put_certificate(issued.der, chain=issued.chain)
    return card, pin


def _last_moment(row: PersonRow, now: datetime) -> datetime:
    if row.card_hours:
        return (now + timedelta(hours=row.card_hours)).replace(microsecond=0)
    return last_instant(now, years=CARD_YEARS, utc_offset=get_scheme(SCHEME).utc_offset)


def _end_of(path: Path) -> datetime | None:
    """When the certificate of a card ends; None of a card whose making was cut short."""
    with SoftwareCard(path) as card:
        held = card.certificates()
    return parse_certificate(held[0].der).not_after if held else None
