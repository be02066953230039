"""The sandbox beside the test country: a second instance in the same loop, with database, authorities and clock of its own."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from inkan.client import SystemCredentials
from inkan.composition.running import running
from inkan.composition.settings import Environment, Origins, Server, Settings
from inkan.crypto import jwk
from inkan.crypto.keys import PrivateKey
from inkan.demo.country import read_world
from inkan.pki import read_ceremony
from inkan.relying_parties import SystemRegistration
from inkan.web.server import Server as HTTPServer
from inkan.wire.binding import Door

RETURN_URL: Final = "http://taxoffice.localhost:8000/return"
"""Where sessions of the demo's sandbox may come back to: the program of whoever tries it."""


@asynccontextmanager
async def sandbox(folder: Path, *, port: int, key: PrivateKey) -> AsyncIterator[SystemCredentials]:
    """Found a sandbox in an empty folder, with the tax office's system and all doors in its register, and serve it.

    Args:
        folder: made where it is missing.
        port: where it listens on loopback, as ``sandbox.localhost``.
        key: of the tax office's system; its code alone is enough there.

    Raises:
        AddressTaken: something listens on the port.
    """
    settings = Settings(
        environment=Environment.SANDBOX,
        home=str(folder),
        server=Server(port=port),
        origins=Origins(
            platform=f"http://sandbox.localhost:{port}",
            wallet=f"http://wallet.sandbox.localhost:{port}",
        ),
    )
    async with AsyncExitStack() as stack:
        instance = await stack.enter_async_context(running(settings))
        server = HTTPServer(instance.application, port=port)
        await stack.enter_async_context(server.running())
        await stack.enter_async_context(instance.listening(port=port))
        text = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")
        await instance.platform.pki.hold_ceremony(read_ceremony(text))
        system = {
            **read_world().system,
            "doors": [door.value for door in Door],
            "return_urls": [RETURN_URL],
            "keys": [jwk.to_jwk(key.public_key())],
        }
        registered = await instance.platform.relying_parties.register(
            msgspec.convert(system, SystemRegistration)
        )
        yield SystemCredentials(issuer=settings.origins.platform, code=registered.code, key=key)
