"""A sandbox as an operator runs it: founded, registered, served; and never by the wrong environment."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import msgspec

from cli.conftest import Home
from cli.test_instance import ceremony
from inkan.client import AsyncTransport
from inkan.client.exchange import Request
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from support.ports import free_port
from support.world import PURPOSES

REGISTRATION = {
    "organisation": "tax",
    "organisation_name": {"en": "Tax", "ja": "税", "zh-Hant": "稅"},
    "sector": "government",
    "code": "tax-office",
    "name": "Tax Office",
    "domain": "tax.example",
    "doors": ["qr"],
    "purposes": PURPOSES,
    "keys": [jwk.to_jwk(generate(KeySpec.P256).public_key())],
}


async def test_a_sandbox_is_founded_and_served(home: Home, tmp_path: Path) -> None:
    port = free_port()
    origin = f"http://sandbox.localhost:{port}"
    home.variables = {
        "INKAN_ENVIRONMENT": "sandbox",
        "INKAN_ORIGINS__PLATFORM": origin,
        "INKAN_ORIGINS__WALLET": f"http://wallet.localhost:{port}",
        "INKAN_SERVER__PORT": str(port),
    }
    system = tmp_path / "system.json"
    system.write_text(json.dumps(REGISTRATION), encoding="utf-8")
    await asyncio.to_thread(home.inkan, "ca", "init", ceremony(tmp_path))
    await asyncio.to_thread(home.inkan, "systems", "add", str(system))
    home.variables["INKAN_ENVIRONMENT"] = "demo"
    refused = await asyncio.to_thread(home.inkan, "systems", "list", code=1)
    assert refused.stderr.count("\n") == 1
    await _ask(home, origin)


async def _ask(home: Home, origin: str) -> None:
    """Serve it by ``--environment``, whatever the variable says, and bind a virtual phone."""
    program = "from inkan.cli import main; main()"
    arguments = ("serve", "--environment", "sandbox")
    served = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, *arguments),
        env={**os.environ, "INKAN_HOME": str(home.folder), **home.variables},
        stdout=asyncio.subprocess.PIPE,
    )
    assert served.stdout is not None
    try:
        async with asyncio.timeout(60), AsyncTransport() as transport:
            assert origin.encode() in await served.stdout.readline()
            made = await transport.send(
                Request(
                    method="POST",
                    url=f"{origin}/v1/sandbox/phones",
                    headers={
                        "authorization": "Bearer tax-office",
                        "content-type": "application/json",
                    },
                    body=msgspec.json.encode({"person": "agrees"}),
                    timeout_s=30,
                )
            )
            assert made.status == 201, made.body
    finally:
        served.send_signal(signal.SIGTERM)
        async with asyncio.timeout(30):
            assert await served.wait() == 0
