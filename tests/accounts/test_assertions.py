"""Logging in by a passkey: every check of an assertion, and the challenge that it answers once."""

import asyncio
from typing import Any

import pytest

from accounts.staff import CONSOLE, ORIGIN, Device, code_of, hire, invite, log_in
from inkan.accounts import (
    Accounts,
    CeremonyEnded,
    LoginRefused,
)
from inkan.kernel.errors import InkanError, Malformed
from inkan.store.database import Database, Step
from support.authenticator import BE, UP, UV
from support.clock import StandingClock

HANDLE_OF_ANOTHER = b"acc_somebodyelse"


# --- the assertion (WebAuthn §7.2; security.md, WebAuthn table) ----------------------------------------

BENT: dict[str, dict[str, Any]] = {
    "another origin": {"origin": "https://id.example.evil"},
    "another kind of ceremony": {"kind": "webauthn.create"},
    "in a frame": {"extra": {"crossOrigin": True}},
    "another RP ID": {"rp_id": "example"},
    "nobody present": {"flags": UV},
    "nobody verified": {"flags": UP},
    "became copyable": {"flags": UP | UV | BE},
    "another owner": {"user_handle": HANDLE_OF_ANOTHER},
    "another key": {"key": Device("thief").authenticator.key},
}


@pytest.mark.parametrize("bent", BENT.values(), ids=BENT)
async def test_a_bent_assertion_is_refused(accounts: Accounts, bent: dict[str, Any]) -> None:
    _, device = await hire(accounts)
    ceremony = await accounts.begin_login()
    with pytest.raises(LoginRefused):
        await accounts.log_in(ceremony.id, answer=device.get(ceremony, **bent))


async def test_all_refusals_of_a_passkey_look_alike(accounts: Accounts) -> None:
    hired, device = await hire(accounts)
    seen = set()
    for other, bent in ((Device("stranger"), {}), (device, {"flags": UP})):
        ceremony = await accounts.begin_login()
        with pytest.raises(LoginRefused) as refused:
            await accounts.log_in(ceremony.id, answer=other.get(ceremony, **bent))
        seen.add((refused.value.code, str(refused.value), str(refused.value.public_facts)))
    await accounts.end_account(hired.account, actor=CONSOLE)
    ceremony = await accounts.begin_login()
    with pytest.raises(LoginRefused) as refused:
        await accounts.log_in(ceremony.id, answer=device.get(ceremony))
    seen.add((refused.value.code, str(refused.value), str(refused.value.public_facts)))
    assert len(seen) == 1


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"id": 1}',
        b'{"id":"AAAA","type":"password","response":{"clientDataJSON":"","authenticatorData":"","signature":""}}',
        b'{"id":"A=","type":"public-key","response":{"clientDataJSON":"","authenticatorData":"","signature":""}}',
        b"\xff" * 64,
        b"[" * 40_000,
    ],
)
async def test_an_unreadable_answer_is_refused(accounts: Accounts, answer: bytes) -> None:
    ceremony = await accounts.begin_login()
    with pytest.raises(InkanError) as refused:
        await accounts.log_in(ceremony.id, answer=answer)
    assert refused.value.code in {"malformed", "base64url_malformed", "too_large"}


async def test_the_counter_is_remembered_and_a_lower_one_is_noted(
    accounts: Accounts, database: Database
) -> None:
    from inkan.accounts import store
    from inkan.store.query import Query

    _, device = await hire(accounts)
    device.authenticator.sign_count = 40
    await log_in(accounts, device)
    device.authenticator.sign_count = 6
    await log_in(accounts, device)  # a risk signal, not a refusal (WebAuthn §7.2)
    query = Query(store.passkey.select())

    def read() -> Step[Any]:
        return (yield query.one())

    assert (await database.read(read)).sign_count == 41


# --- the challenge -------------------------------------------------------------------------------------


async def test_a_challenge_is_answered_once(accounts: Accounts) -> None:
    _, device = await hire(accounts)
    ceremony = await accounts.begin_login()
    answer = device.get(ceremony)
    await accounts.log_in(ceremony.id, answer=answer)
    with pytest.raises(CeremonyEnded):
        await accounts.log_in(ceremony.id, answer=answer)


@pytest.mark.race
async def test_of_rival_answers_one_logs_in(accounts: Accounts) -> None:
    _, device = await hire(accounts)
    ceremony = await accounts.begin_login()
    answer = device.get(ceremony)
    rivals = [accounts.log_in(ceremony.id, answer=answer) for _ in range(8)]
    answers = await asyncio.gather(*rivals, return_exceptions=True)
    assert sum(not isinstance(each, Exception) for each in answers) == 1
    assert {type(each) for each in answers if isinstance(each, Exception)} == {CeremonyEnded}


@pytest.mark.parametrize(("age_s", "holds"), [(299, True), (300, False)])
async def test_a_challenge_lives_five_minutes(
    accounts: Accounts, clock: StandingClock, age_s: int, holds: bool
) -> None:
    _, device = await hire(accounts)
    ceremony = await accounts.begin_login()
    clock.tick(age_s)
    attempt = accounts.log_in(ceremony.id, answer=device.get(ceremony))
    if holds:
        assert (await attempt).login
    else:
        with pytest.raises(CeremonyEnded):
            await attempt


async def test_a_challenge_serves_one_purpose(accounts: Accounts) -> None:
    _, device = await hire(accounts)
    again = await invite(accounts, name="other")
    ceremony = await accounts.begin_acceptance(code_of(again))
    with pytest.raises(CeremonyEnded):
        await accounts.log_in(ceremony.id, answer=device.get(ceremony))
    with pytest.raises(CeremonyEnded):
        await accounts.log_in("cer_nothing", answer=device.get(ceremony))


async def test_an_answer_for_another_site_of_the_same_device_is_refused(
    accounts: Accounts,
) -> None:
    _, device = await hire(accounts)
    ceremony = await accounts.begin_login()
    answer = device.get(ceremony, origin=ORIGIN.replace("https", "http"))
    with pytest.raises(LoginRefused):
        await accounts.log_in(ceremony.id, answer=answer)
    with pytest.raises(Malformed):
        await accounts.log_in(ceremony.id, answer=b"[]")
