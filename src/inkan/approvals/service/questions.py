"""The steps by which a question is written down and reaches a phone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from inkan.approvals import store
from inkan.approvals.model import (
    Approval,
    ApprovalEnded,
    Question,
)
from inkan.approvals.rules import MAX_GENERATIONS
from inkan.approvals.service.rows import (
    Opener,
    approval_of,
    get,
    read,
    refuse,
    stepped,
)
from inkan.kernel.ids import ApprovalID, EventID, PhoneID, new_id
from inkan.store.database import MOMENT, Step
from inkan.wire.binding import Evidence, StatementDoor
from inkan.wire.session import SessionState


class Questions:
    """Questions of one instance, from asking to opening."""

    def ask(
        self,
        question: Question,
        *,
        approval_id: ApprovalID,
        handle: str | None,
        link: str | None,
        is_presented: bool,
        expires_at: datetime,
        event: EventID,
    ) -> Step[Approval]:
        """Step: write the question down; with a handle its `qr` door is made at once, with a link its address."""
        moment = yield MOMENT
        asked = Approval(
            id=approval_id,
            state=SessionState.PRESENTED if is_presented else SessionState.CREATED,
            outcome=None,
            reason=None,
            door=None,
            handle=handle,
            link=link,
            generation=1 if handle else 0,
            qr_t0=moment if handle else None,
            question=question,
            draft=None,
            phone=None,
            person=None,
            evidence=(),
            code_tries=0,
            opened_at=None,
            statement_sha256=None,
            created_at=moment,
            expires_at=expires_at,
            decided_at=None,
            redeem_until=None,
            released_at=None,
            version=1,
        )
        row = msgspec.structs.asdict(asked) | {"question": msgspec.to_builtins(question)}
        yield store.INSERT.run(**row, event_id=event)
        return asked

    def find_by_handle(self, handle: str) -> Step[Approval | None]:
        """Step: the approval whose present QR generation carries this handle, or None."""
        return approval_of((yield store.BY_HANDLE.one(key=handle)))

    def find_by_link(self, link: str) -> Step[Approval | None]:
        """Step: the approval whose present address carries this handle, or None."""
        return approval_of((yield store.BY_LINK.one(key=link)))

    def opened_on(self, phone: PhoneID) -> Step[list[Approval]]:
        """Step: the undecided approvals that this phone has open."""
        rows = yield store.OF_PHONE.all(key=phone)
        return [read(row) for row in rows]

    def waiting_on(self, phone: PhoneID) -> Step[list[Approval]]:
        """Step: what was pushed to this phone and nobody has opened, newest first."""
        rows = yield store.WAITING_ON.all(key=phone)
        return [read(row) for row in rows]

    def aim(self, approval: Approval, phones: Sequence[PhoneID]) -> Step[None]:
        """Step: let these phones see the question without scanning it (`push`)."""
        for phone in phones:
            yield store.AIM.run(approval=approval.id, phone=phone, expires_at=approval.expires_at)

    def is_aimed_at(self, approval_id: str, phone: PhoneID) -> Step[bool]:
        """Step: whether a push of this approval went to the phone."""
        row = yield store.IS_TARGET.one(key=approval_id, phone=phone)
        return row is not None

    def present(
        self,
        approval: Approval,
        *,
        event: EventID,
        handle: str | None = None,
        link: str | None = None,
    ) -> Step[Approval]:
        """Step: make a further door of an approval that nobody has opened.

        Args:
            approval: as it was read.
            event: of the use case.
            handle: of the `qr` door, if that is the one.
            link: of an address, if that is the one.

        Raises:
            ApprovalEnded: it is over already.
            ApprovalMoved: a rival step was first.
        """
        moment = yield MOMENT
        changes: dict[str, Any] = {
            "handle": handle or approval.handle,
            "link": link or approval.link,
            # A code that is drawn anew has another secret, and the one before it is worth nothing.
            "generation": approval.generation + 1 if handle else approval.generation,
            "qr_t0": moment if handle else approval.qr_t0,
        }
        touched = yield store.PRESENT.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            **{f"new_{name}": value for name, value in changes.items()},
        )
        if not touched:
            yield from refuse(approval.id)
        return stepped(approval, state=SessionState.PRESENTED, **changes)

    def open(
        self,
        approval: Approval,
        *,
        opener: Opener,
        door: StatementDoor,
        evidence: Sequence[Evidence],
        draft: str,
        event: EventID,
    ) -> Step[Approval]:
        """Step: give the approval to this phone and fix the door, its evidence and the draft.

        When the same phone was quicker in a parallel request, that opening is returned.

        Raises:
            OpenedElsewhere: a rival was first.
            ApprovalEnded: expired, cancelled or decided meanwhile.
        """
        touched = yield store.OPEN.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            new_door=door,
            new_draft=draft,
            new_phone=opener.phone,
            new_person=opener.person,
            new_evidence=list(evidence),
        )
        if not touched:
            present = yield from get(approval.id)
            if present.state is SessionState.OPENED and present.phone == opener.phone:
                return present
            yield from refuse(approval.id, opener=opener)
        moment = yield MOMENT
        return stepped(
            approval,
            state=SessionState.OPENED,
            door=door,
            draft=draft,
            phone=opener.phone,
            person=opener.person,
            evidence=tuple(evidence),
            opened_at=moment,
        )

    def reopen(self, approval: Approval, *, event: EventID) -> Step[Approval]:
        """Step: take an undecided approval back from its opener; its code and address are drawn anew.

        Raises:
            ApprovalEnded: it is over, or its three releases are used up.
            ApprovalMoved: a rival step was first.
        """
        if approval.generation >= MAX_GENERATIONS:
            raise ApprovalEnded("its releases are used up", state=str(approval.state))
        handle = new_id("qr") if approval.handle else None
        link = new_id("ln") if approval.link else None
        touched = yield store.REOPEN.run(
            key=approval.id,
            seen=approval.version,
            event=event,
            new_handle=handle,
            new_link=link,
            new_evidence=[],
        )
        if not touched:
            yield from refuse(approval.id)
        moment = yield MOMENT
        return stepped(
            approval,
            state=SessionState.PRESENTED,
            handle=handle,
            link=link,
            generation=approval.generation + 1,
            qr_t0=moment,
            door=None,
            draft=None,
            phone=None,
            person=None,
            evidence=(),
            opened_at=None,
        )

    def count_try(self, approval: Approval, *, event: EventID) -> Step[Approval]:
        """Step: note a wrong code; the question stays as it is.

        Raises:
            ApprovalEnded, ApprovalMoved: see :meth:`cancel`.
        """
        touched = yield store.COUNT_TRY.run(key=approval.id, seen=approval.version, event=event)
        if not touched:
            yield from refuse(approval.id)
        return stepped(approval, code_tries=approval.code_tries + 1)
