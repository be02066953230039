"""Words of these pages that follow from a table: what a certificate is, what state it is in, and why.

The texts are English msgids; ``pki/locale`` has them in the other languages.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from inkan.crypto.certificate_view import Sex
from inkan.crypto.path import RevocationReason
from inkan.pki.service.forest import Place
from inkan.pki.service.showing import PublicState

PLACES: Final[Mapping[Place, str]] = {
    Place.ROOT: "Root",
    Place.AUTHORITY: "Authority",
    Place.CROSS: "Cross-certificate",
    Place.SIGNER: "Signer",
}
# By value, not by member: a hierarchy may hold roles that are made later; an unknown one is shown as it is.
ROLES: Final[Mapping[str, str]] = {
    "root": "Trust anchor",
    "bridge": "Bridge to other hierarchies",
    "issuing": "Issues certificates",
    "cross": "Certifies another authority",
    "link": "Links an old key and a new one",
    "ocsp": "Signs OCSP answers",
    "receipt": "Signs receipts",
    "audit-head": "Signs heads of the audit log",
    "tsa": "Signs time-stamps",
}
SEXES: Final[Mapping[Sex, str]] = {
    Sex.MALE: "Male",
    Sex.FEMALE: "Female",
    Sex.UNSTATED: "Not stated",
}


class StateWords(NamedTuple):
    """How a state is told: kind of notice, its title, and one sentence."""

    notice: str
    title: str
    text: str


STATES: Final[Mapping[PublicState, StateWords]] = {
    PublicState.VALID: StateWords(
        "done",
        "This certificate is valid",
        "It was issued here, its term has not ended, and it was not revoked.",
    ),
    PublicState.SUSPENDED: StateWords(
        "caution",
        "This certificate is suspended",
        "Do not rely on it until its holder has confirmed it again.",
    ),
    PublicState.REVOKED: StateWords(
        "problem",
        "This certificate was revoked",
        "It ended for good before its term. Do not rely on what was signed with it afterwards.",
    ),
    PublicState.EXPIRED: StateWords(
        "caution",
        "This certificate has expired",
        "Its term is over. What was signed within the term may still be good.",
    ),
    PublicState.UNKNOWN: StateWords(
        "problem",
        "No such certificate is known",
        "The authority has issued no certificate with this serial number. Check the authority and the number.",
    ),
}
# RFC 5280 §5.3.1, in words.
REASONS: Final[Mapping[RevocationReason, str]] = {
    RevocationReason.UNSPECIFIED: "No reason is given",
    RevocationReason.KEY_COMPROMISE: "Its key may be in other hands",
    RevocationReason.CA_COMPROMISE: "The key of the authority may be in other hands",
    RevocationReason.AFFILIATION_CHANGED: "A fact in the certificate has changed",
    RevocationReason.SUPERSEDED: "It was replaced by another one",
    RevocationReason.CESSATION_OF_OPERATION: "It is no longer needed",
    RevocationReason.CERTIFICATE_HOLD: "It is on hold",
    RevocationReason.PRIVILEGE_WITHDRAWN: "The right to it was withdrawn",
    RevocationReason.AA_COMPROMISE: "The key of the attribute authority may be in other hands",
}
