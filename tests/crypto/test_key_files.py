"""The encrypted file provider: the contract of every provider, and what files add to it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from crypto.key_provider_contract import KeyProviderContract, Reopen
from inkan.crypto.key_files import STORE_FILE, SUFFIX, EncryptedFileKeyProvider
from inkan.crypto.key_providers import (
    KeyExists,
    KeyPurpose,
    KeyStoreDamaged,
    KeyStoreExposed,
    KeyStoreLocked,
)
from inkan.crypto.keys import KeySpec, private_der
from inkan.kernel.sensitive import Secret

PASSPHRASE = Secret("correct horse battery staple")
COST = 2**10  # the cheapest that is accepted


def open_store(folder: Path, passphrase: Secret[str] = PASSPHRASE) -> EncryptedFileKeyProvider:
    return EncryptedFileKeyProvider(folder, passphrase, cost=COST)


class TestContract(KeyProviderContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> EncryptedFileKeyProvider:
        return open_store(tmp_path / "keys")

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> Reopen:
        return lambda: open_store(tmp_path / "keys")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one key and one secret."""
    provider = open_store(tmp_path / "keys")
    provider.generate("ca", KeySpec.P256, (KeyPurpose.CERT,))
    provider.secret("mac", KeyPurpose.MAC)
    return tmp_path / "keys"


def test_another_passphrase_opens_nothing(folder: Path) -> None:
    with pytest.raises(KeyStoreLocked):
        open_store(folder, Secret("correct horse battery stapler"))


def test_no_key_stands_in_clear(folder: Path) -> None:
    provider = open_store(folder)
    hidden = [
        private_der(provider.signer("ca", KeyPurpose.CERT)).reveal(),
        provider.secret("mac", KeyPurpose.MAC).reveal(),
    ]
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    for secret in hidden:
        for text in (secret, secret.hex().encode(), json.dumps(secret.hex()).encode()):
            assert text not in stored


def test_files_are_for_their_owner_alone(folder: Path) -> None:
    assert folder.stat().st_mode & 0o777 == 0o700
    names = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}
    assert names == {STORE_FILE: 0o600, f"ca{SUFFIX}": 0o600, f"mac{SUFFIX}": 0o600}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o610, 0o666])
def test_files_that_others_may_read_are_not_used(folder: Path, mode: int) -> None:
    (folder / f"ca{SUFFIX}").chmod(mode)
    with pytest.raises(KeyStoreExposed):
        open_store(folder).signer("ca", KeyPurpose.CERT)


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_may_write_is_not_used(folder: Path, mode: int) -> None:
    folder.chmod(mode)
    with pytest.raises(KeyStoreExposed):
        open_store(folder)


def edited(path: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_bytes(json.dumps(value, separators=(",", ":")).encode())


EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    "more purposes": lambda file: file["about"]["purposes"].append("token"),
    "another purpose": lambda file: file["about"].update(purposes=["ocsp"]),
    "another label": lambda file: file["about"].update(label="ocsp"),
    "another version": lambda file: file["about"].update(v=2),
    "another kind": lambda file: file["about"].update(spec=None),
    "other bytes": lambda file: file.update(
        sealed=("B" if file["sealed"][0] == "A" else "A") + file["sealed"][1:]
    ),
    "no bytes": lambda file: file.update(sealed=""),
    "a member more": lambda file: file.update(more=1),
    "a member less": lambda file: file.pop("about"),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_key_file_does_not_open(folder: Path, edit: str) -> None:
    edited(folder / f"ca{SUFFIX}", EDITS[edit])
    with pytest.raises(KeyStoreDamaged):
        open_store(folder).signer("ca", KeyPurpose.CERT)


def test_a_renamed_key_file_does_not_open(folder: Path) -> None:
    (folder / f"ca{SUFFIX}").rename(folder / f"token-1{SUFFIX}")
    with pytest.raises(KeyStoreDamaged):
        open_store(folder).public_key("token-1")


def test_a_key_file_of_another_folder_does_not_open(folder: Path, tmp_path: Path) -> None:
    other = open_store(tmp_path / "other")
    other.generate("token", KeySpec.P256, (KeyPurpose.TOKEN,))
    (tmp_path / "other" / f"token{SUFFIX}").rename(folder / f"token{SUFFIX}")
    with pytest.raises(KeyStoreDamaged):
        open_store(folder).public_key("token")


@pytest.mark.parametrize("data", [b"", b"{}", b"\xff", b'{"about":{},"sealed":"AA=="}'])
def test_bytes_that_are_no_key_file_are_refused(folder: Path, data: bytes) -> None:
    (folder / f"ca{SUFFIX}").write_bytes(data)
    with pytest.raises(KeyStoreDamaged):
        open_store(folder).public_key("ca")


@pytest.mark.parametrize("change", [{"v": 2}, {"cost": 2**21}, {"cost": 2**9}, {"cost": 3000}])
def test_an_absurd_store_file_is_refused_before_it_costs_anything(
    folder: Path, change: dict[str, int]
) -> None:
    edited(folder / STORE_FILE, lambda store: store.update(change))
    with pytest.raises(KeyStoreDamaged):
        open_store(folder)


def test_a_store_file_with_another_salt_locks(folder: Path) -> None:
    edited(folder / STORE_FILE, lambda store: store.update(salt="AAAAAAAAAAAAAAAAAAAAAA=="))
    with pytest.raises(KeyStoreLocked):
        open_store(folder)


def test_rivals_agree_on_one_store_and_one_secret(tmp_path: Path) -> None:
    def draw(_: int) -> bytes:
        return open_store(tmp_path / "keys").secret("mac", KeyPurpose.MAC).reveal()

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(draw, range(16)))) == 1
    assert {path.name for path in (tmp_path / "keys").iterdir()} == {f"mac{SUFFIX}", STORE_FILE}


def test_a_file_that_is_there_stays_as_it_is(folder: Path) -> None:
    before = (folder / f"mac{SUFFIX}").read_bytes()
    with pytest.raises(KeyExists):
        open_store(folder)._create(f"mac{SUFFIX}", b"other")
    assert (folder / f"mac{SUFFIX}").read_bytes() == before
    assert len(list(folder.iterdir())) == 3  # nothing left aside


def test_a_folder_that_cannot_be_made_is_locked(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyStoreLocked):
        open_store(tmp_path / "file" / "keys")
