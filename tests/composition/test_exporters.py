"""Whose exports an instance takes in: public P-256 keys in files, or no start."""

from pathlib import Path

import msgspec
import pytest

from inkan.composition import exporters
from inkan.composition.settings import Onboarding, Settings, SettingsWrong
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate


def settings(*files: Path) -> Settings:
    return Settings(onboarding=Onboarding(exporters=tuple(map(str, files))))


def test_the_keys_of_the_files(tmp_path: Path) -> None:
    key = generate(KeySpec.P256).public_key()
    file = tmp_path / "sandbox.jwk"
    file.write_bytes(msgspec.json.encode(jwk.to_jwk(key)))
    assert exporters.read(settings(file)) == [key]
    assert exporters.read(Settings()) == []


def test_anything_else_stops_the_start(tmp_path: Path) -> None:
    p384 = msgspec.json.encode(jwk.to_jwk(generate(KeySpec.P384).public_key()))
    for content in (b"", b"{", b'{"kty":"EC"}', b"[]", p384):
        file = tmp_path / "wrong.jwk"
        file.write_bytes(content)
        with pytest.raises(SettingsWrong):
            exporters.read(settings(file))
    with pytest.raises(SettingsWrong):
        exporters.read(settings(tmp_path / "nothing.jwk"))
