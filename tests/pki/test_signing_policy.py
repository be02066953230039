"""The policy of the signer about holders' certificates: nothing is signed on the caller's word."""

import hashlib
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256

from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import KeySpec, generate
from inkan.crypto.names import build_name
from inkan.crypto.signatures import digest_for
from inkan.pki import store
from inkan.pki.model import CertificateState
from inkan.store.database import Step
from inkan.store.query import Query
from pki.hands import order
from pki.signing import Check, check_of, refused
from support.keyring import ec_key
from support.world import World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def check(world: World) -> Check:
    return check_of(world)


class Intended:
    """An order that stands just before the authority signs: its row and its bytes."""

    def __init__(self, world: World, row: Any, unsigned: x509.CertificateBuilder) -> None:
        self.world = world
        self.row = row
        self.unsigned = unsigned

    def tbs(self, unsigned: x509.CertificateBuilder | None = None) -> bytes:
        key = generate(KeySpec.P256)
        return (unsigned or self.unsigned).sign(key, digest_for(key)).tbs_certificate_bytes

    async def bend(self, **values: Any) -> None:
        await change(self.world, sa.update(store.certificate).values(**values))

    async def logged(self, message: bytes) -> bytes:
        """The bytes, after somebody who can write the register logged them there."""
        await self.bend(tbs_sha256=hashlib.sha256(message).digest())
        return message


async def change(world: World, statement: Any) -> None:
    def body() -> Step[None]:
        yield Query(statement).run()

    await world.platform.db.transact(body)


@pytest.fixture
async def intended(world: World) -> Intended:
    pki = world.platform.pki
    wanted = order(world, 1)
    await world.platform.db.transact(pki.order, wanted)
    row = await world.platform.db.read(_by_order, wanted.order_key)
    contents = pki._issue._builder(row)
    row = await pki._issue._intend(row, contents)
    return Intended(world, row, contents)


def _by_order(key: str) -> Step[Any]:
    return (yield store.BY_ORDER.one(key=key))


async def test_what_was_reserved_linted_and_logged_is_signed(
    check: Check, intended: Intended
) -> None:
    await check("ca.card", KeyPurpose.CERT, intended.tbs())


async def test_a_serial_that_is_not_reserved_is_not_signed(
    check: Check, intended: Intended
) -> None:
    unsigned = _with(intended.unsigned, serial_number=intended.unsigned._serial_number + 1)
    assert await refused(check("ca.card", KeyPurpose.CERT, intended.tbs(unsigned))) == "serial"


@pytest.mark.parametrize("state", sorted(set(CertificateState) - {CertificateState.INTENDED}))
async def test_a_serial_is_signed_once_and_after_its_intent(
    check: Check, intended: Intended, state: CertificateState
) -> None:
    await intended.bend(state=state)
    assert await refused(check("ca.card", KeyPurpose.CERT, intended.tbs())) == "serial"


async def test_other_bytes_than_the_logged_ones_are_not_signed(
    check: Check, intended: Intended
) -> None:
    key = ec_key(9).public_key()
    bent = _with(intended.unsigned, public_key=key)
    assert await refused(check("ca.card", KeyPurpose.CERT, intended.tbs(bent))) == "serial"


async def test_a_serial_of_another_authority_is_not_signed(
    check: Check, intended: Intended
) -> None:
    assert await refused(check("ca.phone", KeyPurpose.CERT, intended.tbs())) == "serial"


async def test_a_key_of_no_authority_signs_nothing(
    world: World, check: Check, intended: Intended
) -> None:
    world.platform.keys.generate("ca.new", KeySpec.P256, (KeyPurpose.CERT,))
    assert await refused(check("ca.new", KeyPurpose.CERT, intended.tbs())) == "issuer"


async def test_a_register_that_certifies_another_key_is_not_believed(
    world: World, intended: Intended
) -> None:
    phone = world.platform.pki.hierarchy.get("phone")
    await change(
        world,
        sa.update(store.authority)
        .where(store.authority.c.name == "card")
        .values(certificate=phone.certificate),
    )
    asked = check_of(world)("ca.card", KeyPurpose.CERT, intended.tbs())
    assert await refused(asked) == "issuer"


def _with(unsigned: x509.CertificateBuilder, **bent: Any) -> x509.CertificateBuilder:
    """The same certificate but for some of its fields."""
    fields = {
        "issuer_name": unsigned._issuer_name,
        "subject_name": unsigned._subject_name,
        "public_key": unsigned._public_key,
        "serial_number": unsigned._serial_number,
        "not_valid_before": unsigned._not_valid_before,
        "not_valid_after": unsigned._not_valid_after,
        "extensions": unsigned._extensions,
    } | bent
    return x509.CertificateBuilder(**fields)


def _without(unsigned: x509.CertificateBuilder, kind: type) -> list[Any]:
    return [each for each in unsigned._extensions if not isinstance(each.value, kind)]


def _extension(value: x509.ExtensionType, *, critical: bool) -> Any:
    return x509.Extension(value.oid, critical, value)


def _as_ca(unsigned: x509.CertificateBuilder) -> x509.CertificateBuilder:
    constraints = x509.BasicConstraints(ca=True, path_length=None)
    more = [*unsigned._extensions, _extension(constraints, critical=True)]
    return _with(unsigned, extensions=more)


def _with_eku(unsigned: x509.CertificateBuilder) -> x509.CertificateBuilder:
    usage = x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.OCSP_SIGNING])
    return _with(unsigned, extensions=[*unsigned._extensions, _extension(usage, critical=False)])


BENT: dict[str, tuple[str, Callable[[x509.CertificateBuilder], x509.CertificateBuilder]]] = {
    "a CA": ("profile", _as_ca),
    "an OCSP signer": ("profile", _with_eku),
    "no policies": (
        "profile",
        lambda it: _with(it, extensions=_without(it, x509.CertificatePolicies)),
    ),
    "no distribution point": (
        "profile",
        lambda it: _with(it, extensions=_without(it, x509.CRLDistributionPoints)),
    ),
    "no key usage": ("profile", lambda it: _with(it, extensions=_without(it, x509.KeyUsage))),
    "another issuer": (
        "profile",
        lambda it: _with(it, issuer_name=build_name((("C", "TW"), ("CN", "Another CA")))),
    ),
    "a name of an organisation": (
        "profile",
        lambda it: _with(it, subject_name=build_name((("C", "TW"), ("O", "Inkan"), ("CN", "x")))),
    ),
    "too long a term": (
        "term",
        lambda it: _with(it, not_valid_after=it._not_valid_before + timedelta(days=365 * 9)),
    ),
    "over": ("term", lambda it: _with(it, not_valid_after=it._not_valid_before)),
    "begins later": (
        "term",
        lambda it: _with(it, not_valid_before=it._not_valid_before + timedelta(days=30)),
    ),
    "another kind of key": (
        "profile",
        lambda it: _with(it, public_key=generate(KeySpec.P384).public_key()),
    ),
}


@pytest.mark.parametrize("case", BENT)
async def test_even_who_writes_the_register_gets_no_certificate_outside_its_profile(
    check: Check, intended: Intended, case: str
) -> None:
    rule, bend = BENT[case]
    message = await intended.logged(intended.tbs(bend(intended.unsigned)))
    assert await refused(check("ca.card", KeyPurpose.CERT, message)) == rule


async def test_even_who_writes_the_register_gets_no_profile_of_another_authority(
    check: Check, intended: Intended
) -> None:
    await intended.bend(profile="phone-auth")
    assert await refused(check("ca.card", KeyPurpose.CERT, intended.tbs())) == "serial"


async def test_a_request_under_a_ca_key_waits_for_a_ceremony(world: World, check: Check) -> None:
    key = generate(KeySpec.P256)
    name = build_name((("C", "TW"), ("CN", "x")))
    csr = x509.CertificateSigningRequestBuilder(name).sign(key, SHA256())
    asked = check("ca.card", KeyPurpose.CERT, csr.tbs_certrequest_bytes)
    assert await refused(asked) == "ceremony"
