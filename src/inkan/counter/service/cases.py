"""Visits at a counter, from the first word to the card in the hand."""

from collections.abc import Mapping

from inkan.audit import Actor
from inkan.counter.model import (
    Case,
    CaseKind,
    CaseStep,
    Clerk,
    HeldCard,
    PhotoDocument,
    ReportCause,
)
from inkan.counter.rules import REASON_OF_CAUSE
from inkan.counter.service import (
    holding,
    issuing,
    reading,
    revoking,
    sweeping,
    unlocking,
    visiting,
)
from inkan.counter.service.parts import Parts
from inkan.counter.store import cards as card_store
from inkan.kernel.identifiers import NationalID
from inkan.kernel.ids import PersonID
from inkan.people import Identity, PersonDeceased, PersonIdentityChanged
from inkan.pki import CertificateRevoked
from inkan.store.database import Step

Listed = list[Case]
HeldCards = list[HeldCard]


class Cases:
    """The use cases and steps of visits at a counter.

    Every act of a clerk raises what :func:`inkan.counter.service.holding.held` raises: ClerkNotOnDuty, CaseUnknown,
    SameClerk, CaseOutOfOrder, CaseExpired.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    # --- use cases: the clerk's acts -------------------------------------------------------------

    async def open(self, clerk: Clerk, kind: CaseKind, national_id: NationalID) -> Case:
        """See :func:`inkan.counter.service.visiting.open_case`."""
        return await self._parts.db.transact(
            visiting.open_case, self._parts, clerk, kind, national_id
        )

    async def get(self, clerk: Clerk, case_id: str) -> Case:
        """A case of the clerk's office, open or closed.

        Raises:
            CaseUnknown: unknown, or another office's: one answer.
        """
        return await self._parts.db.read(holding.get, self._parts, clerk, case_id)

    async def list(self, clerk: Clerk) -> Listed:
        """The open cases of the clerk's office, the newest first, at most 100."""
        return await self._parts.db.read(visiting.listed, self._parts, clerk)

    async def holder(self, clerk: Clerk, case_id: str) -> Identity:
        """See :func:`inkan.counter.service.visiting.holder`."""
        return await visiting.holder(self._parts, clerk, case_id)

    async def identify(
        self,
        clerk: Clerk,
        case_id: str,
        document: PhotoDocument,
        terms_version: str | None = None,
    ) -> Case:
        """See :func:`inkan.counter.service.visiting.identify`."""
        return await self._parts.db.transact(
            visiting.identify, self._parts, clerk, case_id, document, terms_version
        )

    async def confirm(self, second_clerk: Clerk, case_id: str) -> Case:
        """See :func:`inkan.counter.service.visiting.confirm`."""
        return await self._parts.db.transact(visiting.confirm, self._parts, second_clerk, case_id)

    async def pay(self, clerk: Clerk, case_id: str, amount: int) -> Case:
        """See :func:`inkan.counter.service.visiting.pay`."""
        return await self._parts.db.transact(visiting.pay, self._parts, clerk, case_id, amount)

    async def order(self, clerk: Clerk, case_id: str) -> Case:
        """Sign what was ordered for the card's keys; called again it goes on, or answers what is.

        Raises:
            CaseOutOfOrder: no keys were made, or the case has ended.
            LintRefused: a certificate cannot be issued; the case was withdrawn.
        """
        case = await self._parts.db.transact(holding.held, self._parts, clerk, case_id)
        return await issuing.order(self._parts, case)

    async def hand_over(self, clerk: Clerk, case_id: str) -> Case:
        """See :func:`inkan.counter.service.issuing.hand_over`."""
        return await self._parts.db.transact(issuing.hand_over, self._parts, clerk, case_id)

    async def withdraw(self, clerk: Clerk, case_id: str) -> Case:
        """See :func:`inkan.counter.service.visiting.withdraw`."""
        return await self._parts.db.transact(visiting.withdraw, self._parts, clerk, case_id)

    async def revoke(self, clerk: Clerk, case_id: str, cause: ReportCause) -> Case:
        """See :func:`inkan.counter.service.visiting.revoke`."""
        return await self._parts.db.transact(visiting.revoke, self._parts, clerk, case_id, cause)

    # --- schedules and reactions -----------------------------------------------------------------

    async def sweep(self) -> None:
        """See :func:`inkan.counter.service.sweeping.sweep`; a schedule's work."""
        await sweeping.sweep(self._parts)

    async def purge(self) -> None:
        """See :func:`inkan.counter.service.sweeping.purge`; a schedule's work."""
        await self._parts.db.transact(sweeping.purge)

    async def on_certificate_revoked(self, event: CertificateRevoked) -> None:
        """Reaction: a card whose certificate somebody revoked by itself ends, and is marked."""
        await self._parts.db.transact(sweeping.end_of_certificate, self._parts, event)

    async def on_identity_changed(self, event: PersonIdentityChanged) -> None:
        """Reaction: another name or birth date ends the person's card certificates (JPKI-12)."""
        await self._parts.db.transact(sweeping.end_of_identity, self._parts, event.person)

    async def on_person_deceased(self, event: PersonDeceased) -> None:
        """Reaction: the cards of somebody who died end, and their open case with them."""
        await self._parts.db.transact(sweeping.end_of_person, self._parts, event.person)

    # --- steps: joined by the card commands and the online window --------------------------------

    @staticmethod
    def proven_keys(requests: Mapping[str, str]) -> dict[str, bytes]:
        """See :func:`inkan.counter.service.issuing.proven_keys`; call it before the transaction."""
        return issuing.proven_keys(requests)

    def held(self, clerk: Clerk, case_id: str) -> Step[Case]:
        """Step: see :func:`inkan.counter.service.holding.held`."""
        return holding.held(self._parts, clerk, case_id)

    @staticmethod
    def verify_step(case: Case, step: CaseStep) -> None:
        """See :func:`inkan.counter.service.holding.verify_step`; call it before giving a command for it."""
        holding.verify_step(case, step)

    def verify_card(self, case: Case, card: str) -> Step[None]:
        """Step: whether this card may be used in this case; call it before giving a command for the card.

        Raises:
            CardTaken, CaseOpenElsewhere: for an issue.
            CardTaken, CardNumberUnknown: for a PIN; for a revocation too.
        """
        if case.kind is CaseKind.ISSUE:
            return issuing.verify_claim(self._parts, case, card)
        return unlocking.verify_own(case, card)

    def keys_made(
        self, row: Case, card: str, keys: Mapping[str, bytes], *, clerk: Clerk | None = None
    ) -> Step[Case]:
        """Step: see :func:`inkan.counter.service.issuing.keys_made`; ``clerk`` is who carries the answer."""
        return issuing.keys_made(self._parts, row, card, keys, actor=_actor(clerk))

    def written(
        self, row: Case, card: str, digests: Mapping[str, str], *, clerk: Clerk | None = None
    ) -> Step[Case]:
        """Step: see :func:`inkan.counter.service.issuing.written`; ``clerk`` is who carries the answer."""
        return issuing.written(self._parts, row, card, digests, actor=_actor(clerk))

    def unlocked(self, row: Case, card: str, *, clerk: Clerk | None = None) -> Step[Case]:
        """Step: see :func:`inkan.counter.service.unlocking.unlocked`; ``clerk`` is who carries the answer."""
        return unlocking.unlocked(self._parts, row, card, actor=_actor(clerk))

    def card(self, number: str) -> Step[HeldCard | None]:
        """Step: the card of this number that was made here, or None."""
        return _card(number)

    def cards_of(self, person: PersonID) -> Step[HeldCards]:
        """Step: every card of a person, ended ones too, the newest first."""
        return reading.cards_of(person)

    def end_card(self, number: str, *, cause: ReportCause, actor: Actor) -> Step[HeldCard | None]:
        """Step: see :func:`inkan.counter.service.revoking.end_card`, for a cause that somebody reports."""
        return revoking.end_card(self._parts, number, reason=REASON_OF_CAUSE[cause], actor=actor)


def _actor(clerk: Clerk | None) -> Actor:
    return reading.PLATFORM if clerk is None else reading.actor_of(clerk)


def _card(number: str) -> Step[HeldCard | None]:
    return reading.read_card((yield card_store.CARD.one(key=number)))
