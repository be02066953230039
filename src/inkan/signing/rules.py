"""The figures of documents to sign, and who may sign them."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from inkan.kernel.errors import Malformed
from inkan.signing.model import DocumentOrder, Result
from inkan.wire.contents import DIGEST_CHARACTERS, Content
from inkan.wire.forms import CONTENTS_LIMIT
from inkan.wire.reasons import Reason
from inkan.wire.session import Outcome

# Design §5.5: an Idempotency-Key holds its answer for a day, and so long a document is kept.
DOCUMENT_LIFE: Final = timedelta(hours=24)

PURGE_EVERY: Final = timedelta(hours=1)

# A hundred items with the longest names in the widest characters, written without escapes.
BATCH_BODY_LIMIT: Final = 128 * 1024

RESULT_OF: Final[Mapping[Outcome, Result]] = MappingProxyType(
    {
        Outcome.OK: Result.SIGNED,
        Outcome.REFUSED: Result.REFUSED,
        Outcome.FAILED: Result.REFUSED,
        Outcome.BLOCKED: Result.REFUSED,
    }
)


def verify_digest(order: DocumentOrder, *, where: str) -> None:
    """Check that a digest is as long as its algorithm makes it (RFC 6920 §9.4).

    Raises:
        Malformed: it is not.
    """
    if len(order.digest) != DIGEST_CHARACTERS[order.alg]:
        raise Malformed(where=where, expected="a digest as long as its algorithm makes it")


def verify_ids(ids: Sequence[str], *, where: str) -> None:
    """Check that a list names 1 to 100 documents, none twice.

    Raises:
        Malformed: it does not.
    """
    if not 1 <= len(ids) <= CONTENTS_LIMIT or len(set(ids)) != len(ids):
        raise Malformed(where=where, expected=f"1 to {CONTENTS_LIMIT} documents, none twice")


def refusal(contents: Sequence[Content], *, is_young: bool) -> Reason | None:
    """Why a phone may not sign these contents, or None: a young binding signs no contents (design §5.2 step 6)."""
    return Reason.COOLING_OFF if contents and is_young else None


def result_of(outcomes: Sequence[Result]) -> Result:
    """What became of a document about which several sessions ended."""
    if Result.SIGNED in outcomes:
        return Result.SIGNED
    return Result.REFUSED if outcomes else Result.PENDING
