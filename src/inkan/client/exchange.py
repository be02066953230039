"""One HTTP request and its answer as values, and what a refusal of the platform means to its caller.

Nothing here does input or output: a conversation is a generator that yields requests and receives answers
(:data:`Conversation`), and the transports of ``http`` carry it, awaiting or blocking. Problems are RFC 9457,
errors of the token endpoint RFC 6749 §5.2.
"""

from collections.abc import Generator, Mapping
from typing import Any, Final, TypeAlias, TypeVar
from urllib.parse import quote, urlsplit

import msgspec

from inkan.client.rates import retry_after_s
from inkan.kernel.errors import (
    Conflict,
    Forbidden,
    Gone,
    InkanError,
    Malformed,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)

T = TypeVar("T")
ANSWER_LIMIT: Final = 1024 * 1024
TIMEOUT_S: Final = 15.0
_PROBLEM: Final = "application/problem+json"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request with everything that goes onto the wire.

    Attributes:
        method: upper case.
        url: absolute.
        headers: without Host and Content-Length.
        body: the bytes, or None.
        timeout_s: how long each single wait for bytes may last.
        limit: the largest accepted answer in bytes.
    """

    method: str
    url: str
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes | None = None
    timeout_s: float = TIMEOUT_S
    limit: int = ANSWER_LIMIT


class Pause(msgspec.Struct, frozen=True):
    """A wish of a conversation: go on after so many seconds."""

    seconds: float


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer of any status; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def read(self, kind: type[T]) -> T:
        """Return the JSON body as ``kind``; members that ``kind`` does not know are left out.

        Raises:
            AnswerMalformed: not JSON, or of another form.
        """
        try:
            return msgspec.json.decode(self.body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AnswerMalformed(str(error)) from None


Conversation: TypeAlias = Generator[Request | Pause, Answer | None, T]


def ask(request: Request) -> Conversation[Answer]:
    """Send one request and return its answer of any status."""
    answer = yield request
    if answer is None:
        raise TypeError("a transport answers a request with an answer")
    return answer


def pause(seconds: float) -> Conversation[None]:
    """Let ``seconds`` pass."""
    yield Pause(seconds)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What the platform says about a refusal.

    Attributes:
        status: HTTP status.
        code: stable slug (an OAuth error code from the token endpoint); ``unexplained`` when the answer has none.
        title: one English sentence.
        detail: more about this case.
        text: what a person can be told, in the language that was asked for.
        errors: field faults with JSON pointers.
        retry_after_s: from the headers Retry-After or RateLimit.
    """

    status: int
    code: str = "unexplained"
    title: str = ""
    detail: str | None = None
    text: str | None = None
    errors: list[Any] = msgspec.field(default_factory=list)
    retry_after_s: int | None = None


class AnswerMalformed(Malformed):
    """The platform answered in a form that this version does not understand."""

    code = "answer_malformed"
    title = "The answer of the platform cannot be read"


class AnswerTooLarge(TooLarge):
    """The platform answered with more bytes than this request can have."""

    code = "answer_too_large"
    title = "The answer of the platform is larger than allowed"


class PlatformUnreachable(Unavailable):
    """No connection, or it broke before the answer was complete; the request may or may not have worked."""

    code = "platform_unreachable"
    title = "The platform cannot be reached"


class PlatformTimeout(PlatformUnreachable):
    """No answer in time; the request may or may not have worked."""

    code = "platform_timeout"
    title = "The platform did not answer in time"


class CallRefused(InkanError):
    """The platform said no. ``problem`` holds its words.

    Callers that care what to do next catch one of the subclasses, or look at ``problem.code``.
    """

    code = "call_refused"
    title = "The platform refused the request"

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.code}: {problem.detail or problem.title} ({problem.status})")
        self.problem = problem

    @property
    def problem_code(self) -> str:
        """The platform's own code; ``code`` is the client's."""
        return self.problem.code


class CallMalformed(CallRefused, Malformed):
    """The platform could not read the request, or a member of it is wrong: correct the program."""

    code = "call_malformed"
    title = "The platform could not read the request"


class CallUnauthenticated(CallRefused, Unauthenticated):
    """Key, token or proof were not accepted."""

    code = "call_unauthenticated"
    title = "The platform did not accept the proof of who is asking"


class CallForbidden(CallRefused, Forbidden):
    """The caller is known and may not do this."""

    code = "call_forbidden"
    title = "The platform does not allow this"


class CallNotFound(CallRefused, NotFound):
    """Unknown, or somebody else's."""

    code = "call_not_found"
    title = "The platform has nothing under that name"


class CallConflict(CallRefused, Conflict):
    """The state on the platform does not admit this step."""

    code = "call_conflict"
    title = "This does not fit the state on the platform"


class CallGone(CallRefused, Gone):
    """Its time is over."""

    code = "call_gone"
    title = "This has ended on the platform"


class CallTooMany(CallRefused, TooMany):
    """A quota is used up; ``problem.retry_after_s`` says when to come back."""

    code = "call_too_many"
    title = "The platform asks to wait before the next request"


class CallUnavailable(CallRefused, Unavailable):
    """The platform cannot answer now; nothing was decided."""

    code = "call_unavailable"
    title = "The platform cannot answer at the moment"


REFUSALS: Final[Mapping[int, type[CallRefused]]] = {
    400: CallMalformed,
    401: CallUnauthenticated,
    403: CallForbidden,
    404: CallNotFound,
    409: CallConflict,
    410: CallGone,
    413: CallMalformed,
    415: CallMalformed,
    422: CallMalformed,
    429: CallTooMany,
}


# Refusals that the same request will meet again, however often it is sent.
FINAL_REFUSALS: Final = (CallMalformed, CallForbidden, CallNotFound, CallConflict, CallGone)


def verify_success(answer: Answer) -> Answer:
    """Return an answer of status 2xx.

    Raises:
        CallRefused: the subclass that belongs to the status; CallUnavailable for 5xx.
    """
    if 200 <= answer.status < 300:
        return answer
    kind = CallUnavailable if answer.status >= 500 else REFUSALS.get(answer.status, CallRefused)
    raise kind(read_problem(answer))


def read_problem(answer: Answer) -> Problem:
    """Return what an answer says about a refusal; one that says nothing gets the code ``unexplained``."""
    members = _members(answer)
    return Problem(
        status=answer.status,
        code=_text(members, "code", "error") or "unexplained",
        title=_text(members, "title", "error_description") or f"HTTP status {answer.status}",
        detail=_text(members, "detail"),
        text=_text(members, "text"),
        errors=errors if isinstance(errors := members.get("errors"), list) else [],
        retry_after_s=retry_after_s(answer.headers),
    )


def _members(answer: Answer) -> dict[str, Any]:
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip()
    if content_type not in {_PROBLEM, "application/json"}:
        return {}
    try:
        return answer.read(dict[str, Any])
    except AnswerMalformed:
        return {}


def _text(members: Mapping[str, Any], *names: str) -> str | None:
    found = (members.get(name) for name in names)
    return next((value for value in found if isinstance(value, str)), None)


def origin_of(url: str) -> str:
    """Return scheme, host and port of an absolute URL as one text."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def joined(base: str, path: str) -> str:
    """Return ``path`` (with its leading slash) under a base address that may end with a slash."""
    return base.rstrip("/") + path


def segment(text: str) -> str:
    """Return ``text`` as one segment of a path, whatever it holds: ids come back from browsers."""
    return quote(text, safe="").replace(".", "%2E")
