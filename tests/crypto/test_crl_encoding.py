"""What is written octet by octet is what the library would write."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.crl_encoding import (
    REASON_CODES,
    CRLFrame,
    CRLScope,
    encode_crl,
    encode_entry,
    encode_removal,
)
from inkan.crypto.path import RevocationReason
from inkan.crypto.workers.linters import lint_crl
from support.keyring import rsa_key
from support.pki import AT, DAY, Hierarchy, digest_of

SHARD = "http://pki.localhost/crl/phone/7.crl"
DELTA = "http://pki.localhost/crl/phone/delta.crl"
PKI = Hierarchy()
TIMES = st.datetimes(datetime(1970, 1, 1), datetime(2099, 12, 31), timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=0)
)
ROWS = st.lists(
    st.tuples(
        st.integers(1, 2**159 - 1),
        TIMES,
        st.sampled_from(RevocationReason),
        st.none() | TIMES,
    ),
    max_size=6,
)


def library_tbs(frame: CRLFrame, rows, *, issuer) -> bytes:
    """The to-be-signed octets by the library's own builder."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.x509.subject)
        .last_update(frame.this_update)
        .next_update(frame.next_update)
        .add_extension(
            x509.AuthorityKeyIdentifier(issuer.certificate.subject_key_id, None, None), False
        )
        .add_extension(x509.CRLNumber(frame.number), False)
    )
    if frame.base_number is not None:
        builder = builder.add_extension(x509.DeltaCRLIndicator(frame.base_number), True)
    if frame.distribution_point or frame.scope is not CRLScope.ALL:
        point = x509.IssuingDistributionPoint(
            full_name=[x509.UniformResourceIdentifier(frame.distribution_point)]
            if frame.distribution_point
            else None,
            relative_name=None,
            only_contains_user_certs=frame.scope is CRLScope.END_ENTITIES,
            only_contains_ca_certs=frame.scope is CRLScope.AUTHORITIES,
            only_some_reasons=None,
            indirect_crl=False,
            only_contains_attribute_certs=False,
        )
        builder = builder.add_extension(point, True)
    if frame.freshest:
        where = x509.DistributionPoint(
            [x509.UniformResourceIdentifier(frame.freshest)], None, None, None
        )
        builder = builder.add_extension(x509.FreshestCRL([where]), False)
    for serial, at, reason, since in rows:
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
        if reason is not RevocationReason.UNSPECIFIED:
            entry = entry.add_extension(x509.CRLReason(x509.ReasonFlags(reason.value)), False)
        if since is not None:
            entry = entry.add_extension(x509.InvalidityDate(since.replace(tzinfo=None)), False)
        builder = builder.add_revoked_certificate(entry.build())
    return builder.sign(issuer.key, digest_of(issuer.key)).tbs_certlist_bytes


@given(
    rows=ROWS,
    number=st.integers(0, 2**159 - 1),
    at=TIMES,
    life=st.integers(1, 10**9),
    point=st.none() | st.just(SHARD),
    scope=st.sampled_from(CRLScope),
    base=st.none() | st.integers(0, 2**70),
    freshest=st.none() | st.just(DELTA),
)
def test_the_octets_are_those_of_the_library(rows, number, at, life, point, scope, base, freshest):
    frame = CRLFrame(
        number=number,
        this_update=at,
        next_update=at + timedelta(seconds=life),
        distribution_point=point,
        scope=scope,
        base_number=base,
        freshest=freshest,
    )
    entries = [
        encode_entry(serial, at=when, reason=reason, invalid_since=since)
        for serial, when, reason, since in rows
    ]
    der = encode_crl(frame, entries, issuer=PKI.issuing.certificate, key=PKI.issuing.key)
    crl = x509.load_der_x509_crl(der)
    assert crl.tbs_certlist_bytes == library_tbs(frame, rows, issuer=PKI.issuing)
    assert crl.is_signature_valid(PKI.issuing.key.public_key())


@pytest.mark.parametrize("kind", ["P-256", "P-384", "RSA"])
def test_every_kind_of_key_signs(kind):
    issuers = {
        "P-256": PKI.issuing,
        "P-384": PKI.root,
        "RSA": PKI.root.subordinate(key=rsa_key()),
    }
    issuer = issuers[kind]
    frame = CRLFrame(number=1, this_update=AT, next_update=AT + DAY)
    crl = x509.load_der_x509_crl(encode_crl(frame, [], issuer=issuer.certificate, key=issuer.key))
    assert crl.is_signature_valid(issuer.key.public_key())
    assert (
        crl.signature_algorithm_oid == x509.load_der_x509_crl(issuer.crl()).signature_algorithm_oid
    )


def test_golden_entries():
    serial = 0x40112233445566778899AABBCCDDEEFF
    at = datetime(2026, 4, 1, 1, 0, tzinfo=UTC)
    told = {
        "bare": encode_entry(serial, at=at, reason=RevocationReason.UNSPECIFIED),
        "reason": encode_entry(serial, at=at, reason=RevocationReason.KEY_COMPROMISE),
        "since": encode_entry(
            serial, at=at, reason=RevocationReason.KEY_COMPROMISE, invalid_since=at - DAY
        ),
        "removed": encode_removal(serial, at=at),
        "late": encode_entry(5, at=at.replace(year=2050), reason=RevocationReason.SUPERSEDED),
    }
    start = "021040112233445566778899aabbccddeeff170d3236303430313031303030305a"
    assert {name: der.hex() for name, der in told.items()} == {
        "bare": f"3021{start}",
        "reason": f"302f{start}300c300a0603551d1504030a0101",
        "since": f"3049{start}3026300a0603551d1504030a01013018"
        "0603551d180411180f32303236303333313031303030305a",
        "removed": f"302f{start}300c300a0603551d1504030a0108",
        "late": "3022020105180f32303530303430313031303030305a300c300a0603551d1504030a0104",
    }


def test_the_codes_are_those_of_rfc_5280():
    assert {reason: code for reason, code in REASON_CODES.items() if code} == {
        RevocationReason(flag.value): code
        for code, flag in {
            1: x509.ReasonFlags.key_compromise,
            2: x509.ReasonFlags.ca_compromise,
            3: x509.ReasonFlags.affiliation_changed,
            4: x509.ReasonFlags.superseded,
            5: x509.ReasonFlags.cessation_of_operation,
            6: x509.ReasonFlags.certificate_hold,
            9: x509.ReasonFlags.privilege_withdrawn,
            10: x509.ReasonFlags.aa_compromise,
        }.items()
    }


@pytest.mark.parametrize("base", [None, 3])
def test_full_list_and_delta_lint_clean(base):
    frame = CRLFrame(
        number=7,
        this_update=AT,
        next_update=AT + DAY,
        base_number=base,
        freshest=None if base else DELTA,
    )
    entries = [encode_removal(5, at=AT)] if base else []
    der = encode_crl(frame, entries, issuer=PKI.issuing.certificate, key=PKI.issuing.key)
    assert lint_crl(der).findings == ()
