"""Revocation lists: what the product builds is held against foreign tools, what it verifies is built by the tests."""

import subprocess
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.crl import (
    CRLContents,
    CRLEntry,
    CRLMalformed,
    CRLOutOfScope,
    CRLScope,
    CRLStale,
    CRLUntrusted,
    build_crl,
    verify_crl,
)
from inkan.crypto.path import MAX_CRL_SIZE, Revocation, RevocationReason
from inkan.crypto.workers.linters import lint_crl
from inkan.kernel.errors import InkanError
from support.keyring import rsa_key
from support.pki import AT, DAY, Authority, Hierarchy, name
from support.tools import require

SHARD = "http://pki.localhost/crl/7.crl"
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def pki():
    return Hierarchy()


def contents(**bent) -> CRLContents:
    defaults = {"number": 7, "this_update": AT, "next_update": AT + DAY, "entries": []}
    return CRLContents(**defaults | bent)


def revoked(serial: int, reason=RevocationReason.UNSPECIFIED, at=AT) -> CRLEntry:
    return CRLEntry(serial=serial, revocation=Revocation(revoked_at=at, reason=reason))


# --- built by the product ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", CRLScope)
@pytest.mark.parametrize("url", [None, SHARD])
def test_a_built_list_is_verified_and_lints_clean(pki, scope, url):
    leaf = pki.issuing.issue(crl_url=SHARD).certificate
    der = build_crl(
        contents(distribution_point=url, scope=scope, entries=[revoked(leaf.serial)]),
        issuer=pki.issuing.certificate,
        key=pki.issuing.key,
    )
    crl = verify_crl(der, issuer=pki.issuing.certificate, at=AT)
    assert (crl.number, crl.this_update, crl.next_update) == (7, AT, AT + DAY)
    assert not crl.names_delta
    if scope is CRLScope.AUTHORITIES:
        with pytest.raises(CRLOutOfScope):
            crl.find_revocation(leaf)
    else:
        assert crl.find_revocation(leaf) == Revocation(revoked_at=AT)
    assert lint_crl(der).findings == ()


@pytest.mark.parametrize("reason", RevocationReason)
def test_every_reason_survives(pki, reason):
    entries = [revoked(5, reason), revoked(6)]
    der = build_crl(contents(entries=entries), issuer=pki.root.certificate, key=pki.root.key)
    crl = verify_crl(der, issuer=pki.root.certificate, at=AT)
    listed = pki.root.subordinate(serial=5).certificate
    assert crl.find_revocation(listed) == entries[0].revocation
    assert crl.find_revocation(pki.root.subordinate(serial=9).certificate) is None


def test_no_reason_is_written_rather_than_unspecified(pki):
    der = build_crl(contents(entries=[revoked(5)]), issuer=pki.root.certificate, key=pki.root.key)
    (entry,) = x509.load_der_x509_crl(der)
    assert list(entry.extensions) == []


def test_the_distribution_point_is_critical_and_its_url_untouched(pki):
    der = build_crl(
        contents(distribution_point=SHARD), issuer=pki.root.certificate, key=pki.root.key
    )
    crl = x509.load_der_x509_crl(der)
    point = crl.extensions.get_extension_for_class(x509.IssuingDistributionPoint)
    assert point.critical
    assert [row.value for row in point.value.full_name] == [SHARD]
    assert crl.extensions.get_extension_for_class(x509.CRLNumber).critical is False


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
def test_an_authority_of_every_kind_signs(pki, kind):
    issuer = {
        "P-256": pki.issuing,
        "P-384": pki.root,
        "RSA": pki.root.subordinate(key=rsa_key()),
    }[kind]
    der = build_crl(contents(), issuer=issuer.certificate, key=issuer.key)
    assert verify_crl(der, issuer=issuer.certificate, at=AT).number == 7
    algorithm = x509.load_der_x509_crl(der).signature_hash_algorithm
    assert algorithm.name == ("sha384" if kind == "P-384" else "sha256")


@pytest.mark.pki
def test_openssl_verifies_a_built_list_and_reads_its_entries(pki, tmp_path):
    openssl = require("openssl")
    entries = [revoked(0xABC, RevocationReason.KEY_COMPROMISE)]
    der = build_crl(contents(entries=entries), issuer=pki.issuing.certificate, key=pki.issuing.key)
    (tmp_path / "list.crl").write_bytes(der)
    (tmp_path / "ca.pem").write_bytes(pki.issuing.certificate.x509.public_bytes(Encoding.PEM))
    answer = subprocess.run(
        [
            openssl,
            "crl",
            "-inform",
            "DER",
            "-in",
            "list.crl",
            "-CAfile",
            "ca.pem",
            "-text",
            "-noout",
        ],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "verify OK" in answer.stderr
    assert "0ABC" in answer.stdout
    assert "Key Compromise" in answer.stdout


# --- verified by the product -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bent", "refusal"),
    [
        ({"number": None}, CRLMalformed),
        ({"delta_of": 1}, CRLMalformed),
        ({"idp": {"indirect_crl": True}}, CRLMalformed),
        ({"idp": {"only_contains_attribute_certs": True}}, CRLMalformed),
        ({"idp": {"only_some_reasons": frozenset({x509.ReasonFlags.superseded})}}, CRLMalformed),
        (
            {
                "extra": [
                    (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.7"), b"\x05\0"), True)
                ]
            },
            CRLMalformed,
        ),
        ({"issuer": name("Somebody")}, CRLUntrusted),
        ({"aki": b"x" * 20}, CRLUntrusted),
        ({"this_update": AT + SECOND}, CRLStale),
        ({"this_update": AT - DAY, "next_update": AT - SECOND}, CRLStale),
    ],
)
def test_a_departure_is_refused(pki, bent, refusal):
    with pytest.raises(refusal):
        verify_crl(pki.issuing.crl(**bent), issuer=pki.issuing.certificate, at=AT)


def test_the_term_is_inclusive_and_told(pki):
    der = pki.issuing.crl(this_update=AT, next_update=AT + SECOND)
    for at in (AT, AT + SECOND):
        assert verify_crl(der, issuer=pki.issuing.certificate, at=at)
    with pytest.raises(CRLStale) as caught:
        verify_crl(der, issuer=pki.issuing.certificate, at=AT + 2 * SECOND)
    assert caught.value.public_facts == {"this_update": AT, "next_update": AT + SECOND}


def test_a_signature_of_another_key_is_refused(pki):
    own = pki.issuing.certificate
    forged = pki.issuing.crl(signer=Authority.root(), aki=own.subject_key_id)
    with pytest.raises(CRLUntrusted):
        verify_crl(forged, issuer=own, at=AT)


def test_a_key_that_may_not_sign_lists_does_not(pki):
    narrow = pki.root.subordinate("Narrow", usage=["key_cert_sign"])
    with pytest.raises(CRLUntrusted, match="may not sign"):
        verify_crl(narrow.crl(), issuer=narrow.certificate, at=AT)


def test_a_list_speaks_only_of_what_its_issuer_issued(pki):
    crl = verify_crl(pki.root.crl(), issuer=pki.root.certificate, at=AT)
    assert crl.find_revocation(pki.issuing.certificate) is None
    with pytest.raises(CRLOutOfScope):
        crl.find_revocation(pki.leaf.certificate)


@pytest.mark.parametrize(
    ("bent", "is_leaf_covered", "is_authority_covered"),
    [
        ({}, True, True),
        ({"idp": {"only_contains_user_certs": True}}, True, False),
        ({"idp": {"only_contains_ca_certs": True}}, False, True),
        ({"url": SHARD}, True, False),
        ({"url": "http://pki.localhost/crl/8.crl"}, False, False),
    ],
)
def test_the_scope_of_a_list(pki, bent, is_leaf_covered, is_authority_covered):
    crl = verify_crl(pki.root.crl(**bent), issuer=pki.root.certificate, at=AT)
    leaf = pki.root.issue(crl_url=SHARD).certificate
    for certificate, is_covered in (
        (leaf, is_leaf_covered),
        (pki.issuing.certificate, is_authority_covered),
    ):
        if is_covered:
            assert crl.find_revocation(certificate) is None
        else:
            with pytest.raises(CRLOutOfScope):
                crl.find_revocation(certificate)


def test_a_named_delta_is_told(pki):
    der = pki.issuing.crl(freshest="http://pki.localhost/delta.crl")
    assert verify_crl(der, issuer=pki.issuing.certificate, at=AT).names_delta


@pytest.mark.parametrize(
    "raw", [b"", b"0", b"\x30\x00", b"\x30\x80\x00\x00", bytes(MAX_CRL_SIZE + 1)]
)
def test_other_bytes_are_malformed(pki, raw):
    with pytest.raises(CRLMalformed):
        verify_crl(raw, issuer=pki.issuing.certificate, at=AT)


WORLD = Hierarchy()
GOOD = WORLD.issuing.crl({WORLD.leaf.certificate: "keyCompromise"})


def test_a_signature_with_unused_bits_is_malformed():
    """Where the last bit is 0 by chance, the library reads the same signature from other bytes."""
    for _ in range(64):
        der = WORLD.issuing.crl({WORLD.leaf.certificate: "keyCompromise"})
        if der[-1] & 1 == 0:
            break
    unused = len(der) - len(x509.load_der_x509_crl(der).signature) - 1
    changed = der[:unused] + b"\x01" + der[unused + 1 :]
    assert x509.load_der_x509_crl(changed).signature == x509.load_der_x509_crl(der).signature
    with pytest.raises(CRLMalformed):
        verify_crl(changed, issuer=WORLD.issuing.certificate, at=AT)


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused(position, difference):
    changed = bytearray(GOOD)
    changed[position] ^= difference
    with pytest.raises(InkanError):
        verify_crl(bytes(changed), issuer=WORLD.issuing.certificate, at=AT)
