"""What people read of a judgement: the steps of the verifier's plan, its verdicts, and what a receipt's codes mean.

The texts are English, the keys of their translations. Here somebody reads about another person's answer; what a
person reads about their own stands in ``words``.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from inkan.client.receipt_report import SENTENCES, Result, Verdict
from inkan.wire.binding import BackEnd, BindingLevel
from inkan.wire.session import Kind, Outcome


class VerdictWords(NamedTuple):
    """How a verdict is told: kind of notice, its title, and one sentence."""

    notice: str
    title: str
    text: str


VERDICTS: Final[Mapping[Verdict, VerdictWords]] = {
    Verdict.VALID: VerdictWords(
        "done",
        "Valid",
        "This platform signed it, and nothing in it was changed. Below stands what was checked and what was not.",
    ),
    Verdict.INVALID: VerdictWords(
        "problem",
        "Invalid",
        "A check failed. Do not rely on anything that this file says.",
    ),
    Verdict.INDETERMINATE: VerdictWords(
        "caution",
        "Not decided",
        "Nothing was found wrong, but something needed for a decision is missing. It can be neither proved nor refuted.",
    ),
}

# Number of a step in the plan of `inkan.client.verifier` → what it asks.
CHECKS: Final[Mapping[int, str]] = {
    1: "The file has the form of a receipt",
    2: "Its signer's certificate leads to this platform's root and was good at the time",
    3: "The signature over the receipt holds",
    4: "At the time asked about the receipt existed, and its signature was still provable",
    5: "The evidence was made for this very receipt",
    6: "The evidence opens the receipt's commitments",
    7: "What the phone signed says what the receipt says",
    8: "The phone certificate leads to this platform's root and was good for this purpose",
    9: "Certificate, passkey and signed statement belong together",
    10: "The phone certificate's signature holds",
    11: "The person was verified on the phone: the passkey signed it",
    12: "No certificate was revoked at the time of the answer",
    13: "The time stamp",
    14: "The answer stands in the platform's audit log",
}
WITHOUT_EVIDENCE: Final = 4
"""The last step that a receipt alone is judged by."""

RESULTS: Final[Mapping[Result, str]] = {
    Result.PASSED: "holds",
    Result.FAILED: "failed",
    Result.UNKNOWN: "cannot be told",
    Result.UNPROVED: "not proved: the platform's word",
}
NOT_REACHED: Final = "not reached"
NO_EVIDENCE: Final = "needs the evidence"

KINDS: Final[Mapping[Kind, str]] = {
    Kind.IDENTIFY: "Identification: who is this?",
    Kind.APPROVE: "Approval of what was shown",
    Kind.SIGN: "Signature on contents",
}
OUTCOMES: Final[Mapping[Outcome, str]] = {
    Outcome.OK: "The person agreed",
    Outcome.REFUSED: "The person refused",
    Outcome.FAILED: "It did not succeed",
    Outcome.BLOCKED: "It was blocked",
}
LEVELS: Final[Mapping[BindingLevel, tuple[str, str]]] = {
    BindingLevel.NONE: (
        "None",
        "Nothing ties the answer to one browser. The person may have answered a question that somebody else passed on.",
    ),
    BindingLevel.MATCHED: (
        "Matched",
        "The person typed a code that stood on the asking page.",
    ),
    BindingLevel.PAIRED: (
        "Paired",
        "The asking browser was known as this person's, and the person typed its code.",
    ),
    BindingLevel.RETURNED: (
        "Returned",
        "The answer went back to the very browser or app that had asked.",
    ),
    BindingLevel.STRONG: (
        "Strong",
        "The asking device itself was at the phone or the card.",
    ),
}
BACK_ENDS: Final[Mapping[BackEnd, str]] = {
    BackEnd.A: "On the phone, locked by its passkey",
    BackEnd.B: "In a service window's key device, released by the phone's passkey",
    BackEnd.C: "In the phone's own key store",
    BackEnd.PLAIN: "In the browser's store, not locked (sandbox only)",
}

WORDS: Final = frozenset(
    [
        *(word for each in VERDICTS.values() for word in (each.title, each.text)),
        *CHECKS.values(),
        *RESULTS.values(),
        NOT_REACHED,
        NO_EVIDENCE,
        *KINDS.values(),
        *OUTCOMES.values(),
        *(word for pair in LEVELS.values() for word in pair),
        *BACK_ENDS.values(),
        *SENTENCES.values(),
    ]
)
"""Every one of them; a test looks for its translations."""
