"""Rivals of a decision: what happens between its proofs and its transaction, and how many were written down."""

from dataclasses import replace
from typing import Any

from identification.answers import honest
from inkan.client import Phone
from inkan.enrolment import PhonePrincipal
from inkan.identification import AssertionParts
from inkan.identification.service import deciding
from inkan.kernel.errors import InkanError
from support.world import World


async def decisions(world: World) -> int:
    return (await world.events()).count("identification.session_decided")


async def principal(world: World, phone: Phone) -> PhonePrincipal:
    found, _ = await world.platform.enrolment.principal_of(phone._parts.api.channel_jkt)
    assert isinstance(found, PhonePrincipal)
    return found


class Interposed:
    """A database before whose next transaction something else happens."""

    def __init__(self, db: Any, first: Any) -> None:
        self._db, self._first = db, first

    def __getattr__(self, name: str) -> Any:
        return getattr(self._db, name)

    async def transact(self, body: Any, *args: Any, **kwargs: Any) -> Any:
        first, self._first = self._first, None
        if first is not None:
            await first()
        return await self._db.transact(body, *args, **kwargs)


async def interposed(world: World, phone: Phone, held: Any, between: Any) -> str:
    """Approve, with something between the verified proofs and the transaction; the code of the answer."""
    parts = world.platform.identification._parts
    body = honest(phone, held)
    try:
        decided = await deciding.approve(
            replace(parts, db=Interposed(parts.db, between)),
            world.platform.identification._receipts,
            await principal(world, phone),
            held.id,
            jws=body["jws"],
            assertion=AssertionParts(**body["assertion"]),
        )
    except InkanError as refused:
        return refused.code
    return decided.outcome
