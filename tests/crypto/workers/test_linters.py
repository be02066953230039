"""The linters find what is wrong, find nothing in what is right, and are built once."""

import time

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.crl import CRLMalformed
from inkan.crypto.lint import CertificateLinter, Severity
from inkan.crypto.ocsp_response import OCSPResponseMalformed
from inkan.crypto.workers import linters
from inkan.crypto.workers.linters import lint_certificate, lint_crl, lint_ocsp
from inkan.kernel.errors import InkanError
from support.pki import AT, OCSP_URL, Hierarchy, digest_of

SHARD = "http://pki.localhost/crl/7.crl"


@pytest.fixture(scope="module")
def pki():
    return Hierarchy()


def codes(findings):
    return {finding.code for finding in findings}


def test_right_artefacts_have_no_findings(pki):
    leaf = pki.issuing.issue(crl_url=SHARD, ocsp_url=OCSP_URL)
    for certificate in (leaf, pki.issuing, pki.root, pki.issuing.responder()):
        assert lint_certificate(certificate.der).findings == ()
    assert lint_crl(pki.issuing.crl([leaf.certificate], url=SHARD)).findings == ()
    assert lint_ocsp(pki.issuing.ocsp(leaf.certificate)).errors == ()


def test_an_error_names_rule_and_place(pki):
    leaf = pki.issuing.issue(crl_url="no address at all", ocsp_url=OCSP_URL)
    report = lint_certificate(leaf.der)
    (finding,) = report.errors
    assert finding.severity is Severity.ERROR
    assert finding.code == "pkix.invalid_uri_syntax"
    assert "cRLDistributionPoints" in finding.where
    assert "no address at all" in finding.message
    assert report.warnings == ()


def test_a_list_without_number_is_an_error(pki):
    assert "pkix.crl_number_missing" in codes(lint_crl(pki.issuing.crl(number=None)).errors)


def test_an_answer_that_ends_before_it_begins_is_an_error(pki):
    der = pki.issuing.ocsp(pki.leaf.certificate, this_update=AT, next_update=AT.replace(year=2025))
    assert lint_ocsp(der).errors


@pytest.mark.parametrize(
    ("linter", "rule"),
    [
        (
            CertificateLinter.ETSI_NATURAL_PERSON,
            "etsi.en_319_412_2.nat-4.2.4-1.required_attribute_missing",
        ),
        (
            CertificateLinter.ETSI_LEGAL_PERSON,
            "etsi.en_319_412_3.leg-4.2.1-2.organization_name_attribute_absent",
        ),
    ],
)
def test_the_european_sets_ask_for_more(pki, linter, rule):
    assert rule in codes(lint_certificate(pki.leaf.der, linter).errors)
    assert rule not in codes(lint_certificate(pki.leaf.der).findings)


def test_an_unsigned_twin_can_be_linted(pki):
    """What the authority is about to sign is linted before its key is asked: here under a throw-away key."""
    from cryptography import x509

    from support.keyring import ec_key

    source = pki.leaf.certificate.x509
    builder = x509.CertificateBuilder(
        issuer_name=source.issuer,
        subject_name=source.subject,
        public_key=source.public_key(),
        serial_number=source.serial_number,
        not_valid_before=source.not_valid_before_utc,
        not_valid_after=source.not_valid_after_utc,
        extensions=list(source.extensions),
    )
    throw_away = ec_key(99)
    twin = builder.sign(throw_away, digest_of(throw_away))
    assert twin.tbs_certificate_bytes == source.tbs_certificate_bytes
    assert lint_certificate(twin.public_bytes(Encoding.DER)).findings == ()


@pytest.mark.parametrize(
    ("lint", "refusal"),
    [
        (lint_certificate, CertificateMalformed),
        (lint_crl, CRLMalformed),
        (lint_ocsp, OCSPResponseMalformed),
    ],
)
@pytest.mark.parametrize("raw", [b"", b"0", b"\x30\x00", b"\x30\x80\x00\x00", b"text"])
def test_other_bytes_are_malformed(lint, refusal, raw):
    with pytest.raises(refusal):
        lint(raw)


WORLD = Hierarchy()


@given(st.integers(0, len(WORLD.leaf.der) - 1), st.integers(1, 255))
def test_a_changed_certificate_is_reported_or_refused_but_never_breaks_the_linter(
    position, difference
):
    changed = bytearray(WORLD.leaf.der)
    changed[position] ^= difference
    try:
        report = lint_certificate(bytes(changed))
    except InkanError:
        return
    assert all(finding.severity in Severity for finding in report.findings)


def test_rules_are_built_once(pki):
    linters.load_all()
    rules = linters._certificate_rules(CertificateLinter.PKIX)
    before = time.process_time()
    lint_certificate(pki.leaf.der)
    assert time.process_time() - before < 1.0
    assert linters._certificate_rules(CertificateLinter.PKIX) is rules
    assert set(linters._SEVERITIES.values()) == set(Severity)
