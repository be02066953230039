"""Four eyes: proposed by one, approved by another, done once or not at all."""

import asyncio
from datetime import timedelta

import pytest

from accounts.rows import rows_of
from accounts.staff import CONSOLE, ORIGIN, RP_ID, hire, log_in_person
from inkan.accounts import (
    AccountClosed,
    Accounts,
    FourEyes,
    Login,
    OwnProposal,
    Proposal,
    ProposalClosed,
    ProposalState,
    ProposalUnknown,
    Role,
)
from inkan.audit import Audit
from inkan.crypto import jcs
from inkan.crypto.jcs import NotCanonical
from inkan.kernel.errors import Conflict, InkanError
from inkan.kernel.ids import EventID
from inkan.notices import Notices
from inkan.store.database import Database, Step
from inkan.store.sealing import Sealer
from inkan.web.principal import RoleMissing
from support.clock import StandingClock

ACT = "tests.open_vault"
CHANGE = "accounts.change_roles"
CONTENT = jcs.canonical({"vault": "one"})


class Vault:
    """An act that writes down how often it was carried out, in the transaction of the approval."""

    def __init__(self, notices: Notices) -> None:
        self.notices = notices
        self.fails = False

    def open(self, proposal: Proposal, event: EventID) -> Step[None]:
        if self.fails:
            raise Conflict("the vault is stuck")
        assert event
        yield from self.notices.notify("vault", "phone_bound", {"phone": proposal.id})


@pytest.fixture
def vault(notices: Notices) -> Vault:
    return Vault(notices)


@pytest.fixture
def accounts(
    database: Database,
    audit: Audit,
    sealer: Sealer,
    notices: Notices,
    clock: StandingClock,
    vault: Vault,
) -> Accounts:
    act = FourEyes(
        use_case=ACT,
        proposers=frozenset({Role.CA_OFFICER, Role.OPERATOR}),
        approvers=frozenset({Role.CA_OFFICER}),
        verify=lambda content: content,
        carry_out=vault.open,
        source="a test",
    )
    return Accounts(
        db=database,
        audit=audit,
        sealer=sealer,
        notices=notices,
        clock=clock,
        rp_id=RP_ID,
        origin=ORIGIN,
        four_eyes=[act],
    )


async def opened(notices: Notices) -> int:
    from inkan.web.languages import Language

    return len(await notices.inbox("vault", language=Language.EN))


async def three(accounts: Accounts) -> tuple[Login, Login, Login]:
    """An operator who may propose, and two CA officers."""
    roles = {"op": Role.OPERATOR, "one": Role.CA_OFFICER, "two": Role.CA_OFFICER}
    logins = [(await hire(accounts, role, name=name))[0] for name, role in roles.items()]
    return logins[0], logins[1], logins[2]


async def test_an_act_is_proposed_by_one_and_carried_out_by_the_approval_of_another(
    accounts: Accounts, notices: Notices, clock: StandingClock
) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    assert proposal.state is ProposalState.OPEN
    assert proposal.expires_at == clock.now() + timedelta(days=7)
    assert await accounts.proposals() == [proposal]
    assert await opened(notices) == 0
    approved = await accounts.approve(proposal.id, by=officer, seen=proposal.version)
    assert approved.state is ProposalState.APPROVED
    assert approved.decided_by == officer.account
    assert approved.content == CONTENT
    assert await opened(notices) == 1
    assert await accounts.proposals() == []


async def test_nobody_decides_their_own_proposal(accounts: Accounts, notices: Notices) -> None:
    _, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=officer)
    with pytest.raises(OwnProposal):
        await accounts.approve(proposal.id, by=officer, seen=proposal.version)
    with pytest.raises(OwnProposal):
        await accounts.refuse(proposal.id, by=officer, seen=proposal.version)
    assert await opened(notices) == 0


async def test_the_right_role_is_needed_on_both_sides(accounts: Accounts) -> None:
    operator, officer, _ = await three(accounts)
    auditor, _ = await hire(accounts, Role.AUDITOR, name="aud")
    with pytest.raises(RoleMissing):
        await accounts.propose(ACT, CONTENT, by=auditor)
    proposal = await accounts.propose(ACT, CONTENT, by=officer)
    for login in (operator, auditor):
        with pytest.raises(RoleMissing):
            await accounts.approve(proposal.id, by=login, seen=proposal.version)
        with pytest.raises(RoleMissing):
            await accounts.refuse(proposal.id, by=login, seen=proposal.version)


async def test_a_person_proposes_nothing(accounts: Accounts) -> None:
    from inkan.kernel.ids import PersonID

    login = (await log_in_person(accounts, PersonID("ps_wang"))).login
    with pytest.raises(RoleMissing):
        await accounts.propose(ACT, CONTENT, by=login)


@pytest.mark.race
async def test_of_rival_approvals_one_carries_it_out(accounts: Accounts, notices: Notices) -> None:
    operator, one, two = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    rivals = [
        accounts.approve(proposal.id, by=login, seen=proposal.version)
        for login in (one, two, one, two)
    ]
    answers = await asyncio.gather(*rivals, return_exceptions=True)
    assert sum(isinstance(answer, Proposal) for answer in answers) == 1
    assert {type(a) for a in answers if isinstance(a, Exception)} == {ProposalClosed}
    assert await opened(notices) == 1


@pytest.mark.race
async def test_approval_and_refusal_at_once_leave_one_decision(
    accounts: Accounts, notices: Notices
) -> None:
    operator, one, two = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    await asyncio.gather(
        accounts.approve(proposal.id, by=one, seen=1),
        accounts.refuse(proposal.id, by=two, seen=1),
        accounts.withdraw(proposal.id, by=operator),
        return_exceptions=True,
    )
    decided = await accounts.proposal(proposal.id)
    assert decided.version == 2
    assert await opened(notices) == (1 if decided.state is ProposalState.APPROVED else 0)


async def test_another_version_than_the_approver_read_is_not_approved(
    accounts: Accounts,
) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    with pytest.raises(ProposalClosed):
        await accounts.approve(proposal.id, by=officer, seen=proposal.version + 1)


@pytest.mark.parametrize(
    ("age", "holds"), [(timedelta(days=7) - timedelta(seconds=1), True), (timedelta(days=7), False)]
)
async def test_a_proposal_lives_seven_days(
    accounts: Accounts, clock: StandingClock, age: timedelta, holds: bool
) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    clock.tick(age)
    attempt = accounts.approve(proposal.id, by=officer, seen=proposal.version)
    if holds:
        assert (await attempt).state is ProposalState.APPROVED
        return
    with pytest.raises(ProposalClosed):
        await attempt
    assert await accounts.proposals() == []
    await accounts.purge()
    assert (await accounts.proposal(proposal.id)).state is ProposalState.EXPIRED
    with pytest.raises(ProposalClosed):
        await accounts.withdraw(proposal.id, by=operator)


async def test_what_fails_was_not_approved(
    accounts: Accounts, notices: Notices, vault: Vault
) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    vault.fails = True
    with pytest.raises(Conflict):
        await accounts.approve(proposal.id, by=officer, seen=proposal.version)
    assert (await accounts.proposal(proposal.id)).state is ProposalState.OPEN
    vault.fails = False
    await accounts.approve(proposal.id, by=officer, seen=proposal.version)
    assert await opened(notices) == 1


async def test_refused_and_withdrawn_proposals_stay_so(
    accounts: Accounts, notices: Notices
) -> None:
    operator, officer, other = await three(accounts)
    refused = await accounts.propose(ACT, CONTENT, by=operator)
    withdrawn = await accounts.propose(ACT, CONTENT, by=operator)
    assert (await accounts.refuse(refused.id, by=officer, seen=1)).state is ProposalState.REFUSED
    with pytest.raises(ProposalUnknown):
        await accounts.withdraw(withdrawn.id, by=officer)
    assert (await accounts.withdraw(withdrawn.id, by=operator)).state is ProposalState.WITHDRAWN
    for closed in (refused, withdrawn):
        for seen in (1, 2):
            with pytest.raises(ProposalClosed):
                await accounts.approve(closed.id, by=other, seen=seen)
    assert await opened(notices) == 0
    with pytest.raises(ProposalUnknown):
        await accounts.approve("prp_nothing", by=officer, seen=1)


async def test_the_approver_is_judged_by_the_roles_of_now(accounts: Accounts) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    await accounts.end_account(officer.account, actor=CONSOLE)
    with pytest.raises(AccountClosed):
        await accounts.approve(proposal.id, by=officer, seen=proposal.version)


async def test_a_proposal_dies_with_its_proposers_right(
    accounts: Accounts, notices: Notices
) -> None:
    operator, officer, _ = await three(accounts)
    proposal = await accounts.propose(ACT, CONTENT, by=operator)
    await accounts.end_account(operator.account, actor=CONSOLE)
    with pytest.raises(ProposalClosed):
        await accounts.approve(proposal.id, by=officer, seen=proposal.version)
    assert await opened(notices) == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"b":1,"a":2}', b'{"a":1.5}', b"x" * 70_000])
async def test_only_canonical_json_is_proposed(accounts: Accounts, content: bytes) -> None:
    operator, _, _ = await three(accounts)
    with pytest.raises(InkanError) as refused:
        await accounts.propose(ACT, content, by=operator)
    assert isinstance(refused.value, NotCanonical) or refused.value.code == "json_too_large"


async def test_an_act_that_nobody_registered_is_a_mistake(accounts: Accounts) -> None:
    operator, _, _ = await three(accounts)
    with pytest.raises(KeyError):
        await accounts.propose("tests.unheard", CONTENT, by=operator)


def test_an_act_stands_once(accounts: Accounts) -> None:
    twice = accounts.four_eyes[ACT]
    with pytest.raises(ValueError, match="stands twice"):
        Accounts(
            db=None,  # type: ignore[arg-type]
            audit=None,  # type: ignore[arg-type]
            sealer=None,  # type: ignore[arg-type]
            notices=None,  # type: ignore[arg-type]
            clock=None,  # type: ignore[arg-type]
            rp_id=RP_ID,
            origin=ORIGIN,
            four_eyes=[twice, FourEyes(**{s: getattr(twice, s) for s in twice.__slots__})],
        )


async def test_a_proposals_content_is_sealed(accounts: Accounts, database: Database) -> None:
    from inkan.accounts import store

    operator, _, _ = await three(accounts)
    content = jcs.canonical({"name": "canary"})
    proposal = await accounts.propose(ACT, content, by=operator)
    (row,) = await database.read(rows_of(store.proposal))
    assert b"canary" not in row.content
    assert (await accounts.proposal(proposal.id)).content == content
