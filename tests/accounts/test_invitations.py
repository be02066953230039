"""Invitations: made, mailed, accepted once, repeated when a passkey is lost."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accounts.staff import (
    CONSOLE,
    ORIGIN,
    Device,
    accept,
    code_of,
    hire,
    invite,
    log_in,
    log_in_person,
)
from inkan.accounts import (
    AccountClosed,
    AccountExists,
    AccountNameRefused,
    Accounts,
    AccountState,
    AccountUnknown,
    CeremonyEnded,
    Handover,
    InviteUnknown,
    LoginRefused,
    PasskeyTaken,
    Role,
    RolesRefused,
)
from inkan.crypto.webauthn import RegistrationRefused
from inkan.kernel.ids import PersonID
from inkan.notices import Notices, Template, parse_mail_address
from inkan.people import MyNumberRefused
from inkan.store.database import Database
from inkan.store.outbox import Outbox
from inkan.web.languages import Language
from support.authenticator import UP
from support.clock import START, StandingClock

MAIL = parse_mail_address("chen@example.org")


async def test_an_invitation_makes_an_account_that_waits(accounts: Accounts) -> None:
    invitation = await invite(accounts, Role.ADMINISTRATOR, Role.AUDITOR)
    (account,) = await accounts.staff()
    assert account.id == invitation.account
    assert account.state is AccountState.INVITED
    assert account.roles == {Role.ADMINISTRATOR, Role.AUDITOR}
    assert account.name is not None
    assert account.name.reveal() == "陳美"
    assert invitation.link is not None
    assert invitation.link.reveal().startswith(f"{ORIGIN}/staff/invite#")
    assert invitation.expires_at == START + timedelta(minutes=10)


async def test_accepting_makes_the_passkey_and_logs_in(accounts: Accounts) -> None:
    invitation = await invite(accounts)
    ceremony = await accounts.begin_acceptance(code_of(invitation))
    assert ceremony.options["rp"] == {"id": "id.example", "name": "Inkan"}
    assert ceremony.options["user"]["name"] == "陳美"
    assert ceremony.options["authenticatorSelection"]["userVerification"] == "required"
    device = Device()
    token = await accounts.accept(
        code_of(invitation), ceremony=ceremony.id, answer=device.create(ceremony)
    )
    assert token.login.account == invitation.account
    assert device.handle == invitation.account.encode()
    assert (await accounts.account(invitation.account)).state is AccountState.ACTIVE
    assert (await log_in(accounts, device)).login.account == invitation.account


async def test_accepting_ends_what_the_browser_was_logged_in_by(accounts: Accounts) -> None:
    before = (await log_in_person(accounts, PersonID("ps_wang"))).token.reveal()
    invitation = await invite(accounts)
    await accept(accounts, code_of(invitation), Device(), replaces=before)
    assert await accounts.find_login(before) is None


async def test_a_mailed_invitation_is_seen_by_the_invited_alone(
    accounts: Accounts, database: Database, notices: Notices, spool: Path
) -> None:
    invitation = await invite(accounts, mail=MAIL, language=Language.JA)
    assert invitation.link is None
    assert invitation.expires_at == START + timedelta(hours=24)
    await Outbox(database, notices.handlers).run_due()
    text = read_spool(spool)
    assert "To: chen@example.org" in text
    code = text.partition(f"{ORIGIN}/staff/invite#")[2][:43]
    token = await accept(accounts, code, Device())
    assert token.login.account == invitation.account


def read_spool(spool: Path) -> str:
    (path,) = spool.iterdir()
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("how", "life"),
    [({}, timedelta(minutes=10)), ({"mail": MAIL}, timedelta(hours=24))],
    ids=["in person", "mail"],
)
async def test_an_invitation_ends_to_the_second(
    accounts: Accounts,
    database: Database,
    notices: Notices,
    clock: StandingClock,
    how: dict[str, Any],
    life: timedelta,
) -> None:
    invitation = await invite(accounts, **how)
    if how:
        (told,) = await notices.inbox(invitation.account, language=Language.EN)
        code = told.text.reveal().partition("#")[2][:43]
    else:
        code = code_of(invitation)
    clock.tick(life - timedelta(seconds=1))
    assert await accounts.begin_acceptance(code)
    clock.tick(1)
    with pytest.raises(InviteUnknown):
        await accounts.begin_acceptance(code)


async def test_an_invitation_that_runs_out_while_it_is_accepted_is_refused(
    accounts: Accounts, clock: StandingClock
) -> None:
    code = code_of(await invite(accounts))
    clock.tick(599)
    ceremony = await accounts.begin_acceptance(code)
    clock.tick(2)
    with pytest.raises(InviteUnknown):
        await accounts.accept(code, ceremony=ceremony.id, answer=Device().create(ceremony))


@pytest.mark.parametrize("code", ["", "x", "A" * 43, "A" * 10_000])
async def test_a_made_up_code_opens_nothing(accounts: Accounts, code: str) -> None:
    await invite(accounts)
    with pytest.raises(InviteUnknown):
        await accounts.begin_acceptance(code)


async def test_an_invitation_is_used_once(accounts: Accounts) -> None:
    code = code_of(await invite(accounts))
    ceremony = await accounts.begin_acceptance(code)
    await accept(accounts, code, Device())
    with pytest.raises(InviteUnknown):
        await accounts.begin_acceptance(code)
    with pytest.raises(InviteUnknown):
        await accounts.accept(code, ceremony=ceremony.id, answer=Device("thief").create(ceremony))


@pytest.mark.race
async def test_of_rival_acceptances_one_wins(accounts: Accounts) -> None:
    code = code_of(await invite(accounts))
    devices = [Device(f"rival{n}") for n in range(8)]
    ceremonies = [await accounts.begin_acceptance(code) for _ in devices]
    answers = await asyncio.gather(
        *(
            accounts.accept(code, ceremony=ceremony.id, answer=device.create(ceremony))
            for device, ceremony in zip(devices, ceremonies, strict=True)
        ),
        return_exceptions=True,
    )
    won = [n for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
    assert len(won) == 1
    assert {type(answer) for answer in answers if isinstance(answer, Exception)} == {InviteUnknown}
    for number, device in enumerate(devices):
        if number in won:
            assert await log_in(accounts, device)
        else:
            with pytest.raises(LoginRefused):
                await log_in(accounts, device)


@pytest.mark.race
async def test_the_same_answer_twice_at_once_is_taken_once(accounts: Accounts) -> None:
    code = code_of(await invite(accounts))
    ceremony = await accounts.begin_acceptance(code)
    answer = Device().create(ceremony)
    answers = await asyncio.gather(
        *(accounts.accept(code, ceremony=ceremony.id, answer=answer) for _ in range(4)),
        return_exceptions=True,
    )
    assert sum(not isinstance(each, Exception) for each in answers) == 1


async def test_an_answer_belongs_to_the_invitation_that_asked(accounts: Accounts) -> None:
    mine, other = [code_of(await invite(accounts, name=name)) for name in ("a", "b")]
    ceremony = await accounts.begin_acceptance(other)
    with pytest.raises(CeremonyEnded):
        await accounts.accept(mine, ceremony=ceremony.id, answer=Device().create(ceremony))


@pytest.mark.parametrize(
    "bent",
    [{"origin": "https://evil.example"}, {"flags": UP}, {"rp_id": "wallet.example"}],
    ids=["origin", "nobody verified", "RP ID"],
)
async def test_a_bent_registration_is_refused_and_uses_nothing_up(
    accounts: Accounts, bent: dict[str, Any]
) -> None:
    code = code_of(await invite(accounts))
    ceremony = await accounts.begin_acceptance(code)
    device = Device()
    with pytest.raises(RegistrationRefused):
        await accounts.accept(code, ceremony=ceremony.id, answer=device.create(ceremony, **bent))
    good = await accounts.accept(code, ceremony=ceremony.id, answer=device.create(ceremony))
    assert good.login


async def test_a_passkey_belongs_to_one_account(accounts: Accounts) -> None:
    _, device = await hire(accounts, name="chen")
    code = code_of(await invite(accounts, name="lin"))
    with pytest.raises(PasskeyTaken):
        await accept(accounts, code, device)
    assert await accept(accounts, code, Device("lin"))


# --- who may be invited ----------------------------------------------------------------------------------


async def test_one_mail_address_is_one_account(accounts: Accounts) -> None:
    first = await invite(accounts, mail=MAIL)
    with pytest.raises(AccountExists):
        await invite(accounts, name="second", mail=MAIL)
    await accounts.end_account(first.account, actor=CONSOLE)
    assert await invite(accounts, name="third", mail=MAIL)


async def test_what_no_account_can_be_is_refused(accounts: Accounts) -> None:
    with pytest.raises(RolesRefused):
        await invite(accounts, Role.PERSON)
    with pytest.raises(AccountNameRefused):
        await invite(accounts, name="")
    with pytest.raises(MyNumberRefused):
        await invite(accounts, name="123456789018")
    assert await accounts.staff() == []


# --- again -----------------------------------------------------------------------------------------------


async def test_a_lost_passkey_is_replaced_and_its_logins_end(
    accounts: Accounts, notices: Notices
) -> None:
    hired, lost = await hire(accounts)
    open_login = await log_in(accounts, lost)
    again = await accounts.invite_again(hired.account, handover=Handover.IN_PERSON, actor=CONSOLE)
    # Until it is accepted nothing changes: an invitation alone locks nobody out
    assert await accounts.find_login(open_login.token.reveal()) is not None
    new = Device("new")
    await accept(accounts, code_of(again), new)
    assert await accounts.find_login(open_login.token.reveal()) is None
    with pytest.raises(LoginRefused):
        await log_in(accounts, lost)
    assert (await log_in(accounts, new)).login.account == hired.account
    told = [each.template for each in await notices.inbox(hired.account, language=Language.EN)]
    assert told.count(Template.PASSKEY_ADDED) == 2


async def test_a_new_invitation_withdraws_the_one_before(accounts: Accounts) -> None:
    first = await invite(accounts)
    again = await accounts.invite_again(first.account, handover=Handover.IN_PERSON, actor=CONSOLE)
    with pytest.raises(InviteUnknown):
        await accounts.begin_acceptance(code_of(first))
    assert await accept(accounts, code_of(again), Device())


async def test_only_staff_that_has_not_ended_is_invited_again(accounts: Accounts) -> None:
    hired, _ = await hire(accounts)
    await accounts.end_account(hired.account, actor=CONSOLE)
    with pytest.raises(AccountClosed):
        await accounts.invite_again(hired.account, handover=Handover.IN_PERSON, actor=CONSOLE)
    person = (await log_in_person(accounts, PersonID("ps_wang"))).login
    for account in ("acc_nobody", person.account):
        with pytest.raises(AccountUnknown):
            await accounts.invite_again(account, handover=Handover.MAIL, actor=CONSOLE)


async def test_an_ended_account_is_not_accepted(accounts: Accounts) -> None:
    invitation = await invite(accounts)
    ceremony = await accounts.begin_acceptance(code_of(invitation))
    await accounts.end_account(invitation.account, actor=CONSOLE)
    with pytest.raises(InviteUnknown):
        await accounts.accept(
            code_of(invitation), ceremony=ceremony.id, answer=Device().create(ceremony)
        )
    with pytest.raises(AccountUnknown):
        await accounts.end_account("acc_nobody", actor=CONSOLE)
    with pytest.raises(AccountUnknown):
        await accounts.account("acc_nobody")
