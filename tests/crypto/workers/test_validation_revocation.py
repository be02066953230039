"""Revocation in paths: lists, shards, deltas and OCSP answers, and each trap of the validator underneath."""

from datetime import timedelta

import pytest
from asn1crypto import algos, crl
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.ocsp import ResponderError, build_error
from inkan.crypto.path import (
    CertificateRevoked,
    EvidenceKind,
    RevocationReason,
    RevocationUnknown,
)
from inkan.crypto.workers import validation
from inkan.crypto.workers.validation import verify_path
from inkan.kernel.errors import InkanError
from support.pki import (
    AT,
    DAY,
    OCSP_URL,
    Authority,
    Hierarchy,
    key_usage,
    name,
)

SHARD = "http://pki.localhost/crl/7.crl"
OTHER_SHARD = "http://pki.localhost/crl/8.crl"
DELTA = "http://pki.localhost/crl/delta.crl"
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def pki():
    return Hierarchy()


def refused(certificate, policy, *refusals):
    with pytest.raises(refusals) as caught:
        verify_path(certificate.der, policy)
    return caught.value


# --- revocation ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [None, *RevocationReason])
def test_every_reason_is_told(pki, reason):
    named = {pki.leaf.certificate: reason}
    if reason is RevocationReason.UNSPECIFIED:
        named = {pki.leaf.certificate: None}
    error = refused(
        pki.leaf, pki.policy(crls=(pki.root.crl(), pki.issuing.crl(named))), CertificateRevoked
    )
    assert error.facts["reason"] == (reason or RevocationReason.UNSPECIFIED)


def test_one_list_for_authorities_and_one_for_end_entities_cover_a_path(pki):
    leaf = pki.issuing.issue(crl_url=SHARD)
    authorities = pki.root.crl(idp={"only_contains_ca_certs": True})
    shard = pki.issuing.crl(url=SHARD, idp={"only_contains_user_certs": True})
    assert verify_path(leaf.der, pki.policy(crls=(authorities, shard)))


def test_a_revoked_certificate_without_distribution_point_is_refused(pki):
    """Trap: "hard-fail" ignores a supplied list when the certificate names no source."""
    assert not pki.leaf.certificate.crl_urls
    crls = (pki.root.crl(), pki.issuing.crl([pki.leaf.certificate]))
    refused(pki.leaf, pki.policy(crls=crls), CertificateRevoked)


def test_revoked_at_the_very_second_of_the_check_is_revoked(pki):
    """Trap: the validator compares the revocation date with "before", and forgets the second itself."""
    crls = (pki.root.crl(), pki.issuing.crl([pki.leaf.certificate], revoked_at=AT))
    refused(pki.leaf, pki.policy(crls=crls), CertificateRevoked)


def test_a_date_of_revocation_in_the_future_is_revoked(pki):
    """A list in force that names the certificate is the issuer's word, whatever date it gives."""
    crls = (pki.root.crl(), pki.issuing.crl([pki.leaf.certificate], revoked_at=AT + DAY))
    refused(pki.leaf, pki.policy(crls=crls), CertificateRevoked)


def test_the_revoked_authority_above_counts(pki):
    crls = (pki.root.crl({pki.issuing.certificate: "cACompromise"}), pki.issuing.crl())
    assert (
        refused(pki.leaf, pki.policy(crls=crls), CertificateRevoked).facts["reason"]
        == "cACompromise"
    )


@pytest.mark.req("TW-33")
@pytest.mark.parametrize(
    "bent",
    [
        {"next_update": AT - SECOND, "this_update": AT - DAY},
        {"this_update": AT + SECOND},
        {"number": None},
        {
            "extra": [
                (x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.7"), b"\x05\x00"), True)
            ]
        },
        {"idp": {"indirect_crl": True}},
        {"idp": {"only_contains_ca_certs": True}},
        {"idp": {"only_contains_attribute_certs": True}},
        {"idp": {"only_some_reasons": frozenset({x509.ReasonFlags.key_compromise})}},
        {"url": OTHER_SHARD},
        {"delta_of": 1},
        {"issuer": name("Somebody Else")},
        {"aki": b"another key identifier"},
    ],
    ids=lambda bent: next(iter(bent)),
)
def test_without_a_usable_list_nothing_is_decided(pki, bent):
    leaf = pki.issuing.issue(crl_url=SHARD)
    crls = (pki.root.crl(), pki.issuing.crl(**bent))
    refused(leaf, pki.policy(crls=crls), RevocationUnknown)


@pytest.mark.parametrize("missing", [0, 1])
def test_every_certificate_needs_evidence(pki, missing):
    refused(pki.leaf, pki.policy(crls=(pki.crls[1 - missing],)), RevocationUnknown)


def test_the_list_of_a_sibling_is_no_evidence(pki):
    """Trap: the validator accepts, for an authority, the list of another authority below the same root."""
    sibling = pki.root.subordinate("Sibling")
    policy = pki.policy(
        intermediates=(pki.issuing.der, sibling.der), crls=(sibling.crl(), pki.issuing.crl())
    )
    refused(pki.leaf, policy, RevocationUnknown)


def test_the_list_of_a_certificate_with_crl_sign_is_no_evidence(pki):
    """The same trap one floor lower: a holder whose certificate may sign lists."""
    holder = pki.issuing.issue("Sibling", usage=["digital_signature", "crl_sign"])
    forged = Authority(holder.certificate, holder.key).crl()
    policy = pki.policy(intermediates=(pki.issuing.der, holder.der), crls=(pki.root.crl(), forged))
    refused(pki.leaf, policy, RevocationUnknown)


def test_a_list_signed_with_sha1_is_no_evidence(pki):
    forged = crl.CertificateList.load(pki.issuing.crl())
    sha1 = algos.SignedDigestAlgorithm({"algorithm": "sha1_ecdsa"})
    forged["tbs_cert_list"]["signature"] = sha1
    forged["signature_algorithm"] = sha1
    tbs = forged["tbs_cert_list"].dump(force=True)
    forged["signature"] = pki.issuing.key.sign(tbs, ECDSA(SHA1()))
    policy = pki.policy(crls=(pki.root.crl(), forged.dump(force=True)))
    refused(pki.leaf, policy, RevocationUnknown)


class TestShards:
    """The matrix of shards and deltas."""

    @pytest.fixture
    def leaf(self, pki):
        return pki.issuing.issue(crl_url=SHARD)

    def policy(self, pki, *crls):
        return pki.policy(crls=(pki.root.crl(), *crls))

    def test_the_right_shard_clean(self, pki, leaf):
        assert verify_path(leaf.der, self.policy(pki, pki.issuing.crl(url=SHARD)))

    def test_the_right_shard_lists_the_certificate(self, pki, leaf):
        shard = pki.issuing.crl([leaf.certificate], url=SHARD)
        refused(leaf, self.policy(pki, shard), CertificateRevoked)

    def test_only_another_shard_clean_or_not(self, pki, leaf):
        for named in ([], [leaf.certificate]):
            shard = pki.issuing.crl(named, url=OTHER_SHARD)
            refused(leaf, self.policy(pki, shard), RevocationUnknown)

    def test_two_shards_one_of_them_right(self, pki, leaf):
        both = pki.issuing.crl(url=OTHER_SHARD), pki.issuing.crl(url=SHARD)
        assert verify_path(leaf.der, self.policy(pki, *both))

    def test_a_certificate_without_point_is_in_no_shard(self, pki):
        shard = pki.issuing.crl(url=SHARD)
        refused(pki.issuing.issue(), self.policy(pki, shard), RevocationUnknown)

    def test_the_full_list_serves_a_certificate_with_a_point(self, pki, leaf):
        assert verify_path(leaf.der, self.policy(pki, pki.issuing.crl()))
        full = pki.issuing.crl([leaf.certificate])
        refused(leaf, self.policy(pki, full, pki.issuing.crl(url=SHARD)), CertificateRevoked)

    def test_a_delta_named_only_by_the_certificate_is_missed_by_nobody(self, pki):
        """Trap: the validator never looks at a delta that the base does not name."""
        leaf = pki.issuing.issue(crl_url=SHARD, freshest=DELTA)
        base = pki.issuing.crl(url=SHARD)
        delta = pki.issuing.crl([leaf.certificate], url=SHARD, delta_of=1, number=2)
        refused(leaf, self.policy(pki, base, delta), RevocationUnknown)
        refused(leaf, self.policy(pki, base), RevocationUnknown)

    def test_a_delta_named_by_the_base_revokes(self, pki, leaf):
        base = pki.issuing.crl(url=SHARD, freshest=DELTA)
        delta = pki.issuing.crl([leaf.certificate], url=SHARD, delta_of=1, number=2)
        refused(leaf, self.policy(pki, base, delta), CertificateRevoked)

    def test_a_delta_named_by_the_base_is_needed(self, pki, leaf):
        base = pki.issuing.crl(url=SHARD, freshest=DELTA)
        refused(leaf, self.policy(pki, base), RevocationUnknown)
        delta = pki.issuing.crl(url=SHARD, delta_of=1, number=2)
        assert verify_path(leaf.der, self.policy(pki, base, delta))


class TestOCSP:
    """OCSP answers as evidence, alone and beside lists."""

    @pytest.fixture
    def leaf(self, pki):
        return pki.issuing.issue(ocsp_url=OCSP_URL)

    def policy(self, pki, *ocsps, crls=None):
        return pki.policy(ocsps=ocsps, crls=(pki.root.crl(),) if crls is None else crls)

    def test_a_good_answer_is_evidence(self, pki, leaf):
        path = verify_path(leaf.der, self.policy(pki, pki.issuing.ocsp(leaf.certificate)))
        assert {row.kind for row in path.evidence} == {EvidenceKind.OCSP, EvidenceKind.CRL}

    def test_a_revoked_answer_refuses(self, pki, leaf):
        answer = pki.issuing.ocsp(leaf.certificate, status="revoked", reason="superseded")
        error = refused(leaf, self.policy(pki, answer), CertificateRevoked)
        assert error.facts["reason"] == "superseded"

    def test_an_unknown_status_decides_nothing(self, pki, leaf):
        answer = pki.issuing.ocsp(leaf.certificate, status="unknown")
        refused(leaf, self.policy(pki, answer), RevocationUnknown)

    @pytest.mark.parametrize(
        "bent",
        [
            {"next_update": AT - SECOND},
            {"this_update": AT + SECOND},
            {"next_update": None},
            {"embed": []},
        ],
        ids=lambda bent: next(iter(bent)),
    )
    def test_an_unusable_answer_decides_nothing(self, pki, leaf, bent):
        answer = pki.issuing.ocsp(leaf.certificate, **bent)
        refused(leaf, self.policy(pki, answer), RevocationUnknown)

    def test_an_answer_about_another_certificate_decides_nothing(self, pki, leaf):
        answer = pki.issuing.ocsp(pki.issuing.issue(ocsp_url=OCSP_URL).certificate)
        refused(leaf, self.policy(pki, answer), RevocationUnknown)

    @pytest.mark.parametrize(
        "bent",
        [
            {"eku": []},
            {"eku": [ExtendedKeyUsageOID.OCSP_SIGNING, ExtendedKeyUsageOID.CLIENT_AUTH]},
            {"extra": []},
            {"not_after": AT - SECOND},
            {"usage": ["key_encipherment"]},
        ],
        ids=lambda bent: next(iter(bent)),
    )
    def test_a_responder_that_was_not_appointed_decides_nothing(self, pki, leaf, bent):
        responder = pki.issuing.responder(**bent)
        answer = pki.issuing.ocsp(leaf.certificate, responder=responder)
        refused(leaf, self.policy(pki, answer), RevocationUnknown)

    def test_the_responder_of_a_sibling_decides_nothing(self, pki, leaf):
        responder = pki.root.subordinate("Sibling").responder()
        answer = pki.issuing.ocsp(leaf.certificate, responder=responder)
        refused(leaf, self.policy(pki, answer), RevocationUnknown)

    def test_a_list_that_says_revoked_beats_an_answer_that_says_good(self, pki, leaf):
        """Trap: the validator consults no list once an answer is good."""
        policy = self.policy(
            pki,
            pki.issuing.ocsp(leaf.certificate),
            crls=(pki.root.crl(), pki.issuing.crl([leaf.certificate])),
        )
        refused(leaf, policy, CertificateRevoked)

    def test_an_answer_that_says_revoked_beats_a_clean_list(self, pki):
        """Trap: the validator overlooks an answer when the certificate names no responder."""
        assert not pki.leaf.certificate.ocsp_urls
        answer = pki.issuing.ocsp(pki.leaf.certificate, status="revoked")
        refused(pki.leaf, self.policy(pki, answer, crls=pki.crls), CertificateRevoked)


@pytest.mark.parametrize("field", ["crls", "ocsps"])
def test_evidence_that_cannot_be_read_decides_nothing(pki, field):
    """It might be the one that says revoked."""
    error = build_error(ResponderError.TRY_LATER)
    for garbage in (b"", b"0", b"\x30\x00", pki.issuing.crl()[:-1], pki.leaf.der, error):
        evidence = {"crls": pki.crls}
        evidence[field] = (*evidence.get(field, ()), garbage)
        refused(pki.leaf, pki.policy(**evidence), RevocationUnknown)


WORLD = Hierarchy()
LISTED = WORLD.issuing.crl([WORLD.leaf.certificate])


@given(st.integers(0, len(LISTED) - 1), st.integers(1, 255))
def test_no_change_of_a_byte_hides_a_revocation(position, difference):
    changed = bytearray(LISTED)
    changed[position] ^= difference
    with pytest.raises(InkanError):
        verify_path(WORLD.leaf.der, WORLD.policy(crls=(WORLD.root.crl(), bytes(changed))))


def test_the_reasons_of_the_validator_are_all_known():
    assert set(validation._REASONS.values()) == set(RevocationReason)
    assert key_usage("digital_signature").digital_signature
