"""A certificate that passes the structural gate says what it holds, and what is missing is empty."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from crypto.specimens import (
    BINDING,
    END,
    GOOD,
    ISSUER,
    KEY,
    START,
    SUBJECT,
    ca_rows,
    holder_rows,
    issue,
)
from inkan.crypto import certificates, keys, names, oids
from inkan.crypto.keys import KeySpec


def test_a_holders_certificate_says_what_it_holds() -> None:
    certificate = certificates.parse_certificate(GOOD)
    assert certificate.der == GOOD
    assert certificate.sha256 == certificates.thumbprint(GOOD) == hashlib.sha256(GOOD).digest()
    assert certificate.serial == 0x1234
    assert (certificate.subject, certificate.issuer) == (SUBJECT, ISSUER)
    assert (certificate.common_name, certificate.subject_serial) == ("陳筱玲", "ps7a2b")
    assert (certificate.not_before, certificate.not_after) == (START, END)
    assert certificate.public_key == KEY.public_key()
    assert certificate.spki_sha256 == keys.spki_sha256(KEY.public_key())
    assert not certificate.is_ca
    assert certificate.key_usage == {"digitalSignature"}
    assert certificate.extended_key_usage == {"1.3.6.1.5.5.7.3.2"}
    assert certificate.policies == {oids.POLICY_PHONE_AUTH}
    assert certificate.ocsp_urls == ("http://ca/ocsp",)
    assert certificate.issuer_urls == ("http://ca/phone.cer",)
    assert certificate.crl_urls == ("http://ca/7.crl",)
    assert certificate.phone_binding == BINDING
    assert len(certificate.subject_key_id or b"") == len(certificate.authority_key_id or b"") == 20


def test_what_is_missing_is_empty() -> None:
    aki = holder_rows()[x509.AuthorityKeyIdentifier]
    bare = certificates.parse_certificate(
        issue({"aki": aki}, subject=names.build_name([("C", "TW")]))
    )
    assert (bare.common_name, bare.subject_serial, bare.subject_key_id) == (None, None, None)
    assert bare.key_usage == bare.extended_key_usage == bare.policies == frozenset()
    assert bare.ocsp_urls == bare.issuer_urls == bare.crl_urls == ()
    assert bare.phone_binding is bare.find_extension(oids.PHONE_BINDING) is None


@pytest.mark.parametrize("spec", KeySpec)
def test_an_authority_of_any_kind_of_key_passes(spec: KeySpec) -> None:
    key = keys.generate(spec)
    options = {"subject": ISSUER, "public": key.public_key(), "signer": key}
    root = certificates.parse_certificate(issue(ca_rows(), **options))
    assert root.is_ca
    assert root.key_usage == {"keyCertSign", "cRLSign"}
    rows = ca_rows()
    del rows[x509.AuthorityKeyIdentifier]  # a self-issued one needs none
    assert certificates.parse_certificate(issue(rows, **options)).authority_key_id is None


@pytest.mark.parametrize(
    "options",
    [
        {"algorithm": SHA384()},
        {"signer": keys.generate(KeySpec.RSA2048)},
        {
            "signer": keys.generate(KeySpec.RSA2048),
            "rsa_padding": padding.PSS(padding.MGF1(SHA256()), 32),
        },
    ],
    ids=["ECDSA with SHA-384", "RSA PKCS #1", "RSA PSS"],
)
def test_other_admitted_signature_algorithms_pass(options: dict[str, Any]) -> None:
    assert certificates.parse_certificate(issue(**options)).serial == 0x1234


@pytest.mark.pki
def test_openssl_reads_the_same_certificate(tmp_path: Path) -> None:
    path = tmp_path / "phone.cer"
    path.write_bytes(GOOD)
    command = [
        "openssl",
        "x509",
        "-inform",
        "DER",
        "-in",
        str(path),
        "-noout",
        "-text",
        "-nameopt",
        "utf8",
    ]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for expected in ("CN=陳筱玲", "Digital Signature", oids.POLICY_PHONE_AUTH, oids.PHONE_BINDING):
        assert expected in text.replace("CN = ", "CN=")
