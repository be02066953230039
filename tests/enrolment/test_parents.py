"""What the end of a card does to its phones: the scheme's table row by row, the daily question, an outage."""

from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from enrolment.hands import on_sqlite, refusal, rows
from inkan.crypto.path import RevocationReason as Reason
from inkan.enrolment import store
from inkan.enrolment.rules import CAUSE_OF_REASON
from inkan.enrolment.service import parents
from inkan.pki import StatusUnavailable
from inkan.pki import store as pki_store
from inkan.schemes import Effect, ParentEnd, get_scheme
from support.world import CLERK, SCHEME

HOUR = timedelta(hours=1)


async def end(world, phone, cause, **options):
    (row,) = await rows(world, store.phone, id=phone.binding.phone)
    return await world.platform.enrolment.end_parent(
        authority=row.parent_authority, serial=row.parent_serial, cause=cause, **options
    )


async def states(world):
    return [row.state for row in sorted(await rows(world, store.phone), key=lambda r: r.bound_at)]


async def revoke_card(world, reason):
    card = (await world.citizen("chen")).certificate.id
    platform = world.platform
    await platform.db.transact(platform.pki.revoke, card, reason=reason, actor=CLERK)


@on_sqlite
@pytest.mark.req("TW-34")
@pytest.mark.parametrize("cause", list(ParentEnd))
async def test_each_cause_has_the_schemes_effect_on_old_and_recent_phones(world, cause):
    await world.bind("chen")
    await world.leap(timedelta(days=30))
    recent = await world.bind("chen")
    await world.leap(timedelta(hours=25))
    changed = await end(world, recent, cause)
    expected = {
        Effect.KEEP: ["active", "active"],
        Effect.SUSPEND_RECENT: ["active", "suspended"],
        Effect.SUSPEND: ["suspended", "suspended"],
        Effect.REVOKE: ["revoked", "revoked"],
    }[get_scheme(SCHEME).on_parent_end.of(cause)]
    assert await states(world) == expected
    assert changed == len([state for state in expected if state != "active"])
    assert await end(world, recent, cause) == 0  # twice is once
    names = {"active": "valid", "suspended": "suspended", "revoked": "revoked"}
    for row in await rows(world, store.phone):
        held = await rows(world, pki_store.certificate, owner=row.id)
        assert {each.state for each in held} == {names[row.state]}


def test_the_table_holds_every_cause_and_every_reason():
    effects = get_scheme(SCHEME).on_parent_end
    assert effects.of(ParentEnd.EXPIRED) is effects.of(ParentEnd.USER_REVOKED) is Effect.KEEP
    assert effects.of(ParentEnd.DECEASED) is effects.of(ParentEnd.ISSUE_FRAUD) is Effect.REVOKE
    assert set(CAUSE_OF_REASON) == set(Reason)


@on_sqlite
@pytest.mark.parametrize(("hours", "state"), [(72, "suspended"), (72.01, "active")])
async def test_recent_reaches_back_72_hours_from_the_reported_loss(world, hours, state):
    phone = await world.bind("chen")
    lost = world.clock.now() + hours * HOUR
    await world.leap(timedelta(days=10))
    await end(world, phone, ParentEnd.STOLEN, reported_loss=lost)
    assert await states(world) == [state]


@pytest.mark.req("HCA-40")
async def test_a_suspended_phone_can_do_nothing(world):
    phone = await world.bind("chen")
    await end(world, phone, ParentEnd.STOLEN)
    assert await refusal(phone.show_presence()) == "channel_proof_refused"
    agency = await world.agency()
    session = await agency.create_session("identify", purpose="login")
    assert await refusal(phone.open_frame(session.frame())) == "channel_proof_refused"


async def test_a_revoked_card_has_its_effect_by_event(world):
    await world.bind("chen")
    await revoke_card(world, Reason.KEY_COMPROMISE)
    await world.instance.catch_up()
    assert await states(world) == ["suspended"]
    events = Counter(await world.events())
    assert events["enrolment.phone_suspended"] == 1
    assert events["pki.certificate_suspended"] == 2


async def die(world, who="chen"):
    platform = world.platform
    person = (await world.citizen(who)).person.id
    return await platform.db.transact(platform.people.mark_deceased, person, actor=CLERK)


@pytest.mark.req("TW-34")
async def test_a_death_ends_every_phone_of_the_person_and_nobody_elses(world):
    await world.bind("chen")
    await world.bind("lin")
    await world.leap(timedelta(days=30))
    await world.bind("chen")
    assert await die(world)
    await world.instance.catch_up()
    assert await states(world) == ["revoked", "active", "revoked"]
    assert not await die(world)
    await world.instance.catch_up()
    assert Counter(await world.events())["enrolment.phone_revoked"] == 2


@on_sqlite
@pytest.mark.parametrize(
    ("effect", "state"), [(Effect.KEEP, "active"), (Effect.SUSPEND, "suspended")]
)
async def test_the_row_of_the_scheme_says_what_a_death_does(world, monkeypatch, effect, state):
    await world.bind("chen")
    scheme = get_scheme(SCHEME)
    effects = msgspec.structs.replace(scheme.on_parent_end, deceased=effect)
    changed = msgspec.structs.replace(scheme, on_parent_end=effects)
    monkeypatch.setattr(parents, "scheme_of", lambda _: changed)
    await die(world)
    await world.instance.catch_up()
    assert await states(world) == [state]


async def test_a_card_on_hold_has_its_effect_by_event(world):
    await world.bind("chen")
    card = (await world.citizen("chen")).certificate.id
    await world.platform.db.transact(world.platform.pki.suspend, card, actor=CLERK)
    await world.instance.catch_up()
    assert await states(world) == ["suspended"]


@pytest.mark.req("TW-34")
async def test_a_card_that_its_holder_revoked_leaves_the_phone_alone(world):
    phone = await world.bind("chen")
    await revoke_card(world, Reason.CESSATION_OF_OPERATION)
    await world.leap(timedelta(hours=25))
    assert await states(world) == ["active"]
    agency = await world.agency()
    assert (await world.identify(agency, phone)).view.is_ok


@pytest.mark.req("TW-34")
async def test_a_card_that_expired_leaves_the_phone_alone(world):
    await world.citizen("chen", years=1)
    await world.leap(timedelta(days=200))
    phone = await world.bind("chen")
    await world.leap(timedelta(days=200))
    assert await states(world) == ["active"]
    agency = await world.agency()
    assert (await world.identify(agency, phone)).view.is_ok


class Outage:
    def __init__(self, own):
        self.own, self.is_down, self.asked = own, True, 0

    async def status(self, authority, serial, certificate):
        self.asked += 1
        if self.is_down:
            raise StatusUnavailable
        return await self.own.status(authority, serial, certificate)


async def test_an_outage_changes_nothing_and_heals_within_the_hour(world):
    await world.bind("chen")
    source = Outage(world.platform.pki._cards._own)
    world.platform.pki._cards._sources["card"] = source
    world.clock.advance(timedelta(hours=25))
    # the event is lost with the outage: only the daily question can find the revocation
    from inkan.pki import store as pki

    card = (await world.citizen("chen")).certificate.id
    await _revoke_silently(world, pki, card)
    await world.platform.enrolment.check_parents()
    assert source.asked == 1
    assert await states(world) == ["active"]
    source.is_down = False
    await world.platform.enrolment.check_parents()
    assert source.asked == 2
    assert await states(world) == ["revoked"]
    await world.platform.enrolment.check_parents()
    assert source.asked == 2


async def _revoke_silently(world, pki, card):
    def body():
        yield pki.REVOKE.run(key=card, event="evt_none", new_reason="privilegeWithdrawn")

    await world.platform.db.transact(body)


@pytest.mark.req("WAT-53")
async def test_each_card_is_asked_for_once_a_day(world):
    await world.bind("chen")
    source = Outage(world.platform.pki._cards._own)
    source.is_down = False
    world.platform.pki._cards._sources["card"] = source
    for _ in range(3):
        await world.platform.enrolment.check_parents()
    assert source.asked == 0
    world.clock.advance(timedelta(hours=24))
    for _ in range(3):
        await world.platform.enrolment.check_parents()
    assert source.asked == 1
