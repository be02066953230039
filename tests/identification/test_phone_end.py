"""The phone's end: one that is revoked or expired opens and decides nothing, whenever that happens."""

import pytest

from identification.answers import frame_of, honest
from identification.callers import PhoneCaller, SystemCaller, code_of
from identification.rivals import decisions, interposed, principal
from inkan.approvals import ApprovalNotFound
from inkan.client import Phone
from inkan.pki import RevocationReason
from inkan.wire.enrolment_request import KeyUse
from support.clock import StandingClock
from support.world import CLERK, World


async def revoke_phone(world: World, phone: Phone) -> None:
    sender = await principal(world, phone)
    await world.platform.enrolment.revoke(sender, sender.phone)


async def revoke_certificate(world: World, phone: Phone) -> None:
    pki = world.platform.pki
    certificate = phone.certificates[KeyUse.AUTH].id
    await world.platform.db.transact(
        pki.revoke, certificate, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
    )


@pytest.mark.req("HCA-40")
async def test_a_revoked_certificate_opens_nothing(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made
):
    await revoke_certificate(world, phone)
    answer = await caller.open(frame_of(made["doors"]["qr"]))
    assert (*code_of(answer), answer.json()["reason"]) == (
        403,
        "certificate_not_good",
        "cert_revoked",
    )
    assert (await system.read(made["session"]["id"]))["state"] == "presented"


@pytest.mark.req("HCA-40")
async def test_an_expired_certificate_opens_nothing(
    world: World, caller: PhoneCaller, system: SystemCaller, clock: StandingClock
):
    clock.tick(366 * 86_400)
    made = await system.created()
    answer = await caller.open(frame_of(made["doors"]["qr"]))
    assert (*code_of(answer), answer.json()["reason"]) == (
        403,
        "certificate_not_good",
        "cert_expired",
    )


async def test_a_revoked_phone_is_no_phone_any_more(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    body = honest(phone, held)
    await revoke_phone(world, phone)
    refused = (401, "channel_proof_refused")
    assert code_of(await caller.decide(held.id, body)) == refused
    assert code_of(await caller.open(frame_of(made["doors"]["qr"]))) == refused
    assert await decisions(world) == 0


async def test_a_certificate_revoked_while_the_person_read_ends_the_session_failed(
    world: World, caller: PhoneCaller, system: SystemCaller, phone: Phone, made, held
):
    await revoke_certificate(world, phone)
    answer = await caller.decide(held.id, honest(phone, held))
    assert answer.status_code == 200
    view = await system.read(made["session"]["id"])
    assert (view["state"], view["outcome"], view["reason"]) == (
        "closed",
        "failed",
        "cert_revoked",
    )
    assert view["subject"] is None


@pytest.mark.race
async def test_a_certificate_revoked_after_the_proofs_were_verified_ends_it_failed(
    world: World, system: SystemCaller, phone: Phone, made, held
):
    async def revoke() -> None:
        await revoke_certificate(world, phone)

    assert await interposed(world, phone, held, revoke) == "ok"  # all that the phone hears
    view = await system.read(made["session"]["id"])
    assert (view["outcome"], view["reason"]) == ("failed", "cert_revoked")


@pytest.mark.race
async def test_a_phone_revoked_after_the_proofs_were_verified_decides_nothing(
    world: World, system: SystemCaller, phone: Phone, made, held
):
    async def revoke() -> None:
        await revoke_phone(world, phone)

    assert await interposed(world, phone, held, revoke) == ApprovalNotFound.code
    assert (await system.read(made["session"]["id"]))["state"] == "opened"
    assert await decisions(world) == 0


@pytest.mark.race
async def test_a_phone_revoked_between_authentication_and_opening_opens_nothing(
    world: World, system: SystemCaller, phone: Phone, made
):
    sender = await principal(world, phone)
    await revoke_phone(world, phone)
    with pytest.raises(ApprovalNotFound):
        await world.platform.identification.open(
            sender,
            frame=frame_of(made["doors"]["qr"]),
            lang="en",
            arrived=world.platform.db.now(),
        )
    assert (await system.read(made["session"]["id"]))["state"] == "presented"
