"""docs/relying-parties/curl.md: the script in plain curl and openssl identifies a virtual phone over real HTTP."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from docs.blocks import DOCS, sections
from inkan.client import SystemCredentials
from inkan.crypto.keys import KeySpec, generate
from inkan.demo.sandbox import sandbox
from support import tools
from support.ports import free_port

PAGE = DOCS / "relying-parties" / "curl.md"
RUN, MAKE, SCAN = sections(PAGE)[0].in_("sh")


@pytest.fixture
async def system(tmp_path: Path) -> AsyncIterator[SystemCredentials]:
    for tool in ("curl", "openssl"):
        tools.require(tool)
    key = generate(KeySpec.P256)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    async with sandbox(tmp_path / "instance", port=free_port(), key=key) as credentials:
        yield credentials


@asynccontextmanager
async def shell(
    command: str, folder: Path, **variables: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command of the page, from a folder where its files may lie."""
    (folder / "docs").unlink(missing_ok=True)
    (folder / "docs").symlink_to(DOCS)
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", command),
        cwd=folder,
        env={"PATH": os.environ["PATH"], **variables},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def ask(command: str, folder: Path, **variables: str) -> dict[str, str]:
    async with shell(command, folder, **variables) as process:
        said, _ = await process.communicate()
    assert process.returncode == 0, said
    answer: dict[str, str] = json.loads(said)
    return answer


async def identify(
    system: SystemCredentials, folder: Path, *, person: str
) -> tuple[int | None, list[str]]:
    """Run the script; each frame that it shows is read by the phone until it takes one."""
    names = {"ISSUER": system.issuer, "SYSTEM": system.code, "KEY": str(folder / "key.pem")}
    make = MAKE.replace('"agrees"', f'"{person}"')
    phone = (await ask(make, folder, **names))["id"]
    done, said = "declined", []
    async with asyncio.timeout(90), shell(RUN, folder, **names) as process:
        assert process.stdout is not None
        async for line in process.stdout:
            said.append(line.decode().strip())
            if said[-1].startswith("http") and done == "declined":
                scanned = await ask(SCAN, folder, **names, PHONE=phone, FRAME=said[-1])
                done = scanned["done"]
        await process.wait()
    return process.returncode, said


async def test_a_person_is_identified_by_curl_and_openssl(
    system: SystemCredentials, tmp_path: Path
) -> None:
    code, said = await identify(system, tmp_path, person="agrees")
    assert code == 0, said
    view = json.loads(said[-1])
    assert (view["state"], view["outcome"]) == ("closed", "ok")
    assert view["subject"]["person_ref"]
    assert (tmp_path / "receipt.jws").read_text().count(".") == 2


async def test_a_person_who_refuses_is_no_success(
    system: SystemCredentials, tmp_path: Path
) -> None:
    code, said = await identify(system, tmp_path, person="refuses")
    assert code == 1
    assert json.loads(said[-1])["reason"] == "user_refused"
    assert not (tmp_path / "receipt.jws").exists()


async def test_another_key_gets_no_token(system: SystemCredentials, tmp_path: Path) -> None:
    other = generate(KeySpec.P256)
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    names = {"ISSUER": system.issuer, "SYSTEM": system.code, "KEY": str(tmp_path / "key.pem")}
    async with asyncio.timeout(60), shell(RUN, tmp_path, **names) as process:
        said, _ = await process.communicate()
    assert process.returncode != 0
    assert b"invalid_client" in said or b"401" in said
