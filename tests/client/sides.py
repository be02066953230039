"""The relying party's two forms, awaiting and blocking, driven alike against a stand-in of the RP API."""

import asyncio
import inspect
from dataclasses import dataclass

from inkan.client.http import AsyncTransport, SyncTransport
from inkan.client.relying_party import RelyingParty, SyncRelyingParty
from inkan.client.rp_calls import SystemCredentials
from inkan.kernel.clock import Clock
from support.keyring import ec_key
from support.receipt_world import ISSUER
from support.rp_platform import CODE, RPPlatform

KEY = ec_key(21)


class Stopwatch(Clock):
    """A clock whose monotonic seconds a test moves."""

    seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds


@dataclass
class Side:
    """One of the two forms, driven alike: every method returns at once."""

    kind: str
    platform: RPPlatform
    clock: Stopwatch

    def party(self, *, key=KEY, **more):
        credentials = SystemCredentials(issuer=ISSUER, code=CODE, key=key)
        settings = {"clock": self.clock, **more}
        if self.kind == "sync":
            return SyncRelyingParty(credentials, transport=SyncTransport(self.platform), **settings)
        return RelyingParty(credentials, transport=AsyncTransport(self.platform), **settings)

    def do(self, call):
        """The result of a call, awaited where it must be."""
        if inspect.isasyncgen(call):

            async def collect():
                return [item async for item in call]

            return asyncio.run(collect())
        if inspect.isgenerator(call):
            return list(call)
        return asyncio.run(call) if inspect.isawaitable(call) else call

    def session(self, **settings):
        return self.do(self.party(**settings).create_session("identify", purpose="login"))
