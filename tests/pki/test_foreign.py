"""What others think of our artefacts: openssl and pkilint on everything that one small country publishes."""

import subprocess

import pytest

from inkan.crypto.path import RevocationReason
from pki.hands import ask, fetch, on_sqlite, revoke

pytestmark = [pytest.mark.pki, on_sqlite]


def openssl(*arguments, **options):
    done = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )
    return done.returncode, done.stdout + done.stderr


def pem(folder, name, der, kind="x509"):
    raw, out = folder / f"{name}.der", folder / f"{name}.pem"
    raw.write_bytes(der)
    code, said = openssl(kind, "-inform", "DER", "-in", raw, "-out", out)
    assert code == 0, said
    return out


@pytest.fixture
async def country(world):
    """Every artefact of a world with a bound phone, by name."""
    phone = await world.bind("chen")
    citizen = await world.citizen("chen")
    pki = world.platform.pki
    held = {f"phone-{use}": each.der for use, each in phone.certificates.items()}
    authorities = {
        line.name: pki.hierarchy.get(line.name).certificate for line in pki.authorities()
    }
    return world, citizen, held | {"card-sign": citizen.certificate.der}, authorities


@pytest.mark.req("TW-21", "TW-22", "JPKI-10")
async def test_openssl_verifies_every_chain_with_every_list(country, tmp_path):
    world, _, leaves, authorities = country
    folder = tmp_path
    made = {name: pem(folder, name, der) for name, der in (leaves | authorities).items()}
    lists = folder / "lists.pem"
    texts = []
    for name in ("root", "card", "phone", "service"):
        der = (await fetch(world, f"/crl/{name}.crl")).content
        texts.append(pem(folder, f"crl-{name}", der, "crl").read_text())
    lists.write_text("".join(texts))
    at = int(world.clock.now().timestamp())
    issuer = {
        "card-sign": "card",
        "phone-auth": "phone",
        "phone-sign": "phone",
        "receipt": "phone",
        "tsa": "service",
    }
    for name, parent in issuer.items():
        code, said = openssl(
            "verify", "-x509_strict", "-attime", at, "-crl_check_all",
            "-CRLfile", lists, "-CAfile", made["root"], "-untrusted", made[parent], made[name],
        )  # fmt: skip
        assert code == 0, said
    for name in ("card", "phone"):
        code, said = openssl(
            "crl", "-in", folder / f"crl-{name}.pem", "-CAfile", made[name], "-noout"
        )
        assert code == 0, said
        assert "verify OK" in said


async def test_openssl_reads_every_ocsp_answer(country, tmp_path):
    world, citizen, _, authorities = country
    root, card = (pem(tmp_path, name, authorities[name]) for name in ("root", "card"))
    leaf = pem(tmp_path, "leaf", citizen.certificate.der)

    async def said():
        answer = tmp_path / "answer.der"
        answer.write_bytes(await ask(world, citizen.certificate))
        return openssl(
            "ocsp", "-issuer", card, "-cert", leaf, "-respin", answer, "-no_nonce",
            "-CAfile", root, "-verify_other", card, "-attime", int(world.clock.now().timestamp()),
            "-validity_period", 10**9,
        )  # fmt: skip

    code, text = await said()
    assert code == 0, text
    assert "Response verify OK" in text
    assert f"{leaf}: good" in text
    await revoke(world, citizen.certificate, RevocationReason.KEY_COMPROMISE)
    code, text = await said()
    assert code == 0, text
    assert f"{leaf}: revoked" in text
    assert "keyCompromise" in text


async def test_openssl_asks_what_we_answer(country, tmp_path):
    world, citizen, _, authorities = country
    card = pem(tmp_path, "card", authorities["card"])
    leaf = pem(tmp_path, "leaf", citizen.certificate.der)
    request = tmp_path / "request.der"
    for digest in ("-sha1", "-sha256"):
        code, text = openssl("ocsp", digest, "-issuer", card, "-cert", leaf, "-reqout", request)
        assert code == 0, text
        answer = await fetch(world, "/ocsp/card", body=request.read_bytes())
        respin = tmp_path / "answer.der"
        respin.write_bytes(answer.content)
        code, text = openssl("ocsp", "-respin", respin, "-resp_text", "-noverify")
        assert "Cert Status: good" in text


async def test_pkilint_finds_no_error(country):
    world, citizen, leaves, authorities = country
    workers = world.platform.workers
    await revoke(world, citizen.certificate)
    for name, der in (leaves | authorities).items():
        report = await workers.lint_certificate(der)
        assert not report.errors, (name, report.errors)
    for name in ("root", "card", "phone"):
        report = await workers.lint_crl((await fetch(world, f"/crl/{name}.crl")).content)
        assert not report.errors, (name, report.errors)
    for options in ({}, {"nonce": bytes(32)}):
        report = await workers.lint_ocsp(await ask(world, citizen.certificate, **options))
        assert not report.errors, report.errors
