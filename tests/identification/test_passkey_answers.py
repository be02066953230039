"""The passkey's answer on the wallet's page: what it must prove, how often, and until when (WebAuthn Level 3 §7.2)."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from identification.callers import SystemCaller, WebClient
from identification.doorways import all_doors
from identification.rivals import Interposed
from identification.visits import (
    REFUSED,
    STRONG,
    Visit,
    WalletPage,
    answer,
    answered,
    passkey_of,
    token_of,
    told,
    try_token,
)
from inkan.client import Phone
from inkan.enrolment import store as phones
from inkan.identification import store
from inkan.identification.model import ConfirmationRefused
from inkan.identification.rules import ATTACHED, Attachment
from inkan.identification.service.strengthening import Strengthening
from inkan.store.database import Step
from inkan.store.query import Query
from inkan.wallet.pages import parse_answer
from portal.browsers import Browser
from support.asgi import Reply
from support.authenticator import BE, UP, Authenticator
from support.clock import StandingClock
from support.world import PLATFORM, World


@pytest.fixture
async def office(world: World, web: WebClient, clock: StandingClock) -> SystemCaller:
    return await SystemCaller.registered(world, web, clock, "office", **all_doors())


@pytest.fixture
def browser(world: World) -> Browser:
    return Browser(world.instance.application)


@pytest.fixture
async def visit(office: SystemCaller, browser: Browser, phone: Phone) -> Visit:
    """The phone has answered, and `strong` is demanded."""
    return await answered(await Visit.begun(office, browser, **STRONG), phone)


# --- the assertion itself --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bent",
    [
        {"flags": UP},
        {"origin": PLATFORM},
        {"origin": "http://wallet.localhost:8480.evil.example"},
        {"rp_id": "id.localhost"},
        {"kind": "webauthn.create"},
        {"extra": {"crossOrigin": True}},
        {"key": Authenticator().key},
        {"flags": UP | 0x04 | BE},
        {"data": b"\x00" * 37},
        {"data": b"short"},
        {"raw_client_data": b"no json"},
    ],
    ids=lambda bent: f"{next(iter(bent))}",
)
async def test_an_assertion_that_proves_nothing(
    world: World, visit: Visit, phone: Phone, bent: dict[str, Any]
):
    wallet = WalletPage(world, await visit.minted())
    assert told(await wallet.prove(passkey_of(phone), **bent)) == REFUSED
    assert (await wallet.prove(passkey_of(phone))).status == 303


async def test_a_counter_that_does_not_rise(world: World, visit: Visit, phone: Phone):
    wallet = WalletPage(world, await visit.minted())
    passkey = passkey_of(phone)
    for count in (passkey.sign_count - 1, passkey.sign_count - 2, 0):
        assert told(await wallet.prove(passkey, sign_count=count)) == REFUSED
    assert (await wallet.prove(passkey)).status == 303


async def test_a_passkey_that_does_not_count(world: World, visit: Visit, phone: Phone):
    """Synced passkeys say 0 for ever; once one has counted, 0 is a fall."""
    wallet = WalletPage(world, await visit.minted())
    assert told(await wallet.prove(passkey_of(phone), sign_count=0)) == REFUSED
    await world.platform.db.transact(_never_counted)
    assert (await wallet.prove(passkey_of(phone), sign_count=0)).status == 303


def _never_counted() -> Step[None]:
    yield Query(sa.update(phones.phone).values(sign_count=0)).run()


async def test_a_counter_that_another_assertion_has_raised_meanwhile(world: World, phone: Phone):
    parts = world.platform.identification._parts
    facts = await parts.db.read(parts.enrolment.facts, phone._parts.bound.phone)
    assert facts is not None
    held, counted = parts.enrolment.hold_counted, facts.sign_count + 1
    assert await parts.db.transact(held, facts, sign_count=counted)
    assert not await parts.db.transact(held, facts, sign_count=counted)


@pytest.mark.parametrize("attachment", ["", "usb", "PLATFORM"])
async def test_an_attachment_that_the_standard_does_not_know(
    world: World, visit: Visit, phone: Phone, attachment: str
):
    wallet = WalletPage(world, await visit.minted())
    assert (await wallet.prove(passkey_of(phone), attachment=attachment)).status == 400


def test_every_attachment_has_its_evidence() -> None:
    assert set(ATTACHED) == set(Attachment)


# --- once, in time, in order -----------------------------------------------------------------------


async def test_replay(world: World, visit: Visit, phone: Phone):
    wallet = WalletPage(world, await visit.minted())
    credential = answer(passkey_of(phone), (await wallet.options())["challenge"])
    token = token_of(await wallet.send(credential))
    assert told(await wallet.send(credential)) == REFUSED
    assert (await wallet.see()).status == 403
    assert (await visit.confirm(token)).status == 303
    assert told(await try_token(visit, token)) == REFUSED


async def test_handle_and_token_are_kept_as_hashes_alone(world: World, visit: Visit, phone: Phone):
    wallet = WalletPage(world, await visit.minted())
    token = token_of(await wallet.prove(passkey_of(phone)))
    [row] = await world.platform.db.scan(_confirmations)
    assert {row.evidence, len(row.handle_sha256), len(row.token_sha256)} == {
        "same_device_webauthn",
        43,
    }
    assert not {wallet.path.rpartition("/")[2], token} & set(row)


async def test_two_assertions_at_once_give_one_token(world: World, visit: Visit, phone: Phone):
    handle = (await visit.minted()).rpartition("/")[2]
    strengthening = world.platform.identification.strengthening
    challenge = (await strengthening.options(handle))["challenge"]
    made = [parse_answer(answer(passkey_of(phone), challenge).encode()) for _ in range(4)]
    results = await asyncio.gather(
        *(strengthening.prove(handle, each, attachment=where) for each, where in made),
        return_exceptions=True,
    )
    refusals = [each for each in results if isinstance(each, ConfirmationRefused)]
    assert len(refusals) == 3
    proved = [each for each in results if not isinstance(each, BaseException)]
    results = await asyncio.gather(
        *(try_token(visit, proved[0].token) for _ in range(4)), return_exceptions=True
    )
    assert sorted(each.status for each in results if isinstance(each, Reply)) == [
        303,
        403,
        403,
        403,
    ]
    assert (await world.events()).count("identification.strengthened") == 1


async def test_between_the_proof_and_its_transaction(world: World, visit: Visit, phone: Phone):
    """What was true when the assertion was verified must still be true when it is written down."""
    parts = world.platform.identification._parts

    async def given_out() -> None:
        await visit.redeem((await visit.back())["return_code"])

    async def counted() -> None:
        rival = WalletPage(world, f"/s/{handle}")
        assert (await rival.prove(passkey_of(phone))).status == 303

    handle = (await visit.minted()).rpartition("/")[2]
    for between in (counted, given_out):
        if between is given_out:
            handle = (await visit.minted()).rpartition("/")[2]
        bent = replace(parts, db=Interposed(parts.db, between))
        challenge = (await Strengthening(parts).options(handle))["challenge"]
        made, where = parse_answer(answer(passkey_of(phone), challenge).encode())
        with pytest.raises(ConfirmationRefused):
            await Strengthening(bent).prove(handle, made, attachment=where)


async def test_nothing_is_asked_for_before_the_phone_has_answered(
    world: World, office: SystemCaller, browser: Browser, phone: Phone
):
    visit = await Visit.begun(office, browser, **STRONG)
    await visit.choose("frame")
    assert (await browser.send(f"{visit.path}/passkey", visit.path)).status == 403
    await phone.open_frame(await visit.frame())
    assert (await browser.send(f"{visit.path}/passkey", "/login")).status == 403
    await phone.refuse()
    assert (await browser.send(f"{visit.path}/passkey", "/login")).status == 403


async def test_after_the_answer_was_given_out(world: World, visit: Visit, phone: Phone):
    wallet = WalletPage(world, await visit.minted())
    challenge = (await wallet.options())["challenge"]
    token = token_of(await wallet.prove(passkey_of(phone)))
    strengthening = world.platform.identification.strengthening
    await visit.redeem((await visit.back())["return_code"])
    assert (
        await visit.browser.send(f"{visit.path}/confirm", "/login", confirmation=token)
    ).status == 403
    assert (await visit.browser.send(f"{visit.path}/passkey", "/login")).status == 403
    made, where = parse_answer(answer(passkey_of(phone), challenge).encode())
    with pytest.raises(ConfirmationRefused):
        await strengthening.prove(wallet.path.rpartition("/")[2], made, attachment=where)


async def test_the_minute_is_over(world: World, visit: Visit, phone: Phone, clock: StandingClock):
    wallet = WalletPage(world, await visit.minted())
    challenge = (await wallet.options())["challenge"]
    page = (await visit.see()).text
    token = token_of(await WalletPage(world, wallet.path).prove(passkey_of(phone)))
    clock.tick(60)
    assert told(await wallet.send(answer(passkey_of(phone), challenge))) == REFUSED
    assert (await wallet.see()).status == 403
    reply = await visit.browser.send(f"{visit.path}/confirm", "/login", confirmation=token)
    assert reply.status == 403
    assert "Confirm with the passkey" in page
    await world.platform.identification.purge()
    assert await world.platform.db.scan(_confirmations) == []


def _confirmations() -> Step[list[Any]]:
    rows: list[Any] = yield Query(sa.select(store.confirmation)).all()
    return rows


async def test_one_answer_for_whatever_is_wrong(
    world: World, visit: Visit, phone: Phone, clock: StandingClock
):
    """Unknown handle, a stranger's passkey, a used handle and one whose time is over look alike (threat 15)."""
    stranger = Authenticator(rp_id="wallet.localhost", origin="http://wallet.localhost:8480")
    challenge = "A" * 43
    wallet = WalletPage(world, await visit.minted())
    await wallet.see()
    unknown = WalletPage(world, "/s/" + "A" * 43, like=wallet)
    answers = [await unknown.prove(stranger, challenge=challenge)]
    answers.append(await wallet.prove(stranger))
    await wallet.prove(passkey_of(phone))
    answers.append(await wallet.prove(passkey_of(phone), challenge=challenge))
    clock.tick(60)
    answers.append(await wallet.prove(passkey_of(phone), challenge=challenge))
    problems = [reply.json() for reply in answers]
    for problem in problems:
        assert problem.pop("instance")
    assert all(problem == problems[0] for problem in problems), problems
    assert (await unknown.see()).status == (await wallet.see()).status == 403


async def test_a_revoked_phone_proves_nothing(world: World, visit: Visit, phone: Phone):
    wallet = WalletPage(world, await visit.minted())
    passkey = passkey_of(phone)
    challenge = (await wallet.options())["challenge"]
    await phone.show_presence()
    await phone.revoke(phone._parts.bound.phone)
    assert told(await wallet.prove(passkey, challenge=challenge)) == REFUSED
