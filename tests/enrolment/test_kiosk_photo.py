"""The photo of the card that signs at a kiosk (WAT-50): its SHA-256 stays with the phone, sealed, shown to nobody."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from enrolment.hands import on_sqlite, rows
from enrolment.kiosks import FIRST, registered, take
from enrolment.kiosks import kiosk_world as plain_world
from inkan.enrolment import store
from inkan.enrolment.service.parts import PHOTO
from inkan.store.database import Database
from support.clock import StandingClock
from support.world import World

SHA256 = bytes(range(32))
WITH_PHOTO = msgspec.structs.replace(FIRST, photo=True)


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with plain_world(database, clock, tmp_path) as made:
        yield made


async def signed(world, kiosk, photo_sha256):
    phone = await registered(world)
    visit = await take(world, phone.registration_key(), kiosk)
    cms = visit.cms(await world.citizen(), phone.digits())
    at = world.platform.enrolment.at_kiosk
    await at.sign(kiosk, visit.secret, cms, photo_sha256=photo_sha256)
    return phone, visit


async def bound(world, phone, visit):
    await phone.say_number((await visit.number()).number)
    await phone.collect()


@pytest.mark.req("WAT-50")
async def test_the_photos_hash_is_kept_with_the_phone_under_seal(world):
    phone, visit = await signed(world, WITH_PHOTO, SHA256)
    (row,) = await rows(world, store.photo)
    assert row.phone is None
    await bound(world, phone, visit)
    (row,) = await rows(world, store.photo)
    assert row.phone == phone.binding.phone
    assert SHA256 not in row.sha256
    sealer = world.platform.enrolment._parts.sealer
    assert sealer.open(PHOTO, row.request, row.sha256).reveal() == SHA256
    await world.leap(timedelta(days=3))
    await world.platform.enrolment.purge()
    assert await rows(world, store.request) == []
    assert len(await rows(world, store.photo)) == 1  # evidence, as long as the phone's row


@on_sqlite
async def test_a_registration_that_came_to_nothing_leaves_no_hash(world):
    _, visit = await signed(world, WITH_PHOTO, SHA256)
    await visit.leave()
    world.clock.advance(timedelta(days=2))
    await world.platform.enrolment.purge()
    assert await rows(world, store.photo) == []


@on_sqlite
@pytest.mark.parametrize(("kiosk", "photo"), [(FIRST, SHA256), (WITH_PHOTO, None)])
async def test_only_a_kiosk_that_registers_photos_has_one_kept(world, kiosk, photo):
    phone, visit = await signed(world, kiosk, photo)
    await bound(world, phone, visit)
    assert await rows(world, store.photo) == []
    assert phone.binding is not None
