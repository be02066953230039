"""The policy of the signer about signers, authorities, lists and answers."""

from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509 import ocsp

from inkan.crypto.key_guard import FORMATS
from inkan.crypto.key_providers import KeyPurpose
from inkan.crypto.keys import KeySpec, generate, spki_der
from inkan.pki.rules import get_profile
from inkan.pki.service import builder
from inkan.pki.service.hierarchy import PublicURLs
from inkan.pki.service.issue import begin
from inkan.pki.service.signing_policy import IssuingPolicy
from pki.signing import Check, check_of, policy_of, refused
from support.keyring import ec_key
from support.world import PLATFORM, World

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def check(world: World) -> Check:
    return check_of(world)


def signer_tbs(world: World, profile: str, spki: bytes, *, days: int = 80) -> bytes:
    issuer = world.platform.pki.hierarchy.get("card")
    now = begin(world.clock.now(), get_profile(profile))
    contents = builder.Contents(
        subject=builder.ca_name(country="TW", organisation="Inkan", common_name="signer"),
        spki=spki,
        serial=1 << 100,
        not_before=now,
        not_after=now + timedelta(days=days),
    )
    unsigned = builder.issued(
        get_profile(profile), contents, issuer=issuer, urls=PublicURLs(origin=PLATFORM)
    )
    return unsigned.sign(generate(KeySpec.P256), SHA256()).tbs_certificate_bytes


async def test_a_responder_is_certified_for_a_key_of_the_signer(world: World, check: Check) -> None:
    own = world.platform.keys.generate("ocsp.new", KeySpec.P256, (KeyPurpose.OCSP,))
    await check("ca.card", KeyPurpose.CERT, signer_tbs(world, "ocsp", spki_der(own)))


async def test_a_responder_with_a_key_of_somebody_else_is_not(world: World, check: Check) -> None:
    """The answer to "make me an OCSP responder": whoever has it can call revoked certificates good."""
    message = signer_tbs(world, "ocsp", spki_der(ec_key(3).public_key()))
    assert await refused(check("ca.card", KeyPurpose.CERT, message)) == "serial"


async def test_a_key_is_certified_for_what_it_was_made_for(world: World, check: Check) -> None:
    own = world.platform.keys.generate("token.new", KeySpec.P256, (KeyPurpose.TOKEN,))
    message = signer_tbs(world, "ocsp", spki_der(own))
    assert await refused(check("ca.card", KeyPurpose.CERT, message)) == "serial"
    own = world.platform.keys.generate("receipt.new", KeySpec.P256, (KeyPurpose.RECEIPT,))
    message = signer_tbs(world, "ocsp", spki_der(own))
    assert await refused(check("ca.card", KeyPurpose.CERT, message)) == "profile"


async def test_a_responder_does_not_live_long(world: World, check: Check) -> None:
    own = world.platform.keys.generate("ocsp.new", KeySpec.P256, (KeyPurpose.OCSP,))
    days = get_profile("ocsp").max_days + 2
    message = signer_tbs(world, "ocsp", spki_der(own), days=days)
    assert await refused(check("ca.card", KeyPurpose.CERT, message)) == "term"


def root_tbs(world: World, spki: bytes, *, years: int = 20) -> bytes:
    now = begin(world.clock.now(), get_profile("root"))
    contents = builder.Contents(
        subject=builder.ca_name(country="TW", organisation="Inkan", common_name="root"),
        spki=spki,
        serial=1 << 100,
        not_before=now,
        not_after=now + timedelta(days=365 * years),
    )
    unsigned = builder.self_signed(get_profile("root"), contents)
    return unsigned.sign(generate(KeySpec.P256), SHA256()).tbs_certificate_bytes


async def test_authorities_are_certified_in_a_ceremony_only(world: World, check: Check) -> None:
    own = world.platform.keys.public_key("ca.card")
    message = root_tbs(world, spki_der(own))
    assert await refused(check("ca.root", KeyPurpose.CERT, message)) == "serial"
    await check_of(world, ceremony=True)("ca.root", KeyPurpose.CERT, message)


async def test_a_ceremony_certifies_keys_of_the_signer_only(world: World) -> None:
    held = check_of(world, ceremony=True)
    keys = world.platform.keys
    table = {
        "a stranger's": (spki_der(generate(KeySpec.P384).public_key()), 20, "ceremony"),
        "a token's": (spki_der(keys.public_key("token")), 20, "ceremony"),
        "for ever": (spki_der(keys.public_key("ca.card")), 90, "term"),
    }
    for name, (spki, years, rule) in table.items():
        message = root_tbs(world, spki, years=years)
        assert await refused(held("ca.root", KeyPurpose.CERT, message)) == rule, name


async def test_keys_of_authorities_are_made_in_a_ceremony_only(world: World) -> None:
    policy = policy_of(world)
    for purposes in ((KeyPurpose.CERT, KeyPurpose.CRL), (KeyPurpose.CRL,)):
        assert await refused(policy.check_generate("ca.new", purposes)) == "ceremony"
        await policy_of(world, ceremony=True).check_generate("ca.new", purposes)
    await policy.check_generate("ocsp.new", (KeyPurpose.OCSP,))


# --- lists and answers ------------------------------------------------------------------------------


def list_tbs(
    world: World, *, issuer: str = "card", at: datetime | None = None, days: float = 1
) -> bytes:
    subject = x509.load_der_x509_certificate(
        world.platform.pki.hierarchy.get(issuer).certificate
    ).subject
    begins = (at or world.clock.now()).replace(microsecond=0)
    built = x509.CertificateRevocationListBuilder(subject, begins, begins + timedelta(days=days))
    return built.sign(generate(KeySpec.P256), SHA256()).tbs_certlist_bytes


async def test_lists_are_of_their_issuer_and_of_now(world: World, check: Check) -> None:
    await check("ca.card", KeyPurpose.CRL, list_tbs(world))
    await check("ca.root", KeyPurpose.CRL, list_tbs(world, issuer="root", days=400))
    hour = timedelta(hours=1)
    table = {
        "another issuer": (list_tbs(world, issuer="phone"), "issuer"),
        "yesterday's": (list_tbs(world, at=world.clock.now() - 24 * hour), "term"),
        "tomorrow's": (list_tbs(world, at=world.clock.now() + 24 * hour), "term"),
        "for years": (list_tbs(world, days=400), "term"),
    }
    for name, (message, rule) in table.items():
        assert await refused(check("ca.card", KeyPurpose.CRL, message)) == rule, name


def answer_tbs(
    world: World, *, signer: str = "card-ocsp", hours: float = 1, ago: float = 0
) -> bytes:
    hierarchy = world.platform.pki.hierarchy
    responder = x509.load_der_x509_certificate(hierarchy.get(signer).certificate)
    issuer = x509.load_der_x509_certificate(hierarchy.get("card").certificate)
    label = hierarchy.get(signer).key_label
    now = world.clock.now().replace(microsecond=0) - timedelta(hours=ago)
    return (
        ocsp.OCSPResponseBuilder()
        .add_response(
            responder,
            issuer,
            SHA256(),
            ocsp.OCSPCertStatus.GOOD,
            now,
            now + timedelta(hours=hours),
            None,
            None,
        )
        .responder_id(ocsp.OCSPResponderEncoding.HASH, responder)
        .sign(world.platform.keys.signer(label, KeyPurpose.OCSP), SHA256())
        .tbs_response_bytes
    )


async def test_answers_are_of_their_responder_and_of_now(world: World, check: Check) -> None:
    label = world.platform.pki.hierarchy.get("card-ocsp").key_label
    await check(label, KeyPurpose.OCSP, answer_tbs(world))
    foreign = answer_tbs(world, signer="phone-ocsp")
    assert await refused(check(label, KeyPurpose.OCSP, foreign)) == "issuer"
    for message in (answer_tbs(world, hours=48), answer_tbs(world, ago=2, hours=4)):
        assert await refused(check(label, KeyPurpose.OCSP, message)) == "term"


async def test_purposes_without_a_row_are_judged_by_their_format(
    world: World, check: Check
) -> None:
    await check("token", KeyPurpose.TOKEN, b"eyJ0eXAiOiJhdCtqd3QifQ.e30")


async def test_the_table_is_about_purposes_that_sign(world: World) -> None:
    assert set(IssuingPolicy._checks) <= set(FORMATS)
