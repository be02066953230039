"""Which provider holds which key, and a hierarchy whose keys lie in a token."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from inkan.composition.keys import KINDS, SETS, places_of
from inkan.composition.opening import count_last_uses
from inkan.composition.settings import (
    Budgets,
    Environment,
    Keys,
    Remote,
    Settings,
    SettingsWrong,
    Token,
    check,
    load,
)
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.key_guard import KeyBudgetSpent
from inkan.crypto.key_providers import SIGNING_PURPOSES, KeyPurpose, KeyStoreLocked
from inkan.demo.token import CONFIGURATION, find_softhsm, keys_in_token, with_token
from inkan.pki import store
from inkan.pki.model import CeremonyWrong
from inkan.store.database import Step
from inkan.store.query import Query
from pki.hands import BINDING
from support.instances import demo_ceremony, instance
from support.orders import order_of
from support.softhsm import patient
from support.tools import require

DEMO = Settings(environment=Environment.DEMO)


def test_every_purpose_has_a_set_and_a_budget() -> None:
    assert set(SETS) == set(SIGNING_PURPOSES)
    assert set(SETS.values()) <= set(Keys.__struct_fields__)
    assert set(Budgets.__struct_fields__) == {purpose.value for purpose in SIGNING_PURPOSES}
    assert set(KINDS) <= set(SIGNING_PURPOSES)


def test_sets_say_where_keys_are_made() -> None:
    keys = Keys(authorities="pkcs11")
    places = places_of(msgspec.structs.replace(DEMO, keys=keys))
    assert {purpose for purpose, place in places.items() if place == "pkcs11"} == {
        KeyPurpose.CERT,
        KeyPurpose.CRL,
    }
    elsewhere = {purpose: place for purpose, place in places_of(DEMO).items() if place != "file"}
    assert elsewhere == {
        KeyPurpose.PHONE: ""
    }  # nobody holds keys of phones unless the settings say who


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"keys": Keys(authorities="pkcs11")}, "keys.authorities"),
        ({"keys": Keys(services="remote")}, "keys.services"),
        (
            {"keys": Keys(authorities="remote"), "remote": Remote(socket="/run/s")},
            "keys.signers",
        ),
        ({"budgets": Budgets(cert=0)}, "budgets.cert"),
        ({"token": Token(sessions=0)}, "token.sessions"),
        ({"remote": Remote(deadline_s=0)}, "remote.deadline_s"),
    ],
)
def test_settings_that_cannot_hold(changes: dict[str, object], where: str) -> None:
    with pytest.raises(SettingsWrong) as refused:
        check(msgspec.structs.replace(DEMO, **changes))
    assert refused.value.facts["where"] == where


def test_a_pin_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("204886\n")
    settings = load(
        None,
        {
            "INKAN_ENVIRONMENT": "demo",
            "INKAN_TOKEN__PIN_FILE": str(tmp_path / "pin"),
            "INKAN_SIGNER__PEERS": "1000,1001",
        },
    )
    assert settings.token.pin == "204886"
    assert settings.signer.peers == (1000, 1001)


async def test_a_token_without_pin_or_module_stops_the_start(tmp_path: Path) -> None:
    base = msgspec.structs.replace(DEMO, home=str(tmp_path))
    settings = msgspec.structs.replace(base, token=Token(module="/none.so", label="x"))
    with pytest.raises(SettingsWrong):
        async with instance(settings):
            pass
    settings = msgspec.structs.replace(base, token=Token(module="/none.so", label="x", pin="1"))
    with pytest.raises(KeyStoreLocked):
        async with instance(settings):
            pass


async def test_a_place_that_is_not_configured_stops_the_ceremony(tmp_path: Path) -> None:
    async with instance(msgspec.structs.replace(DEMO, home=str(tmp_path))) as platform:
        with pytest.raises(CeremonyWrong):
            await platform.pki.hold_ceremony(keys_in_token(demo_ceremony(), {"root"}))


async def test_budgets_of_the_settings_hold(tmp_path: Path) -> None:
    settings = msgspec.structs.replace(DEMO, home=str(tmp_path), budgets=Budgets(cert=4))
    async with instance(settings) as platform:
        # the root certifies itself and three authorities, the card authority its responder
        await platform.pki.hold_ceremony(demo_ceremony())
        for number in (1, 2, 3):
            await platform.pki.issue(order_of(number, platform.clock))
        with pytest.raises(KeyBudgetSpent):
            await platform.pki.issue(order_of(4, platform.clock))


async def test_the_last_uses_are_counted_when_an_instance_ends(tmp_path: Path) -> None:
    """A command has no schedule that would; and a database that is gone does not keep it from ending."""
    settings = msgspec.structs.replace(DEMO, home=str(tmp_path))
    async with instance(settings) as platform:
        await platform.pki.hold_ceremony(demo_ceremony())
        await count_last_uses(pki=platform.pki)
        rows = await platform.db.scan(_uses)
        assert ("ca.root", "cert", 4) in {(row.key_label, row.purpose, row.signed) for row in rows}
        await platform.pki.crl("root")
    await count_last_uses(pki=platform.pki)


def _uses() -> Step[list[Any]]:
    rows: list[Any] = yield Query(sa.select(store.key_use)).all()
    return rows


# --- SoftHSM ----------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    """A demo instance with a token of its own."""
    module = require("softhsm2")
    assert find_softhsm() is not None
    before = os.environ.get(CONFIGURATION)
    base = msgspec.structs.replace(DEMO, home=str(tmp_path / "home"))
    made = with_token(base, module)
    with patient(module) as loaded:
        loaded.reset(loaded.generation)  # other tests of this process had other tokens
        yield made
    if before is None:
        os.environ.pop(CONFIGURATION, None)
    else:
        os.environ[CONFIGURATION] = before


async def test_a_hierarchy_lives_in_a_token_and_in_files(settings: Settings) -> None:
    """The root and one authority in the token, the other and all signers in files; and the same after a restart."""
    async with instance(settings) as platform:
        await platform.pki.hold_ceremony(keys_in_token(demo_ceremony(), {"root", "card"}))
        places = platform.keys.places  # type: ignore[attr-defined]
        assert places["pkcs11"].labels() == ("ca.card", "ca.root")
        assert "ca.phone" in places["file"].labels()
        first = await platform.pki.issue(order_of(1, platform.clock))
    async with instance(settings) as platform:
        second = await platform.pki.issue(order_of(2, platform.clock))
        phone = await platform.pki.issue(
            order_of(3, platform.clock, profile="phone-auth", binding=BINDING)
        )
        for issued, issuer in ((first, "card"), (second, "card"), (phone, "phone")):
            authority = parse_certificate(platform.pki.hierarchy.get(issuer).certificate)
            parse_certificate(issued.der).x509.verify_directly_issued_by(authority.x509)
        for name in ("root", "card", "phone"):
            assert await platform.pki.crl(name)
        evidence = await platform.pki.revocation_evidence(second.id)
        assert evidence.ocsp


async def test_all_authorities_go_where_the_settings_say(settings: Settings) -> None:
    keys = Keys(authorities="pkcs11", signers="pkcs11", services="pkcs11")
    async with instance(msgspec.structs.replace(settings, keys=keys)) as platform:
        await platform.pki.hold_ceremony(demo_ceremony())
        places = platform.keys.places  # type: ignore[attr-defined]
        made = set(places["pkcs11"].labels())
        assert {"ca.root", "ca.card", "ca.phone", "token", "audit-head"} <= made
        receipt = await platform.pki.sign_receipt(b"{}")
        assert receipt.count(".") == 2
        await platform.audit.sign_head()
        files = platform.keys.places["file"].labels()  # type: ignore[attr-defined]
        assert not made & set(files)
