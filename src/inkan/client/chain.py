"""The offline verifier's own path check: an ordered chain up to a given root, and nothing looked up.

A receipt or evidence brings its chain in order, so no path is searched for. The check is smaller than RFC 5280 §6
and says so: an authority that restricts names or maps policies is refused rather than half understood (the
platform's own validation, in its worker processes, knows them).
"""

import binascii
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Final, TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.oid import ExtensionOID

from inkan.crypto import oids
from inkan.crypto.certificates import Certificate, CertificateMalformed, parse_certificate
from inkan.crypto.path import (
    MAX_CERTIFICATES,
    CertificateExpired,
    CertificateNotYetValid,
    CertificatePolicyUnmet,
    CertificateUntrusted,
    CertificateWrongPurpose,
)

Anchors: TypeAlias = Sequence[bytes]
"""Trusted root certificates, DER."""

_NOT_UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.NAME_CONSTRAINTS.dotted_string,
        ExtensionOID.POLICY_MAPPINGS.dotted_string,
        ExtensionOID.POLICY_CONSTRAINTS.dotted_string,
        ExtensionOID.INHIBIT_ANY_POLICY.dotted_string,
    }
)


def parse_x5c(texts: Sequence[str]) -> list[bytes]:
    """Return the DER of the certificates in an ``x5c`` header: standard base64, not base64url (RFC 7515 §4.1.6).

    Raises:
        CertificateMalformed: another text, or a second spelling of the same bytes.
    """
    return [_der(text) for text in texts]


def verify_links(ders: Sequence[bytes]) -> tuple[Certificate, ...]:
    """Return certificates of which each is issued by the next; who issued the last one is not asked.

    Raises:
        CertificateUntrusted: none, more than eight, or one that the next one did not issue.
        CertificateMalformed, CertificateTooLarge: one does not pass the structural gate.
    """
    if not 1 <= len(ders) <= MAX_CERTIFICATES:
        raise CertificateUntrusted("no certificate, or more than a chain has")
    chain = tuple(parse_certificate(der) for der in ders)
    for depth, (certificate, issuer) in enumerate(pairwise(chain)):
        _verify_issued(certificate, issuer, depth)
    return chain


def verify_chain(
    ders: Sequence[bytes],
    anchors: Anchors,
    *,
    at: datetime,
    key_usage: frozenset[str],
    policies: frozenset[str],
) -> tuple[Certificate, ...]:
    """Return the chain from the first certificate to its anchor, if it holds at ``at``.

    Plan:
        1. One to eight certificates; each passes the structural gate (``crypto.certificates``: strict DER, key
           and algorithm strong, critical extensions known, CA and keyCertSign agree).
        2. Each is issued by the next: name, key identifier, signature; its issuer is an authority whose path
           length admits it and that restricts neither names nor policies.
        3. The last one is an anchor, or issued by one.
        4. Every one, the anchor too, is in its term at ``at``.
        5. The first is no authority and its key usage is exactly what was asked for (TW-23).
        6. It asserts one of the policies, and so does every authority below the anchor (or any policy).

    Args:
        ders: the certificate in question first, then its issuers.
        anchors: trusted roots.
        at: aware.
        key_usage: names of RFC 5280 §4.2.1.3.
        policies: dotted OIDs, any of which will do.

    Raises:
        CertificateMalformed, CertificateTooLarge: step 1.
        CertificateUntrusted: steps 2 and 3.
        CertificateExpired, CertificateNotYetValid: step 4.
        CertificateWrongPurpose: step 5.
        CertificatePolicyUnmet: step 6.
    """
    links = verify_links(ders)  # 1, 2
    chain = verify_root(links, anchors)  # 3
    for certificate in chain:  # 4
        verify_in_term(certificate, at)
    verify_usage(chain[0], key_usage)  # 5
    for certificate in chain[:-1]:  # 6
        _verify_policy(certificate, policies)
    return chain


def verify_in_term(certificate: Certificate, at: datetime) -> None:
    """Check that ``at`` lies within the term, both ends included.

    Raises:
        CertificateNotYetValid: before it.
        CertificateExpired: after it.
    """
    if at < certificate.not_before:
        raise CertificateNotYetValid(begins_at=certificate.not_before)
    if at > certificate.not_after:
        raise CertificateExpired(ended_at=certificate.not_after)


def verify_usage(certificate: Certificate, key_usage: frozenset[str]) -> None:
    """Check that the certificate is no authority's and serves this purpose and no other.

    Raises:
        CertificateWrongPurpose: see above.
    """
    if certificate.is_ca or certificate.key_usage != key_usage:
        raise CertificateWrongPurpose(f"key usage {sorted(certificate.key_usage)}")


def verify_root(links: tuple[Certificate, ...], anchors: Anchors) -> tuple[Certificate, ...]:
    """Return the links of :func:`verify_links` up to the anchor, which is the last one or issued it.

    Raises:
        CertificateUntrusted: there is no such anchor.
        CertificateMalformed, CertificateTooLarge: an anchor does not pass the structural gate.
    """
    top = links[-1]
    if len(links) > 1 and top.der in anchors:
        return links
    for der in anchors:
        anchor = parse_certificate(der)
        if anchor.subject == top.issuer:
            try:
                _verify_issued(top, anchor, len(links) - 1)
            except CertificateUntrusted:
                continue  # another anchor may bear the same name
            return (*links, anchor)
    raise CertificateUntrusted("the chain does not lead to a trusted root")


def _verify_issued(certificate: Certificate, issuer: Certificate, authorities_below: int) -> None:
    """Check one link; ``authorities_below`` counts the authorities between the first certificate and ``issuer``."""
    constraints = issuer.extensions.get(ExtensionOID.BASIC_CONSTRAINTS.dotted_string)
    if constraints is None or not isinstance(constraints.value, x509.BasicConstraints):
        raise CertificateUntrusted("issued by a certificate that is no authority's")
    limit = constraints.value.path_length
    if not issuer.is_ca or (limit is not None and authorities_below > limit):
        raise CertificateUntrusted("issued by no authority, or by one that may not issue so deep")
    if not _NOT_UNDERSTOOD.isdisjoint(issuer.extensions):
        raise CertificateUntrusted("an authority with constraints that are not understood here")
    if certificate.authority_key_id not in {None, issuer.subject_key_id}:
        raise CertificateUntrusted("issued by another key of the same name")
    try:
        certificate.x509.verify_directly_issued_by(issuer.x509)
    except (InvalidSignature, ValueError, TypeError):
        raise CertificateUntrusted("not issued by the next certificate") from None


def _verify_policy(certificate: Certificate, policies: frozenset[str]) -> None:
    admitted = policies | {oids.ANY_POLICY} if certificate.is_ca else policies
    if certificate.policies.isdisjoint(admitted):
        raise CertificatePolicyUnmet(f"policies {sorted(certificate.policies)}")


def _der(text: str) -> bytes:
    try:
        der = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError:
        raise CertificateMalformed("x5c holds something else than base64") from None
    if binascii.b2a_base64(der, newline=False).decode() != text:
        raise CertificateMalformed("x5c holds a second spelling of base64")
    return der
