"""Renewal without the card: the window, the card behind it, both proofs, and what becomes of the old keys."""

import asyncio
from collections import Counter
from datetime import datetime, timedelta

import msgspec
import pytest

from enrolment.hands import changed, on_sqlite, raw_card, refusal, rows
from inkan.client import phone_renewal
from inkan.client.certificate_keys import certificate_request, unwrap
from inkan.crypto import base64url, cms
from inkan.crypto.certificates import parse_certificate
from inkan.enrolment import store
from inkan.pki import RevocationReason, StatusUnavailable
from inkan.pki import store as pki_store
from inkan.wire import enrolment_request as wire
from support.keyring import rsa_key
from support.world import CLERK

LAST = datetime.fromisoformat("2027-03-31T15:59:59+00:00")
OPENS = LAST - timedelta(days=60)
OTHER = base64url.encode(b"\x01" * 32)


async def travel(world, to):
    world.clock.advance(to - world.clock.now())


async def bound_near_its_end(world):
    phone = await world.bind("chen")
    await phone.show_presence()
    await travel(world, OPENS + timedelta(days=1))
    await phone.show_presence()
    return phone


async def begun(phone):
    """A renewal up to its sending: the body as the phone would send it."""
    answer = await phone._parts.api.post("/phone/v1/renew/begin", {}, phone_renewal._Begun)
    old_use = phone_renewal._verify_begun(answer, phone.binding, phone._parts.state.platform)
    renewal = phone_renewal._prepare(phone._parts, answer, old_use)
    return renewal, msgspec.json.decode(renewal.body)


async def send(phone, body):
    return await phone._parts.api.post("/phone/v1/renew", body, dict)


async def certificates(world, phone, state):
    owner = phone.binding.phone
    return Counter(
        row.profile for row in await rows(world, pki_store.certificate, owner=owner, state=state)
    )


@pytest.mark.req("TW-32", "TW-28")
async def test_a_phone_is_renewed_without_the_card(world):
    phone = await bound_near_its_end(world)
    old = {use: held.der for use, held in phone.certificates.items()}
    renewed = await phone.renew()
    assert {use: held.der for use, held in renewed.certificates.items()} != old
    for held in renewed.certificates.values():
        assert parse_certificate(held.der).not_after > LAST + timedelta(days=300)
    (row,) = await rows(world, store.phone)
    assert (row.state, row.slot) == ("active", 1)
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}
    ended = await rows(world, pki_store.certificate, owner=row.id, state="revoked")
    assert {each.reason for each in ended} == {"superseded"}
    assert len(await rows(world, store.slot)) == 1
    agency = await world.agency()
    assert (await world.identify(agency, phone)).view.is_ok
    assert row.young_until < world.clock.now()  # a renewal is no new binding


@on_sqlite
@pytest.mark.req("TW-32")
async def test_the_window_opens_sixty_days_before_and_closes_with_the_last_second(world):
    phone = await world.bind("chen")
    begin = phone._parts.api
    for moment, code in (
        (OPENS - timedelta(seconds=1), "renewal_too_early"),
        (OPENS, None),
        (LAST, None),
        (LAST + timedelta(seconds=1), "renewal_too_late"),
    ):
        await travel(world, moment)
        if code is None:
            assert (await begin.post("/phone/v1/renew/begin", {}, dict))["nonce"]
        else:
            assert await refusal(begin.post("/phone/v1/renew/begin", {}, dict)) == code


@pytest.mark.req("TW-33", "TW-34")
@pytest.mark.parametrize("end", ["expired", "revoked", "suspended", "unreachable"])
async def test_without_a_good_card_nothing_is_renewed_and_nothing_is_lost(world, end):
    citizen = await world.citizen("chen", years=1 if end == "expired" else 3)
    phone = await world.bind("chen")
    await travel(world, OPENS + timedelta(days=1))
    _, body = await begun(phone)
    platform = world.platform
    card = citizen.certificate.id
    if end == "revoked":
        reason = RevocationReason.CESSATION_OF_OPERATION
        await platform.db.transact(platform.pki.revoke, card, reason=reason, actor=CLERK)
    elif end == "suspended":
        await platform.db.transact(platform.pki.suspend, card, actor=CLERK)
    elif end == "unreachable":
        platform.pki._cards._sources["card"] = Unreachable()
    else:
        # a card that ended a day ago, of which the phone's own term knows nothing
        await _shorten(world, card)
    code = "status_unavailable" if end == "unreachable" else "renewal_refused"
    await world.instance.catch_up()
    assert await refusal(phone._parts.api.post("/phone/v1/renew/begin", {}, dict)) == code
    assert await refusal(send(phone, body)) == code
    # TW-34: what was issued keeps its effect and its term
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}
    agency = await world.agency()
    assert (await world.identify(agency, phone)).view.is_ok


class Unreachable:
    async def status(self, authority, serial, certificate):
        raise StatusUnavailable

    async def evidence(self, authority, serial, certificate):
        raise StatusUnavailable


async def _shorten(world, card):
    import sqlalchemy as sa

    from inkan.store.query import Query
    from inkan.store.schema import Moment

    query = Query(
        sa.update(pki_store.certificate)
        .where(pki_store.certificate.c.id == sa.bindparam("key", type_=sa.String))
        .values(not_after=sa.bindparam("end", type_=Moment))
    )

    def body():
        yield query.run(key=card, end=world.clock.now() - timedelta(days=1))

    await world.platform.db.transact(body)


@on_sqlite
async def test_a_lost_answer_is_asked_for_again(world):
    phone = await bound_near_its_end(world)
    _, body = await begun(phone)
    first = await send(phone, body)
    assert await send(phone, body) == first
    assert await certificates(world, phone, "valid") == {"phone-auth": 2, "phone-sign": 2}
    # nothing is superseded before the phone says that it holds the new ones
    assert await certificates(world, phone, "revoked") == {}
    api = phone._parts.api
    assert (await api.post("/phone/v1/renew/confirm", {}, dict))["certificates"]
    assert await refusal(api.post("/phone/v1/renew/confirm", {}, dict)) == "renewal_unknown"
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}


@pytest.mark.race
async def test_parallel_tries_renew_once(world):
    phone = await bound_near_its_end(world)
    _, body = await begun(phone)
    answers = await asyncio.gather(*(send(phone, body) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert await certificates(world, phone, "valid") == {"phone-auth": 2, "phone-sign": 2}
    assert Counter(await world.events())["enrolment.renewal_issued"] == 1


@on_sqlite
async def test_nobody_renews_the_phone_of_somebody_who_died(world):
    phone = await bound_near_its_end(world)
    _, body = await begun(phone)
    people, db = world.platform.people, world.platform.db
    person = (await world.citizen("chen")).person.id
    await db.transact(people.mark_deceased, person, actor=CLERK)
    assert await refusal(send(phone, body)) == "not_eligible"
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}


@on_sqlite
async def test_of_two_renewals_under_way_the_later_one_counts(world):
    phone = await bound_near_its_end(world)
    _, first = await begun(phone)
    _, second = await begun(phone)
    await send(phone, first)
    last = await send(phone, second)
    assert await certificates(world, phone, "revoked") == {"phone-auth": 1, "phone-sign": 1}
    confirmed = await phone._parts.api.post("/phone/v1/renew/confirm", {}, dict)
    assert confirmed["certificates"] == last["certificates"]
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}


@on_sqlite
async def test_a_used_a_foreign_and_an_old_nonce_are_refused(world):
    phone = await bound_near_its_end(world)
    other = await world.bind("lin")
    await travel(world, world.clock.now() + timedelta(days=310))
    with pytest.raises(Exception, match="renewal_too_late"):
        await begun(phone)
    _, foreign = await begun(other)
    assert (await send(other, foreign))["certificates"]
    _, stale = await begun(other)
    world.clock.tick(600)
    assert await refusal(send(other, stale)) == "renewal_unknown"


@on_sqlite
@pytest.mark.req("HCA-47")
async def test_a_request_of_another_phone_renews_nothing(world):
    phone, other = await world.bind("chen"), await world.bind("lin")
    await travel(world, OPENS + timedelta(days=1))
    _, body = await begun(phone)
    assert await refusal(send(other, body)) == "renewal_proof_refused"
    _, own = await begun(other)
    mixed = own | {"cms": body["cms"]}
    assert await refusal(send(other, mixed)) == "renewal_proof_refused"
    assert await refusal(send(other, own | {"assertion": body["assertion"]})) == (
        "renewal_proof_refused"
    )
    assert await refusal(send(other, own | {"csrs": body["csrs"]})) == "key_substituted"
    assert await certificates(world, other, "valid") == {"phone-auth": 1, "phone-sign": 1}


@on_sqlite
async def test_every_member_under_the_old_keys_signature_counts(world):
    phone = await bound_near_its_end(world)
    renewal, body = await begun(phone)
    content = cms.parse_signed_data(base64url.decode(body["cms"])).content

    def resigned(**members):
        assertion, prf = phone._parts.assert_user(wire.renew_challenge(changed(content, **members)))
        key = unwrap(phone.binding.keys["auth"], prf)
        held = phone.certificates["auth"]
        message = cms.build_signed_data(
            changed(content, **members),
            content_type=wire.CONTENT_TYPES[wire.Purpose.RENEW],
            chain=[held.der, *held.chain],
            algorithm=cms.algorithm_of(key),
            sign=cms.key_signer(key),
        )
        return body | {
            "cms": base64url.encode(message),
            "assertion": msgspec.to_builtins(assertion),
        }

    table = {
        "aud": ("http://elsewhere.localhost", "renewal_proof_refused"),
        "scheme": ("hca", "renewal_proof_refused"),
        "binding_id": ("phn_other", "renewal_proof_refused"),
        "old_certificate_sha256": (OTHER, "renewal_proof_refused"),
        "credential_id_sha256": (OTHER, "renewal_proof_refused"),
        "back_end": ("C", "renewal_proof_refused"),
        "nonce": (OTHER, "renewal_unknown"),
    }
    for member, (value, code) in table.items():
        assert await refusal(send(phone, resigned(**{member: value}))) == code, member
    assert await certificates(world, phone, "valid") == {"phone-auth": 1, "phone-sign": 1}
    assert (await send(phone, resigned()))["certificates"]
    assert renewal.keys.keys() == {"auth", "sign"}


@on_sqlite
async def test_a_request_signed_by_the_sign_key_or_the_card_renews_nothing(world):
    phone = await bound_near_its_end(world)
    _, body = await begun(phone)
    content = cms.parse_signed_data(base64url.decode(body["cms"])).content
    _, prf = phone._parts.assert_user(b"\x00" * 32)
    card = await raw_card(world)
    signers = {
        "sign": (unwrap(phone.binding.keys["sign"], prf), phone.certificates["sign"]),
        "card": (card.key, card),
    }
    for name, (key, held) in signers.items():
        message = cms.build_signed_data(
            content,
            content_type=wire.CONTENT_TYPES[wire.Purpose.RENEW],
            chain=[held.der, *held.chain],
            algorithm=cms.algorithm_of(key),
            sign=cms.key_signer(key),
        )
        forged = body | {"cms": base64url.encode(message)}
        assert await refusal(send(phone, forged)) == "card_wrong_purpose", name
    weak = {
        use: base64url.encode(certificate_request(rsa_key(40, bits=1024)))
        for use in ("auth", "sign")
    }
    assert await refusal(send(phone, body | {"csrs": weak})) == "weak_key"
