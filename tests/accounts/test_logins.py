"""Logins: what they are, and every way in which one ends (threat 26), on both databases."""

import asyncio
from datetime import timedelta

import pytest

from accounts.staff import CONSOLE, hire, log_in, log_in_person
from inkan.accounts import (
    AccountClosed,
    AccountKind,
    Accounts,
    AnswerUsed,
    LoginRefused,
    LoginToken,
    Role,
)
from inkan.crypto import base64url
from inkan.kernel.ids import PersonID, SessionID, new_id
from inkan.notices import Notices, Template
from inkan.web.languages import Language
from inkan.web.principal import Assurance
from support.clock import START, StandingClock

PERSON = PersonID("ps_wang")


async def test_a_passkey_logs_its_owner_in(accounts: Accounts, clock: StandingClock) -> None:
    hired, device = await hire(accounts, Role.CA_OFFICER, Role.AUDITOR)
    clock.tick(60)
    token = await log_in(accounts, device)
    login = token.login
    assert login.account == hired.account
    assert login.kind is AccountKind.STAFF
    assert login.roles == {Role.CA_OFFICER, Role.AUDITOR}
    assert login.assurance is Assurance.PHISHING_RESISTANT
    assert login.verified_at == START + timedelta(seconds=60)
    assert await accounts.find_login(token.token.reveal()) == login


async def test_a_login_begins_without_saying_who_is_meant(accounts: Accounts) -> None:
    await hire(accounts)
    ceremony = await accounts.begin_login()
    assert ceremony.options["allowCredentials"] == []
    assert ceremony.options["rpId"] == "id.example"
    assert ceremony.options["userVerification"] == "required"
    assert len(base64url.decode(ceremony.options["challenge"])) == 32
    assert "extensions" not in ceremony.options


# --- the clocks ------------------------------------------------------------------------------------------


async def staff_token(accounts: Accounts) -> str:
    _, device = await hire(accounts)
    return (await log_in(accounts, device)).token.reveal()


async def person_token(accounts: Accounts) -> str:
    return (await log_in_person(accounts, PERSON)).token.reveal()


KINDS = {
    "staff": (staff_token, timedelta(seconds=600), timedelta(hours=8)),
    "person": (person_token, timedelta(seconds=1800), timedelta(hours=12)),
}


@pytest.mark.req("HCA-44")
@pytest.mark.parametrize("kind", KINDS)
async def test_an_idle_login_ends_to_the_second(
    accounts: Accounts, clock: StandingClock, kind: str
) -> None:
    make, idle, _ = KINDS[kind]
    token = await make(accounts)
    clock.tick(idle - timedelta(seconds=1))  # 599 s of silence: alive
    assert await accounts.find_login(token) is not None
    clock.tick(idle - timedelta(seconds=1))  # the clock was wound up
    assert await accounts.find_login(token) is not None
    clock.tick(idle + timedelta(seconds=1))  # 601 s of silence: ended
    assert await accounts.find_login(token) is None
    clock.tick(timedelta(seconds=1))
    assert await accounts.find_login(token) is None


async def test_a_burst_of_requests_does_not_shorten_the_idle_clock(
    accounts: Accounts, clock: StandingClock
) -> None:
    token = await staff_token(accounts)
    for _ in range(20):
        clock.tick(0.4)
        assert await accounts.find_login(token) is not None
    clock.tick(599)
    assert await accounts.find_login(token) is not None


@pytest.mark.parametrize("kind", KINDS)
async def test_a_busy_login_ends_all_the_same(
    accounts: Accounts, clock: StandingClock, kind: str
) -> None:
    make, idle, absolute = KINDS[kind]
    token = await make(accounts)
    step = idle - timedelta(seconds=1)
    for _ in range(absolute // step):
        clock.tick(step)
        assert await accounts.find_login(token) is not None
    clock.tick(absolute - (absolute // step) * step)
    assert await accounts.find_login(token) is None


# --- new token at login and step-up; old token dead --------------------------------------------------------


async def test_every_login_has_a_token_of_its_own_and_the_second_ends_the_first(
    accounts: Accounts,
) -> None:
    _, device = await hire(accounts)
    first, second = [(await log_in(accounts, device)).token.reveal() for _ in range(2)]
    assert first != second
    assert len(base64url.decode(first)) == 32
    assert await accounts.find_login(first) is None
    assert await accounts.find_login(second) is not None


@pytest.mark.race
async def test_of_rival_logins_of_one_account_one_stays(accounts: Accounts) -> None:
    _, device = await hire(accounts)
    ceremonies = [await accounts.begin_login() for _ in range(6)]
    answers = [(ceremony.id, device.get(ceremony)) for ceremony in ceremonies]
    tokens = await asyncio.gather(*(accounts.log_in(i, answer=a) for i, a in answers))
    alive = [await accounts.find_login(each.token.reveal()) for each in tokens]
    assert sum(each is not None for each in alive) == 1


async def test_a_step_up_is_a_new_login_with_a_new_token(
    accounts: Accounts, clock: StandingClock, notices: Notices
) -> None:
    login, device = await hire(accounts)
    first = await log_in(accounts, device)
    told = len(await notices.inbox(login.account, language=Language.EN))
    clock.tick(500)
    second = await log_in(accounts, device, replaces=first.token.reveal())
    assert second.login.id != first.login.id
    assert second.login.verified_at == clock.now()
    assert await accounts.find_login(first.token.reveal()) is None
    # The owner is told of logins, not of steps within one
    assert len(await notices.inbox(login.account, language=Language.EN)) == told


async def test_a_person_may_use_two_browsers_and_each_browser_holds_one_login(
    accounts: Accounts,
) -> None:
    first = (await log_in_person(accounts, PERSON)).token.reveal()
    second = (await log_in_person(accounts, PERSON)).token.reveal()
    third = (await log_in_person(accounts, PERSON, replaces=second)).token.reveal()
    alive = [await accounts.find_login(token) is not None for token in (first, second, third)]
    assert alive == [True, False, True]


async def test_a_login_in_a_browser_ends_whoever_was_logged_in_there(accounts: Accounts) -> None:
    token = (await log_in_person(accounts, PERSON)).token.reveal()
    await log_in_person(accounts, PersonID("ps_lin"), replaces=token)
    assert await accounts.find_login(token) is None


async def test_the_owner_of_a_staff_account_is_told_of_a_login(
    accounts: Accounts, notices: Notices
) -> None:
    login, device = await hire(accounts)
    await log_in(accounts, device)
    told = [each.template for each in await notices.inbox(login.account, language=Language.EN)]
    assert told.count(Template.LOGIN) == 2


# --- the end -------------------------------------------------------------------------------------------------


async def test_logging_out_ends_the_login_on_the_platform(accounts: Accounts) -> None:
    token = await staff_token(accounts)
    assert await accounts.log_out(token)
    assert await accounts.find_login(token) is None
    assert not await accounts.log_out(token)
    assert not await accounts.log_out("A" * 43)


async def test_the_end_of_an_account_ends_its_logins_and_passkeys(accounts: Accounts) -> None:
    hired, device = await hire(accounts)
    token = (await log_in(accounts, device)).token.reveal()
    await accounts.end_account(hired.account, actor=CONSOLE)
    assert await accounts.find_login(token) is None
    with pytest.raises(LoginRefused):
        await log_in(accounts, device)
    with pytest.raises(AccountClosed):
        await accounts.end_account(hired.account, actor=CONSOLE)


async def test_a_person_whose_account_ended_does_not_log_in(accounts: Accounts) -> None:
    login = (await log_in_person(accounts, PERSON)).login
    await accounts.end_account(login.account, actor=CONSOLE)
    with pytest.raises(AccountClosed):
        await log_in_person(accounts, PERSON)


@pytest.mark.parametrize("token", ["", "A" * 43, "x" * 10_000, "\u202e", "acc_1"])
async def test_a_made_up_token_finds_nobody(accounts: Accounts, token: str) -> None:
    await hire(accounts)
    assert await accounts.find_login(token) is None


@pytest.mark.race
async def test_a_logout_wins_over_requests_under_way(accounts: Accounts) -> None:
    token = await staff_token(accounts)
    asked = [accounts.find_login(token) for _ in range(6)]
    await asyncio.gather(accounts.log_out(token), *asked)
    assert await accounts.find_login(token) is None


# --- persons -----------------------------------------------------------------------------------------------


async def test_a_person_logs_in_by_what_others_have_verified(accounts: Accounts) -> None:
    login = (await log_in_person(accounts, PERSON)).login
    assert (login.kind, login.person) == (AccountKind.PERSON, PERSON)
    assert login.roles == {Role.PERSON}
    assert login.assurance is Assurance.TWO_FACTORS
    again = (await log_in_person(accounts, PERSON, assurance=Assurance.PHISHING_RESISTANT)).login
    assert again.account == login.account
    assert again.assurance is Assurance.PHISHING_RESISTANT


@pytest.mark.race
async def test_rival_first_logins_of_a_person_share_one_account(accounts: Accounts) -> None:
    tokens = await asyncio.gather(*(log_in_person(accounts, PERSON) for _ in range(8)))
    assert len({token.login.account for token in tokens}) == 1


# --- one answer, one login --------------------------------------------------------------------------------


async def test_a_session_opens_one_login_also_after_its_end(accounts: Accounts) -> None:
    session = SessionID(new_id("ses"))
    token = (await accounts.login_person(PERSON, session=session)).token.reveal()
    for person in (PERSON, PersonID("ps_lin")):
        with pytest.raises(AnswerUsed):
            await accounts.login_person(person, session=session)
    assert await accounts.log_out(token)
    with pytest.raises(AnswerUsed):
        await accounts.login_person(PERSON, session=session)


@pytest.mark.race
async def test_of_rivals_with_one_session_one_is_logged_in(accounts: Accounts) -> None:
    session = SessionID(new_id("ses"))
    tries = [accounts.login_person(PERSON, session=session) for _ in range(6)]
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(end, AnswerUsed) for end in ends) == 5
    assert sum(isinstance(end, LoginToken) for end in ends) == 1


async def test_a_refused_session_does_not_end_the_login_that_the_browser_had(
    accounts: Accounts,
) -> None:
    session = SessionID(new_id("ses"))
    token = (await accounts.login_person(PERSON, session=session)).token.reveal()
    with pytest.raises(AnswerUsed):
        await accounts.login_person(PERSON, session=session, replaces=token)
    assert await accounts.find_login(token) is not None
