"""The sandbox beside the country: a stranger's program tries an identification there, from end to end."""

from pathlib import Path

import msgspec

from inkan.client import AsyncTransport, RelyingParty, SystemCredentials
from inkan.client.exchange import Request
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.sandbox import sandbox
from support.ports import free_port


async def test_an_identification_in_the_sandbox(tmp_path: Path) -> None:
    key = generate(KeySpec.P256)
    async with (
        sandbox(tmp_path / "sandbox", port=free_port(), key=key) as credentials,
        AsyncTransport() as transport,
        RelyingParty(credentials) as agency,
    ):

        async def ask(path: str, **members: object) -> dict[str, object]:
            answer = await transport.send(_request(credentials, path, members))
            assert answer.status in {200, 201}, answer.body
            read: dict[str, object] = msgspec.json.decode(answer.body)
            return read

        phone = await ask("phones", person="agrees")
        session = await agency.create_session("identify", purpose="login")
        done = await ask(f"phones/{phone['id']}/actions", action="scan", frame=session.frame())
        assert done["done"] == "approved"
        assert (await session.wait(timeout_s=10)).is_ok


def _request(credentials: SystemCredentials, path: str, members: dict[str, object]) -> Request:
    return Request(
        method="POST",
        url=f"{credentials.issuer}/v1/sandbox/{path}",
        headers={
            "authorization": f"Bearer {credentials.code}",
            "content-type": "application/json",
        },
        body=msgspec.json.encode(members),
        timeout_s=30,
    )
