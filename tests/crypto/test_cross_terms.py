"""Cross-certificates: what narrows is critical, and what cannot be stated is refused."""

import pytest
from asn1crypto import x509 as asn1
from cryptography import x509

from inkan.crypto import oids
from inkan.crypto.cross_terms import CrossTerms, CrossTermsWrong, extensions, verify_terms

HERE, THERE = oids.POLICY_CARD_SIGN, oids.POLICY_BRIDGE


def terms(**changes: object) -> CrossTerms:
    known: dict[str, object] = {
        "policies": (HERE,),
        "mappings": ((HERE, THERE),),
        "permitted": ("C=TW",),
        "path_length": 2,
    }
    return CrossTerms(**(known | changes))  # type: ignore[arg-type]


def test_every_term_is_an_extension_and_what_narrows_is_critical() -> None:
    found = {type(each): (each, critical) for each, critical in extensions(terms())}
    assert {kind.__name__: critical for kind, (_, critical) in found.items()} == {
        "BasicConstraints": True,
        "CertificatePolicies": False,
        "UnrecognizedExtension": True,
        "PolicyConstraints": True,
        "NameConstraints": True,
    }
    mapping = found[x509.UnrecognizedExtension][0]
    assert isinstance(mapping, x509.UnrecognizedExtension)
    assert mapping.oid.dotted_string == "2.5.29.33"
    (row,) = asn1.PolicyMappings.load(mapping.value).native
    assert (row["issuer_domain_policy"], row["subject_domain_policy"]) == (HERE, THERE)


def test_a_link_certificate_says_nothing_but_its_depth() -> None:
    plain = CrossTerms(policies=(), path_length=1)
    assert [type(each) for each, _ in extensions(verify_terms(plain))] == [x509.BasicConstraints]


@pytest.mark.parametrize(
    "changes",
    [
        {"mappings": ((THERE, HERE),)},
        {"mappings": ((HERE, oids.ANY_POLICY),)},
        {"policies": (oids.ANY_POLICY,), "mappings": ((oids.ANY_POLICY, THERE),)},
        {"permitted": ("not a name",)},
        {"policies": ("1.2.banana",), "mappings": ()},
        {"mappings": tuple((HERE, f"1.2.{n}") for n in range(17))},
    ],
)
def test_what_no_certificate_can_state_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(CrossTermsWrong):
        verify_terms(terms(**changes))
