"""The time-stamping authority over HTTP: every reply and refusal, and its key."""

import hashlib
import subprocess
from dataclasses import replace
from datetime import UTC, timedelta

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.client.timestamps import verify_timestamp
from inkan.composition.routes import application
from inkan.crypto import der_values as der
from inkan.crypto import oids
from inkan.crypto.tsp import ImprintDigest, build_request, parse_request
from inkan.crypto.tsp_token import parse_reply
from inkan.kernel.errors import Unavailable
from pki.hands import fetch, on_sqlite
from pki.stamping import SECOND, another, failure, failure_of, post, stamp
from support.clock import LevelClock
from support.timestamping import DATA, IMPRINT
from support.tools import require


@pytest.fixture
def clock():
    return LevelClock()


async def lists(world):
    return [(await fetch(world, f"/crl/{name}.crl")).content for name in ("root", "service")]


# --- replies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("digest", ImprintDigest)
async def test_a_stranger_verifies_what_was_stamped(world, digest):
    imprint = hashlib.new(digest, DATA).digest()
    nonce = 2**127 + 1
    body = build_request(imprint, digest=digest, nonce=nonce, policy=oids.TIMESTAMP_POLICY)
    token = parse_reply((await post(world, body)).content)
    verified = verify_timestamp(
        token,
        imprint,
        world.anchors,
        digest=digest,
        policy=oids.TIMESTAMP_POLICY,
        nonce=nonce,
        crls=await lists(world),
    )
    assert verified.revocation_checked
    assert verified.info.at == world.clock.now()
    assert verified.info.accuracy == SECOND
    signer = world.platform.pki.hierarchy.get("tsa")
    assert verified.authority_sha256 == hashlib.sha256(signer.certificate).digest()


@on_sqlite
async def test_certificates_are_enclosed_when_asked_for(world):
    chain = world.platform.pki.hierarchy.get("tsa").chain[:-1]
    assert {each.der for each in (await stamp(world)).certificates} == set(chain)
    assert (await stamp(world, cert_req=False)).certificates == ()


def openssl_ts(*arguments):
    done = subprocess.run(
        [require("openssl"), "ts", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


@on_sqlite
@pytest.mark.pki
async def test_openssl_asks_and_verifies(world, tmp_path):
    names = ("data", "query", "reply", "root.pem")
    data, query, reply, root = (tmp_path / name for name in names)
    data.write_bytes(DATA)
    anchor = x509.load_der_x509_certificate(world.anchors[0])
    root.write_bytes(anchor.public_bytes(Encoding.PEM))
    at = int(world.clock.now().timestamp())
    for options in ([], ["-sha512"], ["-tspolicy", oids.TIMESTAMP_POLICY]):
        openssl_ts("-query", "-data", data, "-cert", "-out", query, *options)
        reply.write_bytes((await post(world, query.read_bytes())).content)
        shown = openssl_ts("-reply", "-in", reply, "-text")
        assert "Status: Granted." in shown
        assert f"Policy OID: {oids.TIMESTAMP_POLICY}" in shown
        assert "Accuracy: 0x01 seconds" in shown
        assert "Ordering: no" in shown
        verified = openssl_ts(
            "-verify", "-queryfile", query, "-in", reply, "-CAfile", root, "-attime", at
        )
        assert "Verification: OK" in verified


@on_sqlite
@pytest.mark.pki
async def test_pkilint_finds_no_error_in_the_certificate(world):
    for name in ("service", "tsa"):
        der_ = world.platform.pki.hierarchy.get(name).certificate
        report = await world.platform.workers.lint_certificate(der_)
        assert not report.errors, report.errors


# --- refusals ----------------------------------------------------------------------------------------


def asked(*members, stamped=None):
    imprint = stamped or parse_request(build_request(IMPRINT)).imprint_der
    return der.sequence(der.integer(1), imprint, *members)


SHA1 = der.sequence(
    der.sequence(der.object_identifier("1.3.14.3.2.26")), der.tlv(der.OCTET_STRING, bytes(20))
)
EXTENSION = der.sequence(der.object_identifier("1.2.3"), der.tlv(der.OCTET_STRING, b"\x05\0"))


@on_sqlite
@pytest.mark.parametrize(
    ("body", "name"),
    [
        (b"", "badDataFormat"),
        (b"\x30\x00", "badDataFormat"),
        (asked(der.integer(1), der.integer(1)), "badDataFormat"),
        (der.sequence(der.integer(2), b"\x30\0"), "badRequest"),
        (asked(der.integer(2**160)), "badRequest"),
        (asked(stamped=SHA1), "badAlg"),
        (build_request(IMPRINT, policy="1.2.3"), "unacceptedPolicy"),
        (asked(der.tlv(der.CONTEXT_0, EXTENSION)), "unacceptedExtension"),
    ],
)
async def test_a_refusal_is_a_reply_too(world, body, name):
    assert await failure(world, body) == (200, name)


@on_sqlite
async def test_what_http_refuses_speaks_the_protocol_too(world):
    request = build_request(IMPRINT)
    assert await failure(world, bytes(1025)) == (413, "badRequest")
    for headers in ({"content-type": "application/json"}, {"content-type": "text/plain"}):
        assert await failure(world, request, headers=headers) == (415, "badDataFormat")
    assert (await fetch(world, "/tsa")).status_code == 405


@on_sqlite
async def test_one_address_asks_so_often_and_no_oftener(world):
    settings = world.platform.settings
    pki = msgspec.structs.replace(settings.pki, timestamps_per_minute=2)
    settings = msgspec.structs.replace(settings, pki=pki)
    world.instance.application = application(replace(world.platform, settings=settings))
    for _ in range(2):
        await stamp(world)
    assert await failure(world) == (429, "systemFailure")
    world.clock.tick(31)
    await stamp(world)


@on_sqlite
async def test_without_an_authority_nothing_is_stamped(world, monkeypatch):
    monkeypatch.setattr(world.platform.pki.hierarchy, "of_role", lambda _: [])
    assert await failure(world) == (200, "systemFailure")


@on_sqlite
async def test_a_database_out_of_reach_is_a_failure_of_the_system(world):
    class Gone:
        async def transact(self, *_, **__):
            raise Unavailable

    assert await failure_of(another(world, db=Gone())) == "systemFailure"


# --- the key -----------------------------------------------------------------------------------------


@on_sqlite
async def test_the_key_is_renewed_before_its_period_ends_and_old_tokens_stay(world):
    pki = world.platform.pki
    old = await stamp(world)
    before = pki.hierarchy.get("tsa").certificate
    world.clock.advance(timedelta(days=330))
    await pki.renew_signers()
    assert pki.hierarchy.get("tsa").certificate == before
    world.clock.advance(timedelta(days=10))
    await pki.renew_signers()
    after = pki.hierarchy.get("tsa").certificate
    assert after != before
    fresh = await stamp(world)
    assert fresh.certificate_hash == hashlib.sha256(after).digest()
    for token in (old, fresh):
        assert verify_timestamp(token.der, IMPRINT, world.anchors).info == token.info
    await pki.renew_signers()
    assert pki.hierarchy.get("tsa").certificate == after


@on_sqlite
async def test_a_key_past_its_period_signs_nothing(world):
    await stamp(world)
    certificate = x509.load_der_x509_certificate(
        world.platform.pki.hierarchy.get("tsa").certificate
    )
    period = certificate.extensions.get_extension_for_class(x509.PrivateKeyUsagePeriod).value
    ends_at = period.not_after.replace(tzinfo=UTC)
    world.clock.advance(ends_at - world.clock.now())
    await stamp(world)
    world.clock.advance(2 * SECOND)
    assert await failure(world) == (200, "systemFailure")
    await world.platform.pki.renew_signers()
    await stamp(world)
