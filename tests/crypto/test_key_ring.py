"""Several providers as one."""

from pathlib import Path

import pytest

from crypto.key_provider_contract import CA, KeyProviderContract, ReopenAll
from inkan.crypto.key_files import EncryptedFileKeyProvider
from inkan.crypto.key_guard import GuardedKeys
from inkan.crypto.key_providers import (
    SIGNING_PURPOSES,
    KeyExists,
    KeyPurpose,
    KeyStoreLocked,
    KeyUnknown,
)
from inkan.crypto.key_ring import KeyRing
from inkan.crypto.keys import KeySpec
from inkan.kernel.sensitive import Secret
from support.signer import guarded

PLACES = {each: "far" if each in CA else "file" for each in SIGNING_PURPOSES}


def files(folder: Path) -> EncryptedFileKeyProvider:
    return EncryptedFileKeyProvider(folder, Secret("a passphrase"), cost=2**10)


def ring(folder: Path) -> KeyRing:
    near, far = files(folder / "near"), files(folder / "far")
    return KeyRing({"file": guarded(near), "far": guarded(far)}, by_purpose=PLACES, secrets=near)


class TestContract(KeyProviderContract):
    @pytest.fixture
    def provider(self, tmp_path: Path) -> KeyRing:
        return ring(tmp_path)

    @pytest.fixture
    def reopen(self, tmp_path: Path) -> ReopenAll:
        return lambda: ring(tmp_path)


def test_keys_are_made_where_their_purposes_belong(tmp_path: Path) -> None:
    keys = ring(tmp_path)
    keys.generate("ca", KeySpec.P256, CA)
    keys.generate("ocsp", KeySpec.P256, (KeyPurpose.OCSP,))
    keys.secret("mac", KeyPurpose.MAC)
    assert files(tmp_path / "far").labels() == ("ca",)
    assert files(tmp_path / "near").labels() == ("mac", "ocsp")
    assert keys.labels() == ("ca", "mac", "ocsp")


def test_a_ceremony_says_where(tmp_path: Path) -> None:
    keys = ring(tmp_path)
    keys.generate_in("file", "ca", KeySpec.P256, CA)
    assert files(tmp_path / "near").labels() == ("ca",)
    assert ring(tmp_path).signer("ca", KeyPurpose.CERT).public_key() == keys.public_key("ca")
    with pytest.raises(KeyUnknown):
        keys.generate_in("nowhere", "other", KeySpec.P256, CA)


def test_a_label_is_taken_in_every_place(tmp_path: Path) -> None:
    keys = ring(tmp_path)
    keys.generate_in("file", "ca", KeySpec.P256, CA)
    for again in (keys, ring(tmp_path)):
        with pytest.raises(KeyExists):
            again.generate("ca", KeySpec.P256, CA)


class Away(EncryptedFileKeyProvider):
    """A place that cannot be asked."""

    def purposes(self, label: str) -> frozenset[KeyPurpose]:
        raise KeyStoreLocked("away")


def half_away(folder: Path) -> KeyRing:
    near = files(folder / "near")
    far: GuardedKeys = guarded(Away(folder / "far", Secret("a passphrase"), cost=2**10))
    return KeyRing({"file": guarded(near), "far": far}, by_purpose=PLACES, secrets=near)


def test_a_place_that_is_away_hides_its_own_keys_only(tmp_path: Path) -> None:
    keys = half_away(tmp_path)
    made = files(tmp_path / "near").secret("mac", KeyPurpose.MAC)
    assert keys.secret("mac", KeyPurpose.MAC) == made
    files(tmp_path / "near").generate("ocsp", KeySpec.P256, (KeyPurpose.OCSP,))
    assert keys.signer("ocsp", KeyPurpose.OCSP)
    with pytest.raises(KeyStoreLocked):
        keys.signer("ca", KeyPurpose.CERT)
    with pytest.raises(KeyStoreLocked):
        keys.generate("new", KeySpec.P256, (KeyPurpose.OCSP,))  # it may be taken over there
    with pytest.raises(KeyStoreLocked):
        keys.secret("new", KeyPurpose.MAC)
