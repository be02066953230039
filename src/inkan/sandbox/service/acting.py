"""What virtual phones do: by themselves when a session reaches them, or as they are told.

Two tables decide. :data:`inkan.sandbox.service.doors.DOORS` says how a phone opens what reached it, one row for each
door; :data:`inkan.sandbox.rules.PLANS` says what a behaviour does from there, move by move. What a relying party sees
is what a person's phone would have caused.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from inkan.client import CallRefused, DraftRefused, Phone
from inkan.client.phone_approval import ApprovalNotOpen
from inkan.client.phone_state import OpenApproval
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PhoneID
from inkan.sandbox.model import (
    Action,
    ActionResult,
    Approve,
    Declined,
    Done,
    DoorWithoutCode,
    Lose,
    Move,
    NothingWaits,
    Refuse,
    Report,
    Revoke,
    VirtualPhone,
    VirtualState,
)
from inkan.sandbox.rules import PLANS
from inkan.sandbox.service import phones
from inkan.sandbox.service.doors import DOORS, Play
from inkan.sandbox.service.parts import PLATFORM, Parts
from inkan.store.database import Step
from inkan.web.log import get_logger

_log = get_logger("inkan.sandbox")


async def _open(play: Play) -> None:
    play.opened = await DOORS[type(play.action)].open(play)
    play.done = Done.OPENED


async def _wrong_code(play: Play) -> None:
    type_code = DOORS[type(play.action)].type_wrong_code
    if type_code is None:
        raise DoorWithoutCode
    await type_code(play)


async def _approve(play: Play) -> None:
    decision = await play.phone.approve(play.approval)
    play.done, play.return_url = Done.APPROVED, decision.return_url


async def _refuse(play: Play) -> None:
    decision = await play.phone.refuse(play.approval)
    play.done, play.return_url = Done.REFUSED, decision.return_url


async def _report(play: Play) -> None:
    decision = await play.phone.report(play.approval)
    play.done, play.return_url = Done.REPORTED, decision.return_url


async def _suspend(play: Play) -> None:
    await play.parts.db.transact(_suspend_all, play.parts, play.virtual.phone)


async def _reinstate(play: Play) -> None:
    certificates = [held.id for held in play.phone.certificates.values()]
    await play.parts.db.transact(_reinstate_all, play.parts, certificates)


async def _wait(play: Play) -> None:
    """What follows is played later, without the phone being held meanwhile."""
    play.done = Done.LATER


MOVES: Final[Mapping[Move, Callable[[Play], Awaitable[None]]]] = {
    Move.OPEN: _open,
    Move.WRONG_CODE: _wrong_code,
    Move.WAIT: _wait,
    Move.SUSPEND: _suspend,
    Move.REINSTATE: _reinstate,
    Move.APPROVE: _approve,
    Move.REFUSE: _refuse,
    Move.REPORT: _report,
}

TOLD: Final[Mapping[type, Move]] = {
    Approve: Move.APPROVE,
    Refuse: Move.REFUSE,
    Report: Move.REPORT,
}
"""What a phone does because it is told, with an approval that it has open."""


_DECLINES: Final = (CallRefused, DraftRefused, ApprovalNotOpen, DoorWithoutCode, NothingWaits)
"""What is a result of an action, and no failure."""


class Acting:
    """Plays the behaviours of an instance's virtual phones.

    Attributes:
        returns: virtual phone to the address that its browser opens now, after its last answer. An address holds a
            return code, so it is kept in memory only.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._later: set[asyncio.Task[None]] = set()
        self.returns: dict[str, str] = {}

    async def act(self, virtual: VirtualPhone, action: Action) -> ActionResult:
        """Let a phone do something, and remember what came of it.

        What the platform or the phone's own checks do not let happen is a result, not a failure: that is what a
        relying party wants to see.

        Raises:
            SandboxUnready: the instance does not listen.
            VirtualPhoneNotFound: it was ended meanwhile.
            PlatformUnreachable: the instance does not answer itself.
        """
        if isinstance(action, Lose):
            await phones.note(self._parts, virtual, Done.LOST, state=VirtualState.LOST)
            return ActionResult(done=Done.LOST)
        if virtual.state is VirtualState.LOST:
            return ActionResult(done=Done.SILENT)
        if isinstance(action, Revoke):
            return await self._revoke(virtual)
        plan = (TOLD[type(action)],) if type(action) in TOLD else PLANS[virtual.behaviour]
        return await self._play(virtual, action, plan)

    async def finish(self) -> None:
        """End the phones that still wait before they answer; their sessions expire."""
        for task in self._later:
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _play(
        self, virtual: VirtualPhone, action: Action, plan: Sequence[Move]
    ) -> ActionResult:
        result = await self._perform(virtual, action, plan)
        self.returns.pop(virtual.id, None)
        if result.return_url is not None:
            self.returns[virtual.id] = result.return_url
        if result.done is Done.LATER:
            rest = plan[plan.index(Move.WAIT) + 1 :]
            self._start(virtual, Approve(approval=result.approval), rest)
        declined = result.declined
        await phones.note(self._parts, virtual, declined.code if declined else result.done)
        return result

    async def _perform(
        self, virtual: VirtualPhone, action: Action, plan: Sequence[Move]
    ) -> ActionResult:
        async with phones.held(self._parts, virtual) as phone:
            play = Play(parts=self._parts, virtual=virtual, phone=phone, action=action)
            try:
                if isinstance(action, Approve | Refuse | Report):
                    play.opened = _find(phone, action.approval)
                await self._moves(play, plan)
            except _DECLINES as refused:
                return ActionResult(
                    done=Done.DECLINED, approval=play.approval, declined=_declined(refused)
                )
            text = play.opened.text if play.opened is not None else None
            return ActionResult(
                done=play.done, approval=play.approval, text=text, return_url=play.return_url
            )

    async def _moves(self, play: Play, plan: Sequence[Move]) -> None:
        try:
            for move in plan:
                await MOVES[move](play)
                if move is Move.WAIT:
                    return
        except InkanError:
            if Move.REINSTATE in plan:
                await _reinstate(play)
            raise

    def _start(self, virtual: VirtualPhone, action: Action, plan: Sequence[Move]) -> None:
        """Go on in the background; a process that ends meanwhile leaves the session unanswered."""

        async def go_on() -> None:
            await asyncio.sleep(virtual.after_s)
            try:
                await self._play(virtual, action, plan)
            except InkanError as failure:
                _log.warning("virtual_phone_failed", code=failure.code)

        task = asyncio.ensure_future(go_on())
        self._later.add(task)
        task.add_done_callback(self._later.discard)

    async def _revoke(self, virtual: VirtualPhone) -> ActionResult:
        async with phones.held(self._parts, virtual) as phone:
            try:
                await phone.revoke(virtual.phone)
            except CallRefused as refused:
                return ActionResult(done=Done.DECLINED, declined=_declined(refused))
        await phones.note(self._parts, virtual, Done.REVOKED, state=VirtualState.REVOKED)
        return ActionResult(done=Done.REVOKED)


def _find(phone: Phone, approval: str | None) -> OpenApproval:
    """The open approval of that id, or the one opened last.

    Raises:
        ApprovalNotOpen: there is none.
    """
    for opened in reversed(phone.open_approvals):
        if approval in {None, opened.id}:
            return opened
    raise ApprovalNotOpen(approval or "")


def _declined(refused: InkanError) -> Declined:
    """What the phone heard: the platform's own words where it was the platform."""
    if isinstance(refused, CallRefused):
        return Declined(code=refused.problem.code, title=refused.problem.title)
    return Declined(code=refused.code, title=refused.title)


def _suspend_all(parts: Parts, phone_id: str) -> Step[None]:
    yield from parts.pki.suspend_all(PhoneID(phone_id), actor=PLATFORM)


def _reinstate_all(parts: Parts, certificates: Sequence[str]) -> Step[None]:
    for certificate in certificates:
        yield from parts.pki.reinstate(certificate, actor=PLATFORM)
