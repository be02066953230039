"""``inkan conformance``: the kit at the command line, against the tax office in a thread, as another program would be."""

import asyncio
import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from cli.test_sandbox import REGISTRATION
from inkan.apps.showcase.tax_office import tax_office
from inkan.audit.store import event
from inkan.cli.root import root
from inkan.cli.world import World
from inkan.client import SystemCredentials
from inkan.conformance import KIT_VERSION, Item, ReportKeyWrong
from inkan.conformance.service.authority import new_key
from inkan.crypto import jcs, jose, jwk
from inkan.crypto.jose import Algorithm
from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.relying_parties import SystemNotFound
from inkan.relying_parties.model.application import ReportElsewhere
from inkan.relying_parties.service.documents import digest_of
from inkan.store.database import Step
from inkan.store.query import Query
from inkan.web.server import Server
from inkan.wire.conformance_report import REPORT_TYP, parse_report
from support.ports import free_port


@dataclass(frozen=True)
class Place:
    """Where the kit is, and whom it attacks."""

    home: Path
    issuer: str
    rp: str

    def run(self, *arguments: str) -> Result:
        asked = ["conformance", "run", "--home", str(self.home), "--issuer", self.issuer]
        return call(*asked, "--rp", self.rp, *arguments)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(root, list(arguments), standalone_mode=False)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("kit") / "home"
    port = free_port(neighbours=1)
    issuer, origin = f"http://hostile.localhost:{port}", f"http://agency.localhost:{port + 1}"
    prepared = call("conformance", "prepare", "--home", str(home), "--issuer", issuer)
    assert prepared.exception is None, prepared.output
    assert issuer in prepared.output
    office = tax_office(
        origin=origin,
        credentials=SystemCredentials(issuer=issuer, code="tax-office", key=new_key()),
        anchors=[(home / "root.cer").read_bytes()],
        clock=Clock(),
        is_test=True,
    )
    ready, loop, stop = threading.Event(), asyncio.new_event_loop(), asyncio.Event()

    async def serve() -> None:
        async with Server(office, port=port + 1).running(grace_s=1.0):
            ready.set()
            await stop.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    try:
        assert ready.wait(30)
        yield Place(home, issuer, f"{origin}/conformance")
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


def test_the_keys_of_the_kit_are_its_owners_alone_and_are_not_replaced(place: Place) -> None:
    for name in ("root.key", "webhook.key"):
        assert (place.home / name).stat().st_mode & 0o077 == 0
    again = call("conformance", "prepare", "--home", str(place.home))
    assert isinstance(again.exception, InkanError)


@pytest.mark.req("TW-64")
def test_a_whole_run_writes_a_signed_report(place: Place, tmp_path: Path) -> None:
    key, file, out = new_key(), tmp_path / "k.pem", tmp_path / "report.jws"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ran = place.run("--key", str(file), "--out", str(out), "--json")
    assert ran.exception is None, ran.output
    told = json.loads(ran.output)
    assert (ran.return_value, told["passed"], told["system"]) == (0, True, "tax-office")
    assert [item["id"] for item in told["items"]] == list(Item)
    jws = out.read_text(encoding="ascii")
    held = jose.verify_compact(jws, key.public_key(), algs=[Algorithm.ES256], typ=REPORT_TYP)
    report = parse_report(held.payload)
    assert report.passed
    assert [item.id for item in report.items] == list(Item)


def test_some_items_are_told_to_people(place: Place) -> None:
    ran = place.run("--item", "swapped_callback", "--item", "low_level", "--lang", "zh-Hant")
    assert ran.exception is None, ran.output
    assert ran.return_value == 0
    assert "返回位址調換" in ran.output
    assert "tax-office: 2 of 2 attacks refused." in ran.output


def test_a_legal_run_that_does_not_succeed_ends_with_1(place: Place, tmp_path: Path) -> None:
    """Under another root than the relying party knows it refuses everything, and passes nothing by that."""
    assert call("conformance", "prepare", "--home", str(tmp_path / "k")).exception is None
    ran = Place(tmp_path / "k", place.issuer, place.rp).run("--item", "forged_receipt")
    assert ran.exception is None, ran.output
    assert ran.return_value == 1
    assert "legal run failed" in ran.output


def test_a_kit_that_was_not_prepared_and_keys_that_are_none(place: Place, tmp_path: Path) -> None:
    bare = Place(tmp_path / "nowhere", place.issuer, place.rp)
    assert isinstance(bare.run().exception, InkanError)
    file = tmp_path / "k.pem"
    for data in (b"", b"no key", b"-----BEGIN PRIVATE KEY-----\nA\n-----END PRIVATE KEY-----\n"):
        file.write_bytes(data)
        ran = place.run("--key", str(file), "--out", str(tmp_path / "r"))
        assert isinstance(ran.exception, ReportKeyWrong)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--key", __file__],
        ["--item", "low_level", "--out", "r"],
        ["--item", "low_level", "--key", __file__, "--out", "r"],
    ],
)
def test_half_a_wish_for_a_report_is_refused(place: Place, arguments: list[str]) -> None:
    assert isinstance(place.run(*arguments).exception, click.UsageError)


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A sandbox's home, with the tax office in its register; commands of this test work on it."""
    monkeypatch.setenv("INKAN_HOME", str(tmp_path / "sandbox"))
    monkeypatch.setenv("INKAN_ENVIRONMENT", "sandbox")
    system = tmp_path / "system.json"
    system.write_text(json.dumps(REGISTRATION), encoding="utf-8")
    assert call("systems", "add", str(system)).exception is None
    return World(None)


@pytest.mark.req("TW-64")
def test_the_sandbox_signs_the_run_that_it_played(
    place: Place, sandbox: World, tmp_path: Path
) -> None:
    out = tmp_path / "report.jws"
    ran = place.run("--out", str(out))
    assert ran.exception is None, ran.output
    assert ran.return_value == 0
    told = json.loads(call("systems", "exporter").output)
    key, jws = jwk.load_jwk(told["reports"]), out.read_text(encoding="ascii")
    held = jose.verify_compact(jws, key, algs=[Algorithm.ES256], typ=REPORT_TYP)
    report = parse_report(held.payload)
    assert (report.system, report.passed, report.kit_version) == ("tax-office", True, KIT_VERSION)
    assert [item.id for item in report.items] == list(Item)
    [event_] = recorded(sandbox)
    salt, details = event_[:16], event_[16:]
    told = {"report_sha256": digest_of(jws.encode()), "passed": True}
    assert details == hashlib.sha256(salt + jcs.canonical(told)).digest()


def test_a_system_that_the_sandbox_does_not_know_is_not_attacked(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INKAN_HOME", str(tmp_path / "empty"))
    monkeypatch.setenv("INKAN_ENVIRONMENT", "sandbox")
    ran = place.run("--out", str(tmp_path / "r"))
    assert isinstance(ran.exception, SystemNotFound)
    assert ran.output == ""
    assert not (tmp_path / "r").exists()


def test_an_instance_that_is_no_sandbox_attacks_nobody(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = {
        "HOME": str(tmp_path / "production"),
        "ENVIRONMENT": "production",
        "ORIGINS__PLATFORM": "https://id.example",
        "ORIGINS__WALLET": "https://wallet.example",
        "KEYS__PASSPHRASE": "a passphrase for tests",
    }
    for name, value in variables.items():
        monkeypatch.setenv(f"INKAN_{name}", value)
    ran = place.run("--out", str(tmp_path / "r"))
    assert isinstance(ran.exception, ReportElsewhere)
    assert ran.output == ""
    assert not (tmp_path / "r").exists()


def recorded(world: World) -> list[bytes]:
    """The salted hashes of what the audit log says of reports, with their salts."""

    async def read(platform: Any) -> list[Any]:
        rows: list[Any] = await platform.db.scan(_reports)
        return rows

    return [row.salt + row.details for row in world.run(read)]


_REPORTED = Query(
    sa.select(event).where(event.c.use_case == "relying_parties.conformance_reported")
)


def _reports() -> Step[Any]:
    return (yield _REPORTED.all())


def test_the_attacks_are_listed() -> None:
    listed = call("conformance", "items", "--lang", "ja")
    assert "戻りコードの再使用" in listed.output
    rows = json.loads(call("conformance", "items", "--json").output)
    assert [row["id"] for row in rows] == list(Item)
    assert all(row["threats"] and row["refusal"] for row in rows)
