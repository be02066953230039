"""Idempotency keys: the name that a caller gives to one order, so that a retry is known for what it is.

A key holds its answer for a day; the same key with the same body is answered as before, with another body it
is refused.
"""

import re
from typing import Final

from inkan.kernel.errors import Conflict, Malformed

_FORM: Final = re.compile(r"[\x21-\x7e]{16,64}")


class IdempotencyConflict(Conflict):
    """The same key came with another body."""

    code = "idempotency_conflict"
    title = "This Idempotency-Key was used with another body"


class IdempotencyKeyMissing(Malformed):
    """Creating without a key would double on a retry."""

    code = "idempotency_key_missing"
    title = "Send an Idempotency-Key of 16 to 64 visible characters"


def verify_idempotency_key(key: str | None) -> str:
    """Return the key of a creating request, 16 to 64 visible ASCII characters.

    Raises:
        IdempotencyKeyMissing: there is none, or it has another form.
    """
    if key is None or _FORM.fullmatch(key) is None:
        raise IdempotencyKeyMissing
    return key
