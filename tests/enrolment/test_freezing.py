"""One act stops every phone of a person, and the card brings them back (design §5.6; §5.2 step 9)."""

from datetime import timedelta

import pytest

from enrolment.hands import on_sqlite, prepared, raw_card, refusal, rows
from inkan.audit import Actor, ActorKind
from inkan.client import CallUnavailable
from inkan.enrolment import PhoneNotFound, store
from inkan.enrolment.service import accepting, phones
from inkan.notices import parse_mail_address
from inkan.notices import store as notice_store
from inkan.pki import store as pki_store
from inkan.web.languages import Language
from inkan.wire.enrolment_request import RevokeCause
from support.world import CLERK

DAY = timedelta(hours=24)


async def person_behind(world, phone):
    (row,) = await rows(world, store.phone, id=phone.binding.phone)
    return row.person


async def freeze(world, person):
    return await world.platform.enrolment.freeze(person, actor=Actor(ActorKind.PERSON, person))


async def two_phones(world):
    first = await world.bind("chen")
    await world.leap(DAY)
    second = await world.bind("chen")
    return first, second, await person_behind(world, first)


async def test_freezing_stops_every_phone_and_certificate_of_this_person_alone(world):
    first, second, person = await two_phones(world)
    lin = await world.bind("lin")
    assert await freeze(world, person) == 2
    for phone in (first, second):
        (row,) = await rows(world, store.phone, id=phone.binding.phone)
        assert row.state == "suspended"
        held = await rows(world, pki_store.certificate, owner=row.id)
        assert {each.state for each in held} == {"suspended"}
        assert await refusal(phone.show_presence()) == "channel_proof_refused"
    (other,) = await rows(world, store.phone, id=lin.binding.phone)
    assert other.state == "active"


@on_sqlite
async def test_person_phones_and_contacts_are_told_once(world):
    first, second, person = await two_phones(world)
    platform = world.platform
    await platform.db.transact(
        platform.notices.set_contact,
        person,
        parse_mail_address("chen@example.tw"),
        language=Language.EN,
        actor=CLERK,
    )
    before = len(await rows(world, notice_store.notice))
    assert await freeze(world, person) == 2
    told = [
        row.recipient
        for row in await rows(world, notice_store.notice)
        if row.template == "phones_frozen"
    ]
    assert sorted(told) == sorted([person, first.binding.phone, second.binding.phone])
    assert await freeze(world, person) == 0  # twice is once
    assert len(await rows(world, notice_store.notice)) == before + 3


@on_sqlite
async def test_a_phone_whose_certificates_are_not_issued_yet_ends(world, monkeypatch):
    async def crash(*_):
        raise RuntimeError

    monkeypatch.setattr(accepting, "finish", crash)
    started, content, _ = await prepared(world)
    card = await raw_card(world)
    with pytest.raises(CallUnavailable):
        await started.submit(card.sign(content))
    assert await freeze(world, card.person.id) == 1
    (row,) = await rows(world, store.phone)
    assert row.state == "revoked"
    assert await rows(world, store.slot) == []


@pytest.mark.req("TW-29")
async def test_the_card_brings_a_frozen_person_back_into_the_oldest_place(world):
    first, second, person = await two_phones(world)
    await world.leap(DAY)
    await freeze(world, person)
    third = await world.bind("chen")
    states = {row.id: (row.state, row.slot) for row in await rows(world, store.phone)}
    assert states == {
        first.binding.phone: ("revoked", 1),
        second.binding.phone: ("suspended", 2),
        third.binding.phone: ("active", 1),
    }
    assert sorted(row.slot for row in await rows(world, store.slot)) == [1, 2]
    certificates = await rows(world, pki_store.certificate, owner=first.binding.phone)
    assert {each.state for each in certificates} == {"revoked"}


@on_sqlite
async def test_a_young_phone_gives_no_place_by_being_suspended(world):
    _, second, person = await two_phones(world)
    platform = world.platform
    (phone,) = [
        each for each in await platform.enrolment.phones(person) if each.id == second.binding.phone
    ]
    await platform.db.transact(
        phones.suspend, platform.enrolment._parts, phone, actor=CLERK, cause="test"
    )
    started, content, _ = await prepared(world, 40)
    message = (await raw_card(world)).sign(content)
    assert await refusal(started.submit(message)) == "phone_young"
    (row,) = await rows(world, store.phone, id=phone.id)
    assert row.state == "suspended"


@on_sqlite
async def test_a_person_ends_one_of_their_own_phones_only(world):
    first, second, person = await two_phones(world)
    lin = await world.bind("lin")
    enrolment = world.platform.enrolment
    actor = Actor(ActorKind.PERSON, person)
    with pytest.raises(PhoneNotFound):
        await enrolment.revoke_own(person, lin.binding.phone, cause=RevokeCause.STOLEN, actor=actor)
    await enrolment.revoke_own(person, first.binding.phone, cause=RevokeCause.STOLEN, actor=actor)
    states = {row.id: row.state for row in await rows(world, store.phone)}
    assert states == {
        first.binding.phone: "revoked",
        second.binding.phone: "active",
        lin.binding.phone: "active",
    }
    held = await rows(world, pki_store.certificate, owner=first.binding.phone)
    assert {each.reason for each in held} == {"keyCompromise"}
