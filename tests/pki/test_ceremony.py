"""The key ceremony: one file in, a hierarchy out, once."""

from importlib.resources import files

import pytest
from cryptography import x509

from inkan.client.chain import parse_x5c
from inkan.crypto import jose, oids
from inkan.crypto.certificates import parse_certificate
from inkan.pki import read_ceremony, store, thumbprint
from inkan.pki.model import CeremonyDone, CeremonyWrong
from inkan.wire.audit_log import HEAD_TYP
from pki.hands import fetch, rows
from support.keyring import ec_key

DEMO = (files("inkan.pki") / "ceremonies" / "demo.toml").read_text(encoding="utf-8")


@pytest.mark.req("TW-22", "JPKI-36")
async def test_it_makes_root_authorities_and_signers_with_thumbprints(world):
    lines = {line.name: line for line in world.platform.pki.authorities()}
    assert {name: line.role for name, line in lines.items()} == {
        "root": "root",
        "card": "issuing",
        "phone": "issuing",
        "service": "issuing",
        "card-ocsp": "ocsp",
        "phone-ocsp": "ocsp",
        "service-ocsp": "ocsp",
        "receipt": "receipt",
        "audit-head": "audit-head",
        "tsa": "tsa",
    }
    for name, line in lines.items():
        der = (await fetch(world, f"/ca/{name}.cer")).content
        assert line.thumbprint_sha256 == thumbprint(der)  # equal strings, published two ways
        assert len(line.thumbprint_sha256) == 95
    root = x509.load_der_x509_certificate(world.platform.pki.anchors()[0])
    root.verify_directly_issued_by(root)
    for name in ("card", "phone"):
        der = world.platform.pki.hierarchy.get(name).certificate
        x509.load_der_x509_certificate(der).verify_directly_issued_by(root)


async def test_a_second_ceremony_is_refused(world):
    before = world.platform.pki.authorities()
    for _ in range(2):
        with pytest.raises(CeremonyDone):
            await world.platform.pki.hold_ceremony(read_ceremony(DEMO))
    assert world.platform.pki.authorities() == before
    assert len(await rows(world, store.authority)) == len(before)
    assert (await world.events()).count("pki.ceremony_held") == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("title =", "titel ="),
        ('country = "TW"', 'country = "tw"'),
        ('name = "phone"', 'name = "card"'),
        ('name = "phone"', 'name = "root"'),
        ('name = "phone"', 'name = "Phone!"'),
        ('"phone-sign-remote"]', '"card-sign"]'),
        ('"phone-sign-remote"]', '"no-such"]'),
        ('["phone-auth", "phone-sign", "phone-auth-remote", "phone-sign-remote"]', "[]"),
        ('[receipt]\nauthority = "phone"', '[receipt]\nauthority = "nobody"'),
        ('[receipt]\nauthority = "phone"', '[receipt]\nauthority = "root"'),
        ('[audit]\nauthority = "phone"', '[audit]\nauthority = "nobody"'),
        ('[audit]\nauthority = "phone"', '[audit]\nauthority = "root"'),
        ("[audit]", "[other]"),
        ("[audit]", "[audit]\nyears = 6"),
        ("[receipt]", "[receipt]\nyears = 6"),
        ('authority = "service"', 'authority = "root"'),
        ('authority = "service"', 'authority = "nobody"'),
        ("[tsa]", "[tsa]\nyears = 1"),
        ("[tsa]", "[tsa]\nyears = 6"),
        ("[root]", "[root]\nyears = 31"),
        ("[root]", '[root]\nkey = "P-256"'),
        ("[root]", "[root]\nlife = 3"),
        ("[root]", "[root"),
        ('common_name = "Inkan Test Root CA"', 'common_name = ""'),
        (DEMO, ""),
    ],
)
def test_a_file_that_describes_no_hierarchy(old, new):
    assert old in DEMO
    with pytest.raises(CeremonyWrong):
        read_ceremony(DEMO.replace(old, new))


async def test_ocsp_signers_are_replaced_before_they_end(world):
    from datetime import timedelta

    before = (await fetch(world, "/ca/card-ocsp.cer")).content
    world.clock.advance(timedelta(days=50))
    await world.platform.pki.renew_signers()
    assert (await fetch(world, "/ca/card-ocsp.cer")).content == before
    world.clock.advance(timedelta(days=10))
    await world.platform.pki.renew_signers()
    after = (await fetch(world, "/ca/card-ocsp.cer")).content
    assert after != before
    await world.platform.pki.renew_signers()
    assert (await fetch(world, "/ca/card-ocsp.cer")).content == after


async def test_the_logs_own_key_is_certified_and_its_heads_carry_the_chain(world):
    pki, audit = world.platform.pki, world.platform.audit
    chain = pki.head_chain()
    assert [parse_certificate(der).subject for der in chain] == [
        parse_certificate(pki.hierarchy.get(name).certificate).subject
        for name in ("audit-head", "phone")
    ]
    assert parse_certificate(chain[0]).public_key == audit.head_key
    assert parse_certificate(chain[0]).policies == {oids.POLICY_AUDIT_HEAD}
    await audit.sequence_once()
    head = await audit.sign_head()
    token = jose.parse_compact(head.jws, typ=HEAD_TYP, required=("x5c",))
    assert parse_x5c(token.header["x5c"]) == list(chain)
    jose.verify_signature(token, parse_certificate(chain[0]).public_key, algs=("ES256",))
    assert (await audit.verify(world.platform.event_pairs)).is_intact


async def test_a_log_of_another_key_than_the_certified_one_gives_no_chain(world, monkeypatch):
    """The certificate must never stand beside a signature that it cannot verify."""
    pki, audit = world.platform.pki, world.platform.audit
    monkeypatch.setattr(audit, "_head_key", ec_key(1).public_key())
    assert pki.head_chain() == ()
