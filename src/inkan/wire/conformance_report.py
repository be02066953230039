"""The report of the conformance kit: which system was attacked, with what, and whether it held (TW-64).

Canonical JSON inside a compact JWS (ES256) whose ``typ`` is :data:`REPORT_TYP`. The sandbox instance that ran the kit
signs it, with its key of the purpose ``conformance``; the same instance refuses to export a system without a passed
one, and a production instance that is configured to trust this key verifies it once more at the import.
"""

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from inkan.kernel.errors import Malformed
from inkan.wire.documents import Format
from inkan.wire.forms import Code, Flaw, Moment, Name, Text, is_moment

REPORT_TYP: Final = "inkan-conformance+jwt"
"""``typ`` of a signed report."""
REPORT_LIMIT: Final = 64 * 1024

_Items = Meta(min_length=1, max_length=200)


class ConformanceReportMalformed(Malformed):
    """Not a report of the conformance kit, version 1, or one that contradicts itself."""

    code = "conformance_report_malformed"
    title = "The conformance report does not have the required form"


class ConformanceItem(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One attack.

    Attributes:
        id: of the attack, stable over the versions of the kit.
        passed: whether the relying party withstood it.
        detail: what was seen, for the people who mend it; null where there is nothing to say.
    """

    id: Code
    passed: bool
    detail: Text | None = None


class ConformanceReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One run of the kit against one system.

    Attributes:
        v: version of this form.
        system: code of the system that was attacked.
        kit_version: of the kit.
        passed: true exactly if every item is.
        at: when the run ended, true time.
        items: every attack of the kit, none twice.
    """

    v: Literal[1] = 1
    system: Code
    kit_version: Name
    passed: bool
    at: Moment
    items: Annotated[tuple[ConformanceItem, ...], _Items]


def _flaw(report: ConformanceReport) -> Flaw | None:
    if not is_moment(report.at):
        return Flaw("/at", "a day that exists")
    if len({item.id for item in report.items}) != len(report.items):
        return Flaw("/items", "distinct ids")
    if report.passed != all(item.passed for item in report.items):
        return Flaw("/passed", "true exactly if every item passed")
    return None


REPORT: Final = Format(
    ConformanceReport, limit=REPORT_LIMIT, malformed=ConformanceReportMalformed, flaw=_flaw
)


def report_bytes(report: ConformanceReport) -> bytes:
    """Return the canonical bytes of a report: the payload of the JWS.

    Raises:
        ConformanceReportMalformed: a member has a value that the format does not admit, or contradicts another.
        JSONTooLarge: it would be larger than 64 KiB.
    """
    return REPORT.encode(report)


def parse_report(data: bytes) -> ConformanceReport:
    """Return the report whose canonical bytes ``data`` is; its signature is the caller's work.

    Raises:
        JSONTooLarge, ConformanceReportMalformed, NotCanonical: see :class:`inkan.wire.documents.Format`.
    """
    return REPORT.parse(data)
