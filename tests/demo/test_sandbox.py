"""The sandbox beside the country: a stranger's program tries identifications there, from end to end."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from inkan.client import (
    AsyncTransport,
    RelyingParty,
    SubjectHint,
    SystemCredentials,
    begin_return,
)
from inkan.client.exchange import Request
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.sandbox import RETURN_URL, sandbox
from inkan.kernel.sensitive import Personal
from inkan.wire.binding import Door
from support.ports import free_port


async def test_identifications_in_the_sandbox(tmp_path: Path) -> None:
    key = generate(KeySpec.P256)
    async with (
        sandbox(tmp_path / "sandbox", port=free_port(), key=key) as credentials,
        AsyncTransport() as transport,
        RelyingParty(credentials) as agency,
    ):

        async def ask(path: str, method: str = "POST", **members: object) -> dict[str, Any]:
            answer = await transport.send(_request(credentials, method, path, members))
            assert answer.status in {200, 201}, answer.body
            read: dict[str, Any] = msgspec.json.decode(answer.body)
            return read

        phone = await ask("phones", person="agrees")
        session = await agency.create_session("identify", purpose="login")
        done = await ask(f"phones/{phone['id']}/actions", action="scan", frame=session.frame())
        assert done["done"] == "approved"
        assert (await session.wait(timeout_s=10)).is_ok

        listed = await ask("persons", method="GET")
        [number] = [each["national_id"] for each in listed["persons"] if each["person"] == "agrees"]
        hint = SubjectHint("national_id", Personal(number))
        session = await agency.create_session(
            "identify", purpose="login", doors=[Door.PUSH], subject_hint=hint
        )
        assert (await session.wait(timeout_s=20)).is_ok  # the phone types the code by itself

        back, verifier = begin_return(RETURN_URL)
        session = await agency.create_session(
            "identify", purpose="login", doors=[Door.WEB_LINK], return_to=back
        )
        assert session.doors.web_link is not None
        link = session.doors.web_link.url
        done = await ask(f"phones/{phone['id']}/actions", action="open", link=link)
        code = parse_qs(urlsplit(done["return_url"]).query)["return_code"][0]
        assert (await session.redeem(verifier, return_code=code)).is_ok


def _request(
    credentials: SystemCredentials, method: str, path: str, members: dict[str, object]
) -> Request:
    return Request(
        method=method,
        url=f"{credentials.issuer}/v1/sandbox/{path}",
        headers={
            "authorization": f"Bearer {credentials.code}",
            "content-type": "application/json",
        },
        body=msgspec.json.encode(members) if members else b"",
        timeout_s=30,
    )
