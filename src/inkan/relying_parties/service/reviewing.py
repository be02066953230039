"""The officers' part: two of them approve, one of them may return or refuse (TW-62, TW-63).

An approval, in order:

1. a first officer, who had no hand in the application and does not belong to its organisation, proposes to approve
   this very version with these very documents;
2. a second officer, another one, approves the proposal (accounts: role, freshness, one winner);
3. in that transaction: neither of them had a hand in it; the version and the digests are those of the proposal, and
   the documents that would be made now have these digests; the state moves by compare-and-set.
"""

from inkan.accounts import FourEyes, Login, Proposal, ProposalState, Role, actor_of
from inkan.audit import Actor, ActorKind
from inkan.crypto import jcs
from inkan.kernel.ids import EventID
from inkan.people import verify_free_text
from inkan.relying_parties.model.application import (
    Application,
    ApplicationChanged,
    ApplicationState,
    ApplicationStep,
    ApprovalProposal,
    DocumentsChanged,
    OwnApplication,
    ReviewUnderWay,
)
from inkan.relying_parties.rules import DECIDE_APPLICATION, USE_CASE_OF_STEP
from inkan.relying_parties.service.drafting import take
from inkan.relying_parties.service.parts import Parts
from inkan.relying_parties.service.sealing import verify_documents
from inkan.relying_parties.store import applications as store
from inkan.store.database import MOMENT, Step
from inkan.wire.forms import verify_line

REASON_LIMIT = 2000


class Reviewing:
    """What officers do with applications."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.act = FourEyes(
            use_case=DECIDE_APPLICATION,
            proposers=frozenset({Role.RP_OFFICER}),
            approvers=frozenset({Role.RP_OFFICER}),
            verify=_parse,
            carry_out=self._approve,
            source="TW-62, issue 4: review with two officers",
        )

    def propose(self, application_id: str, *, reason: str, by: Login, seen: int) -> Step[Proposal]:
        """Step: propose the approval; 1 of this module's plan.

        Args:
            application_id: which one.
            reason: one line that the second officer reads.
            by: the first officer.
            seen: version of the application that was read.

        Raises:
            ApplicationNotFound: no such id.
            OwnApplication: the officer had a hand in it.
            ApplicationChanged: not in review, or changed meanwhile.
            DocumentsChanged: the documents are not those that the seal is on.
            ReviewUnderWay: a proposal is open.
            RoleMissing, AccountClosed: see :meth:`inkan.accounts.Accounts.proposing`.
        """
        parts = self._parts
        application = yield from self._reviewable(application_id, by=by, seen=seen)
        verify_documents(parts, application)
        yield from self._require_no_other(application)
        content = ApprovalProposal(
            v=1,
            application=application.id,
            version=application.version,
            form_sha256=application.form_sha256,
            consent_sha256=application.consent_sha256,
            reason=verify_free_text(verify_line(reason, where="/reason"), where="/reason"),
        )
        proposal = yield from parts.accounts.proposing(
            DECIDE_APPLICATION, jcs.canonical(content), by=by
        )
        event = yield from parts.audit.record(
            "relying_parties.approval_proposed", actor=actor_of(by), object=application.id
        )
        taken = yield store.PROPOSE.run(
            key=application.id,
            seen=seen,
            old_proposal=application.proposal,
            new_proposal=proposal.id,
            event=event,
        )
        if not taken:
            raise ReviewUnderWay()
        return proposal

    def give_back(
        self, application_id: str, *, reason: str, final: bool, by: Login, seen: int
    ) -> Step[Application]:
        """Step: return an application for correction, or refuse it for good; the applicant reads the reason.

        Raises:
            ApplicationNotFound, OwnApplication, ApplicationChanged: as :meth:`propose`.
            UnsafeText: the reason is no line of at most 2,000 characters.
            MyNumberRefused: it holds one (WAT-62).
        """
        parts = self._parts
        application = yield from self._reviewable(application_id, by=by, seen=seen)
        told = verify_line(reason, where="/reason", limit=REASON_LIMIT)
        verify_free_text(told, where="/reason")
        step = ApplicationStep.REFUSE if final else ApplicationStep.RETURN
        sealed = parts.sealer.seal(store.REASON, application.id, told.encode())
        return (yield from take(parts, application, step, by=by, seen=seen, new_reason=sealed))

    def _approve(self, proposal: Proposal, event: EventID) -> Step[None]:
        """Carry the approval out, in the second officer's transaction; 3 of this module's plan."""
        parts, wanted = self._parts, _parse(proposal.content)
        application = yield from parts.get(wanted.application)
        assert proposal.decided_by is not None
        reviewers = [proposal.proposer, proposal.decided_by]
        if set(reviewers) & set(application.hands):
            raise OwnApplication()
        for reviewer in reviewers:
            account = yield from parts.accounts.reading(reviewer)
            if account.tenant and account.tenant == application.owner:
                raise OwnApplication()
        if application.version != wanted.version or application.proposal != proposal.id:
            raise ApplicationChanged(state=application.state.value)
        if (application.form_sha256, application.consent_sha256) != (
            wanted.form_sha256,
            wanted.consent_sha256,
        ):
            raise DocumentsChanged()
        verify_documents(parts, application)
        approved = yield from parts.audit.record(
            USE_CASE_OF_STEP[ApplicationStep.APPROVE],
            actor=Actor(ActorKind.STAFF, proposal.decided_by),
            object=application.id,
            details={
                "proposal": proposal.id,
                "reviewers": reviewers,
                "form_sha256": application.form_sha256,
            },
        )
        moved = yield store.STEP[ApplicationStep.APPROVE].run(
            key=application.id, seen=wanted.version, event=approved, new_reviewers=reviewers
        )
        if not moved:
            raise ApplicationChanged(state=application.state.value)

    def _reviewable(self, application_id: str, *, by: Login, seen: int) -> Step[Application]:
        application = yield from self._parts.get(application_id)
        if by.account in application.hands or (by.tenant and by.tenant == application.owner):
            raise OwnApplication()
        if application.state is not ApplicationState.IN_REVIEW or application.version != seen:
            raise ApplicationChanged(state=application.state.value)
        return application

    def _require_no_other(self, application: Application) -> Step[None]:
        """A proposal that was refused or has run out stands in nobody's way."""
        if not application.proposal:
            return
        proposal = yield from self._parts.accounts.reading_proposal(application.proposal)
        moment = yield MOMENT
        if proposal.state is ProposalState.OPEN and proposal.expires_at > moment:
            raise ReviewUnderWay()


def _parse(content: bytes) -> ApprovalProposal:
    return jcs.parse_canonical_as(ApprovalProposal, content)


def reason_of(proposal: Proposal) -> str:
    """What the first officer wrote for the second one."""
    return _parse(proposal.content).reason
