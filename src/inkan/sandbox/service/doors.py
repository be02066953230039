"""How a virtual phone opens what reached it: one row for each thing that a person can bring to a phone.

A frame comes from a QR code, an address from a web link, an app link or the redirect page, a code from the page that
sent a push. Everything goes over HTTP, through the Phone API, as any phone would do it.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from inkan.approvals import MAX_CODE_TRIES
from inkan.client import CallRefused, Phone
from inkan.client.phone_state import OpenApproval
from inkan.sandbox.model import Code, Done, DoorWithoutCode, NothingWaits, Open, Scan, VirtualPhone
from inkan.sandbox.service.parts import Parts

_WRONG: Final = "code_wrong"


@dataclass(kw_only=True)
class Play:
    """One performance: who plays, what reached the phone, what came of it so far."""

    parts: Parts
    virtual: VirtualPhone
    phone: Phone
    action: Any
    opened: OpenApproval | None = None
    done: Done = Done.SILENT
    return_url: str | None = None

    @property
    def approval(self) -> str | None:
        """The approval that it is about, once it is opened."""
        return self.opened.id if self.opened is not None else None


@dataclass(frozen=True, slots=True)
class Door:
    """How a virtual phone opens what reached it by one door.

    Attributes:
        open: opens the approval; raises what the phone would hear.
        type_wrong_code: types wrong codes until the session ends; None where the door asks for none.
    """

    open: Callable[[Play], Awaitable[OpenApproval]]
    type_wrong_code: Callable[[Play], Awaitable[None]] | None = None


async def _scan(play: Play) -> OpenApproval:
    return await play.phone.open_frame(play.action.frame)


async def _follow(play: Play) -> OpenApproval:
    return await play.phone.open_link(play.action.link)


async def _type(play: Play) -> OpenApproval:
    """Type what the action says, or what the asking page shows: nobody here can look at that page."""
    approval = await _pushed(play)
    code = play.action.code or await play.parts.identification.shown_code(approval)
    return await play.phone.open_push(approval, code)


async def _mistype(play: Play) -> None:
    """Type a wrong code as often as the platform lets it; the last refusal is what came of it.

    Raises:
        DoorWithoutCode: the system asks for a tap only.
    """
    approval = await _pushed(play)
    right = await play.parts.identification.shown_code(approval)
    if right is None:
        raise DoorWithoutCode
    wrong = f"{(int(right) + 1) % 10 ** len(right):0{len(right)}d}"
    for _ in range(MAX_CODE_TRIES - 1):
        try:
            await play.phone.open_push(approval, wrong)
        except CallRefused as refused:
            if refused.problem_code != _WRONG:
                raise
    await play.phone.open_push(approval, wrong)


async def _pushed(play: Play) -> str:
    """The approval that the action names, or the newest that waits for this phone.

    Raises:
        NothingWaits: there is none.
    """
    named: str | None = play.action.approval
    if named is not None:
        return named
    waiting = await play.phone.waiting()
    if not waiting:
        raise NothingWaits
    return waiting[0].approval


DOORS: Final[Mapping[type, Door]] = {
    Scan: Door(open=_scan),
    Open: Door(open=_follow),
    Code: Door(open=_type, type_wrong_code=_mistype),
}
"""Action to door: a further door is a further row, and a further action in the model."""
