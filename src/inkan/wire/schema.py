"""The JSON Schemas (draft 2020-12) of the wire formats, shipped with the package.

They are written by hand, so that they say the formats a second time; tests hold parser and schema against
each other. What a schema cannot say (canonical bytes, real days, distinct ids) stands in ``docs/wire.md``.
Patterns are ECMAScript: ``$`` is the end of the text, never the place before a trailing line break.
"""

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

NAMES: Final = (
    "common",
    "draft",
    "statement",
    "qr_frame",
    "link",
    "bind_content",
    "renew_content",
    "revoke_content",
    "receipt",
    "audit_event",
    "audit_head",
    "evidence",
    "use_proof",
    "conformance_report",
    "webhook",
)


@cache
def schema(name: str) -> dict[str, Any]:
    """Return the schema ``urn:inkan:schema:{name}``. It may refer to ``common`` and to ``draft``."""
    text = files("inkan.wire").joinpath("schemas", f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
