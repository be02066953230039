"""The verifier's own path check: each departure from the plan is refused by its own name."""

import pytest
from cryptography import x509

from inkan.client.chain import verify_chain, verify_links, verify_usage
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.path import (
    CertificateExpired,
    CertificatePolicyUnmet,
    CertificateUntrusted,
    CertificateWrongPurpose,
)
from support.keyring import ec_key
from support.pki import AT, DAY, OTHER_POLICY, POLICY, Authority, Hierarchy

USAGE = frozenset({"digitalSignature"})


@pytest.fixture(scope="module")
def hierarchy() -> Hierarchy:
    return Hierarchy()


def check(ders, anchors, *, at=AT, usage=USAGE, policies=(POLICY,)):
    return verify_chain(ders, anchors, at=at, key_usage=usage, policies=frozenset(policies))


def test_a_chain_to_a_root_holds(hierarchy):
    ders = [hierarchy.leaf.der, hierarchy.issuing.der]
    chain = check(ders, [Authority.root("Other").der, hierarchy.root.der])
    assert [certificate.der for certificate in chain] == [*ders, hierarchy.root.der]
    with_root = check([*ders, hierarchy.root.der], [hierarchy.root.der])
    assert [certificate.der for certificate in with_root] == [*ders, hierarchy.root.der]


def test_a_root_of_the_same_name_does_not_disturb(hierarchy):
    namesake = Authority.root("Test Root")
    assert check([hierarchy.leaf.der, hierarchy.issuing.der], [namesake.der, hierarchy.root.der])
    with pytest.raises(CertificateUntrusted):
        check([hierarchy.leaf.der, hierarchy.issuing.der], [namesake.der])


def test_order_gaps_and_strangers_are_refused(hierarchy):
    stranger = Hierarchy()
    for ders in (
        [],
        [hierarchy.leaf.der],
        [hierarchy.issuing.der, hierarchy.leaf.der],
        [hierarchy.leaf.der, stranger.issuing.der],
        [hierarchy.leaf.der, hierarchy.leaf.der, hierarchy.issuing.der],
        [hierarchy.leaf.der] + [hierarchy.issuing.der] * 8,
    ):
        with pytest.raises(CertificateUntrusted):
            check(ders, [hierarchy.root.der])


def test_an_anchor_is_not_its_own_holder(hierarchy):
    """A root presented as if it were the signer is an authority, and no authority signs receipts."""
    with pytest.raises(CertificateWrongPurpose):
        check([hierarchy.root.der], [hierarchy.root.der])


def test_a_holder_cannot_issue(hierarchy):
    holder = Authority(hierarchy.leaf.certificate, hierarchy.leaf.key)
    child = holder.issue("Child", key=ec_key(55))
    with pytest.raises(CertificateUntrusted):
        check([child.der, hierarchy.leaf.der, hierarchy.issuing.der], [hierarchy.root.der])


@pytest.mark.parametrize("where", ["root", "issuing"])
def test_path_length_is_kept(where):
    root = Authority.root(path_length=0 if where == "root" else None)
    upper = root.subordinate("Upper", path_length=0 if where == "issuing" else None)
    lower = upper.subordinate("Lower")
    leaf = lower.issue()
    with pytest.raises(CertificateUntrusted):
        check([leaf.der, lower.der, upper.der], [root.der])
    free = Authority.root()
    upper = free.subordinate("Upper", path_length=1)
    lower = upper.subordinate("Lower", path_length=0)
    assert check([lower.issue().der, lower.der, upper.der], [free.der])


@pytest.mark.parametrize(
    "extension",
    [
        x509.NameConstraints([x509.DNSName("example.org")], None),
        x509.PolicyConstraints(0, None),
        x509.InhibitAnyPolicy(0),
    ],
)
def test_constraints_that_are_not_understood_are_refused(extension):
    root = Authority.root()
    issuing = root.subordinate(extra=[(extension, True)])
    with pytest.raises(CertificateUntrusted):
        check([issuing.issue().der, issuing.der], [root.der])


def test_an_issuer_of_the_same_name_and_another_key_is_refused(hierarchy):
    other_key = hierarchy.root.subordinate(key=ec_key(77))
    assert other_key.certificate.subject == hierarchy.issuing.certificate.subject
    with pytest.raises(CertificateUntrusted):
        check([hierarchy.leaf.der, other_key.der], [hierarchy.root.der])


@pytest.mark.parametrize("who", ["root", "issuing", "leaf"])
def test_every_certificate_must_be_in_its_term(who):
    ended = {"not_after": AT - DAY}
    root = Authority.root(**ended if who == "root" else {})
    issuing = root.subordinate(**ended if who == "issuing" else {})
    leaf = issuing.issue(**ended if who == "leaf" else {})
    with pytest.raises(CertificateExpired):
        check([leaf.der, issuing.der], [root.der])


def test_policies_hold_for_the_whole_chain(hierarchy):
    ders = [hierarchy.leaf.der, hierarchy.issuing.der]
    assert check(ders, [hierarchy.root.der], policies=(POLICY, OTHER_POLICY))
    with pytest.raises(CertificatePolicyUnmet):
        check(ders, [hierarchy.root.der], policies=(OTHER_POLICY,))
    narrow = hierarchy.root.subordinate("Narrow", policies=[OTHER_POLICY])
    with pytest.raises(CertificatePolicyUnmet):
        check([narrow.issue().der, narrow.der], [hierarchy.root.der])


def test_usage_is_exact(hierarchy):
    both = hierarchy.issuing.issue(usage=["digital_signature", "content_commitment"])
    for certificate in (both.certificate, hierarchy.root.certificate):
        with pytest.raises(CertificateWrongPurpose):
            verify_usage(certificate, USAGE)


def test_links_ask_for_no_root(hierarchy):
    assert len(verify_links([hierarchy.leaf.der, hierarchy.issuing.der])) == 2
    with pytest.raises(CertificateUntrusted):
        verify_links([hierarchy.leaf.der, hierarchy.root.der])
    with pytest.raises(CertificateMalformed):
        verify_links([b"no certificate"])
