"""Writing revocation lists octet by octet (RFC 5280 §5).

The library's public builder is quadratic in the number of entries (40,000 take 3 s) and keeps an object for each;
here an entry is written once, when the certificate is revoked, rests in its row as octets, and a list is the join
of its entries between a head and a tail (decision 0009). A list of a million entries never exists as objects.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec
from cryptography import x509

from inkan.crypto import der_writer as der
from inkan.crypto.certificates import Certificate
from inkan.crypto.keys import PrivateKey
from inkan.crypto.path import RevocationReason

# RFC 5280 §5.3.1; a code that is not written stands for "unspecified".
REASON_CODES: Final[dict[RevocationReason, int | None]] = {
    RevocationReason.UNSPECIFIED: None,
    RevocationReason.KEY_COMPROMISE: 1,
    RevocationReason.CA_COMPROMISE: 2,
    RevocationReason.AFFILIATION_CHANGED: 3,
    RevocationReason.SUPERSEDED: 4,
    RevocationReason.CESSATION_OF_OPERATION: 5,
    RevocationReason.CERTIFICATE_HOLD: 6,
    RevocationReason.PRIVILEGE_WITHDRAWN: 9,
    RevocationReason.AA_COMPROMISE: 10,
}
# Not a reason of a revocation: a delta list says so of a certificate that came off its hold.
REMOVE_FROM_CRL: Final = 8

_VERSION_2: Final = bytes.fromhex("020101")
_EXTENSIONS_TAG: Final = 0xA0
_CRL_REASON: Final = bytes.fromhex("0603551d15")
_INVALIDITY_DATE: Final = bytes.fromhex("0603551d18")
_CRL_NUMBER: Final = bytes.fromhex("0603551d14")
_DELTA_CRL_INDICATOR: Final = bytes.fromhex("0603551d1b")
_ISSUING_DISTRIBUTION_POINT: Final = bytes.fromhex("0603551d1c")
_AUTHORITY_KEY_IDENTIFIER: Final = bytes.fromhex("0603551d23")
_FRESHEST_CRL: Final = bytes.fromhex("0603551d2e")


class CRLScope(StrEnum):
    """Which certificates of its issuer a list covers (RFC 5280 §5.2.5)."""

    ALL = "all"
    END_ENTITIES = "end_entities"
    AUTHORITIES = "authorities"


class CRLFrame(msgspec.Struct, frozen=True, kw_only=True):
    """What a list says beside its entries.

    Attributes:
        number: cRLNumber.
        this_update: aware, to the second.
        next_update: aware, to the second.
        distribution_point: URL, byte for byte the one in the certificates of this shard; None for a full list.
        scope: see :class:`CRLScope`.
        base_number: cRLNumber of the list that this delta is about; None for a complete list.
        freshest: URL of the delta of a complete list.
    """

    number: int
    this_update: datetime
    next_update: datetime
    distribution_point: str | None = None
    scope: CRLScope = CRLScope.ALL
    base_number: int | None = None
    freshest: str | None = None


def encode_entry(
    serial: int,
    *,
    at: datetime,
    reason: RevocationReason,
    invalid_since: datetime | None = None,
) -> bytes:
    """One element of revokedCertificates: 36 octets for a serial of 16, 14 more with a reason.

    ``invalid_since`` is the invalidity date (RFC 5280 §5.3.2): since when the key is believed not to have been
    its holder's alone.
    """
    return _entry(serial, at, REASON_CODES[reason], invalid_since)


def encode_removal(serial: int, *, at: datetime) -> bytes:
    """The element of a delta that takes a certificate off its hold (RFC 5280 §5.3.1, removeFromCRL)."""
    return _entry(serial, at, REMOVE_FROM_CRL, None)


def encode_crl(
    frame: CRLFrame, entries: Sequence[bytes], *, issuer: Certificate, key: PrivateKey
) -> bytes:
    """Return the DER CRL of entries that are written already; signed by ``key`` of ``issuer``.

    ``entries`` are octets to be joined, however they are cut. A list without entries leaves revokedCertificates out
    (RFC 5280 §5.1.2.6). The distribution point and the indicator of a delta are critical, so that a verifier who does
    not understand them cannot take a part for the whole (RFC 5280 §5.2.4, §5.2.5).
    """
    return b"".join(encode_parts(frame, entries, issuer=issuer, key=key))


def encode_parts(
    frame: CRLFrame, entries: Sequence[bytes], *, issuer: Certificate, key: PrivateKey
) -> tuple[bytes, ...]:
    """Return the octets of :func:`encode_crl` in parts, for lists that should not be copied once more."""
    signer = der.Signer(key)
    size = sum(map(len, entries))
    before = b"".join(
        (
            _VERSION_2,
            signer.algorithm,
            issuer.x509.subject.public_bytes(),
            der.time(frame.this_update),
            der.time(frame.next_update),
            der.header(der.SEQUENCE, size) if size else b"",
        )
    )
    rows = b"".join(_extensions(frame, issuer))
    after = der.value(_EXTENSIONS_TAG, der.value(der.SEQUENCE, rows))
    head = der.header(der.SEQUENCE, len(before) + size + len(after))
    tbs = b"".join((head, before, *entries, after))
    tail = signer.sign(tbs)
    return der.header(der.SEQUENCE, len(tbs) + len(tail)), tbs, tail


def _extensions(frame: CRLFrame, issuer: Certificate) -> list[bytes]:
    identifier = x509.AuthorityKeyIdentifier(issuer.subject_key_id, None, None).public_bytes()
    rows = [
        der.extension(_AUTHORITY_KEY_IDENTIFIER, identifier),
        der.extension(_CRL_NUMBER, der.integer(frame.number)),
    ]
    if frame.base_number is not None:
        base = der.integer(frame.base_number)
        rows.append(der.extension(_DELTA_CRL_INDICATOR, base, critical=True))
    if frame.distribution_point is not None or frame.scope is not CRLScope.ALL:
        point = _point(frame).public_bytes()
        rows.append(der.extension(_ISSUING_DISTRIBUTION_POINT, point, critical=True))
    if frame.freshest is not None:
        rows.append(der.extension(_FRESHEST_CRL, _freshest(frame.freshest).public_bytes()))
    return rows


def _point(frame: CRLFrame) -> x509.IssuingDistributionPoint:
    url = frame.distribution_point
    return x509.IssuingDistributionPoint(
        full_name=None if url is None else [x509.UniformResourceIdentifier(url)],
        relative_name=None,
        only_contains_user_certs=frame.scope is CRLScope.END_ENTITIES,
        only_contains_ca_certs=frame.scope is CRLScope.AUTHORITIES,
        only_some_reasons=None,
        indirect_crl=False,
        only_contains_attribute_certs=False,
    )


def _freshest(url: str) -> x509.FreshestCRL:
    names = [x509.UniformResourceIdentifier(url)]
    return x509.FreshestCRL([x509.DistributionPoint(names, None, None, None)])


def _entry(serial: int, at: datetime, code: int | None, invalid_since: datetime | None) -> bytes:
    tail = _tail(code, invalid_since)
    return der.value(der.SEQUENCE, der.integer(serial), der.time(at), tail)


@lru_cache(maxsize=256)
def _tail(code: int | None, invalid_since: datetime | None) -> bytes:
    """The entry's extensions, or nothing."""
    rows = b""
    if code is not None:
        rows += der.extension(_CRL_REASON, der.value(der.ENUMERATED, bytes((code,))))
    if invalid_since is not None:
        rows += der.extension(_INVALIDITY_DATE, der.generalized_time(invalid_since))
    return der.value(der.SEQUENCE, rows) if rows else b""
