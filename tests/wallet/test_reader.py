"""The reader of codes as it is served: built files of one version, under a policy of their own."""

import gzip
import hashlib
import json
import re
from html import unescape
from pathlib import Path

import pytest

from inkan.store.database import Database
from inkan.wallet.rules import HOME
from inkan.wallet.service import read_reader
from support.asgi import Client
from support.clock import StandingClock
from support.wallet_origin import built_reader, wallet_shell
from support.world import WALLET, World, world_on


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path):
    async with world_on(database, clock, tmp_path) as made:
        yield made


def known(worker: bytes) -> dict:
    return json.loads(worker.partition(b";\n")[0].removeprefix(b"self.SHELL = "))


async def test_only_the_readers_own_answer_may_compile_webassembly(world: World) -> None:
    client = Client(world.instance.application, WALLET)
    reader = built_reader()
    script = await client.get(reader.script.path)
    policy = script.header("content-security-policy") or ""
    assert "script-src 'wasm-unsafe-eval'" in policy
    assert "connect-src 'self'" in policy
    assert "default-src 'none'" in policy
    for path in (HOME, "/sw.js"):
        page = await client.get(path, headers={"accept": "text/html"})
        assert "wasm-unsafe-eval" not in (page.header("content-security-policy") or "")


async def test_its_files_are_named_by_their_content_and_kept_for_ever(world: World) -> None:
    client = Client(world.instance.application, WALLET)
    for file, kind in (
        (built_reader().script, "text/javascript"),
        (built_reader().wasm, "application/wasm"),
    ):
        small = await client.get(file.path, headers={"accept-encoding": "gzip"})
        plain = await client.get(file.path, headers={"accept-encoding": "identity"})
        assert small.header("content-encoding") == "gzip"
        assert gzip.decompress(small.body) == plain.body
        assert plain.header("content-encoding") is None
        assert (plain.header("content-type") or "").startswith(kind)
        assert "immutable" in (plain.header("cache-control") or "")
        assert hashlib.sha256(small.body).hexdigest()[:16] in file.path
    assert plain.body.startswith(b"\0asm")


def test_the_reader_names_no_address_of_anybody() -> None:
    assert re.search(rb"https?://", built_reader().script.plain) is None


def test_what_is_not_built_is_not_named(tmp_path: Path) -> None:
    assert read_reader(tmp_path / "built") is None
    without, with_reader = wallet_shell(1), wallet_shell(1, reader=built_reader())
    page = next(iter(without.pages.values()))
    assert '"reader":null' in unescape(page.decode())
    assert known(without.worker)["later"] == []
    later = known(with_reader.worker)["later"]
    assert later == [built_reader().script.path, built_reader().wasm.path]
    kept = {each["url"] for each in known(with_reader.worker)["files"]}
    assert kept.isdisjoint(later), "0.4 MB are fetched when they are used, not at the first start"


def test_a_notification_is_in_the_languages_of_the_wallet() -> None:
    notice = known(wallet_shell(1).worker)["notice"]
    assert set(notice) == {"en", "ja", "zh-Hant"}
    assert len(set(notice.values())) == 3
