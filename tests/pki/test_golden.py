"""The bytes of every profile: a change of a certificate is a change of this file, and has to be meant.

The to-be-signed bytes of one certificate for each profile, from fixed keys, names and times; the signature, which
ECDSA draws anew each time, is left out. `write` makes the vectors again.
"""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding

from inkan.crypto.certificate_view import Sex
from inkan.crypto.cross_terms import CrossTerms
from inkan.crypto.holder_attributes import encode_holder_attributes
from inkan.crypto.keys import spki_der
from inkan.crypto.lint import CertificateLinter
from inkan.crypto.oids import POLICIES
from inkan.crypto.workers.linters import lint_certificate
from inkan.pki.model import Authority, Role
from inkan.pki.rules import Profile, profiles
from inkan.pki.service import builder
from inkan.pki.service.hierarchy import PublicURLs
from pki.hands import BINDING

VECTORS = Path(__file__).parents[1] / "vectors" / "profiles.json"
BEGINS = datetime(2026, 11, 22, 2, 0, 0, tzinfo=UTC)
URLS = PublicURLs(origin="https://id.example")
ATTRIBUTES = encode_holder_attributes(
    date(1988, 3, 14),
    Sex.FEMALE,
    "東京都千代田区霞が関二丁目1番2号 中央合同庁舎第2号館 別館801号室",
)
TERMS = CrossTerms(
    policies=(POLICIES["card_sign"],),
    mappings=((POLICIES["card_sign"], POLICIES["bridge"]),),
    permitted=("C=TW",),
    path_length=1,
)


def fixed_key(number: int) -> ec.EllipticCurvePrivateKey:
    """The same key on every machine; it protects nothing."""
    return ec.derive_private_key(1985 + number, ec.SECP256R1())


def authority(role: Role) -> Authority:
    """An issuer whose certificate is made of the same fixed values; its own signature is in nobody's TBS."""
    profile = profiles()["root"]
    contents = _contents(profile, subject="Golden Root CA", key=1)
    der = (
        builder.self_signed(profile, contents)
        .sign(fixed_key(1), SHA384())
        .public_bytes(Encoding.DER)
    )
    return Authority(
        name="golden",
        role=role,
        certificate=der,
        chain=(der,),
        key_label="ca.golden",
        parent="golden",
        profiles=(),
        crl_shards=16,
        not_after=contents.not_after,
    )


def _contents(profile: Profile, *, subject: str, key: int) -> builder.Contents:
    return builder.Contents(
        subject=builder.holder_name(
            profile, country="TW", common_name=subject, serial_number="1234567890123456"
        ),
        spki=spki_der(fixed_key(key).public_key()),
        serial=(1 << 126) + 5,
        not_before=BEGINS,
        not_after=BEGINS + timedelta(days=min(profile.max_days, 366) - 1),
        shard=5,
        binding=BINDING if profile.binding else None,
        holder_attributes=ATTRIBUTES if profile.holder_facts else None,
    )


def certificate(profile: Profile) -> x509.Certificate:
    contents = _contents(profile, subject=f"Golden {profile.name}", key=2)
    issuer = authority(Role.ROOT if profile.purpose == "ca" else Role.ISSUING)
    if profile.name in ("root", "bridge"):
        unsigned = builder.self_signed(profile, contents)
    elif profile.name == "cross":
        unsigned = builder.crossed(profile, contents, issuer=issuer, urls=URLS, terms=TERMS)
    else:
        unsigned = builder.issued(profile, contents, issuer=issuer, urls=URLS)
    return unsigned.sign(fixed_key(2 if profile.name in ("root", "bridge") else 1), SHA384())


def made() -> dict[str, dict[str, object]]:
    return {
        name: {
            "version": profile.version,
            "tbs": certificate(profile).tbs_certificate_bytes.hex(),
        }
        for name, profile in sorted(profiles().items())
    }


def test_every_profile_has_its_bytes() -> None:
    assert made() == json.loads(VECTORS.read_text(encoding="utf-8"))


@pytest.mark.req("TW-21")
@pytest.mark.pki
@pytest.mark.parametrize("name", sorted(profiles()))
def test_the_linter_finds_no_error_in_any_profile(name: str) -> None:
    der = certificate(profiles()[name]).public_bytes(Encoding.DER)
    report = lint_certificate(der, CertificateLinter.PKIX)
    assert [each.code for each in report.errors] == []


def write() -> None:
    """Write the vectors again."""
    VECTORS.write_text(json.dumps(made(), indent=1) + "\n", encoding="utf-8")
