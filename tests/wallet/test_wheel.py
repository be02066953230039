"""The wheel, built and unpacked where no work tree is: it serves a whole country and its wallet from its own files."""

import asyncio
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from html import unescape
from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.repository import ROOT

# What stands in for `inkan serve`: a country founded and served, until the standard input ends.
SERVING = """
import asyncio, sys
from html import unescape
from pathlib import Path
import inkan
from inkan.demo.country import country

async def main(folder, port):
    async with country(Path(folder), port=int(port)):
        print(inkan.__file__, flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
    )
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


async def test_a_wheel_alone_serves_the_wallet(unpacked: Path, tmp_path: Path) -> None:
    port = free_port()
    server = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        SERVING,
        str(tmp_path / "country"),
        str(port),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(unpacked)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        assert server.stdout is not None
        said = (await asyncio.wait_for(server.stdout.readline(), 60)).decode().strip()
        assert Path(said).is_relative_to(unpacked), "served from the wheel, not from the work tree"
        await check_wallet(f"http://wallet.localhost:{port}", port)
    finally:
        await asyncio.wait_for(server.communicate(b""), 30)
    assert server.returncode == 0


async def check_wallet(origin: str, port: int) -> None:
    """Every file that the page or its worker names is there, with the content that they name."""
    headers = {"host": origin.removeprefix("http://")}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=headers) as http:
        page = await http.get("/")
        assert page.status_code == 200
        worker = (await http.get("/sw.js")).content
        known = json.loads(worker.partition(b";\n")[0].removeprefix(b"self.SHELL = "))
        assert len(known["files"]) > 20
        for file in known["files"]:
            body = (await http.get(file["url"])).content
            digest = base64.b64encode(hashlib.sha384(body).digest()).decode()
            assert file["integrity"] == f"sha384-{digest}", file["url"]
        settings = re.search(r'<meta name="settings" content="([^"]*)">', page.text)
        assert settings is not None
        reader = json.loads(unescape(settings[1]))["reader"]
        assert reader is not None, "the wheel carries the reader of codes"
        for path in reader.values():
            assert (await http.get(path)).status_code == 200


def test_the_wheel_holds_no_source_of_node(unpacked: Path) -> None:
    names = [path.name for path in unpacked.rglob("*")]
    assert "node_modules" not in names
    assert "package-lock.json" not in names
