"""What the open part of the RP API says: errors, limits, status, reports; as the types that encode it."""

from typing import Annotated, Any

import msgspec

from inkan.client.receipt_report import SENTENCES, Report
from inkan.identification.service.tally import WindowStatus
from inkan.kernel.clock import rfc3339
from inkan.kernel.errors import InkanError, all_errors
from inkan.web import catalogue
from inkan.web.languages import Language as WebLanguage
from inkan.web.problems import status_of_kind
from inkan.wire import reasons
from inkan.wire.forms import Moment
from inkan.wire.reasons import Reason
from inkan.wire.receipt import RECEIPT_LIMIT


class ProblemEntry(msgspec.Struct, frozen=True):
    """A refusal of a call (RFC 9457).

    Attributes:
        status: the HTTP status; null for refusals that no HTTP answer carries.
        owner: who can mend it.
        retry: whether sending it again helps: no, now, later, new_session, fix.
        text: what people read, by language.
    """

    status: int | None
    title: str
    cause: str
    owner: str
    retry: str
    text: dict[str, str]


class ReasonEntry(msgspec.Struct, frozen=True):
    """Why a session did not end well: data in its view and receipt, never an HTTP status.

    Attributes:
        group: what it is about.
        disclosure: when a relying party may be told: always, or once a phone opened the session.
    """

    group: str
    owner: str
    retry: str
    disclosure: str
    text: dict[str, str]


class ErrorView(msgspec.Struct, frozen=True):
    """All that is known of one code; some are both a problem and a reason."""

    code: str
    problem: ProblemEntry | None
    reason: ReasonEntry | None


class ErrorList(msgspec.Struct, frozen=True):
    """Every code; each stands at ``/v1/errors/{code}``."""

    problems: list[str]
    reasons: list[str]


class RateRow(msgspec.Struct, frozen=True):
    """A rate: so many requests at once, regained evenly over the window.

    Attributes:
        counted_by: ``system`` or ``sender``.
    """

    name: str
    requests: int
    window_s: int
    counted_by: str


class Limits(msgspec.Struct, frozen=True):
    """What may be asked, how much, and for how long it holds.

    Attributes:
        rates: requests; those by system are the caller's own when it proves itself.
        sizes: bytes.
        counts: how many of a thing.
        seconds: lives and waits.
    """

    rates: list[RateRow]
    sizes: dict[str, int]
    counts: dict[str, int]
    seconds: dict[str, int]


class Status(msgspec.Struct, frozen=True):
    """How sessions fare: counts without anybody's id, at most five seconds old.

    Attributes:
        scope: ``process``: where several serve an instance, each answers for itself.
        since: when counting began.
        windows: the last 5 and 60 minutes.
    """

    at: str
    scope: str
    since: str
    windows: list[WindowStatus]


class VerifyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A receipt that somebody shows.

    Attributes:
        receipt: the compact JWS.
        evidence: the bundle, as it was handed out.
        at: the time asked about; the moment of the release when null.
    """

    receipt: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * RECEIPT_LIMIT)]
    evidence: dict[str, Any] | None = None
    at: Moment | None = None


class CheckView(msgspec.Struct, frozen=True):
    """One numbered step and how it ended: passed, failed, unknown or unproved."""

    number: int
    name: str
    result: str
    detail: str


class TrustView(msgspec.Struct, frozen=True):
    """What the verdict takes on the platform's word."""

    code: str
    text: str


class ReportView(msgspec.Struct, frozen=True):
    """The answer to "does this receipt hold?".

    Attributes:
        verdict: valid, invalid or indeterminate.
        at: the time for which it was asked; null when the receipt could not be read.
        receipt: what it says; means nothing unless the verdict is ``valid``.
    """

    verdict: str
    summary: str
    at: str | None
    receipt: dict[str, Any] | None
    checks: list[CheckView]
    rests_on_platform: list[TrustView]


def report_view(report: Report) -> ReportView:
    """A report as JSON."""
    return ReportView(
        verdict=str(report.verdict),
        summary=report.summary,
        at=rfc3339(report.at) if report.at else None,
        receipt=msgspec.to_builtins(report.receipt) if report.receipt else None,
        checks=[
            CheckView(number=c.number, name=c.name, result=str(c.result), detail=c.detail)
            for c in report.checks
        ],
        rests_on_platform=[
            TrustView(code=str(word), text=SENTENCES[word]) for word in report.rests_on_platform
        ],
    )


def error_list() -> ErrorList:
    """Every code of the catalogue and every reason."""
    return ErrorList(problems=sorted(catalogue.entries()), reasons=sorted(map(str, Reason)))


def error_view(code: str) -> ErrorView | None:
    """All that is known of a code; None when nothing is."""
    entry = catalogue.entries().get(code)
    reason = Reason(code) if code in set(Reason) else None
    if entry is None and reason is None:
        return None
    problem = _problem(code, entry) if entry is not None else None
    return ErrorView(code=code, problem=problem, reason=_reason(reason) if reason else None)


def _problem(code: str, entry: catalogue.Entry) -> ProblemEntry:
    kind: type[InkanError] | None = {each.code: each for each in all_errors()}.get(code)
    return ProblemEntry(
        status=int(status_of_kind(kind)) if kind else None,
        title=kind.title if kind else entry.cause,
        cause=entry.cause,
        owner=str(entry.owner),
        retry=str(entry.retry),
        text={str(language): entry.text(language) for language in WebLanguage},
    )


def _reason(reason: Reason) -> ReasonEntry:
    row = reasons.ROWS[reason]
    return ReasonEntry(
        group=str(row.group),
        owner=str(row.owner),
        retry=str(row.retry),
        disclosure=str(row.disclosure),
        text={str(language): text for language, text in reasons.texts()[reason].items()},
    )
