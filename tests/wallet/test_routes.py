"""The wallet's origin: the association files of native wallets, and the page where no wallet takes an address."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.composition.settings import Settings, Wallet
from inkan.kernel.sensitive import Secret
from inkan.store.database import Database
from inkan.wallet.model import AndroidApp, NativeApps
from inkan.wallet.rules import ADDRESSES, asset_links, site_association
from inkan.wire import link, qr
from support.asgi import Client
from support.clock import StandingClock
from support.world import PLATFORM, WALLET, World, world_on

PRINT = ":".join(["AB"] * 32)
APPS = NativeApps(
    android=(AndroidApp(package="tw.example.wallet", sha256=(PRINT,)),),
    ios=("ABCDE12345.tw.example.wallet",),
)


@pytest.fixture
async def world(database: Database, clock: StandingClock, tmp_path: Path):
    async with world_on(database, clock, tmp_path) as made:
        yield made


def test_an_android_app_gets_links_and_passkeys() -> None:
    [statement] = asset_links(APPS)
    assert statement["relation"] == [
        "delegate_permission/common.handle_all_urls",
        "delegate_permission/common.get_login_creds",
    ]
    assert statement["target"] == {
        "namespace": "android_app",
        "package_name": "tw.example.wallet",
        "sha256_cert_fingerprints": [PRINT],
    }


def test_an_ios_app_gets_the_wallets_paths_and_no_other() -> None:
    made = site_association(APPS)
    [detail] = made["applinks"]["details"]
    assert detail["appIDs"] == list(APPS.ios)
    assert detail["components"] == [{"/": "/q"}, {"/": "/e"}, {"/": "/l"}]
    assert made["webcredentials"] == {"apps": list(APPS.ios)}


def test_what_the_platform_draws_lies_on_these_paths() -> None:
    handle = "A" * 22
    key = qr.qr_key(Secret(bytes(32)))
    drawn = {
        link.address(WALLET, handle=handle),
        qr.frame(WALLET, handle=handle, t=0, key=key),
    }
    assert {each.partition("#")[0].removeprefix(WALLET) for each in drawn} <= set(ADDRESSES)


def test_without_apps_nobody_takes_anything() -> None:
    assert asset_links(NativeApps()) == []
    assert site_association(NativeApps())["applinks"] == {"details": []}


@pytest.mark.parametrize(
    "bent",
    [
        {"android": [{"package": "wallet", "sha256": [PRINT]}]},
        {"android": [{"package": "tw.example", "sha256": []}]},
        {"android": [{"package": "tw.example", "sha256": [PRINT.lower()]}]},
        {"android": [{"package": "tw.example\n", "sha256": [PRINT]}]},
        {"ios": ["tw.example.wallet"]},
        {"ios": ["ABCDE12345.*"]},
        {"ios": ["ABCDE12345.tw/../x"]},
        {"web": []},
    ],
)
def test_an_app_that_is_none_is_no_setting(bent: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"apps": bent}, Wallet)


@given(st.text(max_size=40))
def test_no_text_smuggles_another_member_into_the_files(text: str) -> None:
    try:
        apps = msgspec.convert({"ios": [text]}, NativeApps)
    except msgspec.ValidationError:
        return
    assert json.loads(msgspec.json.encode(site_association(apps)))["webcredentials"] == {
        "apps": [text]
    }


async def test_the_files_are_served_at_once_and_on_the_wallets_host_alone(world: World) -> None:
    application = world.instance.application
    for path in ("/.well-known/assetlinks.json", "/.well-known/apple-app-site-association"):
        reply = await Client(application, WALLET).get(path)
        assert (reply.status, reply.header("content-type")) == (200, "application/json")
        assert (await Client(application, PLATFORM).get(path)).status == 404


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This address belongs to the wallet"),
        ("ja", "このアドレスはウォレット用です"),
        ("zh-Hant", "這個網址屬於錢包"),
    ],
)
async def test_an_address_in_a_browser_says_what_it_is(
    world: World, language: str, text: str
) -> None:
    client = Client(world.instance.application, WALLET)
    for path in ADDRESSES:
        reply = await client.get(path, headers={"accept-language": language, "accept": "text/html"})
        assert reply.status == 200
        assert text in reply.text


def test_the_settings_name_the_apps() -> None:
    assert Settings().wallet.apps == NativeApps()
