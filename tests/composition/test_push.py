"""Who wakes phones in an instance: its key, its settings, its carriers."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.composition.platform import compose
from inkan.composition.push import KEY_LABEL, push
from inkan.composition.push_settings import Push
from inkan.composition.settings import Environment, Settings, SettingsWrong, load
from inkan.crypto import base64url, jose, webpush
from inkan.crypto.jose import Algorithm
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import KeyPurpose
from inkan.kernel.clock import Clock
from inkan.notices import CarrierName, PushSubscriptionRefused
from notices.carrier_contract import MESSAGE
from support.keyring import ec_key
from support.push_service import Browser, PushService

DEMO = Settings(environment=Environment.DEMO)


def with_push(**members: Any) -> Settings:
    return msgspec.structs.replace(DEMO, push=Push(**members))


@pytest.mark.parametrize(
    ("settings", "subject"),
    [
        (DEMO, "mailto:inkan@localhost"),
        (with_push(subject="https://id.example/contact"), "https://id.example/contact"),
    ],
)
async def test_push_services_learn_whom_to_ask(settings: Settings, subject: str) -> None:
    seen: list[str] = []

    class Fetch:
        def verify(self, url: str) -> None:
            pass

        async def request(self, method: str, url: str, **more: Any) -> Any:
            seen.append(more["headers"]["authorization"])
            raise ConnectionError

    made = push(settings, key=ec_key(1), fetch=Fetch(), clock=Clock())
    browser = Browser("/x", "https://push.example.com")
    with pytest.raises(ConnectionError):
        await made.carriers[CarrierName.WEBPUSH].carry(browser.address, MESSAGE)
    claims = base64url.decode(seen[0].split(".")[1])
    assert msgspec.json.decode(claims)["sub"] == subject


def test_every_way_but_polling_has_a_row() -> None:
    class Fetch:
        def verify(self, url: str) -> None:
            pass

        async def request(self, method: str, url: str, **more: Any) -> Any:
            raise AssertionError

    made = push(with_push(hosts=("a.example.com",)), key=ec_key(1), fetch=Fetch(), clock=Clock())
    assert set(made.carriers) == set(CarrierName) - {CarrierName.POLL_ONLY}
    assert base64url.decode(made.key) == webpush.point(ec_key(1).public_key())
    browser = Browser("/x", "https://push.example.com")
    with pytest.raises(PushSubscriptionRefused):
        made.carriers[CarrierName.WEBPUSH].admit(browser.address)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INKAN_PUSH__SUBJECT", "operator@id.example"),
        ("INKAN_PUSH__SUBJECT", "mailto:a b"),
        ("INKAN_PUSH__SUBJECT", "javascript:x"),
        ("INKAN_PUSH__HOSTS", "https://push.example.com"),
        ("INKAN_PUSH__HOSTS", "PUSH.example.com"),
        ("INKAN_PUSH__HOSTS", "*.example.com"),
        ("INKAN_PUSH__HOSTS", ".com,push.example.com:443"),
    ],
)
def test_a_setting_that_says_nothing_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsWrong):
        load(None, {"INKAN_ENVIRONMENT": "demo", name: value})


def test_settings_name_services() -> None:
    environ = {
        "INKAN_ENVIRONMENT": "demo",
        "INKAN_PUSH__SUBJECT": "mailto:a@b.example",
        "INKAN_PUSH__HOSTS": "fcm.googleapis.com,.push.apple.com",
    }
    read = load(None, environ).push
    assert read == Push("mailto:a@b.example", ("fcm.googleapis.com", ".push.apple.com"))


async def test_an_instance_keeps_its_key_and_signs_nothing_else_with_it(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(DEMO, home=str(tmp_path))
    async with compose(settings) as platform:
        first = platform.notices.push_key
        key = platform.keys.signer(KEY_LABEL, KeyPurpose.VAPID)
        assert base64url.encode(webpush.point(key.public_key())) == first  # type: ignore[arg-type]
        for typ in ("at+jwt", "inkan-receipt+jwt"):
            with pytest.raises(SigningRefused):
                jose.sign_compact(b"{}", key, alg=Algorithm.ES256, typ=typ)
    async with compose(settings) as platform:
        assert platform.notices.push_key == first


async def test_production_admits_no_push_service_inside(clock: Any) -> None:
    async with PushService(clock).running() as service:
        with pytest.raises(SettingsWrong):
            load(
                None,
                {
                    "INKAN_ORIGINS__PLATFORM": "https://id.example",
                    "INKAN_ORIGINS__WALLET": "https://wallet.example",
                    "INKAN_KEYS__PASSPHRASE": "x",
                    "INKAN_FETCH__ADMITTED": f"push.localhost:{service.port}",
                },
            )
