"""A person's usage records as files: JSON for programs, CSV for spreadsheets. ``docs/records.md`` names the fields.

Both are written page by page as they are read, so that a long history is never held at once. They hold the person's
own records and nobody else's names.
"""

import csv
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime
from io import StringIO
from typing import Any, Final

import msgspec

from inkan.approvals import UsageRecord
from inkan.kernel.clock import rfc3339
from inkan.web.languages import Language

VERSION: Final = 1
COLUMNS: Final = (
    "at",
    "relying_party",
    "domain",
    "purpose",
    "kind",
    "door",
    "result",
    "reason",
    "is_delivered",
    "binding",
    "claims",
    "contents",
    "full_evidence",
    "phone",
    "reported_at",
    "id",
    "session",
    "event",
)
BYTE_ORDER_MARK: Final = "\ufeff"
"""Without it the usual spreadsheet reads Chinese and Japanese as something else."""

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


async def json_pieces(
    pages: AsyncIterator[list[UsageRecord]],
    *,
    issuer: str,
    at: datetime,
    phones: Mapping[str, str],
) -> AsyncGenerator[bytes, None]:
    """The pieces of one JSON object: ``v``, ``issuer``, ``exported_at`` and ``records``."""
    head = {"v": VERSION, "issuer": issuer, "exported_at": rfc3339(at)}
    yield msgspec.json.encode(head)[:-1] + b',"records":['
    is_first = True
    async for page in pages:
        lines = [msgspec.json.encode(members(record, phones)) for record in page]
        yield (b"\n" if is_first else b",\n") + b",\n".join(lines)
        is_first = False
    yield b"\n]}\n"


async def csv_pieces(
    pages: AsyncIterator[list[UsageRecord]], *, phones: Mapping[str, str], language: Language
) -> AsyncGenerator[bytes, None]:
    """The pieces of a table (RFC 4180): UTF-8 with a byte order mark, a line of names, one line for each use."""
    yield (BYTE_ORDER_MARK + _lines([list(COLUMNS)])).encode()
    async for page in pages:
        yield _lines([_cells(members(record, phones), language) for record in page]).encode()


def members(record: UsageRecord, phones: Mapping[str, str]) -> dict[str, Any]:
    """One use as the JSON file has it; what was erased is null."""
    detail = record.detail or {}
    binding = detail.get("binding")
    return {
        "id": record.id,
        "at": rfc3339(record.at),
        "relying_party": detail.get("relying_party"),
        "domain": detail.get("domain"),
        "system": detail.get("system"),
        "session": detail.get("session"),
        "purpose": detail.get("purpose"),
        "kind": detail.get("kind"),
        "door": detail.get("door"),
        "result": record.outcome,
        "reason": detail.get("reason"),
        "is_delivered": detail.get("is_delivered"),
        "binding": binding,
        "claims": detail.get("claims"),
        "contents": detail.get("contents"),
        "full_evidence": detail.get("full_evidence"),
        "phone": {"id": record.phone, "name": phones.get(record.phone)},
        "reported_at": rfc3339(record.reported_at) if record.reported_at else None,
        "event": record.event_id,
    }


def _cells(use: dict[str, Any], language: Language) -> list[str]:
    flat = use | {
        "purpose": (use["purpose"] or {}).get(language.value),
        "binding": (use["binding"] or {}).get("level"),
        "phone": use["phone"]["name"] or use["phone"]["id"],
    }
    return [_cell(flat[column]) for column in COLUMNS]


def _cell(value: Any) -> str:
    """The value as text that no spreadsheet takes for a formula (CWE-1236)."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _cell("; ".join(map(str, value)))
    shown = str(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown


def _lines(rows: list[list[str]]) -> str:
    written = StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue()
