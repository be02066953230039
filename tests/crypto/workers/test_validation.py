"""Paths, policies and revocation: what holds, what is refused, and each trap of the validator underneath."""

import time
from datetime import timedelta
from ipaddress import ip_address, ip_network

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto import oids
from inkan.crypto.certificates import CertificateMalformed
from inkan.crypto.path import (
    CertificateExpired,
    CertificateNotYetValid,
    CertificatePolicyUnmet,
    CertificateUntrusted,
    CertificateWrongPurpose,
    EvidenceKind,
    KeyUsage,
    PathTooLarge,
)
from inkan.crypto.workers.validation import verify_path
from inkan.kernel.errors import InkanError
from support.keyring import ec_key
from support.pki import (
    AT,
    OTHER_POLICY,
    POLICY,
    Authority,
    Hierarchy,
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


# --- paths ---------------------------------------------------------------------------------------------------------


def test_a_path_holds(pki):
    path = verify_path(pki.leaf.der, pki.policy())
    assert path.chain == tuple(row.certificate.sha256 for row in (pki.leaf, pki.issuing, pki.root))
    assert path.policies == {POLICY}
    assert path.at == AT
    assert {row.certificate_sha256 for row in path.evidence} == set(path.chain[:-1])
    assert {row.kind for row in path.evidence} == {EvidenceKind.CRL}


def test_another_root_of_the_same_name_is_no_anchor(pki):
    refused(pki.leaf, pki.policy(anchors=(Authority.root().der,)), CertificateUntrusted)


def test_one_of_several_anchors_suffices(pki):
    policy = pki.policy(anchors=(Authority.root().der, pki.root.der, Authority.root("Else").der))
    assert verify_path(pki.leaf.der, policy).chain[-1] == pki.root.certificate.sha256


def test_a_signature_of_another_key_breaks_the_path(pki):
    """Right names, right key identifiers, wrong key."""
    identifier = x509.SubjectKeyIdentifier.from_public_key(pki.issuing.key.public_key()).digest
    impostor = Authority(pki.issuing.certificate, ec_key(77))
    refused(impostor.issue(aki=identifier), pki.policy(), CertificateUntrusted)


def test_a_path_through_a_bridge_holds_with_mapped_policies():
    """Anchor A, cross-certified to B over the bridge; B's policy is mapped onto A's on the way (RFC 5280 §4.2.1.5)."""
    mapped = "2.25.1.9"
    root_a, root_b = Authority.root("A"), Authority.root("B")
    bridge = root_a.subordinate("Bridge", policies=[POLICY])
    mapping = asn1.PolicyMappings(
        [{"issuer_domain_policy": POLICY, "subject_domain_policy": mapped}]
    )
    mapping = x509.UnrecognizedExtension(ExtensionOID.POLICY_MAPPINGS, mapping.dump())
    cross = bridge.subordinate("B", key=root_b.key, policies=[POLICY], extra=[(mapping, True)])
    leaf = root_b.issue(policies=[mapped])
    pki = Hierarchy(root_a, bridge, leaf)
    policy = pki.policy(
        intermediates=(bridge.der, cross.der),
        crls=(root_a.crl(), bridge.crl(), root_b.crl()),
    )
    path = verify_path(leaf.der, policy)
    assert (len(path.chain), path.policies) == (4, {POLICY})


def test_a_path_of_five_holds_and_of_six_does_not():
    root = Authority.root()
    chain = [root]
    for number in range(4):
        chain.append(chain[-1].subordinate(f"CA {number}"))
    crls = tuple(row.crl() for row in chain)
    pki = Hierarchy(root, chain[1], chain[3].issue())
    above = tuple(row.der for row in chain[1:])
    assert len(verify_path(pki.leaf.der, pki.policy(intermediates=above, crls=crls)).chain) == 5
    refused(chain[4].issue(), pki.policy(intermediates=above, crls=crls), CertificateUntrusted)
    refused(pki.leaf, pki.policy(intermediates=above, crls=crls, max_path=4), CertificateUntrusted)


def test_a_path_length_constraint_holds(pki):
    narrow = pki.root.subordinate("Narrow", path_length=0)
    below = narrow.subordinate("Below")
    policy = pki.policy(
        intermediates=(narrow.der, below.der), crls=(pki.root.crl(), narrow.crl(), below.crl())
    )
    refused(below.issue(), policy, CertificateUntrusted)


def test_a_name_constraint_holds(pki):
    constraint = x509.NameConstraints(
        permitted_subtrees=[x509.DirectoryName(name("Holder"))], excluded_subtrees=None
    )
    narrow = pki.root.subordinate("Narrow", extra=[(constraint, True)])
    policy = pki.policy(intermediates=(narrow.der,), crls=(pki.root.crl(), narrow.crl()))
    assert verify_path(narrow.issue("Holder").der, policy)
    refused(narrow.issue("Somebody"), policy, CertificateUntrusted)


def constrained(pki, constraint, san):
    """A holder with this alternative name below an authority with this constraint, and the policy for both."""
    narrow = pki.root.subordinate("Narrow", extra=[(constraint, True)])
    policy = pki.policy(intermediates=(narrow.der,), crls=(pki.root.crl(), narrow.crl()))
    return narrow.issue(extra=[(x509.SubjectAlternativeName([san]), False)]), policy


def test_what_the_library_overlooks_the_product_does_not(pki):
    """Trap: to the validator a wildcard is no name of an excluded host; our own validation, the third, refuses."""
    constraint = x509.NameConstraints(None, [x509.DNSName("a.example.com")])
    leaf, policy = constrained(pki, constraint, x509.DNSName("b.example.com"))
    assert verify_path(leaf.der, policy)
    leaf, policy = constrained(pki, constraint, x509.DNSName("*.example.com"))
    assert "name_constraints_violated" in refused(leaf, policy, CertificateUntrusted).detail


def test_a_constraint_that_the_library_cannot_hold_names_against_is_refused(pki):
    """Trap: for constrained IP addresses the validator raises NotImplementedError."""
    constraint = x509.NameConstraints([x509.IPAddress(ip_network("192.0.2.0/24"))], None)
    leaf, policy = constrained(pki, constraint, x509.IPAddress(ip_address("192.0.2.1")))
    refused(leaf, policy, CertificateUntrusted)


def test_an_unknown_critical_extension_is_refused(pki):
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.25.7"), b"\x05\x00")
    with pytest.raises(CertificateMalformed):
        pki.issuing.issue(extra=[(odd, True)])


def test_a_shorter_path_by_another_root_is_found_when_the_first_fails(pki):
    """One key, certified by two roots; the first anchor's certificate of it is revoked."""
    other = Authority.root("Other")
    twin = other.subordinate(key=pki.issuing.key)
    policy = pki.policy(
        anchors=(pki.root.der, other.der),
        intermediates=(pki.issuing.der, twin.der),
        crls=(pki.root.crl([pki.issuing.certificate]), other.crl(), pki.issuing.crl()),
    )
    assert verify_path(pki.leaf.der, policy).chain[-1] == other.certificate.sha256


# --- terms ---------------------------------------------------------------------------------------------------------


def test_the_last_second_counts_and_the_next_does_not(pki):
    last = pki.issuing.issue(not_after=AT)
    assert verify_path(last.der, pki.policy())
    error = refused(last, pki.policy(at=AT + SECOND), CertificateExpired)
    assert error.public_facts == {"ended_at": AT}


def test_the_first_second_counts_and_the_one_before_does_not(pki):
    first = pki.issuing.issue(not_before=AT)
    assert verify_path(first.der, pki.policy())
    error = refused(first, pki.policy(at=AT - SECOND), CertificateNotYetValid)
    assert error.public_facts == {"begins_at": AT}


@pytest.mark.parametrize(
    ("bent", "refusal"),
    [
        ({"not_after": AT - SECOND}, CertificateExpired),
        ({"not_before": AT + SECOND}, CertificateNotYetValid),
    ],
)
def test_every_certificate_of_the_path_is_in_force(bent, refusal):
    for pki in (
        Hierarchy(Authority.root(**bent)),
        Hierarchy((root := Authority.root()), root.subordinate(**bent)),
    ):
        refused(pki.leaf, pki.policy(), refusal)


# --- purposes and policies -----------------------------------------------------------------------------------------


@pytest.mark.req("TW-23")
def test_every_demanded_key_usage_is_there(pki):
    both = frozenset({KeyUsage.DIGITAL_SIGNATURE, KeyUsage.CONTENT_COMMITMENT})
    refused(pki.leaf, pki.policy(key_usage=both), CertificateWrongPurpose)
    leaf = pki.issuing.issue(usage=["digital_signature", "content_commitment"])
    assert verify_path(leaf.der, pki.policy(key_usage=both))


def test_every_demanded_extended_key_usage_is_there(pki):
    client = ExtendedKeyUsageOID.CLIENT_AUTH
    demanded = frozenset({client.dotted_string})
    refused(pki.leaf, pki.policy(extended_key_usage=demanded), CertificateWrongPurpose)
    leaf = pki.issuing.issue(eku=[client])
    assert verify_path(leaf.der, pki.policy(extended_key_usage=demanded))


def test_an_authority_is_no_signer(pki):
    usage = ["digital_signature", "key_cert_sign", "crl_sign"]
    authority = pki.root.subordinate("Both", usage=usage)
    refused(authority, pki.policy(), CertificateWrongPurpose)


def test_an_anchor_is_no_signer(pki):
    """Trap: the validator takes an anchor for valid before it looks at purpose, term or revocation."""
    pinned = pki.leaf
    policy = pki.policy(anchors=(pki.root.der, pinned.der))
    refused(pinned, policy, CertificateWrongPurpose)


def test_one_of_the_demanded_policies_holds(pki):
    refused(pki.leaf, pki.policy(policies=frozenset({OTHER_POLICY})), CertificatePolicyUnmet)
    refused(pki.issuing.issue(policies=[]), pki.policy(), CertificatePolicyUnmet)
    either = frozenset({POLICY, OTHER_POLICY})
    assert verify_path(pki.leaf.der, pki.policy(policies=either)).policies == {POLICY}


def test_a_policy_that_the_issuer_may_not_grant_does_not_hold(pki):
    leaf = pki.issuing.issue(policies=[OTHER_POLICY])
    refused(leaf, pki.policy(policies=frozenset({OTHER_POLICY})), CertificatePolicyUnmet)


def test_any_policy_may_stand_in_an_authority_but_not_in_the_certificate(pki):
    wide = pki.root.subordinate("Wide", policies=[oids.ANY_POLICY])
    policy = pki.policy(intermediates=(wide.der,), crls=(pki.root.crl(), wide.crl()))
    assert verify_path(wide.issue().der, policy).policies == {POLICY}
    refused(wide.issue(policies=[oids.ANY_POLICY]), policy, CertificatePolicyUnmet)


def test_no_demanded_policy_is_the_callers_word(pki):
    leaf = pki.issuing.issue(policies=[])
    assert verify_path(leaf.der, pki.policy(policies=frozenset())).policies == frozenset()


# --- bounds ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bent",
    [
        lambda pki: {"anchors": ()},
        lambda pki: {"anchors": (pki.root.der,) * 33},
        lambda pki: {"intermediates": (pki.issuing.der,) * 25},
        lambda pki: {"crls": pki.crls * 9},
        lambda pki: {"ocsps": (b"",) * 17},
        lambda pki: {"crls": (bytes(4 * 1024 * 1024 + 1),)},
        lambda pki: {"ocsps": (bytes(16 * 1024 + 1),)},
        lambda pki: {"max_path": 6},
    ],
)
def test_more_than_a_path_needs_is_refused(pki, bent):
    refused(pki.leaf, pki.policy(**bent(pki)), PathTooLarge)


def hostile_same_names(pki):
    """Many authorities of one name and key identifier that all certify each other."""
    loop = [
        Authority.root("Loop").subordinate("Loop", key=ec_key(500 + number), ski=b"s", aki=b"s")
        for number in range(24)
    ]
    return loop[0].issue(aki=b"s"), pki.policy(intermediates=tuple(row.der for row in loop))


def hostile_right_names(pki):
    """The same under the root's own name: every chain reaches the anchor, none of them is signed by it."""
    text = "Test Root"
    loop = [
        Authority.root("Loop").subordinate(text, key=ec_key(500 + number), ski=b"s", aki=b"s")
        for number in range(24)
    ]
    anchor = Authority.root(text, ski=b"s")
    policy = pki.policy(anchors=(anchor.der,), intermediates=tuple(row.der for row in loop))
    leaf = Authority.root(text, ski=b"s").issue(aki=b"s")
    return leaf, policy


@pytest.mark.parametrize("hostile", [hostile_same_names, hostile_right_names])
def test_hostile_chains_cost_less_than_a_second(pki, hostile):
    leaf, policy = hostile(pki)
    before = time.process_time()
    error = refused(leaf, policy, CertificateUntrusted)
    assert time.process_time() - before < 1.0
    if hostile is hostile_same_names:
        assert "more possible paths" in error.detail


@given(st.binary(max_size=400))
def test_only_refusals_come_out_of_random_certificates(raw):
    with pytest.raises(InkanError):
        verify_path(raw, WORLD.policy())


WORLD = Hierarchy()
