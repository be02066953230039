"""The log: JSON lines that cannot hold what identifies a person (threat 28).

A line carries only keys of the allow-list and only plain values; everything else shows as ``(withheld)``,
so that a forgotten key is noticed and nothing leaks. Text that holds a My Number or a national ID is
withheld whatever its key. Lines of libraries show their template without its arguments, and tracebacks
show places without messages and values, because both are built from data.
"""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Final, Protocol

import msgspec
import structlog

from inkan.kernel.clock import Clock
from inkan.kernel.errors import InkanError
from inkan.kernel.identifiers import NationalIDMalformed, holds_my_number, parse_national_id
from inkan.web.exchange import current_exchange

WITHHELD: Final = "(withheld)"
ALLOWED: Final = frozenset(
    {
        "address",
        "attempt",
        "code",
        "count",
        "environment",
        "error",
        "event",
        "exception",
        "host",
        "interval_s",
        "job",
        "kind",
        "level",
        "source",
        "method",
        "milliseconds",
        "name",
        "path",
        "pid",
        "port",
        "reason",
        "request",
        "route",
        "site",
        "size_bytes",
        "state",
        "status",
        "time",
        "topic",
        "version",
        "waiting",
    }
)
"""What a line may say. Ids of persons, phones and sessions belong to the audit, not to the log."""
_TEXT_LIMIT: Final = 300
_FRAMES: Final = 20
_NATIONAL_ID: Final = re.compile(r"(?<![A-Z0-9])[A-Z][1289A-D][0-9]{8}(?![0-9])")
Event = MutableMapping[str, Any]
ExceptionInfo = tuple[type[BaseException], BaseException, TracebackType | None]


class Sink(Protocol):
    """Where lines go."""

    def write(self, data: bytes, /) -> Any:
        """Take one line with its end."""

    def flush(self) -> Any:
        """Let it out."""


def get_logger(name: str) -> Any:
    """A logger: ``log.info("crl_signed", name="card-ca", milliseconds=12)``; the event is a constant slug."""
    return structlog.get_logger(source=name)


def configure(clock: Clock, *, sink: Sink | None = None, level: int = logging.INFO) -> None:
    """Let all of this process, libraries included, write JSON lines to ``sink`` (default: standard output)."""
    out = sink or sys.stdout.buffer
    stamp = _Stamp(clock)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            stamp,
            _add_request,
            _trace_exception,
            withhold,
            _encode,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: _Lines(out),
        cache_logger_on_first_use=False,
    )
    handler = _LibraryHandler(out, stamp)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
    logging.getLogger("uvicorn.error").setLevel(max(level, logging.WARNING))


class _Lines:
    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def msg(self, line: bytes) -> None:
        self._sink.write(line)
        self._sink.flush()

    debug = info = warning = error = critical = exception = log = msg


class _Stamp:
    """Adds true time: logs of several machines are read side by side."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def __call__(self, _: Any, __: str, event: Event) -> Event:
        event["time"] = self.now()
        return event

    def now(self) -> str:
        return self._clock.wire_now().isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _add_request(_: Any, __: str, event: Event) -> Event:
    exchange = current_exchange.get()
    if exchange is not None:
        event.setdefault("request", exchange.correlation_id)
    return event


def _trace_exception(_: Any, __: str, event: Event) -> Event:
    info = event.pop("exc_info", None)
    if info is True:
        info = sys.exc_info()
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and info[0] is not None:
        event["exception"] = trace(info)
    return event


def trace(info: ExceptionInfo) -> str:
    """Kind and places of an exception, innermost last; the message only of our own refusals' codes."""
    kind, error, where = info
    name = f"{kind.__module__}.{kind.__qualname__}"
    if isinstance(error, InkanError):
        name += f"[{error.code}]"
    elif isinstance(error, OSError) and error.errno is not None:
        name += f"[errno {error.errno}]"
    frames = traceback.extract_tb(where)[-_FRAMES:]
    places = [
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames
    ]
    cause = error.__cause__
    if cause is not None:
        places.insert(0, trace((type(cause), cause, cause.__traceback__)) + " ⇒")
    return " | ".join([*places, name])


def withhold(_: Any, __: str, event: Event) -> Event:
    """Replace whatever may not stand in a log; the last step before a line is written."""
    return {key: _shown(key, value) for key, value in event.items()}


def _shown(key: str, value: Any) -> Any:
    if key not in ALLOWED:
        return WITHHELD
    if value is None or isinstance(value, bool | int | float):
        return value
    if type(value) is not str and not (isinstance(value, str) and hasattr(value, "name")):
        return WITHHELD
    text = str(value)
    if key != "exception":
        text = text[:_TEXT_LIMIT]
    return WITHHELD if _identifies(text) else text


def _identifies(text: str) -> bool:
    return holds_my_number(text) or any(map(_is_national_id, _NATIONAL_ID.findall(text)))


def _is_national_id(text: str) -> bool:
    try:
        parse_national_id(text)
    except NationalIDMalformed:
        return False
    return True


def _encode(_: Any, __: str, event: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(event) + b"\n"


class _LibraryHandler(logging.Handler):
    """Lines of libraries: their constant template, never their arguments."""

    def __init__(self, sink: Sink, stamp: _Stamp) -> None:
        super().__init__()
        self._sink = sink
        self._stamp = stamp

    def emit(self, record: logging.LogRecord) -> None:
        event: dict[str, Any] = {
            "event": str(record.msg),
            "level": record.levelname.lower(),
            "source": record.name,
            "time": self._stamp.now(),
        }
        if record.exc_info and record.exc_info[0] is not None:
            event["exception"] = trace(record.exc_info)
        self._sink.write(_encode(None, "", withhold(None, "", event)))
        self._sink.flush()
