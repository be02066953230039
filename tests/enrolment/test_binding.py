"""Join by the page's code and hand in keys: what comes in, what is refused, what stays (design §5.2 steps 1 to 3)."""

import asyncio
from datetime import timedelta

import pytest

from enrolment.hands import RawPhone, on_sqlite, prepared, refusal, rows
from inkan.client import DigitsMismatch
from inkan.client.certificate_keys import certificate_request
from inkan.crypto import base64url
from inkan.enrolment import store
from support.keyring import ec_key, rsa_key
from support.world import SCHEME


async def test_outdated_terms_and_unknown_schemes_start_nothing(world):
    from inkan.client import EnrolmentClient
    from support.world import PLATFORM

    desk = EnrolmentClient(PLATFORM, transport=world.transport)
    assert await refusal(desk.start(SCHEME, terms_version="2020-1")) == "terms_outdated"
    assert await refusal(desk.start("nowhere", terms_version="2026-1")) == "unknown_scheme"
    assert await rows(world, store.request) == []


# --- the code of the page --------------------------------------------------------------------------------


@on_sqlite
@pytest.mark.parametrize(("age", "joins"), [(0, True), (3, True), (4, False), (60, False)])
async def test_a_code_lives_three_seconds(world, age, joins):
    started = await world.start()
    world.clock.tick(5)
    frame = await started.frame()
    world.clock.tick(age)
    phone = RawPhone(world)
    if joins:
        assert (await phone.join(frame))["scheme"] == SCHEME
        return
    assert await refusal(phone.join(frame)) == "qr_frame_stale"
    (request,) = await rows(world, store.request)
    assert request.state == "started"
    assert await phone.join(await started.frame())  # a stale one consumed nothing


@on_sqlite
async def test_forged_and_unknown_codes_get_one_answer(world):
    started, other = await world.start(), await world.start()
    frame, foreign = await started.frame(), await other.frame()
    head, mac = frame.rsplit(".", 1)
    turned = ("A" if mac[0] != "A" else "B") + mac[1:]
    handle, second = frame.split("#1.")[1].split(".")[0], foreign.split("#1.")[1].split(".")[0]
    phone = RawPhone(world)
    assert await refusal(phone.join(f"{head}.{turned}")) == "qr_frame_stale"
    assert await refusal(phone.join(frame.replace(handle, second))) == "qr_frame_stale"
    assert await refusal(phone.join(frame.replace(handle, "qr_" + "0" * len(handle[3:])))) in {
        "qr_frame_stale",
        "qr_frame_malformed",
    }
    for wrong in (frame.replace("/e#", "/q#"), frame.replace("wallet", "evil"), "x", ""):
        assert await refusal(phone.join(wrong)) == "qr_frame_malformed"


async def test_a_second_phone_cannot_join_and_the_first_may_ask_again(world):
    started = await world.start()
    frame = await started.frame()
    first, second = RawPhone(world, 10), RawPhone(world, 20)
    joined = await first.join(frame)
    assert await refusal(second.join(frame)) == "enrolment_out_of_order"
    assert await first.join(frame) == joined
    assert await refusal(started.frame()) == "enrolment_out_of_order"


@pytest.mark.race
async def test_of_eight_phones_at_once_one_joins(world):
    started = await world.start()
    frame = await started.frame()
    phones = [RawPhone(world, 10 * n, keys={"auth": None}) for n in range(8)]
    answers = await asyncio.gather(*(each.join(frame) for each in phones), return_exceptions=True)
    codes = sorted(getattr(answer, "problem_code", "joined") for answer in answers)
    assert codes == ["enrolment_out_of_order"] * 7 + ["joined"]


@on_sqlite
@pytest.mark.req("TW-26")
async def test_keys_outside_the_phone_are_refused(world):
    started = await world.start()
    phone = RawPhone(world)
    assert await refusal(phone.join(await started.frame(), back_end="B")) == "back_end_refused"
    assert (await phone.join(await started.frame(), back_end="C"))["nonce"]


@on_sqlite
async def test_a_name_that_would_deceive_the_reader_is_refused(world):
    started = await world.start()
    for name in ("", "a\nb", "x" * 65, "abc\u202edef", "a\x00"):
        with pytest.raises(Exception, match=r"\(4[0-9][0-9]\)"):
            await RawPhone(world).join(await started.frame(), name=name)
    (request,) = await rows(world, store.request)
    assert request.state == "started"


async def test_a_request_that_nobody_joined_in_time_is_over(world):
    started = await world.start()
    world.clock.tick(599)
    frame = await started.frame()
    world.clock.tick(1)
    assert await refusal(RawPhone(world).join(frame)) == "enrolment_expired"
    assert await refusal(started.frame()) == "enrolment_expired"
    assert (await started.status()).state == "expired"


# --- keys and registration ---------------------------------------------------------------------------------


async def joined(world, **options):
    started = await world.start()
    phone = RawPhone(world, **options)
    await phone.join(await started.frame())
    return started, phone


@on_sqlite
@pytest.mark.req("TW-26")
async def test_weak_and_foreign_kinds_of_keys_are_refused(world):
    from cryptography.hazmat.primitives.asymmetric import rsa

    started, phone = await joined(world)
    good = rsa_key(11)
    table = {
        "rsa 1024": (rsa.generate_private_key(65537, 1024), {"weak_key"}),
        "exponent 3": (rsa.generate_private_key(3, 2048), {"weak_key"}),
        "P-256": (ec_key(3), {"key_outside_scheme"}),
        "rsa 3072": (rsa_key(9, bits=3072), {"key_outside_scheme"}),
        "one key for both": (good, {"key_outside_scheme"}),
    }
    for name, (key, codes) in table.items():
        phone.keys = {"auth": key, "sign": good}
        assert await refusal(phone.hand_in()) in codes, name
    for keys in ({"auth": good}, {"auth": good, "sign": rsa_key(10), "x": rsa_key(12)}, {}):
        phone.keys = keys
        assert await refusal(phone.hand_in()) == "key_outside_scheme"
    assert (await started.status()).state == "joined"


@on_sqlite
async def test_a_request_that_its_key_did_not_sign_is_refused(world):
    _, phone = await joined(world)
    csrs = phone.csrs()
    der = bytearray(certificate_request(rsa_key(10)))
    der[-5] ^= 1
    broken = csrs | {"auth": base64url.encode(bytes(der))}
    assert await refusal(phone.hand_in(csrs=broken)) == "csr_signature_wrong"
    # another key's modulus under this key's signature
    even = bytearray(certificate_request(rsa_key(10)))
    even[even.index(b"\x02\x03\x01\x00\x01") + 4] = 0
    answer = await refusal(phone.hand_in(csrs=csrs | {"auth": base64url.encode(bytes(even))}))
    assert answer in {"weak_key", "csr_malformed", "csr_signature_wrong"}
    for junk in (b"", b"\x30\x00", b"\x30" * 40000):
        with pytest.raises(Exception, match=r"\(4[0-9][0-9]\)"):
            await phone.hand_in(csrs=csrs | {"sign": base64url.encode(junk)})


@on_sqlite
async def test_a_registration_for_something_else_is_refused(world):
    started, phone = await joined(world)
    for bent in (
        {"challenge": b"\x07" * 32},
        {"origin": "http://evil.wallet.localhost:8480"},
        {"origin": "http://wallet.localhost:1"},
        {"rp_id": "evil.localhost", "origin": "http://evil.localhost:8480"},
        {"uv": False},
    ):
        code = await refusal(phone.hand_in(registration=phone.registration(**bent)))
        assert code == "registration_refused", bent
    assert (await started.status()).state == "joined"
    assert (await phone.hand_in())["state"] == "prepared"


async def test_the_same_keys_again_get_the_same_content_and_others_do_not(world):
    started, phone = await joined(world)
    registration = phone.registration()
    first = await phone.hand_in(registration=registration)
    world.clock.tick(2)
    assert await phone.hand_in(registration=registration) == first
    phone.keys = {"auth": rsa_key(30), "sign": rsa_key(31)}
    assert await refusal(phone.hand_in(registration=registration)) == "enrolment_out_of_order"
    assert base64url.encode((await started.to_sign()).content) == first["content"]


async def test_another_phones_enrolment_is_unknown(world):
    _, phone = await joined(world)
    stranger = RawPhone(world, 40)
    stranger.joined = phone.joined
    assert await refusal(stranger.hand_in()) == "enrolment_not_found"
    path = f"/phone/v1/enrolments/{phone.joined['id']}"
    assert await refusal(stranger.api.get(path, dict)) == "enrolment_not_found"
    assert (await phone.api.get(path, dict))["state"] == "joined"


@pytest.mark.req("TW-11")
async def test_wrong_digits_leave_the_card_silent_and_cost_no_try(world):
    citizen = await world.citizen("chen")
    phone = world.new_phone()
    started, digits = await world.prepared(phone)
    wrong = f"{(int(digits) + 1) % 10**8:08}"
    with pytest.raises(DigitsMismatch):
        await world.sign(started, citizen, wrong)
    with citizen.card as card:
        assert card.tries_left() == 5
    # with the card nothing but its PIN has to be known: the digits stand on the phone
    await started.submit(await world.sign(started, citizen, digits))
    assert await phone.collect()


async def test_keys_of_a_bound_phone_begin_no_second_binding(world):
    phone = await world.bind("chen")
    started = await world.start()
    again = RawPhone(world, channel=phone._parts.api._channel_key)
    assert await refusal(again.join(await started.frame())) == "channel_proof_refused"


@pytest.mark.req("HCA-40")
async def test_a_phone_that_is_not_bound_can_use_nothing(world):
    _, phone = await joined(world)
    assert await refusal(phone.api.post("/phone/v1/assertions/begin", {}, dict)) == "role_missing"
    assert await refusal(phone.api.post("/phone/v1/renew/begin", {}, dict)) == "role_missing"


async def test_old_requests_are_forgotten_after_a_day(world):
    await prepared(world)
    await world.leap(timedelta(hours=25))
    assert await rows(world, store.request) == []
