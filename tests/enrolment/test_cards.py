"""The card behind a request: signature, revocation, term, chain, purpose (HCA-19); everything else is refused by name."""

from datetime import timedelta

import pytest

from enrolment.hands import (
    BIND,
    RawCard,
    footprint,
    on_sqlite,
    prepared,
    raw_card,
    refusal,
    rows,
)
from inkan.crypto.certificates import parse_certificate
from inkan.crypto.phone_binding import PhoneBinding, encode_phone_binding
from inkan.enrolment import store
from inkan.enrolment.service.parts import read_request
from inkan.kernel.sensitive import Personal
from inkan.pki import RevocationEvidence, RevocationReason, StatusUnavailable
from support.keyring import rsa_key
from support.pki import Authority
from support.world import CLERK

# --- the card (HCA-19: signature, revocation, term, chain) -------------------------------------------------


@on_sqlite
@pytest.mark.req("HCA-19", "TW-22")
async def test_a_card_of_another_root_is_untrusted(world):
    started, content, _ = await prepared(world)
    good = await raw_card(world)
    issuer = parse_certificate(good.chain[0])
    # the same names all the way, other keys
    root = Authority.root("Inkan Test Root CA")
    foreign = root.subordinate("Somebody's Card CA").issue(key=rsa_key(60))
    message = RawCard(foreign.key, foreign.der, ()).sign(content)
    assert await refusal(started.submit(message)) == "card_untrusted"
    assert issuer.subject != foreign.certificate.issuer


@on_sqlite
@pytest.mark.req("HCA-19", "TW-22", "JPKI-10")
async def test_a_card_that_only_claims_our_issuer_is_untrusted(world):
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    started, content, _ = await prepared(world)
    good = await raw_card(world)
    honest = x509.load_der_x509_certificate(good.der)
    mallory = rsa_key(61)
    builder = (
        x509.CertificateBuilder()
        .issuer_name(honest.issuer)
        .subject_name(honest.subject)
        .public_key(mallory.public_key())
        .serial_number(honest.serial_number)
        .not_valid_before(honest.not_valid_before_utc)
        .not_valid_after(honest.not_valid_after_utc)
    )
    for extension in honest.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    forged = builder.sign(mallory, SHA256()).public_bytes(Encoding.DER)
    message = RawCard(mallory, forged, good.chain).sign(content)
    assert await refusal(started.submit(message)) == "card_untrusted"
    assert await rows(world, store.phone) == []


@on_sqlite
async def test_a_changed_signature_is_untrusted(world):
    started, content, _ = await prepared(world)
    good = await raw_card(world)
    message = bytearray(good.sign(content))
    message[-10] ^= 1
    assert await refusal(started.submit(bytes(message))) == "card_untrusted"
    # the signer's certificate with another key's signature
    other = RawCard(rsa_key(62), good.der, good.chain).sign(content)
    assert await refusal(started.submit(other)) == "card_untrusted"


@pytest.mark.req("HCA-19")
async def test_a_card_past_its_term_is_expired(world):
    card = await raw_card(
        world, not_after=world.clock.now().replace(microsecond=0) + timedelta(minutes=5)
    )
    started, content, _ = await prepared(world)
    world.clock.tick(timedelta(minutes=5, seconds=1))
    assert await refusal(started.submit(card.sign(content))) == "card_expired"
    assert await rows(world, store.phone) == []


@pytest.mark.req("HCA-19")
async def test_a_revoked_and_a_suspended_card_bind_nothing(world):
    platform = world.platform
    card = await raw_card(world)
    started, content, _ = await prepared(world)
    message = card.sign(content)
    pki = platform.pki
    await platform.db.transact(pki.suspend, card.certificate.id, actor=CLERK)
    assert await refusal(started.submit(message)) == "card_revoked"
    await platform.db.transact(pki.reinstate, card.certificate.id, actor=CLERK)
    await platform.db.transact(
        pki.revoke, card.certificate.id, reason=RevocationReason.KEY_COMPROMISE, actor=CLERK
    )
    assert await refusal(started.submit(message)) == "card_revoked"
    assert await rows(world, store.phone) == []


async def test_a_reinstated_card_is_good_again(world):
    platform = world.platform
    card = await raw_card(world)
    started, content, _ = await prepared(world)
    await platform.db.transact(platform.pki.suspend, card.certificate.id, actor=CLERK)
    await platform.db.transact(platform.pki.reinstate, card.certificate.id, actor=CLERK)
    assert (await started.submit(card.sign(content))).state == "issued"


@on_sqlite
@pytest.mark.req("TW-23")
@pytest.mark.parametrize("profile", ["card-auth", "phone-auth", "phone-sign"])
async def test_a_certificate_for_something_else_signs_no_request(world, profile):
    binding = None
    if profile.startswith("phone"):
        binding = encode_phone_binding(PhoneBinding(bytes(32), "phn_other"))
    card = await raw_card(world, profile=profile, binding=binding)
    started, content, _ = await prepared(world)
    assert await refusal(started.submit(card.sign(content))) == "card_wrong_purpose"
    assert await rows(world, store.phone) == []


class SilentSource:
    """A status source that does not answer."""

    async def status(self, authority, serial, certificate):
        raise StatusUnavailable

    async def evidence(self, authority, serial, certificate):
        raise StatusUnavailable


class ListlessSource:
    """A status source that says good and has no list: what is said is not what is proved."""

    def __init__(self, own):
        self._own = own

    async def status(self, authority, serial, certificate):
        return await self._own.status(authority, serial, certificate)

    async def evidence(self, authority, serial, certificate):
        return RevocationEvidence(ocsp=(), crls=())


async def test_an_unreachable_status_accepts_nothing_and_loses_nothing(world):
    card = await raw_card(world)
    started, content, _ = await prepared(world)
    message = card.sign(content)
    before = await footprint(world)
    sources = world.platform.pki._cards._sources
    (row,) = await rows(world, store.request)
    for source in (SilentSource(), ListlessSource(world.platform.pki._cards._own)):
        sources["card"] = source
        # not over HTTP: the client would patiently ask again
        with pytest.raises(StatusUnavailable):
            await world.platform.enrolment.submit(read_request(row), message)
    assert await footprint(world) == before
    sources.clear()
    assert (await started.submit(message)).state == "issued"


@on_sqlite
async def test_a_signature_of_another_kind_than_the_cards_key_is_untrusted(world):
    from inkan.crypto import cms
    from inkan.crypto.keys import spki_der
    from inkan.pki import CertificateOrder, SubjectName
    from support.keyring import ec_key

    good = await raw_card(world)
    issued = await world.platform.pki.issue(
        CertificateOrder(
            order_key="ec-card",
            profile="card-sign",
            owner="ec-card",
            subject=SubjectName(
                common_name=Personal("陳怡君"), serial_number=good.person.subject_serial
            ),
            spki=spki_der(ec_key(5).public_key()),
            not_after=good.certificate.not_after,
        )
    )
    started, content, _ = await prepared(world)
    for key, der in ((rsa_key(63), issued.der), (ec_key(6), good.der)):
        message = cms.build_signed_data(
            content,
            content_type=BIND,
            chain=[der, *issued.chain],
            algorithm=cms.algorithm_of(key),
            sign=cms.key_signer(key),
        )
        code = await refusal(started.submit(message))
        assert code in {"card_untrusted", "card_request_malformed"}
    honest = RawCard(ec_key(5), issued.der, issued.chain).sign(content)
    assert (await started.submit(honest)).state == "issued"
