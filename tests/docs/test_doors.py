"""Every example of docs/relying-parties/doors.md runs as it stands, against an instance, with a phone that answers."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

import inkan.client
from docs.asking import Page
from docs.blocks import DOCS, Section, run, sections
from identification.doorways import EVERY_DOOR, all_doors
from inkan.client import Phone
from inkan.client import relying_party as client
from inkan.kernel.clock import Clock
from inkan.kernel.sensitive import Personal
from inkan.store.database import Database
from support.world import PURPOSES, World, world_on

PAGE = DOCS / "relying-parties" / "doors.md"
HEAD, *EXAMPLES = sections(PAGE)
LINES = 5
SIGNING = {
    "code": "sign_contract",
    "kinds": ["sign"],
    "text": {"en": "Sign a contract", "ja": "契約の署名", "zh-Hant": "簽署契約"},
}
HOOK = "https://hook.example.com/inkan"


@dataclass
class Hook:
    """The relying party's address for webhooks: keeps the requests that came."""

    requests: list[Any] = field(default_factory=list)

    async def request(
        self, method: str, url: str, *, body: bytes = b"", headers: Any = None
    ) -> Any:
        assert url == HOOK
        self.requests.append(Request(method, dict(headers or {}), body))
        return _Taken()


@dataclass
class _Taken:
    status: int = 204


@dataclass
class Request:
    """A request as a web framework hands it over."""

    method: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Office:
    """A relying party's program: the names that the page says it has."""

    world: World
    hook: Hook
    phone: Phone
    names: dict[str, Any]

    async def run(self, section: Section, *, way: str = "frame") -> dict[str, Any]:
        """Run the blocks of a section, giving the person time between them."""
        page = Page(self.world, self.phone, way=way)
        names = {**self.names, "page": page}
        for code in section.in_("python"):
            if "request." in code:
                await self.world.instance.catch_up()
                names["request"] = self.hook.requests[-1]
            await run(code, names, page=PAGE)
            await page.answered()
        return names


@pytest.fixture
async def office(
    database: Database, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Office]:
    hook = Hook()
    async with world_on(database, clock, tmp_path / "instance", post=hook) as world:
        registered = await world.agency(
            "tax-office",
            **all_doors(purposes=[*PURPOSES, SIGNING], webhooks=[{"id": "main", "url": HOOK}]),
        )
        key = registered._calls.credentials.key
        monkeypatch.chdir(tmp_path)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (tmp_path / "tax-office.pem").write_bytes(pem)
        (tmp_path / "root.cer").write_bytes(world.anchors[0])
        monkeypatch.setattr(client, "AsyncTransport", lambda: world.transport)
        phone = await world.bind("chen")
        names = {name: getattr(inkan.client, name) for name in inkan.client.__all__}
        names |= {"Path": Path, "Personal": Personal}
        for code in HEAD.in_("python"):
            await run(code, names, page=PAGE)
        yield Office(world, hook, phone, names)


def levels(section: Section) -> list[str]:
    said = re.search(r"^Reaches (.*?)\.", section.text, re.MULTILINE | re.DOTALL)
    assert said is not None, section.title
    return re.findall(r"`(\w+)`", said[1].partition(";")[0])


def test_every_door_has_an_example() -> None:
    assert set(EVERY_DOOR) <= {section.title for section in EXAMPLES}


@pytest.mark.parametrize("section", EXAMPLES, ids=lambda section: section.title)
def test_an_example_has_five_lines(section: Section) -> None:
    blocks = section.in_("python")
    lines = [line for code in blocks for line in code.splitlines() if line.strip()]
    assert blocks
    assert len(lines) <= (LINES if section.title in EVERY_DOOR else LINES + 3)


WAYS = {"redirect": ["frame", "push", "link"]}
RUNS = [
    pytest.param(section, way, level, id=f"{section.title} {way}".strip())
    for section in EXAMPLES
    for way, level in zip(WAYS.get(section.title, [""]), levels(section), strict=True)
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("section", "way", "level"), RUNS)
async def test_an_example_runs(office: Office, section: Section, way: str, level: str) -> None:
    if section.title == "Sign a batch":
        await office.world.leap(timedelta(hours=25))
    names = await office.run(section, way=way)
    view = names["view"]
    assert view.is_ok, view
    assert view.binding.level == level
    if "receipt" in names:
        assert names["receipt"].report.verdict == "valid"
    if "signed" in names:
        assert names["signed"] == ["lease 0.pdf", "lease 1.pdf", "lease 2.pdf"]
