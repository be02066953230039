"""Changing roles: by two administrators, never one's own, with an event for every row."""

from typing import Any

import pytest

from accounts.staff import CONSOLE, Device, accept, code_of, hire, invite, log_in, log_in_person
from inkan.accounts import (
    EVENT_PAIRS,
    AccountClosed,
    Accounts,
    AccountUnknown,
    Login,
    OwnProposal,
    Role,
    RolesRefused,
)
from inkan.audit import Audit
from inkan.crypto import jcs
from inkan.kernel.errors import Malformed

CHANGE = "accounts.change_roles"


def change(account: str, *roles: str) -> bytes:
    return jcs.canonical({"account": account, "roles": list(roles)})


async def admins(accounts: Accounts) -> tuple[Login, Login]:
    first, _ = await hire(accounts, Role.ADMINISTRATOR, name="adm1")
    second, _ = await hire(accounts, Role.ADMINISTRATOR, name="adm2")
    return first, second


async def test_two_administrators_change_the_roles_of_a_third_and_end_its_logins(
    accounts: Accounts,
) -> None:
    first, second = await admins(accounts)
    clerk, device = await hire(accounts, Role.AUDITOR, name="clerk")
    token = (await log_in(accounts, device)).token.reveal()
    proposal = await accounts.propose(CHANGE, change(clerk.account, "ca_officer"), by=first)
    assert await accounts.find_login(token) is not None
    await accounts.approve(proposal.id, by=second, seen=proposal.version)
    assert await accounts.find_login(token) is None
    assert (await accounts.account(clerk.account)).roles == {Role.CA_OFFICER}
    assert (await log_in(accounts, device)).login.roles == {Role.CA_OFFICER}


@pytest.mark.parametrize("whose", ["proposer", "approver"])
async def test_nobody_takes_part_in_changing_their_own_roles(
    accounts: Accounts, whose: str
) -> None:
    first, second = await admins(accounts)
    gains = first if whose == "proposer" else second
    content = change(gains.account, "administrator", "ca_officer")
    proposal = await accounts.propose(CHANGE, content, by=first)
    with pytest.raises(OwnProposal):
        await accounts.approve(proposal.id, by=second, seen=proposal.version)
    assert (await accounts.account(gains.account)).roles == {Role.ADMINISTRATOR}


@pytest.mark.parametrize(
    ("content", "refusal"),
    [
        (jcs.canonical({"account": "acc_x"}), Malformed),
        (jcs.canonical({"account": "acc_x", "roles": ["king"]}), Malformed),
        (jcs.canonical({"account": "acc_x", "roles": ["auditor"], "more": 1}), Malformed),
        (change("acc_x"), RolesRefused),
        (change("acc_x", "person"), RolesRefused),
        (change("acc_x", "auditor", "auditor"), RolesRefused),
    ],
)
async def test_a_change_that_could_not_be_carried_out_is_not_proposed(
    accounts: Accounts, content: bytes, refusal: Any
) -> None:
    first, _ = await admins(accounts)
    with pytest.raises(refusal):
        await accounts.propose(CHANGE, content, by=first)


async def test_roles_are_changed_for_staff_that_has_not_ended(accounts: Accounts) -> None:
    from inkan.kernel.ids import PersonID

    first, second = await admins(accounts)
    person = (await log_in_person(accounts, PersonID("ps_wang"))).login
    ended = await invite(accounts, name="gone")
    await accounts.end_account(ended.account, actor=CONSOLE)
    for account, refusal in (
        ("acc_nobody", AccountUnknown),
        (person.account, AccountUnknown),
        (ended.account, AccountClosed),
    ):
        proposal = await accounts.propose(CHANGE, change(account, "auditor"), by=first)
        with pytest.raises(refusal):
            await accounts.approve(proposal.id, by=second, seen=proposal.version)


async def test_every_row_has_its_event(accounts: Accounts, audit: Audit) -> None:
    first, second = await admins(accounts)
    clerk, device = await hire(accounts, Role.AUDITOR, name="clerk")
    token = (await log_in(accounts, device)).token.reveal()
    await accounts.log_out(token)
    for decide in (accounts.approve, accounts.refuse):
        proposal = await accounts.propose(CHANGE, change(clerk.account, "operator"), by=first)
        await decide(proposal.id, by=second, seen=1)
    again = await accounts.invite_again(clerk.account, handover=_in_person(), actor=CONSOLE)
    await accept(accounts, code_of(again), Device("newer"))
    await accounts.end_account(clerk.account, actor=CONSOLE)
    await log_in_person(accounts, _person())
    while await audit.sequence_once():
        pass
    report = await audit.verify([("accounts", query) for query in EVENT_PAIRS])
    assert report.findings == []


def _in_person() -> Any:
    from inkan.accounts import Handover

    return Handover.IN_PERSON


def _person() -> Any:
    from inkan.kernel.ids import PersonID

    return PersonID("ps_wang")
