"""What the open part of the RP API says: codes, limits, status, reports; as the client reads it.

Unknown members are left out and words stay texts, so that a platform may learn new ones.
"""

from typing import Any

import msgspec

from inkan.client.receipt_report import Verdict


class ProblemEntry(msgspec.Struct, frozen=True):
    """A refusal of a call (RFC 9457).

    Attributes:
        status: the HTTP status; None for refusals that no HTTP answer carries.
        owner: who can mend it: person, relying_party, operator, platform.
        retry: whether sending it again helps: no, now, later, new_session, fix.
        text: what people read, by language (en, ja, zh-Hant).
    """

    status: int | None
    title: str
    cause: str
    owner: str
    retry: str
    text: dict[str, str]


class ReasonEntry(msgspec.Struct, frozen=True):
    """Why a session did not end well: data in its view and receipt, never an exception.

    Attributes:
        group: what it is about.
        owner, retry: as in :class:`ProblemEntry`.
        disclosure: when it may be told: always, or once a phone opened the session.
        text: what people read, by language.
    """

    group: str
    owner: str
    retry: str
    disclosure: str
    text: dict[str, str]


class ErrorEntry(msgspec.Struct, frozen=True):
    """All that is known of one code; some are both a problem and a reason."""

    code: str
    problem: ProblemEntry | None = None
    reason: ReasonEntry | None = None


class ErrorCodes(msgspec.Struct, frozen=True):
    """Every code that the platform knows."""

    problems: list[str]
    reasons: list[str]


class Rate(msgspec.Struct, frozen=True):
    """So many requests at once, regained evenly over the window; counted by system or by sender."""

    name: str
    requests: int
    window_s: int
    counted_by: str


class Limits(msgspec.Struct, frozen=True):
    """Rates (the caller's own among them), sizes in bytes, counts, and lives and waits in seconds."""

    rates: list[Rate]
    sizes: dict[str, int]
    counts: dict[str, int]
    seconds: dict[str, int]


class DoorStatus(msgspec.Struct, frozen=True):
    """How the sessions of one door ended; ``failure_rate`` is failed ÷ (ok + failed)."""

    door: str
    ok: int
    user: int
    failed: int
    cancelled: int
    failure_rate: float | None = None


class Durations(msgspec.Struct, frozen=True):
    """Percentiles in milliseconds; None when nothing was measured."""

    p50_ms: float | None = None
    p95_ms: float | None = None


class WindowStatus(msgspec.Struct, frozen=True):
    """The last so many minutes: sessions opened, what ended by door, and how long things took."""

    minutes: int
    created: int
    doors: list[DoorStatus]
    create: Durations
    release: Durations


class PlatformStatus(msgspec.Struct, frozen=True):
    """How sessions fare on the platform, counted by one process since ``since``."""

    at: str
    since: str
    windows: list[WindowStatus]


class RemoteCheck(msgspec.Struct, frozen=True):
    """One numbered step of the platform's verification and how it ended."""

    number: int
    name: str
    result: str
    detail: str = ""


class RestsOn(msgspec.Struct, frozen=True):
    """What a verdict takes on the platform's word."""

    code: str
    text: str


class RemoteReport(msgspec.Struct, frozen=True):
    """The platform's own answer to "does this receipt hold?".

    ``inkan.client.verify_receipt`` answers the same question offline, without asking the platform about itself.

    Attributes:
        verdict: the answer.
        summary: one line for a log.
        at: the time asked about (RFC 3339); None when the receipt could not be read.
        receipt: what it says; means nothing unless the verdict is ``valid``.
        checks: the steps that were taken.
        rests_on_platform: what it takes on the platform's word.
    """

    verdict: Verdict
    summary: str
    checks: list[RemoteCheck]
    rests_on_platform: list[RestsOn]
    at: str | None = None
    receipt: dict[str, Any] | None = None
