"""Virtual phones notice what was pushed to them, and do by themselves what their behaviour says.

A phone is woken when something waits for it; what that is, it asks over HTTP like any wallet that polls, and what it
does then is the same play as by a developer's button. Unlike a person, it also looks when a quota or a mute kept the
message silent: a test person has the same outcome however often it is asked.

One task for each phone that acts by itself, idle until the phone is woken; few of them act at a time.
"""

import asyncio

from inkan.enrolment import phone_topic
from inkan.kernel.errors import InkanError
from inkan.kernel.ids import PhoneID
from inkan.sandbox.model import Code, VirtualPhone, VirtualPhoneNotFound, VirtualState
from inkan.sandbox.rules import ACT_AT_ONCE, ACTS_ON_PUSH, LOOK_EVERY
from inkan.sandbox.service import phones
from inkan.sandbox.service.acting import Acting
from inkan.sandbox.service.parts import Parts
from inkan.web.log import get_logger

_log = get_logger("inkan.sandbox")


class Watch:
    """The virtual phones of an instance that wait for pushes; it ends with the instance."""

    def __init__(self, parts: Parts, acting: Acting) -> None:
        self._parts = parts
        self._acting = acting
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(ACT_AT_ONCE)

    @property
    def size(self) -> int:
        """How many phones are watched."""
        return len(self._tasks)

    async def start(self) -> None:
        """Watch every phone that there is; each looks at once, for what came while the instance stood."""
        for virtual in await phones.all_held(self._parts):
            self.add(virtual)

    def add(self, virtual: VirtualPhone) -> None:
        """Watch one more phone, if it acts by itself."""
        if virtual.behaviour in ACTS_ON_PUSH and virtual.state is VirtualState.HELD:
            task = asyncio.ensure_future(self._follow(virtual))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Watch no more; what was being done is cut short, and its sessions expire."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _follow(self, virtual: VirtualPhone) -> None:
        seen: frozenset[str] = frozenset()
        topic = phone_topic(PhoneID(virtual.phone))
        async with self._parts.db.bus.subscribe(topic) as calls:
            while True:
                try:
                    async with self._places:
                        held = await phones.get(self._parts, virtual.system, virtual.id)
                        if held.state is not VirtualState.HELD:
                            return
                        seen = await self._look(held, seen)
                except VirtualPhoneNotFound:
                    return
                except InkanError as failure:
                    _log.warning("virtual_phone_failed", code=failure.code)
                await calls.wait(LOOK_EVERY.total_seconds())

    async def _look(self, virtual: VirtualPhone, seen: frozenset[str]) -> frozenset[str]:
        """Act on what newly waits, the oldest first; returns what waited, so that nothing is done twice."""
        async with phones.held(self._parts, virtual) as phone:
            waiting = [each.approval for each in await phone.waiting()]
        for approval in reversed(waiting):
            if approval not in seen:
                await self._acting.act(virtual, Code(approval=approval))
        return frozenset(waiting)
