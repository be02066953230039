"""What the wallet's origin serves of the wallet: the page, its texts, its service worker, its manifest."""

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from inkan.store.database import Database
from inkan.wallet.pages import policy
from inkan.wallet.rules import ADDRESSES, ENTRY, HOME
from inkan.wallet.service import Shell, WalletFacts
from inkan.web.templates import Templates
from support.asgi import Client
from support.clock import StandingClock
from support.world import PLATFORM, WALLET, World, world_on

PACKAGE = Path(__file__).parents[2] / "src" / "inkan" / "wallet"


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path):
    async with world_on(database, clock, tmp_path) as made:
        yield made


def shell(**facts: Any) -> Shell:
    known = {"platform": PLATFORM, "wallet": WALLET, "is_test": False, "version": "1"}
    known["official_site"] = PLATFORM
    return Shell(Templates({"wallet": PACKAGE}), WalletFacts(**known | facts))


class _Page(HTMLParser):
    """The elements of a page, and what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.data = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "meta" and dict(attrs).get("name") == "settings":
            self.data = dict(attrs).get("content") or ""


def read(html: bytes) -> _Page:
    page = _Page()
    page.feed(html.decode())
    return page


def sri(body: bytes) -> str:
    return f"sha384-{base64.b64encode(hashlib.sha384(body).digest()).decode()}"


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This address belongs to the wallet"),
        ("ja", "このアドレスはウォレット用です"),
        ("zh-Hant", "這個網址屬於錢包"),
    ],
)
async def test_an_address_without_script_says_what_it_is(
    world: World, language: str, text: str
) -> None:
    client = Client(world.instance.application, WALLET)
    for path in (HOME, *ADDRESSES):
        reply = await client.get(path, headers={"accept-language": language, "accept": "text/html"})
        assert reply.status == 200
        assert text in reply.text
        assert (await Client(world.instance.application, PLATFORM).get(path)).text != reply.text


async def test_the_page_runs_nothing_but_files_of_known_content(world: World) -> None:
    client = Client(world.instance.application, WALLET)
    reply = await client.get(HOME, headers={"accept": "text/html"})
    page = read(reply.body)
    loaded = [
        (attributes.get("src") or attributes.get("href") or "", attributes.get("integrity"))
        for tag, attributes in page.elements
        if (tag == "script" and "src" in attributes)
        or attributes.get("rel") in {"stylesheet", "modulepreload"}
    ]
    assert len(loaded) > 15
    for path, integrity in loaded:
        assert integrity == sri((await client.get(path)).body), path
    assert all("src" in each for tag, each in page.elements if tag == "script"), "nothing inline"


async def test_the_policy_lets_the_page_call_the_platform_and_nobody_else(world: World) -> None:
    reply = await Client(world.instance.application, WALLET).get(HOME)
    policy = reply.header("content-security-policy") or ""
    directives = dict(each.strip().partition(" ")[::2] for each in policy.split(";"))
    assert directives["connect-src"] == f"'self' {PLATFORM}"
    assert directives["script-src"] == "'self'"
    assert directives["require-trusted-types-for"] == "'script'"
    assert directives["trusted-types"] == "inkan-wallet"
    assert directives["default-src"] == "'none'"
    granted = re.findall(r"([\w-]+)=\(self\)", reply.header("permissions-policy") or "")
    assert set(granted) - {"display-capture"} == {
        "camera",
        "publickey-credentials-create",
        "publickey-credentials-get",
    }


def test_only_a_test_country_may_look_at_other_windows() -> None:
    assert "display-capture" in policy(shell(is_test=True)).granted
    assert "display-capture" not in policy(shell()).granted


def test_codes_are_read_as_text_at_the_sites_that_were_named() -> None:
    asked = dict(policy(shell(screens=("http://taxoffice.localhost:8481",))).csp)["connect-src"]
    assert set(asked) - set(dict(policy(shell()).csp)["connect-src"]) == {
        "http://taxoffice.localhost:8481"
    }


def test_no_setting_ends_the_attribute_that_holds_it() -> None:
    evil = "\"'></script><script src=x>&lt;"
    for body in shell(official_site=evil).pages.values():
        assert json.loads(read(body).data)["officialSite"] == evil
        assert body.count(b"<script") == 1


def test_the_worker_keeps_every_file_of_the_page_under_its_true_content() -> None:
    made = shell()
    head, _, _ = made.worker.partition(b";\n")
    known = json.loads(head.removeprefix(b"self.SHELL = "))
    assets = made.templates.assets
    kept = {each["url"]: each["integrity"] for each in known["files"]}
    for name in assets.closure(ENTRY):
        assert kept[assets.url(name)] == assets.integrity(name)
    for language, path in made.text_paths.items():
        assert kept[path] == sri(made.texts[language])
    assert known["addresses"] == [HOME, *ADDRESSES]


def test_another_page_is_another_version_of_the_worker() -> None:
    assert shell().worker == shell().worker
    assert shell().worker != shell(version="2").worker


async def test_the_worker_may_fetch_its_own_files_and_is_never_kept_stale(world: World) -> None:
    reply = await Client(world.instance.application, WALLET).get("/sw.js")
    assert reply.header("cache-control") == "no-cache"
    assert "connect-src 'self'" in (reply.header("content-security-policy") or "")
    assert reply.header("content-type") == "text/javascript"


async def test_the_manifest_names_files_that_are_there(world: World) -> None:
    client = Client(world.instance.application, WALLET)
    manifest = json.loads((await client.get("/manifest.webmanifest")).body)
    assert manifest["scope"] == manifest["start_url"] == HOME
    assert {"any", "maskable"} == {each["purpose"] for each in manifest["icons"]}
    for icon in manifest["icons"]:
        reply = await client.get(icon["src"])
        assert (reply.status, reply.header("content-type")) == (200, icon["type"])


async def test_texts_are_kept_for_ever_and_named_by_their_content(world: World) -> None:
    client = Client(world.instance.application, WALLET)
    page = read((await client.get(HOME)).body)
    settings = json.loads(page.data)
    assert set(settings["texts"]) == {"en", "ja", "zh-Hant"}
    for path in settings["texts"].values():
        reply = await client.get(path)
        assert "immutable" in (reply.header("cache-control") or "")
        assert hashlib.sha256(reply.body).hexdigest()[:16] in path
