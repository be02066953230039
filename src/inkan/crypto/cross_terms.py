"""What one authority concedes to another when it certifies its key: policies, names, depth (RFC 5280 §4.2.1).

The library has no extension class for policy mappings; this one is encoded here.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import msgspec
from asn1crypto import x509 as asn1
from cryptography import x509

from inkan.kernel.errors import Malformed

_POLICY_MAPPINGS: Final = x509.ObjectIdentifier("2.5.29.33")
_MOST_MAPPINGS: Final = 16


class CrossTermsWrong(Malformed):
    """Terms that no cross-certificate can state."""

    code = "cross_terms_wrong"
    title = "The terms of the cross-certificate are not usable"
    public = ("where", "expected")


class CrossTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of a cross-certificate.

    Attributes:
        policies: OIDs of the issuer's domain that the certificate speaks for; none in a link certificate, which
            is self-issued and says anyPolicy.
        mappings: pairs of OIDs, the issuer's and the subject's that counts as it (RFC 5280 §4.2.1.5).
        permitted: directory names (RFC 4514) under which the subject's domain may issue; none: every name.
        path_length: how many authorities may follow.
    """

    policies: tuple[str, ...]
    mappings: tuple[tuple[str, str], ...] = ()
    permitted: tuple[str, ...] = ()
    path_length: int


def verify_terms(terms: CrossTerms) -> CrossTerms:
    """Return the terms if a certificate can state them.

    Raises:
        CrossTermsWrong: a mapping of a policy that the certificate does not hold, or of anyPolicy (RFC 5280
            §4.2.1.5), an OID or name that is none, or more than 16 mappings.
    """
    any_policy = asn1.PolicyIdentifier("any_policy").dotted
    if len(terms.mappings) > _MOST_MAPPINGS:
        raise CrossTermsWrong(where="mappings", expected=f"at most {_MOST_MAPPINGS}")
    for here, there in terms.mappings:
        if any_policy in {here, there} or here not in terms.policies:
            raise CrossTermsWrong(where="mappings", expected="a policy that the certificate holds")
    try:
        list(extensions(terms))
    except ValueError as error:
        raise CrossTermsWrong(where="", expected=str(error)) from None
    return terms


def extensions(terms: CrossTerms) -> Iterator[tuple[x509.ExtensionType, bool]]:
    """The extensions of the terms, each with its criticality: what narrows is critical.

    An explicit policy is demanded from the certificate on wherever policies are mapped: a mapping that nobody has
    to look at protects nobody.

    Raises:
        ValueError: an OID or a name that is none.
    """
    yield x509.BasicConstraints(ca=True, path_length=terms.path_length), True
    if terms.policies:
        yield _policies(terms.policies), False
    if terms.mappings:
        yield _mappings(terms.mappings), True
        constraints = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
        yield constraints, True
    if terms.permitted:
        subtrees = [x509.DirectoryName(x509.Name.from_rfc4514_string(n)) for n in terms.permitted]
        yield x509.NameConstraints(subtrees, None), True


def _policies(oids: Sequence[str]) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]
    )


def _mappings(pairs: Sequence[tuple[str, str]]) -> x509.UnrecognizedExtension:
    rows = [{"issuer_domain_policy": here, "subject_domain_policy": there} for here, there in pairs]
    return x509.UnrecognizedExtension(_POLICY_MAPPINGS, asn1.PolicyMappings(rows).dump())
