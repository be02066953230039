"""What one piece of evidence says of one certificate, in this process and through a worker."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkan.crypto.crl import CRLOutOfScope, CRLStale, CRLUntrusted
from inkan.crypto.ocsp_response import OCSPResponseMismatch
from inkan.crypto.path import EvidenceKind, RevocationReason, RevocationUnknown
from inkan.crypto.revocation import read_revocation
from inkan.crypto.workers.pool import WorkerPool
from inkan.kernel.errors import InkanError
from support.pki import AT, DAY, Authority, Hierarchy

WORLD = Hierarchy()
CRL, OCSP = EvidenceKind


def read(kind, der, *, certificate=WORLD.leaf, issuer=WORLD.issuing, at=AT):
    return read_revocation(kind, der, certificate=certificate.der, issuer=issuer.der, at=at)


def test_a_good_certificate():
    for kind, der in (
        (CRL, WORLD.issuing.crl()),
        (OCSP, WORLD.issuing.ocsp(WORLD.leaf.certificate)),
    ):
        reading = read(kind, der)
        assert reading.revocation is None
        assert reading.this_update == AT - timedelta(hours=1)
        assert reading.next_update > AT


def test_a_revoked_certificate():
    for kind, der in (
        (CRL, WORLD.issuing.crl({WORLD.leaf.certificate: "keyCompromise"})),
        (
            OCSP,
            WORLD.issuing.ocsp(WORLD.leaf.certificate, status="revoked", reason="keyCompromise"),
        ),
    ):
        revocation = read(kind, der).revocation
        assert revocation.reason is RevocationReason.KEY_COMPROMISE
        assert revocation.revoked_at == AT - timedelta(hours=2)


def test_unknown_is_not_good():
    with pytest.raises(RevocationUnknown):
        read(OCSP, WORLD.issuing.ocsp(WORLD.leaf.certificate, status="unknown"))


def test_a_delta_list_would_have_the_last_word():
    url = "http://pki.localhost/delta.crl"
    named = WORLD.issuing.issue(freshest=url)
    base, pointing = WORLD.issuing.crl(), WORLD.issuing.crl(freshest=url)
    for der, certificate in ((base, named), (pointing, WORLD.leaf), (pointing, named)):
        with pytest.raises(RevocationUnknown, match="delta"):
            read(CRL, der, certificate=certificate)
    revoked = WORLD.issuing.crl({named.certificate: "superseded"}, freshest=url)
    assert read(CRL, revoked, certificate=named).revocation is not None


def test_what_is_about_something_else_is_refused():
    other = Authority.root()
    table = [
        (CRL, WORLD.root.crl(), {}, CRLUntrusted),
        (CRL, WORLD.issuing.crl(), {"certificate": other.issue()}, CRLOutOfScope),
        (CRL, WORLD.issuing.crl(), {"at": AT + 2 * DAY}, CRLStale),
        (OCSP, WORLD.issuing.ocsp(WORLD.issuing.issue().certificate), {}, OCSPResponseMismatch),
    ]
    for kind, der, bent, refusal in table:
        with pytest.raises(refusal):
            read(kind, der, **bent)


@given(st.sampled_from(EvidenceKind), st.binary(max_size=200))
def test_any_bytes_are_a_refusal(kind, der):
    with pytest.raises(InkanError):
        read(kind, der)


async def test_a_worker_reads_the_same_and_refuses_the_same():
    arguments = {"certificate": WORLD.leaf.der, "issuer": WORLD.issuing.der, "at": AT}
    good, bad = WORLD.issuing.crl(), WORLD.issuing.crl({WORLD.leaf.certificate: "superseded"})
    async with WorkerPool() as pool:
        for der in (good, bad):
            assert await pool.read_revocation(CRL, der, **arguments) == read(CRL, der)
        with pytest.raises(CRLStale) as caught:
            await pool.read_revocation(CRL, good, **arguments | {"at": AT + 2 * DAY})
    assert caught.value.facts["next_update"] == AT + DAY
