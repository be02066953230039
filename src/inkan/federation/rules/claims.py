"""Claims and scopes: which attribute stands behind each, how its value is written, and how it was verified."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from inkan.wire.claims import Claim

OPENID: Final = "openid"
OFFLINE: Final = "offline_access"
ANSWER_CLAIM: Final = "inkan_answer"
"""The claim that tells door, binding, back end and age of the phone's binding: no attribute of the person."""

PARAMETER_LIMIT: Final = 16 * 1024
"""Bytes of the parameters ``claims`` and ``authorization_details``."""
WISHES_LIMIT: Final = 64
"""Members of one place of the ``claims`` parameter, and elements of its ``verified_claims``."""
PURPOSE_LENGTHS: Final = range(3, 300 + 1)
"""OIDC4IDA, request schema: characters of a ``purpose``."""


def _as_it_is(value: Any) -> Any:
    return value


class ClaimRow(NamedTuple):
    """One claim about the person.

    Attributes:
        attribute: what it is read of.
        scopes: each asks for it.
        shape: the value as the claim has it.
        source: the clause of its name and form.
    """

    attribute: Claim
    scopes: frozenset[str]
    shape: Callable[[Any], Any]
    source: str


def _own(attribute: Claim, source: str) -> tuple[str, ClaimRow]:
    return str(attribute), ClaimRow(attribute, frozenset({str(attribute)}), _as_it_is, source)


CLAIM_ROWS: Final[Mapping[str, ClaimRow]] = MappingProxyType(
    {
        "name": ClaimRow(
            Claim.NAME, frozenset({"profile"}), _as_it_is, "OIDC Core §5.1, §5.4; WAT-49"
        ),
        "birthdate": ClaimRow(
            Claim.BIRTH_DATE, frozenset({"profile"}), _as_it_is, "OIDC Core §5.1, §5.4; WAT-49"
        ),
        "address": ClaimRow(
            Claim.ADDRESS,
            frozenset({"address"}),
            lambda value: {"formatted": value},
            "OIDC Core §5.1.1, §5.4; WAT-59",
        ),
        **dict(
            [
                _own(Claim.AGE_OVER_18, "ISO/IEC 18013-5 §7.2.5; TW-68"),
                _own(Claim.AGE_OVER_20, "ISO/IEC 18013-5 §7.2.5; TW-68"),
                _own(Claim.RESIDENCE, "TW-08"),
                _own(Claim.OCCUPATION, "TW-68"),
                _own(Claim.HEALTH_PROFESSION, "TW-68"),
                _own(Claim.MEMBERSHIP_CARD, "WAT-40"),
                _own(Claim.CREDIT_CARD, "WAT-41"),
                _own(Claim.CASH_CARD, "WAT-42"),
            ]
        ),
    }
)

CLAIMS_OF_SCOPE: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        scope: tuple(name for name, row in CLAIM_ROWS.items() if scope in row.scopes)
        for scope in sorted({scope for row in CLAIM_ROWS.values() for scope in row.scopes})
    }
)

SCOPES: Final = (OPENID, OFFLINE, *CLAIMS_OF_SCOPE)
"""``scopes_supported``; what a client gets of them its purpose says."""

TOKEN_CLAIMS: Final = ("sub", "acr", "auth_time")
"""Claims of the ID token itself that the ``claims`` parameter may name (OIDC Core §5.5.1, §5.5.1.1, §3.1.2.1)."""


CERTIFICATE_CARD: Final = "urn:inkan:document:certificate-card"
"""A card whose chip holds a certificate of the person: no identity document of the registered types."""


class TrustRow(NamedTuple):
    """How the values of one kind of source were verified (OIDC4IDA schema definition §5.4.2).

    Attributes:
        framework: ``trust_framework``; ours, because no registered one has been assessed here.
        tells_level: whether the source itself states an assurance level. What the card's proof gives has been built
            for a level that nobody has confirmed (TW-16), so it tells none.
        evidence: of a source by its name.
    """

    framework: str
    tells_level: bool
    evidence: Callable[[str], list[dict[str, Any]]]
    says: str
    source: str


def _card(_: str) -> list[dict[str, Any]]:
    # Not electronic_signature, though there is one: its issuer and serial number are required there, and would make
    # the person known again to every client.
    return [
        {
            "type": "document",
            "check_details": [{"check_method": "vcrypt"}],
            "document_details": {"type": CERTIFICATE_CARD},
        }
    ]


def _record(kind: str) -> Callable[[str], list[dict[str, Any]]]:
    return lambda name: [
        {"type": "electronic_record", "record": {"type": kind, "source": {"name": name}}}
    ]


TRUST_ROWS: Final[Mapping[str, TrustRow]] = MappingProxyType(
    {
        "card": TrustRow(
            "urn:inkan:trust:card",
            tells_level=False,
            evidence=_card,
            says="proofed for the certificate card whose chip signed the phone's binding; that signature and its"
            " certificate were verified",
            source="design §5.2; OIDC4IDA: evidence document, check_method vcrypt",
        ),
        "authority": TrustRow(
            "urn:inkan:trust:register",
            tells_level=True,
            evidence=_record("public_register"),
            says="stated by a public register, with the level that the register gives itself (ISO/IEC 29115)",
            source="WAT-27, WAT-43; OIDC4IDA: evidence electronic_record",
        ),
        "issuer": TrustRow(
            "urn:inkan:trust:issuer",
            tells_level=True,
            evidence=_record("issued_card"),
            says="stated by who issued the card, with the level that the issuer gives itself (ISO/IEC 29115)",
            source="WAT-40 to WAT-42; OIDC4IDA: evidence electronic_record",
        ),
    }
)
