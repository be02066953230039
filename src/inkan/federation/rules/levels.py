"""The values of ``amr`` (RFC 8176): each with the facts that must have been seen for it.

What nobody has seen is not told. Phones do not say by which finger, face or PIN they verified their user, and
declare where their keys lie: so ``fpt``, ``face``, ``pin`` and ``swk`` have no row, and ``hwk`` needs the attestation.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from inkan.wire.binding import Evidence


class Fact(StrEnum):
    """What an answer shows, beside the evidence of its binding (:class:`~inkan.wire.binding.Evidence`)."""

    SIGNED = "signed"  # a statement of this session under the phone's certificate key
    USER_VERIFIED = "user_verified"  # a WebAuthn assertion with the flag UV
    ATTESTED = "attested"  # an attestation proves the authenticator's model, and its passkey cannot be copied


class AmrRow(NamedTuple):
    """One value of ``amr``: told when every fact of ``needs`` was seen."""

    value: str
    needs: frozenset[Fact | Evidence]
    says: str
    source: str


def _row(value: str, says: str, source: str, *needs: Fact | Evidence) -> AmrRow:
    return AmrRow(value, frozenset(needs), says, source)


AMR_ROWS: Final = (
    _row(
        "pop",
        "the phone signed the statement of this session with its certificate key",
        "RFC 8176 §2 (pop); design §5.3, proof 1",
        Fact.SIGNED,
    ),
    _row(
        "user",
        "the phone's authenticator saw its user",
        "RFC 8176 §2 (user); WebAuthn Level 3 §6.1 (flags UP and UV)",
        Fact.USER_VERIFIED,
    ),
    _row(
        "mfa",
        "the phone, and its lock: a finger, a face or a PIN, which of them is not told",
        "RFC 8176 §2 (mfa); NIST SP 800-63B-4 §3.1.7",
        Fact.SIGNED,
        Fact.USER_VERIFIED,
    ),
    _row(
        "mca",
        "six digits went from the asking page to the phone by the person's hand",
        "RFC 8176 §2 (mca); NIST SP 800-63B-4 §3.1.3",
        Evidence.CODE_ENTERED,
    ),
    _row(
        "hwk",
        "an attestation proves the model of the phone's authenticator, and its passkey cannot be copied",
        "RFC 8176 §2 (hwk); WebAuthn Level 3 §6.5",
        Fact.ATTESTED,
    ),
    _row(
        "sc",
        "the person's card was in the reader",
        "RFC 8176 §2 (sc); JPKI-34",
        Evidence.CARD_IN_READER,
    ),
)
