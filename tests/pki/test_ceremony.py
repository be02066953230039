"""The key ceremony: one file in, a hierarchy out, once."""

from importlib.resources import files

import pytest
from cryptography import x509

from inkan.pki import read_ceremony, store, thumbprint
from inkan.pki.model import CeremonyDone, CeremonyWrong
from pki.hands import fetch, rows

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
        ('"phone-sign"]', '"card-sign"]'),
        ('"phone-sign"]', '"no-such"]'),
        ('["phone-auth", "phone-sign"]', "[]"),
        ('authority = "phone"', 'authority = "nobody"'),
        ('authority = "phone"', 'authority = "root"'),
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
