"""Whose exports an instance takes in: a sandbox's origin and two public P-256 keys in files, or no start."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from inkan.composition import exporters
from inkan.composition.settings import Onboarding, Settings, SettingsWrong
from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties import Exporter

ISSUER = "https://sandbox.example"


def settings(*files: Path) -> Settings:
    return Settings(onboarding=Onboarding(exporters=tuple(map(str, files))))


def public(spec: KeySpec = KeySpec.P256) -> dict[str, str]:
    return jwk.to_jwk(generate(spec).public_key())


def told(**bent: Any) -> bytes:
    whole = {"issuer": ISSUER, "exports": public(), "reports": public(), **bent}
    return msgspec.json.encode(whole)


def test_the_sandboxes_of_the_files(tmp_path: Path) -> None:
    exports, reports = public(), public()
    file = tmp_path / "sandbox.json"
    file.write_bytes(told(exports=exports, reports=reports))
    found = Exporter(issuer=ISSUER, exports=jwk.load_jwk(exports), reports=jwk.load_jwk(reports))
    assert exporters.read(settings(file)) == [found]
    assert exporters.read(Settings()) == []


def test_anything_else_stops_the_start(tmp_path: Path) -> None:
    one = public()
    wrongs = [
        *(b"", b"{", b'{"kty":"EC"}', b"[]", msgspec.json.encode(one)),
        told(exports=public(KeySpec.P384)),
        told(reports=public(KeySpec.P384)),
        told(exports=one, reports=one),
        told(issuer="http://sandbox.example"),
        told(issuer=""),
        told(more=1),
    ]
    for content in wrongs:
        file = tmp_path / "wrong.json"
        file.write_bytes(content)
        with pytest.raises(SettingsWrong):
            exporters.read(settings(file))
    with pytest.raises(SettingsWrong):
        exporters.read(settings(tmp_path / "nothing.json"))
