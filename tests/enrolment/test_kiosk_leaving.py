"""A kiosk that was left, a card that ended, a phone that is new: what stays of a registration then (WAT-54 to WAT-56)."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from enrolment.hands import footprint, on_sqlite, refusal, rows
from enrolment.kiosks import (
    FIRST,
    SECOND,
    bind,
    kiosk_world,
    registered,
    signed,
    take,
)
from inkan.enrolment import store
from inkan.enrolment.model import (
    EnrolmentExpired,
    PhoneYoung,
)
from inkan.enrolment.model.kiosk import (
    KioskVisitOver,
)
from inkan.pki import RevocationReason
from inkan.store.database import Database
from support.clock import StandingClock
from support.world import CLERK, World


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with kiosk_world(database, clock, tmp_path) as made:
        yield made


# --- leaving and wiping ----------------------------------------------------------------------------------


@on_sqlite
async def test_before_the_signature_a_left_kiosk_gives_the_key_back(world):
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    await visit.leave()
    await visit.leave()
    with pytest.raises(KioskVisitOver):
        await visit.sign(await world.citizen(), phone.digits())
    again = await take(world, phone.registration_key(), SECOND)
    await again.sign(await world.citizen(), phone.digits())


@on_sqlite
async def test_after_the_signature_a_left_kiosk_ends_the_registration(world):
    """The next person must not find somebody else's signature and press the button."""
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    await visit.sign(await world.citizen(), phone.digits())
    await visit.leave()
    with pytest.raises(KioskVisitOver):
        await visit.number()
    (request,) = await rows(world, store.request)
    assert (request.state, request.refusal) == ("refused", "kiosk_left")


@on_sqlite
async def test_sixty_seconds_after_the_signature_nobody_is_shown_a_number(world):
    """The wipe does not hang on the kiosk's clock or its browser alone."""
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    await visit.sign(await world.citizen(), phone.digits())
    world.clock.advance(timedelta(seconds=60))
    with pytest.raises(EnrolmentExpired):
        await visit.number()


@on_sqlite
async def test_a_visit_belongs_to_its_kiosk_and_a_new_one_replaces_it(world):
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    at = world.platform.enrolment.at_kiosk
    with pytest.raises(KioskVisitOver):
        await at.state(SECOND, visit.secret)
    again = await take(world, phone.registration_key())
    with pytest.raises(KioskVisitOver):
        await at.state(FIRST, visit.secret)
    assert await at.state(FIRST, again.secret) == "prepared"


# --- cards ------------------------------------------------------------------------------------------------


async def _end_card(world, citizen):
    platform = world.platform
    await platform.db.transact(
        platform.pki.revoke,
        citizen.certificate.id,
        reason=RevocationReason.KEY_COMPROMISE,
        actor=CLERK,
    )


@on_sqlite
async def test_a_card_that_ended_meanwhile_binds_nothing(world):
    phone = await registered(world)
    _, number = await signed(world, phone)
    await _end_card(world, await world.citizen())
    assert await refusal(phone.say_number(number)) == "card_revoked"
    assert (await footprint(world))["enrolment_phone"] == 0


@on_sqlite
async def test_a_young_phone_is_told_at_the_kiosk(world):
    await bind(world, "lin")
    second = await registered(world, "second")
    visit = await take(world, second.registration_key())
    with pytest.raises(PhoneYoung):
        await visit.sign(await world.citizen("lin"), second.digits())


@pytest.mark.req("WAT-54", "WAT-55", "WAT-56")
async def test_when_the_card_ends_the_phone_stops_and_is_proofed_again(world):
    phone = await bind(world)
    await world.leap(timedelta(hours=25))
    await _end_card(world, await world.citizen())
    await world.leap(timedelta(minutes=1))
    (row,) = await rows(world, store.phone)
    assert row.state == "suspended"
    assert await refusal(phone.phones()) == "channel_proof_refused"


@on_sqlite
async def test_old_registrations_are_forgotten(world):
    await registered(world)
    world.clock.advance(timedelta(days=2))
    await world.platform.enrolment.purge()
    assert await rows(world, store.kiosk) == []
    assert await rows(world, store.request) == []
