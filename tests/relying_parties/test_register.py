"""The register: one code for one system, one key for one system, and files that say what a system needs."""

import asyncio
from collections import Counter

import pytest

from inkan.crypto import jwk
from inkan.crypto.keys import KeySpec, generate
from inkan.relying_parties.model import (
    RegistrationWrong,
    SystemExists,
    SystemKeyNotFound,
    SystemNotFound,
)
from support.keyring import ec_key, rsa_key
from support.world import PURPOSES

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def codes(world):
    return [system.code for system, _ in await world.platform.relying_parties.systems()]


@pytest.mark.req("TW-66")
async def test_a_code_belongs_to_one_system(world):
    await world.agency("tax-office")
    with pytest.raises(SystemExists):
        await world.agency("tax-office")
    assert await codes(world) == ["tax-office"]


@pytest.mark.race
@pytest.mark.req("TW-66")
async def test_a_code_belongs_to_one_system_in_parallel(world):
    made = await asyncio.gather(
        *(world.agency("tax-office", organisation=f"org-{n}") for n in range(5)),
        return_exceptions=True,
    )
    assert Counter(type(each).__name__ for each in made) == {"RelyingParty": 1, "SystemExists": 4}
    assert Counter(await world.events())["relying_parties.system_registered"] == 1


async def test_a_key_belongs_to_one_system(world):
    key = jwk.to_jwk(generate(KeySpec.P256).public_key())
    await world.agency("tax-office", keys=[key])
    with pytest.raises(SystemExists):
        await world.agency("bank", keys=[key])
    assert await codes(world) == ["tax-office"]  # nothing of the second was kept
    await world.agency("bank")
    with pytest.raises(SystemExists):
        await world.platform.relying_parties.add_key("bank", key)


async def test_systems_of_one_organisation_share_its_sector(world):
    await world.agency("tax-office", organisation="ministry")
    await world.agency("tax-app", organisation="ministry")
    await world.agency("bank")
    listed = {s.code: s.sector for s, _ in await world.platform.relying_parties.systems()}
    assert listed["tax-office"] == listed["tax-app"] != listed["bank"]


def _private():
    from inkan.crypto import base64url

    key = ec_key(1)
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    return jwk.to_jwk(key.public_key()) | {"d": base64url.encode(scalar)}


@on_sqlite
async def test_what_is_no_usable_key(world):
    from cryptography.hazmat.primitives.asymmetric import ec

    good = jwk.to_jwk(ec_key(2).public_key())
    table = {
        "none": [],
        "RSA": [jwk.to_jwk(rsa_key().public_key())],
        "P-384": [jwk.to_jwk(ec_key(3, curve=ec.SECP384R1).public_key())],
        "private": [_private()],
        "symmetric": [{"kty": "oct", "k": "AAAA"}],
        "not on the curve": [good | {"y": good["x"]}],
        "padded": [good | {"x": good["x"] + "="}],
        "empty": [{}],
    }
    for name, keys in table.items():
        with pytest.raises(RegistrationWrong) as caught:
            await world.agency("tax-office", keys=keys)
        assert caught.value.public_facts["where"].startswith("/keys"), name
    assert await codes(world) == []


@on_sqlite
async def test_texts_in_every_language_and_each_purpose_once(world):
    name = {"en": "Tax", "ja": "税"}
    with pytest.raises(RegistrationWrong):
        await world.agency("tax-office", organisation_name=name)
    with pytest.raises(RegistrationWrong):
        await world.agency("tax-office", purposes=[PURPOSES[0] | {"text": {"en": "x"}}])
    with pytest.raises(RegistrationWrong):
        await world.agency("tax-office", purposes=[PURPOSES[0], PURPOSES[0]])
    assert await codes(world) == []


async def test_unknown_codes_and_keys(world):
    register = world.platform.relying_parties
    key = generate(KeySpec.P256).public_key()
    for call in (
        register.suspend("nobody"),
        register.resume("nobody"),
        register.add_key("nobody", jwk.to_jwk(key)),
    ):
        with pytest.raises(SystemNotFound):
            await call
    await world.agency("tax-office")
    await world.agency("bank", keys=[jwk.to_jwk(key)])
    with pytest.raises(SystemKeyNotFound):
        await register.end_key("tax-office", jwk.thumbprint(key), at=world.clock.now())
    assert "relying_parties.key_ended" not in await world.events()
