"""npm's openid-client in a node process: the foreign relying party of the OpenID provider (``tests/js/client.mjs``)."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.node import NODE
from support.repository import ROOT

FOLDER = ROOT / "tests" / "js"
MODULES = FOLDER / "node_modules" / "openid-client"
_ANSWER_S = 60
_LINE_LIMIT = 2**20


class ClientSaysNo(Exception):
    """What the client threw: one of its own checks, or the error that the provider answered with."""

    def __init__(self, members: dict[str, Any]):
        super().__init__(json.dumps(members))
        self.code = members.get("code")
        self.error = members.get("error")
        self.status = members.get("status")


class OpenIDClient:
    """One client of the process; a test may open several."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process = process
        self._name = name

    async def ask(self, command: str, **members: Any) -> Any:
        """Have it do something.

        Raises:
            ClientSaysNo: it did not come about.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        message = {"id": 1, "command": command, "client": self._name, **members}
        self._process.stdin.write(json.dumps(message).encode() + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            line = await self._process.stdout.readline()
        assert line, "node said nothing"
        said = json.loads(line)
        if "error" in said:
            raise ClientSaysNo(said["error"])
        return said.get("value")


class Clients:
    """The process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def open(
        self, name: str, *, issuer: str, auth: dict[str, Any], **members: Any
    ) -> tuple[OpenIDClient, dict[str, Any]]:
        """Discover the issuer as the client ``name``; returns it and the metadata as it understood them."""
        client = OpenIDClient(self._process, name)
        found = await client.ask("open", issuer=issuer, name=name, auth=auth, **members)
        return client, found


@asynccontextmanager
async def openid_clients() -> AsyncIterator[Clients]:
    """A process with openid-client; the test is skipped where the modules were not installed."""
    if not MODULES.exists():
        pytest.skip("missing modules: make installs tests/js")
    process = await asyncio.create_subprocess_exec(
        NODE,
        FOLDER / "client.mjs",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE_LIMIT,
    )
    try:
        yield Clients(process)
    finally:
        process.terminate()
        async with asyncio.timeout(10):
            await process.communicate()
