"""The front of the feature: one object that pages, commands and other features ask."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from inkan.accounts import store
from inkan.accounts.model import (
    Account,
    Ceremony,
    Handover,
    Invitation,
    Login,
    LoginEnd,
    LoginToken,
    Proposal,
    Role,
)
from inkan.accounts.ports import FourEyes
from inkan.accounts.rules import CHANGE_ROLES, KEEP_ENDED
from inkan.accounts.service import (
    ceremonies,
    inviting,
    logging_in,
    logins,
    proposals,
    staff,
)
from inkan.accounts.service.parts import Parts
from inkan.audit import Actor, Audit
from inkan.kernel.clock import Clock
from inkan.kernel.ids import AccountID, PersonID, SessionID
from inkan.kernel.sensitive import Personal
from inkan.notices import MailAddress, Notices
from inkan.store.database import MOMENT, Database, RowExists, Step
from inkan.store.sealing import Sealer
from inkan.web.languages import Language
from inkan.web.principal import Assurance


class Accounts:
    """Everybody who logs in to one instance."""

    def __init__(
        self,
        *,
        db: Database,
        audit: Audit,
        sealer: Sealer,
        notices: Notices,
        clock: Clock,
        rp_id: str,
        origin: str,
        name: str = "Inkan",
        four_eyes: Iterable[FourEyes] = (),
    ) -> None:
        """Log in at ``origin``.

        Args:
            db: the instance's database.
            audit: the instance's log.
            sealer: seals names and proposals, hashes mail addresses.
            notices: reaches staff by mail.
            clock: the instance's clock.
            rp_id: WebAuthn RP ID of staff passkeys: the platform's host.
            origin: the platform's origin.
            name: of the instance, as a passkey's owner reads it.
            four_eyes: the acts of other features that need two people.

        Raises:
            ValueError: an act stands twice.
        """
        self._db = db
        self._parts = Parts(
            db=db,
            audit=audit,
            sealer=sealer,
            notices=notices,
            clock=clock,
            rp_id=rp_id,
            origin=origin,
            rp_name=name,
        )
        self.four_eyes: dict[str, FourEyes] = {}
        for act in (_CHANGE_ROLES, *four_eyes):
            self.let_two_decide(act)

    # --- invitations -----------------------------------------------------------------------------

    async def invite(
        self,
        roles: Iterable[Role],
        *,
        name: Personal[str],
        mail: MailAddress | None = None,
        language: Language = Language.EN,
        tenant: str = "",
        actor: Actor,
    ) -> Invitation:
        """See :func:`inkan.accounts.service.inviting.invite`."""
        return await inviting.invite(
            self._parts,
            roles,
            name=name,
            mail=mail,
            language=language,
            tenant=tenant,
            actor=actor,
        )

    async def invite_again(
        self, account_id: str, *, handover: Handover, actor: Actor
    ) -> Invitation:
        """See :func:`inkan.accounts.service.inviting.invite_again`."""
        return await self._db.transact(
            inviting.invite_again, self._parts, account_id, handover=handover, actor=actor
        )

    async def begin_acceptance(self, code: str) -> Ceremony:
        """See :func:`inkan.accounts.service.inviting.begin`."""
        return await self._db.transact(inviting.begin, self._parts, code)

    async def accept(
        self, code: str, *, ceremony: str, answer: bytes, replaces: str | None = None
    ) -> LoginToken:
        """See :func:`inkan.accounts.service.inviting.accept`."""
        return await inviting.accept(
            self._parts, code, ceremony=ceremony, answer=answer, replaces=replaces
        )

    # --- logins ----------------------------------------------------------------------------------

    async def begin_login(self) -> Ceremony:
        """See :func:`inkan.accounts.service.ceremonies.begin_login`."""
        return await self._db.transact(ceremonies.begin_login, self._parts)

    async def log_in(
        self, ceremony: str, *, answer: bytes, replaces: str | None = None
    ) -> LoginToken:
        """See :func:`inkan.accounts.service.logging_in.log_in`."""
        return await logging_in.log_in(self._parts, ceremony, answer=answer, replaces=replaces)

    async def login_person(
        self,
        person: PersonID,
        *,
        session: SessionID,
        assurance: Assurance = Assurance.TWO_FACTORS,
        replaces: str | None = None,
    ) -> LoginToken:
        """See :func:`inkan.accounts.service.logging_in.log_in_person`.

        Args:
            person: who proved themself.
            session: by which: it opens this one login and no other, now or later.
            assurance: how; a session answered on a phone that scanned a code is two factors, manually carried.
            replaces: the token that the browser held before.

        Raises:
            AccountClosed: the person's account has ended.
            AnswerUsed: the session has opened a login before.
        """
        join = partial(
            logging_in.log_in_person,
            self._parts,
            person,
            session=session,
            assurance=assurance,
            replaces=replaces,
        )
        try:
            return await self._db.transact(join)
        except RowExists:  # the same person logs in for the first time in two places at once
            return await self._db.transact(join)

    async def find_login(self, token: str) -> Login | None:
        """See :func:`inkan.accounts.service.logins.use_login`."""
        return await logins.use_login(self._parts, token)

    async def log_out(self, token: str) -> bool:
        """See :func:`inkan.accounts.service.logins.log_out`."""
        return await self._db.transact(logins.log_out, self._parts, token)

    # --- accounts --------------------------------------------------------------------------------

    async def staff(self) -> list[Account]:
        """Every staff account, the oldest first, ended ones included."""
        return await self._db.scan(staff.list_staff, self._parts)

    async def account(self, account_id: str) -> Account:
        """One account.

        Raises:
            AccountUnknown: no such account.
        """
        return await self._db.read(staff.get_account, self._parts, account_id)

    async def end_account(self, account_id: str, *, actor: Actor) -> None:
        """See :func:`inkan.accounts.service.staff.end_account`."""
        await self._db.transact(staff.end_account, self._parts, account_id, actor=actor)

    # --- four eyes -------------------------------------------------------------------------------

    async def propose(self, use_case: str, content: bytes, *, by: Login) -> Proposal:
        """See :func:`inkan.accounts.service.proposals.propose`."""
        return await self._db.transact(
            proposals.propose, self._parts, self.four_eyes, use_case, content, by=by
        )

    async def approve(self, proposal_id: str, *, by: Login, seen: int) -> Proposal:
        """See :func:`inkan.accounts.service.proposals.approve`."""
        return await self._db.transact(
            proposals.approve, self._parts, self.four_eyes, proposal_id, by=by, seen=seen
        )

    async def refuse(self, proposal_id: str, *, by: Login, seen: int) -> Proposal:
        """See :func:`inkan.accounts.service.proposals.refuse`."""
        return await self._db.transact(
            proposals.refuse, self._parts, self.four_eyes, proposal_id, by=by, seen=seen
        )

    async def withdraw(self, proposal_id: str, *, by: Login) -> Proposal:
        """See :func:`inkan.accounts.service.proposals.withdraw`."""
        return await self._db.transact(proposals.withdraw, self._parts, proposal_id, by=by)

    async def proposals(self) -> list[Proposal]:
        """What waits for a decision, the first to run out first."""
        return await self._db.scan(proposals.open_proposals, self._parts)

    async def proposal(self, proposal_id: str) -> Proposal:
        """One proposal.

        Raises:
            ProposalUnknown: no such proposal.
        """
        return await self._db.read(proposals.get_proposal, self._parts, proposal_id)

    # --- what an upper feature joins ---------------------------------------------------------------

    def let_two_decide(self, act: FourEyes) -> None:
        """Take an act of a feature above, which is built later than this one.

        Raises:
            ValueError: the act stands twice.
        """
        if self.four_eyes.setdefault(act.use_case, act) is not act:
            raise ValueError(f"{act.use_case} stands twice")

    def proposing(self, use_case: str, content: bytes, *, by: Login) -> Step[Proposal]:
        """Step: see :func:`inkan.accounts.service.proposals.propose`."""
        return proposals.propose(self._parts, self.four_eyes, use_case, content, by=by)

    def reading_proposal(self, proposal_id: str) -> Step[Proposal]:
        """Step: see :meth:`proposal`."""
        return proposals.get_proposal(self._parts, proposal_id)

    def reading(self, account_id: str) -> Step[Account]:
        """Step: see :meth:`account`."""
        return staff.get_account(self._parts, account_id)

    def log_in_by_card(
        self, account: AccountID, *, replaces: str | None, details: dict[str, Any]
    ) -> Step[LoginToken]:
        """Step: see :func:`inkan.accounts.service.logging_in.log_in_by_card`."""
        return logging_in.log_in_by_card(self._parts, account, replaces=replaces, details=details)

    def card_ended(self, account: AccountID, *, event: str) -> Step[int]:
        """Step: the card that opens an account has ended; so does whatever it opened. Returns how many logins."""
        return logins.end_logins(account, why=LoginEnd.CARD_ENDED, event=event)

    # --- schedule --------------------------------------------------------------------------------

    async def purge(self) -> None:
        """Close what has run out and forget what ended a month ago; a schedule's work."""
        await self._db.transact(proposals.expire_due, self._parts)
        await self._db.transact(_purge)


def _purge() -> Step[None]:
    moment = yield MOMENT
    yield store.PURGE_CEREMONIES.run(before=moment)
    yield store.PURGE_LOGINS.run(before=moment - KEEP_ENDED)
    yield store.PURGE_INVITES.run(before=moment - KEEP_ENDED)


_CHANGE_ROLES = FourEyes(
    use_case=CHANGE_ROLES,
    proposers=frozenset({Role.ADMINISTRATOR}),
    approvers=frozenset({Role.ADMINISTRATOR}),
    verify=staff.parse_role_change,
    carry_out=staff.change_roles,
    source="design §3, accounts: roles, four-eyes proposals",
)
