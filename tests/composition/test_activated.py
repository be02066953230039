"""Who holds keys of phones, as the settings say it: nobody, this process for trying it out, a signer in production."""

from contextlib import AsyncExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from inkan.composition.activated import BOOK_FILE, FOLDER, activated_keys
from inkan.composition.settings import (
    Activation,
    Database,
    Environment,
    Keys,
    Origins,
    Settings,
    SettingsWrong,
    check,
)
from inkan.composition.signer import signing_process
from inkan.crypto.activation.book import read_book
from inkan.crypto.activation.pinned import PinnedKeys
from inkan.crypto.activation.port import ActivationRefused, ActivationUsed
from inkan.crypto.foreign_keys import SignatureScheme
from inkan.crypto.key_guard import SigningRefused
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.remote import messages
from inkan.crypto.remote.activation import RemoteActivatedKeys
from inkan.crypto.remote.client import RemoteKeyProvider
from inkan.kernel.clock import Clock
from support.activation import Passkey

PRODUCTION = {
    "environment": Environment.PRODUCTION,
    "origins": Origins(platform="https://id.example.tw", wallet="https://wallet.example.tw"),
}


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"keys": Keys(phones="pkcs11")}, "keys.phones"),
        ({"keys": Keys(phones="remote")}, "keys.phones"),
        ({"activation": Activation(networks=("10.0.0.0/33",))}, "activation.networks"),
        ({"activation": Activation(networks=("10.0.0.1/8",))}, "activation.networks"),
        ({"activation": Activation(networks=("the hospital",))}, "activation.networks"),
    ],
)
def test_settings_that_name_no_holder_or_no_network(changes: dict, where: str) -> None:
    with pytest.raises(SettingsWrong) as wrong:
        check(Settings(environment=Environment.DEMO, **changes))
    assert wrong.value.facts["where"] == where


async def test_nobody_holds_such_keys_unless_the_settings_say_so(tmp_path: Path) -> None:
    settings = Settings(environment=Environment.DEMO, home=str(tmp_path))
    async with AsyncExitStack() as stack:
        assert await activated_keys(settings, Clock(), {}, stack) is None


async def test_production_takes_them_from_a_signer_process_alone(tmp_path: Path) -> None:
    keys = Keys(phones="file", passphrase="x" * 20)
    settings = Settings(home=str(tmp_path), keys=keys, **PRODUCTION)
    async with AsyncExitStack() as stack:
        with pytest.raises(SettingsWrong) as wrong:
            await activated_keys(settings, Clock(), {}, stack)
        assert wrong.value.facts["where"] == "keys.phones"
        remote = RemoteKeyProvider(tmp_path / "none", monotonic=Clock().monotonic)
        stack.callback(remote.close)
        keys = Keys(phones="remote", passphrase="x" * 20)
        settings = Settings(home=str(tmp_path), keys=keys, **PRODUCTION)
        held = await activated_keys(settings, Clock(), {"remote": remote}, stack)
        assert isinstance(held, RemoteActivatedKeys)


async def test_a_demo_may_hold_them_itself_in_a_place_of_their_own(tmp_path: Path) -> None:
    settings = Settings(
        environment=Environment.DEMO, home=str(tmp_path), keys=Keys(phones="file", passphrase="x")
    )
    passkey = Passkey()
    async with AsyncExitStack() as stack:
        held = await activated_keys(settings, Clock(), {}, stack)
        assert isinstance(held, PinnedKeys)
        auth, _ = await held.make(passkey.order())
        await held.release(passkey.wish(auth))
    assert (tmp_path / FOLDER).is_dir()
    assert len(list(read_book(tmp_path / BOOK_FILE))) == 3
    assert (tmp_path / BOOK_FILE).stat().st_mode & 0o777 == 0o600


async def test_the_signer_process_checks_the_assertion_by_its_own_settings(tmp_path: Path) -> None:
    settings = Settings(
        environment=Environment.DEMO,
        home=str(tmp_path / "signer"),
        database=Database(url=f"sqlite:///{tmp_path / 'inkan.db'}"),
        keys=Keys(phones="file", passphrase="x"),
    )
    passkey = Passkey()
    async with signing_process(settings) as path:
        remote = RemoteKeyProvider(path, monotonic=Clock().monotonic)
        held = RemoteActivatedKeys(remote)
        auth, _ = await held.make(passkey.order())
        wish = passkey.wish(auth)
        assert (await held.release(wish)).count(b".") == 2
        with pytest.raises(ActivationUsed):
            await held.release(wish)
        other = Settings(origins=Origins(wallet="http://wallet.localhost:9999"))
        content = passkey.statement(number=7)
        assertion = passkey.asserts(sha256(b"x").digest(), origin=other.origins.wallet)
        with pytest.raises(ActivationRefused):
            await held.release(passkey.wish(auth, content, assertion=assertion))
        request = messages.Sign(
            "enr_1.auth", KeyPurpose.PHONE, SignatureScheme.ECDSA_SHA256, b"eyJ0eXAiOiJ4In0.e30"
        )
        with pytest.raises(SigningRefused):
            await held._wait(lambda: remote.ask(request, messages.Signature))
        remote.close()
