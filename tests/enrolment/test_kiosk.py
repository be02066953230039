"""Binding at a kiosk: the phone begins, the kiosk takes its key, the card signs, the number ties both (WAT-09, WAT-10).

Each attack that decision 0025 names has a test here: relay, a photographed key, guessing the number, two phones with
one key, a kiosk that was left, a key or content that was changed on the way.
"""

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from enrolment.hands import footprint, on_sqlite, refusal, rows
from enrolment.kiosks import (
    FIRST,
    JPKI,
    SECOND,
    SECRET,
    bind,
    kiosk_world,
    other,
    registered,
    signed,
    take,
)
from inkan.client import EnrolmentClient
from inkan.crypto import base64url
from inkan.enrolment import store
from inkan.enrolment.model import (
    ContentDiffers,
    EnrolmentOutOfOrder,
    KeySubstituted,
)
from inkan.enrolment.model.kiosk import (
    KioskUnknown,
    RegistrationTaken,
    RegistrationUnknown,
)
from inkan.schemes import get_scheme
from inkan.store.database import Database
from inkan.store.query import Query
from inkan.wire.registration_key import RegistrationKeyMalformed, number_challenge, spell_key
from support.clock import StandingClock
from support.world import PLATFORM, World


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path) -> AsyncIterator[World]:
    async with kiosk_world(database, clock, tmp_path) as made:
        yield made


@pytest.mark.req("WAT-09", "WAT-10", "WAT-11", "WAT-49", "WAT-52")
async def test_a_phone_is_bound_in_the_nine_steps(world):
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    citizen = await world.citizen()
    shown = await visit.sign(citizen, phone.digits())
    assert (shown.name, shown.birth_year) == ("陳○君", 1988)
    number = await visit.number()
    assert len(number.number) == 6
    assert number.number.isdigit()
    assert await phone.collect(wait_s=0) is None  # nobody is bound before the phone said it
    await phone.say_number(number.number)
    bound = await phone.collect()
    assert bound is not None
    assert bound.scheme == JPKI
    (row,) = await rows(world, store.phone)
    assert (row.person, row.parent_serial) == (citizen.person.id, citizen.certificate.serial)
    assert {
        "enrolment.registration_begun",
        "enrolment.registration_taken",
        "enrolment.registration_signed",
        "enrolment.number_shown",
        "enrolment.number_typed",
        "enrolment.bound",
    } <= set(await world.events())


async def test_a_bound_phone_answers(world):
    phone = await bind(world)
    assert (await world.identify(await world.agency(), phone)).view.is_ok


# --- who may begin where -------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.req("WAT-51")
async def test_each_scheme_is_bound_in_its_places_only(world):
    desk = EnrolmentClient(PLATFORM, transport=world.transport)
    version = get_scheme(JPKI).terms.version
    assert await refusal(desk.start(JPKI, terms_version=version)) == "enrolment_place_refused"
    begin = world.new_phone().begin_at_kiosk
    version = get_scheme("tw-citizen").terms.version
    assert await refusal(begin("tw-citizen", terms_version=version)) == "enrolment_place_refused"
    assert await refusal(begin(JPKI, terms_version="2020-1")) == "terms_outdated"
    assert await refusal(begin("nowhere", terms_version=version)) == "unknown_scheme"
    assert await rows(world, store.request) == []


@on_sqlite
@pytest.mark.req("WAT-51")
async def test_only_a_managed_terminal_is_a_kiosk(world):
    at = world.platform.enrolment.at_kiosk
    assert at.kiosk_of(f"shop-7.{SECRET}") == SECOND
    for key in ("", "shop-7", "shop-7.wrong", f"shop-7.{'A' * 43}", f"elsewhere.{SECRET}", SECRET):
        with pytest.raises(KioskUnknown):
            at.kiosk_of(key)


@on_sqlite
async def test_no_page_goes_on_with_a_registration(world):
    """Nobody holds a secret for it, and what the desk would accept is out of order here."""
    phone = await registered(world)
    (request,) = await rows(world, store.request)
    desk = EnrolmentClient(PLATFORM, transport=world.transport).resume(request.id, "A" * 43)
    assert await refusal(desk.to_sign()) == "enrolment_not_found"
    visit = await take(world, phone.registration_key())
    cms = visit.cms(await world.citizen(), phone.digits())
    await world.platform.enrolment.at_kiosk.sign(FIRST, visit.secret, cms)
    stands = await world.platform.enrolment.for_phone(request.id, jkt=request.channel_jkt)
    with pytest.raises(EnrolmentOutOfOrder):
        await world.platform.enrolment.submit(stands, cms)


# --- the registration key ------------------------------------------------------------------------------


@on_sqlite
async def test_a_key_is_read_as_people_write_it(world):
    phone = await registered(world)
    key = phone.registration_key()
    groups = " ".join(key[at : at + 4] for at in range(0, 26, 4)).lower().replace("0", "o")
    assert (await take(world, groups)).taken.phone_name == "my phone"


@on_sqlite
async def test_unknown_used_and_ended_keys_get_one_answer(world):
    phone = await registered(world)
    key = phone.registration_key()
    with pytest.raises(RegistrationKeyMalformed):
        await take(world, key[:-1])
    with pytest.raises(RegistrationUnknown):
        await take(world, ("1" if key[0] == "0" else "0") + key[1:])
    _, number = await signed(world, phone)
    with pytest.raises(RegistrationUnknown):
        await take(world, key)
    await phone.say_number(number)
    with pytest.raises(RegistrationUnknown):
        await take(world, key)
    late = await registered(world)
    world.clock.advance(timedelta(minutes=10))
    with pytest.raises(RegistrationUnknown):
        await take(world, late.registration_key())


async def test_a_photographed_key_takes_nothing_from_the_kiosk_that_has_it(world):
    """Shoulder surfing: the second kiosk is refused, and a number shown there would be another one's anyway."""
    phone = await registered(world)
    visit = await take(world, phone.registration_key())
    with pytest.raises(RegistrationTaken):
        await take(world, phone.registration_key(), SECOND)
    await visit.sign(await world.citizen(), phone.digits())
    await phone.say_number((await visit.number()).number)
    assert await phone.collect()


async def test_who_photographs_a_key_first_binds_nothing(world):
    """A thief's card signs for the victim's phone, but the number stands at the thief's kiosk."""
    phone = await registered(world)
    thief = await take(world, phone.registration_key(), SECOND)
    await thief.sign(await world.citizen("lin"), phone.digits())
    await thief.number()
    with pytest.raises(RegistrationUnknown):
        await take(world, phone.registration_key())
    assert await phone.collect(wait_s=0) is None
    assert (await footprint(world))["enrolment_phone"] == 0


async def test_two_phones_never_have_one_key(world):
    """Same keys, same passkey: the request's nonce makes another key, and the other phone cannot say the number."""
    phone, second = await registered(world), await registered(world, "second")
    assert phone.registration_key() != second.registration_key()
    _, number = await signed(world, phone)
    assert await refusal(second.say_number(number)) == "enrolment_out_of_order"
    assert await refusal(_as(second, phone).say_number(number)) == "enrolment_not_found"
    await phone.say_number(number)
    assert await phone.collect()


def _as(thief, victim):
    """A phone that claims the other one's request under its own channel key."""
    thief._parts.state.enrolment = victim._parts.state.enrolment
    return thief


@on_sqlite
async def test_what_the_card_signs_is_the_phone_whose_key_was_scanned(world):
    """A page or relay that puts another phone's content before the card is found out."""
    phone, thief = await registered(world), await registered(world, "thief's")
    visit, stolen = (
        await take(world, phone.registration_key()),
        await take(world, thief.registration_key(), SECOND),
    )
    citizen = await world.citizen()
    at = world.platform.enrolment.at_kiosk
    with pytest.raises((ContentDiffers, KeySubstituted)):
        await at.sign(FIRST, visit.secret, stolen.cms(citizen, thief.digits()))
    assert (await footprint(world))["enrolment_phone"] == 0


@on_sqlite
async def test_a_key_that_does_not_hold_the_content_finds_nothing(world):
    """Whoever writes into the table of registrations cannot lead a key to another phone's keys."""
    thief = await registered(world, "thief's")
    asked = bytes(range(16))
    digest = base64url.encode(hashlib.sha256(asked).digest())
    forge = Query(sa.update(store.kiosk).values(key_sha256=digest))

    def body():
        yield forge.run()

    await world.platform.db.transact(body)
    with pytest.raises(RegistrationUnknown):
        await take(world, spell_key(asked))
    assert thief.binding is None


# --- the number -----------------------------------------------------------------------------------------


@pytest.mark.req("WAT-10")
async def test_three_wrong_numbers_end_the_registration(world):
    phone = await registered(world)
    _, number = await signed(world, phone)
    for _ in range(3):
        assert await refusal(phone.say_number(other(number))) == "device_number_wrong"
    assert await refusal(phone.say_number(number)) == "enrolment_expired"
    (request,) = await rows(world, store.request)
    assert (request.state, request.refusal) == ("refused", "device_number_wrong")
    assert Counter(await world.events())["enrolment.number_wrong"] == 3


@pytest.mark.race
async def test_of_many_guesses_at_once_three_are_heard(world):
    phone = await registered(world)
    _, number = await signed(world, phone)
    guesses = [f"{(int(number) + n) % 10**6:06d}" for n in range(1, 9)]
    answers = await asyncio.gather(
        *(refusal(phone.say_number(each)) for each in guesses), return_exceptions=True
    )
    assert Counter(answers) == {"device_number_wrong": 3, "enrolment_expired": 5}
    (known,) = await rows(world, store.kiosk)
    assert known.tries == 3


@on_sqlite
async def test_a_relayed_key_needs_the_number_that_only_the_kiosk_shows(world):
    """Relay: the victim's card signs for a thief's phone; without the digits on the victim's screen it is worth nothing."""
    thief = await registered(world, "thief's")
    visit = await take(world, thief.registration_key())
    await visit.sign(await world.citizen(), thief.digits())
    number = (await visit.number()).number
    (known,) = await rows(world, store.kiosk)
    assert number not in str([getattr(known, each.name) for each in store.kiosk.columns])
    answer = await thief._parts.api.get(
        f"/phone/v1/enrolments/{thief._parts.state.enrolment.id}", dict
    )
    assert number not in str(answer)
    assert await refusal(thief.say_number(other(number))) == "device_number_wrong"
    await visit.leave()  # the victim pulls the card: the number is gone from the screen, and five minutes end the rest
    world.clock.advance(timedelta(minutes=5))
    assert await refusal(thief.say_number(number)) == "enrolment_expired"
    assert (await footprint(world))["enrolment_phone"] == 0


@on_sqlite
@pytest.mark.parametrize(("after_s", "ends"), [(299, "issued"), (300, "enrolment_expired")])
async def test_a_number_lives_five_minutes(world, after_s, ends):
    phone = await registered(world)
    _, number = await signed(world, phone)
    world.clock.advance(timedelta(seconds=after_s))
    if ends == "issued":
        await phone.say_number(number)
        (request,) = await rows(world, store.request)
        assert request.state == ends
    else:
        assert await refusal(phone.say_number(number)) == ends


@on_sqlite
async def test_a_number_is_good_for_its_registration_only_and_shown_once(world):
    first, second = await registered(world), await registered(world, "second")
    visit, number = await signed(world, first)
    _, foreign = await signed(world, second, "lin")
    third = await registered(world, "third")
    _, another = await signed(world, third, "tanaka")
    assert len({number, foreign, another}) > 1  # by chance all alike once in 10^12
    wrong = next(each for each in (foreign, another) if each != number)
    assert await refusal(first.say_number(wrong)) == "device_number_wrong"
    with pytest.raises(EnrolmentOutOfOrder):
        await visit.number()
    await first.say_number(number)
    assert await first.collect()


@on_sqlite
async def test_without_a_number_there_is_nothing_to_guess(world):
    """Before the person at the kiosk said that it is them, no try is taken."""
    phone = await registered(world)
    assert await refusal(phone.say_number("000000")) == "enrolment_out_of_order"
    visit = await take(world, phone.registration_key())
    await visit.sign(await world.citizen(), phone.digits())
    assert await refusal(phone.say_number("000000")) == "enrolment_out_of_order"
    (known,) = await rows(world, store.kiosk)
    assert known.tries == 0


@on_sqlite
async def test_every_try_needs_the_person(world):
    """The passkey signs for this very number: an assertion for another one is refused and counts nothing."""
    asked = []
    phone = await registered(world, verify_user=lambda reason: asked.append(reason) or True)
    _, number = await signed(world, phone)
    before = len(asked)
    parts = phone._parts
    wrong = parts.assert_person(number_challenge(parts.state.enrolment.nonce, other(number)))
    body = {"number": number, "assertion": msgspec.structs.asdict(wrong)}
    path = f"/phone/v1/enrolments/{parts.state.enrolment.id}/number"
    assert await refusal(parts.api.post(path, body, dict)) == "assertion_refused"
    (known,) = await rows(world, store.kiosk)
    assert known.tries == 0
    await phone.say_number(number)
    assert len(asked) == before + 2
