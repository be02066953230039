"""The instance's own system: written once, kept up to date, without a key, and suspended like any other."""

import asyncio

import msgspec
import pytest

from inkan.crypto import jwk
from inkan.relying_parties import OWN_SYSTEM, SystemExists, SystemRegistration, SystemSuspended
from inkan.relying_parties.model import Purpose, RegistrationWrong
from support.keyring import ec_key
from support.world import PURPOSES, World

OWN = msgspec.convert(
    {
        "organisation": OWN_SYSTEM,
        "organisation_name": {"en": "Inkan", "ja": "Inkan", "zh-Hant": "Inkan"},
        "sector": "other",
        "code": OWN_SYSTEM,
        "name": "Inkan",
        "domain": "id.example",
        "doors": ["qr"],
        "purposes": PURPOSES[:1],
        "keys": [],
    },
    SystemRegistration,
)


async def test_it_is_written_at_its_first_use_and_stays_the_same(world: World) -> None:
    register = world.platform.relying_parties
    first = await register.own_system(OWN)
    assert (first.code, first.domain, set(first.purposes)) == (OWN_SYSTEM, "id.example", {"login"})
    assert await register.own_system(OWN) == first
    assert (await world.events()).count("relying_parties.system_registered") == 1


@pytest.mark.race
async def test_rivals_write_one(world: World) -> None:
    register = world.platform.relying_parties
    made = await asyncio.gather(*(register.own_system(OWN) for _ in range(5)))
    assert len({system.id for system in made}) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Inkan of Example"},
        {"domain": "id2.example"},
        {"doors": []},
        {"purposes": msgspec.convert(PURPOSES[:2], list[Purpose])},
    ],
    ids=lambda change: next(iter(change)),
)
async def test_it_follows_the_release_and_the_settings(world: World, change) -> None:
    register = world.platform.relying_parties
    before = await register.own_system(OWN)
    after = await register.own_system(msgspec.structs.replace(OWN, **change))
    assert after.id == before.id
    assert after != before
    assert "relying_parties.system_changed" in await world.events()


async def test_it_is_suspended_like_any_other(world: World) -> None:
    register = world.platform.relying_parties
    before = await register.own_system(OWN)
    await register.suspend(OWN_SYSTEM)
    with pytest.raises(SystemSuspended):
        await register.own_system(OWN)
    with pytest.raises(SystemSuspended):  # a change does not resume it
        await register.own_system(msgspec.structs.replace(OWN, domain="id2.example"))
    await register.resume(OWN_SYSTEM)
    assert (await register.own_system(OWN)).id == before.id


async def test_nobody_gets_its_code_or_a_key_for_it(world: World) -> None:
    """Before and after it was written: with a key somebody could ask in Inkan's name."""
    register = world.platform.relying_parties
    public = jwk.to_jwk(ec_key().public_key())
    for _ in range(2):
        with pytest.raises(SystemExists):
            await register.register(msgspec.structs.replace(OWN, keys=[public]))
        with pytest.raises(RegistrationWrong):
            await register.add_key(OWN_SYSTEM, public)
        await register.own_system(OWN)


async def test_another_system_or_one_with_keys_is_no_own_one(world: World) -> None:
    register = world.platform.relying_parties
    public = jwk.to_jwk(ec_key().public_key())
    for wrong in ({"code": "tax-office"}, {"keys": [public]}):
        with pytest.raises(ValueError, match="own"):
            await register.own_system(msgspec.structs.replace(OWN, **wrong))
