"""Four eyes: one person proposes an act, another approves it, and the approval carries it out.

Numbered plan of an approval:

1. the proposal exists, and the act is one that needs two;
2. the approver's account is active now and holds one of the approving roles now, whatever the login says;
3. the approver is not the proposer (and neither is who gains by it: the act's own check);
4. the proposer's account is still active and still holds a proposing role;
5. compare-and-set: still open, the version that was read, within seven days;
6. the act is carried out in the same transaction: approved and done are one.
"""

import hashlib
from collections.abc import Mapping

from inkan.accounts import store
from inkan.accounts.model import (
    Account,
    AccountState,
    Login,
    OwnProposal,
    Proposal,
    ProposalClosed,
    ProposalState,
    ProposalStep,
    ProposalUnknown,
    Role,
)
from inkan.accounts.ports import FourEyes
from inkan.accounts.rules import PROPOSAL_LIFE
from inkan.accounts.service.parts import PLATFORM, Parts, actor_of, hold_account
from inkan.audit import Actor
from inkan.crypto import base64url, jcs
from inkan.kernel.ids import AccountID, EventID, new_id
from inkan.store.database import MOMENT, Step
from inkan.store.plan import Row
from inkan.web.principal import RoleMissing

CONTENT_LIMIT = 64 * 1024

Acts = Mapping[str, FourEyes]


def propose(
    parts: Parts, acts: Acts, use_case: str, content: bytes, *, by: Login
) -> Step[Proposal]:
    """Step: lay an act before a second pair of eyes.

    Args:
        parts: the feature's dependencies.
        acts: the acts that need two, by use case.
        use_case: the act.
        content: canonical JSON (RFC 8785) of what is to be done; sealed, because it may be personal.
        by: the proposer's login.

    Raises:
        NotCanonical, JSONTooLarge: the content is no canonical JSON, or larger than 64 KiB.
        Malformed: it is not what the act needs.
        RoleMissing: the proposer holds no proposing role.
        AccountClosed: the proposer's account has ended.
        KeyError: no such act, a mistake of the program.
    """
    act = acts[use_case]
    jcs.parse_canonical(content, limit=CONTENT_LIMIT)
    act.verify(content)
    yield from _require_role(parts, by.account, act.proposers, use_case)
    moment = yield MOMENT
    proposal_id = new_id("prp")
    event = yield from parts.audit.record(
        "accounts.proposed",
        actor=actor_of(by),
        object=proposal_id,
        details={"use_case": use_case, "content_sha256": _digest(content)},
    )
    yield store.INSERT_PROPOSAL.run(
        id=proposal_id,
        use_case=use_case,
        content=parts.sealer.seal(store.CONTENT, proposal_id, content),
        state=ProposalState.OPEN,
        proposer=by.account,
        decided_by=None,
        proposed_at=moment,
        expires_at=moment + PROPOSAL_LIFE,
        version=1,
        event_id=event,
    )
    return (yield from get_proposal(parts, proposal_id))


def approve(parts: Parts, acts: Acts, proposal_id: str, *, by: Login, seen: int) -> Step[Proposal]:
    """Step: approve an act and carry it out; see the plan of this module.

    Args:
        parts: the feature's dependencies.
        acts: the acts that need two, by use case.
        proposal_id: which one.
        by: the approver's login.
        seen: version of the proposal that the approver read.

    Raises:
        ProposalUnknown: 1.
        AccountClosed, RoleMissing: 2.
        OwnProposal: 3.
        ProposalClosed: 4, 5.
        InkanError: what the act itself refuses (6).
    """
    proposal = yield from get_proposal(parts, proposal_id)  # 1
    act = acts[proposal.use_case]
    yield from _require_role(parts, by.account, act.approvers, proposal.use_case)  # 2
    if by.account == proposal.proposer:  # 3
        raise OwnProposal()
    yield from _require_proposer(parts, proposal, act)  # 4
    event = yield from _decide(  # 5
        parts, proposal, ProposalStep.APPROVE, actor=actor_of(by), decider=by.account, seen=seen
    )
    approved = yield from get_proposal(parts, proposal_id)
    yield from act.carry_out(approved, event)  # 6
    return approved


def refuse(parts: Parts, acts: Acts, proposal_id: str, *, by: Login, seen: int) -> Step[Proposal]:
    """Step: refuse an act for good.

    Raises:
        ProposalUnknown, ProposalClosed: nothing is there to refuse.
        AccountClosed, RoleMissing: by whom.
        OwnProposal: the proposer withdraws instead.
    """
    proposal = yield from get_proposal(parts, proposal_id)
    act = acts[proposal.use_case]
    yield from _require_role(parts, by.account, act.approvers, proposal.use_case)
    if by.account == proposal.proposer:
        raise OwnProposal()
    yield from _decide(
        parts, proposal, ProposalStep.REFUSE, actor=actor_of(by), decider=by.account, seen=seen
    )
    return (yield from get_proposal(parts, proposal_id))


def withdraw(parts: Parts, proposal_id: str, *, by: Login) -> Step[Proposal]:
    """Step: take one's own proposal back.

    Raises:
        ProposalUnknown: no such proposal, or another's.
        ProposalClosed: it is decided.
    """
    proposal = yield from get_proposal(parts, proposal_id)
    if by.account != proposal.proposer:
        raise ProposalUnknown()
    yield from _decide(
        parts,
        proposal,
        ProposalStep.WITHDRAW,
        actor=actor_of(by),
        decider=by.account,
        seen=proposal.version,
    )
    return (yield from get_proposal(parts, proposal_id))


def expire_due(parts: Parts) -> Step[int]:
    """Step: close what nobody decided within seven days; return how many (at most 100 at a time)."""
    rows = yield store.DUE_PROPOSALS.all()
    for row in rows:
        event = yield from parts.audit.record(
            "accounts.proposal_expired", actor=PLATFORM, object=row.id
        )
        yield store.DECIDE[ProposalStep.EXPIRE].run(
            key=row.id, seen=row.version, decider=None, event=event
        )
    return len(rows)


def open_proposals(parts: Parts) -> Step[list[Proposal]]:
    """Step: what waits for a decision, the first to run out first."""
    rows = yield store.OPEN_PROPOSALS.all()
    return [_read(parts, row) for row in rows]


def get_proposal(parts: Parts, proposal_id: str) -> Step[Proposal]:
    """Step: one proposal.

    Raises:
        ProposalUnknown: no such proposal.
    """
    row = yield store.PROPOSAL_BY_ID.one(key=proposal_id)
    if row is None:
        raise ProposalUnknown()
    return _read(parts, row)


def _read(parts: Parts, row: Row) -> Proposal:
    return Proposal(
        id=row.id,
        use_case=row.use_case,
        content=parts.sealer.open(store.CONTENT, row.id, row.content).reveal(),
        state=row.state,
        proposer=AccountID(row.proposer),
        decided_by=None if row.decided_by is None else AccountID(row.decided_by),
        proposed_at=row.proposed_at,
        expires_at=row.expires_at,
        version=row.version,
    )


def _require_role(
    parts: Parts, account_id: str, roles: frozenset[Role], use_case: str
) -> Step[Account]:
    """The account as it is in this transaction, held until COMMIT: a role lost meanwhile is lost here."""
    account = parts.read_account((yield from hold_account(account_id)))
    if not account.roles & roles:
        raise RoleMissing(use_case=use_case, principal=account_id)
    return account


def _require_proposer(parts: Parts, proposal: Proposal, act: FourEyes) -> Step[None]:
    row = yield store.ACCOUNT_BY_ID.one(key=proposal.proposer)
    account = parts.read_account(row)
    if account.state is not AccountState.ACTIVE or not account.roles & act.proposers:
        raise ProposalClosed("the proposer has lost the right to it", state=proposal.state.value)


def _decide(
    parts: Parts,
    proposal: Proposal,
    step: ProposalStep,
    *,
    actor: Actor,
    decider: str,
    seen: int,
) -> Step[EventID]:
    event = yield from parts.audit.record(
        f"accounts.proposal_{_PAST[step]}",
        actor=actor,
        object=proposal.id,
        details={
            "use_case": proposal.use_case,
            "content_sha256": _digest(proposal.content),
            "proposer": proposal.proposer,
        },
    )
    decided = yield store.DECIDE[step].run(key=proposal.id, seen=seen, decider=decider, event=event)
    if not decided:
        raise ProposalClosed(state=proposal.state.value)
    return event


_PAST: Mapping[ProposalStep, str] = {
    ProposalStep.APPROVE: "approved",
    ProposalStep.REFUSE: "refused",
    ProposalStep.WITHDRAW: "withdrawn",
    ProposalStep.EXPIRE: "expired",
}


def _digest(content: bytes) -> str:
    """SHA-256 of a content, for the audit: what was proposed is what was approved."""
    return base64url.encode(hashlib.sha256(content).digest())
