"""Foreign card authorities: their files make a chain, or the instance does not start."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.composition import card_authorities
from inkan.composition.platform import compose
from inkan.composition.settings import (
    CardAuthority,
    Cards,
    Environment,
    Settings,
    SettingsWrong,
)
from support.pki import Hierarchy

WORLD = Hierarchy()
OTHER = Hierarchy()


def settings_of(folder: Path, *files: bytes, **more: Any) -> Settings:
    """Settings with one authority whose chain is these files."""
    names = []
    for number, data in enumerate(files):
        path = folder / f"{number}.cer"
        path.write_bytes(data)
        names.append(str(path))
    told: dict[str, Any] = {
        "name": "national",
        "chain": tuple(names),
        "policies": ("2.25.1.1",),
        "origins": ("http://pki.example.org", "https://ocsp.example.org"),
    }
    return Settings(
        environment=Environment.DEMO,
        home=str(folder / "home"),
        cards=Cards(authorities=(CardAuthority(**told | more),)),
    )


def pem(der: bytes) -> bytes:
    hierarchy = {each.der: each.certificate.x509 for each in (WORLD.root, WORLD.issuing)}
    return hierarchy[der].public_bytes(Encoding.PEM)


@pytest.mark.parametrize("spelled", [bytes, pem])
def test_the_files_make_an_authority(tmp_path: Path, spelled: Callable[[bytes], bytes]) -> None:
    settings = settings_of(tmp_path, spelled(WORLD.issuing.der), spelled(WORLD.root.der))
    (foreign,) = card_authorities.read(settings)
    assert foreign.authority.name == "foreign.national"
    assert foreign.authority.chain == (WORLD.issuing.der, WORLD.root.der)
    assert foreign.authority.profiles == ("card-sign",)
    assert foreign.policies == {"2.25.1.1"}
    assert foreign.origins == {"http://pki.example.org", "https://ocsp.example.org"}


WRONG: dict[str, tuple[bytes, ...]] = {
    "nothing": (b"",),
    "no certificate": (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",),
    "a holder": (WORLD.leaf.der, WORLD.issuing.der),
    "another root": (WORLD.issuing.der, OTHER.root.der),
    "the wrong order": (WORLD.root.der, WORLD.issuing.der),
}


@pytest.mark.parametrize("kind", WRONG)
def test_files_that_make_none(tmp_path: Path, kind: str) -> None:
    with pytest.raises(SettingsWrong) as refused:
        card_authorities.read(settings_of(tmp_path, *WRONG[kind]))
    assert refused.value.facts["where"] == "cards.authorities.national.chain"


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, chain=(str(tmp_path / "none.cer"),))
    with pytest.raises(SettingsWrong, match=r"none\.cer"):
        card_authorities.read(settings)


def test_nobody_to_ask_needs_no_way_out(tmp_path: Path) -> None:
    assert card_authorities.fetcher(Settings(), ()) is None


def test_plain_http_is_for_the_named_origins(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, WORLD.issuing.der, WORLD.root.der)
    fetcher = card_authorities.fetcher(settings, card_authorities.read(settings))
    assert fetcher is not None
    assert fetcher._plain == {"pki.example.org:80"}


async def test_an_instance_knows_its_foreign_authorities(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, WORLD.issuing.der, WORLD.root.der)
    async with compose(settings) as platform:
        assert set(platform.pki._cards._sources) == {"foreign.national"}


async def test_an_instance_with_unusable_files_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsWrong):
        async with compose(settings_of(tmp_path, *WRONG["another root"])):
            pass
