"""The SDK's verifier of paths: its demands, its memory, its refusals."""

import pytest

from inkan.client import PathVerifier
from inkan.crypto.path import CertificatePolicyUnmet, CertificateRevoked, RevocationUnknown
from inkan.crypto.validation.settings import Evidence, Require
from inkan.crypto.validation.verdict import Reason
from support.paths import AT, P1, P2, Entity


@pytest.fixture(scope="module")
def hierarchy():
    root = Entity("Root")
    ca = root.ca("CA")
    return root, ca, ca.holder()


def test_it_demands_policy_usage_and_evidence(hierarchy) -> None:
    root, ca, holder = hierarchy
    verifier = PathVerifier(
        [root.der], policies={P1}, key_usage={"digitalSignature"}, known=[ca.der]
    )
    crls = [root.crl(), ca.crl()]
    verifier.verify(holder.der, at=AT, crls=crls).require_valid()
    with pytest.raises(RevocationUnknown):
        verifier.verify(holder.der, at=AT).require_valid()
    with pytest.raises(CertificateRevoked):
        verifier.verify(holder.der, at=AT, crls=[root.crl(), ca.crl(holder)]).require_valid()
    other = PathVerifier([root.der], policies={P2}, known=[ca.der])
    with pytest.raises(CertificatePolicyUnmet):
        other.verify(holder.der, at=AT, crls=crls).require_valid()
    signing = PathVerifier([root.der], key_usage={"contentCommitment"}, known=[ca.der])
    assert signing.verify(holder.der, at=AT, crls=crls).reason is Reason.PURPOSE


def test_authorities_may_come_along(hierarchy) -> None:
    root, ca, holder = hierarchy
    verifier = PathVerifier([root.der], require=Require(evidence=Evidence.NONE))
    assert verifier.verify(holder.der, at=AT).reason is Reason.NO_PATH
    assert verifier.verify(holder.der, at=AT, supplied=[ca.der]).reason is Reason.OK
    many = verifier.verify(holder.der, at=AT, supplied=[ca.der] * 9)
    assert many.reason is Reason.TOO_MANY


def test_the_second_time_verifies_no_signature(hierarchy) -> None:
    root, ca, holder = hierarchy
    verifier = PathVerifier([root.der], known=[ca.der])
    crls = [root.crl(), ca.crl()]
    assert verifier.verify(holder.der, at=AT, crls=crls).signatures == 4
    assert verifier.verify(holder.der, at=AT, crls=crls).signatures == 0
    assert verifier.verify(ca.holder().der, at=AT, crls=crls).signatures == 1


def test_it_demands_the_strict_profile(hierarchy) -> None:
    root, ca, _ = hierarchy
    verifier = PathVerifier([root.der], known=[ca.der], require=Require(evidence=Evidence.NONE))
    assert verifier.verify(ca.holder(aki=False).der, at=AT).reason is Reason.PROFILE
