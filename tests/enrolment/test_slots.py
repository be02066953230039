"""Two phones by slot key, the waiting time, and the end of a phone (design §5.2 steps 6 and 9)."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from enrolment.hands import on_sqlite, prepared, raw_card, refusal, rows
from inkan.crypto import base64url, cms
from inkan.enrolment import store
from inkan.pki import store as pki_store
from inkan.wire.enrolment_request import RevokeCause

DAY = timedelta(hours=24)


async def bind_raw(world, number, name="chen"):
    started, content, phone = await prepared(world, number)
    card = await raw_card(world, name)
    answer = await started.submit(card.sign(content))
    return phone, answer.phone


@pytest.mark.req("TW-29")
async def test_a_third_phone_finds_no_slot_and_a_revoked_one_gives_its_own_back(world):
    first = await world.bind("chen")
    await world.leap(DAY)
    second = await world.bind("chen")
    await world.leap(DAY)
    started, content, _ = await prepared(world)
    message = (await raw_card(world)).sign(content)
    assert await refusal(started.submit(message)) == "no_free_slot"
    assert sorted(row.slot for row in await rows(world, store.slot)) == [1, 2]
    await second.revoke(first.binding.phone)
    assert (await started.submit(message)).state == "issued"
    assert sorted(row.slot for row in await rows(world, store.slot)) == [1, 2]
    active = [row for row in await rows(world, store.phone) if row.state == "active"]
    assert len(active) == 2


async def test_no_further_phone_while_one_is_young(world):
    await bind_raw(world, 10)
    started, content, _ = await prepared(world, 20)
    message = (await raw_card(world)).sign(content)
    assert await refusal(started.submit(message)) == "phone_young"
    assert len(await rows(world, store.slot)) == 1
    world.clock.tick(DAY - timedelta(seconds=1))
    late, content, _ = await prepared(world, 20)
    late_message = (await raw_card(world)).sign(content)
    assert await refusal(late.submit(late_message)) == "phone_young"
    world.clock.tick(1)
    assert (await late.submit(late_message)).state == "issued"


async def test_one_persons_young_phone_holds_nobody_else_up(world):
    await bind_raw(world, 10, "chen")
    started, content, _ = await prepared(world, 20)
    answer = await started.submit((await raw_card(world, "lin", number=55)).sign(content))
    assert answer.state == "issued"


@pytest.mark.race
@pytest.mark.req("TW-29")
async def test_twenty_parallel_bindings_of_one_person_make_one_phone_a_day(world):
    card = await raw_card(world)
    started = [await prepared(world, 100 + 2 * n) for n in range(10)]
    messages = [card.sign(content) for _, content, _ in started]
    tries = [desk.submit(message) for (desk, _, _), message in zip(started, messages, strict=True)]
    again = [desk.submit(message) for (desk, _, _), message in zip(started, messages, strict=True)]
    answers = await asyncio.gather(*tries, *again, return_exceptions=True)
    codes = Counter(getattr(answer, "problem_code", "bound") for answer in answers)
    assert codes == {"bound": 2, "phone_young": 18}  # one request, sent twice
    assert len(await rows(world, store.phone)) == len(await rows(world, store.slot)) == 1


@pytest.mark.race
@pytest.mark.req("TW-29")
async def test_parallel_bindings_never_take_a_third_slot(world):
    await bind_raw(world, 10)
    world.clock.tick(DAY)
    card = await raw_card(world)
    started = [await prepared(world, 100 + 2 * n) for n in range(6)]
    answers = await asyncio.gather(
        *(desk.submit(card.sign(content)) for desk, content, _ in started), return_exceptions=True
    )
    codes = Counter(getattr(answer, "problem_code", "bound") for answer in answers)
    assert codes.pop("bound") == 1
    assert set(codes) <= {"phone_young", "no_free_slot"}
    assert sorted(row.slot for row in await rows(world, store.slot)) == [1, 2]


# --- the end of a phone -----------------------------------------------------------------------------------


@pytest.mark.req("HCA-40")
async def test_revoking_ends_certificates_channel_and_slot_at_once(world):
    phone = await world.bind("chen")
    name = phone.binding.phone
    await phone.revoke(name, RevokeCause.LOST)
    ended = await rows(world, pki_store.certificate, owner=name)
    assert {(row.state, row.reason) for row in ended} == {("revoked", "keyCompromise")}
    assert await rows(world, store.slot) == []
    assert await refusal(phone.show_presence()) == "channel_proof_refused"
    assert await refusal(phone.renew()) == "channel_proof_refused"
    events = Counter(await world.events())
    assert events["enrolment.phone_revoked"] == 1
    assert events["pki.certificate_revoked"] == 2


@on_sqlite
async def test_every_cause_has_its_reason_on_the_list(world):
    from inkan.enrolment.rules import REASON_OF_CAUSE

    assert set(REASON_OF_CAUSE) == set(RevokeCause)
    phone = await world.bind("chen")
    body = {"phone": phone.binding.phone, "reason": "because"}
    await phone.show_presence()
    with pytest.raises(Exception, match=r"\(4[0-9][0-9]\)"):
        await phone._parts.api.post("/phone/v1/revoke", body, dict)


async def test_revoking_twice_is_once(world):
    phone = await world.bind("chen")
    await world.leap(DAY)
    other = await world.bind("chen")
    await other.revoke(phone.binding.phone)
    await other.revoke(phone.binding.phone)
    assert Counter(await world.events())["enrolment.phone_revoked"] == 1


async def test_nobody_revokes_the_phone_of_somebody_else(world):
    phone = await world.bind("chen")
    other = await world.bind("lin")
    assert await refusal(other.revoke(phone.binding.phone)) == "phone_not_found"
    assert await refusal(other.revoke("phn_nowhere")) == "phone_not_found"
    (row,) = await rows(world, store.phone, id=phone.binding.phone)
    assert row.state == "active"


async def test_managing_phones_needs_the_person(world):
    phone = await world.bind("chen")
    world.clock.tick(601)
    body = {"phone": phone.binding.phone}
    code = await refusal(phone._parts.api.post("/phone/v1/revoke", body, dict))
    assert code == "verification_stale"
    await phone.show_presence()
    assert [each.this for each in await phone.phones()] == [True]


@pytest.mark.race
async def test_a_revocation_and_a_renewal_at_once_leave_no_good_certificate(world):
    phone = await world.bind("chen")
    name = phone.binding.phone
    await phone.show_presence()
    await world.leap(timedelta(days=310))
    await phone.show_presence()
    body = {"phone": name}
    await asyncio.gather(
        phone.renew(), phone._parts.api.post("/phone/v1/revoke", body, dict), return_exceptions=True
    )
    (row,) = await rows(world, store.phone)
    assert row.state == "revoked"
    states = Counter(each.state for each in await rows(world, pki_store.certificate, owner=name))
    assert set(states) == {"revoked"}


async def test_a_challenge_serves_once_and_five_minutes(world):
    phone = await world.bind("chen")
    api = phone._parts.api

    async def assertion():
        from inkan.crypto import base64url

        challenge = (await api.post("/phone/v1/assertions/begin", {}, dict))["challenge"]
        made, _ = phone._parts.assert_user(base64url.decode(challenge))
        return made

    body = await assertion()
    assert (await api.post("/phone/v1/assertions", body, dict))["until"]
    assert await refusal(api.post("/phone/v1/assertions", body, dict)) == "assertion_unknown"
    first = await assertion()
    await assertion()
    assert await refusal(api.post("/phone/v1/assertions", first, dict)) == "assertion_refused"
    late = await assertion()
    world.clock.tick(300)
    assert await refusal(api.post("/phone/v1/assertions", late, dict)) == "assertion_unknown"


async def test_a_certificate_of_somebody_else_is_not_given_out(world):
    phone, other = await world.bind("chen"), await world.bind("lin")
    (row, *_) = await rows(world, pki_store.certificate, owner=phone.binding.phone)
    view = await phone._parts.api.get(f"/phone/v1/certificates/{row.id}", dict)
    der = base64url.decode(view["der"])
    # What a renewal names its signer by, for a wallet that reads no DER
    assert base64url.decode(view["issuer_and_serial"]) == cms.issuer_and_serial(der)
    wanted = f"/phone/v1/certificates/{row.id}"
    assert await refusal(other._parts.api.get(wanted, dict)) == "enrolment_not_found"
