"""A kiosk, its visits and phones that are bound at it, for tests."""

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from inkan.client import Phone
from inkan.composition.enrolment_settings import EnrolmentSettings
from inkan.crypto import base64url
from inkan.enrolment.model.kiosk import Kiosk, KioskKind
from inkan.enrolment.service.kiosk import NumberShown, Shown, Taken
from inkan.kernel.sensitive import Secret
from inkan.schemes import Texts, get_scheme
from inkan.store.database import Database
from support.clock import StandingClock
from support.world import PIN, Citizen, World, settings_for, world_on

JPKI = "jpki"
SECRET = base64url.encode(b"the 32 bytes typed into a kiosk.")
PLACE = Texts(en="Station hall", ja="駅の広場", zh_hant="車站大廳")


def kiosk(name: str = "station-1", *, kind: KioskKind = KioskKind.READER) -> Kiosk:
    """A kiosk whose browser holds :data:`SECRET`."""
    digest = base64url.encode(hashlib.sha256(base64url.decode(SECRET)).digest())
    return Kiosk(name=name, kind=kind, place=PLACE, secret_sha256=digest)


FIRST, SECOND = kiosk(), kiosk("shop-7", kind=KioskKind.COPIER)


@asynccontextmanager
async def kiosk_world(
    database: Database, clock: StandingClock, folder: Path
) -> AsyncIterator[World]:
    """An instance with two kiosks."""
    settings = msgspec.structs.replace(
        settings_for(folder), enrolment=EnrolmentSettings(kiosks=(FIRST, SECOND))
    )
    async with world_on(database, clock, folder, settings=settings) as made:
        yield made


async def registered(world: World, name: str = "my phone", **options: Any) -> Phone:
    """A phone that made its keys and shows a registration key."""
    phone = world.new_phone(name, **options)
    await phone.begin_at_kiosk(JPKI, terms_version=get_scheme(JPKI).terms.version)
    await phone.prepare()
    return phone


@dataclass
class Visit:
    """One person at one kiosk."""

    world: World
    taken: Taken
    kiosk: Kiosk = FIRST

    @property
    def secret(self) -> bytes:
        return base64url.decode(self.taken.visit)

    def cms(self, citizen: Citizen, digits: str) -> bytes:
        """What the card signs; the person types the phone's eight digits into its dialog."""
        with citizen.card as card:
            return card.sign_request(
                base64url.decode(self.taken.content),
                content_type=self.taken.content_type,
                pin=Secret(PIN.reveal()),
                confirm=lambda _: digits,
            )

    async def sign(self, citizen: Citizen, digits: str) -> Shown:
        cms = self.cms(citizen, digits)
        return await self.world.platform.enrolment.at_kiosk.sign(self.kiosk, self.secret, cms)

    async def number(self) -> NumberShown:
        return await self.world.platform.enrolment.at_kiosk.show_number(self.kiosk, self.secret)

    async def leave(self) -> None:
        await self.world.platform.enrolment.at_kiosk.leave(self.kiosk, self.secret)


async def take(world: World, key: str, at: Kiosk = FIRST) -> Visit:
    """A kiosk takes a registration key."""
    return Visit(world, await world.platform.enrolment.at_kiosk.take(at, key), at)


async def signed(world: World, phone: Phone, key: str = "chen") -> tuple[Visit, str]:
    """A visit up to the number, and the number."""
    visit = await take(world, phone.registration_key())
    await visit.sign(await world.citizen(key), phone.digits())
    return visit, (await visit.number()).number


async def bind(world: World, key: str = "chen", **options: Any) -> Phone:
    """A phone bound at a kiosk."""
    phone = await registered(world, **options)
    _, number = await signed(world, phone, key)
    await phone.say_number(number)
    await phone.collect()
    return phone


def other(number: str) -> str:
    """Six digits that are not these."""
    return f"{(int(number) + 1) % 10**6:06d}"
