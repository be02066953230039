"""The matrix of shards and deltas over a bridge (A → Bridge → B → holder): each way in which others go wrong."""

import pytest

from inkan.crypto.path import CertificateRevoked, RevocationUnknown
from inkan.crypto.validation.settings import Evidence, Require
from inkan.crypto.validation.verdict import Reason
from support.paths import AT, P1, P2, Entity, mapping, point, uri, verdict

SHARD, OTHER = (uri(f"http://pki.localhost/crl/{number}.crl") for number in (7, 8))
DELTA = "http://pki.localhost/crl/delta.crl"


class Country:
    """Two domains and a bridge, with clean lists of every authority above the holder's."""

    def __init__(self) -> None:
        self.a, self.hub, self.b = Entity("A"), Entity("Bridge"), Entity("B")
        to_hub = self.a.ca(key=self.hub.key, name=self.hub.name)
        maps = [(mapping((P1, P2)), True)]
        to_b = self.hub.ca(key=self.b.key, name=self.b.name, extra=maps)
        self.known = [to_hub, to_b]
        self.clean = [self.a.crl(authority=True), self.hub.crl(authority=True)]

    def ask(self, holder, *crls, **bent):
        return verdict(
            holder,
            self.a,
            known=self.known,
            crls=[*self.clean, *crls],
            policies=frozenset({P1}),
            explicit_policy=True,
            **bent,
        )

    def holder(self, **bent):
        return self.b.holder(**{"policies": [P2], "points": [point(SHARD)]} | bent)


@pytest.fixture(scope="module")
def country():
    return Country()


@pytest.mark.req("TW-22", "JPKI-40")
def test_the_right_shard(country):
    holder, b = country.holder(), country.b
    clean = country.ask(holder, b.crl(full=[SHARD]))
    assert (clean.reason, len(clean.path), clean.policies) == (Reason.OK, 4, (P1,))
    assert country.ask(holder, b.crl(holder, full=[SHARD])).reason is Reason.REVOKED


@pytest.mark.parametrize("names_the_holder", [False, True])
def test_only_another_shard(country, names_the_holder):
    holder = country.holder()
    listed = [holder] if names_the_holder else []
    answer = country.ask(holder, country.b.crl(*listed, full=[OTHER]))
    assert answer.reason is Reason.REVOCATION_UNKNOWN


def test_a_revoking_delta_that_only_the_certificate_names(country):
    """Trap: certvalidator never looks at it and accepts."""
    holder = country.holder(freshest=DELTA)
    base = country.b.crl(full=[SHARD], number=5)
    delta = country.b.crl(holder, full=[SHARD], base=5, number=6)
    assert country.ask(holder, base, delta).reason is Reason.REVOKED


def test_a_revoking_delta_that_the_base_names(country):
    holder = country.holder()
    base = country.b.crl(full=[SHARD], number=5, freshest=DELTA)
    delta = country.b.crl(holder, full=[SHARD], base=5, number=6)
    assert country.ask(holder, base, delta).reason is Reason.REVOKED


def test_the_delta_that_the_base_names_is_missing(country):
    """Trap: openssl accepts."""
    base = country.b.crl(full=[SHARD], number=5, freshest=DELTA)
    assert country.ask(country.holder(), base).reason is Reason.REVOCATION_UNKNOWN


def test_a_revoked_holder_without_distribution_point(country):
    """Trap: certvalidator's "hard-fail" accepts, because the certificate names no source."""
    holder = country.holder(points=None)
    assert country.ask(holder, country.b.crl(holder)).reason is Reason.REVOKED


def test_a_shard_at_its_ordinary_size(country):
    """1,465 entries are 2 % of 75 million certificates in 1,024 shards."""
    holder = country.holder()
    others = range(2**64, 2**64 + 1465)
    assert country.ask(holder, country.b.crl(*others, full=[SHARD])).reason is Reason.OK
    crl = country.b.crl(*others, holder, full=[SHARD], number=2)
    answer = country.ask(holder, crl)
    assert answer.reason is Reason.REVOKED


def test_the_verdict_becomes_the_refusal_that_the_platform_knows(country):
    holder = country.holder()
    with pytest.raises(CertificateRevoked) as caught:
        country.ask(holder, country.b.crl(holder, full=[SHARD])).require_valid()
    assert caught.value.facts["revoked_at"] < AT
    with pytest.raises(RevocationUnknown):
        country.ask(holder, require=Require(evidence=Evidence.CRL)).require_valid()
    country.ask(holder, country.b.crl(full=[SHARD])).require_valid()
