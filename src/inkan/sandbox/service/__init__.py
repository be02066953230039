"""The use cases of a sandbox: test persons, virtual phones, the clock, faults. Start with :class:`Sandbox`."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from inkan.client import AsyncTransport
from inkan.kernel.ids import SystemID
from inkan.relying_parties import System, SystemPrincipal
from inkan.sandbox.model import (
    Action,
    ActionResult,
    ClockOrder,
    ClockView,
    PersonRow,
    PhoneOrder,
    VirtualPhone,
)
from inkan.sandbox.rules import national_id_of, persons
from inkan.sandbox.service import jobs, phones, travel, trying
from inkan.sandbox.service.acting import Acting
from inkan.sandbox.service.cards import number_of
from inkan.sandbox.service.faults import Faults, Hit
from inkan.sandbox.service.parts import Parts
from inkan.sandbox.service.travel import refuse as refuse_sandbox
from inkan.sandbox.service.trying import Call, Tried
from inkan.sandbox.service.watching import Watch
from inkan.store.outbox import Handler
from inkan.wire.binding import Door


class Sandbox:
    """What an instance has because it is a sandbox.

    Attributes:
        faults: the faults of every system.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._acting = Acting(parts)
        self._watch = Watch(parts, self._acting)
        self.faults = Faults(parts.clock)

    # --- the instance ----------------------------------------------------------------------------

    async def resume(self) -> None:
        """See :func:`inkan.sandbox.service.travel.resume`."""
        await travel.resume(self._parts)

    async def claim(self, *, founded: bool) -> None:
        """See :func:`inkan.sandbox.service.travel.claim`."""
        await travel.claim(self._parts, founded=founded)

    @asynccontextmanager
    async def reaching(
        self, transport: AsyncTransport, *, catch_up: Callable[[], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """While the block lasts the instance listens, and its virtual phones reach it by ``transport``."""
        self._parts.transport, self._parts.catch_up = transport, catch_up
        await self._watch.start()
        try:
            yield
        finally:
            await self._watch.finish()
            await self._acting.finish()
            self._parts.transport = self._parts.catch_up = None

    async def bearer(self, code: str) -> SystemPrincipal:
        """The system that names its code and proves nothing; sandboxes admit that (design §5.5).

        Raises:
            TokenRefused: no system of a relying party has it.
            SystemSuspended: it is suspended.
        """
        return await self._parts.relying_parties.named(code)

    async def purge(self) -> None:
        """See :func:`inkan.sandbox.service.phones.purge`."""
        await phones.purge(self._parts)

    # --- persons and phones ----------------------------------------------------------------------

    async def persons(self, system: SystemID) -> list[tuple[PersonRow, str]]:
        """The system's test persons and their national IDs."""
        number = await number_of(self._parts, system)
        return [(row, national_id_of(row, number).reveal()) for row in persons().values()]

    async def make_phone(self, system: SystemID, order: PhoneOrder) -> VirtualPhone:
        """See :func:`inkan.sandbox.service.phones.make`."""
        made = await phones.make(self._parts, system, order)
        self._watch.add(made)
        return made

    async def phones(self, system: SystemID) -> list[VirtualPhone]:
        """The virtual phones of a system, oldest first."""
        return await phones.all_of(self._parts, system)

    async def phone(self, system: SystemID, virtual_id: str) -> VirtualPhone:
        """See :func:`inkan.sandbox.service.phones.get`."""
        return await phones.get(self._parts, system, virtual_id)

    async def end_phone(self, system: SystemID, virtual_id: str) -> None:
        """End a virtual phone of this system.

        Raises:
            VirtualPhoneNotFound: unknown, or another system's.
        """
        await phones.end(self._parts, await self.phone(system, virtual_id))
        self._acting.returns.pop(virtual_id, None)

    async def act(self, system: SystemID, virtual_id: str, action: Action) -> ActionResult:
        """See :meth:`Acting.act`; raises VirtualPhoneNotFound as well."""
        return await self._acting.act(await self.phone(system, virtual_id), action)

    @property
    def returns(self) -> Mapping[str, str]:
        """Virtual phone to the address that its browser opens now, after its last answer."""
        return self._acting.returns

    # --- the API before a developer's eyes ---------------------------------------------------------

    async def try_door(
        self, system: System, *, door: Door, purpose: str, kind: str, number: str
    ) -> Tried:
        """See :func:`inkan.sandbox.service.trying.begin`."""
        return await trying.begin(
            self._parts, system, door=door, purpose=purpose, kind=kind, number=number
        )

    async def try_phone(
        self, system: SystemID, virtual_id: str, door: Door, made: Mapping[str, Any]
    ) -> ActionResult:
        """Let a virtual phone open what a door made; raises as :func:`trying.answering` and :meth:`act`."""
        return await self.act(system, virtual_id, trying.answering(self._parts, door, made))

    async def try_read(self, system: System, session: str) -> Call:
        """See :func:`inkan.sandbox.service.trying.read`."""
        return await trying.read(self._parts, system, session)

    async def try_receipt(self, system: System, session: str) -> Call:
        """See :func:`inkan.sandbox.service.trying.receipt`."""
        return await trying.receipt(self._parts, system, session)

    async def try_redeem(self, system: System, session: str, body: Mapping[str, str]) -> Call:
        """See :func:`inkan.sandbox.service.trying.redeem`."""
        return await trying.redeem(self._parts, system, session, body)

    # --- faults ----------------------------------------------------------------------------------

    def disturb(self, table: Mapping[str, Handler]) -> Mapping[str, Handler]:
        """See :func:`inkan.sandbox.service.jobs.disturb`."""
        return jobs.disturb(self._parts, self.faults, table)

    # --- the clock -------------------------------------------------------------------------------

    def clock(self) -> ClockView:
        """The clock of the instance."""
        return travel.view(self._parts)

    async def advance(self, system: SystemID, order: ClockOrder) -> ClockView:
        """See :func:`inkan.sandbox.service.travel.advance`."""
        return await travel.advance(self._parts, system, timedelta(seconds=order.advance_s))


__all__ = ["Call", "Faults", "Hit", "Parts", "Sandbox", "Tried", "refuse_sandbox"]
