"""The card's signature over a request: accepted once, refused by name, nothing half done (design §5.2 steps 4, 5)."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from enrolment.hands import (
    RawPhone,
    changed,
    footprint,
    on_sqlite,
    prepared,
    raw_card,
    refusal,
    rows,
)
from inkan.client import StartedEnrolment
from inkan.crypto import base64url
from inkan.crypto.certificates import parse_certificate
from inkan.enrolment import store
from inkan.enrolment.model import ContentDiffers
from inkan.enrolment.service.parts import read_request
from inkan.pki import store as pki_store
from inkan.wire import enrolment_request as wire
from support.keyring import rsa_key
from support.world import CLERK, World


async def certificates_of(world: World, phone: str) -> Counter[str]:
    return Counter(
        row.profile for row in await rows(world, pki_store.certificate, owner=phone, state="valid")
    )


@pytest.mark.req("TW-07", "TW-26", "TW-28", "TW-30", "HCA-19")
async def test_a_card_binds_a_phone(world):
    phone = await world.bind("chen")
    (row,) = await rows(world, store.phone)
    assert (row.state, row.slot, row.back_end) == ("active", 1, "A")
    assert phone.binding.phone == row.id
    assert await certificates_of(world, row.id) == {"phone-auth": 1, "phone-sign": 1}
    (slot,) = await rows(world, store.slot)
    assert (slot.slot, slot.phone) == (1, row.id)
    (request,) = await rows(world, store.request)
    assert request.state == "issued"
    events = Counter(await world.events())
    for use_case in ("started", "joined", "prepared", "accepted", "bound"):
        assert events[f"enrolment.{use_case}"] == 1


@pytest.mark.req("TW-31", "TW-23")
async def test_both_certificates_end_on_the_last_day_of_the_year(world):
    phone = await world.bind("chen")
    for use, usage in (("auth", "digitalSignature"), ("sign", "contentCommitment")):
        certificate = parse_certificate(phone.certificates[use].der)
        # bound on 2026-04-01 in Taiwan: the last second of 2027-03-31 there
        assert certificate.not_after.isoformat() == "2027-03-31T15:59:59+00:00"
        assert certificate.key_usage == {usage}


async def test_everybody_who_was_there_before_hears_of_it(world):
    from inkan.notices import parse_mail_address
    from inkan.web.languages import Language

    citizen = await world.citizen("chen")
    notices, db = world.platform.notices, world.platform.db
    await db.transact(
        notices.set_contact,
        citizen.person.id,
        parse_mail_address("chen@example.tw"),
        language=Language("zh-Hant"),
        actor=CLERK,
    )
    world.clock.tick(60)
    await world.bind("chen")
    await world.leap(timedelta(hours=25))
    await world.bind("chen")
    await world.instance.catch_up()
    inbox = await notices.inbox(citizen.person.id, language=Language("en"))
    assert len([each for each in inbox if each.template == "phone_bound"]) == 2
    mails = [path.read_bytes() for path in (world.folder / "spool").rglob("*") if path.is_file()]
    assert len([mail for mail in mails if b"chen@example.tw" in mail]) >= 2


# --- replays (threat 5) --------------------------------------------------------------------------------


@pytest.mark.req("HCA-47")
async def test_the_same_bytes_again_get_the_same_answer(world):
    started, content, _ = await prepared(world)
    message = (await raw_card(world)).sign(content)
    answers = [await started.submit(message) for _ in range(3)]
    assert answers[0] == answers[1] == answers[2]
    assert answers[0].state == "issued"
    assert await certificates_of(world, answers[0].phone) == {"phone-auth": 1, "phone-sign": 1}
    assert Counter(await world.events())["enrolment.accepted"] == 1


@pytest.mark.race
@pytest.mark.req("HCA-47")
async def test_eight_parallel_tries_give_one_certificate_of_each_use(world):
    started, content, _ = await prepared(world)
    message = (await raw_card(world)).sign(content)
    answers = await asyncio.gather(*(started.submit(message) for _ in range(8)))
    assert len({(answer.phone, str(answer.certificates)) for answer in answers}) == 1
    assert await certificates_of(world, answers[0].phone) == {"phone-auth": 1, "phone-sign": 1}
    assert len(await rows(world, store.phone)) == 1
    events = Counter(await world.events())
    assert events["enrolment.accepted"] == events["enrolment.bound"] == 1
    assert events["pki.certificate_issued"] == 3  # the card's and the phone's two


@pytest.mark.req("HCA-47")
async def test_other_bytes_over_a_used_request_are_refused(world):
    started, content, _ = await prepared(world)
    card = await raw_card(world)
    await started.submit(card.sign(content))
    other = await raw_card(world, number=51)
    message = other.sign(content)
    before = await footprint(world)
    assert await refusal(started.submit(message)) == "nonce_used"
    assert await footprint(world) == before


@pytest.mark.race
async def test_rival_cards_over_one_request_bind_one_phone(world):
    started, content, _ = await prepared(world)
    messages = [(await raw_card(world, number=50 + n)).sign(content) for n in range(4)]
    answers = await asyncio.gather(
        *(started.submit(each) for each in messages), return_exceptions=True
    )
    codes = Counter(getattr(answer, "problem_code", "accepted") for answer in answers)
    assert codes == {"accepted": 1, "nonce_used": 3}
    assert len(await rows(world, store.phone)) == 1


# --- what was signed is what was asked (threat 6) --------------------------------------------------------

OTHER = base64url.encode(b"\x01" * 32)
MEMBERS = {
    "aud": "http://elsewhere.localhost:8480",
    "scheme": "hca",
    "nonce": OTHER,
    "credential_id_sha256": OTHER,
    "cose_key_sha256": OTHER,
    "channel_jkt": OTHER,
    "rp_id": "elsewhere.localhost",
    "back_end": "C",
    "attestation_sha256": OTHER,
    "scope": ["e_prescription"],
    "terms_version": "2020-1",
    "phone_name": "another phone",
    "at": "2026-04-01T01:00:01Z",
}


@on_sqlite
async def test_a_card_signature_over_any_other_member_is_refused_by_its_name(world):
    started, content, _ = await prepared(world)
    card = await raw_card(world)
    (row,) = await rows(world, store.request)
    request = read_request(row)
    before = await footprint(world)
    assert MEMBERS.keys() | {"v", "purpose", "keys"} == set(wire.BindContent.__struct_fields__)
    for member, value in MEMBERS.items():
        message = card.sign(changed(content, **{member: value}))
        with pytest.raises(ContentDiffers) as caught:
            await world.platform.enrolment.submit(request, message)
        assert caught.value.public_facts == {"field": member}
        assert await refusal(started.submit(message)) == "content_differs"
    assert await footprint(world) == before
    assert (await started.submit(card.sign(content))).state == "issued"


async def test_a_key_that_was_changed_after_the_card_signed_is_named(world):
    started, content, _ = await prepared(world)
    card = await raw_card(world)
    keys = wire.parse_bind(content).keys
    own = [{"use": str(key.use), "spki_sha256": key.spki_sha256} for key in keys]
    keys = [own[0], {"use": "sign", "spki_sha256": OTHER}]
    message = card.sign(changed(content, keys=keys))
    assert await refusal(started.submit(message)) == "key_substituted"
    assert await rows(world, store.phone) == []


@on_sqlite
async def test_what_is_no_content_of_this_purpose_is_malformed(world):
    started, content, _ = await prepared(world)
    card = await raw_card(world)
    for wrong in (b"{}", changed(content, v=2), changed(content, extra=1)):
        assert await refusal(started.submit(card.sign(wrong))) == "enrolment_content_malformed"
    assert await refusal(started.submit(card.sign(b"-"))) == "enrolment_content_malformed"
    assert await refusal(started.submit(card.sign(content + b" "))) == "json_not_canonical"
    for other in (wire.CONTENT_TYPES[wire.Purpose.RENEW], "1.2.840.113549.1.7.1"):
        message = card.sign(content, content_type=other)
        assert await refusal(started.submit(message)) == "card_request_malformed"
    for junk in (b"\x30\x80", b"junk", card.sign(content)[:-1], card.sign(content) + b"\x00"):
        assert await refusal(started.submit(junk)) == "card_request_malformed"


# --- the person ---------------------------------------------------------------------------------------------


@pytest.mark.req("TW-08")
async def test_who_is_too_young_binds_nothing(world):
    card = await raw_card(world, "child")
    started, content, _ = await prepared(world)
    assert await refusal(started.submit(card.sign(content))) == "not_eligible"
    assert await rows(world, store.phone) == []


async def test_the_card_of_somebody_who_died_binds_nothing(world):
    card = await raw_card(world)
    started, content, _ = await prepared(world)
    people, db = world.platform.people, world.platform.db
    await db.transact(people.mark_deceased, card.person.id, actor=CLERK)
    assert await refusal(started.submit(card.sign(content))) == "not_eligible"
    assert await rows(world, store.phone) == []


@pytest.mark.req("TW-08")
async def test_a_holder_of_a_residence_certificate_may(world):
    card = await raw_card(world, "tanaka")
    started, content, _ = await prepared(world)
    assert (await started.submit(card.sign(content))).state == "issued"


@on_sqlite
async def test_a_card_of_nobody_who_is_registered(world):
    card = await raw_card(world, serial="9999999999999999")
    started, content, _ = await prepared(world)
    assert await refusal(started.submit(card.sign(content))) == "person_unknown"


# --- keys ---------------------------------------------------------------------------------------------------


async def test_a_key_of_another_person_is_refused_and_nothing_stays(world):
    first, content, _ = await prepared(world, 10)
    await first.submit((await raw_card(world, "chen")).sign(content))
    before = await footprint(world)
    started = await world.start()
    thief = RawPhone(world, 20, keys={"auth": rsa_key(10), "sign": rsa_key(21)})
    await thief.join(await started.frame())
    await thief.hand_in()
    card = await raw_card(world, "lin", number=55)
    content = (await started.to_sign()).content
    assert await refusal(started.submit(card.sign(content))) == "key_shared"
    after = await footprint(world)
    assert after == {**before, "pki_certificate": before["pki_certificate"] + 1}  # lin's card


# --- time and order -----------------------------------------------------------------------------------------


@pytest.mark.req("HCA-47")
async def test_a_request_lives_ten_minutes_exactly(world):
    card = await raw_card(world)
    early, content_early, _ = await prepared(world, 10)
    world.clock.tick(599)
    assert (await early.submit(card.sign(content_early))).state == "issued"
    late, content_late, _ = await prepared(world, 30)
    world.clock.tick(600)
    assert await refusal(late.submit(card.sign(content_late))) == "enrolment_expired"
    assert await refusal(late.to_sign()) == "enrolment_expired"


@pytest.mark.req("HCA-27")
async def test_nothing_can_be_signed_before_the_phone_made_its_keys(world):
    started = await world.start()
    assert await refusal(started.to_sign()) == "enrolment_out_of_order"
    phone = RawPhone(world)
    await phone.join(await started.frame())
    assert await refusal(started.to_sign()) == "enrolment_out_of_order"
    other, content, _ = await prepared(world, 30)
    message = (await raw_card(world)).sign(content)
    assert await refusal(started.submit(message)) == "enrolment_out_of_order"
    assert (await other.submit(message)).state == "issued"


async def test_only_the_page_with_the_secret_goes_on(world):
    from inkan.kernel.sensitive import Secret

    started, content, _ = await prepared(world)
    stranger, _, _ = await prepared(world, 30)
    assert isinstance(started, StartedEnrolment)
    started._secret = stranger._secret
    message = (await raw_card(world)).sign(content)
    for call in (started.status(), started.to_sign(), started.frame(), started.submit(message)):
        assert await refusal(call) == "enrolment_not_found"
    started._secret = Secret("no base64!")
    assert await refusal(started.status()) == "enrolment_not_found"
    assert await rows(world, store.phone) == []


def test_the_content_type_of_a_binding_is_its_own():
    assert len({wire.CONTENT_TYPES[purpose] for purpose in wire.Purpose}) == len(wire.Purpose)
