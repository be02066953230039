"""The issuance machine: refused before anything, finished after any crash, one certificate for one order."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1

from crypto import weak_keys
from inkan.crypto.keys import WeakKey, spki_der
from inkan.kernel.errors import InkanError
from inkan.pki import CertificateUnknown, KeyShared, LintRefused, store
from inkan.pki.model import CertificateNotIssued, OrderOutsideProfile, TwinDiffers
from inkan.pki.rules import MAX_DAYS
from inkan.pki.service import builder
from inkan.pki.service.issue import DER, TWIN, Issue
from pki.hands import issue, on_sqlite, order, revoke, rows, state_of
from support.keyring import ec_key, rsa_key


class Died(BaseException):
    """The process stops here."""


async def dies(*args, **kwargs):
    raise Died


def dies_inside(*args, **kwargs):
    raise Died


# --- orders that are refused -----------------------------------------------------------------------------


@on_sqlite
async def test_weak_keys_are_certified_for_nobody(world):
    weak = {
        "1024 bits": spki_der(rsa_key(0, bits=1024).public_key()),
        "exponent 3": weak_keys.spki(weak_keys.good_modulus(), 3),
        "even exponent": weak_keys.spki(weak_keys.good_modulus(), 65536),
        "close primes": weak_keys.spki(weak_keys.close_primes_modulus()),
        "a small factor": weak_keys.spki(weak_keys.small_factor_modulus(7)),
        "ROCA": weak_keys.spki(weak_keys.roca_modulus()),
    }
    for name, spki in weak.items():
        with pytest.raises(InkanError) as caught:
            await issue(world, 1, spki=spki)
        assert caught.value.code in {WeakKey.code, "key_malformed"}, name
    assert await rows(world, store.certificate) == []
    assert await rows(world, store.public_key) == []


@on_sqlite
async def test_orders_outside_their_profile(world):
    now = world.clock.now().replace(microsecond=0)
    table = {
        "P-384": {"spki": spki_der(ec_key(1, curve=SECP384R1).public_key())},
        "too long": {"not_after": now + timedelta(days=MAX_DAYS["holder"] + 2)},
        "over": {"not_after": now},
        "past the issuer": {"not_after": now + timedelta(days=366 * 11)},
        "a binding that is not asked for": {"binding": b"\x30\x00"},
        "a binding that misses": {"profile": "phone-auth", "binding": None},
    }
    for name, bent in table.items():
        with pytest.raises(OrderOutsideProfile):
            await issue(world, 1, **bent)
        assert await rows(world, store.certificate) == [], name


async def test_a_key_belongs_to_one_owner_for_ever(world):
    first = await issue(world, 1)
    spki = spki_der(rsa_key(1).public_key())
    await revoke(world, first)
    with pytest.raises(KeyShared):
        await issue(world, 2, spki=spki)
    # its owner may have it certified again
    again = await issue(world, 3, spki=spki, owner="owner-1")
    assert again.serial != first.serial


async def test_an_unknown_order_completes_nothing(world):
    with pytest.raises(CertificateUnknown):
        await world.platform.pki.complete("nobody's")


# --- one order, one certificate -----------------------------------------------------------------------------


async def test_an_order_again_is_the_same_certificate(world):
    first, second = await issue(world, 1), await issue(world, 1)
    assert first == second
    assert Counter(await world.events())["pki.certificate_issued"] == 1


@pytest.mark.race
async def test_parallel_completions_store_one_certificate(world):
    pki = world.platform.pki
    await world.platform.db.transact(pki.order, order(world, 1))
    made = await asyncio.gather(*(pki.complete("order:1") for _ in range(8)))
    assert len({each.der for each in made}) == 1
    events = Counter(await world.events())
    assert events["pki.signing_intended"] == events["pki.certificate_issued"] == 1


# --- crashes --------------------------------------------------------------------------------------------------

STEPS = {
    "reserved": ("_intend", dies, "reserved"),
    "twin built, not stored": ("_intended", dies_inside, "reserved"),
    "intent logged": ("_sign", dies, "intended"),
    "signed, not stored": ("_signed", dies_inside, "intended"),
}


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("healer", ["schedule", "caller"])
@on_sqlite
async def test_a_crash_at_any_step_is_finished(world, monkeypatch, step, healer):
    name, death, left = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(Issue, name, death)
        with pytest.raises(Died):
            await issue(world, 1)
    assert await state_of(world, "order:1") == left
    if healer == "schedule":
        world.clock.advance(timedelta(seconds=11))
        await world.instance.schedules.run_due()
    else:
        await world.platform.pki.complete("order:1")
    (row,) = await rows(world, store.certificate)
    assert row.state == "valid"
    issue_ = world.platform.pki._issue
    twin = issue_._sealer.open(TWIN, row.id, row.twin_sealed).reveal()
    der = issue_._sealer.open(DER, row.id, row.der_sealed).reveal()
    assert x509.load_der_x509_certificate(der).tbs_certificate_bytes == twin
    assert Counter(await world.events())["pki.certificate_issued"] == 1


async def test_no_serial_answers_as_good_before_its_certificate_is_stored(world, monkeypatch):
    from inkan.crypto.ocsp_response import parse_response
    from pki.hands import fetch

    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_signed", dies_inside)
        with pytest.raises(Died):
            await issue(world, 1)
    (row,) = await rows(world, store.certificate)
    other = await issue(world, 2)
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import ocsp

    from pki.hands import question

    asked = ocsp.load_der_ocsp_request(question(world, other))
    builder_ = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        asked.issuer_name_hash, asked.issuer_key_hash, int(row.serial, 16), asked.hash_algorithm
    )
    request = builder_.build().public_bytes(Encoding.DER)
    answer = await fetch(world, "/ocsp/card", body=request)
    assert parse_response(answer.content).certificate_status is ocsp.OCSPCertStatus.UNKNOWN


async def test_what_is_revoked_before_it_is_signed_never_is(world, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_sign", dies)
        with pytest.raises(Died):
            await issue(world, 1)
    pki, db = world.platform.pki, world.platform.db
    from inkan.pki import RevocationReason
    from support.world import CLERK

    reason = RevocationReason.CESSATION_OF_OPERATION
    assert await db.transact(pki.revoke_all, "owner-1", reason=reason, actor=CLERK) == 1
    with pytest.raises(CertificateNotIssued):
        await pki.complete("order:1")
    await world.leap(timedelta(minutes=5))
    (row,) = await rows(world, store.certificate)
    assert (row.state, row.der_sealed) == ("revoked", None)


async def test_a_signature_that_differs_from_its_twin_is_thrown_away(world, monkeypatch):
    honest = Issue._builder

    def bent(self, row):
        made = honest(self, row)
        if row.state == "intended":
            made = made.add_extension(x509.OCSPNoCheck(), critical=False)
        return made

    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_sign", dies)
        with pytest.raises(Died):
            await issue(world, 1)
    with monkeypatch.context() as patch:
        patch.setattr(Issue, "_builder", bent)
        with pytest.raises(TwinDiffers):
            await world.platform.pki.complete("order:1")
        world.clock.advance(timedelta(minutes=2))
        await world.platform.pki.finish_issues()  # holds nobody else up
    assert await state_of(world, "order:1") == "intended"
    assert await world.platform.pki.complete("order:1")


SIMPLE_BITS = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
)

# --- lint blocks --------------------------------------------------------------------------------------------------


@on_sqlite
async def test_a_certificate_that_breaks_a_rule_is_never_signed(world, monkeypatch):
    """Real linting: a holder's certificate that claims to sign certificates (RFC 5280 §4.2.1.9)."""
    from inkan.crypto.key_providers import KeyPurpose

    used = []
    pki = world.platform.pki
    honest_key, honest = pki.hierarchy.key_of, builder._of_profile
    monkeypatch.setattr(pki._issue, "_lint", True)
    monkeypatch.setattr(pki.hierarchy, "key_of", lambda a, p: (used.append(p), honest_key(a, p))[1])

    def broken(name, cps):
        (usage, critical), *rest = honest(name, cps)
        bits = {bit: getattr(usage, bit) for bit in SIMPLE_BITS} | {"key_cert_sign": True}
        usage = x509.KeyUsage(**bits, encipher_only=False, decipher_only=False)
        return [(usage, critical), *rest]

    with monkeypatch.context() as patch:
        patch.setattr(builder, "_of_profile", broken)
        with pytest.raises(LintRefused) as caught:
            await issue(world, 1)
    assert caught.value.public_facts["findings"]
    assert KeyPurpose.CERT not in used
    (row,) = await rows(world, store.certificate)
    assert (row.state, row.der_sealed) == ("refused", None)
    with pytest.raises(LintRefused):
        await pki.complete("order:1")
    assert (await issue(world, 2)).der  # an honest one passes the same linter
    assert used == [KeyPurpose.CERT]
    await world.leap(timedelta(minutes=1))
    from inkan.store.outbox import dead_jobs

    assert await world.platform.db.read(dead_jobs) == []
